// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The standard VGA on the PCI bus: 1234:1111 at 00:03.0 with video memory in BAR 0, registers in
 * BAR 2 and the VGA BIOS in the ROM BAR (QEMU docs/specs/standard-vga), the ISA ports and the
 * window
 * at a0000, the display source, reset and saved state. What the registers mean is in vga_*.c.
 */
#include <errno.h>
#include <pixman.h>
#include <stdlib.h>

#include "core/bus.h"
#include "core/device.h"
#include "core/display.h"
#include "core/log.h"
#include "core/machine.h"
#include "core/options.h"
#include "core/pci.h"
#include "core/save.h"
#include "core/timer.h"
#include "core/util.h"
#include "core/vram.h"
#include "hw/vga.h"

#define MMIO_BYTES 0x1000u
#define MMIO_VGA   0x400u /* ports 3c0-3df */
#define MMIO_DISPI 0x500u /* 16-bit registers */
#define MMIO_EXT   0x600u /* size of this block, framebuffer byte order */
#define EXT_LITTLE 0x1e1e1e1eu

struct vga_pci {
	struct pci_device pci;
	struct machine *m;
	struct vga vga;
	struct vram vram;
	unsigned long *guest_dirty;
};

static uint64_t guest_now(void *opaque)
{
	return clock_ns();
}

static void on_written(void *opaque, uint32_t offset, uint32_t len)
{
	struct vga_pci *s = opaque;

	vram_written(&s->vram, offset, len);
}

static uint32_t *on_resize(void *opaque, uint32_t width, uint32_t height, uint32_t *stride)
{
	struct vga_pci *s = opaque;
	struct display *d = &s->m->display;

	log_trace(TRACE_VGA, "vga: picture %ux%u, kind %d", width, height, s->vga.frame.kind);
	display_resize(d, (int)width, (int)height);
	*stride = (uint32_t)pixman_image_get_stride(d->surface) / 4;
	return pixman_image_get_data(d->surface);
}

static void on_damage(void *opaque, uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
	struct vga_pci *s = opaque;

	display_update(&s->m->display, (int)x, (int)y, (int)width, (int)height);
}

/* Add the pages that the guest wrote without exits. Only linear modes are written that way. */
static void collect_guest_writes(struct vga_pci *s)
{
	const uint32_t bits = 8 * sizeof(unsigned long);
	struct vga_frame f;
	uint32_t first, count, i;

	vga_frame_get(&s->vga, &f);
	if (!vga_frame_is_linear(&f) || !vga_frame_pages(&s->vga, &f, &first, &count)) {
		vram_dirty_stop(&s->vram);
		return;
	}
	vram_dirty(&s->vram, first, count, s->guest_dirty);
	for (i = 0; i < count; i++)
		if (s->guest_dirty[i / bits] >> (i % bits) & 1)
			s->vga.dirty[(first + i) / bits] |= 1ul << ((first + i) % bits);
}

static void refresh(void *opaque)
{
	struct vga_pci *s = opaque;

	collect_guest_writes(s);
	vga_render(&s->vga, clock_ns());
}

static void invalidate(void *opaque)
{
	struct vga_pci *s = opaque;

	s->vga.redraw = true;
}

static const struct display_source_ops display_ops = {
	.refresh = refresh,
	.invalidate = invalidate,
};

/* ISA ports; opaque range starts differ, so each range has its own base in the offset. */
struct port_range {
	struct vga_pci *s;
	uint16_t first, count;
};

static uint64_t port_read(void *opaque, uint64_t offset, unsigned int size)
{
	const struct port_range *r = opaque;

	return vga_port_read(&r->s->vga, r->first + (uint32_t)offset);
}

static void port_write(void *opaque, uint64_t offset, uint64_t value, unsigned int size)
{
	const struct port_range *r = opaque;

	vga_port_write(&r->s->vga, r->first + (uint32_t)offset, (uint8_t)value);
}

static const struct io_ops port_ops = { .read = port_read, .write = port_write, .max_size = 1 };

/* 1ce: index; 1cf (the PC's) and 1d0 (aligned): data. 16-bit registers. */
static uint64_t dispi_read(void *opaque, uint64_t offset, unsigned int size)
{
	struct vga_pci *s = opaque;

	return offset ? vga_vbe_read(&s->vga, s->vga.vbe_index) : s->vga.vbe_index;
}

static void dispi_write(void *opaque, uint64_t offset, uint64_t value, unsigned int size)
{
	struct vga_pci *s = opaque;

	if (offset)
		vga_vbe_write(&s->vga, s->vga.vbe_index, (uint16_t)value);
	else
		s->vga.vbe_index = (uint16_t)value;
}

static const struct io_ops dispi_ops = { .read = dispi_read, .write = dispi_write };

static uint64_t window_read(void *opaque, uint64_t offset, unsigned int size)
{
	struct vga_pci *s = opaque;
	uint64_t value = 0;
	unsigned int i;

	for (i = 0; i < size && offset + i < VGA_WINDOW_BYTES; i++)
		value |= (uint64_t)vga_mem_read(&s->vga, (uint32_t)offset + i) << (8 * i);
	return value;
}

static void window_write(void *opaque, uint64_t offset, uint64_t value, unsigned int size)
{
	struct vga_pci *s = opaque;
	unsigned int i;

	for (i = 0; i < size && offset + i < VGA_WINDOW_BYTES; i++)
		vga_mem_write(&s->vga, (uint32_t)offset + i, (uint8_t)(value >> (8 * i)));
}

static const struct io_ops window_ops = { .read = window_read, .write = window_write };

static bool is_dispi(uint64_t offset)
{
	return offset >= MMIO_DISPI && offset < MMIO_DISPI + VBE_NR * 2;
}

static bool is_vga(uint64_t offset)
{
	return offset >= MMIO_VGA && offset < MMIO_VGA + 0x20;
}

static uint64_t mmio_bar_read(void *opaque, uint64_t offset, unsigned int size)
{
	struct vga_pci *s = opaque;

	if (is_dispi(offset))
		return vga_vbe_read(&s->vga, (unsigned int)(offset - MMIO_DISPI) / 2) >>
		       (offset & 1) * 8;
	if (is_vga(offset)) {
		uint32_t port = 0x3c0 + (uint32_t)(offset - MMIO_VGA);
		uint64_t value = vga_port_read(&s->vga, port);

		if (size >= 2)
			value |= (uint64_t)vga_port_read(&s->vga, port + 1) << 8;
		return value;
	}
	if (offset == MMIO_EXT)
		return 8;
	if (offset == MMIO_EXT + 4)
		return EXT_LITTLE;
	return 0;
}

static void mmio_bar_write(void *opaque, uint64_t offset, uint64_t value, unsigned int size)
{
	struct vga_pci *s = opaque;

	if (is_dispi(offset) && !(offset & 1) && size >= 2) {
		vga_vbe_write(&s->vga, (unsigned int)(offset - MMIO_DISPI) / 2, (uint16_t)value);
	} else if (is_vga(offset)) {
		uint32_t port = 0x3c0 + (uint32_t)(offset - MMIO_VGA);

		vga_port_write(&s->vga, port, (uint8_t)value);
		if (size >= 2)
			vga_port_write(&s->vga, port + 1, (uint8_t)(value >> 8));
	}
}

static const struct io_ops mmio_bar_ops = { .read = mmio_bar_read, .write = mmio_bar_write };

static void on_reset(void *opaque)
{
	struct vga_pci *s = opaque;

	vga_reset(&s->vga);
}

static size_t vram_length(const void *obj)
{
	return ((const struct vga *)obj)->vram_bytes;
}

static int vga_loaded(void *obj, uint32_t version)
{
	struct vga *v = obj;

	if (v->gr[GR_READ_MAP] > 3 || v->bank_offset >= v->vram_bytes)
		return -EINVAL;
	vga_vbe_recompute(v);
	v->redraw = v->font_dirty = true;
	vga_mark_dirty(v, 0, v->vram_bytes);
	return 0;
}

/* Video memory is the guest's and saved with the rest of it; version 1 had it here once more. */
static const struct save_field vga_fields[] = {
	SAVE(struct vga, vram_bytes, .same = true),
	SAVE_BYTES(struct vga, vram, vram_length, .pointer = true, .last = 1),
	SAVE(struct vga, seq_index, .max = 7),
	SAVE_ARRAY(struct vga, seq),
	SAVE(struct vga, gr_index, .max = 15),
	SAVE_ARRAY(struct vga, gr),
	SAVE(struct vga, crtc_index),
	SAVE_ARRAY(struct vga, crtc),
	SAVE(struct vga, ar_index, .max = 0x3f),
	SAVE_ARRAY(struct vga, ar),
	SAVE(struct vga, ar_data),
	SAVE(struct vga, misc),
	SAVE(struct vga, feature),
	SAVE(struct vga, pel_mask),
	SAVE(struct vga, dac_read),
	SAVE(struct vga, dac_write),
	SAVE(struct vga, dac_sub, .max = 2),
	SAVE(struct vga, dac_state),
	SAVE_ARRAY(struct vga, dac_latch),
	SAVE_ARRAY(struct vga, dac),
	SAVE(struct vga, latch),
	SAVE(struct vga, vbe_index),
	SAVE_ARRAY(struct vga, vbe),
	SAVE(struct vga, bank_offset),
	SAVE_END,
};

static const struct save_ops vga_save_ops = { "vga", 2, vga_fields, .loaded = vga_loaded };

static const struct pci_ids ids = {
	.vendor = 0x1234,
	.device = 0x1111,
	.revision = 2,
	.class_device = 0x0300,
};

static int register_ports(struct vga_pci *s)
{
	static const uint16_t ranges[][2] = {
		{ 0x3b4, 2 }, { 0x3ba, 1 }, { 0x3c0, 16 }, { 0x3d4, 2 }, { 0x3da, 1 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		struct port_range *r = xzalloc(sizeof(*r));

		r->s = s;
		r->first = ranges[i][0];
		r->count = ranges[i][1];
		if (!pio_register(s->m, r->first, r->count, &port_ops, r, "vga"))
			return -EBUSY;
	}
	if (!pio_register(s->m, 0x1ce, 3, &dispi_ops, s, "dispi") ||
	    !mmio_register(s->m, VGA_WINDOW_BASE, VGA_WINDOW_BYTES, &window_ops, s, "vga window"))
		return -EBUSY;
	return 0;
}

static uint32_t memory_bytes(unsigned int mib)
{
	uint32_t bytes = 1u << 20;

	while (bytes < 256u << 20 && bytes >> 20 < mib)
		bytes <<= 1;
	return bytes;
}

static int vga_device_init(struct machine *m)
{
	struct vga_pci *s;
	struct vga *v;
	int rc;

	if (m->opt->vga != VGA_STD)
		return 0;
	s = xzalloc(sizeof(*s));
	v = &s->vga;
	s->m = m;
	v->vram_bytes = memory_bytes(m->opt->vgamem_mib ? m->opt->vgamem_mib : 16);
	rc = vram_create(&s->vram, m, "vga.vram", v->vram_bytes, true);
	if (rc)
		return rc;
	v->vram = s->vram.ptr;
	v->now_ns = guest_now;
	v->written = on_written;
	v->resize = on_resize;
	v->damage = on_damage;
	v->opaque = s;
	s->guest_dirty = xzalloc((v->vram_bytes >> VGA_PAGE_SHIFT) / 8 + sizeof(unsigned long));
	vga_init(v);

	rc = register_ports(s);
	if (rc)
		return rc;
	pci_device_init(&s->pci, m, "VGA", PCI_DEVFN(3, 0), &ids, s);
	pci_add_memory_bar(&s->pci, 0, PCI_BAR_MEM32_PREFETCH, &s->vram);
	pci_add_bar(&s->pci, 2, PCI_BAR_MEM32, MMIO_BYTES, &mmio_bar_ops, NULL);
	rc = pci_add_rom(&s->pci, "vgabios-stdvga.bin");
	if (!rc)
		rc = pci_register(&s->pci);
	if (rc)
		return rc;
	machine_on_reset(m, on_reset, s);
	save_register(m, &vga_save_ops, 0, &s->vga);
	display_set_source(&m->display, &display_ops, s);
	return 0;
}

DEVICE(DEVICE_PCI, vga, vga_device_init);
