// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Graphics modes: walks the output lines as the CRTC does, decodes those whose video memory is
 * dirty, and reports the changed bands. Line addresses are taken modulo video memory; a line that
 * crosses its end is put together in a buffer first.
 */
#include "hw/vga.h"

#include <string.h>

#include "core/util.h"

/* One step of the CRTC through the picture. */
struct scan {
	uint32_t address;     /* of the current row of memory, before bank bits */
	uint32_t row, repeat; /* row scan counter; lines of this row shown so far */
	uint32_t pan;
};

static uint32_t source_bytes(const struct vga_frame *f, uint32_t px)
{
	switch (f->kind) {
	case VGA_KIND_PLANAR:
	case VGA_KIND_CGA:
		return (px + 7) / 8 * 4;
	case VGA_KIND_LIN15:
	case VGA_KIND_LIN16:
		return px * 2;
	case VGA_KIND_LIN24:
		return px * 3;
	case VGA_KIND_LIN32:
		return px * 4;
	default:
		return px;
	}
}

static void decode_planar(const struct vga_frame *f, const uint8_t *src, uint32_t *dst, uint32_t px)
{
	uint32_t i;

	for (i = 0; i < px; i += 8, src += 4) {
		uint32_t d = get_le32(src) & f->plane_mask;
		unsigned int bit;

		for (bit = 8; bit-- > 0; d <<= 1)
			*dst++ = f->palette[(d >> 7 & 1) | (d >> 14 & 2) | (d >> 21 & 4) |
					    (d >> 28 & 8)];
	}
}

/* Planes 0 (with 2 above it), then 1 (with 3): four pixels of two (four) bits each. */
static void decode_cga(const struct vga_frame *f, const uint8_t *src, uint32_t *dst, uint32_t px)
{
	uint32_t i;

	for (i = 0; i < px; i += 8, src += 4) {
		uint32_t d = get_le32(src) & f->plane_mask;
		unsigned int plane, shift;

		for (plane = 0; plane < 2; plane++, d >>= 8)
			for (shift = 8; shift; shift -= 2)
				*dst++ = f->palette[(d >> (shift - 2) & 3) | (d >> (shift + 14) & 3)
										     << 2];
	}
}

static void decode_8(const struct vga_frame *f, const uint8_t *src, uint32_t *dst, uint32_t px)
{
	while (px--)
		*dst++ = f->palette[*src++];
}

static void decode_15(const uint8_t *src, uint32_t *dst, uint32_t px)
{
	for (; px--; src += 2) {
		uint32_t p = get_le16(src), r = p >> 10 & 31, g = p >> 5 & 31, b = p & 31;

		*dst++ = (r << 3 | r >> 2) << 16 | (g << 3 | g >> 2) << 8 | (b << 3 | b >> 2);
	}
}

static void decode_16(const uint8_t *src, uint32_t *dst, uint32_t px)
{
	for (; px--; src += 2) {
		uint32_t p = get_le16(src), r = p >> 11, g = p >> 5 & 63, b = p & 31;

		*dst++ = (r << 3 | r >> 2) << 16 | (g << 2 | g >> 4) << 8 | (b << 3 | b >> 2);
	}
}

static void decode_24(const uint8_t *src, uint32_t *dst, uint32_t px)
{
	for (; px--; src += 3)
		*dst++ = src[0] | (uint32_t)src[1] << 8 | (uint32_t)src[2] << 16;
}

static void decode_32(const uint8_t *src, uint32_t *dst, uint32_t px)
{
	for (; px--; src += 4)
		*dst++ = get_le32(src) & 0xffffff;
}

static void decode(const struct vga_frame *f, const uint8_t *src, uint32_t *dst, uint32_t px)
{
	switch (f->kind) {
	case VGA_KIND_PLANAR:
		decode_planar(f, src, dst, px);
		break;
	case VGA_KIND_CGA:
		decode_cga(f, src, dst, px);
		break;
	case VGA_KIND_LIN15:
		decode_15(src, dst, px);
		break;
	case VGA_KIND_LIN16:
		decode_16(src, dst, px);
		break;
	case VGA_KIND_LIN24:
		decode_24(src, dst, px);
		break;
	case VGA_KIND_LIN32:
		decode_32(src, dst, px);
		break;
	default:
		decode_8(f, src, dst, px);
	}
}

static void emit_doubled(const uint32_t *src, uint32_t *dst, uint32_t px)
{
	for (; px--; dst += 2)
		dst[0] = dst[1] = *src++;
}

static void draw_line(struct vga *v, const struct vga_frame *f, uint32_t address, uint32_t len,
		      uint32_t pan, uint32_t *dst)
{
	const uint8_t *src = v->vram + address;

	if (address + len > v->vram_bytes) {
		uint32_t head = v->vram_bytes - address;

		memcpy(v->line_raw, src, head);
		memcpy(v->line_raw + head, v->vram, len - head);
		src = v->line_raw;
	}
	if (vga_frame_is_linear(f)) {
		decode(f, src, dst, f->source_px);
		return;
	}
	decode(f, src, v->line_px, f->source_px + (pan ? 8 : 0));
	if (f->doubled)
		emit_doubled(v->line_px + pan, dst, f->source_px);
	else
		memcpy(dst, v->line_px + pan, f->source_px * sizeof(*dst));
}

static bool range_dirty(const struct vga *v, uint32_t address, uint32_t len)
{
	uint32_t page = address >> VGA_PAGE_SHIFT;
	uint32_t last = (address + len - 1) >> VGA_PAGE_SHIFT;
	uint32_t mask = (v->vram_bytes >> VGA_PAGE_SHIFT) - 1;

	for (; page <= last; page++)
		if (vga_page_dirty(v, page & mask))
			return true;
	return false;
}

static uint32_t line_address(const struct vga *v, const struct vga_frame *f, const struct scan *s)
{
	uint32_t address = s->address;

	if (f->bank_mask & 1)
		address = (address & ~(1u << f->bank_shift)) | (s->row & 1) << f->bank_shift;
	if (f->bank_mask & 2)
		address = (address & ~(2u << f->bank_shift)) | (s->row & 2) << f->bank_shift;
	return address & (v->vram_bytes - 1);
}

static void next_line(const struct vga_frame *f, struct scan *s, uint32_t y)
{
	if (y == f->split) {
		s->address = f->below;
		s->row = s->repeat = 0;
		s->pan = f->pan_below;
		return;
	}
	if (++s->repeat < f->lines_per_row)
		return;
	s->repeat = 0;
	/* The row counter has five bits: a preset beyond the last row runs through 31. */
	if (s->row == f->rows - 1) {
		s->row = 0;
		s->address += f->pitch;
	} else {
		s->row = (s->row + 1) & 31;
	}
}

static void clean_pages(struct vga *v, const struct vga_frame *f)
{
	const uint32_t bits = 8 * sizeof(unsigned long);
	uint32_t first, count, page;

	if (!vga_frame_pages(v, f, &first, &count))
		return;
	for (page = first; page < first + count; page++)
		v->dirty[page / bits] &= ~(1ul << (page % bits));
}

void vga_draw_graphics(struct vga *v, const struct vga_frame *f, bool full)
{
	struct scan s = { .address = f->start, .row = f->first_row, .pan = f->pan };
	uint32_t y, band = UINT32_MAX;

	for (y = 0; y < f->height; next_line(f, &s, y), y++) {
		uint32_t address = line_address(v, f, &s);
		uint32_t len = source_bytes(f, f->source_px + (s.pan ? 8 : 0));

		if (full || range_dirty(v, address, len)) {
			draw_line(v, f, address, len, s.pan, v->pixels + (size_t)y * v->stride);
			if (band == UINT32_MAX)
				band = y;
		} else if (band != UINT32_MAX) {
			v->damage(v->opaque, 0, band, f->width, y - band);
			band = UINT32_MAX;
		}
	}
	if (band != UINT32_MAX)
		v->damage(v->opaque, 0, band, f->width, f->height - band);
	clean_pages(v, f);
}
