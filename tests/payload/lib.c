// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The few library routines that a freestanding build needs, a page allocator and a random
 * generator.
 */
#include "payload.h"

#define POOL_PAGES 1024
static u8 pool[POOL_PAGES][4096] __attribute__((aligned(4096)));
static unsigned int pool_used, pool_kept;

void *memcpy(void *dst, const void *src, size_t n)
{
	void *d = dst;

	asm volatile("rep movsb" : "+D"(d), "+S"(src), "+c"(n) : : "memory");
	return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
	u8 *d = dst;
	const u8 *s = src;

	if (d <= s || d >= s + n)
		return memcpy(dst, src, n);
	while (n--)
		d[n] = s[n];
	return dst;
}

void *memset(void *dst, int c, size_t n)
{
	void *d = dst;

	asm volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(c) : "memory");
	return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *x = a, *y = b;

	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x < *y ? -1 : 1;
	return 0;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n; n--, a++, b++)
		if (*a != *b || !*a)
			return (u8)*a - (u8)*b;
	return 0;
}

/* n / d by two 64:32 divisions: the 32-bit build has no libgcc. */
u64 div_u64(u64 n, u32 d)
{
	u32 hi = n >> 32, lo = n, qhi, qlo, rem;

	asm("divl %4" : "=a"(qhi), "=d"(rem) : "a"(hi), "d"(0), "rm"(d));
	asm("divl %4" : "=a"(qlo), "=d"(rem) : "a"(lo), "d"(rem), "rm"(d));
	return (u64)qhi << 32 | qlo;
}

void *page_alloc(unsigned int count)
{
	void *p;

	if (count > POOL_PAGES - pool_used) {
		print("# page pool exhausted\n");
		power_off();
	}
	p = pool[pool_used];
	pool_used += count;
	memset(p, 0, count * 4096u);
	return p;
}

void page_reset(void)
{
	pool_used = pool_kept;
}

void page_keep(void)
{
	pool_kept = pool_used;
}

u32 prng(u32 *state)
{
	u32 x = *state ? *state : 0x9e3779b9;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	*state = x;
	return x;
}
