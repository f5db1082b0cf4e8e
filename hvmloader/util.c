/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strings, formatting, checksums and numbers. No surroundings: the same source serves the host
 * tests. The mem* and str* functions of C are in string.c, because the host has its own.
 */
#include "util.h"

struct out {
	char *buf;
	size_t size;
	size_t len;
};

struct spec {
	bool left;
	bool zero;
	bool wide;
	unsigned int width;
};

size_t util_strlcpy(char *dst, const char *src, size_t size)
{
	size_t len = strlen(src);

	if (size) {
		size_t n = len < size - 1 ? len : size - 1;

		memcpy(dst, src, n);
		dst[n] = '\0';
	}
	return len;
}

uint8_t util_checksum(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint8_t sum = 0;

	while (len--)
		sum += *p++;
	return (uint8_t)-sum;
}

static void put(struct out *o, char c)
{
	if (o->len + 1 < o->size)
		o->buf[o->len] = c;
	o->len++;
}

static void put_padded(struct out *o, const char *s, size_t len, const struct spec *sp)
{
	size_t pad = sp->width > len ? sp->width - len : 0;

	for (size_t i = 0; !sp->left && i < pad; i++)
		put(o, sp->zero ? '0' : ' ');
	for (size_t i = 0; i < len; i++)
		put(o, s[i]);
	for (size_t i = 0; sp->left && i < pad; i++)
		put(o, ' ');
}

/* Divide by a small base without the 64-bit division that a freestanding 32-bit build lacks. */
static unsigned int div_small(uint64_t *value, unsigned int base)
{
	uint32_t hi = (uint32_t)(*value >> 32), lo = (uint32_t)*value;
	uint32_t q_hi = hi / base, rest = hi % base;
	uint32_t mid = (rest << 16) | (lo >> 16), low;

	rest = mid % base;
	low = (rest << 16) | (lo & 0xffff);
	*value = ((uint64_t)q_hi << 32) | ((uint64_t)(mid / base) << 16) | (low / base);
	return low % base;
}

static void put_number(struct out *o, uint64_t value, unsigned int base, bool negative,
		       const struct spec *sp)
{
	char digits[24];
	size_t pos = sizeof(digits);

	do {
		digits[--pos] = "0123456789abcdef"[div_small(&value, base)];
	} while (value);
	if (negative)
		digits[--pos] = '-';
	put_padded(o, digits + pos, sizeof(digits) - pos, sp);
}

static void put_text(struct out *o, const char *s, const struct spec *sp)
{
	struct spec plain = *sp;

	plain.zero = false;
	put_padded(o, s, strlen(s), &plain);
}

static const char *parse_spec(const char *fmt, struct spec *sp)
{
	*sp = (struct spec){ 0 };
	for (;; fmt++) {
		if (*fmt == '-')
			sp->left = true;
		else if (*fmt == '0')
			sp->zero = true;
		else
			break;
	}
	for (; *fmt >= '0' && *fmt <= '9'; fmt++)
		sp->width = sp->width * 10 + (unsigned int)(*fmt - '0');
	if (fmt[0] == 'l' && fmt[1] == 'l') {
		sp->wide = true;
		fmt += 2;
	}
	return fmt;
}

static void put_signed(struct out *o, int64_t v, const struct spec *sp)
{
	put_number(o, v < 0 ? -(uint64_t)v : (uint64_t)v, 10, v < 0, sp);
}

int util_vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct out o = { .buf = buf, .size = size };
	struct spec sp;
	char c[2] = { 0 };

	for (; *fmt; fmt++) {
		if (*fmt != '%') {
			put(&o, *fmt);
			continue;
		}
		fmt = parse_spec(fmt + 1, &sp);
		switch (*fmt) {
		case 'c':
			c[0] = (char)va_arg(ap, int);
			put_text(&o, c, &sp);
			break;
		case 's':
			put_text(&o, va_arg(ap, const char *), &sp);
			break;
		case 'd':
			put_signed(&o, sp.wide ? va_arg(ap, long long) : va_arg(ap, int), &sp);
			break;
		case 'u':
		case 'x':
			put_number(&o,
				   sp.wide ? va_arg(ap, unsigned long long)
					   : va_arg(ap, unsigned int),
				   *fmt == 'u' ? 10 : 16, false, &sp);
			break;
		case 'p':
			put_number(&o, (uintptr_t)va_arg(ap, void *), 16, false, &sp);
			break;
		case '\0':
			fmt--;
			break;
		default:
			put(&o, *fmt);
			break;
		}
	}
	if (size)
		buf[o.len < size ? o.len : size - 1] = '\0';
	return (int)o.len;
}

int util_snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = util_vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return len;
}

static unsigned int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned int)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned int)(c - 'A') + 10;
	return 255;
}

const char *util_parse_u64(const char *s, uint64_t *value)
{
	unsigned int base = 10;
	const char *p = s, *first;
	uint64_t v = 0;

	if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
		base = 16;
		p += 2;
	}
	for (first = p; digit_of(*p) < base; p++) {
		uint64_t limit = base == 16 ? UINT64_MAX >> 4 : UINT64_C(1844674407370955161);
		unsigned int d = digit_of(*p);

		if (v > limit || (base == 10 && v == limit && d > 5))
			return s;
		v = v * base + d;
	}
	if (p == first)
		return s;
	*value = v;
	return p;
}

bool util_parse_number(const char *s, uint64_t *value)
{
	const char *end = util_parse_u64(s, value);

	return end != s && !*end;
}

uint64_t util_div_u64_u32(uint64_t n, uint32_t d)
{
	uint64_t rest = 0, q = 0;

	for (int bit = 63; bit >= 0; bit--) {
		rest = rest << 1 | ((n >> bit) & 1);
		if (rest >= d) {
			rest -= d;
			q |= UINT64_C(1) << bit;
		}
	}
	return q;
}
