// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Shifts and rotates (SDM vol. 2, RCL/RCR/ROL/ROR, SAL/SAR/SHL/SHR, SHLD, SHRD). The count is cut
 * to five bits, six for 64-bit operands; a count of 0 changes no flag. OF is computed for every
 * count, as most CPUs do, though it is defined for 1 only.
 */
#include "internal.h"
#include "handlers.h"

static unsigned int shift_count(const struct x86_emul *s)
{
	return s->src.val & (s->dst.bytes == 8 ? 0x3f : 0x1f);
}

static bool top_bit(uint64_t val, unsigned int bytes)
{
	return val & em_sign_bit(bytes);
}

/* CF and OF of a rotate, which leaves the others alone. */
static int rotated(struct x86_emul *s, uint64_t r, bool cf, bool of)
{
	em_set_flags(s, X86_EFLAGS_CF | X86_EFLAGS_OF,
		     (cf ? X86_EFLAGS_CF : 0) | (of ? X86_EFLAGS_OF : 0));
	s->dst.val = r;
	return X86EMUL_OKAY;
}

static int shifted(struct x86_emul *s, uint64_t r, bool cf, bool of)
{
	em_set_flags(s, FL_ARITH,
		     em_flags_szp(r, s->dst.bytes) | (cf ? X86_EFLAGS_CF : 0) |
			     (of ? X86_EFLAGS_OF : 0));
	s->dst.val = r;
	return X86EMUL_OKAY;
}

int shift_rol(struct x86_emul *s)
{
	unsigned int bits = 8 * s->dst.bytes, n = shift_count(s);
	uint64_t v = s->dst.val;

	if (!n)
		return X86EMUL_OKAY;
	n %= bits;
	if (n)
		v = (v << n | v >> (bits - n)) & em_mask(s->dst.bytes);
	return rotated(s, v, v & 1, top_bit(v, s->dst.bytes) ^ (v & 1));
}

int shift_ror(struct x86_emul *s)
{
	unsigned int bits = 8 * s->dst.bytes, n = shift_count(s);
	uint64_t v = s->dst.val;
	bool top;

	if (!n)
		return X86EMUL_OKAY;
	n %= bits;
	if (n)
		v = (v >> n | v << (bits - n)) & em_mask(s->dst.bytes);
	top = top_bit(v, s->dst.bytes);
	return rotated(s, v, top, top ^ top_bit(v << 1, s->dst.bytes));
}

int shift_rcl(struct x86_emul *s)
{
	unsigned int bits = 8 * s->dst.bytes, n = shift_count(s);
	uint64_t v = s->dst.val;
	bool cf = s->rflags & X86_EFLAGS_CF;

	if (!n)
		return X86EMUL_OKAY;
	for (n %= bits + 1; n; n--) {
		bool out = top_bit(v, s->dst.bytes);

		v = v << 1 | cf;
		cf = out;
	}
	return rotated(s, v, cf, top_bit(v, s->dst.bytes) ^ cf);
}

int shift_rcr(struct x86_emul *s)
{
	unsigned int bits = 8 * s->dst.bytes, n = shift_count(s);
	uint64_t v = s->dst.val;
	bool cf = s->rflags & X86_EFLAGS_CF;

	if (!n)
		return X86EMUL_OKAY;
	for (n %= bits + 1; n; n--) {
		bool out = v & 1;

		v = v >> 1 | (cf ? em_sign_bit(s->dst.bytes) : 0);
		cf = out;
	}
	return rotated(s, v, cf, top_bit(v, s->dst.bytes) ^ top_bit(v << 1, s->dst.bytes));
}

int shift_shl(struct x86_emul *s)
{
	unsigned int bits = 8 * s->dst.bytes, n = shift_count(s);
	uint64_t v = s->dst.val;
	bool cf;

	if (!n)
		return X86EMUL_OKAY;
	cf = n <= bits && (v >> (bits - n)) & 1;
	v = n < bits ? v << n : 0;
	return shifted(s, v, cf, top_bit(v, s->dst.bytes) ^ cf);
}

int shift_shr(struct x86_emul *s)
{
	unsigned int n = shift_count(s);
	uint64_t v = s->dst.val;

	if (!n)
		return X86EMUL_OKAY;
	return shifted(s, v >> n, (v >> (n - 1)) & 1, top_bit(v, s->dst.bytes));
}

int shift_sar(struct x86_emul *s)
{
	unsigned int n = shift_count(s);
	int64_t v = em_sext(s->dst.val, s->dst.bytes);

	if (!n)
		return X86EMUL_OKAY;
	return shifted(s, v >> n, (v >> (n - 1)) & 1, false);
}

/* The count of SHLD and SHRD is the immediate or CL. */
static unsigned int double_count(const struct x86_emul *s)
{
	uint64_t n = s->insn.opcode & 1 ? s->regs->gpr[X86_RCX] : s->insn.imm;

	return n & (s->dst.bytes == 8 ? 0x3f : 0x1f);
}

int shift_shld(struct x86_emul *s)
{
	unsigned int bits = 8 * s->dst.bytes, n = double_count(s);
	uint64_t v = s->dst.val, in = s->src.val, before;

	if (!n)
		return X86EMUL_OKAY;
	if (n > bits) { /* 16 bits, count 17 to 31: undefined; the source is shifted on */
		before = in;
		in = v;
		v = before;
		n -= bits;
	}
	before = v;
	v = n == bits ? in : (v << n | in >> (bits - n)) & em_mask(s->dst.bytes);
	return shifted(s, v, (before >> (bits - n)) & 1, top_bit(v ^ before, s->dst.bytes));
}

int shift_shrd(struct x86_emul *s)
{
	unsigned int bits = 8 * s->dst.bytes, n = double_count(s);
	uint64_t v = s->dst.val, in = s->src.val, before;

	if (!n)
		return X86EMUL_OKAY;
	if (n > bits) {
		before = in;
		in = v;
		v = before;
		n -= bits;
	}
	before = v;
	v = n == bits ? in : (v >> n | in << (bits - n)) & em_mask(s->dst.bytes);
	return shifted(s, v, (before >> (n - 1)) & 1, top_bit(v ^ before, s->dst.bytes));
}
