/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counting checks of host programs that have libc. CHECK says where and what failed, and goes on. One that runs many times
 * counts once: as failed if it ever failed. (Tests that have the hypervisor's headers stand on unit/unit.h.)
 */
#ifndef PLINTH_TESTS_CHECK_H
#define PLINTH_TESTS_CHECK_H

struct check_site {
	const char *what, *file;
	int line;
	int seen, bad;
};

extern unsigned int check_passed, check_failed;

void check_that(int good, struct check_site *site);
/* The line that `make check` adds up. Returns the status to exit with. */
int check_report(const char *name);

#define CHECK(cond)                                                                   \
	do {                                                                          \
		static struct check_site site_ = { #cond, __FILE__, __LINE__, 0, 0 }; \
		check_that(!!(cond), &site_);                                         \
	} while (0)

#endif
