/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Wires, PIC and IO-APIC among themselves. d->hvm.irq_lock guards all of their state. */
#ifndef PLINTH_IRQ_PRIVATE_H
#define PLINTH_IRQ_PRIVATE_H

#include "xen_abi.h"
#include <xen/hvm/save.h>
#include "hvm_io.h"
#include "vmm/hvm/hvm.h"
#include "units.h"

#define HVM_GSIS VIOAPIC_NUM_PINS

/* What inside the VMM holds a wire high until told otherwise. */
enum hvm_source { HVM_SOURCE_SCI, HVM_SOURCE_HPET, HVM_SOURCES = HVM_SOURCE_HPET + 3 };

/* Timers that send edges: the PIT, the HPET's three. */
enum hvm_ticker { HVM_TICKER_PIT, HVM_TICKER_HPET, HVM_TICKERS = HVM_TICKER_HPET + 3 };

/* d->hvm.irq */
struct hvm_irq {
	uint16_t isa;			 /* level of each ISA line */
	uint32_t pci[4];		 /* bit device * 4 + pin */
	uint8_t link_route[4];		 /* ISA line of a link, 0 = none */
	uint8_t link_count[4];		 /* pins that assert the link */
	uint8_t gsi_count[HVM_GSIS];	 /* how many assert the GSI */
	uint8_t source_gsi[HVM_SOURCES]; /* GSI that the source asserts, 0 = none */
	uint64_t callback_via;
	bool callback_high;
	uint8_t unseen; /* bit per hvm_ticker: its timer is stopped, because its edges change nothing */
	uint8_t unseen_gsi[HVM_TICKERS],
		unseen_isa[HVM_TICKERS]; /* where they go; 16 = not to the PICs */
};

/* ISA line 0 is on the IO-APIC's input 2; PCI pins are on inputs 16-47. */
static inline unsigned int hvm_isa_gsi(unsigned int isa_irq)
{
	return isa_irq ? isa_irq : 2;
}

static inline unsigned int hvm_intx_gsi(unsigned int device, unsigned int intx)
{
	return (((device << 2) + (device >> 3) + intx) & 31) + 16;
}

/*
 * After an edge of a ticker: would the next one change nothing, because the IO-APIC's input is masked and the PIC has the last one
 * still? Then its stop function runs with the lock held, and when that is over its go function. isa_irq 16: the
 * wire does not lead to the PICs.
 */
void hvm_ticker_unseen(struct domain *d, enum hvm_ticker i, unsigned int gsi, unsigned int isa_irq);
/* Lock held: requests, masks or routes have changed. */
void hvm_tickers_look(struct domain *d);
/* vpit.c, vhpet.c: take time_lock under irq_lock. */
void vpit_unseen(struct domain *d, bool unseen);
void vhpet_unseen(struct domain *d, unsigned int i, bool unseen);

/* GSI 1-47 as far as source is concerned; it asserts one at a time. Takes the lock. */
void hvm_source_set(struct domain *d, unsigned int source, unsigned int gsi, bool level);

/* Lock held: input isa_irq changes. */
void vpic_line(struct domain *d, unsigned int isa_irq, bool level);
/* Lock held: the last edge of the input has not been acknowledged. */
bool vpic_requested(const struct domain *d, unsigned int isa_irq);

/* Lock held: the wire went up, or down. */
void vioapic_raise(struct domain *d, unsigned int gsi);
void vioapic_lower(struct domain *d, unsigned int gsi);
bool vioapic_masked(const struct domain *d, unsigned int gsi);

#endif
