/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HYPERVISOR_physdev_op: dom0 has its PCI devices and interrupts directly, so what it reports about
 * them is accepted and not needed; what would set up event channels for interrupts is not there.
 */
#include "handlers.h"
#include <xen/physdev.h>

long abi_physdev_op(struct vcpu *v, const struct hypercall_args *args)
{
	if (!v->domain->is_dom0)
		return -ENOSYS;
	switch ((uint32_t)args->a[0]) {
	case PHYSDEVOP_manage_pci_add:
	case PHYSDEVOP_manage_pci_remove:
	case PHYSDEVOP_manage_pci_add_ext:
	case PHYSDEVOP_pci_device_add:
	case PHYSDEVOP_pci_device_remove:
	case PHYSDEVOP_pci_mmcfg_reserved:
	case PHYSDEVOP_restore_msi:
	case PHYSDEVOP_restore_msi_ext:
	case PHYSDEVOP_setup_gsi:
	case PHYSDEVOP_dbgp_op:
		return 0;
	default:
		return -ENOSYS;
	}
}
