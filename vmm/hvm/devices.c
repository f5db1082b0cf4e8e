// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * All in-VMM devices of a domain: creation, what stops when it begins to die, and the end. A PVH
 * domain has only the local APICs and the debug port; dom0 has none of this.
 */
#include "hvm_devices.h"
#include "ioreq_private.h"
#include "irq_private.h"
#include "pc_private.h"
#include "vlapic.h"
#include "vlapic_private.h"

/* In order; the local APIC comes first because it is looked up first. */
static int (*const pc_init[])(struct domain *d) = {
	ioreq_domain_init, hvm_irq_init, vpic_init, vioapic_init,
	vhpet_init,	   vpit_init,	 vrtc_init, vpmtimer_init,
};

int hvm_devices_init(struct domain *d)
{
	int rc = vlapic_mmio_init(d);

	if (!rc)
		rc = debug_port_init(d);
	for (unsigned int i = 0; !rc && !d->is_pvh && i < ARRAY_SIZE(pc_init); i++)
		rc = pc_init[i](d);
	return rc;
}

static void stop_timers(struct domain *d)
{
	vpit_stop(d);
	vrtc_stop(d);
	vpmtimer_stop(d);
	vhpet_stop(d);
}

void hvm_devices_disconnect(struct domain *d)
{
	/* The list of servers itself stays for calls that are under way in other CPUs. */
	for (unsigned int id = 0; id < IOREQ_MAX_SERVERS; id++)
		ioreq_server_destroy(d, (ioservid_t)id);
	vram_track_stop(d);
}

void hvm_devices_relinquish(struct domain *d)
{
	struct vcpu *v;

	stop_timers(d);
	for_each_vcpu(d, v)
		vlapic_timer_stop(v->hvm.vlapic);
	hvm_devices_disconnect(d);
}

void hvm_devices_fini(struct domain *d)
{
	vpit_fini(d);
	vrtc_fini(d);
	vpmtimer_fini(d);
	vhpet_fini(d);
	vioapic_fini(d);
	vpic_fini(d);
	hvm_irq_fini(d);
	debug_port_fini(d);
	ioreq_domain_fini(d);
}
