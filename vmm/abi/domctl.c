/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HYPERVISOR_domctl (xen/domctl.h): the table of commands, life and description of domains, vCPUs. Memory
 * and saved state are in domctl_mem.c. One domctl at a time; a caller that finds the lock taken
 * comes back. Only dom0 gets here, but what it passes is checked as anyone's.
 */
#include "command.h"
#include "domctl.h"
#include "hvm_ops.h"
#include "policy.h"
#include "save.h"
#include "sched.h"
#include "hvm_context.h"

static int copy_cpumask_from_guest(uint64_t *mask, const struct xenctl_bitmap *b)
{
	uint8_t bytes[8] = { 0 };
	unsigned int n = DIV_ROUND_UP(min(b->nr_bits, 64U), 8);

	if (n && copy_from_guest(bytes, b->bitmap, n))
		return -EFAULT;
	memcpy(mask, bytes, sizeof(*mask));
	if (b->nr_bits < 64)
		*mask &= BIT(b->nr_bits) - 1;
	return 0;
}

int copy_cpumask_to_guest(const struct xenctl_bitmap *b, uint64_t mask, unsigned int bits)
{
	static const uint8_t zeros[512 - sizeof(mask)];
	unsigned int room = DIV_ROUND_UP((uint64_t)b->nr_bits, 8);
	uint8_t bytes[8];

	if (bits < 64)
		mask &= BIT(bits) - 1;
	memcpy(bytes, &mask, sizeof(bytes));
	if (b->nr_bits < 64 && b->nr_bits % 8)
		bytes[b->nr_bits / 8] &= (uint8_t)((1U << (b->nr_bits % 8)) - 1);
	if (room && copy_to_guest(b->bitmap, bytes, min(room, 8U)))
		return -EFAULT;
	if (room <= sizeof(bytes))
		return 0;
	room = min(room - (unsigned int)sizeof(bytes), (unsigned int)sizeof(zeros));
	return copy_to_guest_offset(b->bitmap, sizeof(bytes), zeros, room) ? -EFAULT : 0;
}

static uint64_t online_mask(void)
{
	return nr_cpus >= 64 ? ~0ULL : BIT(nr_cpus) - 1;
}

static long op_getvcpuinfo(struct call *c)
{
	struct xen_domctl_getvcpuinfo *i = c->arg;
	struct vcpu *v = domain_vcpu(c->d, i->vcpu);
	struct vcpu_runstate_info r;

	if (!v)
		return i->vcpu >= c->d->max_vcpus ? -EINVAL : -ESRCH;
	vcpu_runstate_get(v, &r);
	i->online = !(v->pause_flags & VPF_DOWN);
	i->blocked = !!(v->pause_flags & (VPF_BLOCKED | VPF_DEAF));
	i->running = v->running;
	i->cpu_time = r.time[RUNSTATE_running];
	i->cpu = v->cpu;
	return 0;
}

static long op_setvcpuaffinity(struct call *c)
{
	struct xen_domctl_vcpuaffinity *a = c->arg;
	struct vcpu *v = domain_vcpu(c->d, a->vcpu);
	uint64_t hard, soft;

	if (!v)
		return -EINVAL;
	if (!(a->flags & (XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT)))
		return -EINVAL;
	if (c->d->is_dom0)
		return -EPERM; /* vCPU n is on CPU n: the machine's interrupts go there */
	hard = v->affinity_hard;
	soft = v->affinity_soft;
	if ((a->flags & XEN_VCPUAFFINITY_HARD) && copy_cpumask_from_guest(&hard, &a->cpumap_hard))
		return -EFAULT;
	if ((a->flags & XEN_VCPUAFFINITY_SOFT) && copy_cpumask_from_guest(&soft, &a->cpumap_soft))
		return -EFAULT;
	if (!(hard & online_mask()))
		return -EINVAL;
	sched_set_affinity(v, hard & online_mask(), soft);
	/* What it comes to: the tools compare it with what they asked for. */
	if ((a->flags & XEN_VCPUAFFINITY_HARD) &&
	    copy_cpumask_to_guest(&a->cpumap_hard, hard & online_mask(), nr_cpus))
		return -EFAULT;
	if ((a->flags & XEN_VCPUAFFINITY_SOFT) &&
	    copy_cpumask_to_guest(&a->cpumap_soft, soft & hard & online_mask(), nr_cpus))
		return -EFAULT;
	return 0;
}

static long op_getvcpuaffinity(struct call *c)
{
	struct xen_domctl_vcpuaffinity *a = c->arg;
	struct vcpu *v = domain_vcpu(c->d, a->vcpu);

	if (!v)
		return -EINVAL;
	if ((a->flags & XEN_VCPUAFFINITY_HARD) &&
	    copy_cpumask_to_guest(&a->cpumap_hard, v->affinity_hard, 64))
		return -EFAULT;
	if ((a->flags & XEN_VCPUAFFINITY_SOFT) &&
	    copy_cpumask_to_guest(&a->cpumap_soft, v->affinity_soft, 64))
		return -EFAULT;
	return 0;
}

static long op_setnodeaffinity(struct call *c)
{
	const struct xen_domctl_nodeaffinity *n = c->arg;
	uint64_t nodes;

	if (copy_cpumask_from_guest(&nodes, &n->nodemap))
		return -EFAULT;
	if (!(nodes & 1))
		return -EINVAL; /* there is node 0 only */
	c->d->soft_affinity_nodes = nodes;
	return 0;
}

static long op_getnodeaffinity(struct call *c)
{
	const struct xen_domctl_nodeaffinity *n = c->arg;

	return copy_cpumask_to_guest(&n->nodemap, c->d->soft_affinity_nodes & 1, 1);
}

/* In the form that core dumps have. */
static long op_getvcpucontext(struct call *c)
{
	const struct xen_domctl_vcpucontext *op = c->arg;
	struct vcpu *v = domain_vcpu(c->d, op->vcpu);
	struct vcpu_guest_context *ctx;
	long rc;

	if (!v)
		return -ESRCH;
	if (!published(v->initialised))
		return -ENODATA;
	ctx = xzalloc(struct vcpu_guest_context);
	if (!ctx)
		return -ENOMEM;
	vcpu_pause(v);
	hvm_context_get(v, ctx);
	vcpu_unpause(v);
	rc = copy_to_guest_la(guest_handle_la(op->ctxt), ctx, sizeof(*ctx));
	xfree(ctx);
	return rc;
}

/* How a guest that was suspended learns that it goes on in place: libxc sets RAX, which SCHEDOP_shutdown returns then. */
static long op_setvcpucontext(struct call *c)
{
	const struct xen_domctl_vcpucontext *op = c->arg;
	struct vcpu *v = domain_vcpu(c->d, op->vcpu);
	struct vcpu_guest_context *ctx;
	long rc;

	if (!v || !v->initialised)
		return -EINVAL;
	if (guest_handle_is_null(op->ctxt))
		return -EOPNOTSUPP; /* a reset of the vCPU: nobody asks for it */
	ctx = xzalloc(struct vcpu_guest_context);
	if (!ctx)
		return -ENOMEM;
	rc = copy_from_guest_la(ctx, guest_handle_la(op->ctxt), sizeof(*ctx));
	if (!rc) {
		vcpu_pause(v);
		hvm_context_set(v, ctx);
		vcpu_attention(v, VCPU_ATT_STATE);
		vcpu_unpause(v);
	}
	xfree(ctx);
	return rc;
}

/* --- create ------------------------------------------------------------------------------------ */

#define EMU_PVH XEN_X86_EMU_LAPIC
#define EMU_HVM (XEN_X86_EMU_ALL & ~XEN_X86_EMU_VPCI)
#define CDF_KNOWN                                                                \
	(XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap | XEN_DOMCTL_CDF_s3_integrity | \
	 XEN_DOMCTL_CDF_oos_off | XEN_DOMCTL_CDF_xs_domain)

#define BAD(...) refuse(-EINVAL, __VA_ARGS__)

/* What kind of domain it is to be. The texts name what xl's configuration calls it. */
static long create_check_kind(uint32_t flags)
{
	if (!(flags & XEN_DOMCTL_CDF_hvm))
		return BAD(
			"classic PV guests are not there: type=\"pvh\" starts the same Linux kernel, and with "
			"pvshim=1 one that is PV only");
	if (flags & XEN_DOMCTL_CDF_nested_virt)
		return BAD("virtualization in a guest is not there: take nestedhvm=1 out of the "
			   "configuration");
	if (flags & XEN_DOMCTL_CDF_iommu)
		return BAD("there is no pass-through: take passthrough=, pci= and rdm= out of the "
			   "configuration");
	if (flags & XEN_DOMCTL_CDF_vpmu)
		return BAD("performance counters in a guest are not there: take vpmu out of the "
			   "configuration");
	if ((flags & XEN_DOMCTL_CDF_hap) && !paging_has_nested)
		return BAD("nested paging is not there: take hap=1 out of the configuration");
	if (!(flags & XEN_DOMCTL_CDF_hap) && !paging_has_shadow())
		return BAD(
			"shadow paging needs execute-disable (XD, NX), which this CPU has not: take "
			"hap=0 out of the configuration");
	if (flags & ~CDF_KNOWN)
		return BAD("flags %#x: bits %#x are not known to Xen 4.17", flags,
			   flags & ~CDF_KNOWN);
	return 0;
}

static long create_check_arch(const struct xen_domctl_createdomain *c)
{
	uint32_t emu = c->arch.emulation_flags;

	if (c->iommu_opts)
		return BAD("IOMMU options %#x: there is no pass-through", c->iommu_opts);
	if (emu != EMU_PVH && emu != EMU_HVM && emu != (EMU_HVM & ~XEN_X86_EMU_USE_PIRQ))
		return BAD("emulation flags %#x: PVH domains have %#x, HVM domains %#x", emu,
			   (uint32_t)EMU_PVH, (uint32_t)EMU_HVM);
	if (c->arch.misc_flags & ~XEN_X86_MSR_RELAXED)
		return BAD("architecture flags %#x: msr_relaxed (%#x) is there", c->arch.misc_flags,
			   XEN_X86_MSR_RELAXED);
	if (c->vmtrace_size)
		return BAD("tracing by the processor is not there: take vmtrace_buf_kb= out of the "
			   "configuration");
	if (c->cpupool_id)
		return BAD("pool %u: there is pool 0 only, take pool= out of the configuration",
			   c->cpupool_id);
	return 0;
}

static long create_check(const struct xen_domctl_createdomain *c)
{
	long rc = create_check_kind(c->flags);

	if (!rc)
		rc = create_check_arch(c);
	if (rc)
		return rc;
	if (c->grant_opts & ~XEN_DOMCTL_GRANT_version_mask ||
	    XEN_DOMCTL_GRANT_version(c->grant_opts) > 2)
		return BAD("grant options %#x: max_grant_version is 1 or 2", c->grant_opts);
	if (!c->max_vcpus || c->max_vcpus > MAX_VCPUS)
		return BAD("%u vCPUs: 1 to %u are possible", c->max_vcpus, MAX_VCPUS);
	if (c->max_evtchn_port < 1)
		return BAD(
			"event channels up to %d: at least 1, take max_event_channels= out of the "
			"configuration",
			(int)c->max_evtchn_port);
	return 0;
}

static long op_createdomain(struct call *c)
{
	struct xen_domctl *op = container_of(c->arg, struct xen_domctl, u);
	domid_t id = op->domain;
	struct domain *d;
	long rc = create_check(&op->u.createdomain);
	int err;

	if (rc)
		return rc;
	if (id == 0 || id > DOMID_MAX)
		id = DOMID_INVALID;
	d = domain_create(id, &op->u.createdomain, false, &err);
	if (!d)
		return err;
	op->domain = d->domid;
	return 0;
}

static long op_max_vcpus(struct call *c)
{
	const struct xen_domctl_max_vcpus *m = c->arg;
	struct domain *d = c->d;

	if (d->is_dom0 || m->max != d->max_vcpus)
		return BAD("%u vCPUs: d%u has %u", m->max, d->domid, d->max_vcpus);
	for (unsigned int i = 0; i < m->max; i++) {
		int rc = domain_vcpu(d, i) ? 0 : vcpu_create(d, i);

		if (rc)
			return rc;
		if (hypercall_preempt() && i + 1 < m->max)
			return -ERESTART;
	}
	return 0;
}

/* Of the domain asked for or the next one after it; so tools list domains with it. */
static long op_getdomaininfo(struct call *c)
{
	struct xen_domctl *op = container_of(c->arg, struct xen_domctl, u);
	struct domain *d = domain_get_next(op->domain);

	if (!d)
		return -ESRCH;
	domain_describe(d, &op->u.getdomaininfo);
	op->domain = d->domid;
	domain_put(d);
	return 0;
}

/* --- run and stop ------------------------------------------------------------------------------ */

/* Pauses are counted: libxl pauses for a soft reset once more what it has paused already. */
#define PAUSES_MAX 255U

static long op_pausedomain(struct call *c)
{
	struct domain *d = c->d;
	bool ok;

	spin_lock(&d->lock);
	ok = d->tool_pauses < PAUSES_MAX;
	d->tool_pauses += ok;
	spin_unlock(&d->lock);
	if (!ok)
		return -EOVERFLOW;
	domain_pause(d);
	return 0;
}

static long op_unpausedomain(struct call *c)
{
	struct domain *d = c->d;
	bool ok;

	if (!d->creation_finished && !paging_pool_suffices(d))
		return refuse(-ENOMEM,
			      "d%u: %lu KiB for shadow tables are too small: raise shadow_memory=",
			      d->domid, paging_pool(d) << (PAGE_SHIFT - 10));
	spin_lock(&d->lock);
	ok = d->tool_pauses;
	d->tool_pauses -= ok;
	if (ok && !d->tool_pauses)
		d->creation_finished = true;
	spin_unlock(&d->lock);
	if (!ok)
		return -EINVAL;
	domain_unpause(d);
	return 0;
}

DOES(op_resumedomain, domain, domain_resume(c->d))

static long op_sendtrigger(struct call *c)
{
	const struct xen_domctl_sendtrigger *t = c->arg;
	struct vcpu *v = domain_vcpu(c->d, t->vcpu);
	bool buttons = c->d->hvm.pmtimer;

	switch (t->trigger) {
	case XEN_DOMCTL_SENDTRIGGER_NMI:
		if (!v)
			return -ESRCH;
		hvm_send_nmi(v);
		return 0;
	case XEN_DOMCTL_SENDTRIGGER_POWER:
		if (buttons)
			pmtimer_power_button(c->d);
		return buttons ? 0 : -EINVAL;
	case XEN_DOMCTL_SENDTRIGGER_SLEEP:
		if (buttons)
			pmtimer_sleep_button(c->d);
		return buttons ? 0 : -EINVAL;
	default:
		return -ENOSYS;
	}
}

/* --- scheduler parameters and small things ----------------------------------------------------- */

/* The policies show themselves as schedulers that the tools know: weight and cap, which both of these have, mean the same. */
BUILD_BUG_ON(sizeof(struct xen_domctl_sched_credit) != sizeof(struct xen_domctl_sched_credit2));

static void show_params(struct xen_domctl_scheduler_op *s, const union sched_params *p)
{
	if (s->sched_id == XEN_SCHEDULER_RTDS) {
		s->u.rtds.period = (uint32_t)(p->real_time.period_ns / NS_PER_US);
		s->u.rtds.budget = (uint32_t)(p->real_time.slice_ns / NS_PER_US);
		s->u.rtds.flags = p->real_time.slack ? XEN_DOMCTL_SCHEDRT_extra : 0;
	} else {
		s->u.credit2.weight = (uint16_t)p->share.weight;
		s->u.credit2.cap = (uint16_t)p->share.cap;
	}
}

static void take_params(union sched_params *p, const struct xen_domctl_scheduler_op *s)
{
	if (s->sched_id == XEN_SCHEDULER_RTDS) {
		p->real_time.period_ns = s->u.rtds.period * NS_PER_US;
		p->real_time.slice_ns = s->u.rtds.budget * NS_PER_US;
		p->real_time.slack = s->u.rtds.flags & XEN_DOMCTL_SCHEDRT_extra;
		return;
	}
	if (s->u.credit2.weight)
		p->share.weight = s->u.credit2.weight;
	if (s->u.credit2.cap != 0xffff)
		p->share.cap = s->u.credit2.cap;
}

/* rtds by vCPUs, as xl asks: all of a domain have the same, so what is put for one counts for all. */
static long vcpu_params(struct call *c, bool put)
{
	struct xen_domctl_scheduler_op *s = c->arg, one = { .sched_id = s->sched_id };
	uint64_t la = guest_handle_la(s->u.v.vcpus);
	struct xen_domctl_schedparam_vcpu e;
	union sched_params p;
	long rc = 0;

	if (s->sched_id != XEN_SCHEDULER_RTDS || s->u.v.nr_vcpus > c->d->max_vcpus)
		return -EINVAL;
	for (uint32_t i = 0; i < s->u.v.nr_vcpus && !rc; i++, la += sizeof(e)) {
		if (copy_from_guest_la(&e, la, sizeof(e)))
			return -EFAULT;
		if (!domain_vcpu(c->d, e.vcpuid))
			return -EINVAL;
		sched_get_params(c->d, &p);
		if (put) {
			one.u.rtds = e.u.rtds;
			take_params(&p, &one);
			rc = sched_set_params(c->d, &p);
			continue;
		}
		show_params(&one, &p);
		e.u.rtds = one.u.rtds;
		if (copy_to_guest_la(la, &e, sizeof(e)))
			return -EFAULT;
	}
	return rc;
}

static long op_scheduler_op(struct call *c)
{
	struct xen_domctl_scheduler_op *s = c->arg;
	union sched_params p;

	if (s->sched_id != sched_tool_id())
		return -EINVAL;
	sched_get_params(c->d, &p);
	switch (s->cmd) {
	case XEN_DOMCTL_SCHEDOP_getinfo:
		show_params(s, &p);
		return 0;
	case XEN_DOMCTL_SCHEDOP_putinfo:
		take_params(&p, s);
		return sched_set_params(c->d, &p);
	case XEN_DOMCTL_SCHEDOP_putvcpuinfo:
	case XEN_DOMCTL_SCHEDOP_getvcpuinfo:
		return vcpu_params(c, s->cmd == XEN_DOMCTL_SCHEDOP_putvcpuinfo);
	default:
		return -EINVAL;
	}
}

static long op_settimeoffset(struct call *c)
{
	int64_t seconds = ((struct xen_domctl_settimeoffset *)c->arg)->time_offset_seconds;
	struct domain *d = c->d;

	if (seconds > INT32_MAX || seconds < INT32_MIN)
		return -EINVAL;
	spin_lock(&d->lock);
	d->time_offset_s = seconds;
	time_update_wallclock(d);
	spin_unlock(&d->lock);
	return 0;
}

static long op_setdomainhandle(struct call *c)
{
	const struct xen_domctl_setdomainhandle *h = c->arg;

	spin_lock(&c->d->lock);
	memcpy(c->d->handle, h->handle, sizeof(c->d->handle));
	spin_unlock(&c->d->lock);
	return 0;
}

DOES(op_subscribe, xen_domctl_subscribe, WRITE_ONCE(domain_priv(c->d)->suspend_port, a->port))
DOES(op_set_target, xen_domctl_set_target, domain_priv(c->d)->target_domid = a->target)

#define TSC_MODE_NATIVE 2U
/* What clocks that are disciplined make up for; and what a rate that was measured twice, on a busy machine, may be apart. */
#define TSC_PPM_NOTED 500U
#define TSC_PPM_MAX   10000U

/* How far the rate of an image is from this machine's, in millionths. 0: the caller does not mind. */
static uint64_t tsc_ppm_apart(uint32_t khz)
{
	uint64_t apart = khz > tsc_khz ? khz - tsc_khz : tsc_khz - khz;

	return khz ? apart * 1000000 / tsc_khz : 0;
}

static long op_settscinfo(struct call *c)
{
	const struct xen_domctl_tsc_info *t = c->arg;
	uint64_t apart = tsc_ppm_apart(t->gtsc_khz);
	struct domain *d = c->d;

	if (t->tsc_mode > 2) /* 0 default, 1 always emulate, 2 native; 3 was PVRDTSCP */
		return BAD("tsc_mode %u: \"default\", \"always_emulate\" and \"native\" are there",
			   t->tsc_mode);
	if (apart > TSC_PPM_NOTED)
		printk(LOG_WARN
		       "d%u: it counted with a TSC of %u kHz, and this machine's has %lu\n",
		       d->domid, t->gtsc_khz, tsc_khz);
	if (t->tsc_mode != TSC_MODE_NATIVE && apart > TSC_PPM_MAX)
		return refuse(
			-EOPNOTSUPP,
			"it counted with a TSC of %u kHz, and this machine's has %lu, which is not scaled: with "
			"tsc_mode=\"native\" in its configuration it would go on, if it bears that",
			t->gtsc_khz, tsc_khz);
	spin_lock(&d->lock);
	d->tsc_mode = t->tsc_mode;
	d->tsc_incarnation = t->incarnation;
	spin_unlock(&d->lock);
	return 0;
}

static long op_gettscinfo(struct call *c)
{
	*(struct xen_domctl_tsc_info *)c->arg =
		(struct xen_domctl_tsc_info){ .tsc_mode = c->d->tsc_mode,
					      .gtsc_khz = (uint32_t)tsc_khz,
					      .incarnation = c->d->tsc_incarnation,
					      .elapsed_nsec = now_ns() };
	return 0;
}

/*
 * Without a place for leaves or MSRs the answer is how many there can be, and the other half is given all the same.
 * libxl-save-helper asks before it has a running domain suspended: that is the last moment to say that the image
 * would be of no use while the domain can still go on.
 */
static long op_get_cpu_policy(struct call *c)
{
	struct xen_domctl_cpu_policy *op = c->arg;
	struct domain *d = c->d;
	long rc = 0;

	if (d->creation_finished && d != current_domain() && d->dying == DOMDYING_ALIVE) {
		struct asker who = call_asker(c, 0);

		rc = hvm_stream_begin(d, &who);
		if (!rc)
			rc = hvm_stream_end(d, hvm_restorable(d, &d->hvm.stream));
	}
	if (rc) /* the log has the reason */
		return refusal_expected(rc);
	return policy_to_guest(d->cpu_policy, guest_handle_la(op->leaves), &op->nr_leaves,
			       guest_handle_la(op->msrs), &op->nr_msrs);
}

/* xl's user sees an errno only, and whoever wrote cpuid= wants to know which leaf it was. */
static long op_set_cpu_policy(struct call *c)
{
	struct xen_domctl_cpu_policy *op = c->arg;
	long rc = c->d->is_dom0 ? -EINVAL : policy_set_domain(c->d, op);

	switch (rc) {
	case -EEXIST:
		return refuse(rc, "it has run: CPUID is set while a domain is built");
	case -E2BIG:
		return refuse(rc, "%u leaves and %u MSRs: up to %u and %u are possible",
			      op->nr_leaves, op->nr_msrs, POLICY_MAX_LEAVES, POLICY_MAX_MSRS);
	case -ERANGE:
	case -EINVAL:
		if (op->err_msr != ~0U)
			return refuse(rc, "MSR %#x: 0xce (bit 31) and 0x10a are what a policy has",
				      op->err_msr);
		return refuse(rc,
			      "CPUID leaf %#x, %#x: no such leaf, or one that says more than this "
			      "machine's hvm_max: see cpuid=",
			      op->err_leaf, op->err_subleaf);
	default:
		return rc;
	}
}

ARM(op_destroydomain, domain, domain_kill(c->d))
ARM(op_soft_reset, domain, domain_soft_reset(c->d))

/* Asked whether the device could be given, not whether the domain is there. */
static long op_no_device(struct call *c)
{
	c->about = container_of(c->arg, struct xen_domctl, u)->domain;
	return refuse(-ENODEV, "%s", c->command->takes);
}

/* --- the table --------------------------------------------------------------------------------- */

#define OTHERS "a domain other than the caller's"
#define NO_VMTRACE \
	"tracing by the processor is not there: take vmtrace_buf_kb= out of the configuration"

#define ANY(n, flags, takes) [XEN_DOMCTL_##n] = PLAIN(#n, op_##n, flags, takes)
#define CMD(n, flags, takes) ANY(n, TARGET | (flags), takes)
#define NO(n, err, takes)    [XEN_DOMCTL_##n] = ANSWER(#n, err, TARGET, takes)

static const struct abi_command commands[] = {
	ANY(createdomain, COPYBACK_ALWAYS, "an HVM or PVH domain"),
	CMD(destroydomain, 0, "a domain other than dom0"),
	CMD(pausedomain, NOT_SELF, OTHERS),
	CMD(unpausedomain, NOT_SELF, "a domain other than the caller's that a tool has paused"),
	ANY(getdomaininfo, COPYBACK_ALWAYS, "any domain"),
	CMD(setvcpuaffinity, 0,
	    "a vCPU that is there, hard or soft, with a CPU that is there; dom0's vCPU n stays on CPU n"),
	CMD(shadow_op, NOT_SELF | COPYBACK_ALWAYS,
	    "off, enable (with log-dirty or nothing), enable_logdirty where it is off, clean and peek where it is on, get "
	    "and set allocation; " OTHERS),
	CMD(max_mem, 0, "any amount; for dom0 not less than it has"),
	CMD(setvcpucontext, NOT_SELF, "a vCPU that has been started, of " OTHERS ", and a context"),
	CMD(getvcpucontext, NOT_SELF, "a vCPU of " OTHERS),
	CMD(getvcpuinfo, COPYBACK_ALWAYS, "a vCPU below the domain's number of them"),
	CMD(max_vcpus, 0, "the number that the domain was created with; not for dom0"),
	CMD(scheduler_op, COPYBACK,
	    "the id of the policy, getinfo or putinfo; bvt: weight 1-65535, cap; rrobin: 256, 0; atropos: slice <= period"),
	CMD(setdomainhandle, 0, "any handle"),
	NO(setdebugging, -ENOSYS, "gdbsx is not there: make gdb stops the whole machine instead"),
	NO(irq_permission, -EOPNOTSUPP, NO_PASSTHROUGH),
	NO(iomem_permission, -EOPNOTSUPP, NO_PASSTHROUGH),
	NO(ioport_permission, -EOPNOTSUPP, NO_PASSTHROUGH),
	CMD(hypercall_init, 0, "a frame of the domain's memory"),
	CMD(settimeoffset, 0, "seconds within 32 bits"),
	CMD(getvcpuaffinity, 0, "a vCPU that is there"),
	CMD(resumedomain, NOT_SELF, OTHERS),
	CMD(sendtrigger, 0,
	    "NMI to a vCPU; power and sleep to HVM domains (xl shutdown and xl trigger of PVH guests go by xenstore)"),
	CMD(subscribe, 0, "any port"),
	CMD(gethvmcontext, NOT_SELF | COPYBACK_ALWAYS, OTHERS ", whose state can be restored"),
	CMD(sethvmcontext, NOT_SELF, "records of " OTHERS ", up to 1 MiB, each as it was saved"),
	NO(set_address_size, -ENOSYS, PV_ONLY),
	NO(get_address_size, -ENOSYS, PV_ONLY),
	[XEN_DOMCTL_assign_device] = PLAIN("assign_device", op_no_device, 0, NO_PASSTHROUGH),
	NO(bind_pt_irq, -ENOSYS, NO_PASSTHROUGH),
	NO(memory_mapping, -ENOSYS, NO_PASSTHROUGH),
	NO(ioport_mapping, -ENOSYS, NO_PASSTHROUGH),
	NO(set_ext_vcpucontext, -ENOSYS, PV_ONLY),
	NO(get_ext_vcpucontext, -ENOSYS, PV_ONLY),
	[XEN_DOMCTL_test_assign_device] =
		PLAIN("test_assign_device", op_no_device, 0, NO_PASSTHROUGH),
	CMD(set_target, 0, "a domain"),
	NO(deassign_device, -ENOSYS, NO_PASSTHROUGH),
	NO(unbind_pt_irq, -ENOSYS, NO_PASSTHROUGH),
	NO(get_device_group, -ENOSYS, NO_PASSTHROUGH),
	NO(debug_op, -ENOSYS,
	   "single steps by xl are not there: make gdb stops the whole machine instead"),
	CMD(gethvmcontext_partial, NOT_SELF | PAUSE | COPYBACK_ALWAYS,
	    "a record type and instance that the domain has; " OTHERS),
	NO(vm_event_op, -ENOSYS, NO_MONITOR),
	NO(mem_sharing_op, -ENOSYS, NO_SHARING),
	CMD(gettscinfo, COPYBACK_ALWAYS, "any domain"),
	CMD(settscinfo, 0, "tsc_mode 0 (default), 1 (always emulated) or 2 (native)"),
	CMD(getpageframeinfo3, 0, "up to 1024 frames"),
	NO(setvcpuextstate, -ENOSYS, PV_ONLY ": CPU_XSAVE of sethvmcontext has it"),
	NO(getvcpuextstate, -ENOSYS, PV_ONLY ": CPU_XSAVE of gethvmcontext has it"),
	NO(set_access_required, -ENOSYS, NO_MONITOR),
	NO(audit_p2m, -ENOSYS, "it is for debug builds of Xen"),
	NO(set_virq_handler, -ENOSYS, "dom0 handles all of them"),
	NO(set_broken_page_p2m, -ENOSYS, "machine check errors of memory are not handed on"),
	CMD(setnodeaffinity, 0, "nodes with node 0, the only one"),
	CMD(getnodeaffinity, 0, "any domain"),
	CMD(cacheflush, 0, "any range"),
	NO(get_vcpu_msrs, -ENOSYS, PV_ONLY ": CPU_MSR of gethvmcontext has them"),
	NO(set_vcpu_msrs, -ENOSYS, PV_ONLY ": CPU_MSR of sethvmcontext has them"),
	NO(setvnumainfo, -ENOSYS,
	   "virtual NUMA is not there: take vnuma= out of the configuration"),
	NO(psr_cmt_op, -ENOSYS, NO_PSR),
	NO(monitor_op, -ENOSYS, NO_MONITOR),
	NO(psr_alloc, -ENOSYS, NO_PSR),
	CMD(soft_reset, NOT_SELF, "a domain other than the caller's that has shut down"),
	NO(vuart_op, -ENOSYS, "it is about ARM guests: serial=\"pty\" is what x86 guests have"),
	CMD(get_cpu_policy, COPYBACK_ALWAYS,
	    "a domain whose state can be restored, if it has run: the answer is for its image"),
	CMD(set_cpu_policy, COPYBACK_ALWAYS,
	    "a guest that has not run, leaves and MSRs whose features this machine has"),
	NO(vmtrace_op, -ENOSYS, NO_VMTRACE),
	CMD(get_paging_mempool_size, COPYBACK_ALWAYS, "any domain"),
	CMD(set_paging_mempool_size, 0, "a number of whole pages"),
};

static spinlock_t domctl_lock = SPINLOCK_INIT(LOCK_DOMCTL, "domctl");

const struct abi_family domctl_family = {
	.name = "domctl",
	.commands = commands,
	.nr = ARRAY_SIZE(commands),
	.other = ANSWER(NULL, -ENOSYS, TARGET, NO_SUCH_TOOL_OP),
	.version = XEN_DOMCTL_INTERFACE_VERSION,
	.size = sizeof(struct xen_domctl),
	.arg_at = offsetof(struct xen_domctl, u),
	.lock = &domctl_lock,
};

long abi_domctl(struct call *c)
{
	return call_tool_op(c, &domctl_family);
}
