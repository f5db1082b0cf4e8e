/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The units of a domain's machine: what is made with it, stops when it begins to die, forgets the outside at a soft reset,
 * is saved and restored, and ends with it. One constant descriptor each, at the end of the unit's file; the list of them is in units.c.
 */
#ifndef PLINTH_UNITS_H
#define PLINTH_UNITS_H

#include "save.h"

enum hvm_needs {
	UNIT_ANY,   /* every domain has it */
	UNIT_GUEST, /* all but dom0 */
	UNIT_PC,    /* neither dom0 nor PVH domains */
};

struct hvm_unit {
	const char *name;
	enum hvm_needs needs;
	/* NULL: there is nothing to do. */
	int (*init)(struct domain *d); /* no vCPU exists yet; 0 or -errno */
	void (*stop)(
		struct domain *d); /* paused, and never runs again: timers stop, others let go */
	void (*fini)(struct domain *d); /* also where init has failed or was not reached */
	void (*reset)(
		struct domain *d); /* soft reset, no vCPU runs: connections to the outside go */
	const struct hvm_record *save;
	unsigned int nr_save;
};

#define UNIT_SAVES(records) .save = (records), .nr_save = ARRAY_SIZE(records)

extern const struct hvm_unit cpu_unit, io_unit, vlapic_unit, debug_port_unit, ioreq_unit, irq_unit,
	vpic_unit, vioapic_unit, vhpet_unit, vpit_unit, vrtc_unit, vpmtimer_unit, xen_unit,
	mcheck_unit, viridian_unit;

#endif
