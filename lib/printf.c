/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Formatted output: the subset of ISO C's printf that lib.h names. Returns the length that the
 * whole text would have, as ISO C says, and always terminates a buffer of at least one byte.
 */
#include "lib.h"

struct out {
	char *buf;
	size_t size;
	size_t len; /* characters produced, stored or not */
};

struct spec {
	bool left, zero, alt, plus, space;
	unsigned int width;
	int precision; /* -1 = none */
	unsigned int longs;
	bool is_size;
};

static void put(struct out *o, char c)
{
	if (o->len + 1 < o->size)
		o->buf[o->len] = c;
	o->len++;
}

static void pad(struct out *o, char c, unsigned int n)
{
	while (n--)
		put(o, c);
}

/* prefix (sign or 0x), then zeros, then digits, within the field's width. */
static void put_field(struct out *o, const struct spec *s, const char *prefix, unsigned int zeros,
		      const char *body, unsigned int body_len)
{
	unsigned int total = (unsigned int)strlen(prefix) + zeros + body_len;
	unsigned int fill = s->width > total ? s->width - total : 0;

	if (!s->left)
		pad(o, ' ', fill);
	while (*prefix)
		put(o, *prefix++);
	pad(o, '0', zeros);
	while (body_len--)
		put(o, *body++);
	if (s->left)
		pad(o, ' ', fill);
}

static void put_number(struct out *o, const struct spec *s, uint64_t v, unsigned int base,
		       const char *prefix, bool upper)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	unsigned int zeros = 0, used;
	char tmp[24], *p = tmp + sizeof(tmp);

	if (v == 0 && s->precision != 0)
		*--p = '0';
	for (; v; v /= base)
		*--p = digits[v % base];
	used = (unsigned int)(tmp + sizeof(tmp) - p);
	if (s->precision > (int)used)
		zeros = (unsigned int)s->precision - used;
	else if (s->precision < 0 && s->zero && !s->left && s->width > used + strlen(prefix))
		zeros = s->width - used - (unsigned int)strlen(prefix);
	put_field(o, s, prefix, zeros, p, used);
}

static void put_string(struct out *o, const struct spec *s, const char *str)
{
	size_t len;

	if (!str)
		str = "(null)";
	len = s->precision >= 0 ? strnlen(str, (size_t)s->precision) : strlen(str);
	put_field(o, s, "", 0, str, (unsigned int)len);
}

static unsigned int parse_number(const char **fmt, va_list *ap, bool *negative)
{
	unsigned int n = 0;
	int arg;

	*negative = false;
	if (**fmt == '*') {
		(*fmt)++;
		arg = va_arg(*ap, int);
		*negative = arg < 0;
		return *negative ? 0U - (unsigned int)arg : (unsigned int)arg;
	}
	while (**fmt >= '0' && **fmt <= '9')
		n = n * 10 + (unsigned int)(*(*fmt)++ - '0');
	return n;
}

static void parse_spec(const char **fmt, va_list *ap, struct spec *s)
{
	bool negative, flags = true;

	memset(s, 0, sizeof(*s));
	s->precision = -1;
	while (flags) {
		switch (**fmt) {
		case '-':
			s->left = true;
			break;
		case '0':
			s->zero = true;
			break;
		case '#':
			s->alt = true;
			break;
		case '+':
			s->plus = true;
			break;
		case ' ':
			s->space = true;
			break;
		default:
			flags = false;
			continue;
		}
		(*fmt)++;
	}
	s->width = parse_number(fmt, ap, &negative);
	s->left |= negative;
	if (**fmt == '.') {
		(*fmt)++;
		s->precision = (int)parse_number(fmt, ap, &negative);
		if (negative)
			s->precision = -1;
	}
	for (; **fmt == 'l' || **fmt == 'h' || **fmt == 'z'; (*fmt)++) {
		s->longs += **fmt == 'l';
		s->is_size |= **fmt == 'z';
	}
}

static uint64_t arg_unsigned(const struct spec *s, va_list *ap)
{
	return s->longs || s->is_size ? va_arg(*ap, unsigned long) : va_arg(*ap, unsigned int);
}

static void put_signed(struct out *o, const struct spec *s, va_list *ap)
{
	int64_t v = s->longs || s->is_size ? va_arg(*ap, long) : va_arg(*ap, int);
	const char *sign = v < 0 ? "-" : s->plus ? "+" : s->space ? " " : "";

	put_number(o, s, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, 10, sign, false);
}

static void put_conversion(struct out *o, struct spec *s, char conv, va_list *ap)
{
	uint64_t v;
	char c;

	switch (conv) {
	case 'd':
	case 'i':
		put_signed(o, s, ap);
		break;
	case 'u':
		put_number(o, s, arg_unsigned(s, ap), 10, "", false);
		break;
	case 'o':
		put_number(o, s, arg_unsigned(s, ap), 8, "", false);
		break;
	case 'x':
	case 'X':
		v = arg_unsigned(s, ap);
		put_number(o, s, v, 16, s->alt && v ? (conv == 'x' ? "0x" : "0X") : "",
			   conv == 'X');
		break;
	case 'p':
		s->precision = 16;
		put_number(o, s, (uint64_t)va_arg(*ap, void *), 16, "", false);
		break;
	case 'c':
		c = (char)va_arg(*ap, int);
		put_field(o, s, "", 0, &c, 1);
		break;
	case 's':
		put_string(o, s, va_arg(*ap, const char *));
		break;
	case '%':
		put(o, '%');
		break;
	default:
		put(o, '%');
		put(o, conv);
		break;
	}
}

int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct out o = { .buf = buf, .size = size };
	struct spec s;
	va_list args;

	va_copy(args, ap);
	while (*fmt) {
		if (*fmt != '%') {
			put(&o, *fmt++);
			continue;
		}
		fmt++;
		parse_spec(&fmt, &args, &s);
		if (!*fmt)
			break;
		put_conversion(&o, &s, *fmt++, &args);
	}
	va_end(args);
	if (size)
		buf[o.len < size ? o.len : size - 1] = '\0';
	return (int)o.len;
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}
