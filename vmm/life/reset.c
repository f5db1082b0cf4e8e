// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * XEN_DOMCTL_soft_reset (xen/domctl.h): a domain that shut down with SHUTDOWN_soft_reset wants its connections to the
 * outside undone and to go on, with its memory and vCPUs as they are, behind that hypercall: its kernel then jumps
 * into the next one. Ports, registered areas, timers, mappings of others' grants and the device model's servers go;
 * shared info becomes as in a new domain, and memory again where it was mapped. What the guest has granted stays in its
 * table, as with Xen: the tools do not enter the console's and the store's entries anew. So do HVM parameters.
 */
#include "vmm/hvm/hvm.h"
#include "physmap.h"
#include "vmm/domain/domain.h"

/* What the kernel had registered for one vCPU would be written to in the next kernel's memory. */
static void forget_vcpu(struct vcpu *v)
{
	v->runstate_gpa = _gpa(~0ULL);
	v->time_info_gpa = _gpa(~0ULL);
	time_set_periodic(v, 0);
	timer_stop(&v->singleshot);
	vcpu_info_unregister(v);
}

/* Until others have stopped looking at the areas that were registered; then their pages are given back. */
static int release_areas(struct domain *d)
{
	struct domain_priv *p = domain_priv(d);
	struct vcpu *v;

	if (!p->grace.nr)
		p->grace = grace_start();
	if (!grace_over(p->grace))
		return -ERESTART;
	for_each_vcpu(d, v)
		vcpu_info_release(v);
	return 0;
}

/* The next kernel must not take old events, masks or selectors for its own. */
static void clear_shared_info(struct domain *d)
{
	spin_lock(&d->event_lock);
	memset(d->shared_info, 0, PAGE_SIZE);
	spin_unlock(&d->event_lock);
	spin_lock(&d->lock);
	WRITE_ONCE(domain_priv(d)->suspend_port, 0);
	time_update_wallclock(d);
	spin_unlock(&d->lock);
}

long domain_soft_reset(struct domain *d)
{
	struct domain_priv *p = domain_priv(d);
	bool ready, first;
	struct vcpu *v;
	int rc;

	spin_lock(&d->lock);
	ready = d->shut_down && d->dying == DOMDYING_ALIVE;
	first = ready && !p->soft_reset_begun;
	p->soft_reset_begun = ready;
	spin_unlock(&d->lock);
	if (!ready)
		return -EINVAL;
	if (first) {
		hvm_devices_disconnect(d);
		evtchn_reset_anew(d); /* the guest may have stopped in the middle of one */
		p->grace.nr = 0;
	}
	rc = evtchn_reset(d);
	if (!rc)
		rc = grant_release_maps(d);
	if (rc)
		return rc;
	for_each_vcpu(d, v)
		forget_vcpu(v);
	rc = release_areas(d);
	if (rc)
		return rc;
	rc = physmap_replace_shared_info(d);
	if (rc)
		return rc;
	clear_shared_info(d);
	printk(LOG_INFO "d%u: soft reset\n", d->domid);
	domain_resume(d);
	return 0;
}
