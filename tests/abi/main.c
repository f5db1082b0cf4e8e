/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs every registered test; the libc side of the mocks. */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct abi_test {
	const char *name;
	void (*fn)(void);
	struct abi_test *next;
};

static struct abi_test *tests;
static const char *current;
static int current_failed;
static uint64_t seed = 88172645463325252ULL;

void abi_register(struct abi_test *t);
void abi_fail(const char *file, int line, const char *what);
uint64_t abi_random(void);
void printk(const char *fmt, ...);
void panic(const char *fmt, ...) __attribute__((noreturn));
void *xzalloc_bytes(size_t n);
void xfree(void *p);
void *abi_page_alloc(void);

void abi_register(struct abi_test *t)
{
	t->next = tests;
	tests = t;
}

void abi_fail(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: %s: %s\n", file, line, current, what);
	current_failed = 1;
}

uint64_t abi_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

void printk(const char *fmt, ...)
{
	(void)fmt;
}

void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	abort();
}

void *xzalloc_bytes(size_t n)
{
	return calloc(1, n ? n : 1);
}

void xfree(void *p)
{
	free(p);
}

void *abi_page_alloc(void)
{
	void *p = aligned_alloc(4096, 4096);

	memset(p, 0, 4096);
	return p;
}

int main(void)
{
	unsigned int passed = 0, failed = 0;

	for (struct abi_test *t = tests; t; t = t->next) {
		current = t->name;
		current_failed = 0;
		t->fn();
		if (current_failed)
			failed++;
		else
			passed++;
	}
	printf("check-abi: %u passed, %u failed\n", passed, failed);
	return failed != 0;
}
