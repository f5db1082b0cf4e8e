// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Log-dirty: which guest frames were written since the last look. RAM is entered as P2M_RAM_LOGDIRTY. Where
 * nested page tables have a dirty bit (AMD-V; VT-x with EPT's accessed and dirty bits), hardware notes the first
 * write there, and a look collects the bits. Elsewhere such a frame is not writable; the first write faults,
 * marks the frame and makes it writable. The bitmap has a bit per gfn up to the highest one when logging began.
 * All under the p2m lock.
 */
#include "domain.h"
#include "hvm_ops.h"

static size_t bitmap_bytes(uint64_t gfns)
{
	return ROUND_UP(DIV_ROUND_UP(gfns, 8), PAGE_SIZE);
}

static unsigned int bitmap_order(uint64_t gfns)
{
	return fls64(bitmap_bytes(gfns) / PAGE_SIZE - 1);
}

/* Write-protects all plain RAM below the bitmap's end. */
static void protect_all(struct domain *d)
{
	for (uint64_t g = 0; g <= d->p2m.max_gfn;) {
		struct p2m_entry e = p2m_get(d, _gfn(g));

		if (e.type == P2M_RAM_RW)
			p2m_change_range(d, _gfn(g), BIT(e.order), P2M_RAM_RW, P2M_RAM_LOGDIRTY,
					 NULL);
		g = p2m_behind(g, e.order);
	}
}

int logdirty_enable(struct domain *d)
{
	uint64_t gfns = d->p2m.max_gfn + 1;
	struct page *pg;

	if (d->p2m.logdirty)
		return 0;
	if (!d->p2m.root)
		return -EINVAL; /* it is being taken down */
	pg = alloc_pages(bitmap_order(gfns));
	if (!pg)
		return -ENOMEM;
	spin_lock(&d->p2m.lock);
	d->p2m.dirty = page_to_virt(pg);
	d->p2m.dirty_gfns = gfns;
	d->p2m.logdirty = true;
	spin_unlock(&d->p2m.lock);
	domain_pause(d);
	protect_all(d);
	domain_unpause(d);
	return 0;
}

void logdirty_disable(struct domain *d)
{
	uint8_t *map;
	uint64_t gfns;

	spin_lock(&d->p2m.lock);
	map = d->p2m.dirty;
	gfns = d->p2m.dirty_gfns;
	d->p2m.logdirty = false;
	d->p2m.dirty = NULL;
	spin_unlock(&d->p2m.lock);
	if (map)
		free_pages(mfn_to_page(virt_to_mfn(map)), bitmap_order(gfns));
	/* Entries stay: they are writable, or turn so at their next write fault. */
}

void logdirty_mark(struct domain *d, gfn_t gfn, unsigned int order)
{
	for (uint64_t end = gfn.v + BIT(order); gfn.v < end; gfn.v++) {
		vram_mark(d, gfn);
		if (d->p2m.dirty && gfn.v < d->p2m.dirty_gfns)
			d->p2m.dirty[gfn.v / 8] |= (uint8_t)(1U << (gfn.v % 8));
	}
}

void logdirty_collect(struct domain *d, gfn_t first, uint64_t nr)
{
	bool any = false;
	unsigned int order;

	if (!d->p2m.fmt->dirty)
		return;
	for (uint64_t g = first.v; g < first.v + nr; g = p2m_behind(g, order)) {
		if (!p2m_take_dirty(&d->p2m, _gfn(g), &order))
			continue;
		logdirty_mark(d, _gfn(g & ~(BIT(order) - 1)), order);
		any = true;
	}
	if (any)
		hvm_ops->flush_domain(d);
}

int logdirty_read(struct domain *d, gfn_t first, uint64_t nr, uint8_t *bitmap, bool clean,
		  uint64_t *count)
{
	*count = 0;
	if (!d->p2m.dirty)
		return -EINVAL;
	spin_lock(&d->p2m.lock);
	logdirty_collect(d, first, nr);
	spin_unlock(&d->p2m.lock);
	memset(bitmap, 0, DIV_ROUND_UP(nr, 8));
	for (uint64_t i = 0; i < nr && first.v + i < d->p2m.dirty_gfns; i++) {
		gfn_t g = gfn_add(first, i);
		uint8_t bit = (uint8_t)(1U << (g.v % 8));

		if (!(READ_ONCE(d->p2m.dirty[g.v / 8]) & bit))
			continue;
		bitmap[i / 8] |= (uint8_t)(1U << (i % 8));
		(*count)++;
		if (clean)
			__atomic_fetch_and(&d->p2m.dirty[g.v / 8], (uint8_t)~bit, __ATOMIC_SEQ_CST);
	}
	if (!clean || d->p2m.fmt->dirty)
		return 0;
	return p2m_change_range(d, first, nr, P2M_RAM_RW, P2M_RAM_LOGDIRTY, bitmap);
}
