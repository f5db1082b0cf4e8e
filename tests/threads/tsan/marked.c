/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the compiler calls for volatile accesses (tsan-distinguish-volatile): they are single and meant to meet others,
 * so the sanitizer takes them for relaxed atomics, and for nothing that orders more.
 */
#include <stdint.h>
#include <stddef.h>
#include <string.h>

#define RELAXED 0

uint8_t __tsan_atomic8_load(const volatile uint8_t *a, int order);
uint16_t __tsan_atomic16_load(const volatile uint16_t *a, int order);
uint32_t __tsan_atomic32_load(const volatile uint32_t *a, int order);
uint64_t __tsan_atomic64_load(const volatile uint64_t *a, int order);
uint8_t __tsan_atomic8_fetch_or(volatile uint8_t *a, uint8_t v, int order);
uint16_t __tsan_atomic16_fetch_or(volatile uint16_t *a, uint16_t v, int order);
uint32_t __tsan_atomic32_fetch_or(volatile uint32_t *a, uint32_t v, int order);
uint64_t __tsan_atomic64_fetch_or(volatile uint64_t *a, uint64_t v, int order);

#define MARKED(bytes, bits)                                    \
	void __tsan_volatile_read##bytes(void *a);             \
	void __tsan_volatile_write##bytes(void *a);            \
	void __tsan_unaligned_volatile_read##bytes(void *a);   \
	void __tsan_unaligned_volatile_write##bytes(void *a);  \
	void __tsan_volatile_read##bytes(void *a)              \
	{                                                      \
		__tsan_atomic##bits##_load(a, RELAXED);        \
	}                                                      \
	void __tsan_volatile_write##bytes(void *a)             \
	{                                                      \
		__tsan_atomic##bits##_fetch_or(a, 0, RELAXED); \
	}                                                      \
	void __tsan_unaligned_volatile_read##bytes(void *a)    \
	{                                                      \
		(void)a;                                       \
	}                                                      \
	void __tsan_unaligned_volatile_write##bytes(void *a)   \
	{                                                      \
		(void)a;                                       \
	}

MARKED(1, 8)
MARKED(2, 16)
MARKED(4, 32)
MARKED(8, 64)

/* Copies of guests' memory, which the sanitizer does not see. */
void *guest_memcpy(void *to, const void *from, size_t n);
void *guest_memmove(void *to, const void *from, size_t n);

void *guest_memcpy(void *to, const void *from, size_t n)
{
	void *at = to;

	__asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(n)::"memory");
	return to;
}

void *guest_memmove(void *to, const void *from, size_t n)
{
	uint8_t buf[4096];

	guest_memcpy(buf, from, n);
	return guest_memcpy(to, buf, n);
}
