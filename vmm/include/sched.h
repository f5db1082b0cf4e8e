/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scheduler: a core (domain/sched.c) that knows CPUs, states and locks, and policies that know
 * whose turn it is. A policy sees one CPU's queue at a time, under its lock, and only arithmetic: it
 * takes the time as an argument, so that the same source runs in a host test.
 */
#ifndef PLINTH_SCHED_H
#define PLINTH_SCHED_H

#include "xen_abi.h"
#include "domain.h"

struct sched_cpu {
	spinlock_t lock;	/* LOCK_SCHED */
	struct list_head queue; /* lock: runnable, not running, in the policy's order */
	unsigned int nr_queued; /* lock */
	unsigned int cpu;	/* constant */
	struct vcpu *curr;	/* lock: what runs here; the idle vCPU when nothing does */
	struct vcpu *idle;	/* constant */
	struct timer slice;	/* own CPU */
	struct vcpu *donor;	/* lock: waits while curr runs in its stead; NULL = none */
	struct vcpu *donee;	/* lock: whom it gave the CPU to */
	const void *donor_key;	/* lock: what the donor waits for */
	struct vcpu *handoff;	/* lock: to run next, whatever the policy says; NULL = none */
	uint64_t vtime;		/* lock: the policy's clock of this queue */
};

/* What tools may set; the mapping to credit2's parameters is in the domctl. */
#define SCHED_POLICY_BYTES 64U /* record at sched_vcpu.policy, zeroed, allocated by the core */

struct sched_params {
	unsigned int weight; /* 1..65535, 256 = normal */
	unsigned int cap;    /* percent of one CPU, 0 = none */
};

struct sched_policy {
	const char *name;
	/* v becomes known to / leaves the scheduler. */
	void (*init)(struct vcpu *v);
	/* Put v in c's queue / take it out. woken: it was blocked, not preempted or moved. */
	void (*insert)(struct sched_cpu *c, struct vcpu *v, bool woken, uint64_t now_ns);
	void (*remove)(struct sched_cpu *c, struct vcpu *v);
	/* v ran on c for ran_ns. */
	void (*account)(struct sched_cpu *c, struct vcpu *v, uint64_t ran_ns, uint64_t now_ns);
	/*
	 * Which of the queue is to run now (left in the queue), NULL = none may; *slice_ns = for how long
	 * before asking again, ~0 = until something happens.
	 */
	struct vcpu *(*pick)(struct sched_cpu *c, uint64_t now_ns, uint64_t *slice_ns);
	/* Should v, just inserted, take the CPU from c->curr, which has run for ran_ns unaccounted? */
	bool (*preempts)(const struct sched_cpu *c, const struct vcpu *v, uint64_t ran_ns,
			 uint64_t now_ns);
	/* v moves from one CPU's queue to another's; in neither. */
	void (*migrate)(const struct sched_cpu *from, const struct sched_cpu *to, struct vcpu *v);
};

extern const struct sched_policy sched_bvt;

/* Parameters of a whole domain (all its vCPUs have the same). */
int sched_set_params(struct domain *d, const struct sched_params *p);
void sched_get_params(struct domain *d, struct sched_params *p);
/* Nanoseconds that a CPU has been idle, up to its last wake-up. */
uint64_t sched_idle_ns(unsigned int cpu);
/*
 * The current vCPU gives this CPU to `to` and sleeps until `to` stops, is preempted or calls
 * sched_resume_donor(key), or until it is woken itself. False: `to` cannot run here now. Called with no
 * locks; takes effect at the next pass of the run loop.
 */
bool sched_donate(struct vcpu *to, const void *key);
/* The current vCPU runs by a donation under this key. */
bool sched_has_donor(const void *key);
/* If so, the donor gets the CPU back at the next pass of the run loop. False: there is none. */
bool sched_resume_donor(const void *key);
/* Current vCPU gives way to others of its queue. */
void sched_yield(void);
void sched_dump(void);

#endif
