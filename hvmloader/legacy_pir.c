/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * $PIR (PCI IRQ Routing Table Specification 1.0, Microsoft): to which link of the PIIX3 each
 * interrupt pin of each slot goes. A link's value is its configuration register.
 */
#include "legacy.h"
#include "layout.h"
#include "util.h"

#define PACKED	   __attribute__((packed))
#define FIRST_SLOT 1
#define NR_SLOTS   31
#define LINK_REG   0x60

struct pir_slot {
	uint8_t bus, devfn;
	struct {
		uint8_t link;
		uint16_t irqs;
	} PACKED pin[4];
	uint8_t slot, reserved;
} PACKED;

struct pir_table {
	char signature[4];
	uint16_t version, size;
	uint8_t router_bus, router_devfn;
	uint16_t exclusive_irqs;
	uint32_t router_id, miniport_data;
	uint8_t reserved[11], checksum;
	struct pir_slot slots[NR_SLOTS];
} PACKED;

uint32_t legacy_build_pir(struct arena *scratch)
{
	uint32_t gpa;
	struct pir_table *t = arena_alloc(scratch, sizeof(*t), 16, &gpa);

	if (!t)
		return 0;
	memcpy(t->signature, "$PIR", 4);
	t->version = 0x0100;
	t->size = sizeof(*t);
	t->router_devfn = 1 << 3;
	t->router_id = 0x70008086;
	for (unsigned int i = 0; i < NR_SLOTS; i++) {
		struct pir_slot *s = &t->slots[i];
		unsigned int dev = FIRST_SLOT + i;

		s->devfn = (uint8_t)(dev << 3);
		for (unsigned int pin = 0; pin < 4; pin++) {
			s->pin[pin].link = (uint8_t)(LINK_REG + PCI_INTX_LINK(dev, pin));
			s->pin[pin].irqs = PCI_ISA_IRQ_MASK;
		}
	}
	t->checksum = util_checksum(t, sizeof(*t));
	return gpa;
}
