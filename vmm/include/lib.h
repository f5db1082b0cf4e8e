/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The freestanding library: memory and string functions, formatted output, the console log, and the
 * ways to stop. Errors are negative values of <xen/errno.h> (XEN_E*), written here without prefix.
 */
#ifndef PLINTH_LIB_H
#define PLINTH_LIB_H

#include <stdarg.h>
#include "types.h"

#define EPERM	   1
#define ENOENT	   2
#define ESRCH	   3
#define EINTR	   4
#define EIO	   5
#define ENXIO	   6
#define E2BIG	   7
#define EAGAIN	   11
#define ENOMEM	   12
#define EACCES	   13
#define EFAULT	   14
#define EBUSY	   16
#define EEXIST	   17
#define EXDEV	   18
#define ENODEV	   19
#define EINVAL	   22
#define ENOSPC	   28
#define ERANGE	   34
#define ENOSYS	   38
#define ENODATA	   61
#define EBADF	   9
#define EOVERFLOW  75
#define EILSEQ	   84
#define ERESTART   85
#define EOPNOTSUPP 95
#define ENOBUFS	   105
#define EADDRINUSE 98
#define EISCONN	   106
#define ENOTCONN   107

/* As in C11, 7.24. */
void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
void *memchr(const void *s, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t n);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strstr(const char *hay, const char *needle);
/* Copies at most size - 1 bytes and always terminates; returns strlen(src). */
size_t strlcpy(char *dst, const char *src, size_t size);
/* Likewise, behind what dst holds; returns the length that the whole would have. */
size_t strlcat(char *dst, const char *src, size_t size);
/* Accepts 0x, 0 and decimal; *end is set past the number. */
uint64_t strtoull(const char *s, const char **end, unsigned int base);

/* %d %u %x %lu %lx %llu %s %c %p %% with width, zero padding, '-', '#', precision for strings. */
int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap) __printf(3, 0);
int snprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);

/* The log (log.h). Any context. printk levels prefix the text as in Linux. */
#define LOG_ERR	  "<0>"
#define LOG_WARN  "<1>"
#define LOG_INFO  "<2>"
#define LOG_DEBUG "<3>"
void printk(const char *fmt, ...) __printf(1, 2);

/* The host cannot go on: message, registers, backtrace, then stop or reboot. */
void panic(const char *fmt, ...) __printf(1, 2) __noreturn;

#define BUG_ON(cond)                                                          \
	do {                                                                  \
		if (unlikely(cond))                                           \
			panic("BUG at %s:%d: %s", __FILE__, __LINE__, #cond); \
	} while (0)
#define ASSERT(cond) BUG_ON(!(cond))

/* Logs once per call site. */
#define printk_once(...)                         \
	do {                                     \
		static bool _said;               \
		if (!READ_ONCE(_said)) {         \
			WRITE_ONCE(_said, true); \
			printk(__VA_ARGS__);     \
		}                                \
	} while (0)

static inline unsigned int fls64(uint64_t v)
{
	return v ? 64 - __builtin_clzll(v) : 0;
}
static inline unsigned int ffs64(uint64_t v)
{
	return v ? __builtin_ctzll(v) + 1 : 0;
}

static inline bool test_bit(unsigned int n, const void *map)
{
	return (((const volatile uint8_t *)map)[n >> 3] >> (n & 7)) & 1;
}

/* Atomic, any memory that x86 can lock; return the old value. */
static inline bool test_and_set_bit(unsigned int n, void *map)
{
	uint32_t *w = (uint32_t *)map + n / 32;

	return (__atomic_fetch_or(w, 1U << (n % 32), __ATOMIC_SEQ_CST) >> (n % 32)) & 1;
}

static inline bool test_and_clear_bit(unsigned int n, void *map)
{
	uint32_t *w = (uint32_t *)map + n / 32;

	return (__atomic_fetch_and(w, ~(1U << (n % 32)), __ATOMIC_SEQ_CST) >> (n % 32)) & 1;
}

static inline void set_bit(unsigned int n, void *map)
{
	(void)test_and_set_bit(n, map);
}
static inline void clear_bit(unsigned int n, void *map)
{
	(void)test_and_clear_bit(n, map);
}

/* (a * b) >> 32 without losing the high half; for TSC and timer scaling. */
static inline uint64_t mul_shift32(uint64_t a, uint32_t b)
{
	return (uint64_t)(((unsigned __int128)a * b) >> 32);
}

/* a * b / c. The caller answers for a quotient below 2^64: a larger one is a fault of the host (#DE). */
static inline uint64_t muldiv64(uint64_t a, uint64_t b, uint64_t c)
{
	unsigned __int128 p = (unsigned __int128)a * b;
	uint64_t q, r;

	__asm__("divq %4"
		: "=a"(q), "=d"(r)
		: "0"((uint64_t)p), "1"((uint64_t)(p >> 64)), "rm"(c)
		: "cc");
	return q;
}

#endif
