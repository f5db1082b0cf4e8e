// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The hardware side of a domain's beginning and end: the vendor's part, and the one list of units, which begin in this order,
 * and stop and end in the other one. Records of saved state are found here by their type, and whom one belongs to. vCPUs are in vcpu.c.
 */
#include <xen/sched.h>
#include "vmm/hvm/hvm.h"
#include "hvm_ops.h"
#include "units.h"

/* What a device model watches of the guest's memory. */
static const struct hvm_unit vram_unit = {
	.name = "watched memory",
	.needs = UNIT_GUEST,
	.stop = vram_track_stop,
	.reset = vram_track_stop,
};

/* The local APIC's page comes before others', because it is looked up first. */
static const struct hvm_unit *const units[] = {
	&cpu_unit,  &io_unit,	   &vlapic_unit, &debug_port_unit, &ioreq_unit, &irq_unit,
	&vpic_unit, &vioapic_unit, &vhpet_unit,	 &vpit_unit,	   &vrtc_unit,	&vpmtimer_unit,
	&vram_unit, &xen_unit,	   &mcheck_unit, &viridian_unit,
};

static bool has(const struct domain *d, const struct hvm_unit *u)
{
	return u->needs == UNIT_ANY || (!d->is_dom0 && (u->needs == UNIT_GUEST || !d->is_pvh));
}

int hvm_domain_init(struct domain *d)
{
	int rc;

	d->hvm.params[HVM_PARAM_TRIPLE_FAULT_REASON] =
		d->is_dom0 ? SHUTDOWN_crash : SHUTDOWN_reboot;
	rc = hvm_ops->domain_init(d);
	for (unsigned int i = 0; !rc && i < ARRAY_SIZE(units); i++)
		if (units[i]->init && has(d, units[i]))
			rc = units[i]->init(d);
	return rc;
}

void hvm_devices_disconnect(struct domain *d)
{
	for (unsigned int i = ARRAY_SIZE(units); i-- > 0;)
		if (units[i]->reset && has(d, units[i]))
			units[i]->reset(d);
}

void hvm_devices_relinquish(struct domain *d)
{
	for (unsigned int i = ARRAY_SIZE(units); i-- > 0;)
		if (units[i]->stop && has(d, units[i]))
			units[i]->stop(d);
}

void hvm_domain_fini(struct domain *d)
{
	for (unsigned int i = ARRAY_SIZE(units); i-- > 0;)
		if (units[i]->fini && has(d, units[i]))
			units[i]->fini(d);
	if (d->hvm.io_bitmap)
		free_pages(mfn_to_page(virt_to_mfn(d->hvm.io_bitmap)), 1);
	hvm_ops->domain_fini(d);
}

const struct hvm_record *hvm_record_from(unsigned int type)
{
	const struct hvm_record *best = NULL;

	for (unsigned int i = 0; i < ARRAY_SIZE(units); i++)
		for (unsigned int k = 0; k < units[i]->nr_save; k++) {
			const struct hvm_record *r = &units[i]->save[k];

			if (r->type >= type && (!best || r->type < best->type))
				best = r;
		}
	return best;
}

/* False: d has no such instance. */
static bool resolve(struct domain *d, const struct hvm_record *r, struct hvm_instance *at)
{
	unsigned int i = 0;

	while (!units[i]->nr_save || r < units[i]->save || r >= units[i]->save + units[i]->nr_save)
		i++;
	at->d = d;
	at->v = r->instances == SAVE_PER_VCPU ? domain_vcpu(d, at->nr) : NULL;
	return has(d, units[i]) &&
	       (r->instances == SAVE_PER_VCPU ? at->v != NULL : at->nr < r->instances);
}

int hvm_record_save(struct domain *d, const struct hvm_record *r, unsigned int nr, void *buf)
{
	struct hvm_instance at = { .nr = nr };

	return resolve(d, r, &at) ? r->save(&at, buf) : -ENOENT;
}

int hvm_record_load(struct domain *d, const struct hvm_record *r, unsigned int nr, const void *buf,
		    uint32_t len)
{
	struct hvm_instance at = { .nr = nr, .len = len };

	if (resolve(d, r, &at))
		return r->load(&at, buf);
	return r->drop ? 0 : -EINVAL;
}

int hvm_record_check(struct domain *d, const struct hvm_record *r, unsigned int nr, const void *buf,
		     uint32_t len)
{
	struct hvm_instance at = { .nr = nr, .len = len };

	if (!r->check)
		return 0;
	return resolve(d, r, &at) ? r->check(&at, buf) : -EINVAL;
}
