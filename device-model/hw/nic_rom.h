/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the PCI network cards share: their slot and their option ROM. */
#ifndef DM_HW_NIC_ROM_H
#define DM_HW_NIC_ROM_H

struct machine;
struct opt_nic;
struct pci_device;

/* addr= of the options, or the next slot from 4 on. */
int nic_slot(struct machine *m, const struct opt_nic *o);
/*
 * romfile= of the options, or by_default when it is installed: without it the guest lacks network boot
 * only. The ROM gets the card's vendor and device number where it has none. Before pci_register().
 */
int nic_add_rom(struct pci_device *dev, const struct opt_nic *o, const char *by_default);

#endif
