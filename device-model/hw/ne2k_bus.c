/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NE2000 cards: ISA at a fixed place, and the RTL8029 on PCI. Registers are bytes; the data port takes
 * bytes, words and, on PCI, dwords, and whole string instructions at once.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/ahead.h"
#include "core/bus.h"
#include "core/device.h"
#include "core/irq.h"
#include "core/log.h"
#include "core/machine.h"
#include "core/options.h"
#include "core/pci.h"
#include "core/util.h"
#include "hw/ne2k.h"
#include "hw/nic_rom.h"

#define NE2K_PCI_IO	 256
#define NE2K_AHEAD_BYTES 1536 /* a frame */

struct ne2k_card {
	struct ne2k chip;
	struct machine *m;
	struct pci_device pci;
	struct irq_line isa;
	struct io_region *io;	 /* of the ISA card */
	uint32_t port;		 /* where it begins */
	unsigned int ahead_size; /* of the items that were offered last */
};

static bool is_data(uint64_t offset)
{
	return offset >= NE2K_DATA_PORT && offset < NE2K_DATA_PORT + 8;
}

static void taken(void *opaque, unsigned int count)
{
	struct ne2k_card *c = opaque;

	while (count--)
		ne2k_data_read(&c->chip, c->ahead_size);
}

/* Drivers that take a frame word by word (iPXE) get the rest of it without a request for each. */
static void offer_rest(struct ne2k_card *c, uint64_t offset, unsigned int size)
{
	uint8_t items[NE2K_AHEAD_BYTES];
	unsigned int n;

	if (!ahead_wanted(c->m) || size > 4)
		return;
	n = ne2k_data_ahead(&c->chip, size, items, NE2K_AHEAD_BYTES / size);
	c->ahead_size = size;
	ahead_offer(c->m, c->port + (uint32_t)offset, size, items, n, taken, c);
}

static uint64_t card_read(void *opaque, uint64_t offset, unsigned int size)
{
	struct ne2k_card *c = opaque;
	uint64_t v = 0;
	unsigned int i;

	if (is_data(offset)) {
		v = ne2k_data_read(&c->chip, size);
		offer_rest(c, offset, size);
		return v;
	}
	if (offset >= NE2K_DATA_PORT + 8 && offset < NE2K_PORTS)
		ne2k_reset(&c->chip);
	for (i = 0; i < size && offset + i < NE2K_DATA_PORT; i++)
		v |= (uint64_t)ne2k_read(&c->chip, (unsigned int)offset + i) << i * 8;
	return v;
}

static void card_write(void *opaque, uint64_t offset, uint64_t value, unsigned int size)
{
	struct ne2k_card *c = opaque;
	unsigned int i;

	if (is_data(offset))
		ne2k_data_write(&c->chip, (uint32_t)value, size);
	for (i = 0; i < size && offset + i < NE2K_DATA_PORT; i++)
		ne2k_write(&c->chip, (unsigned int)offset + i, (uint8_t)(value >> i * 8));
}

static size_t card_read_block(void *opaque, uint64_t offset, void *buf, unsigned int size,
			      size_t count)
{
	struct ne2k_card *c = opaque;
	uint8_t *p = buf;
	size_t i;

	for (i = 0; i < count && is_data(offset); i++)
		store_le(p + i * size, ne2k_data_read(&c->chip, size), size);
	return i;
}

static size_t card_write_block(void *opaque, uint64_t offset, const void *buf, unsigned int size,
			       size_t count)
{
	struct ne2k_card *c = opaque;
	const uint8_t *p = buf;
	size_t i;

	for (i = 0; i < count && is_data(offset); i++)
		ne2k_data_write(&c->chip, (uint32_t)load_le(p + i * size, size), size);
	return i;
}

static const struct io_ops card_ops = {
	.read = card_read,
	.write = card_write,
	.read_block = card_read_block,
	.write_block = card_write_block,
};

static void set_irq(struct ne2k *s, bool level)
{
	struct ne2k_card *c = container_of(s, struct ne2k_card, chip);

	if (s->pci)
		pci_set_intx(&c->pci, level);
	else
		irq_set(&c->isa, level);
}

static bool receive(void *opaque, const uint8_t *frame, size_t len)
{
	struct ne2k_card *c = opaque;

	return ne2k_receive(&c->chip, frame, len);
}

/* The chip has no register for it. */
static void link_changed(void *opaque, bool up)
{
}

static void unplug(void *opaque)
{
	struct ne2k_card *c = opaque;

	if (c->chip.pci) {
		pci_unregister(&c->pci);
	} else {
		irq_set(&c->isa, false);
		io_unregister(c->m, c->io);
	}
	machine_off_reset(c->m, c);
	save_unregister(c->m, &c->chip);
	free(c);
}

static const struct net_nic_ops nic_ops = { receive, link_changed, unplug };

/*
 * The ports have their place. Posted are where a transfer or a frame begins and how long it is: nothing
 * happens before the command register is written. (On page 1 these registers are addresses to receive by.)
 * Linux does 14 such writes for a frame received and one sent.
 */
static void ports_at(struct ne2k_card *c, uint32_t port)
{
	c->port = port;
	pio_post_writes(c->m, port + 4, 3);
	pio_post_writes(c->m, port + 8, 4);
}

static void placed(struct pci_device *dev, uint64_t addr)
{
	ports_at(dev->opaque, (uint32_t)addr);
}

static void card_reset(void *opaque)
{
	struct ne2k_card *c = opaque;

	ne2k_reset(&c->chip);
}

static const struct pci_ids ne2k_ids = {
	.vendor = 0x10ec,
	.device = 0x8029,
	.class_device = 0x0200,
	.int_pin = 1,
};

static int pci_part(struct ne2k_card *c, const struct opt_nic *o)
{
	int slot = nic_slot(c->m, o), rc;

	c->chip.pci = true;
	pci_device_init(&c->pci, c->m, "ne2k_pci", PCI_DEVFN(slot, 0), &ne2k_ids, c);
	pci_add_bar(&c->pci, 0, PCI_BAR_IO, NE2K_PCI_IO, &card_ops, placed);
	rc = nic_add_rom(&c->pci, o, "pxe-ne2k_pci.rom");
	return rc ? rc : pci_register(&c->pci);
}

static int isa_part(struct ne2k_card *c, const struct opt_nic *o)
{
	irq_init_isa(&c->isa, c->m, o->irq);
	c->io = pio_register(c->m, o->iobase, NE2K_PORTS, &card_ops, c, "ne2k_isa");
	if (c->io) {
		ports_at(c, o->iobase);
		return 0;
	}
	log_error("ne2k_isa: ports 0x%x-0x%x are taken (iobase=)", o->iobase,
		  o->iobase + NE2K_PORTS - 1);
	return -EBUSY;
}

static int card_create(struct machine *m, const struct opt_nic *o, unsigned int instance)
{
	struct ne2k_card *c = xzalloc(sizeof(*c));
	int rc;

	c->m = m;
	c->chip.set_irq = set_irq;
	c->chip.net = net_open(m, o, &nic_ops, c);
	if (!c->chip.net)
		return -EINVAL;
	ne2k_set_prom(&c->chip, net_mac(c->chip.net));
	rc = strcmp(o->model, "ne2k_pci") ? isa_part(c, o) : pci_part(c, o);
	if (rc)
		return rc;
	machine_on_reset(m, card_reset, c);
	save_register(m, &ne2k_save_ops, instance, &c->chip);
	return 0;
}

static int ne2k_init(struct machine *m)
{
	unsigned int i;
	int rc = 0;

	for (i = 0; i < m->opt->nr_nics && !rc; i++)
		if (!strncmp(m->opt->nics[i].model, "ne2k_", 5))
			rc = card_create(m, &m->opt->nics[i], i);
	return rc;
}
DEVICE(DEVICE_PCI, ne2k, ne2k_init);
