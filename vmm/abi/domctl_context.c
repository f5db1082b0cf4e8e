/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * XEN_DOMCTL_getvcpucontext and setvcpucontext: a vCPU's registers in the form that core dumps have (xen/arch-x86/xen.h,
 * struct vcpu_guest_context).
 */
#include "handlers.h"
#include "hvm_ops.h"
#include <xen/domctl.h>

static uint16_t selector(struct vcpu *v, enum x86_seg s)
{
	return hvm_seg(v, s)->sel;
}

static void fill_user_regs(struct vcpu *v, struct cpu_user_regs *u)
{
	const uint64_t *g = v->regs.gpr;

	u->rax = g[X86_RAX];
	u->rcx = g[X86_RCX];
	u->rdx = g[X86_RDX];
	u->rbx = g[X86_RBX];
	u->rsp = g[X86_RSP];
	u->rbp = g[X86_RBP];
	u->rsi = g[X86_RSI];
	u->rdi = g[X86_RDI];
	u->r8 = g[X86_R8];
	u->r9 = g[X86_R9];
	u->r10 = g[X86_R10];
	u->r11 = g[X86_R11];
	u->r12 = g[X86_R12];
	u->r13 = g[X86_R13];
	u->r14 = g[X86_R14];
	u->r15 = g[X86_R15];
	u->rip = v->regs.rip;
	u->rflags = v->regs.rflags;
	u->cs = selector(v, X86_SEG_CS);
	u->ss = selector(v, X86_SEG_SS);
	u->es = selector(v, X86_SEG_ES);
	u->ds = selector(v, X86_SEG_DS);
	u->fs = selector(v, X86_SEG_FS);
	u->gs = selector(v, X86_SEG_GS);
}

static void fill_context(struct vcpu *v, struct vcpu_guest_context *c)
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

long domctl_getvcpucontext(struct domain *d, const struct xen_domctl_vcpucontext *op)
{
	struct vcpu *v = domain_vcpu(d, op->vcpu);
	struct vcpu_guest_context *c;
	long rc;

	if (d == current_domain())
		return -EINVAL;
	if (!v)
		return -ESRCH;
	if (!published(v->initialised))
		return -ENODATA;
	c = xzalloc(struct vcpu_guest_context);
	if (!c)
		return -ENOMEM;
	vcpu_pause(v);
	fill_context(v, c);
	vcpu_unpause(v);
	rc = copy_to_guest_la(guest_handle_la(op->ctxt), c, sizeof(*c));
	xfree(c);
	return rc;
}

static void take_user_regs(struct vcpu *v, const struct cpu_user_regs *u)
{
	uint64_t *g = v->regs.gpr;

	g[X86_RAX] = u->rax;
	g[X86_RCX] = u->rcx;
	g[X86_RDX] = u->rdx;
	g[X86_RBX] = u->rbx;
	g[X86_RSP] = u->rsp;
	g[X86_RBP] = u->rbp;
	g[X86_RSI] = u->rsi;
	g[X86_RDI] = u->rdi;
	g[X86_R8] = u->r8;
	g[X86_R9] = u->r9;
	g[X86_R10] = u->r10;
	g[X86_R11] = u->r11;
	g[X86_R12] = u->r12;
	g[X86_R13] = u->r13;
	g[X86_R14] = u->r14;
	g[X86_R15] = u->r15;
	v->regs.rip = u->rip;
	v->regs.rflags = (u->rflags & X86_EFLAGS_KNOWN) | X86_EFLAGS_MBS;
}

/*
 * How a guest that was suspended learns that it goes on in place: libxc sets RAX, which SCHEDOP_shutdown returns then.
 * General registers, RIP and RFLAGS are taken, as from HVM guests' contexts by Xen; all else stays.
 */
long domctl_setvcpucontext(struct domain *d, const struct xen_domctl_vcpucontext *op)
{
	struct vcpu *v = domain_vcpu(d, op->vcpu);
	struct vcpu_guest_context *c;
	long rc;

	if (d == current_domain() || !v || !v->initialised)
		return -EINVAL;
	if (guest_handle_is_null(op->ctxt))
		return -EOPNOTSUPP; /* a reset of the vCPU: nobody asks for it */
	c = xzalloc(struct vcpu_guest_context);
	if (!c)
		return -ENOMEM;
	rc = copy_from_guest_la(c, guest_handle_la(op->ctxt), sizeof(*c));
	if (!rc) {
		vcpu_pause(v);
		take_user_regs(v, &c->user_regs);
		vcpu_attention(v, VCPU_ATT_STATE);
		vcpu_unpause(v);
	}
	xfree(c);
	return rc;
}
