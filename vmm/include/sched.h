/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scheduler: a core (sched/sched.c) that knows CPUs, states and locks, and policies that know
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
	unsigned int nr_parked; /* lock: of these, how many the policy keeps from running (cap) */
	unsigned int cpu;	/* constant */
	struct vcpu *curr;	/* lock: what runs here; the idle vCPU when nothing does */
	struct vcpu *idle;	/* constant */
	struct timer slice;	/* lock: when to choose again */
	struct vcpu *donor;	/* lock: waits while curr runs in its stead; NULL = none */
	struct vcpu *donee;	/* lock: whom it gave the CPU to */
	const void *donor_key;	/* lock: what the donor waits for */
	struct vcpu *handoff;	/* lock: to run next if the policy lets it; NULL = none */
	uint64_t balanced_ns;	/* lock: when this CPU last looked for a shorter queue */
	void *policy;		/* lock: the policy's own record */
};

/* What tools may set of a domain; which member counts says the policy's tool_id. */
union sched_params {
	/* XEN_SCHEDULER_CREDIT2, _CREDIT */
	struct {
		unsigned int weight; /* 1..65535, 256 = normal; each vCPU has it */
		unsigned int
			cap; /* percent of one CPU that all vCPUs together may use, 0 = no limit */
	} share;
	/* XEN_SCHEDULER_RTDS: each vCPU may run for slice_ns in each period_ns, and longer if slack is left */
	struct {
		uint64_t period_ns, slice_ns;
		bool slack;
	} real_time;
};

/* Records of a policy are SCHED_POLICY_BYTES at sched_cpu.policy, sched_vcpu.policy and sched_domain.policy. */
struct sched_policy {
	const char *name;
	unsigned int tool_id; /* XEN_SCHEDULER_*: as what the tools, which know a few, see it */
	uint64_t *turn_ns;    /* how long one may run while others wait; NULL = no such parameter */
	/* d's parameters; a domain without vCPUs has some, too. Any CPU, no lock. -EINVAL: not in this policy. */
	void (*get)(struct domain *d, union sched_params *p);
	int (*set)(struct domain *d, const union sched_params *p);
	/* v, with its record, becomes known to the scheduler; it is going to be forgotten. NULL: nothing to do. */
	void (*join)(struct vcpu *v);
	void (*leave)(struct vcpu *v);
	/* Put v in c's queue / take it out. woken: it slept, and was not preempted, paused or moved. */
	void (*insert)(struct sched_cpu *c, struct vcpu *v, bool woken, uint64_t now_ns);
	void (*remove)(struct sched_cpu *c, struct vcpu *v);
	/* v, which is in no queue, ran on c for ran_ns. */
	void (*account)(struct sched_cpu *c, struct vcpu *v, uint64_t ran_ns, uint64_t now_ns);
	/* Which of the queue is to run now (left in the queue), NULL = none may. */
	struct vcpu *(*pick)(struct sched_cpu *c, uint64_t now_ns);
	/*
	 * For how long v, taken out of the queue, may run before the CPU chooses again; ~0 = until something
	 * happens. v is NULL when the CPU idles.
	 */
	uint64_t (*slice)(struct sched_cpu *c, const struct vcpu *v, uint64_t now_ns);
	/* v was just inserted, c->curr is charged up to now: in what time is c to choose again because of v? */
	uint64_t (*until)(const struct sched_cpu *c, const struct vcpu *v, uint64_t now_ns);
	/* False: v is to wait although a CPU may idle (its cap). */
	bool (*may_run)(const struct vcpu *v, uint64_t now_ns);
	/* May v, in c's queue, be given c past the others there? False: that would be more than its share. */
	bool (*may_pass)(const struct sched_cpu *c, const struct vcpu *v, uint64_t now_ns);
	/* v moves from one CPU's queue to another's; in neither. NULL: nothing to do. */
	void (*migrate)(const struct sched_cpu *from, const struct sched_cpu *to, struct vcpu *v);
	/* What v counts for where queues are compared. */
	unsigned int (*weight)(const struct vcpu *v);
	/* For dumps: adds to a line what there is to say of c and its clock, and of v. */
	void (*dump_cpu)(const struct sched_cpu *c);
	void (*dump_vcpu)(const struct vcpu *v);
};

/* sched= chooses one of them at boot. */
extern const struct sched_policy sched_bvt, sched_rrobin, sched_atropos;

/* XEN_SCHEDULER_*: the policy's tool_id. */
unsigned int sched_tool_id(void);
/* Parameters of a whole domain. -EINVAL: the policy has no such value; -ENOSPC: it cannot promise that. */
int sched_set_params(struct domain *d, const union sched_params *p);
void sched_get_params(struct domain *d, union sched_params *p);
/* The policy's turn_ns, 0 = it has none; -EOPNOTSUPP, -EINVAL: not 1 ms to 1 s. */
uint64_t sched_turn_ns(void);
int sched_set_turn_ns(uint64_t ns);
/* Nanoseconds that a CPU has been idle, up to its last wake-up. */
uint64_t sched_idle_ns(unsigned int cpu);
/*
 * The current vCPU gives this CPU to `to` and sleeps until `to` stops, is preempted or calls
 * sched_resume_donor(key), or until it is woken itself. False: `to` cannot run here now, or something
 * waits for the current one. Called with no locks; takes effect at the next pass of the run loop.
 */
bool sched_donate(struct vcpu *to, const void *key);
/* The current vCPU runs by a donation under this key. */
bool sched_has_donor(const void *key);
/* If so, the donor gets the CPU back at the next pass of the run loop. False: there is none. */
bool sched_resume_donor(const void *key);
/* Current vCPU gives way to others of its queue. */
void sched_yield(void);
/* A CPU's queue on the console. */
void sched_dump(unsigned int cpu);

#endif
