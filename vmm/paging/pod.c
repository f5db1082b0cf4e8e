// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Populate on demand: a domain that is built for more memory than it gets starts with frames that have no
 * page. One is found for a frame when it is touched, by the guest or by whoever copies to it, out of what the
 * domain may have; the guest's balloon driver gives the rest of the frames back. What the domain has not
 * touched yet stays claimed for it (abi/memory.c). There is no search for zeroed pages to take back: a guest
 * that touches more than its target before its balloon driver runs ends.
 */
#include "domain.h"
#include "mm.h"

bool pod_populate(struct domain *d, gfn_t gfn)
{
	struct page *p = alloc_domain_pages(d, ORDER_4K);
	int rc;

	if (!p)
		return false;
	rc = p2m_fill_pod(d, gfn, page_to_mfn(p));
	if (rc)
		page_drop_claim(p);
	return !rc || rc == -EBUSY;
}
