/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The libc side: runs every registered test, or those that the command line names; -v shows the hypervisor's log. */
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sched_test {
	const char *name;
	void (*fn)(void);
	struct sched_test *next;
};

static struct sched_test *tests;
static const char *current;
static bool current_failed, verbose;

void sched_test_register(struct sched_test *t);
void sched_test_fail(const char *file, int line, const char *fmt, ...);
void host_sort(uint64_t *p, unsigned int n);
bool host_verbose(void);
void printk(const char *fmt, ...);
void panic(const char *fmt, ...) __attribute__((noreturn));
void *xzalloc_bytes(size_t n);
void xfree(void *p);

void sched_test_register(struct sched_test *t)
{
	t->next = tests;
	tests = t;
}

void sched_test_fail(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s:%d: %s: ", file, line, current);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	current_failed = true;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

void host_sort(uint64_t *p, unsigned int n)
{
	qsort(p, n, sizeof(*p), compare);
}

bool host_verbose(void)
{
	return verbose;
}

void printk(const char *fmt, ...)
{
	va_list ap;

	if (!verbose)
		return;
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
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

void *xzalloc_bytes(size_t n)
{
	return calloc(1, n ? n : 1);
}

void xfree(void *p)
{
	free(p);
}

static bool wanted(const char *name, int argc, char **argv)
{
	int names = 0;

	for (int i = 1; i < argc; i++) {
		if (argv[i][0] == '-')
			continue;
		names++;
		if (!strcmp(argv[i], name))
			return true;
	}
	return !names;
}

int main(int argc, char **argv)
{
	unsigned int passed = 0, failed = 0;

	verbose = argc > 1 && !strcmp(argv[1], "-v");
	for (struct sched_test *t = tests; t; t = t->next) {
		if (!wanted(t->name, argc, argv))
			continue;
		current = t->name;
		current_failed = false;
		t->fn();
		if (current_failed)
			failed++;
		else
			passed++;
	}
	printf("check-sched: %u passed, %u failed\n", passed, failed);
	return failed != 0;
}
