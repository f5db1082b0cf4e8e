/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The beginning of domains and vCPUs, and the undoing of it, which is also the last step of their end (kill.c). Others
 * find a domain when all of it is there.
 */
#include "hvm_ops.h"
#include "internal.h"
#include "policy.h"
#include "save.h"
#include <xen/domctl.h>

static void domain_init_fields(struct domain *d, const struct xen_domctl_createdomain *cfg,
			       bool is_dom0)
{
	static uint64_t last_serial;
	struct domain_priv *p = domain_priv(d);

	d->serial = is_dom0 ? 0 : __atomic_add_fetch(&last_serial, 1, __ATOMIC_RELAXED);
	d->refs = 1;
	d->last_put = domain_unused;
	list_init(&d->list);
	list_init(&d->page_list);
	list_init(&p->relinquished);
	p->shared_info_gfn = ~0ULL;
	p->target_domid = DOMID_INVALID;
	p->msr_relaxed = cfg->arch.misc_flags & XEN_X86_MSR_RELAXED;
	spin_lock_init(&d->lock, LOCK_DOMAIN, "domain");
	spin_lock_init(&d->page_lock, LOCK_HEAP, "domain pages");
	spin_lock_init(&d->event_lock, LOCK_EVENT, "event");
	spin_lock_init(&d->hvm.irq_lock, LOCK_HVM_IRQ, "hvm irq");
	spin_lock_init(&d->hvm.time_lock, LOCK_HVM_TIME, "hvm time");
	memcpy(d->handle, cfg->handle, sizeof(d->handle));
	d->is_dom0 = is_dom0;
	d->is_pvh = is_dom0 || cfg->arch.emulation_flags == XEN_X86_EMU_LAPIC;
	d->create_flags = cfg->flags;
	d->emulation_flags = cfg->arch.emulation_flags;
	d->max_vcpus = cfg->max_vcpus;
	d->max_evtchn_port = cfg->max_evtchn_port;
	d->max_pages = is_dom0 ? ~0ULL : 0;
	d->soft_affinity_nodes = ~0ULL;
	d->shared_info_64 = true;
	d->tsc_khz = tsc_khz;
	d->creation_finished = is_dom0;
	d->shutdown_code = SHUTDOWN_NO_CODE;
	hvm_stream_init(d);
	d->pause_count = 1; /* until the first unpause */
	d->tool_pauses = 1;
}

void domain_free(struct domain *d)
{
	hvm_domain_fini(d);
	policy_domain_fini(d);
	paging_domain_fini(d);
	grant_fini(d);
	evtchn_fini(d);
	time_domain_fini(d);
	if (d->shared_info_page)
		domain_lent_page_free(d->shared_info_page);
	xfree(d->e820);
	xfree(d->vcpu);
	domid_release(d->domid);
	xfree(domain_priv(d));
}

static int domain_build(struct domain *d, const struct xen_domctl_createdomain *cfg)
{
	int rc;

	d->vcpu = xzalloc_array(struct vcpu *, d->max_vcpus);
	d->shared_info_page = domain_lent_page_alloc(d);
	if (!d->vcpu || !d->shared_info_page)
		return -ENOMEM;
	d->shared_info = page_to_virt(d->shared_info_page);
	time_domain_init(d);
	rc = evtchn_init(d, d->max_evtchn_port);
	if (!rc)
		rc = grant_init(
			d, cfg->max_grant_frames < 0 ? 0 : (unsigned int)cfg->max_grant_frames,
			cfg->max_maptrack_frames < 0 ? 0 : (unsigned int)cfg->max_maptrack_frames);
	if (!rc)
		rc = policy_domain_init(d);
	if (!rc)
		rc = p2m_init(d);
	if (!rc)
		rc = hvm_domain_init(d);
	return rc;
}

struct domain *domain_create(domid_t id, const struct xen_domctl_createdomain *cfg, bool is_dom0,
			     int *err)
{
	struct domain_priv *p;
	struct domain *d;
	int rc;

	*err = -EINVAL;
	if (!cfg->max_vcpus || cfg->max_vcpus > MAX_VCPUS)
		return NULL;
	*err = -ENOMEM;
	p = xzalloc(struct domain_priv);
	if (!p)
		return NULL;
	d = &p->d;
	domain_init_fields(d, cfg, is_dom0);
	rc = domid_reserve(is_dom0 ? 0 : id, &d->domid);
	if (rc) {
		xfree(p);
		*err = rc;
		return NULL;
	}
	rc = domain_build(d, cfg);
	if (rc) {
		p2m_hide(d);
		while (p2m_teardown(d) == -ERESTART)
			; /* a few tables */
		domain_free(d);
		*err = rc;
		return NULL;
	}
	domlist_insert(d);
	/* Whoever set the clock while d was built did not find it. */
	spin_lock(&d->lock);
	time_update_wallclock(d);
	spin_unlock(&d->lock);
	if (is_dom0)
		publish(dom0, d);
	*err = 0;
	return d;
}

static int vcpu_build(struct vcpu *v)
{
	int rc = sched_vcpu_init(v);

	if (!rc)
		rc = hvm_vcpu_init(v);
	return rc;
}

void vcpu_free(struct vcpu *v)
{
	hvm_vcpu_fini(v);
	time_vcpu_fini(v);
	sched_vcpu_fini(v);
	xfree(v);
}

int vcpu_create(struct domain *d, unsigned int id)
{
	struct vcpu *v;
	int rc;

	if (id >= d->max_vcpus || READ_ONCE(d->dying))
		return -EINVAL;
	if (d->vcpu[id])
		return -EEXIST;
	v = xzalloc(struct vcpu);
	if (!v)
		return -ENOMEM;
	v->id = id;
	v->domain = d;
	v->pause_flags = VPF_DOWN;
	v->runstate_gpa = v->time_info_gpa = _gpa(~0ULL);
	time_vcpu_init(v);
	evtchn_vcpu_init(v);
	rc = vcpu_build(v);
	if (rc) {
		vcpu_free(v);
		return rc;
	}
	publish(d->vcpu[id], v);
	return 0;
}
