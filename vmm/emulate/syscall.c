// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SYSCALL, SYSRET, SYSENTER and SYSEXIT (SDM vol. 2; APM vol. 3, chapter 3). They load fixed segments without
 * looking at descriptor tables. The vendors differ in the modes: AMD has SYSENTER and SYSEXIT outside long mode
 * only, Intel has SYSCALL and SYSRET in 64-bit code only.
 */
#include "internal.h"
#include "handlers.h"

#define ATTR_CODE 0xa9bU /* 4 GiB of 64-bit code, accessed, P, DPL 0; DB instead of L: 0xc9b */
#define ATTR_DATA 0xc93U
#define ATTR_DPL3 0x060U

/* RFLAGS that SYSRET takes from R11 on Intel (SDM), and does not on AMD (APM). */
#define SYSRET_INTEL 0x003c7fd7U
#define SYSRET_AMD   ((uint64_t)(X86_EFLAGS_RF | X86_EFLAGS_VM))

struct target {
	uint16_t cs, ss;
	bool code64;
	unsigned int cpl;
	uint64_t rip;
};

static bool is_amd(const struct x86_emul *s)
{
	return s->ctxt->vendor == X86_VENDOR_AMD;
}

static int read_msr(struct x86_emul *s, uint32_t msr, uint64_t *val)
{
	return s->ops->read_msr ? s->ops->read_msr(msr, val, s->ctxt) : X86EMUL_UNHANDLEABLE;
}

/* The last that can fail, so that nothing is half done. AMD's SYSRET leaves SS but for the selector. */
static int enter(struct x86_emul *s, const struct target *t, bool keep_ss)
{
	uint16_t dpl = t->cpl ? ATTR_DPL3 : 0;
	struct x86_segment cs = { .sel = t->cs, .limit = ~0U }, ss = { .limit = ~0U };
	int rc = keep_ss ? em_segment(s, X86_SEG_SS, &ss) : X86EMUL_OKAY;

	if (rc != X86EMUL_OKAY)
		return rc;
	if (!s->ops->write_segment)
		return X86EMUL_UNHANDLEABLE;
	cs.attr = (ATTR_CODE & ~X86_ATTR_L) | (t->code64 ? X86_ATTR_L : X86_ATTR_DB) | dpl;
	ss.attr = keep_ss ? (ss.attr & ~ATTR_DPL3) | dpl : ATTR_DATA | dpl;
	ss.sel = t->ss;
	rc = s->ops->write_segment(X86_SEG_CS, &cs, s->ctxt);
	if (rc == X86EMUL_OKAY)
		rc = s->ops->write_segment(X86_SEG_SS, &ss, s->ctxt);
	s->rip = t->rip;
	s->far_code64 = t->code64;
	return rc;
}

/* #UD of SYSCALL and SYSRET: EFER.SCE, the mode, and whose processor it is. */
static int syscall_exists(struct x86_emul *s)
{
	uint64_t efer;
	int rc;

	if (!em_protected(s->ctxt) || (!is_amd(s) && !em_mode64(s->ctxt)))
		return em_ud(s);
	rc = read_msr(s, MSR_EFER, &efer);
	if (rc != X86EMUL_OKAY)
		return rc;
	return efer & X86_EFER_SCE ? X86EMUL_OKAY : em_ud(s);
}

int system_syscall(struct x86_emul *s)
{
	uint64_t star, mask = X86_EFLAGS_IF | X86_EFLAGS_VM, entry, next = s->rip,
		       flags = s->rflags & ~(uint64_t)X86_EFLAGS_RF;
	struct target t = { .code64 = em_long_mode(s->ctxt) };
	int rc = syscall_exists(s);

	if (rc == X86EMUL_OKAY)
		rc = read_msr(s, MSR_STAR, &star);
	if (rc != X86EMUL_OKAY)
		return rc;
	entry = (uint32_t)star;
	if (t.code64) {
		rc = read_msr(s, em_mode64(s->ctxt) ? MSR_LSTAR : MSR_CSTAR, &entry);
		if (rc == X86EMUL_OKAY)
			rc = read_msr(s, MSR_SFMASK, &mask);
		if (rc != X86EMUL_OKAY)
			return rc;
	}
	t.rip = entry;
	t.cs = (star >> 32) & 0xfffc;
	t.ss = t.cs + 8;
	rc = enter(s, &t, false);
	if (rc != X86EMUL_OKAY)
		return rc;
	s->regs->gpr[X86_RCX] = em_mode64(s->ctxt) ? next : (uint32_t)next;
	if (t.code64)
		s->regs->gpr[X86_R11] = flags;
	s->rflags = flags & ~(uint64_t)(uint32_t)mask;
	s->trap_by_new_tf = true;
	return X86EMUL_OKAY;
}

int system_sysret(struct x86_emul *s)
{
	bool wide = em_mode64(s->ctxt) && s->insn.rex & X86_REX_W;
	struct target t = { .cpl = 3, .code64 = wide };
	uint64_t star, r11 = s->regs->gpr[X86_R11];
	int rc = syscall_exists(s);

	if (rc != X86EMUL_OKAY)
		return rc;
	if (s->ctxt->cpl)
		return em_gp(s);
	rc = read_msr(s, MSR_STAR, &star);
	if (rc != X86EMUL_OKAY)
		return rc;
	t.rip = wide ? s->regs->gpr[X86_RCX] : (uint32_t)s->regs->gpr[X86_RCX];
	/* AMD faults at the next fetch, with the privilege of the user. */
	if (!is_amd(s) && !em_canonical(s->ctxt, t.rip))
		return em_gp(s);
	t.cs = (uint16_t)((star >> 48) + (wide ? 16 : 0)) | 3;
	t.ss = (uint16_t)((star >> 48) + 8) | 3;
	rc = enter(s, &t, is_amd(s));
	if (rc != X86EMUL_OKAY)
		return rc;
	if (em_mode64(s->ctxt))
		s->rflags = (is_amd(s) ? r11 & 0x3fffffU & ~SYSRET_AMD : r11 & SYSRET_INTEL) |
			    X86_EFLAGS_MBS;
	else
		s->rflags |= X86_EFLAGS_IF;
	return X86EMUL_OKAY;
}

/* MSR 174 names four segments in a row: kernel code and stack, user code and stack (32 bits, then 64). */
static int sysenter_segments(struct x86_emul *s, uint64_t *cs)
{
	int rc;

	if (is_amd(s) && em_long_mode(s->ctxt))
		return em_ud(s);
	if (!em_protected(s->ctxt) && s->ctxt->mode != X86_MODE_VM86)
		return em_gp(s);
	rc = read_msr(s, MSR_SYSENTER_CS, cs);
	if (rc != X86EMUL_OKAY)
		return rc;
	return *cs & 0xfffc ? X86EMUL_OKAY : em_gp(s);
}

int system_sysenter(struct x86_emul *s)
{
	struct target t = { .code64 = em_long_mode(s->ctxt) };
	uint64_t cs = 0, esp, width = em_mask(t.code64 ? 8 : 4);
	int rc = sysenter_segments(s, &cs);

	if (rc == X86EMUL_OKAY)
		rc = read_msr(s, MSR_SYSENTER_ESP, &esp);
	if (rc == X86EMUL_OKAY)
		rc = read_msr(s, MSR_SYSENTER_EIP, &t.rip);
	if (rc != X86EMUL_OKAY)
		return rc;
	t.rip &= width;
	t.cs = cs & 0xfffc;
	t.ss = t.cs + 8;
	rc = enter(s, &t, false);
	if (rc != X86EMUL_OKAY)
		return rc;
	s->regs->gpr[X86_RSP] = esp & width;
	s->rflags &= ~(uint64_t)(X86_EFLAGS_VM | X86_EFLAGS_IF | X86_EFLAGS_RF);
	return X86EMUL_OKAY;
}

int system_sysexit(struct x86_emul *s)
{
	bool wide = em_mode64(s->ctxt) && s->insn.rex & X86_REX_W;
	struct target t = { .code64 = wide, .cpl = 3 };
	uint64_t cs = 0, width = em_mask(wide ? 8 : 4), rsp = s->regs->gpr[X86_RCX] & width;
	int rc = sysenter_segments(s, &cs);

	if (rc != X86EMUL_OKAY)
		return rc;
	if (s->ctxt->cpl)
		return em_gp(s);
	t.rip = s->regs->gpr[X86_RDX] & width;
	if (wide && !(em_canonical(s->ctxt, t.rip) && em_canonical(s->ctxt, rsp)))
		return em_gp(s);
	t.cs = (uint16_t)((cs & 0xfffc) + (wide ? 32 : 16)) | 3;
	t.ss = (uint16_t)(t.cs + 8);
	rc = enter(s, &t, false);
	if (rc != X86EMUL_OKAY)
		return rc;
	s->regs->gpr[X86_RSP] = rsp;
	return X86EMUL_OKAY;
}
