// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Populate on demand (paging/pod.c): a guest that touches more frames than it may have pages. Pages of zeros serve
 * again for other frames; what holds something, or is in use by somebody, stays where it is.
 */
#include "cases.h"
#include "guest_access.h"
#include "hvm_ops.h"
#include <xen/memory.h>

#define B	  DOMID_B
#define POD_FIRST FIRST_HOLE
#define POD_NR	  500U /* more than GUEST_MAX */
#define POD_END	  (POD_FIRST + POD_NR)
#define PATTERN	  0xa5a5000000000000ULL

static void (*on_flush)(struct domain *d);

static void flush(struct domain *d)
{
	void (*now)(struct domain * d) = on_flush;

	on_flush = NULL;
	if (now)
		now(d);
}

/* The guest touches a frame until it has memory there; NULL: the guest has been ended for it. */
static uint64_t *touch(uint64_t gfn)
{
	struct domain *d = dom(B);
	struct npt_fault f = { .gpa = _gpa(gfn << PAGE_SHIFT), .write = true };

	for (unsigned int tries = 0; p2m_get(d, _gfn(gfn)).type == P2M_POD; tries++) {
		BUG_ON(tries > 100);
		EXPECT(p2m_fault(d->vcpu[0], &f), == true);
		if (d->shutting_down)
			return NULL;
	}
	return guest_page(B, gfn);
}

static struct domain *guest_on_demand(void)
{
	change_machine(&fake_hvm_ops);
	machine_on_flush = flush;
	on_flush = NULL;
	/* What the guest has already is full. */
	for (uint64_t gfn = 0; gfn < GUEST_RAM; gfn++)
		*(uint64_t *)guest_page(B, gfn) |= 1;
	EXPECT(populate_on_demand(B, POD_FIRST, POD_NR), == POD_NR);
	EXPECT(dom(B)->tot_pages, == GUEST_RAM);
	return dom(B);
}

static void done(void)
{
	check_machine();
	change_machine(&fake_hvm_ops);
}

/* As Windows does at its start; then some of it is used. */
CASE(guest_clears_more_than_it_has)
{
	struct domain *d = guest_on_demand();
	uint64_t *p, word;

	for (uint64_t gfn = POD_FIRST; gfn < POD_END; gfn++) {
		p = touch(gfn);
		EXPECT(p && !p[0] && !p[511], == true);
		if (p && gfn % 4 == 0)
			p[gfn % 512] = PATTERN | gfn;
	}
	EXPECT(d->tot_pages, == GUEST_MAX);
	EXPECT(d->shutting_down, == false);
	check_machine();
	for (uint64_t gfn = POD_FIRST; gfn < POD_END; gfn++) {
		word = 1;
		EXPECT(guest_phys_read(d, _gpa((gfn << PAGE_SHIFT) + gfn % 512 * 8), &word, 8),
		       == 0);
		EXPECT(word, == (long)(gfn % 4 ? 0 : PATTERN | gfn));
	}
	done();
}

CASE(copies_find_memory_on_demand_too)
{
	struct domain *d = guest_on_demand();
	uint64_t zero[8] = { 0 };

	for (uint64_t gfn = POD_FIRST; gfn < POD_END; gfn++)
		EXPECT(guest_phys_write(d, _gpa((gfn << PAGE_SHIFT) + 4064), zero, 64),
		       == (gfn == POD_END - 1 ? -EFAULT : 0)); /* the last one runs over the end */
	EXPECT(d->tot_pages, == GUEST_MAX);
	done();
}

CASE(guest_with_full_memory_ends)
{
	struct domain *d = guest_on_demand();
	uint64_t *p, gfn, word = 1;

	for (gfn = POD_FIRST; (p = touch(gfn)) != NULL; gfn++)
		p[511] = 1;
	EXPECT(gfn, == POD_FIRST + GUEST_MAX - GUEST_RAM);
	EXPECT(d->shutdown_code, == SHUTDOWN_crash);
	EXPECT(!!strstr(d->crash_reason, "on demand"), == true);
	EXPECT(guest_phys_write(d, _gpa(gfn << PAGE_SHIFT), &word, 8), == -EFAULT);
	EXPECT(dom(DOMID_A)->shutting_down, == false);
	done();
}

/* Zeros, but a device model has it mapped, or a vCPU's information is kept there. */
CASE(pages_in_use_are_not_taken)
{
	struct domain *d = guest_on_demand();
	struct page *held;
	mfn_t mfn;

	touch(POD_FIRST);
	held = p2m_get_page(d, _gfn(POD_FIRST), true, NULL);
	mfn = page_to_mfn(held);
	for (uint64_t gfn = POD_FIRST + 1; gfn < POD_END; gfn++)
		touch(gfn);
	EXPECT(mfn_eq(p2m_get(d, _gfn(POD_FIRST)).mfn, mfn), == true);
	*(uint64_t *)page_to_virt(held) = PATTERN;
	page_put(held);
	EXPECT(*touch(POD_FIRST), == (long)PATTERN);
	done();
}

static uint64_t *late;
static struct page *late_page;

static void write_late(struct domain *d)
{
	(void)d;
	*late = PATTERN;
}

static void refer_late(struct domain *d)
{
	EXPECT(page_get(late_page, d), == true);
}

/* What another vCPU writes by a translation that it still has, and what somebody has looked up just before. */
CASE(last_moment_is_seen)
{
	struct domain *d = guest_on_demand();
	uint64_t gfn = POD_FIRST;

	for (; gfn < POD_FIRST + GUEST_MAX - GUEST_RAM; gfn++)
		touch(gfn);
	late = guest_page(B, POD_FIRST);
	on_flush = write_late;
	touch(gfn++);
	EXPECT(p2m_get(d, _gfn(POD_FIRST)).type, == P2M_RAM_RW);
	EXPECT(*touch(POD_FIRST), == (long)PATTERN);

	late_page = NULL;
	for (uint64_t g = POD_FIRST + 1; !late_page && g < gfn; g++)
		if (p2m_get(d, _gfn(g)).type == P2M_RAM_RW && d->p2m.pod.cursor == g)
			late_page = mfn_to_page(p2m_get(d, _gfn(g)).mfn);
	BUG_ON(!late_page);
	on_flush = refer_late;
	for (; gfn < POD_END && on_flush; gfn++)
		touch(gfn);
	for (unsigned int i = 0; i < d->p2m.pod.nr_spare; i++)
		EXPECT(mfn_eq(d->p2m.pod.spare[i], page_to_mfn(late_page)), == false);
	page_put(late_page);
	done();
}

/* Frames without a page are given back, moved and asked for again like others. */
CASE(frames_on_demand_move_and_go)
{
	struct domain *d = guest_on_demand();
	struct xen_add_to_physmap x = { .domid = B, .space = XENMAPSPACE_gmfn };
	uint64_t before;

	for (uint64_t gfn = POD_FIRST; gfn < POD_END; gfn++)
		touch(gfn);
	before = d->tot_pages;
	*touch(POD_FIRST + 1) = PATTERN;
	EXPECT(p2m_get(d, _gfn(POD_FIRST)).type, == P2M_POD);
	x.idx = POD_FIRST;
	x.gpfn = POD_FIRST + 1;
	EXPECT(call_op(0, __HYPERVISOR_memory_op, XENMEM_add_to_physmap, &x, sizeof(x)), == 0);
	EXPECT(p2m_get(d, _gfn(POD_FIRST)).type, == P2M_INVALID);
	EXPECT(p2m_get(d, _gfn(POD_FIRST + 1)).type, == P2M_POD);
	EXPECT(d->tot_pages, == (long)before - 1);
	EXPECT(*touch(POD_FIRST + 1), == 0);
	EXPECT(d->tot_pages, == (long)before);
	EXPECT(reserve(B, DOMID_SELF, XENMEM_decrease_reservation, POD_FIRST + 1, 64), == 64);
	EXPECT(reserve(B, DOMID_SELF, XENMEM_populate_physmap, POD_FIRST + 1, 1), == 1);
	done();
}
