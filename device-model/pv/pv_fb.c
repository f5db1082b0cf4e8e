/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The paravirtual framebuffer ("vfb") as the picture that VNC and SDL show. It is the guest's memory, mapped
 * read-only; what changed is copied into a surface of our own, so the user interfaces never see it change
 * under them. A front end that cannot say what changed gets everything copied at each refresh.
 */
#include <errno.h>
#include <pixman.h>
#include <stdlib.h>
#include <string.h>

#include "core/display.h"
#include "core/util.h"
#include "pv/fbif.h"
#include "pv/pv.h"
#include "pv/pv_bus.h"
#include "pv/pv_guest.h"

struct pv_fb {
	struct fbif fb;
	void *page;
	uint8_t *pixels;
	size_t nr_pages;
	bool updates; /* it says what changed */
	bool all;     /* copy everything at the next refresh */
	pixman_region32_t changed;
};

/* --- display --- */

static pixman_format_code_t format_of(uint32_t depth)
{
	return depth == 32 ? PIXMAN_x8r8g8b8 : depth == 16 ? PIXMAN_r5g6b5 : PIXMAN_r3g3b2;
}

static void copy_boxes(struct display *display, struct pv_fb *s)
{
	const struct fbif_shape *sh = &s->fb.shape;
	pixman_image_t *guest = pixman_image_create_bits(
		format_of(sh->depth), (int)sh->width, (int)sh->height,
		(uint32_t *)(void *)(s->pixels + sh->offset), (int)sh->stride);
	int n, i;
	pixman_box32_t *b = pixman_region32_rectangles(&s->changed, &n);

	for (i = 0; guest && i < n; i++) {
		int w = b[i].x2 - b[i].x1, h = b[i].y2 - b[i].y1;

		pixman_image_composite32(PIXMAN_OP_SRC, guest, NULL, display->surface, b[i].x1,
					 b[i].y1, 0, 0, b[i].x1, b[i].y1, w, h);
		display_update(display, b[i].x1, b[i].y1, w, h);
	}
	if (guest)
		pixman_image_unref(guest);
}

static void refresh(void *opaque)
{
	struct pv_dev *d = opaque;
	struct pv_fb *s = d->priv;

	if (s->all || !s->updates)
		pixman_region32_union_rect(&s->changed, &s->changed, 0, 0, s->fb.shape.width,
					   s->fb.shape.height);
	s->all = false;
	copy_boxes(d->pv->display, s);
	pixman_region32_clear(&s->changed);
}

static void invalidate(void *opaque)
{
	struct pv_dev *d = opaque;
	struct pv_fb *s = d->priv;

	s->all = true;
}

static const struct display_source_ops source = { refresh, invalidate };

/* --- events --- */

static int read_page(void *opaque, uint64_t gfn, uint8_t copy[FBIF_PAGE])
{
	const struct pv_dev *d = opaque;
	void *p = pv_guest_map_pages(d->pv->guest, &gfn, 1, false);

	if (!p)
		return -errno;
	memcpy(copy, p, FBIF_PAGE);
	pv_guest_unmap_pages(d->pv->guest, p, 1);
	return 0;
}

static void on_update(void *opaque, uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
	struct pv_dev *d = opaque;
	struct pv_fb *s = d->priv;

	pixman_region32_union_rect(&s->changed, &s->changed, (int)x, (int)y, width, height);
	/* Many small pieces cost more than one that holds them all. */
	if (pixman_region32_n_rects(&s->changed) > 64) {
		pixman_box32_t *e = pixman_region32_extents(&s->changed), box = *e;

		pixman_region32_fini(&s->changed);
		pixman_region32_init_with_extents(&s->changed, &box);
	}
}

static void on_reshape(void *opaque)
{
	struct pv_dev *d = opaque;
	struct pv_fb *s = d->priv;

	pixman_region32_clear(&s->changed);
	s->all = true;
	display_resize(d->pv->display, (int)s->fb.shape.width, (int)s->fb.shape.height);
	display_invalidate(d->pv->display);
}

static void on_broken(void *opaque, const char *why)
{
	pv_bus_broken(opaque, why);
}

static const struct fbif_ops fb_ops = { read_page, on_update, on_reshape, on_broken };

static void fb_event(struct pv_dev *d)
{
	struct pv_fb *s = d->priv;

	fbif_poll(&s->fb);
}

/* --- its life --- */

static bool fb_begin(struct pv_dev *d)
{
	struct pv_fb *s;

	if (!d->pv->display)
		return false;
	s = xzalloc(sizeof(*s));
	pixman_region32_init(&s->changed);
	d->priv = s;
	return true;
}

static void fb_end(struct pv_dev *d)
{
	struct pv_fb *s = d->priv;

	if (s)
		pixman_region32_fini(&s->changed);
	free(s);
	d->priv = NULL;
}

static int fb_offer(struct pv_dev *d)
{
	xenbus_write(d->back, "feature-resize", "1");
	return 0;
}

static int page_map(struct pv_dev *d)
{
	struct pv_fb *s = d->priv;
	uint64_t gfn = xenbus_read_number(d->front, "page-ref", PV_NO_NUMBER - 1, PV_NO_NUMBER);

	if (gfn == PV_NO_NUMBER)
		return -EINVAL;
	s->page = pv_guest_map_pages(d->pv->guest, &gfn, 1, true);
	return s->page ? 0 : -errno;
}

static int pixels_map(struct pv_dev *d)
{
	struct pv_fb *s = d->priv;
	char *protocol = xenbus_read(d->front, "protocol");
	bool is_32 = protocol && !strcmp(protocol, "x86_32-abi");
	uint64_t *gfns = NULL;
	int rc = fbif_open(&s->fb, s->page, is_32, &fb_ops, d, &gfns, &s->nr_pages);

	free(protocol);
	if (rc)
		return rc;
	s->pixels = pv_guest_map_pages(d->pv->guest, gfns, s->nr_pages, false);
	rc = s->pixels ? 0 : -errno;
	free(gfns);
	return rc;
}

static int fb_connect(struct pv_dev *d)
{
	struct pv_fb *s = d->priv;
	int rc = d->pv->shown ? -EBUSY : page_map(d);

	if (!rc)
		rc = pixels_map(d);
	if (!rc)
		rc = pv_bus_bind(d);
	if (rc)
		return rc;
	s->updates = xenbus_read_number(d->front, "feature-update", 1, 0);
	if (s->updates)
		xenbus_write(d->back, "request-update", "1");
	d->pv->shown = d;
	on_reshape(d);
	display_set_source(d->pv->display, &source, d);
	return 0;
}

static void fb_disconnect(struct pv_dev *d)
{
	struct pv_fb *s = d->priv;

	if (d->pv->shown == d) {
		display_set_source(d->pv->display, NULL, NULL);
		d->pv->shown = NULL;
	}
	if (s->pixels)
		pv_guest_unmap_pages(d->pv->guest, s->pixels, s->nr_pages);
	if (s->page)
		pv_guest_unmap_pages(d->pv->guest, s->page, 1);
	s->pixels = NULL;
	s->page = NULL;
}

const struct pv_kind pv_fb_kind = {
	.name = "vfb",
	.what = "framebuffer",
	.begin = fb_begin,
	.offer = fb_offer,
	.connect = fb_connect,
	.event = fb_event,
	.disconnect = fb_disconnect,
	.end = fb_end,
};
