// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Decimal adjust instructions, outside 64-bit code only (SDM vol. 2, the operation sections of AAA,
 * AAD, AAM, AAS, DAA, DAS; vol. 1, 7.3.4). Flags that the SDM leaves undefined are those that CPUs
 * give.
 */
#include "internal.h"
#include "handlers.h"

static uint8_t al(const struct x86_emul *s)
{
	return (uint8_t)s->regs->gpr[X86_RAX];
}

static uint8_t ah(const struct x86_emul *s)
{
	return (uint8_t)(s->regs->gpr[X86_RAX] >> 8);
}

static void set_ax(struct x86_emul *s, unsigned int ax)
{
	em_merge(&s->regs->gpr[X86_RAX], ax & 0xffff, 2);
}

/* DAA adds, DAS subtracts. */
static int decimal_adjust(struct x86_emul *s, bool subtract)
{
	uint8_t old = al(s);
	unsigned int v = old;
	bool old_cf = s->rflags & X86_EFLAGS_CF, cf = old_cf, af = false;

	if ((old & 15) > 9 || s->rflags & X86_EFLAGS_AF) {
		v = subtract ? v - 6 : v + 6;
		af = true;
		if (subtract)
			cf = old_cf || old < 6;
	}
	if (old > 0x99 || old_cf) {
		v = subtract ? v - 0x60 : v + 0x60;
		cf = true;
	} else if (!subtract) {
		cf = false;
	}
	em_merge(&s->regs->gpr[X86_RAX], v & 0xff, 1);
	em_set_flags(s, FL_ARITH,
		     em_flags_szp(v, 1) | (cf ? X86_EFLAGS_CF : 0) | (af ? X86_EFLAGS_AF : 0));
	return X86EMUL_OKAY;
}

int bcd_daa(struct x86_emul *s)
{
	return decimal_adjust(s, false);
}

int bcd_das(struct x86_emul *s)
{
	return decimal_adjust(s, true);
}

static int ascii_adjust(struct x86_emul *s, int direction)
{
	unsigned int ax = s->regs->gpr[X86_RAX] & 0xffff;
	bool adjust = (ax & 15) > 9 || s->rflags & X86_EFLAGS_AF;

	if (adjust)
		ax += direction * 0x106;
	set_ax(s, ax & 0xff0f);
	em_set_flags(s, FL_ARITH,
		     em_flags_szp(ax & 15, 1) | (adjust ? X86_EFLAGS_CF | X86_EFLAGS_AF : 0));
	return X86EMUL_OKAY;
}

int bcd_aaa(struct x86_emul *s)
{
	return ascii_adjust(s, 1);
}

int bcd_aas(struct x86_emul *s)
{
	return ascii_adjust(s, -1);
}

int bcd_aam(struct x86_emul *s)
{
	unsigned int base = s->insn.imm & 0xff, v = al(s);

	if (!base)
		return em_fault(s, X86_EXC_DE, 0);
	set_ax(s, (v / base) << 8 | v % base);
	em_set_flags(s, FL_ARITH, em_flags_szp(v % base, 1));
	return X86EMUL_OKAY;
}

int bcd_aad(struct x86_emul *s)
{
	unsigned int v = (al(s) + ah(s) * (unsigned int)(s->insn.imm & 0xff)) & 0xff;

	set_ax(s, v);
	em_set_flags(s, FL_ARITH, em_flags_szp(v, 1));
	return X86EMUL_OKAY;
}
