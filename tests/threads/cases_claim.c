// SPDX-License-Identifier: GPL-2.0-or-later
/* Memory that a domain gets while a tool claims the rest of it: what it has and what is claimed is never too much. */
#include "threads.h"
#include <xen/memory.h>

#define B      DOMID_B
#define TARGET (GUEST_RAM + 100U)
#define MORE   80U
#define CLAIMS 40U

static uint64_t has_and_claimed(struct domain *d)
{
	uint64_t n;

	spin_lock(&d->page_lock);
	n = d->tot_pages + d->outstanding_pages;
	spin_unlock(&d->page_lock);
	return n;
}

static long claim(struct vcpu *v, uint64_t pages)
{
	struct xen_memory_reservation r = { .nr_extents = pages, .domid = B };

	return call_op(v, __HYPERVISOR_memory_op, XENMEM_claim_pages, &r, sizeof(r));
}

static void frames_on_demand(struct vcpu *v)
{
	struct xen_memory_reservation r = { .nr_extents = MORE,
					    .mem_flags = XENMEMF_populate_on_demand,
					    .domid = B };
	uint64_t *list = list_page(v);

	for (unsigned int i = 0; i < MORE; i++)
		list[i] = FIRST_HOLE + i;
	guest_handle_set(r.extent_start, list_la(v));
	call_op(v, __HYPERVISOR_memory_op, XENMEM_populate_physmap, &r, sizeof(r));
}

static bool claims(struct vcpu *v, unsigned int n)
{
	if (!n) {
		frames_on_demand(v);
		return true;
	}
	if (!claim(v, TARGET))
		EXPECT(has_and_claimed(dom(B)), == TARGET);
	claim(v, 0);
	return n < CLAIMS;
}

/* The guest touches frames that have no page yet, some time after it may. */
static bool touches(struct vcpu *v, unsigned int n)
{
	struct npt_fault f = { .gpa = _gpa((FIRST_HOLE + n % MORE) << PAGE_SHIFT), .write = true };

	p2m_fault(v, &f);
	return n < 2 * MORE;
}

RACE(claim_touch, 40)
{
	RACE_ACTS({ 0, 0, 0, claims, false }, { B, 0, 1, touches, false });
}
