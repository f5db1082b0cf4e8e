/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Host tests of hvmloader's logic. Usage: test_hvmloader DIR; tables are dumped to DIR for
 * check_tables.sh, which shows them to iasl, acpiexec, dmidecode and biosdecode.
 */
#include "tests.h"

#include <stdio.h>
#include <stdlib.h>

static const char *dump_dir;
static uint64_t random_state = 0x9e3779b97f4a7c15u;

uint32_t check_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 16);
}

void check_dump(const char *name, const void *data, uint32_t len)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dump_dir, name);
	f = fopen(path, "wb");
	if (!f || fwrite(data, 1, len, f) != len || fclose(f)) {
		perror(path);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: %s DIR\n", argv[0]);
		return 2;
	}
	dump_dir = argv[1];
	test_util();
	test_xenstore();
	test_config();
	test_e820();
	test_pci();
	test_mtrr();
	test_acpi();
	test_smbios();
	test_legacy();
	test_seabios();
	printf("%u %u\n", check_passed, check_failed);
	return check_failed != 0;
}
