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
		fl |= FL_ZF;
	if (val & em_sign_bit(bytes))
		fl |= FL_SF;
	if (!((0x6996U >> ((val ^ val >> 4) & 15)) & 1))
		fl |= FL_PF;
	return fl;
}

void em_set_flags(struct x86_emul *s, uint64_t mask, uint64_t val)
{
	s->rflags = (s->rflags & ~mask) | (val & mask);
}

/* The sixteen conditions of Jcc, SETcc and CMOVcc. */
bool em_condition(uint64_t rflags, unsigned int cc)
{
	bool sf = rflags & FL_SF, of = rflags & FL_OF, zf = rflags & FL_ZF, r;

	switch ((cc >> 1) & 7) {
	case 0:
		r = of;
		break;
	case 1:
		r = rflags & FL_CF;
		break;
	case 2:
		r = zf;
		break;
	case 3:
		r = rflags & (FL_CF | FL_ZF);
		break;
	case 4:
		r = sf;
		break;
	case 5:
		r = rflags & FL_PF;
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
	s->rflags ^= FL_CF;
	return X86EMUL_OKAY;
}

int flags_clc(struct x86_emul *s)
{
	s->rflags &= ~(uint64_t)FL_CF;
	return X86EMUL_OKAY;
}

int flags_stc(struct x86_emul *s)
{
	s->rflags |= FL_CF;
	return X86EMUL_OKAY;
}

int flags_cld(struct x86_emul *s)
{
	s->rflags &= ~(uint64_t)FL_DF;
	return X86EMUL_OKAY;
}

int flags_std(struct x86_emul *s)
{
	s->rflags |= FL_DF;
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
	uint64_t cr4, flag = FL_IF;
	int rc;

	if (vm86 ? iopl(s) < 3 : s->ctxt->cpl > iopl(s)) {
		if (s->ctxt->cpl != 3)
			return em_gp(s);
		rc = em_cr(s, 4, &cr4);
		if (rc != X86EMUL_OKAY)
			return rc;
		if (!(cr4 & (vm86 ? CR4_VME : CR4_PVI)) || (set && s->regs->rflags & FL_VIP))
			return em_gp(s);
		flag = FL_VIF;
	}
	if (set && flag == FL_IF && !(s->regs->rflags & FL_IF))
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
	uint64_t ah = (s->regs->rflags & (FL_SF | FL_ZF | FL_AF | FL_PF | FL_CF)) | FL_MBS;

	s->defer_bytes = 2;
	s->defer_reg = X86_RAX;
	s->defer_val = (s->regs->gpr[X86_RAX] & 0xff) | ah << 8;
	return X86EMUL_OKAY;
}

int flags_sahf(struct x86_emul *s)
{
	em_set_flags(s, FL_SF | FL_ZF | FL_AF | FL_PF | FL_CF, s->regs->gpr[X86_RAX] >> 8);
	return X86EMUL_OKAY;
}

/* SALC, undocumented: AL = CF ? FF : 0. */
int flags_salc(struct x86_emul *s)
{
	s->defer_bytes = 1;
	s->defer_reg = X86_RAX;
	s->defer_val = s->regs->rflags & FL_CF ? 0xff : 0;
	return X86EMUL_OKAY;
}

int flags_clac(struct x86_emul *s)
{
	if (!(s->ctxt->features & X86_FEAT_SMAP) || s->ctxt->cpl)
		return em_ud(s);
	em_set_flags(s, FL_AC, (s->insn.rm & 7) == 3 ? FL_AC : 0);
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
	if (!(cr4 & CR4_VME) || s->insn.op_bytes != 2)
		return em_gp(s);
	*vme = true;
	return X86EMUL_OKAY;
}

int flags_pushf(struct x86_emul *s)
{
	uint64_t fl = s->regs->rflags & ~(uint64_t)(FL_VM | FL_RF);
	bool vme;
	int rc = vm86_flags_allowed(s, &vme);

	if (rc != X86EMUL_OKAY)
		return rc;
	if (vme)
		fl = (fl & ~(uint64_t)FL_IF) | FL_IOPL | (fl & FL_VIF ? FL_IF : 0);
	return em_push(s, fl, s->insn.op_bytes);
}

/* Which flags POPF and IRET may change at this privilege; SDM vol. 2, POPF, table 4-15. */
uint64_t flags_writable(const struct x86_emul *s, unsigned int bytes)
{
	uint64_t mask = FL_ARITH | FL_TF | FL_DF | FL_NT;

	if (bytes > 2)
		mask |= FL_AC | FL_ID;
	if (s->ctxt->cpl <= iopl(s))
		mask |= FL_IF;
	if (s->ctxt->cpl == 0)
		mask |= FL_IOPL;
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
		if (val & FL_TF || (val & FL_IF && s->regs->rflags & FL_VIP))
			return em_gp(s);
		mask = (mask & ~(uint64_t)FL_IF) | FL_VIF;
		val = (val & ~(uint64_t)FL_VIF) | (val & FL_IF ? FL_VIF : 0);
	}
	em_set_flags(s, mask, val);
	return X86EMUL_OKAY;
}
