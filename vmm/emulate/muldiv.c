// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Multiplication and division (SDM vol. 2, MUL, IMUL, DIV, IDIV). Division of 128 by 64 bits is
 * done by hand: the compiler would call a library that a freestanding image does not have.
 */
#include "internal.h"
#include "handlers.h"

/* Writes a double-width result to AX, or rDX:rAX. Nothing can fail any more. */
static void write_pair(struct x86_emul *s, uint64_t lo, uint64_t hi, unsigned int bytes)
{
	uint64_t *gpr = s->regs->gpr;

	if (bytes == 1) {
		em_merge(&gpr[X86_RAX], (lo & 0xff) | (hi & 0xff) << 8, 2);
		return;
	}
	em_merge(&gpr[X86_RAX], lo, bytes);
	em_merge(&gpr[X86_RDX], hi, bytes);
}

static void read_pair(const struct x86_emul *s, uint64_t *lo, uint64_t *hi, unsigned int bytes)
{
	const uint64_t *gpr = s->regs->gpr;

	*lo = gpr[X86_RAX] & em_mask(bytes);
	*hi = (bytes == 1 ? gpr[X86_RAX] >> 8 : gpr[X86_RDX]) & em_mask(bytes);
}

/* CF and OF tell whether the upper half matters; SF, ZF, AF, PF are undefined. */
static void multiply_flags(struct x86_emul *s, bool significant, uint64_t lo, unsigned int bytes)
{
	em_set_flags(s, FL_ARITH,
		     em_flags_szp(lo, bytes) | (significant ? X86_EFLAGS_CF | X86_EFLAGS_OF : 0));
}

int muldiv_mul(struct x86_emul *s)
{
	unsigned int bytes = s->src.bytes, bits = 8 * bytes;
	unsigned __int128 p =
		(unsigned __int128)(s->regs->gpr[X86_RAX] & em_mask(bytes)) * s->src.val;
	uint64_t hi = (uint64_t)(p >> bits) & em_mask(bytes);

	write_pair(s, (uint64_t)p, hi, bytes);
	multiply_flags(s, hi != 0, (uint64_t)p, bytes);
	return X86EMUL_OKAY;
}

int muldiv_imul(struct x86_emul *s)
{
	unsigned int bytes = s->src.bytes, bits = 8 * bytes;
	__int128 p = (__int128)em_sext(s->regs->gpr[X86_RAX], bytes) * em_sext(s->src.val, bytes);

	write_pair(s, (uint64_t)p, (uint64_t)(p >> bits), bytes);
	multiply_flags(s, p != em_sext((uint64_t)p, bytes), (uint64_t)p, bytes);
	return X86EMUL_OKAY;
}

static int imul_to(struct x86_emul *s, uint64_t a, uint64_t b)
{
	unsigned int bytes = s->dst.bytes;
	__int128 p = (__int128)em_sext(a, bytes) * em_sext(b, bytes);

	s->dst.val = (uint64_t)p;
	multiply_flags(s, p != em_sext((uint64_t)p, bytes), (uint64_t)p, bytes);
	return X86EMUL_OKAY;
}

int muldiv_imul2(struct x86_emul *s)
{
	return imul_to(s, s->dst.orig, s->src.val);
}

int muldiv_imul3(struct x86_emul *s)
{
	return imul_to(s, s->src.val, s->insn.imm);
}

/* hi:lo / d, d > hi: quotient and remainder of 64 bits, one bit at a time. */
static uint64_t divide128(uint64_t hi, uint64_t lo, uint64_t d, uint64_t *rem)
{
	unsigned int i;

	if (!hi) {
		*rem = lo % d;
		return lo / d;
	}
	for (i = 0; i < 64; i++) {
		bool carry = hi >> 63;

		hi = hi << 1 | lo >> 63;
		lo <<= 1;
		if (carry || hi >= d) {
			hi -= d;
			lo |= 1;
		}
	}
	*rem = hi;
	return lo;
}

static int divide_error(struct x86_emul *s)
{
	return em_fault(s, X86_EXC_DE, 0);
}

int muldiv_div(struct x86_emul *s)
{
	unsigned int bytes = s->src.bytes, bits = 8 * bytes;
	uint64_t lo, hi, q, r, d = s->src.val;

	read_pair(s, &lo, &hi, bytes);
	if (hi >= d) /* also d = 0 */
		return divide_error(s);
	if (bits < 64)
		q = divide128(0, hi << bits | lo, d, &r);
	else
		q = divide128(hi, lo, d, &r);
	write_pair(s, q, r, bytes);
	return X86EMUL_OKAY;
}

int muldiv_idiv(struct x86_emul *s)
{
	unsigned int bytes = s->src.bytes, bits = 8 * bytes;
	bool neg_d = s->src.val & em_sign_bit(bytes), neg_n;
	uint64_t lo, hi, q, r, d, limit;
	unsigned __int128 n;

	read_pair(s, &lo, &hi, bytes);
	neg_n = hi & em_sign_bit(bytes);
	n = (unsigned __int128)(uint64_t)em_sext(hi, bytes) << bits | lo;
	if (bits < 64)
		n |= (unsigned __int128)(neg_n ? ~0ULL : 0) << 64;
	n = neg_n ? -n : n;
	d = neg_d ? -(uint64_t)em_sext(s->src.val, bytes) : s->src.val;
	if (!d || (uint64_t)(n >> 64) >= d)
		return divide_error(s);
	q = divide128((uint64_t)(n >> 64), (uint64_t)n, d, &r);
	limit = em_sign_bit(bytes) - (neg_n == neg_d);
	if (q > limit)
		return divide_error(s);
	write_pair(s, neg_n == neg_d ? q : -q, neg_n ? -r : r, bytes);
	return X86EMUL_OKAY;
}
