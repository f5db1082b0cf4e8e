// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Model-specific registers as guests see them. Registers that the control block holds are accessed by
 * the guest directly where the vendor allows; this is for the rest and for the emulator. SDM volume 4;
 * APM volume 2, appendix A. dom0 may read what the host has; nobody writes what is not listed. Registers
 * without an effect are in msr_table.c.
 */
#include "abi.h"
#include "internal.h"
#include "mtrr.h"
#include "msr_private.h"
#include "policy_private.h"
#include "viridian.h"

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

/* RDTSCP or RDPID reads it: where neither is there, nor is the register. */
static bool has_tsc_aux(const struct cpu_policy *p)
{
	return (p->extd[1].d & BIT(27)) || (p->feat[0].c & BIT(22));
}

static int read_vendor_msr(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	const uint64_t *slot = vendor_msr(&v->hvm.msr, msr);

	if (!slot)
		return -ENOENT;
	hvm_get_state(v, HVM_MSRS);
	*value = *slot;
	return 0;
}

static enum x86_seg base_of(uint32_t msr)
{
	return msr == MSR_FS_BASE ? X86_SEG_FS : X86_SEG_GS;
}

static int read_base(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	*value = hvm_seg(v, base_of(msr))->base;
	return 0;
}

static int write_base(struct vcpu *v, uint32_t msr, uint64_t value)
{
	struct x86_segment seg = *hvm_seg(v, base_of(msr));

	if (!canonical(value))
		return -EINVAL;
	seg.base = value;
	hvm_set_seg(v, base_of(msr), &seg);
	return 0;
}

static int write_vendor_msr(struct vcpu *v, uint32_t msr, uint64_t value)
{
	uint64_t *slot = vendor_msr(&v->hvm.msr, msr);

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
static int write_pat(struct vcpu *v, uint32_t msr, uint64_t value)
{
	(void)msr;
	for (unsigned int i = 0; i < 64; i += 8) {
		uint8_t type = (uint8_t)(value >> i);

		if (type > 7 || type == 2 || type == 3)
			return -EINVAL;
	}
	v->hvm.pat = value;
	hvm_get_state(v, HVM_MSRS);
	/* dom0's shadow tables have other memory types then. */
	hvm_set_state(v, HVM_MSRS | (v->domain->is_dom0 && v->domain->sh ? HVM_CRS : 0));
	return 0;
}

/* One feature is there, CPUID faulting, where the policy offers it. */
static int write_misc_features(struct vcpu *v, uint32_t msr, uint64_t value)
{
	const struct cpu_policy *p = v->domain->cpu_policy;
	uint64_t known = p->platform_info & PLATFORM_CPUID_FAULTING ? MISC_CPUID_FAULTING : 0;

	(void)msr;
	if (value & ~known)
		return -EINVAL;
	v->hvm.misc_features = value;
	return 0;
}

static int write_tsc_aux(struct vcpu *v, uint32_t msr, uint64_t value)
{
	if (value >> 32 || !has_tsc_aux(v->domain->cpu_policy))
		return -EINVAL;
	v->tsc_aux = value;
	if (host_cpu.e1_edx & BIT(27))
		wrmsr(msr, value);
	return 0;
}

static int read_lapic(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	return vlapic_rdmsr(v->hvm.vlapic, msr, value);
}

static int write_lapic(struct vcpu *v, uint32_t msr, uint64_t value)
{
	return vlapic_wrmsr(v->hvm.vlapic, msr, value);
}

static int read_efer(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	(void)msr;
	*value = v->efer;
	return 0;
}

static int write_efer(struct vcpu *v, uint32_t msr, uint64_t value)
{
	(void)msr;
	return hvm_set_efer(v, value);
}

static int read_tsc(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	(void)msr;
	*value = rdtsc() + v->tsc_offset;
	return 0;
}

static int write_tsc(struct vcpu *v, uint32_t msr, uint64_t value)
{
	(void)msr;
	hvm_set_tsc_offset(v, value - rdtsc());
	vlapic_tsc_changed(v->hvm.vlapic);
	return 0;
}

static int read_tsc_aux(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	(void)msr;
	*value = v->tsc_aux;
	return has_tsc_aux(v->domain->cpu_policy) ? 0 : -EINVAL;
}

static int read_pat(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	(void)msr;
	*value = v->hvm.pat;
	return 0;
}

static int read_platform_info(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	(void)msr;
	*value = v->domain->cpu_policy->platform_info;
	return 0;
}

static int read_only(struct vcpu *v, uint32_t msr, uint64_t value)
{
	(void)v;
	(void)msr;
	(void)value;
	return -EINVAL;
}

static int read_misc_features(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	(void)msr;
	*value = v->hvm.misc_features;
	return 0;
}

static bool has_mtrrs(const struct vcpu *v)
{
	return v->domain->cpu_policy->basic[1].d & BIT(12);
}

static int read_mtrr(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	return has_mtrrs(v) ? mtrr_rdmsr(v, msr, value) : -ENOENT;
}

static int write_mtrr(struct vcpu *v, uint32_t msr, uint64_t value)
{
	return has_mtrrs(v) ? mtrr_wrmsr(v, msr, value) : -ENOENT;
}

static int read_policy(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	return policy_rdmsr(v, msr, value) ? -ENOENT : 0;
}

static int write_policy(struct vcpu *v, uint32_t msr, uint64_t value)
{
	return policy_wrmsr(v, msr, value) ? -ENOENT : 0;
}

/* dom0 reads what the machine has, and what it writes there is dropped. */
static int read_host(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	return v->domain->is_dom0 && msr != MSR_VM_HSAVE && !rdmsr_safe(msr, value) ? 0 : -ENOENT;
}

static int drop_of_dom0(struct vcpu *v, uint32_t msr, uint64_t value)
{
	(void)msr;
	(void)value;
	return v->domain->is_dom0 ? 0 : -ENOENT;
}

static int read_table(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	return msr_table_read(v->domain->cpu_policy, msr, value) ? 0 : -EINVAL;
}

static int write_table(struct vcpu *v, uint32_t msr, uint64_t value)
{
	(void)value;
	return msr_table_drops(v->domain->cpu_policy, msr) ? 0 : -EINVAL;
}

/*
 * Who has which registers, in the order in which they are asked; what guests access most comes first. The machine's
 * MISC_ENABLE would offer dom0 what is not passed on.
 */
static const struct msr_range ranges[] = {
	{ MSR_APIC_BASE, MSR_APIC_BASE, read_lapic, write_lapic },
	{ MSR_X2APIC_FIRST, MSR_X2APIC_LAST, read_lapic, write_lapic },
	{ MSR_TSC_DEADLINE, MSR_TSC_DEADLINE, read_lapic, write_lapic },
	{ MSR_EFER, MSR_EFER, read_efer, write_efer },
	{ MSR_TSC, MSR_TSC, read_tsc, write_tsc },
	{ MSR_TSC_AUX, MSR_TSC_AUX, read_tsc_aux, write_tsc_aux },
	{ MSR_PAT, MSR_PAT, read_pat, write_pat },
	{ MSR_PLATFORM_INFO, MSR_PLATFORM_INFO, read_platform_info, read_only },
	{ MSR_MISC_FEATURES, MSR_MISC_FEATURES, read_misc_features, write_misc_features },
	{ MSR_MISC_ENABLE, MSR_MISC_ENABLE, read_table, NULL },
	{ MSR_MC0_CTL2, MSR_MC_CTL2_END, mcheck_read, mcheck_write }, /* among the MTRRs */
	{ MSR_MTRRCAP, MSR_MTRRCAP, read_mtrr, write_mtrr },
	{ MSR_MTRR_PHYSBASE0, MSR_MTRR_DEF_TYPE, read_mtrr, write_mtrr },
	{ MSR_FS_BASE, MSR_GS_BASE, read_base, write_base },
	{ MSR_MCG_CAP, MSR_MCG_CTL, mcheck_read, mcheck_write },
	{ MSR_MC0_CTL, MSR_MCG_EXT_CTL, mcheck_read, mcheck_write },
	{ MSR_HV_FIRST, MSR_HV_LAST, viridian_rdmsr, viridian_wrmsr },
	{ 0, ~0U, read_vendor_msr, write_vendor_msr },
	{ 0, ~0U, read_policy, write_policy },
	{ 0, ~0U, read_host, drop_of_dom0 },
	{ 0, ~0U, read_table, write_table },
};

/* The next entry behind r that has the register, or NULL. */
static const struct msr_range *next_range(const struct msr_range *r, uint32_t msr)
{
	for (; r < ranges + ARRAY_SIZE(ranges); r++)
		if (msr - r->first <= r->last - r->first)
			return r;
	return NULL;
}

int hvm_rdmsr(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	const struct msr_range *r = ranges;
	int rc = -ENOENT;

	while (rc == -ENOENT && (r = next_range(r, msr)) != NULL) {
		rc = r->read ? r->read(v, msr, value) : -ENOENT;
		r++;
	}
	return rc == -ENOENT ? -EINVAL : rc;
}

int hvm_wrmsr(struct vcpu *v, uint32_t msr, uint64_t value)
{
	const struct msr_range *r = ranges;
	int rc = -ENOENT;

	while (rc == -ENOENT && (r = next_range(r, msr)) != NULL) {
		rc = r->write ? r->write(v, msr, value) : -ENOENT;
		r++;
	}
	return rc == -ENOENT ? -EINVAL : rc;
}
