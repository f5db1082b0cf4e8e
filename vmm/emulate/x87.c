// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * x87 loads and stores, with which old programs copy to the screen: FLD, FST(P), FILD, FIST(P), FISTTP. Numbers are
 * converted and rounded here, on a copy of the unit's state (SDM volume 1, 8.3 to 8.5). FIP and FDP stay.
 */
#include "internal.h"
#include "handlers.h"

#define ONE	 0x8000000000000000ULL /* the integer bit */
#define QUIET	 0x4000000000000000ULL
#define EXP_MAX	 0x7fff
#define EXP_BIAS 16383
#define SIGN	 0x8000

enum exception { IE = 1, DE = 2, OE = 8, UE = 16, PE = 32, EXCEPTIONS = 63 };
enum status { SF = 0x40, ES = 0x80, C1 = 0x200, BUSY = 0x8000 };
enum rounding { NEAREST, DOWN, UP, TRUNCATE };

#define TOP(sw)	     ((sw) >> 11 & 7U)
#define ROUNDING(cw) ((enum rounding)((cw) >> 10 & 3))

struct f80 {
	uint64_t mantissa;
	uint16_t sign_exp;
};

/* Formats in memory; fraction and exponent bits of those with a point. */
struct format {
	uint8_t bytes, fraction, exponent;
};

static const struct format f32 = { 4, 23, 8 }, f64 = { 8, 52, 11 }, f80 = { 10, 63, 15 };
static const struct format i16 = { 2, 0, 0 }, i32 = { 4, 0, 0 }, i64 = { 8, 0, 0 };
static const struct f80 indefinite = { ONE | QUIET, SIGN | EXP_MAX };

/* What a conversion gives besides its result. */
struct outcome {
	uint16_t exceptions;
	bool up; /* rounded away from zero: C1 */
};

static const struct format *format_of(const struct x86_emul *s)
{
	unsigned int reg = s->insn.reg & 7;

	switch (s->insn.opcode) {
	case 0xd9:
		return &f32;
	case 0xdb:
		return reg >= 5 ? &f80 : &i32;
	case 0xdd:
		return reg == 1 ? &i64 : &f64;
	default:
		return reg >= 5 ? &i64 : &i16;
	}
}

static int begin(struct x86_emul *s, struct x86_x87 *x)
{
	uint64_t cr0;
	int rc = em_cr(s, 0, &cr0);

	if (rc != X86EMUL_OKAY)
		return rc;
	if (cr0 & (X86_CR0_EM | X86_CR0_TS))
		return em_fault(s, X86_EXC_NM, 0);
	if (!s->ops->read_x87)
		return X86EMUL_UNHANDLEABLE;
	rc = s->ops->read_x87(x, s->ctxt);
	if (rc != X86EMUL_OKAY)
		return rc;
	if (x->sw & ES) /* without CR0.NE it would be interrupt 13 */
		return cr0 & X86_CR0_NE ? em_fault(s, X86_EXC_MF, 0) : X86EMUL_UNHANDLEABLE;
	x->sw &= (uint16_t)~C1;
	return X86EMUL_OKAY;
}

static int end(struct x86_emul *s, const struct x86_x87 *x)
{
	return s->ops->write_x87(x, s->ctxt);
}

/* Notes them; true when one of these is not masked. */
static bool note(struct x86_x87 *x, unsigned int bits, unsigned int of)
{
	x->sw |= (uint16_t)bits;
	if (bits & ~x->cw & EXCEPTIONS)
		x->sw |= ES | BUSY;
	return bits & ~x->cw & of;
}

static bool filled(const struct x86_x87 *x, unsigned int physical)
{
	return x->tags >> (physical & 7) & 1;
}

static void push(struct x86_x87 *x, struct f80 v)
{
	unsigned int top = (TOP(x->sw) - 1) & 7;

	__builtin_memmove(x->st[1], x->st[0], 7 * sizeof(x->st[0]));
	em_zero(x->st[0], sizeof(x->st[0]));
	em_copy(x->st[0], &v.mantissa, 8);
	em_copy(x->st[0] + 8, &v.sign_exp, 2);
	x->sw = (uint16_t)((x->sw & ~0x3800U) | top << 11);
	x->tags |= (uint8_t)(1U << top);
}

static void pop(struct x86_x87 *x)
{
	uint8_t first[16];
	unsigned int top = TOP(x->sw);

	em_copy(first, x->st[0], 16);
	__builtin_memmove(x->st[0], x->st[1], 7 * sizeof(x->st[0]));
	em_copy(x->st[7], first, 16);
	x->tags &= (uint8_t) ~(1U << top);
	x->sw = (uint16_t)((x->sw & ~0x3800U) | ((top + 1) & 7) << 11);
}

/* --- loads --- */

static struct f80 from_integer(uint64_t raw, unsigned int bytes)
{
	int64_t v = em_sext(raw, bytes);
	uint64_t size = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	unsigned int zeros;

	if (!size)
		return (struct f80){ 0, 0 };
	zeros = (unsigned int)__builtin_clzll(size);
	return (struct f80){ size << zeros,
			     (uint16_t)((v < 0 ? SIGN : 0) | (EXP_BIAS + 63 - zeros)) };
}

/* Exact; a signalling NaN becomes quiet, and a denormal number normal. */
static struct f80 widen(uint64_t raw, const struct format *f, struct outcome *o)
{
	unsigned int top = (1U << f->exponent) - 1, exp = (unsigned int)(raw >> f->fraction) & top,
		     zeros;
	uint64_t fraction = (raw & ((1ULL << f->fraction) - 1)) << (63 - f->fraction);
	uint16_t sign = raw >> (f->fraction + f->exponent) & 1 ? SIGN : 0;

	if (exp == top) {
		if (fraction && !(fraction & QUIET))
			o->exceptions |= IE;
		return (struct f80){ ONE | fraction | (fraction ? QUIET : 0), sign | EXP_MAX };
	}
	if (exp)
		return (struct f80){ ONE | fraction,
				     (uint16_t)(sign | (exp + EXP_BIAS - top / 2)) };
	if (!fraction)
		return (struct f80){ 0, sign };
	o->exceptions |= DE;
	zeros = (unsigned int)__builtin_clzll(fraction);
	return (struct f80){ fraction << zeros,
			     (uint16_t)(sign | (1 + EXP_BIAS - top / 2 - zeros)) };
}

int x87_load(struct x86_emul *s)
{
	const struct format *f = format_of(s);
	struct outcome o = { 0 };
	struct x86_x87 x = { 0 };
	uint8_t raw[16] = { 0 };
	struct f80 v;
	uint64_t low;
	int rc = begin(s, &x);

	if (rc == X86EMUL_OKAY)
		rc = em_read(s, s->insn.seg, s->insn.ea, raw, f->bytes, 0);
	if (rc != X86EMUL_OKAY)
		return rc;
	em_copy(&low, raw, 8);
	if (!f->exponent)
		v = from_integer(low, f->bytes);
	else if (f->bytes < 10)
		v = widen(low, f, &o);
	else
		v = (struct f80){ low, (uint16_t)(raw[8] | raw[9] << 8) };
	if (filled(&x, TOP(x.sw) - 1)) {
		v = indefinite;
		o.exceptions = IE | SF | C1;
	}
	if (!note(&x, o.exceptions, IE)) /* a denormal number comes in all the same */
		push(&x, v);
	return end(s, &x);
}

/* --- stores --- */

/* mantissa / 2^shift as an integer. */
static uint64_t round_off(uint64_t mantissa, unsigned int shift, bool negative, enum rounding how,
			  struct outcome *o)
{
	uint64_t kept = shift > 63 ? 0 : mantissa >> shift, rest, half;

	if (!shift)
		return mantissa;
	rest = shift > 63 ? mantissa : mantissa & ((1ULL << shift) - 1);
	half = shift > 64 ? ~0ULL : 1ULL << (shift - 1); /* beyond 64 the rest is below a half */
	if (!rest)
		return kept;
	o->exceptions |= PE;
	o->up = how == NEAREST ? shift <= 64 && (rest > half || (rest == half && kept & 1))
			       : how == (negative ? DOWN : UP);
	return kept + o->up;
}

static bool is_number(struct f80 v)
{
	unsigned int exp = v.sign_exp & EXP_MAX;

	return exp != EXP_MAX && (!exp || v.mantissa & ONE);
}

static uint64_t to_integer(struct f80 v, unsigned int bytes, enum rounding how, struct outcome *o)
{
	int exp = (v.sign_exp & EXP_MAX) - EXP_BIAS;
	bool negative = v.sign_exp & SIGN;
	uint64_t limit = 1ULL << (8 * bytes - 1), size;

	if (is_number(v) && exp <= 63) {
		size = round_off(v.mantissa, exp < -2 ? 66 : (unsigned int)(63 - exp), negative,
				 how, o);
		if (size < limit || (negative && size == limit))
			return negative ? 0 - size : size;
	}
	*o = (struct outcome){ .exceptions = IE };
	return limit;
}

/* Infinity, or the largest number where that is nearer to zero. */
static uint64_t too_large(const struct format *f, bool negative, enum rounding how,
			  struct outcome *o)
{
	uint64_t infinity = ((1ULL << f->exponent) - 1) << f->fraction;

	o->exceptions |= OE | PE;
	o->up = how == NEAREST || how == (negative ? DOWN : UP);
	return o->up ? infinity : infinity - 1;
}

/* A number that is not zero. */
static uint64_t narrow_number(struct f80 v, const struct format *f, enum rounding how,
			      struct outcome *o)
{
	unsigned int exp = v.sign_exp & EXP_MAX, zeros = (unsigned int)__builtin_clzll(v.mantissa);
	int bias = (1 << (f->exponent - 1)) - 1,
	    power = (int)(exp ? exp : 1) - EXP_BIAS - (int)zeros;
	uint64_t mantissa = v.mantissa << zeros, one = 1ULL << f->fraction, kept;
	bool negative = v.sign_exp & SIGN, tiny;
	unsigned int drop = 63 - f->fraction;
	struct outcome wide = { 0 };

	/* Tiny is what would be so with an exponent without end. */
	kept = round_off(mantissa, drop, negative, how, &wide);
	tiny = power + (kept == one * 2) < 1 - bias;
	if (power < 1 - bias) {
		kept = round_off(mantissa,
				 power < 1 - bias - 64 ? 66
						       : drop + (unsigned int)(1 - bias - power),
				 negative, how, o);
		if (tiny)
			o->exceptions |= UE;
		return kept;
	}
	if (power > bias)
		return too_large(f, negative, how, o);
	*o = wide;
	kept += (uint64_t)(power + bias) * one - one;
	if (kept >> f->fraction >= (1ULL << f->exponent) - 1)
		return too_large(f, negative, how, o);
	return kept;
}

static uint64_t narrow(struct f80 v, const struct format *f, enum rounding how, struct outcome *o)
{
	uint64_t infinity = ((1ULL << f->exponent) - 1) << f->fraction,
		 quiet = 1ULL << (f->fraction - 1), raw;
	uint64_t sign = (uint64_t)(v.sign_exp >> 15) << (f->fraction + f->exponent);

	if (is_number(v)) {
		raw = v.mantissa ? narrow_number(v, f, how, o) : 0;
	} else if (!(v.mantissa & ONE)) { /* no format of today */
		o->exceptions |= IE;
		return infinity | quiet | 1ULL << (f->fraction + f->exponent);
	} else if (v.mantissa == ONE) {
		raw = infinity;
	} else {
		if (!(v.mantissa & QUIET))
			o->exceptions |= IE;
		raw = infinity | quiet | (v.mantissa << 1 >> (64 - f->fraction));
	}
	return raw | sign;
}

static void convert(const struct x86_emul *s, const struct x86_x87 *x, const struct format *f,
		    uint8_t *raw, struct outcome *o)
{
	enum rounding how = (s->insn.reg & 7) == 1 ? TRUNCATE : ROUNDING(x->cw);
	struct f80 v = indefinite;
	uint64_t low;

	if (filled(x, TOP(x->sw))) {
		em_copy(&v.mantissa, x->st[0], 8);
		em_copy(&v.sign_exp, x->st[0] + 8, 2);
	}
	low = f->bytes == 10 ? v.mantissa
	      : f->exponent  ? narrow(v, f, how, o)
			     : to_integer(v, f->bytes, how, o);
	em_copy(raw, &low, 8);
	em_copy(raw + 8, &v.sign_exp, 2);
	if (!filled(x, TOP(x->sw)))
		*o = (struct outcome){ .exceptions = IE | SF };
}

/* What is tiny is no exception that is masked, unless it is inexact. */
static void settle(const struct x86_x87 *x, struct outcome *o)
{
	if (o->exceptions & UE && x->cw & UE && !(o->exceptions & PE))
		o->exceptions &= (uint16_t)~UE;
	if (o->exceptions & (OE | UE) & ~x->cw) { /* no result is stored */
		o->exceptions &= (uint16_t)~PE;
		o->up = false;
	}
}

int x87_store(struct x86_emul *s)
{
	const struct format *f = format_of(s);
	struct outcome o = { 0 };
	struct x86_x87 x = { 0 };
	uint8_t raw[16];
	uint64_t lin;
	int rc = begin(s, &x);

	if (rc != X86EMUL_OKAY)
		return rc;
	convert(s, &x, f, raw, &o);
	settle(&x, &o);
	if (o.exceptions & ~x.cw &
	    (IE | OE | UE)) /* nothing is stored, at an address that could be */
		rc = em_linear(s, s->insn.seg, s->insn.ea, f->bytes, X86_ACC_WRITE, &lin);
	else
		rc = em_write(s, s->insn.seg, s->insn.ea, raw, f->bytes, 0);
	if (rc != X86EMUL_OKAY)
		return rc;
	if (o.up)
		x.sw |= C1;
	if (!note(&x, o.exceptions, IE | OE | UE) && s->insn.reg & 1)
		pop(&x);
	return end(s, &x);
}
