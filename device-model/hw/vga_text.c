// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Text modes: characters and attributes in planes 0 and 1, two fonts in plane 2. A copy of the
 * cells as last drawn says which to draw again, so writes are found whichever way they came.
 */
#include "hw/vga.h"

#include <string.h>

#include "core/util.h"

#define CURSOR_PHASE_NS (16 * 16666667ull) /* 16 frames on, 16 off */
#define BLINK_PHASE_NS	(32 * 16666667ull)

/* Bits of a remembered cell above character and attribute. */
#define CELL_CURSOR 0x10000u
#define CELL_HIDDEN 0x20000u /* blinking, in its dark half */

/* The part of the screen a cell may draw on, and where it starts (may be outside). */
struct place {
	int64_t x, y;
	uint32_t top, bottom; /* lines, bottom exclusive */
};

static uint8_t glyph_row(const struct vga *v, const struct vga_frame *f, uint32_t cell,
			 uint32_t row)
{
	uint32_t ch = cell & 0xff, bold = cell >> 11 & 1;

	/* Attribute bit 3 selects font A, which is the same as B unless the guest split them. */
	return v->vram[f->font[bold] + (ch * 32 + row) * 4];
}

/* The dots of one row, leftmost in bit 15. */
static uint32_t cell_dots(const struct vga *v, const struct vga_frame *f, uint32_t cell,
			  uint32_t row)
{
	uint32_t ch = cell & 0xff, bits = glyph_row(v, f, cell, row), wide = 0;
	unsigned int i;

	if ((cell & CELL_CURSOR) && row >= f->cursor_first && row <= f->cursor_last)
		return 0xffff;
	if (row == f->underline && (cell >> 8 & 7) == 1)
		return 0xffff;
	if (cell & CELL_HIDDEN)
		return 0;
	if (f->cell_width != 16) {
		bool ninth = f->dup9 && ch >= 0xc0 && ch <= 0xdf && (bits & 1);

		return bits << 8 | (ninth ? 0x80 : 0);
	}
	for (i = 0; i < 8; i++)
		wide |= (bits >> i & 1) * (3u << (2 * i));
	return wide;
}

static void draw_cell(struct vga *v, const struct vga_frame *f, uint32_t cell,
		      const struct place *p)
{
	uint32_t fg = f->palette[cell >> 8 & 15];
	uint32_t bg = f->palette[cell >> 12 & (f->blink ? 7 : 15)];
	uint32_t line, lines = f->rows * f->lines_per_row;

	for (line = 0; line < lines; line++) {
		int64_t y = p->y + line;
		uint32_t dots, i, *dst;

		if (y < p->top || y >= p->bottom)
			continue;
		dots = cell_dots(v, f, cell, line / f->lines_per_row);
		dst = v->pixels + (size_t)y * v->stride;
		for (i = 0; i < f->cell_width; i++)
			if (p->x + i >= 0 && p->x + i < f->width)
				dst[p->x + i] = dots & 0x8000u >> i ? fg : bg;
	}
}

static uint32_t cell_now(const struct vga *v, const struct vga_frame *f, uint32_t address,
			 uint64_t now_ns)
{
	uint32_t cell = get_le16(v->vram + address);
	uint32_t cursor = (uint32_t)(v->crtc[CR_CURSOR_HIGH] << 8 | v->crtc[CR_CURSOR_LOW]) * 4;

	if (address == (cursor & (v->vram_bytes - 1)) && f->cursor_first <= f->cursor_last &&
	    !(now_ns / CURSOR_PHASE_NS & 1))
		cell |= CELL_CURSOR;
	if (f->blink && (cell & 0x8000) && (now_ns / BLINK_PHASE_NS & 1))
		cell |= CELL_HIDDEN;
	return cell;
}

/* One row of cells; returns the next remembered cell. */
static uint32_t *draw_row(struct vga *v, const struct vga_frame *f, uint32_t address,
			  struct place p, uint32_t *cells, uint64_t now_ns)
{
	uint32_t pan = (uint32_t)-p.x, count = f->columns + (pan ? 1 : 0);
	uint32_t i, first = UINT32_MAX, last = 0;
	int64_t y0 = MAX(p.y, (int64_t)p.top);
	int64_t y1 = MIN(p.y + f->rows * f->lines_per_row, (int64_t)p.bottom);

	for (i = 0; i < count; i++, p.x += f->cell_width, cells++) {
		uint32_t cell = cell_now(v, f, (address + i * 4) & (v->vram_bytes - 1), now_ns);

		if (cell == *cells)
			continue;
		*cells = cell;
		draw_cell(v, f, cell, &p);
		first = MIN(first, i);
		last = i;
	}
	if (first != UINT32_MAX && y0 < y1) {
		uint32_t x = first ? first * f->cell_width - pan : 0;

		v->damage(v->opaque, x, (uint32_t)y0,
			  MIN((last + 1) * f->cell_width - pan, f->width) - x, (uint32_t)(y1 - y0));
	}
	return cells;
}

static uint32_t *draw_part(struct vga *v, const struct vga_frame *f, uint32_t address,
			   struct place p, uint32_t *cells, uint64_t now_ns)
{
	for (; p.y < p.bottom; p.y += f->rows * f->lines_per_row, address += f->pitch)
		cells = draw_row(v, f, address, p, cells, now_ns);
	return cells;
}

/* A row more than the screen for a preset row scan and for each part of a split. */
static size_t cells_needed(const struct vga_frame *f)
{
	return (size_t)(f->columns + 1) * (f->text_rows + 4);
}

void vga_draw_text(struct vga *v, const struct vga_frame *f, bool full, uint64_t now_ns)
{
	size_t need = cells_needed(f);
	struct place top = { .x = -(int64_t)f->pan, .bottom = f->height };
	struct place low = { .x = -(int64_t)f->pan_below, .bottom = f->height };
	uint32_t *cells;

	if (need > v->cells_capacity) {
		v->cells = xrealloc(v->cells, need * sizeof(*v->cells));
		v->cells_capacity = need;
		full = true;
	}
	if (full || v->font_dirty)
		memset(v->cells, 0xff, need * sizeof(*v->cells));
	v->font_dirty = false;

	top.y = -(int64_t)(MIN(f->first_row, f->rows - 1) * f->lines_per_row);
	if (f->split < f->height)
		top.bottom = f->split + 1;
	cells = draw_part(v, f, f->start, top, v->cells, now_ns);
	low.top = top.bottom;
	low.y = top.bottom;
	draw_part(v, f, f->below, low, cells, now_ns);
}
