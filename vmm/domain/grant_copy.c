/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GNTTABOP_copy: up to a page between two frames, each named by a grant or, for the caller's own
 * memory, by gfn. The frames are pinned for the time of the copy.
 */
#include "internal.h"
#include "paging.h"

struct copy_end {
	struct domain *d;  /* reference */
	struct page *page; /* reference, or pinned */
	bool by_ref;
	grant_ref_t ref;
	gfn_t gfn; /* not by_ref */
};

static int take_end(const struct gnttab_copy_ptr *p, bool by_ref, bool readonly, struct copy_end *e)
{
	struct domain *cur = current_domain();
	int rc;

	e->by_ref = by_ref;
	e->page = NULL;
	e->d = domain_get_for_op(p->domid);
	if (!e->d)
		return GNTST_bad_domain;
	if (by_ref) {
		e->ref = p->u.ref;
		rc = READ_ONCE(e->d->dying)
			     ? GNTST_bad_domain
			     : grant_acquire(e->d, e->ref, cur->domid, readonly, &e->page);
	} else if (e->d != cur) {
		rc = GNTST_permission_denied;
	} else {
		e->gfn = _gfn(p->u.gmfn);
		e->page = p2m_hold_page(cur, e->gfn, !readonly, NULL);
		if (e->page)
			rc = GNTST_okay;
		else
			rc = pod_may_come(cur, e->gfn) ? GNTST_eagain : GNTST_bad_page;
	}
	if (rc) {
		domain_put(e->d);
		e->d = NULL;
	}
	return rc;
}

static void put_end(struct copy_end *e, bool readonly)
{
	if (!e->d)
		return;
	if (e->by_ref) {
		grant_release(e->d, e->ref, readonly);
	} else {
		/* It may have become a table, or been looked at, since it was taken. */
		if (!readonly) {
			logdirty_wrote(e->d, e->gfn);
			paging_give_up(e->d, e->gfn);
		}
		page_put(e->page);
	}
	domain_put(e->d);
}

int grant_copy_one(struct gnttab_copy *op)
{
	struct copy_end src = { 0 }, dst = { 0 };
	int rc;

	if (op->source.offset + op->len > PAGE_SIZE || op->dest.offset + op->len > PAGE_SIZE)
		return op->status = GNTST_bad_copy_arg;
	rc = take_end((const struct gnttab_copy_ptr *)&op->source, op->flags & GNTCOPY_source_gref,
		      true, &src);
	if (!rc)
		rc = take_end((const struct gnttab_copy_ptr *)&op->dest,
			      op->flags & GNTCOPY_dest_gref, false, &dst);
	if (!rc)
		memmove((uint8_t *)page_to_virt(dst.page) + op->dest.offset,
			(uint8_t *)page_to_virt(src.page) + op->source.offset, op->len);
	put_end(&dst, false);
	put_end(&src, true);
	return op->status = (int16_t)rc;
}
