// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The interrupt wires of the emulated PC: ISA lines and PCI pins into PIC and IO-APIC, the four PCI links, MSI,
 * and the event channel callback by wire. A GSI is high while anything asserts it. PIIX3 datasheet 2.5 and
 * 3.4 (links); PCI pins reach GSI 16-47 in the IO-APIC as hvmloader's _PRT says.
 */
#include <xen/hvm/params.h>
#include "event.h"
#include "vmm/hvm/hvm.h"
#include "internal.h"
#include "irq_private.h"

/* One more, or one less, asserts the wire. isa_irq: the PIC's input, 16 = none. Lock held. */
static void wire(struct domain *d, unsigned int gsi, unsigned int isa_irq, bool level)
{
	struct hvm_irq *irq = d->hvm.irq;

	if (level && irq->gsi_count[gsi]++ == 0) {
		vioapic_raise(d, gsi);
		if (isa_irq < 16)
			vpic_line(d, isa_irq, true);
	} else if (!level && irq->gsi_count[gsi] && --irq->gsi_count[gsi] == 0) {
		vioapic_lower(d, gsi);
		if (isa_irq < 16)
			vpic_line(d, isa_irq, false);
	}
}

void hvm_gsi_set(struct domain *d, unsigned int gsi, bool level)
{
	spin_lock(&d->hvm.irq_lock);
	wire(d, gsi, gsi < 16 ? gsi : 16, level);
	spin_unlock(&d->hvm.irq_lock);
}

void hvm_isa_irq_set(struct domain *d, unsigned int isa_irq, bool level)
{
	struct hvm_irq *irq = d->hvm.irq;

	if (!irq)
		return;
	spin_lock(&d->hvm.irq_lock);
	if (!!(irq->isa & BIT(isa_irq)) != level) {
		irq->isa ^= (uint16_t)BIT(isa_irq);
		wire(d, hvm_isa_gsi(isa_irq), isa_irq, level);
	}
	spin_unlock(&d->hvm.irq_lock);
}

void hvm_source_set(struct domain *d, unsigned int source, unsigned int gsi, bool level)
{
	struct hvm_irq *irq = d->hvm.irq;
	unsigned int old, now = level ? gsi : 0;

	spin_lock(&d->hvm.irq_lock);
	old = irq->source_gsi[source];
	if (old != now) {
		if (old)
			wire(d, old, old < 16 ? old : 16, false);
		if (now)
			wire(d, now, now < 16 ? now : 16, true);
		irq->source_gsi[source] = (uint8_t)now;
	}
	spin_unlock(&d->hvm.irq_lock);
}

/* Lock held: would an edge there change anything? */
static bool edge_seen(const struct domain *d, unsigned int gsi, unsigned int isa_irq)
{
	return !vioapic_masked(d, gsi) || (isa_irq < 16 && !vpic_requested(d, isa_irq));
}

static void tell_ticker(struct domain *d, unsigned int i, bool unseen)
{
	if (i == HVM_TICKER_PIT)
		vpit_unseen(d, unseen);
	else
		vhpet_unseen(d, i - HVM_TICKER_HPET, unseen);
}

void hvm_ticker_unseen(struct domain *d, enum hvm_ticker i, unsigned int gsi, unsigned int isa_irq)
{
	struct hvm_irq *irq = d->hvm.irq;

	spin_lock(&d->hvm.irq_lock);
	if (!edge_seen(d, gsi, isa_irq)) {
		irq->unseen |= (uint8_t)BIT(i);
		irq->unseen_gsi[i] = (uint8_t)gsi;
		irq->unseen_isa[i] = (uint8_t)isa_irq;
		tell_ticker(d, i, true);
	}
	spin_unlock(&d->hvm.irq_lock);
}

void hvm_tickers_look(struct domain *d)
{
	struct hvm_irq *irq = d->hvm.irq;

	if (likely(!irq || !irq->unseen))
		return;
	for (unsigned int i = 0; i < HVM_TICKERS; i++) {
		if (!(irq->unseen & BIT(i)) ||
		    !edge_seen(d, irq->unseen_gsi[i], irq->unseen_isa[i]))
			continue;
		irq->unseen &= (uint8_t)~BIT(i);
		tell_ticker(d, i, false);
	}
}

static void intx_locked(struct domain *d, unsigned int device, unsigned int intx, bool level)
{
	struct hvm_irq *irq = d->hvm.irq;
	unsigned int bit = device * 4 + intx, link = (device + intx) & 3,
		     route = irq->link_route[link];

	if (test_bit(bit, irq->pci) == level)
		return;
	if (level) {
		set_bit(bit, irq->pci);
		if (irq->link_count[link]++ == 0 && route)
			wire(d, route, route, true);
	} else {
		clear_bit(bit, irq->pci);
		if (--irq->link_count[link] == 0 && route)
			wire(d, route, route, false);
	}
	wire(d, hvm_intx_gsi(device, intx), 16, level);
}

void hvm_pci_intx_set(struct domain *d, unsigned int device, unsigned int intx, bool level)
{
	if (!d->hvm.irq)
		return;
	spin_lock(&d->hvm.irq_lock);
	intx_locked(d, device, intx, level);
	spin_unlock(&d->hvm.irq_lock);
}

int hvm_pci_link_set(struct domain *d, unsigned int link, unsigned int isa_irq)
{
	struct hvm_irq *irq = d->hvm.irq;

	if (link > 3 || isa_irq > 15 || !irq)
		return -EINVAL;
	spin_lock(&d->hvm.irq_lock);
	if (irq->link_count[link] && irq->link_route[link])
		wire(d, irq->link_route[link], irq->link_route[link], false);
	irq->link_route[link] = (uint8_t)isa_irq;
	if (irq->link_count[link] && isa_irq)
		wire(d, isa_irq, isa_irq, true);
	spin_unlock(&d->hvm.irq_lock);
	return 0;
}

/* SDM volume 3, 11.11: destination in address bits 12-19, RH 3, DM 2; data: vector, mode 8-10, trigger 15. */
int hvm_inject_msi(struct domain *d, uint64_t addr, uint32_t data)
{
	uint8_t mode = data >> 8 & 7;

	if ((addr & 0xfff00000) != 0xfee00000 || addr >> 32)
		return -EINVAL;
	/* Fixed, lowest priority, NMI. A vector below 16 is an error of those that it reaches. */
	if (mode > 1 && mode != 4)
		return -EINVAL;
	vlapic_deliver(d, NULL, addr >> 12 & 0xff, addr & BIT(2), false, mode, (uint8_t)data,
		       data & BIT(15), 0);
	return 0;
}

/* The wire that HVM_PARAM_CALLBACK_IRQ names follows vCPU 0's pending flag. Lock held. */
static void callback_level(struct domain *d, bool level)
{
	struct hvm_irq *irq = d->hvm.irq;
	uint64_t via = irq->callback_via;

	if (irq->callback_high == level)
		return;
	WRITE_ONCE(irq->callback_high, level);
	if (via >> 56 == HVM_PARAM_CALLBACK_TYPE_GSI && via)
		wire(d, (unsigned int)via & 0xff, via < 16 ? (unsigned int)via : 16, level);
	else if (via >> 56 == HVM_PARAM_CALLBACK_TYPE_PCI_INTX)
		intx_locked(d, via >> 11 & 31, via & 3, level);
}

void hvm_callback_update(struct domain *d)
{
	struct hvm_irq *irq = d->hvm.irq;
	const struct vcpu *v = domain_vcpu(d, 0);
	uint64_t via = irq ? READ_ONCE(irq->callback_via) : 0;

	if (!v || !via || via >> 56 == HVM_PARAM_CALLBACK_TYPE_VECTOR)
		return;
	if (!!READ_ONCE(vcpu_info(v)->evtchn_upcall_pending) == READ_ONCE(irq->callback_high))
		return;
	spin_lock(&d->hvm.irq_lock);
	callback_level(d, READ_ONCE(vcpu_info(v)->evtchn_upcall_pending));
	spin_unlock(&d->hvm.irq_lock);
}

int hvm_set_callback_irq(struct domain *d, uint64_t via)
{
	unsigned int type = via >> 56;

	if (type > HVM_PARAM_CALLBACK_TYPE_VECTOR)
		return -EINVAL;
	if (type == HVM_PARAM_CALLBACK_TYPE_VECTOR && (via & 0xff) < 16 && via & 0xff)
		return -EINVAL;
	if (type == HVM_PARAM_CALLBACK_TYPE_GSI && (via & ~(0xffULL << 56)) >= HVM_GSIS)
		return -EINVAL;
	if (type != HVM_PARAM_CALLBACK_TYPE_VECTOR && !d->hvm.irq)
		return via ? -EINVAL : 0;
	if (d->hvm.irq) {
		spin_lock(&d->hvm.irq_lock);
		callback_level(d, false);
		WRITE_ONCE(d->hvm.irq->callback_via, via);
		spin_unlock(&d->hvm.irq_lock);
		hvm_callback_update(d);
	}
	return 0;
}

static int hvm_irq_init(struct domain *d)
{
	d->hvm.irq = xzalloc(struct hvm_irq);
	return d->hvm.irq ? 0 : -ENOMEM;
}

static void hvm_irq_fini(struct domain *d)
{
	xfree(d->hvm.irq);
	d->hvm.irq = NULL;
}

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

static const struct hvm_record irq_records[] = {
	WIRES(PCI_IRQ, hvm_hw_pci_irqs, pci_irq_save, pci_irq_load),
	WIRES(ISA_IRQ, hvm_hw_isa_irqs, isa_irq_save, isa_irq_load),
	WIRES(PCI_LINK, hvm_hw_pci_link, pci_link_save, pci_link_load),
};

const struct hvm_unit irq_unit = {
	.name = "interrupt wires",
	.needs = UNIT_PC,
	.init = hvm_irq_init,
	.fini = hvm_irq_fini,
	UNIT_SAVES(irq_records),
};
