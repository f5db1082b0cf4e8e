/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * References on a domain as the owner of pages. They are held by the list of domains (dropped at the end of
 * domain_kill), by foreign and grant mappings of its pages, and by whoever looked it up. What follows the last one is
 * vmm/life's, by the hook that it left in the domain.
 */
#include "domain.h"

bool domain_get(struct domain *d)
{
	int refs = __atomic_load_n(&d->refs, __ATOMIC_RELAXED);

	while (refs > 0)
		if (__atomic_compare_exchange_n(&d->refs, &refs, refs + 1, false, __ATOMIC_ACQUIRE,
						__ATOMIC_RELAXED))
			return true;
	return false;
}

void domain_put(struct domain *d)
{
	if (__atomic_sub_fetch(&d->refs, 1, __ATOMIC_ACQ_REL))
		return;
	BUG_ON(d->is_dom0 || d->is_idle);
	d->last_put(d);
}
