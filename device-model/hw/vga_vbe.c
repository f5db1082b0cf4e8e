// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The DISPI register interface of the Bochs/QEMU standard VGA (QEMU docs/specs/standard-vga,
 * Bochs VBE display API, versions b0c0-b0c5). While it is on, geometry comes from these registers;
 * the VGA's are set so that the banked window at a0000 works as in a chain-4 mode.
 */
#include "hw/vga.h"

#include <string.h>

#include "core/util.h"

static uint32_t bits_per_pixel(uint16_t bpp)
{
	switch (bpp) {
	case 4:
	case 8:
	case 16:
	case 24:
	case 32:
		return bpp;
	case 15:
		return 16;
	}
	return 0;
}

static void fix_widths(struct vga *v)
{
	uint16_t *r = v->vbe;

	r[VBE_XRES] = MIN(r[VBE_XRES] & ~7u, VGA_MAX_XRES);
	if (!r[VBE_XRES])
		r[VBE_XRES] = 8;
	r[VBE_VIRT_WIDTH] = MIN(r[VBE_VIRT_WIDTH] & ~7u, VGA_MAX_XRES * 4);
	if (r[VBE_VIRT_WIDTH] < r[VBE_XRES])
		r[VBE_VIRT_WIDTH] = r[VBE_XRES];
}

/* Make the registers describe a picture inside video memory. */
void vga_vbe_recompute(struct vga *v)
{
	uint16_t *r = v->vbe;
	uint32_t bits, max_lines;
	uint64_t start, shown;

	if (!vga_vbe_on(v))
		return;
	bits = bits_per_pixel(r[VBE_BPP]);
	if (!bits)
		bits = r[VBE_BPP] = 8;
	fix_widths(v);
	v->vbe_pitch = r[VBE_VIRT_WIDTH] * bits / 8;
	max_lines = v->vram_bytes / v->vbe_pitch;
	r[VBE_YRES] = MIN(MIN(MAX(r[VBE_YRES], 1u), VGA_MAX_YRES), max_lines);

	start = r[VBE_X_OFFSET] * bits / 8 + (uint64_t)r[VBE_Y_OFFSET] * v->vbe_pitch;
	shown = (uint64_t)r[VBE_YRES] * v->vbe_pitch;
	if (start + shown > v->vram_bytes) {
		r[VBE_Y_OFFSET] = 0;
		start = r[VBE_X_OFFSET] * bits / 8;
	}
	if (start + shown > v->vram_bytes) {
		r[VBE_X_OFFSET] = 0;
		start = 0;
	}
	r[VBE_VIRT_HEIGHT] = (uint16_t)MIN(max_lines, 0xffffu);
	v->vbe_start = (uint32_t)start & ~3u; /* the display start counts dwords */
}

/*
 * The window as a chain-4 (or, with 4 bits, planar) 64 KiB bank; CRTC as a mode list would
 * have it.
 */
static void set_vga_registers(struct vga *v)
{
	bool planar = v->vbe[VBE_BPP] == 4;
	uint32_t h = v->vbe[VBE_YRES] - 1u;

	v->gr[GR_MISC] = (v->gr[GR_MISC] & ~0x0c) | 0x05;
	v->gr[GR_MODE] = (v->gr[GR_MODE] & ~0x60) | (planar ? 0 : 0x40);
	v->seq[SEQ_MAP_MASK] |= 0x0f;
	v->seq[SEQ_MEMORY] = planar ? v->seq[SEQ_MEMORY] & ~0x08 : v->seq[SEQ_MEMORY] | 0x08;
	if (planar)
		v->seq[SEQ_CLOCK] &= ~0x08;
	v->crtc[CR_V_SYNC_END] &= ~0x80;
	v->crtc[CR_OFFSET] = (uint8_t)(v->vbe_pitch >> 3);
	v->crtc[CR_H_END] = (uint8_t)((v->vbe[VBE_XRES] >> 3) - 1);
	v->crtc[CR_V_END] = (uint8_t)h;
	v->crtc[CR_OVERFLOW] = (uint8_t)((v->crtc[CR_OVERFLOW] & ~0x42) | (h >> 7 & 0x02) |
					 (h >> 3 & 0x40) | 0x10);
	v->crtc[CR_LINE_COMPARE] = 0xff;
	v->crtc[CR_MAX_SCAN] = (v->crtc[CR_MAX_SCAN] & ~0x9f) | 0x40;
	v->crtc[CR_MODE] |= 3;
}

static void write_enable(struct vga *v, uint16_t value)
{
	bool was_on = vga_vbe_on(v);

	v->vbe[VBE_ENABLE] = value;
	v->bank_offset = 0;
	if (!(value & VBE_ENABLED) || was_on)
		return;
	v->vbe[VBE_VIRT_WIDTH] = 0;
	v->vbe[VBE_X_OFFSET] = v->vbe[VBE_Y_OFFSET] = 0;
	vga_vbe_recompute(v);
	set_vga_registers(v);
	if (!(value & VBE_NOCLEAR)) {
		uint32_t len = v->vbe[VBE_YRES] * v->vbe_pitch;

		memset(v->vram, 0, len);
		vga_mark_dirty(v, 0, len);
	}
}

void vga_vbe_write(struct vga *v, unsigned int index, uint16_t value)
{
	uint32_t banks = v->vram_bytes >> 16;

	switch (index) {
	case VBE_ID:
		if (value >= VBE_ID_FIRST && value <= VBE_ID_LAST)
			v->vbe[VBE_ID] = value;
		break;
	case VBE_ENABLE:
		write_enable(v, value);
		break;
	case VBE_BANK:
		/* A bank of a planar mode is 64 KiB of each plane. */
		if (v->vbe[VBE_BPP] == 4)
			banks = MAX(banks / 4, 1u);
		v->vbe[VBE_BANK] = value & (banks - 1);
		v->bank_offset = (uint32_t)v->vbe[VBE_BANK] << 16;
		break;
	case VBE_XRES:
	case VBE_YRES:
	case VBE_BPP:
	case VBE_VIRT_WIDTH:
	case VBE_X_OFFSET:
	case VBE_Y_OFFSET:
		v->vbe[index] = value;
		vga_vbe_recompute(v);
		if (vga_vbe_on(v))
			set_vga_registers(v);
		break;
	}
}

uint16_t vga_vbe_read(struct vga *v, unsigned int index)
{
	if (index == VBE_MEMORY_64K)
		return (uint16_t)(v->vram_bytes >> 16);
	if (index >= VBE_NR)
		return 0;
	if (v->vbe[VBE_ENABLE] & VBE_GETCAPS) {
		if (index == VBE_XRES)
			return VGA_MAX_XRES;
		if (index == VBE_YRES)
			return VGA_MAX_YRES;
		if (index == VBE_BPP)
			return 32;
	}
	return v->vbe[index];
}
