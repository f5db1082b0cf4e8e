/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a vCPU's vcpu_info lies: its slot in shared info (vCPUs 0-31), else a dummy that nobody sees,
 * or the place that the guest registered, which stays for the life of the domain.
 */
#include "event_private.h"

/* Written by all vCPUs without a vcpu_info and read by nobody. */
static struct vcpu_info dummy_info;

void evtchn_vcpu_init(struct vcpu *v)
{
	v->info = v->id < XEN_LEGACY_MAX_VCPUS ? &v->domain->shared_info->vcpu_info[v->id]
					       : &dummy_info;
	v->time_info_ns = 0;
}

int vcpu_info_register(struct vcpu *v, gfn_t gfn, unsigned int offset)
{
	struct domain *d = v->domain;
	struct vcpu_info *info;
	struct page *p;
	bool was_dummy;

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
	 * The slot in shared info was exact: taken over as it is. The dummy was not: let the guest look at
	 * everything once.
	 */
	if (v->info == &dummy_info) {
		memset(info, 0, sizeof(*info));
		memset((uint8_t *)info + (d->shared_info_64 ? 8 : 4), 0xff,
		       d->shared_info_64 ? 8 : 4);
	} else {
		memcpy(info, v->info, sizeof(*info));
	}
	was_dummy = v->info == &dummy_info;
	v->info_page = p;
	v->info = info;
	v->time_info_ns = 0;
	if (was_dummy)
		evtchn_mark_vcpu(v);
	spin_unlock(&d->event_lock);
	return 0;
}

void vcpu_info_unregister(struct vcpu *v)
{
	struct page *p;

	spin_lock(&v->domain->event_lock);
	p = v->info_page;
	v->info_page = NULL;
	evtchn_vcpu_init(v);
	spin_unlock(&v->domain->event_lock);
	if (p)
		page_put(p);
}
