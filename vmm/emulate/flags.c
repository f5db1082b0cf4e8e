// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Arithmetic flags in plain C, conditions, and the instructions that only touch flags
 * (SDM vol. 1, 3.4.3 and appendix B).
 */
#include "internal.h"
#include "handlers.h"

/* SF, ZF and PF of a result. */
uint64_t em_flags_szp(uint64_t val, unsigned int bytes)
{
	uint64_t fl = 0;

	val &= em_mask(bytes);
	if (!val)
		fl |= X86_EFLAGS_ZF;
	if (val & em_sign_bit(bytes))
		fl |= X86_EFLAGS_SF;
	if (!((0x6996U >> ((val ^ val >> 4) & 15)) & 1))
		fl |= X86_EFLAGS_PF;
	return fl;
}

void em_set_flags(struct x86_emul *s, uint64_t mask, uint64_t val)
{
	s->rflags = (s->rflags & ~mask) | (val & mask);
}

/* The sixteen conditions of Jcc, SETcc and CMOVcc. */
bool em_condition(uint64_t rflags, unsigned int cc)
{
	bool sf = rflags & X86_EFLAGS_SF, of = rflags & X86_EFLAGS_OF, zf = rflags & X86_EFLAGS_ZF,
	     r;

	switch ((cc >> 1) & 7) {
	case 0:
		r = of;
		break;
	case 1:
		r = rflags & X86_EFLAGS_CF;
		break;
	case 2:
		r = zf;
		break;
	case 3:
		r = rflags & (X86_EFLAGS_CF | X86_EFLAGS_ZF);
		break;
	case 4:
		r = sf;
		break;
	case 5:
		r = rflags & X86_EFLAGS_PF;
		break;
	case 6:
		r = sf != of;
		break;
	default:
		r = zf || sf != of;
		break;
	}
	return r ^ (cc & 1);
}

int flags_cmc(struct x86_emul *s)
{
	s->rflags ^= X86_EFLAGS_CF;
	return X86EMUL_OKAY;
}

int flags_clc(struct x86_emul *s)
{
	s->rflags &= ~(uint64_t)X86_EFLAGS_CF;
	return X86EMUL_OKAY;
}

int flags_stc(struct x86_emul *s)
{
	s->rflags |= X86_EFLAGS_CF;
	return X86EMUL_OKAY;
}

int flags_cld(struct x86_emul *s)
{
	s->rflags &= ~(uint64_t)X86_EFLAGS_DF;
	return X86EMUL_OKAY;
}

int flags_std(struct x86_emul *s)
{
	s->rflags |= X86_EFLAGS_DF;
	return X86EMUL_OKAY;
}

static unsigned int iopl(const struct x86_emul *s)
{
	return (s->regs->rflags >> 12) & 3;
}

/* CLI and STI (SDM vol. 2): IOPL, and the virtual interrupt flag of CR4.VME and CR4.PVI. */
static int change_if(struct x86_emul *s, bool set)
{
	bool vm86 = s->ctxt->mode == X86_MODE_VM86;
	uint64_t cr4, flag = X86_EFLAGS_IF;
	int rc;

	if (vm86 ? iopl(s) < 3 : s->ctxt->cpl > iopl(s)) {
		if (s->ctxt->cpl != 3)
			return em_gp(s);
		rc = em_cr(s, 4, &cr4);
		if (rc != X86EMUL_OKAY)
			return rc;
		if (!(cr4 & (vm86 ? X86_CR4_VME : X86_CR4_PVI)) ||
		    (set && s->regs->rflags & X86_EFLAGS_VIP))
			return em_gp(s);
		flag = X86_EFLAGS_VIF;
	}
	if (set && flag == X86_EFLAGS_IF && !(s->regs->rflags & X86_EFLAGS_IF))
		s->ctxt->retire.sti = true;
	em_set_flags(s, flag, set ? flag : 0);
	return X86EMUL_OKAY;
}

int flags_cli(struct x86_emul *s)
{
	return change_if(s, false);
}

int flags_sti(struct x86_emul *s)
{
	return change_if(s, true);
}

int flags_lahf(struct x86_emul *s)
{
	uint64_t ah = (s->regs->rflags & (X86_EFLAGS_SF | X86_EFLAGS_ZF | X86_EFLAGS_AF |
					  X86_EFLAGS_PF | X86_EFLAGS_CF)) |
		      X86_EFLAGS_MBS;

	s->defer_bytes = 2;
	s->defer_reg = X86_RAX;
	s->defer_val = (s->regs->gpr[X86_RAX] & 0xff) | ah << 8;
	return X86EMUL_OKAY;
}

int flags_sahf(struct x86_emul *s)
{
	em_set_flags(s,
		     X86_EFLAGS_SF | X86_EFLAGS_ZF | X86_EFLAGS_AF | X86_EFLAGS_PF | X86_EFLAGS_CF,
		     s->regs->gpr[X86_RAX] >> 8);
	return X86EMUL_OKAY;
}

/* SALC, undocumented: AL = CF ? FF : 0. */
int flags_salc(struct x86_emul *s)
{
	s->defer_bytes = 1;
	s->defer_reg = X86_RAX;
	s->defer_val = s->regs->rflags & X86_EFLAGS_CF ? 0xff : 0;
	return X86EMUL_OKAY;
}

int flags_clac(struct x86_emul *s)
{
	if (!(s->ctxt->features & X86_FEAT_SMAP) || s->ctxt->cpl)
		return em_ud(s);
	em_set_flags(s, X86_EFLAGS_AC, (s->insn.rm & 7) == 3 ? X86_EFLAGS_AC : 0);
	return X86EMUL_OKAY;
}

/*
 * PUSHF and POPF. In VM86 with IOPL < 3 they need CR4.VME, 16 bits, and then show and change VIF in
 * the place of IF (SDM vol. 3B 20.3.1).
 */
static int vm86_flags_allowed(struct x86_emul *s, bool *vme)
{
	uint64_t cr4;
	int rc;

	*vme = false;
	if (s->ctxt->mode != X86_MODE_VM86 || iopl(s) == 3)
		return X86EMUL_OKAY;
	rc = em_cr(s, 4, &cr4);
	if (rc != X86EMUL_OKAY)
		return rc;
	if (!(cr4 & X86_CR4_VME) || s->insn.op_bytes != 2)
		return em_gp(s);
	*vme = true;
	return X86EMUL_OKAY;
}

int flags_pushf(struct x86_emul *s)
{
	uint64_t fl = s->regs->rflags & ~(uint64_t)(X86_EFLAGS_VM | X86_EFLAGS_RF);
	bool vme;
	int rc = vm86_flags_allowed(s, &vme);

	if (rc != X86EMUL_OKAY)
		return rc;
	if (vme)
		fl = (fl & ~(uint64_t)X86_EFLAGS_IF) | X86_EFLAGS_IOPL |
		     (fl & X86_EFLAGS_VIF ? X86_EFLAGS_IF : 0);
	return em_push(s, fl, s->insn.op_bytes);
}

/* Which flags POPF and IRET may change at this privilege; SDM vol. 2, POPF, table 4-15. */
uint64_t flags_writable(const struct x86_emul *s, unsigned int bytes)
{
	uint64_t mask = FL_ARITH | X86_EFLAGS_TF | X86_EFLAGS_DF | X86_EFLAGS_NT;

	if (bytes > 2)
		mask |= X86_EFLAGS_AC | X86_EFLAGS_ID;
	if (s->ctxt->cpl <= iopl(s))
		mask |= X86_EFLAGS_IF;
	if (s->ctxt->cpl == 0)
		mask |= X86_EFLAGS_IOPL;
	return mask;
}

int flags_popf(struct x86_emul *s)
{
	uint64_t val, mask = flags_writable(s, s->insn.op_bytes);
	bool vme;
	int rc = vm86_flags_allowed(s, &vme);

	if (rc != X86EMUL_OKAY)
		return rc;
	rc = em_pop(s, &val, s->insn.op_bytes);
	if (rc != X86EMUL_OKAY)
		return rc;
	if (vme) {
		if (val & X86_EFLAGS_TF ||
		    (val & X86_EFLAGS_IF && s->regs->rflags & X86_EFLAGS_VIP))
			return em_gp(s);
		mask = (mask & ~(uint64_t)X86_EFLAGS_IF) | X86_EFLAGS_VIF;
		val = (val & ~(uint64_t)X86_EFLAGS_VIF) |
		      (val & X86_EFLAGS_IF ? X86_EFLAGS_VIF : 0);
	}
	em_set_flags(s, mask, val);
	return X86EMUL_OKAY;
}
