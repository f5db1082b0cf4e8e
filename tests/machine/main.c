// SPDX-License-Identifier: GPL-2.0-or-later
/* Runs every registered test (tests/unit/unit.h); printk and panic are those of tests/fuzz/host.c. */
#include <stdio.h>
#include "unit.h"

static struct unit_test *tests;
static const char *current;
static bool current_failed;

void unit_register(struct unit_test *t)
{
	t->next = tests;
	tests = t;
}

void unit_fail(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: %s: %s\n", file, line, current, what);
	current_failed = true;
}

int main(void)
{
	unsigned int passed = 0, failed = 0;

	for (struct unit_test *t = tests; t; t = t->next) {
		current = t->name;
		current_failed = false;
		t->fn();
		if (current_failed)
			failed++;
		else
			passed++;
	}
	printf("check-machine: %u passed, %u failed\n", passed, failed);
	return failed != 0;
}
