// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One refresh of the picture: compares what the registers describe with what was drawn last,
 * changes the surface's size, and draws all or only what changed.
 */
#include "hw/vga.h"

#include <string.h>

#include "core/util.h"

static void set_size(struct vga *v, uint32_t width, uint32_t height)
{
	if (v->pixels && v->width == width && v->height == height)
		return;
	v->pixels = v->resize(v->opaque, width, height, &v->stride);
	v->width = width;
	v->height = height;
}

static void draw_blank(struct vga *v)
{
	uint32_t y;

	if (!v->pixels)
		set_size(v, 640, 400);
	for (y = 0; y < v->height; y++)
		memset(v->pixels + (size_t)y * v->stride, 0, v->width * sizeof(*v->pixels));
	v->damage(v->opaque, 0, 0, v->width, v->height);
}

void vga_render(struct vga *v, uint64_t now_ns)
{
	struct vga_frame f;
	bool full = v->redraw;

	vga_frame_get(v, &f);
	/* vga_frame_get clears the padding, memcpy keeps it so. */
	/* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison) */
	if (memcmp(&f, &v->frame, sizeof(f))) {
		memcpy(&v->frame, &f, sizeof(f));
		full = true;
	}
	v->redraw = false;
	/* Registers caught between two modes can describe next to nothing: keep the last picture. */
	if (f.kind != VGA_KIND_BLANK && (f.width < 8 || f.height < 2))
		return;
	switch (f.kind) {
	case VGA_KIND_BLANK:
		if (full)
			draw_blank(v);
		break;
	case VGA_KIND_TEXT:
		set_size(v, f.width, f.height);
		vga_draw_text(v, &f, full, now_ns);
		break;
	default:
		set_size(v, f.width, f.height);
		vga_draw_graphics(v, &f, full);
	}
}
