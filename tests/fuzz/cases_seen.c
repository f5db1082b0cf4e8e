/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a CPU remembers of a p2m (paging/p2m_seen.c): it is used until something in its range changes, and never after. */
#include "cases.h"
#include "p2m.h"

#define RANGE BIT(P2M_RANGE_ORDER)
#define FAR   (4 * RANGE)
/* A large page covers eight ranges. */
#define HUGE_ORDER 18U
#define HUGE	   BIT(HUGE_ORDER)

static void put(struct domain *d, uint64_t gfn, unsigned int order, enum p2m_type t)
{
	EXPECT(p2m_set(d, _gfn(gfn), t == P2M_INVALID ? INVALID_MFN : _mfn(0), order, t,
		       P2M_ACCESS_RWX),
	       == 0);
}

/* Found without a walk: there is no tree meanwhile. */
static bool is_remembered(struct domain *d, uint64_t gfn, enum p2m_type t)
{
	struct page *root = d->p2m.root;
	enum p2m_type found;

	d->p2m.root = NULL;
	found = p2m_get(d, _gfn(gfn)).type;
	d->p2m.root = root;
	return found == t;
}

CASE(what_was_looked_up_is_remembered_whatever_changes_elsewhere)
{
	struct domain *d = dom(DOMID_A);

	put(d, FAR, 0, P2M_MMIO_DM);
	put(d, FAR + RANGE, 0, P2M_MMIO_DM);
	EXPECT(p2m_get(d, _gfn(FAR)).type, == P2M_MMIO_DM);
	put(d, FAR + RANGE, 0, P2M_INVALID);
	put(d, FAR - 1, 0, P2M_MMIO_DM);
	EXPECT(is_remembered(d, FAR, P2M_MMIO_DM), == true);
	put(d, FAR + 1, 0, P2M_MMIO_DM);
	EXPECT(is_remembered(d, FAR, P2M_MMIO_DM), == false);
	for (uint64_t gfn = FAR - 1; gfn <= FAR + 1; gfn++)
		put(d, gfn, 0, P2M_INVALID);
}

CASE(what_has_changed_is_not_remembered)
{
	static const unsigned int orders[] = { 0, 9, HUGE_ORDER };
	struct domain *d = dom(DOMID_A);

	for (unsigned int i = 0; i < 3; i++) {
		uint64_t first = HUGE, last = first + (BIT(orders[i]) - 1) / 4 * 3;

		EXPECT(p2m_get(d, _gfn(first)).type, == P2M_INVALID);
		EXPECT(p2m_get(d, _gfn(last)).type, == P2M_INVALID);
		put(d, first, orders[i], P2M_MMIO_DM);
		EXPECT(p2m_get(d, _gfn(first)).type, == P2M_MMIO_DM);
		EXPECT(p2m_get(d, _gfn(last)).type, == P2M_MMIO_DM);
		put(d, first, orders[i], P2M_INVALID);
		EXPECT(p2m_get(d, _gfn(first)).type, == P2M_INVALID);
		EXPECT(p2m_get(d, _gfn(last)).type, == P2M_INVALID);
	}
}

/* A piece of a large page is another's business; that the page is smaller now is everybody's. */
CASE(a_page_that_was_split_is_looked_up_anew)
{
	struct domain *d = dom(DOMID_A);

	put(d, 2 * HUGE, HUGE_ORDER, P2M_RAM_RW);
	EXPECT(p2m_get(d, _gfn(3 * HUGE - 1)).order, == HUGE_ORDER);
	put(d, 2 * HUGE, 0, P2M_INVALID);
	EXPECT(p2m_get(d, _gfn(3 * HUGE - 1)).order, < HUGE_ORDER);
	EXPECT(p2m_get(d, _gfn(2 * HUGE + 1)).type, == P2M_RAM_RW);
	put(d, 2 * HUGE, HUGE_ORDER, P2M_INVALID);
}

CASE(two_domains_are_told_apart)
{
	struct domain *d = dom(DOMID_A);
	uint64_t gfn = 0;

	while (p2m_get(d, _gfn(gfn)).type != P2M_RAM_RW)
		gfn++;
	EXPECT(is_remembered(d, gfn, P2M_RAM_RW), == true);
	EXPECT(p2m_get(d, _gfn(gfn)).type, == P2M_RAM_RW);
	EXPECT(is_remembered(dom(0), gfn, P2M_RAM_RW), == false);
}
