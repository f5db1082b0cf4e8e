/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Start-up of the core's parts, called by the machine and nobody else. */
#ifndef DM_CORE_BUS_PRIV_H
#define DM_CORE_BUS_PRIV_H

struct machine;

void bus_init(struct machine *m);
void irq_state_init(struct machine *m);
void dma_init(struct machine *m);
void pci_bus_init(struct machine *m);
void save_init(struct machine *m);

#endif
