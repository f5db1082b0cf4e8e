/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entering pages into a domain's physical map and taking them out: new ones, shared info, grant frames,
 * pages of its own at another place, pages of others (dom0 only). Every change of what a gfn holds is
 * made under d->lock, so that a page which is given back is in no second place.
 *
 * dom0 is mapped 1:1 and never loses its machine pages: giving back only unmaps, and populating works
 * only where the frame number is that of a page of its own.
 */
#include "physmap.h"
#include "internal.h"

bool physmap_is_own_ram(const struct domain *d, const struct p2m_entry *e)
{
	const struct page *p;

	if (!p2m_is_ram(e->type))
		return false;
	p = mfn_to_page(e->mfn);
	return d->p2m.hooks ? d->p2m.hooks->owns(e->mfn) : p->owner == d && p->allocated;
}

/* MMIO of dom0 stays, and so does memory of its own at another frame than its 1:1 one. */
static int may_remove(struct domain *d, gfn_t gfn, const struct p2m_entry *e)
{
	if (e->type == P2M_INVALID)
		return -EINVAL;
	return e->type == P2M_MMIO_DIRECT ||
			       (d->is_dom0 && physmap_is_own_ram(d, e) && e->mfn.v != gfn.v)
		       ? -EPERM
		       : 0;
}

/* What has left the map of d; its own lock is not needed. */
static void give_back(struct domain *d, const struct p2m_entry *e)
{
	if (!physmap_is_own_ram(d, e))
		return;
	if (!d->is_dom0) {
		page_drop_claim(mfn_to_page(e->mfn));
		return;
	}
	domain_count_pages(d, -1); /* unmapped, but kept: dom0's pages stay its own */
}

/* d->lock held. */
static int remove_locked(struct domain *d, const gfn_t *gfn, unsigned int nr, unsigned int *done)
{
	struct p2m_entry old[P2M_PIECE];
	int rc = p2m_take_list(d, gfn, nr, may_remove, old, done);

	for (unsigned int i = 0; i < *done; i++)
		give_back(d, &old[i]);
	return rc;
}

static int remove_one(struct domain *d, gfn_t gfn)
{
	unsigned int done;

	return remove_locked(d, &gfn, 1, &done);
}

int physmap_remove_list(struct domain *d, const gfn_t *gfn, unsigned int nr, unsigned int *done)
{
	int rc;

	spin_lock(&d->lock);
	rc = remove_locked(d, gfn, nr, done);
	spin_unlock(&d->lock);
	return rc;
}

/* Make room at gfn. MMIO of dom0 is never replaced. */
static int clear_target(struct domain *d, gfn_t gfn)
{
	if (p2m_get(d, gfn).type == P2M_INVALID)
		return 0;
	return remove_one(d, gfn);
}

static int physmap_add_lent(struct domain *d, gfn_t gfn, mfn_t mfn)
{
	int rc;

	spin_lock(&d->lock);
	rc = clear_target(d, gfn);
	if (!rc)
		rc = p2m_set(d, gfn, mfn, 0, P2M_RAM_RW, P2M_ACCESS_RWX);
	spin_unlock(&d->lock);
	return rc;
}

/* If gfn still holds the lent page mfn, leave a hole. */
static void remove_lent(struct domain *d, uint64_t gfn, mfn_t mfn)
{
	struct p2m_entry e;

	if (gfn == ~0ULL)
		return;
	spin_lock(&d->lock);
	e = p2m_get(d, _gfn(gfn));
	if (p2m_is_ram(e.type) && mfn_eq(e.mfn, mfn))
		p2m_set(d, _gfn(gfn), INVALID_MFN, 0, P2M_INVALID, P2M_ACCESS_N);
	spin_unlock(&d->lock);
}

int physmap_add_foreign(struct domain *d, gfn_t gfn, struct domain *fd, mfn_t mfn)
{
	struct page *p = mfn_to_page(mfn);
	struct p2m_entry e;
	int rc;

	if (!d->is_dom0)
		return -EPERM;
	if (!page_get(p, fd))
		return -EINVAL;
	spin_lock(&d->lock);
	e = p2m_get(d, gfn);
	rc = e.type == P2M_FOREIGN ? 0 : d->p2m.hooks->may_map(gfn);
	if (!rc)
		rc = p2m_set(d, gfn, mfn, 0, P2M_FOREIGN, P2M_ACCESS_RW);
	spin_unlock(&d->lock);
	page_put(p);
	return rc;
}

/* --- by space ---------------------------------------------------------------------------------- */

int physmap_add_shared_info(struct domain *d, uint64_t gfn)
{
	struct domain_priv *p = domain_priv(d);
	mfn_t mfn = page_to_mfn(d->shared_info_page);
	int rc;

	if (p->shared_info_gfn == gfn && mfn_eq(p2m_get(d, _gfn(gfn)).mfn, mfn))
		return 0;
	remove_lent(d, p->shared_info_gfn, mfn);
	rc = physmap_add_lent(d, _gfn(gfn), mfn);
	p->shared_info_gfn = rc ? ~0ULL : gfn;
	return rc;
}

int physmap_replace_shared_info(struct domain *d)
{
	struct domain_priv *p = domain_priv(d);
	struct page *new;
	struct p2m_entry e;
	int rc = -EINVAL;

	if (p->shared_info_gfn == ~0ULL)
		return 0;
	new = alloc_domain_pages(d, 0);
	if (!new)
		return -ENOMEM;
	spin_lock(&d->lock);
	e = p2m_get(d, _gfn(p->shared_info_gfn));
	if (p2m_is_ram(e.type) && mfn_eq(e.mfn, page_to_mfn(d->shared_info_page)))
		rc = p2m_set(d, _gfn(p->shared_info_gfn), page_to_mfn(new), 0, P2M_RAM_RW,
			     P2M_ACCESS_RWX);
	if (rc != -ENOMEM)
		p->shared_info_gfn = ~0ULL;
	spin_unlock(&d->lock);
	if (rc)
		page_drop_claim(new); /* the guest has put something else there */
	return rc == -ENOMEM ? rc : 0;
}

int physmap_add_grant_frame(struct domain *d, uint64_t idx, uint64_t gfn)
{
	mfn_t mfn;
	int rc;

	if (idx >> 31)
		return -EINVAL; /* status frames are version 2's */
	rc = grant_frame_mfn(d, (unsigned int)idx, &mfn);
	if (rc)
		return rc;
	remove_lent(d, grant_frame_gfn(d, (unsigned int)idx), mfn);
	rc = physmap_add_lent(d, _gfn(gfn), mfn);
	grant_frame_mapped(d, (unsigned int)idx, rc ? ~0ULL : gfn);
	return rc;
}

int physmap_move(struct domain *d, uint64_t from, uint64_t to)
{
	struct p2m_entry e;
	int rc = 0;

	if (d->is_dom0)
		return -EOPNOTSUPP; /* it is mapped 1:1 */
	if (from == to)
		return 0;
	spin_lock(&d->lock);
	e = p2m_get(d, _gfn(from));
	if (e.type != P2M_POD && (!p2m_is_ram(e.type) || mfn_to_page(e.mfn)->owner != d))
		rc = -EINVAL;
	if (!rc)
		rc = clear_target(d, _gfn(to));
	if (!rc)
		rc = grant_move_page(d, e.type == P2M_POD ? NULL : mfn_to_page(e.mfn), _gfn(from),
				     _gfn(to));
	spin_unlock(&d->lock);
	return rc;
}

int physmap_unmap(struct domain *d, uint64_t gfn)
{
	struct p2m_entry e;
	int rc;

	spin_lock(&d->lock);
	e = p2m_get(d, _gfn(gfn));
	if (e.type == P2M_FOREIGN || p2m_is_grant(e.type))
		rc = p2m_set(d, _gfn(gfn), INVALID_MFN, 0, P2M_INVALID, P2M_ACCESS_N);
	else
		rc = p2m_is_ram(e.type) ? remove_one(d, _gfn(gfn)) : -ENOENT;
	spin_unlock(&d->lock);
	return rc;
}

/* --- new pages --------------------------------------------------------------------------------- */

/* The order of the pages that an extent is entered with. */
static unsigned int chunk_order(const struct domain *d, unsigned int order)
{
	unsigned int levels = d->p2m.fmt->max_leaf_level;

	if (order >= ORDER_1G && levels >= 3)
		return ORDER_1G;
	return order >= ORDER_2M && levels >= 2 ? ORDER_2M : ORDER_4K;
}

/*
 * Can it be entered in one piece? 1 GiB only by one page, which needs a place without tables; cheaper than p2m_all_holes(),
 * because it is asked often.
 */
static bool has_place(struct domain *d, const struct frames *f, unsigned int order)
{
	struct p2m_entry e = p2m_get(d, _gfn(f->first));

	if (e.type != P2M_INVALID || (order > ORDER_2M && order != ORDER_1G))
		return false;
	return order <= ORDER_2M || (chunk_order(d, order) == ORDER_1G && e.order >= ORDER_1G);
}

/* Nothing is there; with d->lock held. With INVALID_MFN without pages. True: all of it. */
static bool enter_extent(struct domain *d, const struct frames *f, unsigned int order, mfn_t mfn,
			 enum p2m_type t)
{
	uint64_t step = BIT(chunk_order(d, order)), i;

	for (i = 0; i < f->nr; i += step)
		if (p2m_set(d, _gfn(f->first + i), mfn_valid_value(mfn) ? mfn_add(mfn, i) : mfn,
			    chunk_order(d, order), t, P2M_ACCESS_RWX))
			break;
	if (i >= f->nr)
		return true;
	/* The first one makes the table for the rest, so there are none behind the first. */
	BUG_ON(i);
	return false;
}

int physmap_populate(struct domain *d, const struct frames *f, unsigned int order,
		     const struct asker *who)
{
	struct page *p;
	int rc = 1;

	spin_lock(&d->lock);
	if (has_place(d, f, order)) {
		rc = domain_memory_get(d, order, who, &p);
		if (!rc && !(p2m_all_holes(d, f) &&
			     enter_extent(d, f, order, page_to_mfn(p), P2M_RAM_RW))) {
			domain_memory_put_back(d, p, order);
			rc = 1;
		}
	}
	spin_unlock(&d->lock);
	return rc;
}

int physmap_populate_later(struct domain *d, const struct frames *f, unsigned int order)
{
	bool ok;

	spin_lock(&d->lock);
	ok = !d->dying && has_place(d, f, order) && p2m_all_holes(d, f) &&
	     enter_extent(d, f, order, INVALID_MFN, P2M_POD);
	if (ok)
		WRITE_ONCE(d->p2m.pod.used, true);
	spin_unlock(&d->lock);
	return !ok;
}

bool physmap_populate_dom0(struct domain *d, gfn_t gfn)
{
	bool ok;

	if (!d->p2m.hooks->owns(_mfn(gfn.v)))
		return false;
	spin_lock(&d->lock);
	ok = p2m_get(d, gfn).type == P2M_INVALID &&
	     !p2m_set(d, gfn, _mfn(gfn.v), 0, P2M_RAM_RW, P2M_ACCESS_RWX);
	spin_unlock(&d->lock);
	if (!ok)
		return false;
	domain_count_pages(d, 1);
	return true;
}

long physmap_claim_on_demand(struct domain *d)
{
	uint64_t target = READ_ONCE(domain_priv(d)->pod_target);

	if (target <= READ_ONCE(d->tot_pages) || target > READ_ONCE(d->max_pages))
		return 0;
	return domain_claim_pages(d, target);
}

void physmap_claim_again(struct domain *d)
{
	if (!READ_ONCE(d->outstanding_pages))
		return;
	domain_claim_pages(d, 0);
	physmap_claim_on_demand(d);
}
