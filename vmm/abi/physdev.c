/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HYPERVISOR_physdev_op: dom0 has its PCI devices and interrupts directly, so what it reports about
 * them is accepted and not needed; what would set up event channels for interrupts is not there.
 */
#include "command.h"
#include <xen/physdev.h>

static const bool accepted[] = {
	[PHYSDEVOP_manage_pci_add] = true,     [PHYSDEVOP_manage_pci_remove] = true,
	[PHYSDEVOP_manage_pci_add_ext] = true, [PHYSDEVOP_pci_device_add] = true,
	[PHYSDEVOP_pci_device_remove] = true,  [PHYSDEVOP_pci_mmcfg_reserved] = true,
	[PHYSDEVOP_restore_msi] = true,	       [PHYSDEVOP_restore_msi_ext] = true,
	[PHYSDEVOP_setup_gsi] = true,	       [PHYSDEVOP_dbgp_op] = true,
};

long abi_physdev_op(struct call *c)
{
	uint32_t cmd = (uint32_t)c->a[0];

	return abi_privileged() && cmd < ARRAY_SIZE(accepted) && accepted[cmd] ? 0 : -ENOSYS;
}
