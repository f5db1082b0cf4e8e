/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI bus 0: enumeration, sizing, programming, and the registers of the PIIX3/PIIX4 that firmware
 * sets up (Intel 82371SB and 82371AB datasheets). Placement is in pci_place.c. Bridges are sized
 * but what is behind them is left to the operating system: the emulated PC has no bridge.
 */
#include "pci.h"
#include "layout.h"
#include "util.h"

#define PIIX3_LINKS	0x60
#define PIIX_IDE_TIMING 0x40
#define PIIX4_PMBA	0x40
#define PIIX4_PMREGMISC 0x80

#define CLASS_IDE	0x0101
#define CLASS_BRIDGE_PM 0x0680

static const uint8_t link_irq[4] = { 5, 10, 11, 5 };

uint8_t pci_link_irq(unsigned int link)
{
	return link_irq[link & 3];
}

static uint32_t rd(const struct pci_ops *ops, unsigned int devfn, unsigned int reg, unsigned int n)
{
	return ops->read(ops->ctx, devfn, reg, n);
}

static void wr(const struct pci_ops *ops, unsigned int devfn, unsigned int reg, unsigned int n,
	       uint32_t val)
{
	ops->write(ops->ctx, devfn, reg, n, val);
}

/* The writable bits of a register that takes an address. */
static uint32_t probe(const struct pci_ops *ops, unsigned int devfn, unsigned int reg,
		      uint32_t ones)
{
	uint32_t old = rd(ops, devfn, reg, 4), mask;

	wr(ops, devfn, reg, 4, ones);
	mask = rd(ops, devfn, reg, 4);
	wr(ops, devfn, reg, 4, old);
	return mask;
}

static int add_bar(struct pci_state *s, const struct pci_bar *bar)
{
	if (s->nr_bars == PCI_BARS_MAX)
		return -1;
	s->bar[s->nr_bars++] = *bar;
	return 0;
}

static int size_rom(struct pci_state *s, const struct pci_ops *ops, unsigned int devfn,
		    unsigned int reg)
{
	uint32_t mask = probe(ops, devfn, reg, 0xfffff800) & 0xfffff800;
	struct pci_bar bar = {
		.devfn = (uint8_t)devfn,
		.reg = (uint8_t)reg,
		.kind = PCI_BAR_ROM,
		.size = mask & -mask,
	};

	return mask ? add_bar(s, &bar) : 0;
}

/* Size one BAR. Returns how many registers it takes, or -1. */
static int size_bar(struct pci_state *s, const struct pci_ops *ops, unsigned int devfn,
		    unsigned int reg, bool last)
{
	uint32_t raw = probe(ops, devfn, reg, 0xffffffff);
	struct pci_bar bar = { .devfn = (uint8_t)devfn, .reg = (uint8_t)reg };
	uint64_t mask;

	if (raw & 1) {
		bar.kind = PCI_BAR_IO;
		bar.flags = raw & 3;
		/* The upper half may be hard-wired to zero. */
		mask = (raw & 0xfffc) | 0xffffffffffff0000;
	} else {
		bar.kind = PCI_BAR_MEM;
		bar.flags = raw & 0xf;
		bar.is_64bit = (raw & 6) == 4 && !last;
		mask = (raw & ~0xfu) | UINT64_C(0xffffffff00000000);
		if (bar.is_64bit)
			mask = (raw & ~0xfu) |
			       ((uint64_t)probe(ops, devfn, reg + 4, 0xffffffff) << 32);
	}
	bar.size = mask & -mask;
	if ((raw & ~(bar.kind == PCI_BAR_IO ? 3u : 0xfu)) || (bar.is_64bit && bar.size))
		if (add_bar(s, &bar))
			return -1;
	return bar.is_64bit ? 2 : 1;
}

static int size_function(struct pci_state *s, const struct pci_ops *ops, unsigned int devfn)
{
	bool bridge = (rd(ops, devfn, PCI_REG_HEADER, 1) & 0x7f) == 1;
	unsigned int nr = bridge ? 2 : 6;

	for (unsigned int i = 0; i < nr;) {
		int used = size_bar(s, ops, devfn, PCI_REG_BAR0 + 4 * i, i + 1 == nr);

		if (used < 0)
			return -1;
		i += (unsigned int)used;
	}
	return size_rom(s, ops, devfn, bridge ? PCI_REG_BRIDGE_ROM : PCI_REG_ROM);
}

int pci_scan(struct pci_state *s, const struct pci_ops *ops)
{
	memset(s, 0, sizeof(*s));
	for (unsigned int devfn = 0; devfn < 256; devfn++) {
		uint32_t id = rd(ops, devfn, PCI_REG_ID, 4);
		struct pci_function *f = &s->function[s->nr_functions];
		uint32_t cmd;

		if ((id & 0xffff) == 0xffff || !(id & 0xffff))
			continue;
		s->nr_functions++;
		f->devfn = (uint8_t)devfn;
		f->vendor = (uint16_t)id;
		f->device = (uint16_t)(id >> 16);
		f->class_code = (uint16_t)(rd(ops, devfn, PCI_REG_CLASS, 4) >> 16);
		f->int_pin = (uint8_t)rd(ops, devfn, PCI_REG_INT_PIN, 1);
		if (f->int_pin > 4)
			f->int_pin = 0;
		cmd = rd(ops, devfn, PCI_REG_COMMAND, 2);
		wr(ops, devfn, PCI_REG_COMMAND, 2, cmd & ~(PCI_CMD_IO | PCI_CMD_MEMORY));
		if (size_function(s, ops, devfn))
			return -1;
	}
	return 0;
}

static void route_interrupt(struct pci_function *f, const struct pci_ops *ops)
{
	if (!f->int_pin)
		return;
	f->int_line = link_irq[PCI_INTX_LINK(f->devfn >> 3, f->int_pin - 1u)];
	wr(ops, f->devfn, PCI_REG_INT_LINE, 1, f->int_line);
}

void pci_program(struct pci_state *s, const struct pci_ops *ops)
{
	uint16_t enable[256] = { 0 };

	for (uint32_t i = 0; i < s->nr_bars; i++) {
		const struct pci_bar *b = &s->bar[i];

		if (!b->placed)
			continue;
		wr(ops, b->devfn, b->reg, 4, (uint32_t)b->addr);
		if (b->is_64bit)
			wr(ops, b->devfn, b->reg + 4u, 4, (uint32_t)(b->addr >> 32));
		if (b->kind == PCI_BAR_IO)
			enable[b->devfn] |= PCI_CMD_IO;
		else
			enable[b->devfn] |= PCI_CMD_MEMORY;
	}
	for (uint32_t i = 0; i < s->nr_bars; i++)
		if (!s->bar[i].placed)
			enable[s->bar[i].devfn] &= s->bar[i].kind == PCI_BAR_IO
							   ? (uint16_t)~PCI_CMD_IO
							   : (uint16_t)~PCI_CMD_MEMORY;
	for (uint32_t i = 0; i < s->nr_functions; i++) {
		struct pci_function *f = &s->function[i];
		uint32_t cmd = rd(ops, f->devfn, PCI_REG_COMMAND, 2);

		route_interrupt(f, ops);
		/* Legacy ports of VGA and IDE need the enables even without a BAR. */
		if ((f->class_code >> 8) == 0x03 || f->class_code == CLASS_IDE)
			enable[f->devfn] |= PCI_CMD_IO;
		if ((f->class_code >> 8) == 0x03)
			enable[f->devfn] |= PCI_CMD_MEMORY;
		wr(ops, f->devfn, PCI_REG_COMMAND, 2, cmd | enable[f->devfn]);
	}
}

static void setup_isa_bridge(const struct pci_function *f, const struct pci_ops *ops)
{
	for (unsigned int link = 0; link < 4; link++)
		wr(ops, f->devfn, PIIX3_LINKS + link, 1, link_irq[link]);
}

static void setup_ide(const struct pci_function *f, const struct pci_ops *ops)
{
	/* IDE decode enable of both channels. */
	wr(ops, f->devfn, PIIX_IDE_TIMING, 2, 0x8000);
	wr(ops, f->devfn, PIIX_IDE_TIMING + 2, 2, 0x8000);
}

static void setup_pm(struct pci_function *f, const struct pci_ops *ops)
{
	wr(ops, f->devfn, PIIX4_PMBA, 4, PM1A_EVT_PORT | 1);
	wr(ops, f->devfn, PIIX4_PMREGMISC, 1, 1);
	wr(ops, f->devfn, PCI_REG_INT_LINE, 1, SCI_IRQ);
	f->int_line = SCI_IRQ;
}

struct pci_chipset pci_setup_chipset(struct pci_state *s, const struct pci_ops *ops)
{
	struct pci_chipset found = { 0 };

	for (uint32_t i = 0; i < s->nr_functions; i++) {
		struct pci_function *f = &s->function[i];

		if (f->devfn == 0x08 && f->vendor == 0x8086 && f->device == 0x7000) {
			setup_isa_bridge(f, ops);
			found.isa_bridge = true;
		}
		if (f->class_code == CLASS_IDE && f->vendor == 0x8086 && f->device == 0x7010)
			setup_ide(f, ops);
		if (f->class_code == CLASS_BRIDGE_PM && f->vendor == 0x8086 &&
		    f->device == 0x7113) {
			setup_pm(f, ops);
			found.power_management = true;
		}
	}
	return found;
}
