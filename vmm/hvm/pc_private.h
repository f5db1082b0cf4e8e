/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The timers of the emulated PC among themselves. d->hvm.time_lock guards their state; it comes
 * after irq_lock, so a device decides under time_lock, drops it, and moves its wire then.
 */
#ifndef PLINTH_PC_PRIVATE_H
#define PLINTH_PC_PRIVATE_H

#include "xen_abi.h"
#include <xen/hvm/save.h>
#include "hvm_io.h"
#include "vmm/hvm/hvm.h"

/* Periodic sources of a guest interrupt the host at most this often. */
#define PC_MIN_PERIOD_NS 100000ULL
#define PC_NEVER	 (~0ULL)

/*
 * Arm t for at_ns (PC_NEVER: parked) on the CPU of vCPU 0, to which all these interrupts go first.
 */
static inline void pc_timer_set(struct domain *d, struct timer *t, uint64_t at_ns)
{
	const struct vcpu *v = domain_vcpu(d, 0);

	if (v && t->cpu != v->cpu)
		timer_migrate(t, v->cpu);
	timer_set(t, at_ns);
}

/* Legacy replacement: the HPET drives IRQ 0 and 8, PIT and RTC do not. */
bool vhpet_legacy(const struct domain *d);

#endif
