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

void vmx_get_segment(struct vcpu *v, enum x86_seg s, struct x86_segment *out)
{
	struct vmx_vcpu *vv = vmx_load(v);
	struct x86_segment *c = &vv->seg[s];

	if (!(vv->seg_valid & BIT(s))) {
		*c = (struct x86_segment){ .limit = (uint32_t)vmread(seg_fields[s].limit),
					   .base = vmread(seg_fields[s].base) };
		if (s < X86_SEG_GDTR) {
			c->sel = (uint16_t)vmread(seg_fields[s].sel);
			c->attr = attr_of_ar((uint32_t)vmread(seg_fields[s].ar));
		}
		vv->seg_valid |= BIT(s);
	}
	*out = *c;
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
	else if (s < X86_SEG_TR && !(ar & AR_UNUSABLE))
		ar |= 0x11;
	if (in->limit >> 20)
		ar |= BIT(15);
	else if ((in->limit & 0xfff) != 0xfff)
		ar &= ~(uint32_t)BIT(15);
	return ar;
}

void vmx_set_segment(struct vcpu *v, enum x86_seg s, const struct x86_segment *in)
{
	struct vmx_vcpu *vv = vmx_load(v);

	vmwrite(seg_fields[s].limit, s < X86_SEG_GDTR ? in->limit : in->limit & 0xffff);
	vmwrite(seg_fields[s].base, in->base);
	if (s < X86_SEG_GDTR) {
		vmwrite(seg_fields[s].sel, in->sel);
		vmwrite(seg_fields[s].ar, entry_ar(s, in));
	}
	vv->seg_valid &= ~(uint32_t)BIT(s);
	vv->state_written = true;
}

/* SS.DPL, also while SS is unusable: 24.4.1. */
unsigned int vmx_get_cpl(struct vcpu *v)
{
	struct x86_segment ss;

	vmx_get_segment(v, X86_SEG_SS, &ss);
	return ss.attr >> 5 & 3;
}

static void read_lazy(struct vmx_vcpu *vv)
{
	for (unsigned int i = 0; vv->lazy_loaded && i < LAZY_COUNT; i++)
		vv->lazy[i] = rdmsr(lazy_msrs[i]);
}

void vmx_get_msrs(struct vcpu *v, struct hvm_msr_state *out)
{
	struct vmx_vcpu *vv = vmx_load(v);

	read_lazy(vv);
	*out = (struct hvm_msr_state){
		.star = vv->lazy[LAZY_STAR],
		.lstar = vv->lazy[LAZY_LSTAR],
		.cstar = vv->lazy[LAZY_CSTAR],
		.sfmask = vv->lazy[LAZY_SFMASK],
		.kernel_gs_base = vv->lazy[LAZY_KERNEL_GS_BASE],
		.sysenter_cs = vmread(GUEST_SYSENTER_CS),
		.sysenter_esp = vmread(GUEST_SYSENTER_ESP),
		.sysenter_eip = vmread(GUEST_SYSENTER_EIP),
		.pat = v->hvm.pat,
		.debugctl = vmread(GUEST_DEBUGCTL),
	};
}

void vmx_set_msrs(struct vcpu *v, const struct hvm_msr_state *in)
{
	struct vmx_vcpu *vv = vmx_load(v);

	vv->lazy[LAZY_STAR] = in->star;
	vv->lazy[LAZY_LSTAR] = in->lstar;
	vv->lazy[LAZY_CSTAR] = in->cstar;
	vv->lazy[LAZY_SFMASK] = in->sfmask;
	vv->lazy[LAZY_KERNEL_GS_BASE] = in->kernel_gs_base;
	for (unsigned int i = 0; vv->lazy_loaded && i < LAZY_COUNT; i++)
		wrmsr(lazy_msrs[i], vv->lazy[i]);
	vmwrite(GUEST_SYSENTER_CS, (uint32_t)in->sysenter_cs);
	vmwrite(GUEST_SYSENTER_ESP, in->sysenter_esp);
	vmwrite(GUEST_SYSENTER_EIP, in->sysenter_eip);
	vmwrite(GUEST_DEBUGCTL, in->debugctl);
	vmwrite(GUEST_PAT, in->pat);
}

static void set_mov_dr_exits(struct vmx_vcpu *vv, bool on)
{
	vv->proc = on ? vv->proc | PROC_MOV_DR : vv->proc & ~(uint32_t)PROC_MOV_DR;
	vmwrite(CTL_PROC, vv->proc);
}

void vmx_sync_debug(struct vcpu *v)
{
	struct vmx_vcpu *vv = vmx_vcpu(v);

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

	vmx_sync_debug(v);
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
void vmx_exit_dr(struct vcpu *v, struct vmx_vcpu *vv)
{
	(void)vv;
	vmx_load_debug(v);
}
