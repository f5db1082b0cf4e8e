/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The in-VMM devices of the emulated PC (vmm/hvm): interrupt lines, PIC, IO-APIC, and the timers. PVH
 * domains and dom0 have none of them.
 */
#ifndef PLINTH_HVM_PC_H
#define PLINTH_HVM_PC_H

#include "domain.h"

/* Interrupt lines (hvm/irq.c): d->hvm.irq_lock is taken inside. isa_irq 0-15, device 0-31, intx 0-3, link 0-3. */
void hvm_isa_irq_set(struct domain *d, unsigned int isa_irq, bool level);
void hvm_pci_intx_set(struct domain *d, unsigned int device, unsigned int intx, bool level);
/* Route of PCI link to an ISA line; 0 = none. -EINVAL for a bad link or line. */
int hvm_pci_link_set(struct domain *d, unsigned int link, unsigned int isa_irq);
/* GSI 0-47 driven by an in-VMM timer. */
void hvm_gsi_set(struct domain *d, unsigned int gsi, bool level);
/* A message-signalled interrupt: address and data as a PCI device writes them. 0 or -EINVAL. */
int hvm_inject_msi(struct domain *d, uint64_t addr, uint32_t data);

/* The wire of HVM_PARAM_CALLBACK_IRQ (a GSI or PCI pin) follows vCPU 0's pending flag; cheap when nothing changed. */
void hvm_callback_update(struct domain *d);

/* PIC (hvm/vpic.c): INTR of the master; acknowledge gives the vector or -1. */
bool vpic_output(const struct domain *d);
int vpic_ack(struct domain *d);
/* Wake the vCPUs that INTR, which is high, is for. irq_lock held. */
void vpic_wake(struct domain *d);

/* IO-APIC (hvm/vioapic.c): a level vector was EOI'd by some vLAPIC. */
void vioapic_eoi(struct domain *d, uint8_t vector);
/* Virtual wire A: does pin 0 hand the PIC's INTR to this vLAPIC? */
struct vlapic;
bool vioapic_extint(struct domain *d, struct vlapic *a);

#endif
