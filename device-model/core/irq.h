/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupt lines. The VMM owns the PIC and IO-APIC; a line only carries a level to it. An ISA line
 * that several devices drive is the OR of them. Setting the level it already has costs nothing.
 */
#ifndef DM_CORE_IRQ_H
#define DM_CORE_IRQ_H

#include <stdbool.h>
#include <stdint.h>

struct machine;

struct irq_line {
	struct machine *m;
	bool is_pci;
	uint8_t isa_irq; /* 0-15 */
	uint8_t device;	 /* PCI device 0-31 */
	uint8_t pin;	 /* 0 = INTA */
	bool level;
};

void irq_init_isa(struct irq_line *line, struct machine *m, unsigned int isa_irq);
/* pin 0-3 = INTA-INTD of PCI device `device` on bus 0. */
void irq_init_pci(struct irq_line *line, struct machine *m, unsigned int device, unsigned int pin);
void irq_set(struct irq_line *line, bool level);

static inline void irq_pulse(struct irq_line *line)
{
	irq_set(line, true);
	irq_set(line, false);
}

/* Tell the VMM every line's level again (after a restore). */
void irq_resend_all(struct machine *m);

#endif
