// SPDX-License-Identifier: GPL-2.0-or-later
/* The hardware side of a domain's beginning and end. vCPUs are in vcpu.c, the parts of its machine in units.c. */
#include <xen/sched.h>
#include "hvm_pc.h"
#include "hvm_ops.h"

int hvm_domain_init(struct domain *d)
{
	int rc;

	d->hvm.params[HVM_PARAM_TRIPLE_FAULT_REASON] =
		d->is_dom0 ? SHUTDOWN_crash : SHUTDOWN_reboot;
	rc = hvm_ops->domain_init(d);
	if (!rc)
		rc = hvm_devices_init(d);
	return rc;
}

void hvm_domain_fini(struct domain *d)
{
	hvm_devices_fini(d);
	if (d->hvm.io_bitmap)
		free_pages(mfn_to_page(virt_to_mfn(d->hvm.io_bitmap)), 1);
	hvm_ops->domain_fini(d);
}
