/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Physical interrupts with vectors below VMM_VECTOR_FIRST: whoever owns them hands this table down. Today that is
 * domain 0 (vmm/dom0/irq.c), and no other file assumes it.
 */
#ifndef PLINTH_EXT_IRQ_H
#define PLINTH_EXT_IRQ_H

#include "types.h"

struct vcpu;

struct ext_irq_ops {
	/* One came in on this CPU, which has acknowledged it. */
	void (*arrived)(uint8_t vector);
	/* The owner's vCPU wrote EOI for a vector in its vLAPIC. */
	void (*eoi)(struct vcpu *v, uint8_t vector);
	/* The vLAPIC was disabled or reset, the vCPU went down, or its domain died: EOI all that is pending. */
	void (*drain)(struct vcpu *v);
	/* Physical IRR bits of the owner's vectors, for a read of the vIRR; word 0..7. */
	uint32_t (*irr)(struct vcpu *v, unsigned int word);
};
extern const struct ext_irq_ops *ext_irq_ops; /* cpu/trap.c; set before interrupts can come */

#endif
