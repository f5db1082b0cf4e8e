/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PIIX3 ISA bridge, 00:01.0 (Intel 82371SB datasheet, order number 290550): identity, PIRQ routing
 * (told to the VMM, whose PIC and IO-APIC carry the lines), fast A20 and reset at port 0x92.
 */
#include "core/bus.h"
#include "core/device.h"
#include "core/machine.h"
#include "core/pci.h"
#include "core/util.h"
#include "core/vmm.h"

#define PIRQRC	     0x60
#define PIRQ_DISABLE 0x80
#define NR_LINKS     4
#define PORT92_RESET 1
#define PORT92_A20   2

struct piix3 {
	struct pci_device pci;
	uint8_t route[NR_LINKS]; /* what the VMM knows */
	uint8_t port92;
};

static const struct pci_ids piix3_ids = {
	.vendor = 0x8086,
	.device = 0x7000,
	.class_device = 0x0601,
};

static void routes_update(struct piix3 *s)
{
	unsigned int link;

	for (link = 0; link < NR_LINKS; link++) {
		uint8_t v = s->pci.config[PIRQRC + link];
		uint8_t irq = v & PIRQ_DISABLE ? 0 : v & 0xf;

		if (irq == s->route[link])
			continue;
		s->route[link] = irq;
		s->pci.m->vmm->set_pci_link(s->pci.m, link, irq);
	}
}

static void piix3_config_written(struct pci_device *dev, unsigned int offset, unsigned int size)
{
	if (!size || (offset < PIRQRC + NR_LINKS && offset + size > PIRQRC))
		routes_update(container_of(dev, struct piix3, pci));
}

static uint64_t port92_read(void *opaque, uint64_t offset, unsigned int size)
{
	return ((struct piix3 *)opaque)->port92;
}

/* The VMM has no A20 gate: address line 20 is always on, the bit is only remembered. */
static void port92_write(void *opaque, uint64_t offset, uint64_t value, unsigned int size)
{
	struct piix3 *s = opaque;
	uint8_t old = s->port92;

	s->port92 = (uint8_t)value & (PORT92_A20 | PORT92_RESET);
	if (value & PORT92_RESET && !(old & PORT92_RESET))
		machine_guest_reset(s->pci.m);
}

static const struct io_ops port92_ops = {
	.read = port92_read,
	.write = port92_write,
	.max_size = 1,
};

/* Values of the datasheet; the board's wiring makes some of them differ from a bare chip. */
static void piix3_reset(void *opaque)
{
	static const struct {
		uint8_t reg, value;
	} defaults[] = {
		{ 0x4c, 0x4d }, { 0x4e, 0x03 }, { 0x4f, 0x00 }, { 0x60, 0x80 }, { 0x61, 0x80 },
		{ 0x62, 0x80 }, { 0x63, 0x80 }, { 0x69, 0x02 }, { 0x70, 0x80 }, { 0x76, 0x0c },
		{ 0x77, 0x0c }, { 0x78, 0x02 }, { 0x79, 0x00 }, { 0x80, 0x00 }, { 0x82, 0x00 },
		{ 0xa0, 0x08 }, { 0xa2, 0x00 }, { 0xa3, 0x00 }, { 0xa4, 0x00 }, { 0xa5, 0x00 },
		{ 0xa6, 0x00 }, { 0xa7, 0x00 }, { 0xa8, 0x0f }, { 0xaa, 0x00 }, { 0xab, 0x00 },
		{ 0xac, 0x00 }, { 0xae, 0x00 },
	};
	struct piix3 *s = opaque;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(defaults); i++)
		s->pci.config[defaults[i].reg] = defaults[i].value;
	put_le16(s->pci.config + PCI_COMMAND,
		 PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	s->port92 = 0;
	routes_update(s);
}

static const struct save_field piix3_fields[] = {
	SAVE(struct piix3, port92, .mask = 3),
	SAVE_END,
};

static const struct save_ops piix3_save_ops = { "piix3", 1, .fields = piix3_fields };

static int piix3_init(struct machine *m)
{
	struct piix3 *s = xzalloc(sizeof(*s));
	int rc;

	pci_device_init(&s->pci, m, "piix3", PCI_DEVFN(1, 0), &piix3_ids, s);
	s->pci.config[PCI_HEADER_TYPE] = 0x80;
	put_le16(s->pci.config + PCI_STATUS, 0x0200); /* medium DEVSEL timing */
	memset(s->pci.wmask + 0x40, 0xff, PCI_CONFIG_SIZE - 0x40);
	s->pci.config_written = piix3_config_written;
	rc = pci_register(&s->pci);
	if (rc)
		return rc;
	machine_on_reset(m, piix3_reset, s);
	save_register(m, &piix3_save_ops, 0, s);
	return pio_register(m, 0x92, 1, &port92_ops, s, "port92") ? 0 : -1;
}
DEVICE(DEVICE_CHIPSET, piix3, piix3_init);
