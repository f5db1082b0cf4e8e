/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of hvmloader have in common. */
#ifndef HVMLOADER_TESTS_H
#define HVMLOADER_TESTS_H

#include <stdint.h>

#include "../check.h"

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
