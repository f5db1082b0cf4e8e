// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * System instructions: control and debug registers, MSRs, descriptor table registers, CPUID, time
 * stamp, cache and TLB control, HLT (SDM vol. 2, operation sections). Whether a value is acceptable
 * is decided by the callbacks, which own the registers.
 */
#include "internal.h"
#include "handlers.h"

/* MOV CR: the operand is 64 bits in 64-bit code, else 32; the register numbers that exist. */
static int cr_number(struct x86_emul *s, unsigned int *cr)
{
	*cr = s->insn.reg;
	if (s->insn.prefixes & X86_PFX_LOCK) {
		if (s->ctxt->vendor != X86_VENDOR_AMD || *cr ||
		    !(s->ctxt->features & X86_FEAT_CR8_LEGACY))
			return em_ud(s);
		*cr = 8;
	}
	if (*cr > 8 || !((1U << *cr) & 0x11d)) /* 0, 2, 3, 4, 8 */
		return em_ud(s);
	return s->ctxt->cpl ? em_gp(s) : X86EMUL_OKAY;
}

int system_mov_from_cr(struct x86_emul *s)
{
	unsigned int cr;
	int rc = cr_number(s, &cr);

	if (rc != X86EMUL_OKAY)
		return rc;
	s->defer_bytes = em_mode64(s->ctxt) ? 8 : 4;
	s->defer_reg = s->insn.rm;
	return em_cr(s, cr, &s->defer_val);
}

static int write_cr(struct x86_emul *s, unsigned int cr, uint64_t val)
{
	return s->ops->write_cr ? s->ops->write_cr(cr, val, s->ctxt) : X86EMUL_UNHANDLEABLE;
}

int system_mov_to_cr(struct x86_emul *s)
{
	unsigned int cr;
	int rc = cr_number(s, &cr);

	if (rc != X86EMUL_OKAY)
		return rc;
	return write_cr(s, cr, em_reg_read(s, s->insn.rm, em_mode64(s->ctxt) ? 8 : 4));
}

/* DR4 and DR5 are DR6 and DR7 unless CR4.DE is set. */
static int dr_number(struct x86_emul *s, unsigned int *dr)
{
	uint64_t cr4;
	int rc;

	*dr = s->insn.reg;
	if (*dr > 7)
		return em_ud(s);
	if ((*dr & 6) == 4) {
		rc = em_cr(s, 4, &cr4);
		if (rc != X86EMUL_OKAY)
			return rc;
		if (cr4 & X86_CR4_DE)
			return em_ud(s);
		*dr += 2;
	}
	return s->ctxt->cpl ? em_gp(s) : X86EMUL_OKAY;
}

int system_mov_from_dr(struct x86_emul *s)
{
	unsigned int dr;
	int rc = dr_number(s, &dr);

	if (rc != X86EMUL_OKAY)
		return rc;
	if (!s->ops->read_dr)
		return X86EMUL_UNHANDLEABLE;
	s->defer_bytes = em_mode64(s->ctxt) ? 8 : 4;
	s->defer_reg = s->insn.rm;
	return s->ops->read_dr(dr, &s->defer_val, s->ctxt);
}

int system_mov_to_dr(struct x86_emul *s)
{
	unsigned int dr;
	int rc = dr_number(s, &dr);

	if (rc != X86EMUL_OKAY)
		return rc;
	if (!s->ops->write_dr)
		return X86EMUL_UNHANDLEABLE;
	return s->ops->write_dr(dr, em_reg_read(s, s->insn.rm, em_mode64(s->ctxt) ? 8 : 4),
				s->ctxt);
}

/* Loads PE, MP, EM, TS; cannot clear PE. */
int system_lmsw(struct x86_emul *s)
{
	uint64_t cr0, msw = s->src.val;
	int rc = em_cr(s, 0, &cr0);

	if (rc != X86EMUL_OKAY)
		return rc;
	return write_cr(s, 0,
			(cr0 & ~(uint64_t)(X86_CR0_MP | X86_CR0_EM | X86_CR0_TS)) |
				(msw & (X86_CR0_PE | X86_CR0_MP | X86_CR0_EM | X86_CR0_TS)));
}

/* CR4.UMIP makes SGDT, SIDT, SLDT, STR and SMSW privileged. */
static int umip_check(struct x86_emul *s)
{
	uint64_t cr4;
	int rc;

	if (!s->ctxt->cpl || !(s->ctxt->features & X86_FEAT_UMIP))
		return X86EMUL_OKAY;
	rc = em_cr(s, 4, &cr4);
	if (rc != X86EMUL_OKAY)
		return rc;
	return cr4 & X86_CR4_UMIP ? em_gp(s) : X86EMUL_OKAY;
}

int system_smsw(struct x86_emul *s)
{
	uint64_t cr0;
	int rc = umip_check(s);

	if (rc == X86EMUL_OKAY)
		rc = em_cr(s, 0, &cr0);
	if (rc != X86EMUL_OKAY)
		return rc;
	if (s->insn.is_mem)
		return em_write(s, s->insn.seg, s->insn.ea, &cr0, 2, 0);
	s->defer_bytes = s->insn.op_bytes;
	s->defer_reg = s->insn.rm;
	s->defer_val = cr0;
	return X86EMUL_OKAY;
}

int system_clts(struct x86_emul *s)
{
	uint64_t cr0;
	int rc = em_cr(s, 0, &cr0);

	return rc == X86EMUL_OKAY ? write_cr(s, 0, cr0 & ~(uint64_t)X86_CR0_TS) : rc;
}

/* Pseudo-descriptor: limit, then base of 8 bytes in 64-bit code, else 4 (24 bits used with 66). */
static unsigned int table_bytes(const struct x86_emul *s)
{
	return em_mode64(s->ctxt) ? 10 : 6;
}

static int store_table(struct x86_emul *s, enum x86_seg table)
{
	struct x86_segment sr;
	uint8_t buf[10];
	uint16_t limit;
	int rc = umip_check(s);

	if (rc == X86EMUL_OKAY)
		rc = em_segment(s, table, &sr);
	if (rc != X86EMUL_OKAY)
		return rc;
	limit = (uint16_t)sr.limit;
	em_copy(buf, &limit, 2);
	em_copy(buf + 2, &sr.base, 8);
	return em_write(s, s->insn.seg, s->insn.ea, buf, table_bytes(s), 0);
}

static int load_table(struct x86_emul *s, enum x86_seg table)
{
	struct x86_segment sr = { .sel = 0 };
	uint8_t buf[10] = { 0 };
	uint16_t limit;
	int rc = em_read(s, s->insn.seg, s->insn.ea, buf, table_bytes(s), 0);

	if (rc != X86EMUL_OKAY)
		return rc;
	if (!s->ops->write_segment)
		return X86EMUL_UNHANDLEABLE;
	em_copy(&limit, buf, 2);
	sr.limit = limit;
	em_copy(&sr.base, buf + 2, 8);
	if (s->insn.op_bytes == 2 && !em_mode64(s->ctxt))
		sr.base &= 0xffffff;
	if (!em_canonical(s->ctxt, sr.base))
		return em_gp(s);
	return s->ops->write_segment(table, &sr, s->ctxt);
}

int system_sgdt(struct x86_emul *s)
{
	return store_table(s, X86_SEG_GDTR);
}

int system_sidt(struct x86_emul *s)
{
	return store_table(s, X86_SEG_IDTR);
}

int system_lgdt(struct x86_emul *s)
{
	return load_table(s, X86_SEG_GDTR);
}

int system_lidt(struct x86_emul *s)
{
	return load_table(s, X86_SEG_IDTR);
}

static int store_selector(struct x86_emul *s, enum x86_seg seg)
{
	struct x86_segment sr;
	int rc = umip_check(s);

	if (rc == X86EMUL_OKAY)
		rc = em_segment(s, seg, &sr);
	return rc == X86EMUL_OKAY ? segment_store_word(s, sr.sel) : rc;
}

int system_sldt(struct x86_emul *s)
{
	return store_selector(s, X86_SEG_LDTR);
}

int system_str(struct x86_emul *s)
{
	return store_selector(s, X86_SEG_TR);
}

/* Takes any effective address: no limit or type check (SDM vol. 2, INVLPG). */
int system_invlpg(struct x86_emul *s)
{
	struct x86_segment sr = { .base = 0 };
	enum x86_seg seg = s->insn.seg;
	uint64_t lin = s->insn.ea;
	int rc;

	if (!s->ops->invlpg)
		return X86EMUL_UNHANDLEABLE;
	if (!em_mode64(s->ctxt) || seg == X86_SEG_FS || seg == X86_SEG_GS) {
		rc = em_segment(s, seg, &sr);
		if (rc != X86EMUL_OKAY)
			return rc;
		lin += sr.base;
	}
	if (!em_mode64(s->ctxt))
		lin = (uint32_t)lin;
	else if (!em_canonical(s->ctxt, lin))
		return X86EMUL_OKAY;
	return s->ops->invlpg(lin, s->ctxt);
}

int system_invd(struct x86_emul *s)
{
	return s->ops->wbinvd ? s->ops->wbinvd(false, s->ctxt) : X86EMUL_UNHANDLEABLE;
}

int system_wbinvd(struct x86_emul *s)
{
	return s->ops->wbinvd ? s->ops->wbinvd(true, s->ctxt) : X86EMUL_UNHANDLEABLE;
}

int system_hlt(struct x86_emul *s)
{
	s->ctxt->retire.hlt = true;
	return X86EMUL_OKAY;
}

int system_cpuid(struct x86_emul *s)
{
	uint64_t *gpr = s->regs->gpr;
	uint32_t out[4];
	int rc;

	if (!s->ops->cpuid)
		return X86EMUL_UNHANDLEABLE;
	rc = s->ops->cpuid((uint32_t)gpr[X86_RAX], (uint32_t)gpr[X86_RCX], out, s->ctxt);
	if (rc != X86EMUL_OKAY)
		return rc;
	gpr[X86_RAX] = out[0];
	gpr[X86_RBX] = out[1];
	gpr[X86_RCX] = out[2];
	gpr[X86_RDX] = out[3];
	return X86EMUL_OKAY;
}

static void write_edx_eax(struct x86_emul *s, uint64_t val)
{
	s->regs->gpr[X86_RAX] = (uint32_t)val;
	s->regs->gpr[X86_RDX] = val >> 32;
}

static uint64_t read_edx_eax(const struct x86_emul *s)
{
	return (uint32_t)s->regs->gpr[X86_RAX] | s->regs->gpr[X86_RDX] << 32;
}

static int read_msr(struct x86_emul *s, uint32_t msr, uint64_t *val)
{
	return s->ops->read_msr ? s->ops->read_msr(msr, val, s->ctxt) : X86EMUL_UNHANDLEABLE;
}

int system_rdmsr(struct x86_emul *s)
{
	uint64_t val;
	int rc = read_msr(s, (uint32_t)s->regs->gpr[X86_RCX], &val);

	if (rc == X86EMUL_OKAY)
		write_edx_eax(s, val);
	return rc;
}

int system_wrmsr(struct x86_emul *s)
{
	if (!s->ops->write_msr)
		return X86EMUL_UNHANDLEABLE;
	return s->ops->write_msr((uint32_t)s->regs->gpr[X86_RCX], read_edx_eax(s), s->ctxt);
}

static int read_tsc(struct x86_emul *s, uint64_t *tsc)
{
	uint64_t cr4;
	int rc;

	if (s->ctxt->cpl) {
		rc = em_cr(s, 4, &cr4);
		if (rc != X86EMUL_OKAY)
			return rc;
		if (cr4 & X86_CR4_TSD)
			return em_gp(s);
	}
	return read_msr(s, MSR_TSC, tsc);
}

int system_rdtsc(struct x86_emul *s)
{
	uint64_t tsc = 0;
	int rc = read_tsc(s, &tsc);

	if (rc == X86EMUL_OKAY)
		write_edx_eax(s, tsc);
	return rc;
}

int system_rdtscp(struct x86_emul *s)
{
	uint64_t tsc = 0, aux = 0;
	int rc;

	if (!(s->ctxt->features & X86_FEAT_RDTSCP))
		return em_ud(s);
	rc = read_tsc(s, &tsc);
	if (rc == X86EMUL_OKAY)
		rc = read_msr(s, MSR_TSC_AUX, &aux);
	if (rc != X86EMUL_OKAY)
		return rc;
	write_edx_eax(s, tsc);
	s->regs->gpr[X86_RCX] = (uint32_t)aux;
	return X86EMUL_OKAY;
}

int system_rdpid(struct x86_emul *s)
{
	if (!(s->ctxt->features & X86_FEAT_RDPID))
		return em_ud(s);
	s->defer_bytes = em_mode64(s->ctxt) ? 8 : 4;
	s->defer_reg = s->insn.rm;
	return read_msr(s, MSR_TSC_AUX, &s->defer_val);
}

/* XGETBV and XSETBV: #UD without CR4.OSXSAVE. */
static int xsave_enabled(struct x86_emul *s)
{
	uint64_t cr4;
	int rc = em_cr(s, 4, &cr4);

	if (rc != X86EMUL_OKAY)
		return rc;
	if (!(s->ctxt->features & X86_FEAT_XSAVE) || !(cr4 & X86_CR4_OSXSAVE))
		return em_ud(s);
	return X86EMUL_OKAY;
}

int system_xgetbv(struct x86_emul *s)
{
	uint64_t val;
	int rc = xsave_enabled(s);

	if (rc != X86EMUL_OKAY)
		return rc;
	if (!s->ops->read_xcr)
		return X86EMUL_UNHANDLEABLE;
	rc = s->ops->read_xcr((uint32_t)s->regs->gpr[X86_RCX], &val, s->ctxt);
	if (rc == X86EMUL_OKAY)
		write_edx_eax(s, val);
	return rc;
}

int system_xsetbv(struct x86_emul *s)
{
	int rc = xsave_enabled(s);

	if (rc != X86EMUL_OKAY)
		return rc;
	if (s->ctxt->cpl)
		return em_gp(s);
	if (!s->ops->write_xcr)
		return X86EMUL_UNHANDLEABLE;
	return s->ops->write_xcr((uint32_t)s->regs->gpr[X86_RCX], read_edx_eax(s), s->ctxt);
}

int system_swapgs(struct x86_emul *s)
{
	struct x86_segment gs;
	uint64_t shadow, base;
	int rc = em_segment(s, X86_SEG_GS, &gs);

	if (!s->ops->write_msr || !s->ops->write_segment)
		return X86EMUL_UNHANDLEABLE;
	if (rc == X86EMUL_OKAY)
		rc = read_msr(s, MSR_KERNEL_GS_BASE, &shadow);
	if (rc != X86EMUL_OKAY)
		return rc;
	base = gs.base;
	rc = s->ops->write_msr(MSR_KERNEL_GS_BASE, base, s->ctxt);
	if (rc != X86EMUL_OKAY)
		return rc;
	gs.base = shadow;
	return s->ops->write_segment(X86_SEG_GS, &gs, s->ctxt);
}

/* RDFSBASE, RDGSBASE, WRFSBASE, WRGSBASE: ModRM.reg bit 0 is the segment, bit 1 the direction. */
int system_fsgsbase(struct x86_emul *s)
{
	enum x86_seg seg = s->insn.reg & 1 ? X86_SEG_GS : X86_SEG_FS;
	struct x86_segment sr;
	uint64_t cr4;
	int rc = em_cr(s, 4, &cr4);

	if (rc != X86EMUL_OKAY)
		return rc;
	if (!(s->ctxt->features & X86_FEAT_FSGSBASE) || !(cr4 & X86_CR4_FSGSBASE))
		return em_ud(s);
	rc = em_segment(s, seg, &sr);
	if (rc != X86EMUL_OKAY)
		return rc;
	if (!(s->insn.reg & 2)) {
		s->defer_bytes = s->insn.rex & X86_REX_W ? 8 : 4;
		s->defer_reg = s->insn.rm;
		s->defer_val = sr.base;
		return X86EMUL_OKAY;
	}
	sr.base = em_reg_read(s, s->insn.rm, s->insn.rex & X86_REX_W ? 8 : 4);
	if (!em_canonical(s->ctxt, sr.base))
		return em_gp(s);
	return s->ops->write_segment ? s->ops->write_segment(seg, &sr, s->ctxt)
				     : X86EMUL_UNHANDLEABLE;
}

static int hypercall(struct x86_emul *s, unsigned int vendor)
{
	if (s->ctxt->vendor != vendor)
		return em_ud(s);
	return s->ops->hypercall ? s->ops->hypercall(s->ctxt) : X86EMUL_UNHANDLEABLE;
}

int system_vmcall(struct x86_emul *s)
{
	return hypercall(s, X86_VENDOR_INTEL);
}

int system_vmmcall(struct x86_emul *s)
{
	return hypercall(s, X86_VENDOR_AMD);
}

/* 0F 0D is PREFETCH; with a register a NOP on Intel, #UD on AMD. */
int system_prefetch(struct x86_emul *s)
{
	if (!s->insn.is_mem && s->ctxt->vendor == X86_VENDOR_AMD)
		return em_ud(s);
	return X86EMUL_OKAY;
}

/* WAIT, with no x87 here: only its #NM. */
int system_wait(struct x86_emul *s)
{
	uint64_t cr0;
	int rc = em_cr(s, 0, &cr0);

	if (rc != X86EMUL_OKAY)
		return rc;
	return (cr0 & (X86_CR0_MP | X86_CR0_TS)) == (X86_CR0_MP | X86_CR0_TS)
		       ? em_fault(s, X86_EXC_NM, 0)
		       : X86EMUL_OKAY;
}
