// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The VGA memory window at a0000-bffff: memory map select, chain-4, odd/even and planar addressing,
 * read modes 0-1, write modes 0-3 with set/reset, rotate, logical functions, bit mask and latches
 * (IBM PS/2 Hardware Interface Technical Reference, "Video Subsystem", graphics controller).
 */
#include "hw/vga.h"

#include <string.h>

#include "core/util.h"

/* Where a CPU address leads: one dword (a byte of each plane) and which planes it selects. */
struct target {
	uint32_t dword; /* byte offset of the dword in video memory */
	uint8_t planes; /* planes that the address itself selects for writing */
	uint8_t plane;	/* the plane read mode 0 returns */
};

/* 4 bits to a byte mask for each plane. */
static uint32_t plane_bytes(unsigned int bits)
{
	return (bits & 1 ? 0x000000ffu : 0) | (bits & 2 ? 0x0000ff00u : 0) |
	       (bits & 4 ? 0x00ff0000u : 0) | (bits & 8 ? 0xff000000u : 0);
}

static uint32_t all_planes(uint8_t byte)
{
	return byte * 0x01010101u;
}

/* Apply the memory map select (graphics register 6). */
static bool map_select(const struct vga *v, uint32_t *offset)
{
	switch (v->gr[GR_MISC] >> 2 & 3) {
	case 0:
		return true;
	case 1:
		if (*offset >= 0x10000)
			return false;
		*offset += v->bank_offset;
		return true;
	case 2:
		*offset -= 0x10000;
		return *offset < 0x8000;
	}
	*offset -= 0x18000;
	return *offset < 0x8000;
}

static bool locate(const struct vga *v, uint32_t offset, struct target *t)
{
	if (!map_select(v, &offset))
		return false;
	t->planes = 0x0f;
	t->plane = v->gr[GR_READ_MAP];
	if (v->seq[SEQ_MEMORY] & 0x08) { /* chain-4: consecutive bytes are consecutive planes */
		t->plane = offset & 3;
		t->planes = (uint8_t)(1u << t->plane);
		t->dword = offset & ~3u;
	} else if (v->gr[GR_MODE] &
		   0x10) { /* odd/even: address bit 0 selects in a pair of planes */
		t->plane = (v->gr[GR_READ_MAP] & 2) | (offset & 1);
		t->planes = offset & 1 ? 0x0a : 0x05;
		t->dword = (offset & ~1u) << 1;
	} else {
		t->dword = offset << 2;
	}
	return t->dword <= v->vram_bytes - 4;
}

uint8_t vga_mem_read(struct vga *v, uint32_t offset)
{
	struct target t;
	uint32_t differ;

	if (!locate(v, offset, &t))
		return 0xff;
	v->latch = get_le32(v->vram + t.dword);
	if (!(v->gr[GR_MODE] & 0x08))
		return (uint8_t)(v->latch >> (8 * t.plane));
	/* Read mode 1: a bit is set where all planes that matter have the compare colour. */
	differ = (v->latch ^ plane_bytes(v->gr[GR_COMPARE])) & plane_bytes(v->gr[GR_DONT_CARE]);
	differ |= differ >> 16;
	return (uint8_t) ~(differ | differ >> 8);
}

static uint8_t rotate(const struct vga *v, uint8_t value)
{
	unsigned int n = v->gr[GR_FUNCTION] & 7;

	return (uint8_t)(value >> n | value << (8 - n));
}

static uint32_t combine(const struct vga *v, uint32_t data, uint8_t bit_mask)
{
	uint32_t mask = all_planes(bit_mask);

	switch (v->gr[GR_FUNCTION] >> 3 & 3) {
	case 1:
		data &= v->latch;
		break;
	case 2:
		data |= v->latch;
		break;
	case 3:
		data ^= v->latch;
		break;
	}
	return (data & mask) | (v->latch & ~mask);
}

/* What the graphics controller puts on the four planes' data lines. */
static uint32_t write_data(const struct vga *v, uint8_t value)
{
	uint32_t set = plane_bytes(v->gr[GR_SET_RESET]);
	uint32_t enable = plane_bytes(v->gr[GR_SET_RESET_ENABLE]);

	switch (v->gr[GR_MODE] & 3) {
	case 0:
		return combine(v, (all_planes(rotate(v, value)) & ~enable) | (set & enable),
			       v->gr[GR_BIT_MASK]);
	case 1:
		return v->latch;
	case 2:
		return combine(v, plane_bytes(value), v->gr[GR_BIT_MASK]);
	}
	return combine(v, set, v->gr[GR_BIT_MASK] & rotate(v, value));
}

void vga_mem_write(struct vga *v, uint32_t offset, uint8_t value)
{
	struct target t;
	uint32_t mask, old;

	if (!locate(v, offset, &t))
		return;
	t.planes &= v->seq[SEQ_MAP_MASK];
	if (!t.planes)
		return;
	mask = plane_bytes(t.planes);
	old = get_le32(v->vram + t.dword);
	put_le32(v->vram + t.dword, (old & ~mask) | (write_data(v, value) & mask));
	if (t.planes & 4)
		v->font_dirty = true;
	vga_mark_dirty(v, t.dword, 4);
}
