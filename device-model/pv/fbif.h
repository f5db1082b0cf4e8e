/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The back end's half of a paravirtual framebuffer (xen/io/fbif.h): where its pages are, its shape, and the
 * events that say what changed. The page is shared with the guest: every field is copied once, then checked.
 * pv_fb.c maps and shows it.
 */
#ifndef DM_PV_FBIF_H
#define DM_PV_FBIF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FBIF_PAGE      4096u
#define FBIF_MAX_BYTES (64u << 20)
#define FBIF_MAX_SIDE  8192u

struct fbif_shape {
	uint32_t width, height;	 /* 1 to FBIF_MAX_SIDE */
	uint32_t stride, offset; /* bytes, multiples of 4 */
	uint32_t depth;		 /* bits of a pixel: 8, 16 or 32 */
};

struct fbif_ops {
	/* Copy one page of the guest. 0 or -errno. */
	int (*read_page)(void *opaque, uint64_t gfn, uint8_t copy[FBIF_PAGE]);
	/* Inside the picture. */
	void (*update)(void *opaque, uint32_t x, uint32_t y, uint32_t width, uint32_t height);
	/* The shape is another one now. */
	void (*reshape)(void *opaque);
	void (*broken)(void *opaque, const char *why);
};

struct fbif {
	uint8_t *page;
	const struct fbif_ops *ops;
	void *opaque;
	struct fbif_shape shape;
	uint32_t bytes;	   /* of the framebuffer, at most FBIF_MAX_BYTES */
	uint32_t out_cons; /* ours */
	bool stopped;
};

/*
 * Take over the page. *gfns (to be freed) gets the framebuffer's *nr pages. is_32: the front end's long has
 * 32 bits. 0 or -errno: the front end wrote nonsense.
 */
int fbif_open(struct fbif *f, void *page, bool is_32, const struct fbif_ops *ops, void *opaque,
	      uint64_t **gfns, size_t *nr);
/* The guest sent an event: take its messages. */
void fbif_poll(struct fbif *f);

#endif
