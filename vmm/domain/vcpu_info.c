/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a vCPU's vcpu_info lies: its slot in shared info (vCPUs 0-31), else one of its own that nobody sees,
 * or the place that the guest registered, which stays for the life of the domain. Readers take no lock.
 */
#include "internal.h"

void evtchn_vcpu_init(struct vcpu *v)
{
	publish(v->info, v->id < XEN_LEGACY_MAX_VCPUS ? &v->domain->shared_info->vcpu_info[v->id]
						      : &v->unseen_info);
	WRITE_ONCE(v->time_info_ns, 0);
}

int vcpu_info_register(struct vcpu *v, gfn_t gfn, unsigned int offset)
{
	struct domain *d = v->domain;
	struct vcpu_info *info;
	struct page *p;
	bool unseen;

	if (offset > PAGE_SIZE - sizeof(*info) || (offset & 7))
		return -EINVAL;
	p = p2m_get_own_page(d, gfn);
	if (!p)
		return -EINVAL;
	info = (struct vcpu_info *)((uint8_t *)page_to_virt(p) + offset);

	spin_lock(&d->event_lock);
	if (v->info_page) {
		spin_unlock(&d->event_lock);
		page_put(p);
		return -EINVAL;
	}
	/*
	 * The slot in shared info was exact: taken over as it is. The unseen one was not, as nobody cleared it: let
	 * the guest look at everything once.
	 */
	unseen = v->info == &v->unseen_info;
	if (unseen) {
		memset(info, 0, sizeof(*info));
		memset((uint8_t *)info + (d->shared_info_64 ? 8 : 4), 0xff,
		       d->shared_info_64 ? 8 : 4);
	} else {
		memcpy(info, v->info, sizeof(*info));
	}
	v->info_page = p;
	publish(v->info, info);
	WRITE_ONCE(v->time_info_ns, 0);
	if (unseen)
		evtchn_mark_vcpu(v);
	spin_unlock(&d->event_lock);
	return 0;
}

void vcpu_info_unregister(struct vcpu *v)
{
	spin_lock(&v->domain->event_lock);
	evtchn_vcpu_init(v);
	spin_unlock(&v->domain->event_lock);
}

void vcpu_info_release(struct vcpu *v)
{
	struct page *p;

	spin_lock(&v->domain->event_lock);
	p = v->info_page;
	v->info_page = NULL;
	spin_unlock(&v->domain->event_lock);
	if (p)
		page_put(p);
}
