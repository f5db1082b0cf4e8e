// SPDX-License-Identifier: GPL-2.0-or-later
/* Guest state that lives in the VMCB, and what is switched with a vCPU. APM volume 2, 15.5.1 and 15.5.4. */
#include "svm.h"
#include "vlapic.h"

#define SEG_AT(name) ((uint16_t)offsetof(struct vmcb, name))

static const uint16_t seg_at[X86_SEG_COUNT] = {
	[X86_SEG_ES] = SEG_AT(es),     [X86_SEG_CS] = SEG_AT(cs),     [X86_SEG_SS] = SEG_AT(ss),
	[X86_SEG_DS] = SEG_AT(ds),     [X86_SEG_FS] = SEG_AT(fs),     [X86_SEG_GS] = SEG_AT(gs),
	[X86_SEG_TR] = SEG_AT(tr),     [X86_SEG_LDTR] = SEG_AT(ldtr), [X86_SEG_GDTR] = SEG_AT(gdtr),
	[X86_SEG_IDTR] = SEG_AT(idtr),
};

static struct vmcb_seg *seg_of(struct vmcb *b, unsigned int s)
{
	return (struct vmcb_seg *)((uint8_t *)b + seg_at[s]);
}

/* The privilege level is the VMCB's own field, and SS.DPL what the neutral code knows it by (APM 15.5.1). */
static void get_segments(struct vcpu *v, struct vmcb *b, uint32_t mask)
{
	bool ss = mask & HVM_SEG(X86_SEG_SS);

	for (; mask; mask &= mask - 1) {
		unsigned int s = (unsigned int)__builtin_ctz(mask);
		const struct vmcb_seg *in = seg_of(b, s);

		v->hvm.seg[s] = (struct x86_segment){ .sel = in->sel,
						      .attr = in->attr & 0xfff,
						      .limit = in->limit,
						      .base = in->base };
	}
	if (ss)
		v->hvm.seg[X86_SEG_SS].attr =
			(uint16_t)((v->hvm.seg[X86_SEG_SS].attr & ~X86_ATTR_DPL_MASK) |
				   b->cpl << 5);
}

static void set_segments(const struct vcpu *v, struct vmcb *b, uint32_t mask)
{
	if (mask & HVM_SEG(X86_SEG_SS))
		b->cpl = X86_ATTR_DPL(v->hvm.seg[X86_SEG_SS].attr);
	for (; mask; mask &= mask - 1) {
		unsigned int s = (unsigned int)__builtin_ctz(mask);
		const struct x86_segment *in = &v->hvm.seg[s];

		*seg_of(b, s) = (struct vmcb_seg){ .sel = in->sel,
						   .attr = in->attr & 0xfff,
						   .limit = in->limit,
						   .base = in->base };
	}
}

static void get_msrs(const struct vmcb *b, struct hvm_msr_state *m)
{
	m->star = b->star;
	m->lstar = b->lstar;
	m->cstar = b->cstar;
	m->sfmask = b->sfmask;
	m->kernel_gs_base = b->kernel_gs_base;
	m->sysenter_cs = b->sysenter_cs;
	m->sysenter_esp = b->sysenter_esp;
	m->sysenter_eip = b->sysenter_eip;
	m->debugctl = b->debugctl;
}

static void set_msrs(const struct vcpu *v, struct vmcb *b)
{
	const struct hvm_msr_state *m = &v->hvm.msr;

	b->star = m->star;
	b->lstar = m->lstar;
	b->cstar = m->cstar;
	b->sfmask = m->sfmask;
	b->kernel_gs_base = m->kernel_gs_base;
	b->sysenter_cs = m->sysenter_cs;
	b->sysenter_esp = m->sysenter_esp;
	b->sysenter_eip = m->sysenter_eip;
	b->debugctl = m->debugctl;
	b->g_pat = v->hvm.pat;
}

/* DR0-3 back into struct vcpu, accesses intercepted again. */
static void sync_debug(struct vcpu *v, struct svm_vcpu *sv)
{
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

void svm_get_state(struct vcpu *v, uint32_t mask)
{
	struct vmcb *b = svm_vmcb(v);

	get_segments(v, b, mask & HVM_SEGS);
	if (mask & HVM_MSRS)
		get_msrs(b, &v->hvm.msr);
	if (mask & HVM_DRS)
		sync_debug(v, svm_vcpu(v));
}

static void set_control_registers(struct vcpu *v, struct vmcb *b)
{
	b->cr0 = v->cr0;
	b->cr3 = v->cr3;
	b->cr4 = v->cr4;
	b->efer = v->efer | X86_EFER_SVME;
	svm_flush_vcpu(v);
}

void svm_set_state(struct vcpu *v, uint32_t mask)
{
	struct vmcb *b = svm_vmcb(v);

	set_segments(v, b, mask & HVM_SEGS);
	if (mask & HVM_MSRS)
		set_msrs(v, b);
	if (mask & HVM_DRS) {
		b->dr6 = v->dr6;
		b->dr7 = v->dr7;
	}
	if (mask & HVM_CR2)
		b->cr2 = v->cr2;
	if (mask & HVM_CRS)
		set_control_registers(v, b);
	if (mask & HVM_TPR)
		b->vintr = (b->vintr & ~0xffULL) | SVM_VINTR_TPR(vlapic_tpr(v->hvm.vlapic) >> 4);
	if (mask & HVM_TSC)
		b->tsc_offset = v->tsc_offset;
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
	sync_debug(v, svm_vcpu(v));
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
void svm_exit_dr(struct vcpu *v, unsigned int insn_len)
{
	(void)insn_len;
	load_debug_registers(v);
}
