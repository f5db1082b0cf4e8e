/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Microsoft's interface of hypervisors, the part that Xen calls viridian: CPUID leaves, synthetic MSRs, the partition's
 * time, saved state. TLFS, chapters 2 (features), 3 (hypercalls' page), 7 (crash), 12 (time). Calls are in viridian_call.c, the
 * local APIC's part in viridian_apic.c. What a guest is not offered raises #GP.
 */
#include "xen_abi.h"
#include "hvm_context.h"
#include "hvm_ops.h"
#include "hvm_params.h"
#include "guest_access.h"
#include "log.h"
#include "msr_private.h"
#include "vmm/hvm/hvm.h"
#include "units.h"
#include "viridian.h"
#include "vlapic_private.h"
#include <xen/domctl.h>

/* CPUID. */
#define HV_LEAF(n)   (0x40000000U + (n))
#define HV_MAX_LEAF  HV_LEAF(6)
#define HV_INTERFACE 0x31237648U /* "Hv#1" */
#define HV_BUILD     0x1772U	 /* of Windows Server 2008, by which Xen goes */
#define HV_VERSION   0x00060000U
#define HV_SPINS     2047U /* before a guest says that it waits for a lock */
#define HV_MAX_VPS   64U

/* Leaf 3, EAX: a partition's rights; EDX: features. */
#define HAS_TIME       BIT(1)
#define HAS_APIC       BIT(4)
#define HAS_HYPERCALLS BIT(5)
#define HAS_VP_INDEX   BIT(6)
#define HAS_TSC_PAGE   BIT(9)
#define HAS_FREQ       BIT(11)
#define CAN_PLUG       BIT(3)
#define CAN_FREQ       BIT(8)
#define CAN_CRASH      BIT(10)

/* Leaf 4, EAX: what a guest had better do. */
#define DO_REMOTE_FLUSH BIT(2)
#define DO_APIC_MSRS	BIT(3)
#define DO_RELAX	BIT(5)
#define DO_CLUSTER_IPI	BIT(10)

/* Leaf 6, EAX: what the hardware does. */
#define HW_MSR_BITMAPS BIT(1)
#define HW_NESTED      BIT(3)

#define MSR_HYPERCALL  0x40000001U
#define MSR_VP_INDEX   0x40000002U
#define MSR_TIME       0x40000020U
#define MSR_TSC_PAGE   0x40000021U
#define MSR_TSC_FREQ   0x40000022U
#define MSR_APIC_FREQ  0x40000023U
#define MSR_CRASH_P0   0x40000100U
#define MSR_CRASH_P4   0x40000104U
#define MSR_CRASH_CTL  0x40000105U

#define ENABLED	       BIT(0)
#define LOCKED	       BIT(1) /* the page of calls, for ever */
#define CRASH_NOTIFY   BIT(63)
#define CRASH_LINE     160U
#define NS_PER_TICK    100U /* of the partition's time */

#define HERE                                                                                    \
	(HVMPV_base_freq | HVMPV_no_freq | HVMPV_time_ref_count | HVMPV_reference_tsc |         \
	 HVMPV_hcall_remote_tlb_flush | HVMPV_apic_assist | HVMPV_crash_ctl | HVMPV_hcall_ipi | \
	 HVMPV_no_vp_limit | HVMPV_cpu_hotplug)

const char *viridian_unknown(uint64_t mask)
{
	if (mask & ~(uint64_t)HVMPV_feature_mask)
		return "it has bits that stand for nothing";
	return mask && !(mask & HVMPV_base_freq) ? "without \"base\" there is nothing" : NULL;
}

const char *viridian_missing(uint64_t mask)
{
	if (mask & (HVMPV_synic | HVMPV_stimer))
		return "Hyper-V's interrupt controller and timers are not there: take \"synic\" and \"stimer\" "
		       "out of viridian=";
	return mask & ~(uint64_t)HERE
		       ? "take \"ex_processor_masks\" out of viridian=: it is not there"
		       : NULL;
}

static bool has(const struct domain *d, uint64_t groups)
{
	return viridian_mask(d) & groups;
}

static bool has_freq(const struct domain *d)
{
	return !has(d, HVMPV_no_freq);
}

/* --- CPUID ------------------------------------------------------------------------------------- */

static void leaf_features(const struct domain *d, uint32_t out[4])
{
	out[0] = HAS_APIC | HAS_HYPERCALLS | HAS_VP_INDEX;
	out[0] |= has(d, HVMPV_time_ref_count) ? HAS_TIME : 0;
	out[0] |= has(d, HVMPV_reference_tsc) ? HAS_TSC_PAGE : 0;
	out[0] |= has_freq(d) ? HAS_FREQ : 0;
	out[3] |= has_freq(d) ? CAN_FREQ : 0;
	out[3] |= has(d, HVMPV_crash_ctl) ? CAN_CRASH : 0;
	out[3] |= has(d, HVMPV_cpu_hotplug) ? CAN_PLUG : 0;
}

/* Where hardware delivers interrupts, it also takes their EOIs. */
static bool assists(struct vcpu *v)
{
	return has(v->domain, HVMPV_apic_assist) &&
	       !(hvm_ops->delivers_vlapic && hvm_ops->delivers_vlapic(v));
}

static void leaf_advice(struct vcpu *v, uint32_t out[4])
{
	const struct domain *d = v->domain;

	out[0] = DO_RELAX;
	out[0] |= has(d, HVMPV_hcall_remote_tlb_flush) ? DO_REMOTE_FLUSH : 0;
	out[0] |= has(d, HVMPV_hcall_ipi) ? DO_CLUSTER_IPI : 0;
	/* A processor that serves the APIC's registers is quicker than an MSR that exits. */
	if (assists(v))
		out[0] |= DO_APIC_MSRS;
	out[1] = HV_SPINS;
}

void viridian_cpuid(struct vcpu *v, uint32_t leaf, uint32_t out[4])
{
	const struct domain *d = v->domain;

	switch (leaf) {
	case HV_LEAF(0):
		out[0] = HV_MAX_LEAF;
		memcpy(&out[1], "Microsoft Hv", 12);
		break;
	case HV_LEAF(1):
		out[0] = HV_INTERFACE;
		break;
	case HV_LEAF(2):
		/* For those who have said who they are. */
		out[0] = d->hvm.viridian.os_id ? HV_BUILD : 0;
		out[1] = d->hvm.viridian.os_id ? HV_VERSION : 0;
		break;
	case HV_LEAF(3):
		leaf_features(d, out);
		break;
	case HV_LEAF(4):
		leaf_advice(v, out);
		break;
	case HV_LEAF(5):
		out[0] = has(d, HVMPV_no_vp_limit) ? ~0U : HV_MAX_VPS;
		break;
	case HV_LEAF(6):
		out[0] = HW_MSR_BITMAPS | (d->create_flags & XEN_DOMCTL_CDF_hap ? HW_NESTED : 0);
		break;
	default:
		break;
	}
}

/* --- time -------------------------------------------------------------------------------------- */

/* The partition's time: ticks since it was made, which a saved image takes with it. */
static uint64_t ticks(const struct domain *d)
{
	return now_ns() / NS_PER_TICK + d->hvm.viridian.time_offset;
}

/* time = (TSC * scale >> 64) + offset; sequence 0: ask the MSR, the TSC does not keep time. */
struct tsc_page {
	uint32_t sequence, reserved;
	uint64_t scale, offset;
};

/* 2^64 times ticks for each cycle of the TSC. */
static uint64_t tick_scale(void)
{
	uint64_t ticks_per_ms = NS_PER_MS / NS_PER_TICK, high = (ticks_per_ms << 32) / tsc_khz;
	uint64_t rest = (ticks_per_ms << 32) % tsc_khz;

	return high << 32 | (rest << 32) / tsc_khz;
}

static int write_tsc_page(struct domain *d, uint64_t msr)
{
	gpa_t at = _gpa(msr & PAGE_MASK);
	static const uint32_t in_change = 0;
	struct tsc_page p = { 0 };
	uint32_t was;

	if (guest_phys_read(d, at, &was, sizeof(was)))
		return -EINVAL;
	if (host_cpu.invariant_tsc) {
		uint64_t tsc = rdtsc() + domain_vcpu(d, 0)->tsc_offset;

		p.sequence = was + 1 && was + 1 != ~0U ? was + 1 : 1;
		p.scale = tick_scale();
		p.offset = ticks(d) - (uint64_t)((unsigned __int128)tsc * p.scale >> 64);
	}
	/* Who reads meanwhile asks the MSR: the sequence comes last. */
	if (guest_phys_write(d, at, &in_change, sizeof(in_change)) ||
	    guest_phys_write(d, _gpa(at.v + offsetof(struct tsc_page, scale)), &p.scale,
			     sizeof(p) - offsetof(struct tsc_page, scale)))
		return -EINVAL;
	return guest_phys_write(d, at, &p, offsetof(struct tsc_page, scale)) ? -EINVAL : 0;
}

/* --- registers --------------------------------------------------------------------------------- */

static int read_base(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	const struct viridian *s = &v->domain->hvm.viridian;

	switch (msr) {
	case MSR_HV_OS_ID:
		*value = s->os_id;
		return 0;
	case MSR_HYPERCALL:
		*value = s->hypercall;
		return 0;
	case MSR_VP_INDEX:
		*value = v->id;
		return 0;
	case MSR_HV_APIC + 1 ... MSR_HV_APIC_END:
		return viridian_apic_read(v, msr, value);
	default:
		return -EINVAL;
	}
}

static int read_time(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	const struct domain *d = v->domain;

	if (msr == MSR_TIME && has(d, HVMPV_time_ref_count))
		*value = ticks(d);
	else if (msr == MSR_TSC_PAGE && has(d, HVMPV_reference_tsc))
		*value = d->hvm.viridian.reference_tsc;
	else if (msr == MSR_TSC_FREQ && has_freq(d))
		*value = tsc_khz * 1000;
	else if (msr == MSR_APIC_FREQ && has_freq(d))
		*value = NS_PER_SEC / BUS_NS_PER_TICK;
	else
		return -EINVAL;
	return 0;
}

int viridian_rdmsr(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	const struct domain *d = v->domain;

	if (!viridian_mask(d))
		return -ENOENT;
	if (msr >= MSR_TIME && msr <= MSR_APIC_FREQ)
		return read_time(v, msr, value);
	if (msr < MSR_CRASH_P0)
		return read_base(v, msr, value);
	if (!has(d, HVMPV_crash_ctl) || msr > MSR_CRASH_CTL)
		return -EINVAL;
	*value = msr == MSR_CRASH_CTL ? CRASH_NOTIFY : d->hvm.viridian.crash[msr - MSR_CRASH_P0];
	return 0;
}

/* A page of calls is for those who have said who they are. Where a locked one is, it stays. */
static int write_hypercall(struct domain *d, uint64_t value)
{
	struct viridian *s = &d->hvm.viridian;

	if (s->hypercall & LOCKED)
		return 0;
	if (!s->os_id)
		value &= ~(uint64_t)ENABLED;
	if ((value & ENABLED) &&
	    hypercall_page_place(d, _gfn(value >> PAGE_SHIFT), viridian_page_fill))
		return -EINVAL;
	s->hypercall = value;
	return 0;
}

static int write_base(struct vcpu *v, uint32_t msr, uint64_t value)
{
	struct viridian *s = &v->domain->hvm.viridian;

	switch (msr) {
	case MSR_HV_OS_ID:
		s->os_id = value;
		if (!value)
			s->hypercall &= ~(uint64_t)ENABLED;
		return 0;
	case MSR_HYPERCALL:
		return write_hypercall(v->domain, value);
	case MSR_HV_APIC ... MSR_HV_APIC_END:
		return viridian_apic_write(v, msr, value);
	default:
		return -EINVAL;
	}
}

/* Guests could fill the log with this. */
static void report_crash(struct vcpu *v)
{
	const uint64_t *p = v->domain->hvm.viridian.crash;

	if (debug_port_may_print(v->domain, CRASH_LINE))
		guest_printk(LOG_WARN
			     "d%uv%u: its system says that it crashes: %lx %lx %lx %lx %lx\n",
			     v->domain->domid, v->id, p[0], p[1], p[2], p[3], p[4]);
}

int viridian_wrmsr(struct vcpu *v, uint32_t msr, uint64_t value)
{
	struct domain *d = v->domain;

	if (!viridian_mask(d))
		return -ENOENT;
	if (msr == MSR_TSC_PAGE && has(d, HVMPV_reference_tsc)) {
		if ((value & ENABLED) && write_tsc_page(d, value))
			return -EINVAL;
		d->hvm.viridian.reference_tsc = value;
		return 0;
	}
	if (msr < MSR_CRASH_P0)
		return write_base(v, msr, value);
	if (!has(d, HVMPV_crash_ctl) || msr > MSR_CRASH_CTL)
		return -EINVAL;
	if (msr <= MSR_CRASH_P4)
		d->hvm.viridian.crash[msr - MSR_CRASH_P0] = value;
	else if (value & CRASH_NOTIFY)
		report_crash(v);
	return 0;
}

/* --- saved state: xen/hvm/save.h ----------------------------------------------------------------- */

static int refuse_load(const struct hvm_instance *at, const char *why)
{
	printk(LOG_ERR "d%u: the guest was told of viridian%s\n", at->d->domid, why);
	return -EOPNOTSUPP;
}

static int domain_save(const struct hvm_instance *at, void *buf)
{
	struct hvm_viridian_domain_context *r = buf;
	const struct viridian *s = &at->d->hvm.viridian;

	if (!viridian_mask(at->d))
		return -ENOENT;
	r->hypercall_gpa = s->hypercall;
	r->guest_os_id = s->os_id;
	r->time_ref_count = ticks(at->d);
	r->reference_tsc = s->reference_tsc;
	return sizeof(*r);
}

/* The page of calls is in the guest's memory, with the other vendor's instruction perhaps, which is one as well. */
static int domain_load(const struct hvm_instance *at, const void *buf)
{
	const struct hvm_viridian_domain_context *r = buf;
	struct viridian *s = &at->d->hvm.viridian;

	if (!viridian_mask(at->d))
		return refuse_load(at, ", which its configuration does not have");
	s->hypercall = r->hypercall_gpa;
	s->os_id = r->guest_os_id;
	s->reference_tsc = r->reference_tsc;
	s->time_offset = r->time_ref_count - now_ns() / NS_PER_TICK;
	/* This machine's TSC has another frequency perhaps. */
	if ((s->reference_tsc & ENABLED) && domain_vcpu(at->d, 0) &&
	    write_tsc_page(at->d, s->reference_tsc))
		return -EINVAL;
	return 0;
}

static int vcpu_save(const struct hvm_instance *at, void *buf)
{
	struct hvm_viridian_vcpu_context *r = buf;

	if (!viridian_mask(at->d))
		return -ENOENT;
	r->vp_assist_msr = at->v->hvm.vp_assist;
	r->apic_assist_pending = at->v->hvm.no_eoi;
	return sizeof(*r);
}

static int vcpu_load(const struct hvm_instance *at, const void *buf)
{
	const struct hvm_viridian_vcpu_context *r = buf;
	uint64_t used = r->simp_msr & ENABLED;

	if (!viridian_mask(at->d))
		return refuse_load(at, ", which its configuration does not have");
	for (unsigned int i = 0; i < ARRAY_SIZE(r->stimer_config_msr); i++)
		used |= r->stimer_config_msr[i] & ENABLED;
	if (used)
		return refuse_load(at, "'s synic or stimer, which are not there");
	at->v->hvm.vp_assist = r->vp_assist_msr;
	at->v->hvm.no_eoi = r->apic_assist_pending && (r->vp_assist_msr & ENABLED);
	/* Saved where it was offered. */
	if (at->v->hvm.no_eoi && !assists(at->v))
		viridian_withdraw(at->v);
	return 0;
}

static const struct hvm_record records[] = {
	HVM_RECORD(VIRIDIAN_DOMAIN, SAVE_PER_DOMAIN, sizeof(struct hvm_viridian_domain_context),
		   domain_save, domain_load),
	HVM_RECORD(VIRIDIAN_VCPU, SAVE_PER_VCPU, sizeof(struct hvm_viridian_vcpu_context),
		   vcpu_save, vcpu_load),
};

static int time_begins(struct domain *d)
{
	d->hvm.viridian.time_offset = 0 - now_ns() / NS_PER_TICK;
	return 0;
}

/* A soft reset: the next kernel finds what a new partition has. */
static void forget(struct domain *d)
{
	struct vcpu *v;

	d->hvm.viridian = (struct viridian){ .time_offset = d->hvm.viridian.time_offset };
	for_each_vcpu(d, v) {
		viridian_forget(v);
	}
}

const struct hvm_unit viridian_unit = {
	.name = "viridian",
	.needs = UNIT_ANY,
	.init = time_begins,
	.reset = forget,
	UNIT_SAVES(records),
};
