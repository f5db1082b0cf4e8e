// SPDX-License-Identifier: GPL-2.0-or-later
/* Guest state that lives in the VMCB, and what is switched with a vCPU. APM volume 2, 15.5.1 and 15.5.4. */
#include "svm.h"

static struct vmcb_seg *seg_of(struct vmcb *b, enum x86_seg s)
{
	switch (s) {
	case X86_SEG_ES:
		return &b->es;
	case X86_SEG_CS:
		return &b->cs;
	case X86_SEG_SS:
		return &b->ss;
	case X86_SEG_DS:
		return &b->ds;
	case X86_SEG_FS:
		return &b->fs;
	case X86_SEG_GS:
		return &b->gs;
	case X86_SEG_TR:
		return &b->tr;
	case X86_SEG_LDTR:
		return &b->ldtr;
	case X86_SEG_GDTR:
		return &b->gdtr;
	default:
		return &b->idtr;
	}
}

void svm_get_segment(struct vcpu *v, enum x86_seg s, struct x86_segment *out)
{
	const struct vmcb_seg *in = seg_of(svm_vmcb(v), s);

	out->sel = in->sel;
	out->attr = in->attr & 0xfff;
	out->limit = in->limit;
	out->base = in->base;
}

/* The privilege level is the VMCB's own field; SS.DPL and it move together (APM 15.5.1). */
void svm_set_segment(struct vcpu *v, enum x86_seg s, const struct x86_segment *in)
{
	struct vmcb *vmcb = svm_vmcb(v);
	struct vmcb_seg *out = seg_of(vmcb, s);

	out->sel = in->sel;
	out->attr = in->attr & 0xfff;
	out->limit = in->limit;
	out->base = in->base;
	if (s == X86_SEG_SS)
		vmcb->cpl = in->attr >> 5 & 3;
}

unsigned int svm_get_cpl(struct vcpu *v)
{
	return svm_vmcb(v)->cpl;
}

void svm_get_msrs(struct vcpu *v, struct hvm_msr_state *out)
{
	const struct vmcb *b = svm_vmcb(v);

	*out = (struct hvm_msr_state){
		.star = b->star,
		.lstar = b->lstar,
		.cstar = b->cstar,
		.sfmask = b->sfmask,
		.kernel_gs_base = b->kernel_gs_base,
		.sysenter_cs = b->sysenter_cs,
		.sysenter_esp = b->sysenter_esp,
		.sysenter_eip = b->sysenter_eip,
		.pat = b->g_pat,
		.debugctl = b->debugctl,
	};
}

void svm_set_msrs(struct vcpu *v, const struct hvm_msr_state *in)
{
	struct vmcb *b = svm_vmcb(v);

	b->star = in->star;
	b->lstar = in->lstar;
	b->cstar = in->cstar;
	b->sfmask = in->sfmask;
	b->kernel_gs_base = in->kernel_gs_base;
	b->sysenter_cs = in->sysenter_cs;
	b->sysenter_esp = in->sysenter_esp;
	b->sysenter_eip = in->sysenter_eip;
	b->g_pat = in->pat;
	b->debugctl = in->debugctl;
}

void svm_debug_changed(struct vcpu *v)
{
	struct vmcb *b = svm_vmcb(v);

	b->cr2 = v->cr2;
	b->dr6 = v->dr6;
	b->dr7 = v->dr7;
}

/* CR0, CR2, CR3, CR4, EFER, DR6 and DR7 of struct vcpu go into the VMCB, at once. */
void svm_cr_changed(struct vcpu *v)
{
	struct vmcb *b = svm_vmcb(v);

	b->cr0 = v->cr0;
	b->cr3 = v->cr3;
	b->cr4 = v->cr4;
	b->efer = v->efer | X86_EFER_SVME;
	svm_debug_changed(v);
	svm_flush_vcpu(v);
}

void svm_sync_debug(struct vcpu *v)
{
	struct svm_vcpu *sv = svm_vcpu(v);

	if (!sv->dr_loaded)
		return;
	__asm__ volatile("mov %%db0, %0" : "=r"(v->dr[0]));
	__asm__ volatile("mov %%db1, %0" : "=r"(v->dr[1]));
	__asm__ volatile("mov %%db2, %0" : "=r"(v->dr[2]));
	__asm__ volatile("mov %%db3, %0" : "=r"(v->dr[3]));
	sv->dr_loaded = false;
	sv->vmcb->dr_read = 0xffff;
	sv->vmcb->dr_write = 0xffff;
}

static void load_debug_registers(struct vcpu *v)
{
	struct svm_vcpu *sv = svm_vcpu(v);

	__asm__ volatile("mov %0, %%db0" ::"r"(v->dr[0]));
	__asm__ volatile("mov %0, %%db1" ::"r"(v->dr[1]));
	__asm__ volatile("mov %0, %%db2" ::"r"(v->dr[2]));
	__asm__ volatile("mov %0, %%db3" ::"r"(v->dr[3]));
	sv->dr_loaded = true;
	sv->vmcb->dr_read = 0;
	sv->vmcb->dr_write = 0;
}

void svm_switch_from(struct vcpu *v)
{
	svm_sync_debug(v);
}

/* RDTSCP reads the real TSC_AUX, which the VMCB does not hold. */
void svm_switch_to(struct vcpu *v)
{
	if (host_cpu.e1_edx & BIT(27))
		wrmsr(MSR_TSC_AUX, v->tsc_aux);
	if (v->dr7 & 0xff)
		load_debug_registers(v);
}

/* First access to a debug register since the vCPU was loaded: give it the real ones. */
void svm_exit_dr(struct vcpu *v, struct vmcb *vmcb)
{
	(void)vmcb;
	load_debug_registers(v);
}
