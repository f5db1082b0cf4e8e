// SPDX-License-Identifier: GPL-2.0-or-later
/* A small printf: %s %c %d %u %x %p with l and ll, zero padding and width. */
#include "payload.h"

struct out {
	char *buf;
	size_t size, len;
};

static void put(struct out *o, char c)
{
	if (o->len + 1 < o->size)
		o->buf[o->len] = c;
	o->len++;
}

static void put_number(struct out *o, u64 v, unsigned int base, bool neg, int width, char pad)
{
	char digits[24];
	int n = 0;

	do {
		u64 q = base == 16 ? v >> 4 : div_u64(v, 10);

		digits[n++] = "0123456789abcdef"[v - q * base];
		v = q;
	} while (v);
	if (neg)
		digits[n++] = '-';
	for (; width > n; width--)
		put(o, pad);
	while (n)
		put(o, digits[--n]);
}

static u64 get_number(va_list *ap, int longs, bool is_signed)
{
	if (longs > 1)
		return va_arg(*ap, u64);
	if (longs == 1)
		return is_signed ? (u64)(int64_t)va_arg(*ap, long) : va_arg(*ap, ulong);
	return is_signed ? (u64)(int64_t)va_arg(*ap, int) : va_arg(*ap, unsigned int);
}

static void put_string(struct out *o, const char *s, int width)
{
	for (; *s; s++, width--)
		put(o, *s);
	for (; width > 0; width--)
		put(o, ' ');
}

static const char *put_item(struct out *o, const char *f, va_list *ap)
{
	int width = 0, longs = 0;
	char pad = *f == '0' ? '0' : ' ';
	u64 v;

	if (*f == '-')
		f++;
	for (; *f >= '0' && *f <= '9'; f++)
		width = width * 10 + *f - '0';
	for (; *f == 'l'; f++)
		longs++;
	switch (*f) {
	case 's':
		put_string(o, va_arg(*ap, const char *), width);
		break;
	case 'c':
		put(o, va_arg(*ap, int));
		break;
	case 'd':
		v = get_number(ap, longs, true);
		put_number(o, (int64_t)v < 0 ? -v : v, 10, (int64_t)v < 0, width, pad);
		break;
	case 'u':
		put_number(o, get_number(ap, longs, false), 10, false, width, pad);
		break;
	case 'p':
		put_number(o, (ulong)va_arg(*ap, void *), 16, false, width, pad);
		break;
	case 'x':
		put_number(o, get_number(ap, longs, false), 16, false, width, pad);
		break;
	default:
		put(o, *f);
	}
	return f + 1;
}

int vsnprint(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct out o = { buf, size, 0 };
	va_list copy;

	va_copy(copy, ap);
	while (*fmt) {
		if (*fmt == '%')
			fmt = put_item(&o, fmt + 1, &copy);
		else
			put(&o, *fmt++);
	}
	va_end(copy);
	if (size)
		buf[o.len < size ? o.len : size - 1] = 0;
	return o.len < size ? (int)o.len : (int)size - 1;
}

int snprint(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprint(buf, size, fmt, ap);
	va_end(ap);
	return n;
}

void print(const char *fmt, ...)
{
	char buf[320];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprint(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	console_write(buf, n);
}
