/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The surface between the VGA and the user interfaces. See display.h. */
#include "core/display.h"

#include "core/log.h"
#include "core/util.h"

#define DISPLAY_MIN_INTERVAL_NS (16 * NS_PER_MS)
#define DISPLAY_MAX_INTERVAL_NS (1000 * NS_PER_MS)
#define DISPLAY_START_WIDTH	640
#define DISPLAY_START_HEIGHT	400

static void refresh_due(void *opaque)
{
	struct display *d = opaque;
	struct display_listener *l, *next;

	if (d->source)
		d->source->refresh(d->source_opaque);
	for (l = d->listeners; l; l = next) {
		next = l->next;
		if (l->refresh_done)
			l->refresh_done(l->opaque);
	}
	if (d->interval_ns)
		dm_timer_set_ns(&d->refresh_timer, clock_host_ns() + d->interval_ns);
}

/* The new surface is in place: tell everyone. */
static void surface_changed(struct display *d)
{
	struct display_listener *l;

	for (l = d->listeners; l; l = l->next)
		l->resize(l->opaque, d->surface, d->width, d->height);
}

void display_resize(struct display *d, int width, int height)
{
	pixman_image_t *old = d->surface;
	pixman_image_t *new = pixman_image_create_bits(PIXMAN_x8r8g8b8, width, height, NULL, 0);

	if (!new)
		log_fatal("out of memory for a %dx%d display", width, height);
	d->surface = new;
	d->width = width;
	d->height = height;
	surface_changed(d);
	if (old)
		pixman_image_unref(old);
}

void display_init(struct display *d, struct machine *m)
{
	*d = (struct display){ .m = m };
	dm_timer_init(&d->refresh_timer, DM_CLOCK_HOST, refresh_due, d);
	display_resize(d, DISPLAY_START_WIDTH, DISPLAY_START_HEIGHT);
}

void display_set_source(struct display *d, const struct display_source_ops *ops, void *opaque)
{
	d->source = ops;
	d->source_opaque = opaque;
	display_invalidate(d);
}

void display_update(struct display *d, int x, int y, int width, int height)
{
	struct display_listener *l;

	width = MIN(x + width, d->width);
	height = MIN(y + height, d->height);
	x = MAX(x, 0);
	y = MAX(y, 0);
	width -= x;
	height -= y;
	if (width <= 0 || height <= 0)
		return;
	for (l = d->listeners; l; l = l->next)
		l->update(l->opaque, x, y, width, height);
}

/* The shortest interval that anyone wants; 0: nobody looks. */
static void interval_update(struct display *d)
{
	struct display_listener *l;
	uint64_t best = 0;

	for (l = d->listeners; l; l = l->next) {
		uint64_t want = l->interval_ns;

		if (!want)
			continue;
		want = MIN(MAX(want, DISPLAY_MIN_INTERVAL_NS), DISPLAY_MAX_INTERVAL_NS);
		best = best ? MIN(best, want) : want;
	}
	if (best == d->interval_ns)
		return;
	d->interval_ns = best;
	if (best)
		dm_timer_set_ns(&d->refresh_timer, clock_host_ns() + best);
	else
		dm_timer_cancel(&d->refresh_timer);
}

void display_add_listener(struct display *d, struct display_listener *l)
{
	l->next = d->listeners;
	d->listeners = l;
	l->resize(l->opaque, d->surface, d->width, d->height);
	interval_update(d);
	display_invalidate(d);
}

void display_remove_listener(struct display *d, struct display_listener *l)
{
	struct display_listener **p = &d->listeners;

	while (*p && *p != l)
		p = &(*p)->next;
	if (*p)
		*p = l->next;
	interval_update(d);
}

void display_set_interval(struct display *d, struct display_listener *l, uint64_t interval_ns)
{
	l->interval_ns = interval_ns;
	interval_update(d);
}

void display_invalidate(struct display *d)
{
	if (d->source && d->source->invalidate)
		d->source->invalidate(d->source_opaque);
	if (d->interval_ns)
		dm_timer_set_ns(&d->refresh_timer, clock_host_ns());
}
