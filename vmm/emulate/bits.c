// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bit test, bit scan, bit count and CRC32. Bit tests with a register offset address a bit string
 * around their memory operand (SDM vol. 2, BT; vol. 1, 3.1.1.9).
 */
#include "internal.h"
#include "handlers.h"

enum bit_action { BIT_TEST, BIT_SET, BIT_RESET, BIT_COMPLEMENT };

/*
 * Finds the operand of a register-offset form, once: the table gives it no destination, because its
 * address depends on the offset.
 */
static int bits_operand(struct x86_emul *s, enum bit_action action)
{
	unsigned int bytes = s->insn.op_bytes, acc = 0;
	int64_t offset = em_sext(s->src.val, bytes);
	uint64_t ea;
	int rc;

	if (s->dst.kind != OPK_NONE)
		return X86EMUL_OKAY;
	s->dst.bytes = bytes;
	if (!s->insn.is_mem) {
		s->dst.kind = OPK_REG;
		s->dst.reg = s->insn.rm;
		s->dst.orig = s->dst.val = em_reg_read(s, s->insn.rm, bytes);
		return X86EMUL_OKAY;
	}
	if (action != BIT_TEST)
		acc = X86_ACC_WRITE | X86_ACC_RMW;
	offset = (offset & -(int64_t)(8 * bytes)) / 8;
	ea = (s->insn.ea + (uint64_t)offset) & em_mask(s->insn.ad_bytes);
	rc = em_linear(s, s->insn.seg, ea, bytes, acc, &s->dst.lin);
	if (rc != X86EMUL_OKAY)
		return rc;
	if (!s->ops->read)
		return X86EMUL_UNHANDLEABLE;
	s->dst.orig = 0;
	rc = s->ops->read(s->dst.lin, &s->dst.orig, bytes, acc, s->ctxt);
	if (rc != X86EMUL_OKAY)
		return rc;
	s->dst.val = s->dst.orig;
	s->dst.kind = OPK_MEM;
	return X86EMUL_OKAY;
}

static int bits_action(struct x86_emul *s, enum bit_action action)
{
	uint64_t bit;
	int rc = bits_operand(s, action);

	if (rc != X86EMUL_OKAY)
		return rc;
	bit = 1ULL << (s->src.val & (8 * s->dst.bytes - 1));
	em_set_flags(s, X86_EFLAGS_CF, s->dst.val & bit ? X86_EFLAGS_CF : 0);
	switch (action) {
	case BIT_TEST:
		break;
	case BIT_SET:
		s->dst.val |= bit;
		break;
	case BIT_RESET:
		s->dst.val &= ~bit;
		break;
	case BIT_COMPLEMENT:
		s->dst.val ^= bit;
		break;
	}
	return X86EMUL_OKAY;
}

int bits_bt(struct x86_emul *s)
{
	return bits_action(s, BIT_TEST);
}

int bits_bts(struct x86_emul *s)
{
	return bits_action(s, BIT_SET);
}

int bits_btr(struct x86_emul *s)
{
	return bits_action(s, BIT_RESET);
}

int bits_btc(struct x86_emul *s)
{
	return bits_action(s, BIT_COMPLEMENT);
}

/* BSF and BSR of 0 leave the whole destination alone (AMD documents it, Intel does it). */
static int scan_result(struct x86_emul *s, unsigned int index)
{
	em_set_flags(s, X86_EFLAGS_ZF, s->src.val ? 0 : X86_EFLAGS_ZF);
	if (s->src.val)
		s->dst.val = index;
	else
		s->dst.kind = OPK_NONE;
	return X86EMUL_OKAY;
}

/* TZCNT and LZCNT: the operand size for 0; CF tells so. */
static int count_result(struct x86_emul *s, unsigned int count)
{
	em_set_flags(s, X86_EFLAGS_CF | X86_EFLAGS_ZF,
		     (s->src.val ? 0 : X86_EFLAGS_CF) | (count ? 0 : X86_EFLAGS_ZF));
	s->dst.val = count;
	return X86EMUL_OKAY;
}

int bits_bsf(struct x86_emul *s)
{
	return scan_result(s, s->src.val ? __builtin_ctzll(s->src.val) : 0);
}

int bits_bsr(struct x86_emul *s)
{
	return scan_result(s, s->src.val ? 63 - __builtin_clzll(s->src.val) : 0);
}

int bits_tzcnt(struct x86_emul *s)
{
	if (!(s->ctxt->features & X86_FEAT_BMI1))
		return bits_bsf(s);
	return count_result(s, s->src.val ? (unsigned int)__builtin_ctzll(s->src.val)
					  : 8U * s->src.bytes);
}

int bits_lzcnt(struct x86_emul *s)
{
	unsigned int bits = 8 * s->src.bytes;

	if (!(s->ctxt->features & X86_FEAT_LZCNT))
		return bits_bsr(s);
	return count_result(s, s->src.val ? __builtin_clzll(s->src.val) - (64 - bits) : bits);
}

int bits_popcnt(struct x86_emul *s)
{
	uint64_t v = s->src.val;
	unsigned int n;

	if (!(s->ctxt->features & X86_FEAT_POPCNT))
		return em_ud(s);
	for (n = 0; v; n++)
		v &= v - 1;
	em_set_flags(s, FL_ARITH, s->src.val ? 0 : X86_EFLAGS_ZF);
	s->dst.val = n;
	return X86EMUL_OKAY;
}

/* CRC32C (polynomial 11EDC6F41h, reflected), one bit at a time: nobody is in a hurry here. */
int bits_crc32(struct x86_emul *s)
{
	uint32_t crc = (uint32_t)s->dst.orig;
	unsigned int i, j;

	if (!(s->ctxt->features & X86_FEAT_SSE42))
		return em_ud(s);
	for (i = 0; i < s->src.bytes; i++) {
		crc ^= (s->src.val >> (8 * i)) & 0xff;
		for (j = 0; j < 8; j++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78U : 0);
	}
	s->dst.val = crc;
	return X86EMUL_OKAY;
}
