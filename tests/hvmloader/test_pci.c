/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI against a made-up bus: the emulated PC, then random sets of BARs with the rules that any
 * placement must keep.
 */
#include "layout.h"
#include "pci.h"
#include "tests.h"

#include <string.h>

#define FOUR_GIB UINT64_C(0x100000000)

struct device {
	uint8_t devfn;
	uint32_t reg[64];
	uint32_t mask[64]; /* writable bits */
};

struct bus {
	uint32_t nr;
	struct device dev[32];
};

static struct device *find(struct bus *b, unsigned int devfn)
{
	for (uint32_t i = 0; i < b->nr; i++)
		if (b->dev[i].devfn == devfn)
			return &b->dev[i];
	return NULL;
}

static uint32_t bus_read(void *ctx, unsigned int devfn, unsigned int reg, unsigned int bytes)
{
	struct device *d = find(ctx, devfn);
	uint32_t v = d ? d->reg[reg / 4] >> (8 * (reg & 3)) : 0xffffffff;

	CHECK(reg % bytes == 0);
	return bytes == 4 ? v : v & ((1u << (8 * bytes)) - 1);
}

static void bus_write(void *ctx, unsigned int devfn, unsigned int reg, unsigned int bytes,
		      uint32_t val)
{
	struct device *d = find(ctx, devfn);
	uint32_t lanes = (bytes == 4 ? 0xffffffffu : (1u << (8 * bytes)) - 1) << (8 * (reg & 3));

	if (!d)
		return;
	lanes &= d->mask[reg / 4];
	d->reg[reg / 4] = (d->reg[reg / 4] & ~lanes) | ((val << (8 * (reg & 3))) & lanes);
}

static struct device *add(struct bus *b, unsigned int devfn, uint32_t id, uint32_t class_code,
			  unsigned int pin)
{
	struct device *d = &b->dev[b->nr++];

	memset(d, 0, sizeof(*d));
	d->devfn = (uint8_t)devfn;
	d->reg[0] = id;
	d->reg[1] = 0x0287;
	d->mask[1] = 0xffff;
	d->reg[2] = class_code << 16;
	d->reg[15] = pin << 8;
	d->mask[15] = 0xff;
	d->mask[16] = 0xffffffff; /* 0x40: timing, PM base */
	d->mask[24] = 0xffffffff; /* 0x60: links */
	d->mask[32] = 0xff;	  /* 0x80 */
	return d;
}

static void bar(struct device *d, unsigned int n, uint64_t size, uint32_t flags)
{
	d->reg[4 + n] = flags;
	d->mask[4 + n] = (uint32_t) ~(size - 1) & ~0xfu;
	if (flags & 1)
		d->mask[4 + n] = (uint32_t) ~(size - 1) & 0xfffc;
	if ((flags & 7) == 4) {
		d->reg[5 + n] = 0;
		d->mask[5 + n] = (uint32_t)(~(size - 1) >> 32);
	}
}

static void rom(struct device *d, uint32_t size)
{
	d->mask[12] = ~(size - 1) | 1;
}

static void make_pc(struct bus *b)
{
	struct device *d;

	memset(b, 0, sizeof(*b));
	add(b, 0x00, 0x12378086, 0x0600, 0);
	add(b, 0x08, 0x70008086, 0x0601, 0);
	d = add(b, 0x09, 0x70108086, 0x0101, 0);
	bar(d, 4, 16, 1);
	add(b, 0x0b, 0x71138086, 0x0680, 1);
	d = add(b, 0x10, 0x00015853, 0xff80, 1);
	bar(d, 0, 256, 1);
	bar(d, 1, 16 << 20, 8);
	d = add(b, 0x18, 0x11111234, 0x0300, 0);
	bar(d, 0, 16 << 20, 8);
	bar(d, 2, 4096, 0);
	rom(d, 65536);
	d = add(b, 0x20, 0x813910ec, 0x0200, 1);
	bar(d, 0, 256, 1);
	bar(d, 1, 256, 0);
	rom(d, 262144);
}

static const struct pci_limits small_guest = {
	.low_ram_end = 0x0f000000,
	.mem_start = PCI_MEM_START_DEFAULT,
	.high_start = FOUR_GIB,
	.high_end = UINT64_C(1) << 40,
};

static uint32_t conf(struct bus *b, unsigned int devfn, unsigned int reg)
{
	return find(b, devfn)->reg[reg / 4];
}

/* The same addresses as Xen's hvmloader chooses for this PC. */
static void the_pc(void)
{
	static struct pci_state s;
	struct bus b;
	struct pci_ops ops = { .read = bus_read, .write = bus_write, .ctx = &b };
	struct pci_chipset found;

	make_pc(&b);
	CHECK(!pci_scan(&s, &ops));
	CHECK(s.nr_functions == 7 && s.nr_bars == 9);
	pci_place(&s, &small_guest);
	pci_program(&s, &ops);
	found = pci_setup_chipset(&s, &ops);
	CHECK(found.isa_bridge && found.power_management && !s.nr_unplaced);
	CHECK(conf(&b, 0x10, 0x14) == 0xf0000008);
	CHECK(conf(&b, 0x18, 0x10) == 0xf1000008);
	CHECK(conf(&b, 0x20, 0x30) == 0xf2000000); /* decoding off */
	CHECK(conf(&b, 0x18, 0x30) == 0xf2040000);
	CHECK(conf(&b, 0x18, 0x18) == 0xf2050000);
	CHECK(conf(&b, 0x10, 0x10) == 0xc001);
	CHECK(conf(&b, 0x20, 0x10) == 0xc101);
	CHECK(conf(&b, 0x09, 0x20) == 0xc201);
	CHECK(conf(&b, 0x08, 0x60) == 0x050b0a05);
	CHECK(conf(&b, 0x09, 0x40) == 0x80008000);
	CHECK(conf(&b, 0x0b, 0x40) == 0xb001 && (conf(&b, 0x0b, 0x80) & 0xff) == 1);
	CHECK((conf(&b, 0x0b, 0x3c) & 0xff) == 9);
	CHECK((conf(&b, 0x10, 0x3c) & 0xff) == 11); /* (2 + 0) & 3 = link C */
	CHECK((conf(&b, 0x20, 0x3c) & 0xff) == 5);  /* (4 + 0) & 3 = link A */
	CHECK((conf(&b, 0x10, 4) & 3) == 3 && (conf(&b, 0x18, 4) & 3) == 3);
	CHECK((conf(&b, 0x09, 4) & 3) == 1);
}

static bool inside(const struct pci_bar *b, uint64_t start, uint64_t end)
{
	return b->addr >= start && b->addr + b->size <= end;
}

static int rules_broken(const struct pci_state *s, const struct pci_limits *lim)
{
	int bad = 0;

	for (uint32_t i = 0; i < s->nr_bars; i++) {
		const struct pci_bar *b = &s->bar[i];

		if (!b->placed)
			continue;
		bad += (b->addr & (b->size - 1)) != 0;
		if (b->kind == PCI_BAR_IO)
			bad += !inside(b, PCI_IO_START, PCI_IO_END);
		else if (b->addr < FOUR_GIB)
			bad += !inside(b, s->mem_start, PCI_MEM_END) || b->addr < lim->low_ram_end;
		else
			bad += !b->is_64bit || !inside(b, s->high_start, s->high_end) ||
			       !inside(b, lim->high_start, lim->high_end);
		for (uint32_t r = 0; r < lim->nr_avoid; r++)
			bad += b->kind != PCI_BAR_IO &&
			       b->addr < lim->avoid[r].start + lim->avoid[r].size &&
			       lim->avoid[r].start < b->addr + b->size;
		for (uint32_t j = 0; j < i; j++) {
			const struct pci_bar *o = &s->bar[j];

			bad += o->placed && (o->kind == PCI_BAR_IO) == (b->kind == PCI_BAR_IO) &&
			       o->addr < b->addr + b->size && b->addr < o->addr + o->size;
		}
	}
	return bad;
}

static void random_buses(void)
{
	static struct pci_state s;
	struct bus b;
	struct pci_ops ops = { .read = bus_read, .write = bus_write, .ctx = &b };

	for (int round = 0; round < 500; round++) {
		struct e820_range avoid = { 0xf4000000, 0x1000000, E820_TYPE_RESERVED };
		struct pci_limits lim = small_guest;

		lim.low_ram_end = round & 1 ? 0x0f000000 : 0xf0000000;
		lim.high_start = FOUR_GIB + ((uint64_t)(check_random() % 64) << 28);
		lim.avoid = &avoid;
		lim.nr_avoid = round & 2 ? 1 : 0;
		memset(&b, 0, sizeof(b));
		for (unsigned int i = 0; i < 1 + check_random() % 20; i++) {
			struct device *d = add(&b, 8 * i, 0x12345678, 0x0200, check_random() % 5);

			bar(d, 0, 4u << (check_random() % 9), 1);
			bar(d, 1, UINT64_C(4096) << (check_random() % 16), check_random() & 8);
			bar(d, 2, UINT64_C(4096) << (check_random() % 24),
			    4 | (check_random() & 8));
			if (check_random() & 1)
				rom(d, 2048u << (check_random() % 10));
		}
		CHECK(!pci_scan(&s, &ops));
		pci_place(&s, &lim);
		CHECK(!rules_broken(&s, &lim));
		for (uint32_t i = 0; i < s.nr_bars; i++)
			if (s.bar[i].is_64bit)
				CHECK(s.bar[i].placed);
	}
}

/* A BAR that has room nowhere must not be decoded. */
static void too_big(void)
{
	static struct pci_state s;
	struct bus b = { 0 };
	struct pci_ops ops = { .read = bus_read, .write = bus_write, .ctx = &b };
	struct pci_limits lim = small_guest;

	bar(add(&b, 0x20, 0x12345678, 0x0200, 1), 0, UINT64_C(1) << 30, 0);
	bar(add(&b, 0x28, 0x12345678, 0x0200, 1), 0, UINT64_C(1) << 33, 4);
	lim.low_ram_end = 0xf0000000;
	CHECK(!pci_scan(&s, &ops));
	pci_place(&s, &lim);
	pci_program(&s, &ops);
	CHECK(s.nr_unplaced == 1);
	CHECK(!(conf(&b, 0x20, 4) & PCI_CMD_MEMORY));
	CHECK(conf(&b, 0x28, 4) & PCI_CMD_MEMORY);
	CHECK(conf(&b, 0x28, 0x10) == 4 && conf(&b, 0x28, 0x14) == 2);
	/* With less RAM the window grows down instead. */
	lim.low_ram_end = 0x40000000;
	CHECK(!pci_scan(&s, &ops));
	pci_place(&s, &lim);
	CHECK(!s.nr_unplaced && s.mem_start == 0x80000000);
}

void test_pci(void)
{
	the_pc();
	random_buses();
	too_big();
}
