// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs every file of the fuzzer's regression folder once; a finding aborts, with the sanitizer's
 * report.
 */
#include <dirent.h>

#include "harness.h"

void test_regress(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	uint8_t data[4096];
	char path[512];

	if (!d) {
		tests.skipped++;
		return;
	}
	while ((e = readdir(d))) {
		size_t n;
		FILE *f;

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		f = fopen(path, "rb");
		test_result(f != NULL, "cannot open %s", path);
		if (!f)
			continue;
		n = fread(data, 1, sizeof(data), f);
		fclose(f);
		emulate_one_input(data, n);
		tests.passed++;
	}
	closedir(d);
}
