// SPDX-License-Identifier: GPL-2.0-or-later
/* Guest state that lives in the VMCB, and what is switched with a vCPU. APM volume 2, 15.5.1 and 15.5.4. */
#include "svm.h"
#include "vlapic.h"

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

/* Segments and the privilege level need no fetching: v->hvm.seg is the VMCB's, and an exit brings the other. */
void svm_get_state(struct vcpu *v, uint32_t mask)
{
	const struct vmcb *b = svm_vmcb(v);

	if (mask & HVM_MSRS)
		get_msrs(b, &v->hvm.msr);
	if (mask & HVM_DRS)
		sync_debug(v, svm_vcpu(v));
}

static void set_control_registers(struct vcpu *v, struct vmcb *b)
{
	const struct control_regs *hw = v->hw;

	b->cr0 = hw->cr0;
	b->cr3 = hw->cr3;
	b->cr4 = hw->cr4;
	b->efer = hw->efer | X86_EFER_SVME;
	svm_vcpu(v)->asid_generation = 0; /* as svm_flush_vcpu() */
}

static void set_others(struct vcpu *v, struct vmcb *b, uint32_t mask)
{
	/* The privilege level is a field of its own; SS.DPL and it move together (15.5.1). */
	if (mask & HVM_SEG(X86_SEG_SS))
		b->cpl = v->hvm.cpl = X86_ATTR_DPL(b->seg[X86_SEG_SS].attr);
	if (mask & HVM_MSRS)
		set_msrs(v, b);
	if (mask & HVM_DRS) {
		b->dr6 = v->dr6;
		b->dr7 = v->dr7;
	}
	if (mask & HVM_CR2)
		b->cr2 = v->cr2;
	if (mask & HVM_TPR)
		b->vintr = (b->vintr & ~0xffULL) | SVM_VINTR_TPR(vlapic_tpr(v->hvm.vlapic) >> 4);
	if (mask & HVM_TSC)
		b->tsc_offset = v->tsc_offset;
}

void svm_set_state(struct vcpu *v, uint32_t mask)
{
	struct vmcb *b = svm_vmcb(v);

	if (mask & HVM_CRS)
		set_control_registers(v, b);
	if (mask & ~HVM_CRS)
		set_others(v, b, mask);
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
