/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See check.h. */
#include "check.h"

#include <stdio.h>

unsigned int check_passed, check_failed;

void check_that(int good, struct check_site *site)
{
	if (!site->seen) {
		site->seen = 1;
		check_passed++;
	}
	if (good || site->bad)
		return;
	site->bad = 1;
	check_passed--;
	check_failed++;
	printf("%s:%d: failed: %s\n", site->file, site->line, site->what);
}

int check_report(const char *name)
{
	printf("%s: %u passed, %u failed\n", name, check_passed, check_failed);
	return check_failed != 0;
}
