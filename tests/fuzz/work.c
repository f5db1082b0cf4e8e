/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much the hypervisor does in one piece, with interrupts off: its code is built so that each basic block it enters
 * calls __sanitizer_cov_trace_pc (gcc's -fsanitize-coverage=trace-pc), copies and clears count by their length. What
 * goes on for longer than a piece may ends the test, whatever loop it is in. The libc side, as host.c.
 */
#include <sanitizer/common_interface_defs.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "work.h"

/* Instructions of a basic block, about: the sanitizers' own checks make blocks, too, which costs some of them. */
#define PER_BLOCK 5U

void __sanitizer_cov_trace_pc(void);
void *__real_memset(void *dst, int c, size_t n);
void *__real_memcpy(void *dst, const void *src, size_t n);
void *__real_memmove(void *dst, const void *src, size_t n);
void *__wrap_memset(void *dst, int c, size_t n);
void *__wrap_memcpy(void *dst, const void *src, size_t n);
void *__wrap_memmove(void *dst, const void *src, size_t n);

static __thread uint64_t done, longest;
static __thread bool counting;

static void too_long(void)
{
	counting = false;
	fprintf(stderr, "panic: more than %u instructions in one piece, here:\n", WORK_MAX);
	__sanitizer_print_stack_trace();
	abort();
}

void work_add(uint64_t instructions)
{
	if (!counting)
		return;
	done += instructions;
	if (done > WORK_MAX)
		too_long();
}

void work_begin(void)
{
	done = 0;
	counting = true;
}

void work_end(void)
{
	counting = false;
	if (done > longest)
		longest = done;
}

uint64_t work_done(void)
{
	return done;
}

uint64_t work_longest(void)
{
	uint64_t n = longest;

	longest = 0;
	return n;
}

/*
 * libFuzzer has one of its own, which counts nothing: there a limit of time (build.mk) finds what does not end. And
 * tests/threads has another one.
 */
__attribute__((weak)) void __sanitizer_cov_trace_pc(void)
{
	work_add(PER_BLOCK);
}

/* By words, as lib/string.c does it. */
void *__wrap_memset(void *dst, int c, size_t n)
{
	work_add(n / 8);
	return __real_memset(dst, c, n);
}

void (*work_on_copy)(void);
const void *work_copy_page;

static void copied_to(const void *dst)
{
	void (*seen)(void) = work_on_copy;

	if (!seen || (uintptr_t)dst >> 12 != (uintptr_t)work_copy_page >> 12)
		return;
	work_on_copy = NULL;
	seen();
}

void *__wrap_memcpy(void *dst, const void *src, size_t n)
{
	copied_to(dst);
	work_add(n / 8);
	return __real_memcpy(dst, src, n);
}

void *__wrap_memmove(void *dst, const void *src, size_t n)
{
	copied_to(dst);
	work_add(n / 8);
	return __real_memmove(dst, src, n);
}
