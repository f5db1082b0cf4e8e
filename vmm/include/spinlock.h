/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Spinlocks. The VMM runs with interrupts disabled everywhere but in two places (idle HLT and the
 * window of the run loop, vmm/sched/run.c), so there are no irqsave variants. A waiting CPU serves
 * cross-CPU calls (smp_poll_calls) while it spins, so that a holder may wait for other CPUs to answer
 * a call as long as the called function takes no lock.
 *
 * Every lock has a level; a CPU takes locks in rising order of level (docs/locking.md). Debug builds
 * check it and name both locks when the order is broken.
 */
#ifndef PLINTH_SPINLOCK_H
#define PLINTH_SPINLOCK_H

#include "types.h"

enum lock_level {
	LOCK_DOMCTL = 1, /* one domctl/sysctl at a time */
	LOCK_DOMLIST,	 /* the list of domains */
	LOCK_DOMAIN,	 /* struct domain: life, pause count, HVM parameters */
	LOCK_IOREQ,	 /* a domain's ioreq servers */
	LOCK_GRANT,	 /* a grant table; two of them in order of domid */
	LOCK_P2M,	 /* a domain's p2m; dom0's before a guest's never at once */
	LOCK_SHADOW,	 /* a domain's shadow page tables */
	LOCK_HVM_IRQ,	 /* a domain's interrupt lines, PIC and IO-APIC */
	LOCK_HVM_TIME,	 /* a domain's PIT, RTC, HPET, PM timer */
	LOCK_EVENT,	 /* a domain's event channels; two in order of domid */
	LOCK_VLAPIC,	 /* a vLAPIC's timer */
	LOCK_SCHED,	 /* a CPU's run queue */
	LOCK_TIMER,	 /* a CPU's timer heap */
	LOCK_REAP,	 /* the list of domains to be freed */
	LOCK_IOREMAP,	 /* the VMM's device mappings; allocates page tables */
	LOCK_HEAP,	 /* page allocator, small heap */
	LOCK_CONSOLE,	 /* console ring and devices */
};

typedef struct spinlock {
	volatile uint16_t next;	 /* ticket to hand out */
	volatile uint16_t owner; /* ticket being served */
	uint8_t level;		 /* enum lock_level */
	int16_t holder;		 /* CPU that holds it, -1 = none (for diagnosis and spin_is_mine) */
	const char *name;
} spinlock_t;

#define SPINLOCK_INIT(lvl, nm)                             \
	{                                                  \
		.level = (lvl), .holder = -1, .name = (nm) \
	}

/* name stays the caller's; panics show it. */
void spin_lock_init(spinlock_t *l, enum lock_level level, const char *name);
/*
 * Waits for its turn, and serves other CPUs' calls meanwhile. Interrupts are off in the VMM. Locks are taken in the order of
 * their levels (docs/locking.md); DEBUG=1 panics where they are not, or where the CPU has the lock already.
 */
void spin_lock(spinlock_t *l);
/* False: it is taken. The order of levels does not bind. */
bool spin_trylock(spinlock_t *l);
void spin_unlock(spinlock_t *l);
/* True when the calling CPU holds l. */
bool spin_is_mine(const spinlock_t *l);

#endif
