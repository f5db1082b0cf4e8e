/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vCPU's registers in the forms of the public headers: that of core dumps (xen/arch-x86/xen.h, struct
 * vcpu_guest_context), and that of VCPUOP_initialise (xen/hvm/hvm_vcpu.h).
 */
#include "hvm_context.h"
#include "internal.h"
#include "policy_private.h"

static uint16_t selector(struct vcpu *v, enum x86_seg s)
{
	return hvm_seg(v, s)->sel;
}

/* Where the general registers are. */
static const uint8_t user_reg[] = {
#define AT(x) [X86_R##x] = offsetof(struct cpu_user_regs, r##x)
	[X86_RAX] = offsetof(struct cpu_user_regs, rax),
	[X86_RCX] = offsetof(struct cpu_user_regs, rcx),
	[X86_RDX] = offsetof(struct cpu_user_regs, rdx),
	[X86_RBX] = offsetof(struct cpu_user_regs, rbx),
	[X86_RSP] = offsetof(struct cpu_user_regs, rsp),
	[X86_RBP] = offsetof(struct cpu_user_regs, rbp),
	[X86_RSI] = offsetof(struct cpu_user_regs, rsi),
	[X86_RDI] = offsetof(struct cpu_user_regs, rdi),
	AT(8),
	AT(9),
	AT(10),
	AT(11),
	AT(12),
	AT(13),
	AT(14),
	AT(15),
#undef AT
};

static void fill_user_regs(struct vcpu *v, struct cpu_user_regs *u)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(user_reg); i++)
		*(uint64_t *)((uint8_t *)u + user_reg[i]) = v->regs.gpr[i];
	u->rip = v->regs.rip;
	u->rflags = v->regs.rflags;
	u->cs = selector(v, X86_SEG_CS);
	u->ss = selector(v, X86_SEG_SS);
	u->es = selector(v, X86_SEG_ES);
	u->ds = selector(v, X86_SEG_DS);
	u->fs = selector(v, X86_SEG_FS);
	u->gs = selector(v, X86_SEG_GS);
}

void hvm_context_get(struct vcpu *v, struct vcpu_guest_context *c)
{
	const struct hvm_msr_state *msr = &v->hvm.msr;
	uint64_t gs_base;

	hvm_get_state(v, HVM_SEGS | HVM_MSRS | HVM_DRS);
	gs_base = v->hvm.seg[X86_SEG_GS].base;
	memcpy(&c->fpu_ctxt, v->fpu.area, sizeof(c->fpu_ctxt));
	c->flags = VGCF_I387_VALID;
	if (!(v->pause_flags & VPF_DOWN))
		c->flags |= VGCF_online;
	if (!hvm_cpl(v))
		c->flags |= VGCF_in_kernel;
	fill_user_regs(v, &c->user_regs);
	c->ctrlreg[0] = v->cr0;
	c->ctrlreg[2] = v->cr2;
	c->ctrlreg[3] = v->cr3;
	c->ctrlreg[4] = v->cr4;
	for (unsigned int i = 0; i < 4; i++)
		c->debugreg[i] = v->dr[i];
	c->debugreg[6] = v->dr6;
	c->debugreg[7] = v->dr7;
	c->fs_base = v->hvm.seg[X86_SEG_FS].base;
	c->gs_base_kernel = c->flags & VGCF_in_kernel ? gs_base : msr->kernel_gs_base;
	c->gs_base_user = c->flags & VGCF_in_kernel ? msr->kernel_gs_base : gs_base;
}

void hvm_context_set(struct vcpu *v, const struct vcpu_guest_context *c)
{
	const struct cpu_user_regs *u = &c->user_regs;

	for (unsigned int i = 0; i < ARRAY_SIZE(user_reg); i++)
		v->regs.gpr[i] = *(const uint64_t *)((const uint8_t *)u + user_reg[i]);
	v->regs.rip = u->rip;
	v->regs.rflags = (u->rflags & X86_EFLAGS_KNOWN) | X86_EFLAGS_MBS;
}

/* --- the state that a vCPU starts with --------------------------------------------------------- */

/* The attributes are packed as in struct x86_segment; 0 = the default of a flat segment. */
static void seg_from_ar(struct vcpu *v, enum x86_seg s, uint64_t base, uint32_t limit, uint16_t ar)
{
	struct x86_segment seg = { .attr = ar & 0xfff, .limit = limit, .base = base };

	if (ar == 0)
		seg.attr = s == X86_SEG_CS   ? 0xc9b
			   : s == X86_SEG_TR ? 0x8b
			   : s <= X86_SEG_GS ? 0xc93
					     : 0;
	hvm_set_seg(v, s, &seg);
}

static void flat_segments(struct vcpu *v, bool wide)
{
	struct x86_segment code = { .sel = 0, .attr = wide ? 0xa9b : 0xc9b, .limit = ~0U };
	struct x86_segment data = { .sel = 0, .attr = 0xc93, .limit = ~0U };
	struct x86_segment tr = { .sel = 0, .attr = 0x8b, .limit = 0x67 };

	hvm_set_seg(v, X86_SEG_CS, &code);
	for (enum x86_seg s = X86_SEG_ES; s <= X86_SEG_GS; s++)
		if (s != X86_SEG_CS)
			hvm_set_seg(v, s, &data);
	hvm_set_seg(v, X86_SEG_TR, &tr);
}

/* What the processor would refuse to enter with. */
static bool control_ok(const struct vcpu *v, uint64_t cr0, uint64_t cr4, uint64_t efer)
{
	if ((cr0 >> 32) || ((cr0 & X86_CR0_PG) && !(cr0 & X86_CR0_PE)) ||
	    ((cr0 & X86_CR0_NW) && !(cr0 & X86_CR0_CD)))
		return false;
	if (efer & ~(X86_EFER_SCE | X86_EFER_LME | X86_EFER_LMA | X86_EFER_NX))
		return false;
	if ((efer & X86_EFER_LMA) &&
	    (!(efer & X86_EFER_LME) || !(cr0 & X86_CR0_PG) || !(cr4 & X86_CR4_PAE)))
		return false;
	return !(cr4 & ~policy_cr4_mask(v->domain));
}

/* What both forms have. */
struct start {
	uint64_t rip, rflags, cr0, cr3, cr4, efer;
};

static int start_with(struct vcpu *v, const struct start *s)
{
	if (!control_ok(v, s->cr0, s->cr4, s->efer))
		return -EINVAL;
	v->regs.rip = s->rip;
	v->regs.rflags = (s->rflags & X86_EFLAGS_KNOWN) | X86_EFLAGS_MBS;
	v->cr0 = s->cr0 | X86_CR0_ET;
	v->cr3 = s->cr3;
	v->cr4 = s->cr4;
	v->efer = s->efer;
	return 0;
}

/* General registers from RAX to RDI are in the processor's order in both. */
static int start_32(struct vcpu *v, const struct vcpu_hvm_x86_32 *r)
{
	const struct start s = { r->eip, r->eflags, r->cr0, r->cr3, r->cr4, r->efer };

	if (start_with(v, &s))
		return -EINVAL;
	for (unsigned int i = X86_RAX; i <= X86_RDI; i++)
		v->regs.gpr[i] = (&r->eax)[i];
	seg_from_ar(v, X86_SEG_CS, r->cs_base, r->cs_limit, r->cs_ar);
	seg_from_ar(v, X86_SEG_DS, r->ds_base, r->ds_limit, r->ds_ar);
	seg_from_ar(v, X86_SEG_SS, r->ss_base, r->ss_limit, r->ss_ar);
	seg_from_ar(v, X86_SEG_ES, r->es_base, r->es_limit, r->es_ar);
	seg_from_ar(v, X86_SEG_TR, r->tr_base, r->tr_limit, r->tr_ar);
	return 0;
}

static int start_64(struct vcpu *v, const struct vcpu_hvm_x86_64 *r)
{
	const struct start s = {
		r->rip, r->rflags & ~X86_EFLAGS_VM, r->cr0, r->cr3, r->cr4, r->efer
	};

	if (!(r->efer & X86_EFER_LMA) || start_with(v, &s))
		return -EINVAL;
	for (unsigned int i = X86_RAX; i <= X86_RDI; i++)
		v->regs.gpr[i] = (&r->rax)[i];
	flat_segments(v, true);
	return 0;
}

int hvm_context_start(struct vcpu *v, const struct vcpu_hvm_context *ctx)
{
	int rc = -EINVAL;

	hvm_vcpu_reset_flat32(v); /* known state for what the structure does not name */
	if (ctx->mode == VCPU_HVM_MODE_32B)
		rc = start_32(v, &ctx->cpu_regs.x86_32);
	else if (ctx->mode == VCPU_HVM_MODE_64B)
		rc = start_64(v, &ctx->cpu_regs.x86_64);
	if (rc)
		return rc;
	hvm_set_state(v, HVM_CRS);
	publish(v->initialised, true);
	return 0;
}
