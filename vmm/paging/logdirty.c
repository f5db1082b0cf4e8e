// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Log-dirty: which guest frames were written since the last look. RAM is entered as P2M_RAM_LOGDIRTY. Where
 * nested page tables have a dirty bit (AMD-V; VT-x with EPT's accessed and dirty bits), hardware notes the first
 * write there, and a look collects the bits. Elsewhere such a frame is not writable; the first write faults,
 * marks the frame and makes it writable. The bitmap has a bit per gfn up to the highest one when logging began.
 * All under the p2m lock.
 *
 * A domain may be large: beginning goes over its frames in pieces, below `dirty_ready` it is done.
 */
#include "domain.h"
#include "hvm_ops.h"
#include "p2m_private.h"

/* Frames in a page of the bitmap. */
#define FRAMES_PER_PAGE (PAGE_SIZE * 8)
/* A larger bitmap is not made: 32 MiB, for 1 TiB of guest-physical space. */
#define BITMAP_ORDER_MAX 13U

static unsigned int bitmap_order(uint64_t gfns)
{
	uint64_t pages = DIV_ROUND_UP(gfns, FRAMES_PER_PAGE);

	return pages > 1 ? fls64(pages - 1) : 0;
}

/* The bitmap, not cleared: that is done with the frames. */
static int begin(struct domain *d)
{
	uint64_t gfns = d->p2m.max_gfn + 1;
	unsigned int order = bitmap_order(gfns);
	struct page *pg = order <= BITMAP_ORDER_MAX ? alloc_pages_uncleared(order) : NULL;

	if (!pg) {
		printk(LOG_WARN "d%u: no memory to log writes to %lx frames\n", d->domid, gfns);
		return -ENOMEM;
	}
	spin_lock(&d->p2m.lock);
	d->p2m.dirty = page_to_virt(pg);
	d->p2m.dirty_gfns = gfns;
	d->p2m.dirty_ready = 0;
	WRITE_ONCE(d->p2m.logdirty, true);
	spin_unlock(&d->p2m.lock);
	return 0;
}

/* The frames from dirty_ready on that are of one kind, within a page of the bitmap; RAM in pieces. */
static struct frames next_piece(struct domain *d, bool *is_ram)
{
	struct p2m *p = &d->p2m;
	uint64_t g = p->dirty_ready, end;
	struct p2m_entry e = p2m_get(d, _gfn(g));

	*is_ram = e.type == P2M_RAM_RW;
	end = min(p2m_behind(g, e.order), ROUND_DOWN(g, FRAMES_PER_PAGE) + FRAMES_PER_PAGE);
	if (*is_ram)
		end = ROUND_DOWN(g, paging_change_piece(d)) + paging_change_piece(d);
	end = min(end, p->dirty_gfns);
	return (struct frames){ g, end - g };
}

static int protect_piece(struct domain *d)
{
	struct p2m *p = &d->p2m;
	struct frames f;
	bool is_ram;
	int rc = 0;

	if (!(p->dirty_ready % FRAMES_PER_PAGE))
		memset(p->dirty + p->dirty_ready / 8, 0, PAGE_SIZE);
	f = next_piece(d, &is_ram);
	/* First: a write may fault as soon as the frames are protected, and must be noted then. */
	spin_lock(&p->lock);
	p->dirty_ready += f.nr;
	spin_unlock(&p->lock);
	if (is_ram)
		rc = p2m_change_range(d, &f, P2M_RAM_RW, P2M_RAM_LOGDIRTY, NULL);
	if (rc)
		return rc;
	return p->dirty_ready == p->dirty_gfns ? 0 : -ERESTART;
}

int logdirty_enable(struct domain *d)
{
	int rc;

	if (logdirty_is_on(d))
		return 0;
	if (!d->p2m.root)
		return -EINVAL; /* it is being taken down */
	rc = d->p2m.logdirty ? 0 : begin(d);
	if (rc)
		return rc;
	rc = protect_piece(d);
	if (rc && rc != -ERESTART)
		logdirty_disable(d);
	return rc;
}

bool logdirty_is_on(const struct domain *d)
{
	return d->p2m.logdirty && d->p2m.dirty_ready == d->p2m.dirty_gfns;
}

void logdirty_disable(struct domain *d)
{
	uint8_t *map;
	uint64_t gfns;

	spin_lock(&d->p2m.lock);
	map = d->p2m.dirty;
	gfns = d->p2m.dirty_gfns;
	WRITE_ONCE(d->p2m.logdirty, false);
	d->p2m.dirty = NULL;
	d->p2m.dirty_gfns = d->p2m.dirty_ready = 0;
	spin_unlock(&d->p2m.lock);
	if (map)
		free_pages(mfn_to_page(virt_to_mfn(map)), bitmap_order(gfns));
	/* Entries stay: they are writable, or turn so at their next write fault. */
}

void bitmap_set_range(uint8_t *map, uint64_t base, const struct frames *f)
{
	uint64_t bit = f->first - base, end = bit + f->nr;

	for (; bit < end && bit % 8; bit++)
		map[bit / 8] |= (uint8_t)(1U << (bit % 8));
	if (end - bit >= 8)
		memset(map + bit / 8, 0xff, (end - bit) / 8);
	for (bit += (end - bit) & ~7ULL; bit < end; bit++)
		map[bit / 8] |= (uint8_t)(1U << (bit % 8));
}

static void mark_range(struct domain *d, const struct frames *f)
{
	const struct frames logged = { 0, d->p2m.dirty_ready };
	struct frames both = frames_common(f, &logged);

	vram_mark(d, f);
	if (d->p2m.dirty && both.nr)
		bitmap_set_range(d->p2m.dirty, 0, &both);
}

void logdirty_mark(struct domain *d, gfn_t gfn, unsigned int order)
{
	struct frames f = { gfn.v, BIT(order) };

	mark_range(d, &f);
}

void logdirty_wrote_range(struct domain *d, const struct frames *f)
{
	spin_lock(&d->p2m.lock);
	mark_range(d, f);
	spin_unlock(&d->p2m.lock);
}

void logdirty_wrote(struct domain *d, gfn_t gfn)
{
	const struct frames one = { gfn.v, 1 };

	/* What begins to be logged only now is all sent afterwards. */
	if (likely(!READ_ONCE(d->p2m.logdirty) && !READ_ONCE(d->p2m.vram)))
		return;
	logdirty_wrote_range(d, &one);
}

static bool mark_bits(struct domain *d, uint64_t gfn, uint64_t bits)
{
	for (uint64_t left = bits; left; left &= left - 1)
		logdirty_mark(d, _gfn(gfn + (uint64_t)__builtin_ctzll(left)), 0);
	return bits;
}

void logdirty_collect(struct domain *d, const struct frames *f)
{
	bool any = false;
	unsigned int order;
	uint64_t written;

	BUG_ON(f->nr > P2M_PIECE);
	if (!d->p2m.fmt->dirty)
		return;
	for (uint64_t g = f->first, nr; g < frames_end(f); g = p2m_behind(g, order)) {
		nr = frames_end(f) - g;
		written = p2m_take_dirty_small(&d->p2m, _gfn(g), &nr);
		if (nr) {
			any |= mark_bits(d, g, written);
			order = 0;
			g += nr - 1;
			continue;
		}
		if (!p2m_take_dirty(&d->p2m, _gfn(g), &order))
			continue;
		logdirty_mark(d, _gfn(g & ~(BIT(order) - 1)), order);
		any = true;
	}
	if (any)
		p2m_flush(d);
}

/* With the p2m lock held. */
static uint64_t copy_bits(struct p2m *p, const struct frames *f, uint8_t *bitmap, bool clean)
{
	const struct frames logged = { 0, p->dirty_ready };
	struct frames both = frames_common(f, &logged);
	uint64_t count = 0;

	for (uint64_t i = 0; i < both.nr; i += 8) {
		uint8_t *byte = p->dirty + (f->first + i) / 8;
		uint8_t these = both.nr - i >= 8 ? 0xff : (uint8_t)((1U << (both.nr - i)) - 1);

		these &= *byte;
		bitmap[i / 8] = these;
		if (clean)
			*byte &= (uint8_t)~these;
		for (; these; these &= (uint8_t)(these - 1))
			count++;
	}
	return count;
}

uint64_t logdirty_nothing(struct domain *d, const struct frames *f)
{
	struct p2m *p = &d->p2m;
	struct p2m_entry e;
	uint64_t g, end;

	spin_lock(&p->lock);
	e = p2m_get(d, _gfn(f->first));
	end = min(p2m_behind(f->first, e.order), frames_end(f));
	if (e.type != P2M_INVALID)
		end = f->first;
	/* Whole words of the bitmap, or none. */
	for (g = f->first; g + 64 <= end; g += 64)
		if (g < p->dirty_ready && *(const uint64_t *)(const void *)(p->dirty + g / 8))
			break;
	spin_unlock(&p->lock);
	return g - f->first;
}

int logdirty_read(struct domain *d, const struct frames *f, uint8_t *bitmap, bool clean,
		  uint64_t *count)
{
	struct p2m *p = &d->p2m;
	bool is_on;

	memset(bitmap, 0, DIV_ROUND_UP(f->nr, 8));
	*count = 0;
	spin_lock(&p->lock);
	is_on = logdirty_is_on(d);
	if (is_on) {
		logdirty_collect(d, f);
		*count = copy_bits(p, f, bitmap, clean);
	}
	spin_unlock(&p->lock);
	if (!is_on)
		return -EINVAL;
	if (!clean || p->fmt->dirty || !*count)
		return 0;
	return p2m_change_range(d, f, P2M_RAM_RW, P2M_RAM_LOGDIRTY, bitmap);
}
