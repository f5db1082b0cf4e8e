/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CMOS memory from index 14 on (ports 0x70/0x71). The VMM has the clock, indices 0-13; SeaBIOS reads
 * the boot order, memory sizes, floppy and disk types here (its Xen mode has no fw_cfg).
 */
#include <time.h>

#include "core/bus.h"
#include "core/device.h"
#include "core/machine.h"
#include "core/options.h"
#include "core/save.h"
#include "core/util.h"
#include "hw/fdc_media.h"
#include "hw/ide.h"

#define CMOS_SIZE	 128
#define CMOS_CLOCK_END	 14
#define CMOS_CENTURY	 0x32
#define CMOS_CENTURY_PS2 0x37
#define MIB		 (1ull << 20)

struct cmos {
	struct machine *m;
	uint8_t index;
	uint8_t data[CMOS_SIZE];
};

/* The century has two places, as QEMU and the IBM PS/2 have it. */
static uint8_t *cmos_byte(struct cmos *s)
{
	return &s->data[s->index == CMOS_CENTURY_PS2 ? CMOS_CENTURY : s->index];
}

static uint64_t cmos_read(void *opaque, uint64_t offset, unsigned int size)
{
	struct cmos *s = opaque;

	return offset ? *cmos_byte(s) : 0xff;
}

static void cmos_write(void *opaque, uint64_t offset, uint64_t value, unsigned int size)
{
	struct cmos *s = opaque;

	if (offset)
		*cmos_byte(s) = (uint8_t)value;
	else
		s->index = value & (CMOS_SIZE - 1);
}

static const struct io_ops cmos_ops = { .read = cmos_read, .write = cmos_write, .max_size = 1 };

static void set16(struct cmos *s, unsigned int index, uint64_t v)
{
	put_le16(s->data + index, (uint16_t)MIN(v, 0xffff));
}

static void set_memory(struct cmos *s)
{
	uint64_t ram = s->m->opt->ram_bytes;
	uint64_t low = MIN(ram, 0xf0000000ull), high = ram - low;

	set16(s, 0x15, 640);
	set16(s, 0x17, low > MIB ? (low - MIB) / 1024 : 0);
	set16(s, 0x30, low > MIB ? (low - MIB) / 1024 : 0);
	set16(s, 0x34, low > 16 * MIB ? (low - 16 * MIB) / 65536 : 0);
	s->data[0x5b] = (uint8_t)(high / 65536);
	s->data[0x5c] = (uint8_t)(high / 65536 >> 8);
	s->data[0x5d] = (uint8_t)(high / 65536 >> 16);
	s->data[0x5f] = (uint8_t)(s->m->opt->vcpus - 1);
}

static void set_boot_order(struct cmos *s)
{
	static const char letters[] = "acdn"; /* codes 1-4 */
	uint8_t code[3] = { 0 };
	const char *order = s->m->opt->boot_order;
	unsigned int i;

	for (i = 0; i < 3 && order[i]; i++)
		code[i] = (uint8_t)(strchr(letters, order[i]) - letters + 1);
	s->data[0x3d] = (uint8_t)(code[1] << 4 | code[0]);
	s->data[0x38] = (uint8_t)(code[2] << 4);
}

/* A disk of type 47, which describes itself, as IDENTIFY does. There is room for those of the first channel. */
static void set_type(struct cmos *s, unsigned int unit, const struct ide_geometry *g)
{
	unsigned int base = 0x1b + 9 * unit;

	s->data[0x12] |= unit ? 0x0f : 0xf0;
	s->data[0x19 + unit] = 47;
	set16(s, base, g->cylinders);
	s->data[base + 2] = (uint8_t)g->heads;
	set16(s, base + 3, 0xffff);				      /* no write precompensation */
	s->data[base + 5] = (uint8_t)(0xc0 | (g->heads > 8 ? 8 : 0)); /* control byte */
	set16(s, base + 6, g->cylinders);			      /* landing zone */
	s->data[base + 8] = (uint8_t)g->sectors;
}

static void set_drives(struct cmos *s)
{
	const struct ide_geometry *g;
	unsigned int i;

	s->data[0x10] = (uint8_t)(fdc_cmos_type(s->m, 0) << 4 | fdc_cmos_type(s->m, 1));
	s->data[0x14] = 0x06; /* equipment: coprocessor, PS/2 mouse, and the floppy drives */
	if (s->data[0x10])
		s->data[0x14] |= s->data[0x10] & 0xf0 && s->data[0x10] & 0x0f ? 0x41 : 0x01;
	for (i = 0; i < OPT_MAX_DRIVES; i++) {
		g = ide_disk_geometry(s->m, i);
		if (!g)
			continue;
		s->data[0x39] |= (uint8_t)(g->translation << i * 2);
		if (i < 2)
			set_type(s, i, g);
	}
}

/* In BCD. The VMM's clock has the year in it. */
static void set_century(struct cmos *s)
{
	struct timespec now;
	struct tm tm;
	int century = 20;

	clock_gettime(CLOCK_REALTIME, &now);
	if (gmtime_r(&now.tv_sec, &tm))
		century = (tm.tm_year + 1900) / 100;

	s->data[CMOS_CENTURY] = (uint8_t)(century / 10 << 4 | century % 10);
}

static void cmos_reset(void *opaque)
{
	struct cmos *s = opaque;
	uint16_t sum = 0;
	unsigned int i;

	memset(s->data, 0, sizeof(s->data));
	s->index = 0;
	set_century(s);
	set_memory(s);
	set_boot_order(s);
	set_drives(s);
	for (i = 0x10; i <= 0x2d; i++)
		sum += s->data[i];
	put_be16(s->data + 0x2e, sum);
}

static const struct save_field cmos_fields[] = {
	SAVE(struct cmos, index, .mask = CMOS_SIZE - 1),
	{ .name = "data",
	  .offset = offsetof(struct cmos, data) + CMOS_CLOCK_END,
	  .size = 1,
	  .width = 1,
	  .count = CMOS_SIZE - CMOS_CLOCK_END },
	SAVE_END,
};

static const struct save_ops cmos_save_ops = { "cmos", 1, .fields = cmos_fields };

static int cmos_init(struct machine *m)
{
	struct cmos *s = xzalloc(sizeof(*s));

	s->m = m;
	machine_on_reset(m, cmos_reset, s);
	save_register(m, &cmos_save_ops, 0, s);
	return pio_register(m, 0x70, 2, &cmos_ops, s, "cmos") ? 0 : -1;
}
DEVICE(DEVICE_ISA, cmos, cmos_init);
