// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Saved state of the interrupt wires: PCI_IRQ, ISA_IRQ and PCI_LINK of xen/hvm/save.h. How many
 * assert each GSI is counted anew from them; loading moves no wire, as PIC and IO-APIC bring what
 * they latched in their own records. Xen saves them of PVH domains, too, which have no wires: dropped.
 */
#include "irq_private.h"

/* Lock held. Sources inside the VMM join in when their own records are loaded. */
static void recount(struct hvm_irq *irq)
{
	memset(irq->gsi_count, 0, sizeof(irq->gsi_count));
	memset(irq->link_count, 0, sizeof(irq->link_count));
	for (unsigned int i = 0; i < 16; i++)
		if (irq->isa & BIT(i))
			irq->gsi_count[hvm_isa_gsi(i)]++;
	for (unsigned int i = 0; i < 128; i++) {
		if (!test_bit(i, irq->pci))
			continue;
		irq->gsi_count[hvm_intx_gsi(i / 4, i % 4)]++;
		irq->link_count[(i / 4 + i % 4) & 3]++;
	}
	for (unsigned int i = 0; i < 4; i++)
		if (irq->link_count[i] && irq->link_route[i])
			irq->gsi_count[irq->link_route[i]]++;
	for (unsigned int i = 0; i < HVM_SOURCES; i++)
		if (irq->source_gsi[i])
			irq->gsi_count[irq->source_gsi[i]]++;
}

static int pci_irq_save(const struct hvm_instance *at, void *buf)
{
	struct domain *d = at->d;
	spin_lock(&d->hvm.irq_lock);
	memcpy(buf, d->hvm.irq->pci, sizeof(d->hvm.irq->pci));
	spin_unlock(&d->hvm.irq_lock);
	return sizeof(struct hvm_hw_pci_irqs);
}

static int pci_irq_load(const struct hvm_instance *at, const void *buf)
{
	struct domain *d = at->d;
	struct hvm_irq *irq = d->hvm.irq;

	spin_lock(&d->hvm.irq_lock);
	memcpy(irq->pci, buf, sizeof(irq->pci));
	irq->callback_high = false; /* its pin, if it has one, is among these */
	recount(irq);
	spin_unlock(&d->hvm.irq_lock);
	return 0;
}

static int isa_irq_save(const struct hvm_instance *at, void *buf)
{
	struct domain *d = at->d;
	struct hvm_hw_isa_irqs *r = buf;

	spin_lock(&d->hvm.irq_lock); /* timers pulse lines, also of a paused domain */
	r->pad[0] = d->hvm.irq->isa;
	spin_unlock(&d->hvm.irq_lock);
	return sizeof(struct hvm_hw_isa_irqs);
}

static int isa_irq_load(const struct hvm_instance *at, const void *buf)
{
	struct domain *d = at->d;
	const struct hvm_hw_isa_irqs *r = buf;
	struct hvm_irq *irq = d->hvm.irq;

	if (r->pad[0] >> 16)
		return -EINVAL;
	spin_lock(&d->hvm.irq_lock);
	irq->isa = (uint16_t)r->pad[0];
	recount(irq);
	spin_unlock(&d->hvm.irq_lock);
	return 0;
}

static int pci_link_save(const struct hvm_instance *at, void *buf)
{
	struct domain *d = at->d;
	struct hvm_hw_pci_link *r = buf;

	spin_lock(&d->hvm.irq_lock);
	memcpy(r->route, d->hvm.irq->link_route, sizeof(r->route));
	spin_unlock(&d->hvm.irq_lock);
	return sizeof(struct hvm_hw_pci_link);
}

static int pci_link_load(const struct hvm_instance *at, const void *buf)
{
	struct domain *d = at->d;
	const struct hvm_hw_pci_link *r = buf;
	struct hvm_irq *irq = d->hvm.irq;

	for (unsigned int i = 0; i < 4; i++)
		if (r->route[i] > 15)
			return -EINVAL;
	spin_lock(&d->hvm.irq_lock);
	memcpy(irq->link_route, r->route, sizeof(irq->link_route));
	recount(irq);
	spin_unlock(&d->hvm.irq_lock);
	return 0;
}

#define WIRES(rec, what, save_fn, load_fn)                                                     \
	{                                                                                      \
		.name = #rec, .type = HVM_SAVE_CODE(rec), .instances = SAVE_PER_DOMAIN,        \
		.max_len = sizeof(struct what), .save = save_fn, .load = load_fn, .drop = true \
	}

const struct hvm_record irq_records[IRQ_RECORDS] = {
	WIRES(PCI_IRQ, hvm_hw_pci_irqs, pci_irq_save, pci_irq_load),
	WIRES(ISA_IRQ, hvm_hw_isa_irqs, isa_irq_save, isa_irq_load),
	WIRES(PCI_LINK, hvm_hw_pci_link, pci_link_save, pci_link_load),
};
