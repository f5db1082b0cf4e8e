/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counting checks of the host tests. CHECK says where and what failed and goes on. A CHECK that runs
 * many times counts once: as failed if it ever failed.
 */
#ifndef HVMLOADER_TESTS_CHECK_H
#define HVMLOADER_TESTS_CHECK_H

#include <stdint.h>

struct check_site {
	const char *what, *file;
	int line;
	int seen, bad;
};

extern unsigned int check_passed, check_failed;

void check_that(int good, struct check_site *site);

#define CHECK(cond)                                                                   \
	do {                                                                          \
		static struct check_site site_ = { #cond, __FILE__, __LINE__, 0, 0 }; \
		check_that(!!(cond), &site_);                                         \
	} while (0)

/* A reproducible stream of numbers. */
uint32_t check_random(void);

/* Write a file below the directory given to the test program. */
void check_dump(const char *name, const void *data, uint32_t len);

void test_util(void);
void test_xenstore(void);
void test_config(void);
void test_e820(void);
void test_pci(void);
void test_mtrr(void);
void test_acpi(void);
void test_smbios(void);
void test_legacy(void);
void test_seabios(void);

#endif
