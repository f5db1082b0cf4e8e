/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the VGA (source) and the user interfaces (listeners). One surface, x8r8g8b8. The core calls
 * the source's refresh at the shortest interval any listener wants, and not at all without listeners.
 * Main loop's thread only.
 */
#ifndef DM_CORE_DISPLAY_H
#define DM_CORE_DISPLAY_H

#include <pixman.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/timer.h"

struct machine;

struct display_source_ops {
	/* Bring the surface up to date and call display_update for what changed. */
	void (*refresh)(void *opaque);
	/* The next refresh must redraw everything. */
	void (*invalidate)(void *opaque);
};

struct display_listener {
	void *opaque;
	/* The surface was replaced: look at d->surface again. Called once on registration too. */
	void (*resize)(void *opaque, pixman_image_t *surface, int width, int height);
	void (*update)(void *opaque, int x, int y, int width, int height);
	/* After each refresh, also when nothing changed. Optional. */
	void (*refresh_done)(void *opaque);
	uint64_t interval_ns; /* 0: wants no refresh now (no client connected) */
	struct display_listener *next;
};

struct display {
	struct machine *m;
	pixman_image_t *surface; /* PIXMAN_x8r8g8b8, never NULL */
	int width, height;
	const struct display_source_ops *source;
	void *source_opaque;
	struct display_listener *listeners;
	struct dm_timer refresh_timer;
	uint64_t interval_ns;
};

void display_init(struct display *d, struct machine *m); /* a 640x400 black surface */
void display_set_source(struct display *d, const struct display_source_ops *ops, void *opaque);
/*
 * Source: a new surface (contents undefined until drawn). It is never the guest's memory: listeners may
 * read it more than once.
 */
void display_resize(struct display *d, int width, int height);
/* Source: this rectangle changed; it is clipped to the surface. */
void display_update(struct display *d, int x, int y, int width, int height);

void display_add_listener(struct display *d, struct display_listener *l);
void display_remove_listener(struct display *d, struct display_listener *l);
/* Listener: change the wanted interval (16-1000 ms, or 0 for none); may start or stop the timer. */
void display_set_interval(struct display *d, struct display_listener *l, uint64_t interval_ns);
/* Listener: a client wants everything (also runs a refresh soon). */
void display_invalidate(struct display *d);

static inline uint32_t *display_line(struct display *d, int y)
{
	return pixman_image_get_data(d->surface) + y * (pixman_image_get_stride(d->surface) / 4);
}

#endif
