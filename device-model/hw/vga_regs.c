// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * VGA register file: sequencer, graphics controller, CRTC, attribute controller, DAC and the
 * external registers, at ports 3b0-3df (IBM PS/2 Hardware Interface Technical Reference, "Video
 * Subsystem", registers section). Retrace timing is in vga_timing.c, DISPI in vga_vbe.c.
 */
#include "hw/vga.h"

#include <stdlib.h>
#include <string.h>

#include "core/util.h"

static const uint8_t seq_mask[8] = { 0x03, 0x3d, 0x0f, 0x3f, 0x0e, 0x00, 0x00, 0xff };
static const uint8_t gr_mask[16] = { 0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff };

#define LONG_BITS (8 * sizeof(unsigned long))

static size_t dirty_longs(const struct vga *v)
{
	return ((v->vram_bytes >> VGA_PAGE_SHIFT) + LONG_BITS - 1) / LONG_BITS;
}

void vga_mark_dirty(struct vga *v, uint32_t offset, uint32_t len)
{
	uint32_t page, last;

	if (!len)
		return;
	last = (offset + len - 1) >> VGA_PAGE_SHIFT;
	for (page = offset >> VGA_PAGE_SHIFT; page <= last; page++)
		v->dirty[page / LONG_BITS] |= 1ul << (page % LONG_BITS);
	if (v->written)
		v->written(v->opaque, offset, len);
}

void vga_init(struct vga *v)
{
	v->dirty = xzalloc(dirty_longs(v) * sizeof(unsigned long));
	vga_reset(v);
}

void vga_free(struct vga *v)
{
	free(v->dirty);
	free(v->cells);
	v->dirty = NULL;
	v->cells = NULL;
}

void vga_reset(struct vga *v)
{
	v->seq_index = v->gr_index = v->crtc_index = v->ar_index = 0;
	memset(v->seq, 0, sizeof(v->seq));
	memset(v->gr, 0, sizeof(v->gr));
	memset(v->crtc, 0, sizeof(v->crtc));
	memset(v->ar, 0, sizeof(v->ar));
	memset(v->dac, 0, sizeof(v->dac));
	memset(v->dac_latch, 0, sizeof(v->dac_latch));
	memset(v->vbe, 0, sizeof(v->vbe));
	v->ar_data = false;
	v->misc = v->feature = 0;
	v->dac_read = v->dac_write = v->dac_sub = v->dac_state = 0;
	v->pel_mask = 0xff;
	v->latch = 0;
	v->vbe_index = 0;
	v->vbe[VBE_ID] = VBE_ID_LAST;
	v->vbe_start = v->vbe_pitch = v->bank_offset = 0;
	memset(&v->retrace, 0, sizeof(v->retrace));
	memset(v->dirty, 0xff, dirty_longs(v) * sizeof(unsigned long));
	v->font_dirty = true;
	v->redraw = true;
}

/* Miscellaneous output bit 0 puts the CRTC at 3dx (colour) or 3bx (monochrome). */
static bool port_decoded(const struct vga *v, uint32_t port)
{
	if (port >= 0x3b0 && port <= 0x3bf)
		return !(v->misc & 1);
	if (port >= 0x3d0 && port <= 0x3df)
		return v->misc & 1;
	return true;
}

static void attribute_write(struct vga *v, uint8_t value)
{
	static const uint8_t mask[21] = {
		[0 ... 15] = 0x3f, [16] = 0xef, [17] = 0xff, [18] = 0x3f, [19] = 0x0f, [20] = 0x0f
	};
	unsigned int index = v->ar_index & 0x1f;

	v->ar_data = !v->ar_data;
	if (v->ar_data)
		v->ar_index = value & 0x3f;
	else if (index < sizeof(mask))
		v->ar[index] = value & mask[index];
}

static void crtc_write(struct vga *v, uint8_t value)
{
	/* Protected (11h bit 7): 0-7 are read-only but for line compare bit 8 (07h bit 4). */
	if ((v->crtc[CR_V_SYNC_END] & 0x80) && v->crtc_index <= CR_OVERFLOW) {
		if (v->crtc_index == CR_OVERFLOW)
			v->crtc[CR_OVERFLOW] = (v->crtc[CR_OVERFLOW] & ~0x10) | (value & 0x10);
		return;
	}
	v->crtc[v->crtc_index] = value;
}

static void dac_write(struct vga *v, uint8_t value)
{
	v->dac_latch[v->dac_sub++] = value;
	if (v->dac_sub < 3)
		return;
	v->dac_sub = 0;
	memcpy(&v->dac[v->dac_write * 3u], v->dac_latch, 3);
	v->dac_write++;
}

static uint8_t dac_read(struct vga *v)
{
	uint8_t value = v->dac[v->dac_read * 3u + v->dac_sub++];

	if (v->dac_sub == 3) {
		v->dac_sub = 0;
		v->dac_read++;
	}
	return value;
}

void vga_port_write(struct vga *v, uint32_t port, uint8_t value)
{
	if (!port_decoded(v, port))
		return;
	switch (port) {
	case 0x3c0:
		attribute_write(v, value);
		break;
	case 0x3c2:
		v->misc = value & ~0x10;
		break;
	case 0x3c4:
		v->seq_index = value & 7;
		break;
	case 0x3c5:
		v->seq[v->seq_index] = value & seq_mask[v->seq_index];
		break;
	case 0x3c6:
		v->pel_mask = value;
		break;
	case 0x3c7:
		v->dac_read = value;
		v->dac_sub = 0;
		v->dac_state = 3;
		break;
	case 0x3c8:
		v->dac_write = value;
		v->dac_sub = 0;
		v->dac_state = 0;
		break;
	case 0x3c9:
		dac_write(v, value);
		break;
	case 0x3ce:
		v->gr_index = value & 15;
		break;
	case 0x3cf:
		v->gr[v->gr_index] = value & gr_mask[v->gr_index];
		break;
	case 0x3b4:
	case 0x3d4:
		v->crtc_index = value;
		break;
	case 0x3b5:
	case 0x3d5:
		crtc_write(v, value);
		break;
	case 0x3ba:
	case 0x3da:
		v->feature = value & 0x10;
		break;
	}
}

/* Input status 0: the switch sense bit (set) with no interrupt pending. */
#define STATUS0 0x10u

uint8_t vga_port_read(struct vga *v, uint32_t port)
{
	if (!port_decoded(v, port))
		return 0xff;
	switch (port) {
	case 0x3c0:
		return v->ar_data ? 0 : v->ar_index;
	case 0x3c1:
		return (v->ar_index & 0x1f) < sizeof(v->ar) ? v->ar[v->ar_index & 0x1f] : 0;
	case 0x3c2:
		return STATUS0;
	case 0x3c4:
		return v->seq_index;
	case 0x3c5:
		return v->seq[v->seq_index];
	case 0x3c6:
		return v->pel_mask;
	case 0x3c7:
		return v->dac_state;
	case 0x3c8:
		return v->dac_write;
	case 0x3c9:
		return dac_read(v);
	case 0x3ca:
		return v->feature;
	case 0x3cc:
		return v->misc;
	case 0x3ce:
		return v->gr_index;
	case 0x3cf:
		return v->gr[v->gr_index];
	case 0x3b4:
	case 0x3d4:
		return v->crtc_index;
	case 0x3b5:
	case 0x3d5:
		return v->crtc[v->crtc_index];
	case 0x3ba:
	case 0x3da:
		v->ar_data = false;
		return vga_status1(v);
	}
	return 0;
}
