/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Assertions that count, for the test programs of this folder; each is one source file. */
#ifndef TESTS_DM_PV_CHECK_H
#define TESTS_DM_PV_CHECK_H

#include <stdio.h>

static unsigned int checks, failures;

/* Evaluates cond once; a false one is printed with its place, and the program goes on. */
#define CHECK(cond)                                                       \
	do {                                                              \
		checks++;                                                 \
		if (!(cond)) {                                            \
			failures++;                                       \
			printf("%s:%d: %s\n", __FILE__, __LINE__, #cond); \
		}                                                         \
	} while (0)

#endif
