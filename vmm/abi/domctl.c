/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HYPERVISOR_domctl (xen/domctl.h): life and description of domains. vCPUs are in domctl_vcpu.c, memory in
 * domctl_mem.c, saved state in domctl_hvmctx.c, the soft reset in domctl_reset.c. One domctl at a time; a caller that finds the lock taken
 * comes back. Only dom0 gets here, but what it passes is checked as anyone's.
 */
#include "handlers.h"
#include "hvm_ops.h"
#include "policy.h"
#include "refuse.h"
#include "save.h"
#include "sched.h"
#include "stretch.h"
#include <xen/domctl.h>

static spinlock_t domctl_lock = SPINLOCK_INIT(LOCK_DOMCTL, "domctl");

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
	if (!(flags & XEN_DOMCTL_CDF_hap))
		return BAD("shadow paging is not there: take hap=0 out of the configuration");
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

static long op_createdomain(struct xen_domctl *op)
{
	struct xen_domctl_createdomain *c = &op->u.createdomain;
	domid_t id = op->domain;
	struct domain *d;
	long rc = create_check(c);
	int err;

	if (rc)
		return rc;
	if (id == 0 || id > DOMID_MAX)
		id = DOMID_INVALID;
	d = domain_create(id, c, false, &err);
	if (!d)
		return err;
	op->domain = d->domid;
	return 0;
}

static long op_max_vcpus(struct domain *d, unsigned int max)
{
	if (d->is_dom0 || max != d->max_vcpus)
		return BAD("%u vCPUs: d%u has %u", max, d->domid, d->max_vcpus);
	for (unsigned int i = 0; i < max; i++) {
		int rc = domain_vcpu(d, i) ? 0 : vcpu_create(d, i);

		if (rc)
			return rc;
		if (hypercall_preempt() && i + 1 < max)
			return -ERESTART;
	}
	return 0;
}

/* --- describe ---------------------------------------------------------------------------------- */

static uint32_t vcpus_info(struct domain *d, struct xen_domctl_getdomaininfo *info)
{
	uint32_t flags = XEN_DOMINF_blocked;
	struct vcpu *v;

	info->max_vcpu_id = XEN_INVALID_MAX_VCPU_ID;
	for_each_vcpu(d, v) {
		struct vcpu_runstate_info r;

		vcpu_runstate_get(v, &r);
		info->cpu_time += r.time[RUNSTATE_running];
		info->max_vcpu_id = v->id;
		if (v->pause_flags & VPF_DOWN)
			continue;
		info->nr_online_vcpus++;
		if (!(v->pause_flags & VPF_BLOCKED))
			flags &= ~XEN_DOMINF_blocked;
		if (v->running)
			flags |= XEN_DOMINF_running;
	}
	return flags;
}

void domctl_fill_info(struct domain *d, struct xen_domctl_getdomaininfo *info)
{
	memset(info, 0, sizeof(*info));
	info->domain = d->domid;
	info->flags = vcpus_info(d, info) | XEN_DOMINF_hvm_guest | XEN_DOMINF_hap;
	if (READ_ONCE(d->dying) != DOMDYING_ALIVE)
		info->flags |= XEN_DOMINF_dying;
	if (READ_ONCE(d->shut_down))
		info->flags |= XEN_DOMINF_shutdown;
	if (READ_ONCE(d->tool_pauses))
		info->flags |= XEN_DOMINF_paused;
	if (d->create_flags & XEN_DOMCTL_CDF_xs_domain)
		info->flags |= XEN_DOMINF_xs_domain;
	if (published(d->shutting_down))
		info->flags |= (READ_ONCE(d->shutdown_code) & XEN_DOMINF_shutdownmask)
			       << XEN_DOMINF_shutdownshift;
	else
		info->flags |= XEN_DOMINF_shutdownmask << XEN_DOMINF_shutdownshift;
	spin_lock(&d->page_lock);
	info->tot_pages = d->tot_pages;
	info->max_pages = d->max_pages;
	info->outstanding_pages = d->outstanding_pages;
	spin_unlock(&d->page_lock);
	info->shared_info_frame = domain_priv(d)->shared_info_gfn;
	spin_lock(&d->lock);
	memcpy(info->handle, d->handle, sizeof(info->handle));
	spin_unlock(&d->lock);
	info->gpaddr_bits = (uint8_t)host_cpu.phys_bits;
	info->arch_config.emulation_flags = d->emulation_flags;
	info->arch_config.misc_flags = domain_priv(d)->msr_relaxed ? XEN_X86_MSR_RELAXED : 0;
}

/* Of the domain asked for or the next one after it; so tools list domains with it. */
static long op_getdomaininfo(struct xen_domctl *op)
{
	struct domain *d = domain_get_next(op->domain);

	if (!d)
		return -ESRCH;
	domctl_fill_info(d, &op->u.getdomaininfo);
	op->domain = d->domid;
	domain_put(d);
	return 0;
}

/* --- run and stop ------------------------------------------------------------------------------ */

/* Pauses are counted: libxl pauses for a soft reset once more what it has paused already. */
#define PAUSES_MAX 255U

static long op_pause(struct domain *d)
{
	bool ok;

	if (d == current_domain())
		return -EINVAL;
	spin_lock(&d->lock);
	ok = d->tool_pauses < PAUSES_MAX;
	d->tool_pauses += ok;
	spin_unlock(&d->lock);
	if (!ok)
		return -EOVERFLOW;
	domain_pause(d);
	return 0;
}

static long op_unpause(struct domain *d)
{
	bool ok;

	if (d == current_domain())
		return -EINVAL;
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

static long op_resume(struct domain *d)
{
	if (d == current_domain())
		return -EINVAL;
	domain_resume(d);
	return 0;
}

static long op_sendtrigger(struct domain *d, const struct xen_domctl_sendtrigger *t)
{
	struct vcpu *v = domain_vcpu(d, t->vcpu);

	switch (t->trigger) {
	case XEN_DOMCTL_SENDTRIGGER_NMI:
		if (!v)
			return -ESRCH;
		v->hvm.nmi_pending = true;
		vcpu_wake(v, VCPU_ATT_NMI);
		return 0;
	case XEN_DOMCTL_SENDTRIGGER_POWER:
		if (!d->hvm.pmtimer)
			return -EINVAL;
		pmtimer_power_button(d);
		return 0;
	case XEN_DOMCTL_SENDTRIGGER_SLEEP:
		if (!d->hvm.pmtimer)
			return -EINVAL;
		pmtimer_sleep_button(d);
		return 0;
	default:
		return -ENOSYS;
	}
}

static long op_destroy(struct domain *d)
{
	return domain_kill(d);
}

/* --- scheduler parameters and small things ----------------------------------------------------- */

/* The policies show themselves as credit2, which the tools know: weight and cap mean the same. */
static long op_scheduler(struct domain *d, struct xen_domctl_scheduler_op *s, bool *copyback)
{
	struct sched_params p;

	if (s->sched_id != XEN_SCHEDULER_CREDIT2)
		return -EINVAL;
	sched_get_params(d, &p);
	if (s->cmd == XEN_DOMCTL_SCHEDOP_getinfo) {
		s->u.credit2.weight = (uint16_t)p.weight;
		s->u.credit2.cap = (uint16_t)p.cap;
		*copyback = true;
		return 0;
	}
	if (s->cmd != XEN_DOMCTL_SCHEDOP_putinfo)
		return -EINVAL;
	if (s->u.credit2.weight)
		p.weight = s->u.credit2.weight;
	if (s->u.credit2.cap != 0xffff)
		p.cap = s->u.credit2.cap;
	return sched_set_params(d, &p);
}

static long op_settimeoffset(struct domain *d, int64_t seconds)
{
	if (seconds > INT32_MAX || seconds < INT32_MIN)
		return -EINVAL;
	spin_lock(&d->lock);
	d->time_offset_s = seconds;
	time_update_wallclock(d);
	spin_unlock(&d->lock);
	return 0;
}

static long op_settscinfo(struct domain *d, const struct xen_domctl_tsc_info *t)
{
	if (t->tsc_mode > 2) /* 0 default, 1 always emulate, 2 native; 3 was PVRDTSCP */
		return BAD("tsc_mode %u: \"default\", \"always_emulate\" and \"native\" are there",
			   t->tsc_mode);
	if (t->gtsc_khz && t->gtsc_khz != tsc_khz)
		printk(LOG_WARN "d%u: TSC of %u kHz asked for, %lu kHz is what it gets\n", d->domid,
		       t->gtsc_khz, tsc_khz);
	spin_lock(&d->lock);
	d->tsc_mode = t->tsc_mode;
	d->tsc_incarnation = t->incarnation;
	spin_unlock(&d->lock);
	return 0;
}

static void op_gettscinfo(struct domain *d, struct xen_domctl_tsc_info *t)
{
	t->tsc_mode = d->tsc_mode;
	t->gtsc_khz = (uint32_t)tsc_khz;
	t->incarnation = d->tsc_incarnation;
	t->pad = 0;
	t->elapsed_nsec = now_ns();
}

/*
 * Without a place for leaves or MSRs the answer is how many there can be, and the other half is given all the same.
 * libxl-save-helper asks before it has a running domain suspended: that is the last moment to say that the image
 * would be of no use while the domain can still go on.
 */
static long op_get_cpu_policy(struct domain *d, struct xen_domctl_cpu_policy *op)
{
	long rc = 0;

	if (d->creation_finished && d != current_domain() && d->dying == DOMDYING_ALIVE)
		rc = hvm_restorable(d);
	if (rc) /* the log has the reason */
		return refusal_expected(rc);
	return policy_to_guest(d->cpu_policy, guest_handle_la(op->leaves), &op->nr_leaves,
			       guest_handle_la(op->msrs), &op->nr_msrs);
}

/* xl's user sees an errno only, and whoever wrote cpuid= wants to know which leaf it was. */
static long op_set_cpu_policy(struct domain *d, struct xen_domctl_cpu_policy *op)
{
	long rc = d->is_dom0 ? -EINVAL : policy_set_domain(d, op);

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

static long domctl_on_domain(struct domain *d, struct xen_domctl *op, bool *copyback)
{
	switch (op->cmd) {
	case XEN_DOMCTL_destroydomain:
		return op_destroy(d);
	case XEN_DOMCTL_pausedomain:
		return op_pause(d);
	case XEN_DOMCTL_unpausedomain:
		return op_unpause(d);
	case XEN_DOMCTL_resumedomain:
		return op_resume(d);
	case XEN_DOMCTL_soft_reset:
		return domctl_soft_reset(d);
	case XEN_DOMCTL_max_vcpus:
		return op_max_vcpus(d, op->u.max_vcpus.max);
	case XEN_DOMCTL_sendtrigger:
		return op_sendtrigger(d, &op->u.sendtrigger);
	case XEN_DOMCTL_scheduler_op:
		return op_scheduler(d, &op->u.scheduler_op, copyback);
	case XEN_DOMCTL_setdomainhandle:
		spin_lock(&d->lock);
		memcpy(d->handle, op->u.setdomainhandle.handle, sizeof(d->handle));
		spin_unlock(&d->lock);
		return 0;
	case XEN_DOMCTL_settimeoffset:
		return op_settimeoffset(d, op->u.settimeoffset.time_offset_seconds);
	case XEN_DOMCTL_settscinfo:
		return op_settscinfo(d, &op->u.tsc_info);
	case XEN_DOMCTL_gettscinfo:
		op_gettscinfo(d, &op->u.tsc_info);
		*copyback = true;
		return 0;
	case XEN_DOMCTL_get_cpu_policy:
		*copyback = true;
		return op_get_cpu_policy(d, &op->u.cpu_policy);
	case XEN_DOMCTL_set_cpu_policy:
		*copyback = true;
		return op_set_cpu_policy(d, &op->u.cpu_policy);
	case XEN_DOMCTL_subscribe:
		WRITE_ONCE(domain_priv(d)->suspend_port, op->u.subscribe.port);
		return 0;
	case XEN_DOMCTL_set_target:
		domain_priv(d)->target_domid = op->u.set_target.target;
		return 0;
	default:
		return -ENOSYS;
	}
}

static long domctl_one(struct vcpu *v, struct xen_domctl *op, bool *copyback)
{
	struct domain *d;
	long rc;

	if (op->cmd == XEN_DOMCTL_createdomain || op->cmd == XEN_DOMCTL_getdomaininfo) {
		*copyback = true;
		return op->cmd == XEN_DOMCTL_createdomain ? op_createdomain(op)
							  : op_getdomaininfo(op);
	}
	if (op->cmd == XEN_DOMCTL_test_assign_device || op->cmd == XEN_DOMCTL_assign_device)
		return refuse(-ENODEV, "%s", domctl_family.commands[op->cmd].takes);
	d = domain_get_for_op(op->domain);
	if (!d)
		return -ESRCH;
	rc = domctl_on_domain(d, op, copyback);
	if (rc == -ENOSYS)
		rc = domctl_vcpu(d, op, copyback);
	if (rc == -ENOSYS)
		rc = domctl_mem(v, d, op, copyback);
	if (rc == -ENOSYS)
		rc = domctl_hvmctx(d, op, copyback);
	domain_put(d);
	return rc;
}

long abi_domctl(struct vcpu *v, const struct hypercall_args *args)
{
	bool copyback = false;
	struct xen_domctl op;
	long rc;

	if (!v->domain->is_dom0)
		return -EPERM;
	if (copy_from_guest_la(&op, args->a[0], sizeof(op)))
		return -EFAULT;
	refusal_begin(&domctl_family, op.cmd,
		      op.cmd == XEN_DOMCTL_createdomain ? DOMID_INVALID : op.domain);
	if (op.interface_version != XEN_DOMCTL_INTERFACE_VERSION)
		return refuse(-EACCES, "interface version %#x: %#x is that of Xen 4.17's tools",
			      op.interface_version, XEN_DOMCTL_INTERFACE_VERSION);
	if (!spin_trylock(&domctl_lock))
		return -ERESTART;
	stretch_doing("domctl", op.cmd);
	rc = domctl_one(v, &op, &copyback);
	spin_unlock(&domctl_lock);
	refusal_end(rc, &op.u, sizeof(op.u));
	if (copyback && copy_to_guest_la(args->a[0], &op, sizeof(op)))
		rc = -EFAULT;
	return rc;
}
