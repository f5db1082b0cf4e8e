// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Model-specific registers as guests see them. Registers that the control block holds are accessed by
 * the guest directly where the vendor allows; this is for the rest and for the emulator. SDM volume 4;
 * APM volume 2, appendix A. dom0 may read what the host has; nobody writes what is not listed. Registers
 * without an effect are in msr_table.c.
 */
#include "abi.h"
#include "hvm_ops.h"
#include "mtrr.h"
#include "msr_private.h"
#include "policy.h"
#include "vlapic.h"

static bool canonical(uint64_t a)
{
	return (uint64_t)((int64_t)(a << 16) >> 16) == a;
}

bool hvm_msr_state_ok(const struct hvm_msr_state *s)
{
	return canonical(s->lstar) && canonical(s->cstar) && canonical(s->kernel_gs_base) &&
	       !(s->sfmask >> 32);
}

static uint64_t *vendor_msr(struct hvm_msr_state *s, uint32_t msr)
{
	switch (msr) {
	case MSR_SYSENTER_CS:
		return &s->sysenter_cs;
	case MSR_SYSENTER_ESP:
		return &s->sysenter_esp;
	case MSR_SYSENTER_EIP:
		return &s->sysenter_eip;
	case MSR_STAR:
		return &s->star;
	case MSR_LSTAR:
		return &s->lstar;
	case MSR_CSTAR:
		return &s->cstar;
	case MSR_SFMASK:
		return &s->sfmask;
	case MSR_KERNEL_GS_BASE:
		return &s->kernel_gs_base;
	case MSR_DEBUGCTL:
		return &s->debugctl;
	default:
		return NULL;
	}
}

static bool is_mtrr(const struct cpu_policy *p, uint32_t msr)
{
	return (msr == MSR_MTRRCAP ||
		(msr >= MSR_MTRR_PHYSBASE0 && msr <= MSR_MTRR_DEF_TYPE && msr != MSR_PAT)) &&
	       (p->basic[1].d & BIT(12));
}

/* RDTSCP or RDPID reads it: where neither is there, nor is the register. */
static bool has_tsc_aux(const struct cpu_policy *p)
{
	return (p->extd[1].d & BIT(27)) || (p->feat[0].c & BIT(22));
}

static int read_vendor_msr(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	const uint64_t *slot = vendor_msr(&v->hvm.msr, msr);

	if (msr == MSR_FS_BASE || msr == MSR_GS_BASE) {
		*value = hvm_seg(v, msr == MSR_FS_BASE ? X86_SEG_FS : X86_SEG_GS)->base;
		return 0;
	}
	if (!slot)
		return -EINVAL;
	hvm_get_state(v, HVM_MSRS);
	*value = *slot;
	return 0;
}

int hvm_rdmsr(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	const struct cpu_policy *p = v->domain->cpu_policy;

	switch (msr) {
	case MSR_APIC_BASE:
	case MSR_TSC_DEADLINE:
	case MSR_X2APIC_FIRST ... MSR_X2APIC_LAST:
		return vlapic_rdmsr(v->hvm.vlapic, msr, value);
	case MSR_EFER:
		*value = v->efer;
		return 0;
	case MSR_TSC:
		*value = rdtsc() + v->tsc_offset;
		return 0;
	case MSR_TSC_AUX:
		*value = v->tsc_aux;
		return has_tsc_aux(p) ? 0 : -EINVAL;
	case MSR_PAT:
		*value = v->hvm.pat;
		return 0;
	case MSR_PLATFORM_INFO:
		*value = p->platform_info;
		return 0;
	case MSR_MISC_FEATURES:
		*value = v->hvm.misc_features;
		return 0;
	case MSR_MISC_ENABLE: /* of dom0, too: the machine's would offer what is not passed on */
		return msr_table_read(p, msr, value) ? 0 : -EINVAL;
	default:
		break;
	}
	if (is_mtrr(p, msr))
		return mtrr_rdmsr(v, msr, value);
	if (!read_vendor_msr(v, msr, value) || !policy_rdmsr(v, msr, value))
		return 0;
	if (v->domain->is_dom0 && msr != MSR_VM_HSAVE && !rdmsr_safe(msr, value))
		return 0;
	return msr_table_read(p, msr, value) ? 0 : -EINVAL;
}

static int write_base(struct vcpu *v, enum x86_seg which, uint64_t value)
{
	struct x86_segment seg = *hvm_seg(v, which);

	if (!canonical(value))
		return -EINVAL;
	seg.base = value;
	hvm_set_seg(v, which, &seg);
	return 0;
}

static int write_vendor_msr(struct vcpu *v, uint32_t msr, uint64_t value)
{
	uint64_t *slot = vendor_msr(&v->hvm.msr, msr);

	if (msr == MSR_FS_BASE || msr == MSR_GS_BASE)
		return write_base(v, msr == MSR_FS_BASE ? X86_SEG_FS : X86_SEG_GS, value);
	if (!slot)
		return -ENOENT;
	if (msr == MSR_DEBUGCTL)
		value &= DEBUGCTL_BTF; /* single-step on branches; no last-branch records */
	else if (msr == MSR_SFMASK ? value >> 32
				   : msr != MSR_STAR && msr != MSR_SYSENTER_CS && !canonical(value))
		return -EINVAL;
	hvm_get_state(v, HVM_MSRS);
	*slot = value;
	hvm_set_state(v, HVM_MSRS);
	return 0;
}

/* Each byte one of UC 0, WC 1, WT 4, WP 5, WB 6, UC- 7: SDM volume 3, 12.12.2. */
static int write_pat(struct vcpu *v, uint64_t value)
{
	for (unsigned int i = 0; i < 64; i += 8) {
		uint8_t type = (uint8_t)(value >> i);

		if (type > 7 || type == 2 || type == 3)
			return -EINVAL;
	}
	v->hvm.pat = value;
	hvm_get_state(v, HVM_MSRS);
	hvm_set_state(v, HVM_MSRS);
	return 0;
}

/* One feature is there, CPUID faulting, where the policy offers it. */
static int write_misc_features(struct vcpu *v, uint64_t value)
{
	const struct cpu_policy *p = v->domain->cpu_policy;
	uint64_t known = p->platform_info & PLATFORM_CPUID_FAULTING ? MISC_CPUID_FAULTING : 0;

	if (value & ~known)
		return -EINVAL;
	v->hvm.misc_features = value;
	return 0;
}

static int write_tsc_aux(struct vcpu *v, uint64_t value)
{
	if (value >> 32 || !has_tsc_aux(v->domain->cpu_policy))
		return -EINVAL;
	v->tsc_aux = value;
	if (host_cpu.e1_edx & BIT(27))
		wrmsr(MSR_TSC_AUX, value);
	return 0;
}

int hvm_wrmsr(struct vcpu *v, uint32_t msr, uint64_t value)
{
	const struct cpu_policy *p = v->domain->cpu_policy;
	int rc;

	switch (msr) {
	case MSR_APIC_BASE:
	case MSR_TSC_DEADLINE:
	case MSR_X2APIC_FIRST ... MSR_X2APIC_LAST:
		return vlapic_wrmsr(v->hvm.vlapic, msr, value);
	case MSR_EFER:
		return hvm_set_efer(v, value);
	case MSR_TSC:
		hvm_set_tsc_offset(v, value - rdtsc());
		vlapic_tsc_changed(v->hvm.vlapic);
		return 0;
	case MSR_TSC_AUX:
		return write_tsc_aux(v, value);
	case MSR_PAT:
		return write_pat(v, value);
	case MSR_PLATFORM_INFO:
		return -EINVAL; /* read-only */
	case MSR_MISC_FEATURES:
		return write_misc_features(v, value);
	default:
		break;
	}
	if (is_mtrr(p, msr))
		return mtrr_wrmsr(v, msr, value);
	rc = write_vendor_msr(v, msr, value);
	if (rc != -ENOENT)
		return rc;
	if (!policy_wrmsr(v, msr, value))
		return 0;
	return msr_table_drops(p, msr) || v->domain->is_dom0 ? 0 : -EINVAL;
}
