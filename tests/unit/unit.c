/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The harness: runs every registered test, and stands in for the hypervisor's printk and panic. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "unit.h"

#ifndef UNIT_NAME
#define UNIT_NAME "check-unit"
#endif

static struct unit_test *tests;
static const char *current;
static bool current_failed, verbose;
static char log_text[65536];
static size_t log_len;
static uint64_t seed = 0x9e3779b97f4a7c15ULL;

/* Tests of the console have the real one. */
void printk(const char *fmt, ...) __attribute__((weak));
void panic(const char *fmt, ...);

void unit_register(struct unit_test *t)
{
	t->next = tests;
	tests = t;
}

void unit_fail(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s:%d: %s: ", file, line, current);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	current_failed = true;
}

bool unit_verbose(void)
{
	return verbose;
}

const char *unit_log(void)
{
	return log_text;
}

void unit_log_clear(void)
{
	log_len = 0;
	log_text[0] = '\0';
}

void printk(const char *fmt, ...)
{
	va_list ap;
	int n;

	if (verbose) {
		va_start(ap, fmt);
		vprintf(fmt, ap);
		va_end(ap);
	}
	va_start(ap, fmt);
	n = vsnprintf(log_text + log_len, sizeof(log_text) - log_len, fmt, ap);
	va_end(ap);
	if (n > 0 && (size_t)n < sizeof(log_text) - log_len)
		log_len += (size_t)n;
	else
		unit_log_clear();
}

void panic(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s: panic: ", current);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	abort();
}

/* xorshift64*: the same sequence in every run */
uint64_t unit_random(void)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return seed * 0x2545f4914f6cdd1dULL;
}

void *unit_alloc(size_t n)
{
	void *p = calloc(1, n ? n : 1);

	if (!p)
		abort();
	return p;
}

void unit_free(void *p)
{
	free(p);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

void unit_sort(uint64_t *p, unsigned int n)
{
	qsort(p, n, sizeof(*p), compare);
}

int unit_libc_snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}

uint64_t unit_libc_strtoull(const char *s, size_t *used, int base)
{
	char *end;
	uint64_t v = strtoull(s, &end, base);

	*used = (size_t)(end - s);
	return v;
}

int64_t unit_libc_days(int year, int month, int day)
{
	struct tm tm = { .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day };

	return timegm(&tm) / 86400;
}

void unit_isolated(void (*fn)(void))
{
	pid_t child;
	int status;

	fflush(stdout);
	child = fork();
	if (!child) {
		fn();
		_exit(current_failed ? 1 : 0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || status)
		current_failed = true;
}

/* usage: [-v] [TEST...] */
static bool wanted(const char *name, int argc, char **argv)
{
	for (int i = 1 + verbose; i < argc; i++)
		if (!strcmp(argv[i], name))
			return true;
	return argc == 1 + verbose;
}

int main(int argc, char **argv)
{
	unsigned int passed = 0, failed = 0;

	verbose = argc > 1 && !strcmp(argv[1], "-v");
	for (struct unit_test *t = tests; t; t = t->next) {
		if (!wanted(t->name, argc, argv))
			continue;
		current = t->name;
		current_failed = false;
		unit_log_clear();
		t->fn();
		if (current_failed)
			failed++;
		else
			passed++;
	}
	printf(UNIT_NAME ": %u passed, %u failed\n", passed, failed);
	return failed != 0;
}
