/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shape and events of a paravirtual framebuffer. See fbif.h. */
#include "pv/fbif.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/util.h"

/* Offsets in the page, and events of 40 bytes (xen/io/fbif.h). */
#define PAGE_OUT_CONS	 8
#define PAGE_OUT_PROD	 12
#define PAGE_WIDTH	 16
#define PAGE_HEIGHT	 20
#define PAGE_LINE	 24
#define PAGE_MEM	 28
#define PAGE_DEPTH	 32
#define PAGE_DIRECTORY	 40 /* 36 where a long has 32 bits */
#define PAGE_DIRECTORY32 36
#define PAGE_IN_RING	 1024u
#define OUT_RING	 2048u
#define OUT_EVENTS	 51u
#define EVENT_SIZE	 40u

enum event_type { EVENT_UPDATE = 2, EVENT_RESIZE = 3 };

static bool shape_ok(const struct fbif_shape *s, uint32_t bytes)
{
	uint64_t line = (uint64_t)s->width * (s->depth / 8);

	if (s->depth != 8 && s->depth != 16 && s->depth != 32)
		return false;
	if (!s->width || s->width > FBIF_MAX_SIDE || !s->height || s->height > FBIF_MAX_SIDE)
		return false;
	/* Pixels are copied in words. */
	if (s->stride % 4 || s->offset % 4 || s->stride < line || s->stride > FBIF_MAX_BYTES)
		return false;
	return s->offset + (uint64_t)s->stride * s->height <= bytes;
}

static uint64_t directory_entry(const uint8_t *d, size_t i, bool is_32)
{
	return is_32 ? get_le32(d + i * 4) : load_le(d + i * 8, 8);
}

/* The directory's pages hold the framebuffer's numbers; each is copied once. */
static int pages_find(const struct fbif *f, const uint8_t *copy, bool is_32, uint64_t *gfns,
		      size_t nr)
{
	const uint8_t *directory = copy + (is_32 ? PAGE_DIRECTORY32 : PAGE_DIRECTORY);
	size_t per_page = FBIF_PAGE / (is_32 ? 4 : 8), done, i;
	uint8_t list[FBIF_PAGE];

	for (done = 0; done < nr; done += per_page) {
		int rc = f->ops->read_page(
			f->opaque, directory_entry(directory, done / per_page, is_32), list);

		if (rc)
			return rc;
		for (i = 0; i < per_page && done + i < nr; i++)
			gfns[done + i] = directory_entry(list, i, is_32);
	}
	return 0;
}

int fbif_open(struct fbif *f, void *page, bool is_32, const struct fbif_ops *ops, void *opaque,
	      uint64_t **gfns, size_t *nr)
{
	uint8_t copy[PAGE_IN_RING];
	int rc;

	memcpy(copy, page, sizeof(copy));
	*f = (struct fbif){
		.page = page,
		.ops = ops,
		.opaque = opaque,
		.shape = { .width = get_le32(copy + PAGE_WIDTH),
			   .height = get_le32(copy + PAGE_HEIGHT),
			   .stride = get_le32(copy + PAGE_LINE),
			   .depth = copy[PAGE_DEPTH] },
		.bytes = get_le32(copy + PAGE_MEM),
		.out_cons = get_le32(copy + PAGE_OUT_CONS),
	};
	if (f->bytes > FBIF_MAX_BYTES || !shape_ok(&f->shape, f->bytes))
		return -EINVAL;
	*nr = (f->bytes + FBIF_PAGE - 1) / FBIF_PAGE;
	*gfns = xzalloc(*nr * sizeof(**gfns));
	rc = pages_find(f, copy, is_32, *gfns, *nr);
	if (rc) {
		free(*gfns);
		*gfns = NULL;
	}
	return rc;
}

/* The part that lies in the picture. */
static void update(struct fbif *f, const uint8_t *e)
{
	int64_t x = (int32_t)get_le32(e + 4), y = (int32_t)get_le32(e + 8);
	int64_t x2 = x + (int32_t)get_le32(e + 12), y2 = y + (int32_t)get_le32(e + 16);

	x = MAX(x, 0);
	y = MAX(y, 0);
	x2 = MIN(x2, (int64_t)f->shape.width);
	y2 = MIN(y2, (int64_t)f->shape.height);
	if (x < x2 && y < y2)
		f->ops->update(f->opaque, (uint32_t)x, (uint32_t)y, (uint32_t)(x2 - x),
			       (uint32_t)(y2 - y));
}

static void resize(struct fbif *f, const uint8_t *e)
{
	struct fbif_shape s = {
		.width = get_le32(e + 4),
		.height = get_le32(e + 8),
		.stride = get_le32(e + 12),
		.depth = get_le32(e + 16),
		.offset = get_le32(e + 20),
	};

	/* A shape that does not fit into the memory is not taken; the old one stays. */
	if (!shape_ok(&s, f->bytes))
		return;
	f->shape = s;
	f->ops->reshape(f->opaque);
}

void fbif_poll(struct fbif *f)
{
	uint32_t prod = __atomic_load_n((uint32_t *)(f->page + PAGE_OUT_PROD), __ATOMIC_ACQUIRE);
	uint8_t e[EVENT_SIZE];

	if (f->stopped || prod == f->out_cons)
		return;
	if (prod - f->out_cons > OUT_EVENTS) {
		f->stopped = true;
		f->ops->broken(f->opaque, "more events than the ring has places");
		return;
	}
	for (; f->out_cons != prod; f->out_cons++) {
		memcpy(e, f->page + OUT_RING + f->out_cons % OUT_EVENTS * EVENT_SIZE, EVENT_SIZE);
		if (e[0] == EVENT_UPDATE)
			update(f, e);
		else if (e[0] == EVENT_RESIZE)
			resize(f, e);
	}
	__atomic_store_n((uint32_t *)(f->page + PAGE_OUT_CONS), f->out_cons, __ATOMIC_RELEASE);
}
