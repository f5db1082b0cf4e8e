/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupt lines to the VMM. Each ISA line and each PCI INTx pin counts who drives it high, so that
 * shared lines are the OR of their drivers. See irq.h.
 */
#include "core/irq.h"

#include "core/bus_priv.h"
#include "core/log.h"
#include "core/machine.h"
#include "core/util.h"
#include "core/vmm.h"

#define IRQ_ISA_LINES	16
#define IRQ_PCI_DEVICES 32
#define IRQ_PCI_PINS	4

struct irq_state {
	uint8_t isa[IRQ_ISA_LINES];
	uint8_t pci[IRQ_PCI_DEVICES][IRQ_PCI_PINS];
};

void irq_state_init(struct machine *m)
{
	m->irq = xzalloc(sizeof(*m->irq));
}

void irq_init_isa(struct irq_line *line, struct machine *m, unsigned int isa_irq)
{
	*line = (struct irq_line){ .m = m, .isa_irq = isa_irq % IRQ_ISA_LINES };
}

void irq_init_pci(struct irq_line *line, struct machine *m, unsigned int device, unsigned int pin)
{
	*line = (struct irq_line){
		.m = m,
		.is_pci = true,
		.device = device % IRQ_PCI_DEVICES,
		.pin = pin % IRQ_PCI_PINS,
	};
}

static uint8_t *irq_count(struct irq_line *line)
{
	struct irq_state *s = line->m->irq;

	return line->is_pci ? &s->pci[line->device][line->pin] : &s->isa[line->isa_irq];
}

void irq_set(struct irq_line *line, bool level)
{
	uint8_t *count = irq_count(line);
	bool before, after;

	if (line->level == level)
		return;
	line->level = level;
	before = *count;
	*count += level ? 1 : -1;
	after = *count;
	if (before == after)
		return;
	log_trace(TRACE_IRQ, "irq %s %u.%u = %d", line->is_pci ? "pci" : "isa",
		  line->is_pci ? line->device : line->isa_irq, line->pin, after);
	if (line->is_pci)
		line->m->vmm->set_pci_intx(line->m, line->device, line->pin, after);
	else
		line->m->vmm->set_isa_irq(line->m, line->isa_irq, after);
}

void irq_resend_all(struct machine *m)
{
	unsigned int i, pin;

	for (i = 0; i < IRQ_ISA_LINES; i++)
		if (m->irq->isa[i])
			m->vmm->set_isa_irq(m, i, true);
	for (i = 0; i < IRQ_PCI_DEVICES; i++)
		for (pin = 0; pin < IRQ_PCI_PINS; pin++)
			if (m->irq->pci[i][pin])
				m->vmm->set_pci_intx(m, i, pin, true);
}
