// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Guest state in the VMCS (segments, SYSENTER, PAT) and what is switched with a vCPU because
 * hardware does not (SYSCALL MSRs, KernelGSbase, TSC_AUX, debug registers). SDM volume
 * 3, 24.4, 26.3.1.2, 27.3.2.
 */
#include "vmx.h"
#include "vlapic.h"

static const struct {
	enum vmcs_field sel, ar, limit, base;
} seg_fields[X86_SEG_COUNT] = {
#define SEG_FIELDS(n) \
	[X86_SEG_##   \
		n] = { GUEST_##n##_SELECTOR, GUEST_##n##_AR, GUEST_##n##_LIMIT, GUEST_##n##_BASE }
	SEG_FIELDS(ES),
	SEG_FIELDS(CS),
	SEG_FIELDS(SS),
	SEG_FIELDS(DS),
	SEG_FIELDS(FS),
	SEG_FIELDS(GS),
	SEG_FIELDS(TR),
	SEG_FIELDS(LDTR),
	[X86_SEG_GDTR] = { .limit = GUEST_GDTR_LIMIT, .base = GUEST_GDTR_BASE },
	[X86_SEG_IDTR] = { .limit = GUEST_IDTR_LIMIT, .base = GUEST_IDTR_BASE },
};

static const uint32_t lazy_msrs[LAZY_COUNT] = {
	[LAZY_STAR] = MSR_STAR,
	[LAZY_LSTAR] = MSR_LSTAR,
	[LAZY_CSTAR] = MSR_CSTAR,
	[LAZY_SFMASK] = MSR_SFMASK,
	[LAZY_KERNEL_GS_BASE] = MSR_KERNEL_GS_BASE,
};

/* SVM's packed attributes have bits 12-15 of the descriptor at 8-11; "unusable" is there not
 * present. */
static uint16_t attr_of_ar(uint32_t ar)
{
	uint16_t attr = (uint16_t)((ar & 0xff) | (ar >> 4 & 0xf00));

	return ar & AR_UNUSABLE ? attr & (uint16_t)~X86_ATTR_P : attr;
}

static uint32_t ar_of_attr(uint16_t attr)
{
	return (attr & 0xffU) | (attr & 0xf00U) << 4 | (attr & X86_ATTR_P ? 0 : AR_UNUSABLE);
}

enum vmcs_field vmx_seg_ar_field(enum x86_seg s)
{
	return seg_fields[s].ar;
}

static bool has_selector(unsigned int s)
{
	return s != X86_SEG_GDTR && s != X86_SEG_IDTR;
}

static void get_segments(struct vcpu *v, uint32_t mask)
{
	for (; mask; mask &= mask - 1) {
		unsigned int s = (unsigned int)__builtin_ctz(mask);
		struct x86_segment *out = &v->hvm.seg[s];

		*out = (struct x86_segment){ .limit = (uint32_t)vmread(seg_fields[s].limit),
					     .base = vmread(seg_fields[s].base) };
		if (has_selector(s)) {
			out->sel = (uint16_t)vmread(seg_fields[s].sel);
			out->attr = attr_of_ar((uint32_t)vmread(seg_fields[s].ar));
		}
	}
}

/*
 * VM entry wants what loading a segment register leaves (26.3.1.2): an accessed segment, a
 * granularity bit that agrees with the limit, a busy task in TR.
 */
static uint32_t entry_ar(enum x86_seg s, const struct x86_segment *in)
{
	uint32_t ar = ar_of_attr(in->attr);

	if (s == X86_SEG_TR)
		ar = (ar & ~(uint32_t)(AR_UNUSABLE | 0x17)) | 0x83;
	else if (s == X86_SEG_CS)
		ar = (ar & ~(uint32_t)AR_UNUSABLE) | 0x91;
	else if (s <= X86_SEG_GS && !(ar & AR_UNUSABLE))
		ar |= 0x11;
	if (in->limit >> 20)
		ar |= BIT(15);
	else if ((in->limit & 0xfff) != 0xfff)
		ar &= ~(uint32_t)BIT(15);
	return ar;
}

/* What the VMCS holds then may differ: it is to be fetched again. */
static void set_segments(struct vcpu *v, struct vmx_vcpu *vv, uint32_t mask)
{
	v->hvm.valid &= ~(mask | HVM_CPL);
	vv->state_written |= mask != 0;
	for (; mask; mask &= mask - 1) {
		enum x86_seg s = (enum x86_seg)__builtin_ctz(mask);
		const struct x86_segment *in = &v->hvm.seg[s];

		vmwrite(seg_fields[s].limit, has_selector(s) ? in->limit : in->limit & 0xffff);
		vmwrite(seg_fields[s].base, in->base);
		if (has_selector(s)) {
			vmwrite(seg_fields[s].sel, in->sel);
			vmwrite(seg_fields[s].ar, entry_ar(s, in));
		}
	}
}

static void read_lazy(struct vmx_vcpu *vv)
{
	for (unsigned int i = 0; vv->lazy_loaded && i < LAZY_COUNT; i++)
		vv->lazy[i] = rdmsr(lazy_msrs[i]);
}

static void get_msrs(struct vmx_vcpu *vv, struct hvm_msr_state *m)
{
	read_lazy(vv);
	m->star = vv->lazy[LAZY_STAR];
	m->lstar = vv->lazy[LAZY_LSTAR];
	m->cstar = vv->lazy[LAZY_CSTAR];
	m->sfmask = vv->lazy[LAZY_SFMASK];
	m->kernel_gs_base = vv->lazy[LAZY_KERNEL_GS_BASE];
	m->sysenter_cs = vmread(GUEST_SYSENTER_CS);
	m->sysenter_esp = vmread(GUEST_SYSENTER_ESP);
	m->sysenter_eip = vmread(GUEST_SYSENTER_EIP);
	m->debugctl = vmread(GUEST_DEBUGCTL);
}

static void set_msrs(const struct vcpu *v, struct vmx_vcpu *vv)
{
	const struct hvm_msr_state *m = &v->hvm.msr;

	vv->lazy[LAZY_STAR] = m->star;
	vv->lazy[LAZY_LSTAR] = m->lstar;
	vv->lazy[LAZY_CSTAR] = m->cstar;
	vv->lazy[LAZY_SFMASK] = m->sfmask;
	vv->lazy[LAZY_KERNEL_GS_BASE] = m->kernel_gs_base;
	for (unsigned int i = 0; vv->lazy_loaded && i < LAZY_COUNT; i++)
		wrmsr(lazy_msrs[i], vv->lazy[i]);
	vmwrite(GUEST_SYSENTER_CS, (uint32_t)m->sysenter_cs);
	vmwrite(GUEST_SYSENTER_ESP, m->sysenter_esp);
	vmwrite(GUEST_SYSENTER_EIP, m->sysenter_eip);
	vmwrite(GUEST_DEBUGCTL, m->debugctl);
	vmwrite(GUEST_PAT, v->hvm.pat);
}

static void set_mov_dr_exits(struct vmx_vcpu *vv, bool on)
{
	vv->proc = on ? vv->proc | PROC_MOV_DR : vv->proc & ~(uint32_t)PROC_MOV_DR;
	vmwrite(CTL_PROC, vv->proc);
}

static void sync_debug(struct vcpu *v, struct vmx_vcpu *vv)
{
	if (!vv->dr_loaded)
		return;
	vmx_load(v);
	__asm__ volatile("mov %%db0, %0" : "=r"(v->dr[0]));
	__asm__ volatile("mov %%db1, %0" : "=r"(v->dr[1]));
	__asm__ volatile("mov %%db2, %0" : "=r"(v->dr[2]));
	__asm__ volatile("mov %%db3, %0" : "=r"(v->dr[3]));
	__asm__ volatile("mov %%db6, %0" : "=r"(v->dr6));
	v->dr7 = vmread(GUEST_DR7);
	vv->dr_loaded = false;
	set_mov_dr_exits(vv, true);
}

/* The privilege level is SS.DPL, also while SS is unusable: 24.4.1. */
void vmx_get_state(struct vcpu *v, uint32_t mask)
{
	struct vmx_vcpu *vv = vmx_load(v);

	get_segments(v, mask & HVM_SEGS);
	if (mask & HVM_CPL)
		v->hvm.cpl = X86_ATTR_DPL(hvm_seg(v, X86_SEG_SS)->attr);
	if (mask & HVM_MSRS)
		get_msrs(vv, &v->hvm.msr);
	if (mask & HVM_DRS)
		sync_debug(v, vv);
}

/* CR2 is loaded at each entry, and the vLAPIC's page is the virtual-APIC page: nothing to carry for these. */
void vmx_set_state(struct vcpu *v, uint32_t mask)
{
	struct vmx_vcpu *vv;

	if (!(mask & ~(HVM_CR2 | HVM_TPR)))
		return;
	vv = vmx_load(v);
	set_segments(v, vv, mask & HVM_SEGS);
	if (mask & HVM_MSRS)
		set_msrs(v, vv);
	if (mask & HVM_DRS) {
		vmwrite(GUEST_DR7, v->dr7);
		if (vv->dr_loaded)
			__asm__ volatile("mov %0, %%db6" ::"r"(v->dr6));
	}
	if (mask & HVM_CRS)
		vmx_set_control_registers(v, vv);
	if (mask & HVM_TSC)
		vmwrite(TSC_OFFSET, v->tsc_offset);
}

void vmx_load_debug(struct vcpu *v)
{
	struct vmx_vcpu *vv = vmx_load(v);

	__asm__ volatile("mov %0, %%db0" ::"r"(v->dr[0]));
	__asm__ volatile("mov %0, %%db1" ::"r"(v->dr[1]));
	__asm__ volatile("mov %0, %%db2" ::"r"(v->dr[2]));
	__asm__ volatile("mov %0, %%db3" ::"r"(v->dr[3]));
	__asm__ volatile("mov %0, %%db6" ::"r"(v->dr6));
	vv->dr_loaded = true;
	set_mov_dr_exits(vv, false);
}

void vmx_switch_from(struct vcpu *v)
{
	struct vmx_vcpu *vv = vmx_vcpu(v);

	sync_debug(v, vv);
	read_lazy(vv);
	vv->lazy_loaded = false;
}

/* RDTSCP reads the real TSC_AUX, which the VMCS does not hold. */
void vmx_switch_to(struct vcpu *v)
{
	struct vmx_vcpu *vv = vmx_load(v);

	vv->flush_l1d = true;
	if (vmx_controls.tpr_shadow)
		vmwrite(VIRTUAL_APIC_PAGE, virt_to_maddr(v->hvm.vlapic->regs).v);
	for (unsigned int i = 0; i < LAZY_COUNT; i++)
		wrmsr(lazy_msrs[i], vv->lazy[i]);
	vv->lazy_loaded = true;
	if (host_cpu.e1_edx & BIT(27))
		wrmsr(MSR_TSC_AUX, v->tsc_aux);
	if (v->dr7 & 0xff)
		vmx_load_debug(v);
}

/* First access to a debug register since the vCPU was loaded: give it the real ones. */
void vmx_exit_dr(struct vcpu *v, unsigned int insn_len)
{
	(void)insn_len;
	vmx_load_debug(v);
}
