/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How objects become known to other CPUs, and when their memory may be used anew. An object is published when it
 * is complete, and not before. To take it away: make it unfindable, wait for a grace period, free it. A CPU
 * keeps what it found without a lock or a reference until it passes its run loop (sched/run.c) and no longer, so
 * the grace period is over when every CPU has passed there once. docs/locking.md lists all such readers.
 */
#ifndef PLINTH_PUBLISH_H
#define PLINTH_PUBLISH_H

#include "types.h"

/* The one way to publish: all that was written to the object before is seen by whoever finds it. */
#define publish(slot, value) __atomic_store_n(&(slot), (value), __ATOMIC_RELEASE)
/* What is published there, for readers without a lock; with the writers' lock a plain read does. */
#define published(slot) __atomic_load_n(&(slot), __ATOMIC_ACQUIRE)

typedef struct {
	uint64_t nr; /* 0 = none was begun */
} grace_t;

/*
 * The one way to wait. Call it when the object can no longer be found; it makes every CPU pass its run loop soon,
 * the calling one, too. Any context.
 */
grace_t grace_start(void);
/*
 * Has every CPU passed its run loop since? Nobody spins for it: a hypercall returns -ERESTART, a timer's function
 * sets its timer again. Of a grace period that was never begun: true.
 */
bool grace_over(grace_t g);
/* The run loop: this CPU uses nothing any more that it found before. */
void grace_pass(void);

#endif
