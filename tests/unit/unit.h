/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small unit-test harness. Tests include the hypervisor's headers, not libc's: this header
 * names what the harness (unit.c, built against libc) offers them.
 */
#ifndef PLINTH_UNIT_H
#define PLINTH_UNIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct unit_test {
	const char *name;
	void (*fn)(void);
	struct unit_test *next;
};
void unit_register(struct unit_test *t);
/* Records a failure of the running test and goes on. */
void unit_fail(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The command line has -v: what the code under test prints is shown. */
bool unit_verbose(void);
/* What the code under test printed since unit_log_clear. */
const char *unit_log(void);
void unit_log_clear(void);
/* Repeatable pseudo-random numbers. */
uint64_t unit_random(void);
void *unit_alloc(size_t n);
void unit_free(void *p);
void unit_sort(uint64_t *p, unsigned int n);
/* The C library's own answer, as the oracle. */
int unit_libc_snprintf(char *buf, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
uint64_t unit_libc_strtoull(const char *s, size_t *used, int base);
/* Days since 1970 by the C library's timegm. */
int64_t unit_libc_days(int year, int month, int day);

/* Runs fn in a process of its own, where statics are as at the start; its failures count as the test's. */
void unit_isolated(void (*fn)(void));

#define TEST(ident)                                                         \
	static void test_##ident(void);                                     \
	static void __attribute__((constructor)) register_##ident(void)     \
	{                                                                   \
		static struct unit_test t = { #ident, test_##ident, NULL }; \
		unit_register(&t);                                          \
	}                                                                   \
	static void test_##ident(void)

#define EXPECT(cond)                                                \
	do {                                                        \
		if (!(cond))                                        \
			unit_fail(__FILE__, __LINE__, "%s", #cond); \
	} while (0)

/* lo <= value <= hi, and what it is if not. */
#define EXPECT_IN(value, lo, hi)                                                                 \
	do {                                                                                     \
		unsigned long val_ = (value), lo_ = (lo), hi_ = (hi);                            \
		if (val_ < lo_ || val_ > hi_)                                                    \
			unit_fail(__FILE__, __LINE__, "%s = %lu, not in %lu..%lu", #value, val_, \
				  lo_, hi_);                                                     \
	} while (0)

#endif
