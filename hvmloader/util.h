/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Small helpers without surroundings: strings, formatting, checksums, numbers. Build on the host
 * too.
 */
#ifndef HVMLOADER_UTIL_H
#define HVMLOADER_UTIL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_LEN(a)	 (sizeof(a) / sizeof((a)[0]))
#define ALIGN_UP(x, a)	 (((x) + ((a)-1)) & ~((a)-1))
#define ALIGN_DOWN(x, a) ((x) & ~((a)-1))

void *memcpy(void *dst, const void *src, size_t len);
void *memmove(void *dst, const void *src, size_t len);
void *memset(void *dst, int byte, size_t len);
int memcmp(const void *a, const void *b, size_t len);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);

/* Copies at most size - 1 bytes and always ends dst with a NUL. Returns strlen(src). */
size_t util_strlcpy(char *dst, const char *src, size_t size);

/*
 * Format into buf (always NUL-ended when size > 0). Knows %c %s %d %u %x %p %%, the flags 0 and -,
 * a field width, and the length ll. Returns the length the whole text would have.
 */
int util_vsnprintf(char *buf, size_t size, const char *fmt, va_list ap);
int util_snprintf(char *buf, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The byte that makes the sum of len bytes zero modulo 256. */
uint8_t util_checksum(const void *data, size_t len);

/*
 * Parse an unsigned number, base 10 or (with 0x) 16, that ends at end-of-string or at a character
 * that is no digit. Returns the first character not used; s itself when there is no digit or it
 * overflows.
 */
const char *util_parse_u64(const char *s, uint64_t *value);

/* Whole-string form. Returns false unless s is exactly one number. */
bool util_parse_number(const char *s, uint64_t *value);

/* n / d for a build without a 64-bit division. d must not be 0. */
uint64_t util_div_u64_u32(uint64_t n, uint32_t d);

#endif
