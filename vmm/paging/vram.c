// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which frames of a guest's video memory were written since the device model last asked. The frames are
 * P2M_RAM_LOGDIRTY (logdirty.c). One range a domain. A round over it, which ends in an answer, goes in pieces:
 * what was written to the frames before `next` is in `answer` already, and stays there until it is given out.
 */
#include "domain.h"
#include "hvm_ops.h"
#include "p2m_private.h"

/* d->p2m.vram; d->lock, and p2m lock for what has its letter */
struct vram_track {
	struct frames range;
	uint64_t next; /* frames that the round has come over */
	bool started;  /* the first round, which protects all of them, is over */
	uint8_t *map;  /* bit per frame written, p */
	uint8_t *answer;
	uint8_t bits[];
};

void vram_mark(struct domain *d, const struct frames *f)
{
	struct vram_track *t = d->p2m.vram;
	struct frames both;

	if (!t)
		return;
	both = frames_common(f, &t->range);
	if (both.nr)
		bitmap_set_range(t->map, t->range.first, &both);
}

bool vram_has_some(const struct domain *d, const struct frames *f)
{
	const struct vram_track *t = d->p2m.vram;

	return t && frames_common(f, &t->range).nr;
}

/* Entries stay as they are: writable, or they turn so at their next write fault. */
static void stop(struct domain *d)
{
	struct vram_track *t = d->p2m.vram;

	spin_lock(&d->p2m.lock);
	WRITE_ONCE(d->p2m.vram, NULL);
	spin_unlock(&d->p2m.lock);
	xfree(t);
}

void vram_track_stop(struct domain *d)
{
	spin_lock(&d->lock);
	stop(d);
	spin_unlock(&d->lock);
}

static struct vram_track *start(struct domain *d, const struct frames *f)
{
	size_t bytes = DIV_ROUND_UP(f->nr, 8);
	struct vram_track *t;

	stop(d);
	t = xzalloc_bytes(sizeof(*t) + 2 * bytes);
	if (!t)
		return NULL;
	t->range = *f;
	t->map = t->bits;
	t->answer = t->bits + bytes;
	spin_lock(&d->p2m.lock);
	WRITE_ONCE(d->p2m.vram, t);
	spin_unlock(&d->p2m.lock);
	return t;
}

static int piece(struct domain *d, struct vram_track *t)
{
	struct frames f = frames_part(&t->range, t->next, paging_change_piece(d));
	uint8_t written[P2M_PIECE / 8];
	uint64_t at = t->next / 8, bytes = DIV_ROUND_UP(f.nr, 8);
	int rc = 0;

	spin_lock(&d->p2m.lock);
	logdirty_collect(d, &f);
	memcpy(written, t->map + at, bytes);
	memset(t->map + at, 0, bytes);
	spin_unlock(&d->p2m.lock);
	for (uint64_t i = 0; i < bytes; i++)
		t->answer[at + i] |= written[i];
	if (!t->started || !d->p2m.fmt->dirty)
		rc = p2m_change_range(d, &f, P2M_RAM_RW, P2M_RAM_LOGDIRTY,
				      t->started ? written : NULL);
	t->next += f.nr;
	return rc;
}

/* d->lock held: one at a time starts and stops, whatever threads a device model has. */
static int track(struct domain *d, const struct frames *f, uint8_t *out)
{
	struct vram_track *t = d->p2m.vram;
	int rc;

	if (!t || t->range.first != f->first || t->range.nr != f->nr)
		t = start(d, f);
	rc = t ? piece(d, t) : -ENOMEM;
	if (rc)
		return rc;
	if (t->next < f->nr)
		return -ERESTART;
	if (t->started)
		memcpy(out, t->answer, DIV_ROUND_UP(f->nr, 8));
	else
		memset(out, 0xff, DIV_ROUND_UP(f->nr, 8));
	memset(t->answer, 0, DIV_ROUND_UP(f->nr, 8));
	t->started = true;
	t->next = 0;
	return 0;
}

int vram_track(struct domain *d, const struct frames *f, uint8_t *out)
{
	int rc;

	spin_lock(&d->lock);
	rc = d->dying ? -EINVAL : track(d, f, out);
	spin_unlock(&d->lock);
	return rc;
}
