// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which frames of a guest's video memory were written since the device model last asked. The frames are
 * P2M_RAM_LOGDIRTY (logdirty.c). One range a domain.
 */
#include "domain.h"
#include "hvm_ops.h"

/* d->p2m.vram */
struct vram_track {
	uint64_t first, nr;
	uint8_t map[]; /* bit per frame, p2m lock */
};

void vram_mark(struct domain *d, gfn_t gfn)
{
	struct vram_track *t = d->p2m.vram;

	if (t && gfn.v - t->first < t->nr)
		t->map[(gfn.v - t->first) / 8] |= (uint8_t)(1U << ((gfn.v - t->first) % 8));
}

static void stop(struct domain *d)
{
	struct vram_track *t = d->p2m.vram;

	if (!t)
		return;
	if (!d->p2m.logdirty)
		p2m_change_range(d, _gfn(t->first), t->nr, P2M_RAM_LOGDIRTY, P2M_RAM_RW, NULL);
	spin_lock(&d->p2m.lock);
	d->p2m.vram = NULL;
	spin_unlock(&d->p2m.lock);
	xfree(t);
}

void vram_track_stop(struct domain *d)
{
	spin_lock(&d->lock);
	stop(d);
	spin_unlock(&d->lock);
}

static int start(struct domain *d, gfn_t first, uint64_t nr, uint8_t *out)
{
	struct vram_track *t;

	stop(d);
	t = xzalloc_bytes(sizeof(*t) + DIV_ROUND_UP(nr, 8));
	if (!t)
		return -ENOMEM;
	t->first = first.v;
	t->nr = nr;
	spin_lock(&d->p2m.lock);
	d->p2m.vram = t;
	spin_unlock(&d->p2m.lock);
	/* The first answer: everything. */
	memset(out, 0xff, DIV_ROUND_UP(nr, 8));
	return p2m_change_range(d, first, nr, P2M_RAM_RW, P2M_RAM_LOGDIRTY, NULL);
}

/* d->lock held: one at a time starts and stops, whatever threads a device model has. */
static int track(struct domain *d, gfn_t first, uint64_t nr, uint8_t *out)
{
	struct vram_track *t = d->p2m.vram;

	if (!t || t->first != first.v || t->nr != nr)
		return start(d, first, nr, out);
	spin_lock(&d->p2m.lock);
	logdirty_collect(d, first, nr);
	memcpy(out, t->map, DIV_ROUND_UP(nr, 8));
	memset(t->map, 0, DIV_ROUND_UP(nr, 8));
	spin_unlock(&d->p2m.lock);
	if (d->p2m.fmt->dirty)
		return 0;
	return p2m_change_range(d, first, nr, P2M_RAM_RW, P2M_RAM_LOGDIRTY, out);
}

int vram_track(struct domain *d, gfn_t first, uint64_t nr, uint8_t *out)
{
	int rc;

	spin_lock(&d->lock);
	rc = d->dying ? -EINVAL : track(d, first, nr, out);
	spin_unlock(&d->lock);
	return rc;
}
