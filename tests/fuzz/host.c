/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The libc side: RAM, heap, messages. It includes no header of the hypervisor. */
#define _GNU_SOURCE
#include <sanitizer/asan_interface.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "work.h"

#define RAM_BYTES (16UL << 20)

void host_map_ram(void);
uint64_t host_heap_blocks(void);
void host_fail_alloc(unsigned int nth);
void host_on_alloc(void (*fn)(void));
void host_poison(void *p, uint64_t len, bool on);
void host_printf(const char *fmt, ...);
size_t host_file(const char *path, void *to, size_t max)
{
	FILE *f = fopen(path, "rb");
	size_t n = 0;

	if (f) {
		n = fread(to, 1, max, f);
		fclose(f);
	}
	return n;
}

void host_result(const char *check, unsigned int good, unsigned int bad);
void host_log_clear(void);
bool host_log_has(const char *text);
unsigned int host_log_lines(void);
void host_note(const char *fmt, ...);
void __asan_on_error(void);
void __tsan_on_report(void *report);
void printk(const char *fmt, ...);
void guest_printk(const char *fmt, ...);
void panic(const char *fmt, ...) __attribute__((noreturn));
void *xzalloc_bytes(size_t size);
void xfree(void *p);
size_t vmm_strlcpy(char *dst, const char *src, size_t size);

bool host_verbose;
void (*host_relax)(void);
static char note[128];
static uint64_t blocks;
static __thread unsigned int fail_in;
static void (*on_alloc)(void);

void host_map_ram(void)
{
	void *at = (void *)DIRECTMAP_VIRT;

	if (mmap(at, RAM_BYTES, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0) != at) {
		perror("RAM of the machine");
		exit(1);
	}
}

uint64_t host_heap_blocks(void)
{
	return blocks;
}

void host_fail_alloc(unsigned int nth)
{
	fail_in = nth;
}

void host_on_alloc(void (*fn)(void))
{
	on_alloc = fn;
}

void host_poison(void *p, uint64_t len, bool on)
{
	if (on)
		ASAN_POISON_MEMORY_REGION(p, len);
	else
		ASAN_UNPOISON_MEMORY_REGION(p, len);
}

void *xzalloc_bytes(size_t size)
{
	void *p;

	if (on_alloc)
		on_alloc();
	if (size > 2UL << 20 || (fail_in && !--fail_in))
		return NULL;
	p = aligned_alloc(64, (size + 63) & ~63UL);
	if (!p)
		abort();
	memset(p, 0, (size + 63) & ~63UL);
	if ((size & 63) || !size)
		ASAN_POISON_MEMORY_REGION((char *)p + size, ((size + 63) & ~63UL) - size);
	__atomic_fetch_add(&blocks, 1, __ATOMIC_RELAXED);
	return p;
}

void xfree(void *p)
{
	if (p)
		__atomic_fetch_sub(&blocks, 1, __ATOMIC_RELAXED);
	free(p);
}

static void say(const char *fmt, va_list ap)
{
	if (*fmt == '<' && fmt[1] && fmt[2] == '>')
		fmt += 3;
	vfprintf(stderr, fmt, ap);
}

#define SAY(fmt)                   \
	do {                       \
		va_list ap;        \
		va_start(ap, fmt); \
		say(fmt, ap);      \
		va_end(ap);        \
	} while (0)

void host_printf(const char *fmt, ...)
{
	SAY(fmt);
}

void host_note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(note, sizeof(note), fmt, ap);
	va_end(ap);
	if (host_verbose)
		fprintf(stderr, "%s\n", note);
}

static void say_note(void)
{
	if (*note)
		fprintf(stderr, "%s:\n", note);
}

/* The sanitizers call these before they report. */
void __asan_on_error(void)
{
	say_note();
}

void __tsan_on_report(void *report)
{
	(void)report;
	say_note();
}

void host_result(const char *check, unsigned int good, unsigned int bad)
{
	printf("%s: %u passed, %u failed\n", check, good, bad);
}

static __thread char log_text[65536]; /* what the calling thread said */
static __thread size_t log_len;

void host_log_clear(void)
{
	log_len = 0;
	log_text[0] = 0;
}

bool host_log_has(const char *text)
{
	return strstr(log_text, text);
}

unsigned int host_log_lines(void)
{
	unsigned int n = 0;

	for (size_t i = 0; i < log_len; i++)
		n += log_text[i] == '\n';
	return n;
}

/* The log's end is lost when it is full: cases clear it before what they look for. */
static void keep(const char *fmt, va_list ap)
{
	int n;

	if (*fmt == '<' && fmt[1] && fmt[2] == '>')
		fmt += 3;
	n = vsnprintf(log_text + log_len, sizeof(log_text) - log_len, fmt, ap);
	if (n > 0)
		log_len += (size_t)n;
	if (log_len > sizeof(log_text) - 1)
		log_len = sizeof(log_text) - 1;
}

#define KEEP(fmt)                  \
	do {                       \
		va_list ap;        \
		va_start(ap, fmt); \
		keep(fmt, ap);     \
		va_end(ap);        \
		if (host_verbose)  \
			SAY(fmt);  \
	} while (0)

void printk(const char *fmt, ...)
{
	work_add(WORK_LINE);
	KEEP(fmt);
}

void guest_printk(const char *fmt, ...)
{
	work_add(WORK_LINE);
	KEEP(fmt);
}

void panic(const char *fmt, ...)
{
	say_note();
	fprintf(stderr, "panic: ");
	SAY(fmt);
	fprintf(stderr, "\n");
	abort();
}

size_t vmm_strlcpy(char *dst, const char *src, size_t size)
{
	size_t n = strlen(src);

	if (size) {
		size_t k = n < size - 1 ? n : size - 1;

		memcpy(dst, src, k);
		dst[k] = 0;
	}
	return n;
}
