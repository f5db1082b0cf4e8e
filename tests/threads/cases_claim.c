// SPDX-License-Identifier: GPL-2.0-or-later
/* Memory that a domain gets while a tool claims the rest of it: what it has and what is claimed is never too much. */
#include "threads.h"
#include <xen/memory.h>

#define A      DOMID_A
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

/* --- two vCPUs that want blocks of different sizes, which are made ready in pieces ----------------- */

#define BLOCKS 3U

static void populates(struct vcpu *v, unsigned int n, unsigned int order)
{
	struct xen_memory_reservation r = { .nr_extents = 1,
					    .extent_order = order,
					    .domid = DOMID_SELF };
	uint64_t *list = list_page(v);

	list[0] = (BLOCKS * v->id + n + 1) << 9;
	guest_handle_set(r.extent_start, list_la(v));
	call_op(v, __HYPERVISOR_memory_op, XENMEM_populate_physmap, &r, sizeof(r));
}

static bool populates_large(struct vcpu *v, unsigned int n)
{
	if (n < BLOCKS)
		populates(v, n, 8);
	return n < BLOCKS; /* once more when the last call is done */
}

static bool populates_small(struct vcpu *v, unsigned int n)
{
	if (n < BLOCKS)
		populates(v, n, 6);
	return n < BLOCKS;
}

static bool sees_nothing_undone(struct vcpu *v, unsigned int n)
{
	struct domain *d = dom(A);

	(void)v;
	(void)n;
	spin_lock(&d->lock);
	EXPECT(d->stock.dropped, == 0);
	spin_unlock(&d->lock);
	return true;
}

RACE(populate_two_orders, 20)
{
	struct domain *d = dom(A);

	d->max_pages = GUEST_RAM + BLOCKS * (256 + 64);
	RACE_ACTS({ A, 0, 1, populates_large, false }, { A, 1, 2, populates_small, false },
		  { 0, 0, 0, sees_nothing_undone, true });
	EXPECT(d->tot_pages, == GUEST_RAM + BLOCKS * (256 + 64));
}
