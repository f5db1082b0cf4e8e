/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The functions of C's string.h that a freestanding build must bring itself (the compiler emits
 * calls to the first four).
 */
#include "util.h"

void *memcpy(void *dst, const void *src, size_t len)
{
	void *ret = dst;

	asm volatile("rep movsb" : "+D"(dst), "+S"(src), "+c"(len) : : "memory");
	return ret;
}

void *memmove(void *dst, const void *src, size_t len)
{
	char *d = (char *)dst + len - 1;
	const char *s = (const char *)src + len - 1;

	if ((uintptr_t)dst - (uintptr_t)src >= len)
		return memcpy(dst, src, len);
	asm volatile("std; rep movsb; cld" : "+D"(d), "+S"(s), "+c"(len) : : "memory");
	return dst;
}

void *memset(void *dst, int byte, size_t len)
{
	void *ret = dst;

	asm volatile("rep stosb" : "+D"(dst), "+c"(len) : "a"(byte) : "memory");
	return ret;
}

int memcmp(const void *a, const void *b, size_t len)
{
	const uint8_t *p = a, *q = b;

	for (; len; len--, p++, q++)
		if (*p != *q)
			return *p - *q;
	return 0;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (uint8_t)*a - (uint8_t)*b;
}
