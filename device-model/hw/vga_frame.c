// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From registers to a struct vga_frame: which kind of picture, its size, where its lines lie in
 * video memory and its colours. Display memory addressing follows the CRTC (mode control register
 * 17h, row scan counter, line compare); pixel formats the graphics and attribute controllers.
 */
#include "hw/vga.h"

#include <string.h>

#include "core/util.h"

static uint32_t scale6(uint8_t c)
{
	c &= 0x3f;
	return c << 2 | c >> 4;
}

static uint32_t dac_colour(const struct vga *v, uint8_t index)
{
	const uint8_t *c = &v->dac[(index & v->pel_mask) * 3u];

	if (v->vbe[VBE_ENABLE] & VBE_8BIT_DAC)
		return (uint32_t)c[0] << 16 | (uint32_t)c[1] << 8 | c[2];
	return scale6(c[0]) << 16 | scale6(c[1]) << 8 | scale6(c[2]);
}

/* The attribute controller's 16 palette registers, through colour select (14h), into the DAC. */
static void palette16(const struct vga *v, struct vga_frame *f)
{
	uint8_t select = v->ar[AR_COLOUR_SELECT];
	unsigned int i;

	for (i = 0; i < 16; i++) {
		uint8_t index = v->ar[i];

		if (v->ar[AR_MODE] & 0x80)
			index = (uint8_t)((select & 0x0f) << 4 | (index & 0x0f));
		else
			index = (uint8_t)((select & 0x0c) << 4 | (index & 0x3f));
		f->palette[i] = dac_colour(v, index);
	}
}

static void palette256(const struct vga *v, struct vga_frame *f)
{
	unsigned int i;

	for (i = 0; i < 256; i++)
		f->palette[i] = dac_colour(v, (uint8_t)i);
}

static uint32_t plane_mask(const struct vga *v)
{
	uint32_t mask = 0;
	unsigned int i;

	for (i = 0; i < 4; i++)
		if (v->ar[AR_PLANE_ENABLE] >> i & 1)
			mask |= 0xffu << (8 * i);
	return mask;
}

/* Where lines are, as the CRTC describes it. */
static void crtc_layout(const struct vga *v, struct vga_frame *f)
{
	const uint8_t *cr = v->crtc;
	uint8_t mode = cr[CR_MODE];

	f->start = (uint32_t)(cr[CR_START_HIGH] << 8 | cr[CR_START_LOW]) * 4;
	f->start += (cr[CR_PRESET_ROW] >> 5 & 3) * 4;
	f->pitch = cr[CR_OFFSET] * 8u;
	f->split = cr[CR_LINE_COMPARE] | (cr[CR_OVERFLOW] & 0x10u) << 4 |
		   (cr[CR_MAX_SCAN] & 0x40u) << 3;
	f->rows = (cr[CR_MAX_SCAN] & 0x1fu) + 1;
	f->lines_per_row = cr[CR_MAX_SCAN] & 0x80 ? 2 : 1;
	f->first_row = cr[CR_PRESET_ROW] & 0x1f;
	f->bank_mask = ~mode & 3u;
	/* Byte mode counts dwords of interleaved memory, word mode pairs: bit 13 of either. */
	f->bank_shift = mode & 0x40 ? 15 : 14;
	f->height =
		(cr[CR_V_END] | (cr[CR_OVERFLOW] & 2u) << 7 | (cr[CR_OVERFLOW] & 0x40u) << 3) + 1;
}

static void vbe_layout(const struct vga *v, struct vga_frame *f)
{
	f->start = v->vbe_start;
	f->pitch = v->vbe_pitch;
	f->split = UINT32_MAX;
	f->rows = f->lines_per_row = 1;
	f->height = v->vbe[VBE_YRES];
	f->width = f->source_px = v->vbe[VBE_XRES];
}

static void set_pan(const struct vga *v, struct vga_frame *f, uint32_t pan)
{
	f->pan = pan;
	f->pan_below = v->ar[AR_MODE] & 0x20 ? 0 : pan;
}

static void text_frame(const struct vga *v, struct vga_frame *f)
{
	const uint8_t *cr = v->crtc;
	uint8_t map = v->seq[SEQ_FONT], pan = v->ar[AR_PAN] & 0x0f;

	f->kind = VGA_KIND_TEXT;
	crtc_layout(v, f);
	f->cell_width = v->seq[SEQ_CLOCK] & 8 ? 16 : v->seq[SEQ_CLOCK] & 1 ? 8 : 9;
	f->columns = cr[CR_H_END] + 1u;
	f->text_rows = f->height / (f->rows * f->lines_per_row);
	f->width = f->columns * f->cell_width;
	f->height = f->text_rows * f->rows * f->lines_per_row;
	/* Font select: bits 0, 1 and 4 for B, bits 2, 3 and 5 for A; 8 KiB steps in plane 2. */
	f->font[0] = ((map << 1 & 6u) | (map >> 4 & 1u)) * 0x8000 + 2;
	f->font[1] = ((map >> 1 & 6u) | (map >> 5 & 1u)) * 0x8000 + 2;
	f->cursor_first = cr[CR_CURSOR_START] & 0x20 ? 32 : cr[CR_CURSOR_START] & 0x1f;
	f->cursor_last = MIN(cr[CR_CURSOR_END] & 0x1fu, f->rows - 1);
	f->underline = v->ar[AR_MODE] & 2 ? cr[CR_UNDERLINE] & 0x1fu : 32;
	f->blink = v->ar[AR_MODE] & 0x08;
	f->dup9 = v->ar[AR_MODE] & 0x04;
	if (f->cell_width == 9)
		pan = pan >= 8 ? 0 : pan + 1;
	else
		pan = pan >= 8 ? 0 : pan;
	set_pan(v, f, pan);
	palette16(v, f);
}

static void planar_frame(const struct vga *v, struct vga_frame *f, enum vga_kind kind)
{
	f->kind = kind;
	if (vga_vbe_on(v)) {
		vbe_layout(v, f);
	} else {
		crtc_layout(v, f);
		f->source_px = (v->crtc[CR_H_END] + 1u) * 8;
		f->doubled = v->seq[SEQ_CLOCK] & 8;
		f->width = f->source_px << f->doubled;
		set_pan(v, f, v->ar[AR_PAN] & 8 ? 0 : v->ar[AR_PAN] & 7);
	}
	f->plane_mask = plane_mask(v);
	palette16(v, f);
}

static void byte_frame(const struct vga *v, struct vga_frame *f)
{
	f->kind = VGA_KIND_256;
	crtc_layout(v, f);
	f->doubled = true;
	f->width = (v->crtc[CR_H_END] + 1u) * 8;
	f->source_px = f->width / 2;
	set_pan(v, f, v->ar[AR_PAN] >> 1 & 3);
	palette256(v, f);
}

static void linear_frame(const struct vga *v, struct vga_frame *f)
{
	vbe_layout(v, f);
	switch (v->vbe[VBE_BPP]) {
	case 15:
		f->kind = VGA_KIND_LIN15;
		break;
	case 16:
		f->kind = VGA_KIND_LIN16;
		break;
	case 24:
		f->kind = VGA_KIND_LIN24;
		break;
	case 32:
		f->kind = VGA_KIND_LIN32;
		break;
	default:
		f->kind = VGA_KIND_LIN8;
		palette256(v, f);
	}
}

void vga_frame_get(const struct vga *v, struct vga_frame *f)
{
	memset(f, 0, sizeof(*f));
	/* Palette address source clear (3c0 bit 5) or screen off (sequencer 1 bit 5): overscan. */
	if (!(v->ar_index & 0x20) || (v->seq[SEQ_CLOCK] & 0x20))
		f->kind = VGA_KIND_BLANK;
	else if (!(v->gr[GR_MISC] & 1))
		text_frame(v, f);
	else if (vga_vbe_on(v) && v->vbe[VBE_BPP] != 4)
		linear_frame(v, f);
	else if (vga_vbe_on(v) || !(v->gr[GR_MODE] & 0x60))
		planar_frame(v, f, VGA_KIND_PLANAR);
	else if (!(v->gr[GR_MODE] & 0x40))
		planar_frame(v, f, VGA_KIND_CGA);
	else
		byte_frame(v, f);
}

bool vga_frame_pages(const struct vga *v, const struct vga_frame *f, uint32_t *first,
		     uint32_t *count)
{
	uint32_t pages = v->vram_bytes >> VGA_PAGE_SHIFT;
	uint64_t end;

	if (f->kind == VGA_KIND_BLANK || f->kind == VGA_KIND_TEXT)
		return false;
	end = f->start + (uint64_t)f->pitch * f->height + VGA_LINE_BYTES;
	*first = 0;
	*count = pages;
	/* Splits, banks and pictures that wrap around: all of video memory. */
	if (f->split >= f->height && !f->bank_mask && end <= v->vram_bytes) {
		*first = f->start >> VGA_PAGE_SHIFT;
		*count = MIN((uint32_t)((end - 1) >> VGA_PAGE_SHIFT), pages - 1) - *first + 1;
	}
	return true;
}
