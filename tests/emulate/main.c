// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs the emulator's tests: all of them, or those named on the command line (decode, native,
 * machine, mmio, system, syscall,
 * open, regress); `bench` counts instructions under callgrind instead. One summary
 * line.
 */
#include "harness.h"

static bool wanted(int argc, char **argv, const char *name)
{
	int i;

	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], name))
			return true;
	}
	return argc == 1;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "bench"))
		return emulate_bench();
	if (wanted(argc, argv, "machine"))
		test_machine();
	if (wanted(argc, argv, "mmio"))
		test_mmio();
	if (wanted(argc, argv, "system"))
		test_system();
	if (wanted(argc, argv, "decode"))
		test_decode();
	if (wanted(argc, argv, "syscall"))
		test_syscall();
	if (wanted(argc, argv, "open"))
		test_open();
	if (wanted(argc, argv, "native"))
		test_native(argc > 1);
	if (wanted(argc, argv, "regress"))
		test_regress("tests/regress/emulate");
	printf("  %lu comparisons in batches that count once\n", tests.compared);
	printf("check-emulate: %lu passed, %lu failed", tests.passed, tests.failed);
	if (tests.skipped)
		printf(", %lu skipped", tests.skipped);
	printf("\n");
	return tests.failed != 0;
}
