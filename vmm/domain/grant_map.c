/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mapping grants. All callers are auto-translated, so host_addr is a guest-physical address: the page
 * is entered into the caller's p2m there, and taken out again, leaving a hole, by the unmap. dom0 may
 * only map into the holes that its memory map offers (p2m_hooks); others only where
 * nothing is. A mapping holds a pin on the entry and a reference on the granting domain.
 */
#include "internal.h"
#include "abi.h"

#define RELEASE_BATCH 32U

static struct maptrack *maptrack_get(const struct grant_table *t, grant_handle_t h)
{
	if (h >= t->nr_buckets * MAPTRACK_BUCKET)
		return NULL;
	return &t->bucket[h / MAPTRACK_BUCKET][h % MAPTRACK_BUCKET];
}

/* A free handle, or GRANT_HANDLE_NONE. Locks t. */
static grant_handle_t maptrack_alloc(struct grant_table *t)
{
	grant_handle_t h;
	struct maptrack *b;
	unsigned int i;

	spin_lock(&t->lock);
	if (t->free_head == GRANT_HANDLE_NONE && t->nr_buckets < t->max_buckets) {
		b = xzalloc_array(struct maptrack, MAPTRACK_BUCKET);
		if (b) {
			unsigned int first = t->nr_buckets * MAPTRACK_BUCKET;

			for (i = 0; i < MAPTRACK_BUCKET; i++)
				b[i].next_free =
					i + 1 < MAPTRACK_BUCKET ? first + i + 1 : GRANT_HANDLE_NONE;
			t->bucket[t->nr_buckets++] = b;
			t->free_head = first;
		}
	}
	h = t->free_head;
	if (h != GRANT_HANDLE_NONE)
		t->free_head = maptrack_get(t, h)->next_free;
	spin_unlock(&t->lock);
	return h;
}

static void maptrack_free(struct grant_table *t, grant_handle_t h)
{
	spin_lock(&t->lock);
	maptrack_get(t, h)->rd = NULL;
	maptrack_get(t, h)->next_free = t->free_head;
	t->free_head = h;
	spin_unlock(&t->lock);
}

/* May ld put a granted page at gfn? */
static bool target_ok(struct domain *ld, uint64_t gfn)
{
	struct p2m_entry e;

	if (ld->p2m.hooks)
		return !ld->p2m.hooks->may_map(_gfn(gfn));
	e = p2m_get(ld, _gfn(gfn));
	return e.type == P2M_INVALID;
}

/* Enter the pinned page, under ld->lock like everything that looks first and then changes its map. */
static int enter_page(struct domain *ld, uint64_t gfn, const struct page *page, bool ro)
{
	int rc = GNTST_bad_virt_addr;

	spin_lock(&ld->lock);
	if (target_ok(ld, gfn))
		rc = p2m_set(ld, _gfn(gfn), page_to_mfn(page), 0, ro ? P2M_GRANT_RO : P2M_GRANT_RW,
			     ro ? P2M_ACCESS_R : P2M_ACCESS_RW)
			     ? GNTST_general_error
			     : GNTST_okay;
	spin_unlock(&ld->lock);
	return rc;
}

/* The page is pinned: enter it and fill the handle. */
static int map_pinned(struct domain *ld, struct domain *rd, struct page *page, grant_handle_t h,
		      const struct gnttab_map_grant_ref *op)
{
	uint64_t gfn = op->host_addr >> PAGE_SHIFT;
	struct maptrack *m;
	int rc;

	if (op->flags & GNTMAP_host_map) {
		if (op->host_addr & ~PAGE_MASK)
			return GNTST_bad_virt_addr;
		rc = enter_page(ld, gfn, page, op->flags & GNTMAP_readonly);
		if (rc)
			return rc;
	}
	spin_lock(&ld->grant->lock);
	m = maptrack_get(ld->grant, h);
	m->rd = rd;
	m->ref = op->ref;
	m->flags = op->flags;
	m->gfn = gfn;
	spin_unlock(&ld->grant->lock);
	return GNTST_okay;
}

int grant_map_one(struct gnttab_map_grant_ref *op)
{
	struct domain *ld = current_domain(), *rd;
	bool ro = op->flags & GNTMAP_readonly;
	struct page *page;
	grant_handle_t h;
	int rc;

	op->handle = GRANT_HANDLE_NONE;
	if (!(op->flags & (GNTMAP_host_map | GNTMAP_device_map)) ||
	    (op->flags & GNTMAP_contains_pte))
		return op->status = GNTST_bad_gntref;
	rd = domain_get_for_op(op->dom);
	if (!rd)
		return op->status = GNTST_bad_domain;
	h = maptrack_alloc(ld->grant);
	if (h == GRANT_HANDLE_NONE) {
		domain_put(rd);
		return op->status = GNTST_no_space;
	}
	rc = READ_ONCE(rd->dying) ? GNTST_bad_domain
				  : grant_acquire(rd, op->ref, ld->domid, ro, &page);
	if (!rc) {
		rc = map_pinned(ld, rd, page, h, op);
		if (rc)
			grant_release(rd, op->ref, ro);
	}
	if (rc) {
		maptrack_free(ld->grant, h);
		domain_put(rd);
	} else {
		op->handle = h;
		op->dev_bus_addr = mfn_to_maddr(page_to_mfn(page)).v;
	}
	return op->status = (int16_t)rc;
}

/* Takes the mapping out of the table, so that only one caller undoes it. */
static bool maptrack_take(struct grant_table *t, grant_handle_t h, struct maptrack *out)
{
	struct maptrack *m;
	bool ok;

	spin_lock(&t->lock);
	m = maptrack_get(t, h);
	ok = m && m->rd;
	if (ok) {
		*out = *m;
		m->rd = NULL;
	}
	spin_unlock(&t->lock);
	return ok;
}

static void undo(struct domain *ld, grant_handle_t h, const struct maptrack *m)
{
	if (m->flags & GNTMAP_host_map) {
		spin_lock(&ld->lock);
		if (p2m_is_grant(p2m_get(ld, _gfn(m->gfn)).type))
			p2m_set(ld, _gfn(m->gfn), INVALID_MFN, 0, P2M_INVALID, P2M_ACCESS_N);
		spin_unlock(&ld->lock);
	}
	grant_release(m->rd, m->ref, m->flags & GNTMAP_readonly);
	maptrack_free(ld->grant, h);
	domain_put(m->rd);
}

int grant_unmap_one(struct gnttab_unmap_grant_ref *op)
{
	struct domain *ld = current_domain();
	struct maptrack m, *slot;

	if (!maptrack_take(ld->grant, op->handle, &m))
		return op->status = GNTST_bad_handle;
	if ((m.flags & GNTMAP_host_map) && op->host_addr != m.gfn << PAGE_SHIFT) {
		spin_lock(&ld->grant->lock);
		slot = maptrack_get(ld->grant, op->handle);
		*slot = m;
		spin_unlock(&ld->grant->lock);
		return op->status = GNTST_bad_virt_addr;
	}
	undo(ld, op->handle, &m);
	return op->status = GNTST_okay;
}

int grant_release_maps(struct domain *d)
{
	struct grant_table *t = d->grant;
	struct maptrack m;

	while (t->release_next < t->nr_buckets * MAPTRACK_BUCKET) {
		grant_handle_t h = t->release_next++;

		if (maptrack_take(t, h, &m))
			undo(d, h, &m);
		if (!(h % RELEASE_BATCH) && hypercall_preempt())
			return -ERESTART;
	}
	t->release_next = 0;
	return 0;
}
