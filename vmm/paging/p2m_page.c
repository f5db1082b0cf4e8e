// SPDX-License-Identifier: GPL-2.0-or-later
/* The page behind a guest frame, held by a reference while somebody works on it. */
#include "domain.h"
#include "paging.h"

/* How often a frame may change under a look at it; more than that is a guest that wants it so. */
#define LOOKS 4U

/*
 * A page is only this domain's to use at gfn while the entry is there: it may belong to another domain, or be
 * taken back for another frame (pod.c). So, with the reference taken, the entry is looked at again.
 */
static bool still_mapped(struct domain *d, gfn_t gfn, const struct p2m_entry *was)
{
	struct p2m_entry now = p2m_get(d, gfn);

	return now.type == was->type && now.access == was->access && mfn_eq(now.mfn, was->mfn);
}

static bool is_usable(const struct p2m_entry *e, bool write)
{
	return p2m_has_page(e->type) && e->access != P2M_ACCESS_N &&
	       (!write || p2m_entry_is_writable(e)) && mfn_valid(e->mfn);
}

struct page *p2m_get_page(struct domain *d, gfn_t gfn, bool write, enum p2m_type *t)
{
	struct page *pg = NULL;
	struct p2m_entry e;

	for (unsigned int looks = 0; looks < LOOKS; looks++) {
		uint64_t before = p2m_generation(&d->p2m, gfn);

		e = p2m_get(d, gfn);
		if (unlikely(e.type == P2M_POD) && write && pod_populate_now(d, gfn))
			continue;
		if (t)
			*t = e.type;
		if (!is_usable(&e, write))
			return NULL;
		pg = mfn_to_page(e.mfn);
		if (!page_get(pg, p2m_is_ram(e.type) ? d : NULL))
			return NULL;
		if (likely(p2m_generation(&d->p2m, gfn) == before) || still_mapped(d, gfn, &e))
			break;
		page_put(pg);
		pg = NULL;
	}
	if (pg && write && e.type == P2M_RAM_LOGDIRTY) {
		spin_lock(&d->p2m.lock);
		logdirty_mark(d, gfn, 0);
		spin_unlock(&d->p2m.lock);
	}
	return pg;
}

struct page *p2m_hold_page(struct domain *d, gfn_t gfn, bool write, enum p2m_type *t)
{
	if (p2m_get(d, gfn).type == P2M_POD)
		pod_populate_now(d, gfn);
	paging_give_up(d, gfn);
	return p2m_get_page(d, gfn, write, t);
}

struct page *p2m_get_own_page(struct domain *d, gfn_t gfn)
{
	enum p2m_type t;
	struct page *pg = p2m_get_page(d, gfn, true, &t);

	if (pg)
		paging_give_up(d, gfn);
	if (pg && !p2m_is_ram(t)) {
		page_put(pg);
		return NULL;
	}
	return pg;
}
