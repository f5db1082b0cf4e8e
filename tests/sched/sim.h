/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine of several CPUs with a simulated clock around the real scheduler (sched/sched.c, the policy, pause.c,
 * timer.c). vCPUs are tasks: they work, sleep, wake each other. Nothing depends on the host's time or on chance, so a
 * run is the same each time.
 */
#ifndef PLINTH_SCHED_SIM_H
#define PLINTH_SCHED_SIM_H

#include "xen_abi.h"
#include "domain.h"
#include "sched.h"
#include "unit.h"

#define SIM_CPUS  4U
#define SIM_TASKS 24U
#define SAMPLES	  8192U
#define MS	  NS_PER_MS
#define US	  NS_PER_US
#define FOREVER	  (~0ULL)

enum task_kind {
	TASK_IDLE,     /* blocked until somebody wakes it */
	TASK_SPIN,     /* works for ever */
	TASK_PERIODIC, /* a timer each period, then `work` */
	TASK_RANDOM,   /* the same, period and work vary by half around the given ones */
	TASK_SLEEP,    /* `work`, sleep for `period`, and so on */
	TASK_ASKS,     /* `work`, wake the peer and wait for its answer */
	TASK_SERVES,   /* waits for the peer, `work`, wakes it */
};

struct task {
	struct vcpu *v;
	enum task_kind kind;
	uint64_t period_ns, work_ns;
	struct task *peer;
	struct timer timer;
	bool pending;	     /* an interrupt waits for it */
	uint64_t left_ns;    /* of the present piece of work */
	uint64_t run_ns;     /* when it began to execute; valid while it is current */
	uint64_t due_ns;     /* a timer fired then and was not served yet; 0 = none */
	uint64_t off_ns;     /* when it last left a CPU */
	uint64_t ran_ns;     /* since sim_mark() */
	uint64_t gap_max_ns; /* longest time off the CPU since sim_mark() */
	unsigned int switches, pieces, nr_late;
	uint64_t late_ns[SAMPLES];
};

extern struct task tasks[SIM_TASKS];
extern unsigned int nr_tasks;
extern uint64_t sim_now;
extern struct cpu *sim_cpu; /* the one that the code runs on */

/* As the option sched=NAME does; nothing runs. 0 or -EINVAL. */
int sim_policy(const char *name);
void sim_start(unsigned int nr);
/* A domain with room for `vcpus` vCPUs; the first one made with is_dom0 is dom0. */
struct domain *sim_domain(bool is_dom0, unsigned int vcpus, unsigned int weight, unsigned int cap);
/* The next vCPU of d; started by the next sim_run(). */
struct task *sim_task(struct domain *d, enum task_kind kind, uint64_t period_ns, uint64_t work_ns);
/* Code that runs on the CPU on which v was last. */
void sim_as(const struct task *t);
void sim_cpu_as(unsigned int id);
void sim_run(uint64_t ns);
/* Measure from here. */
void sim_mark(void);
/* Until what begins is over; measure from there. */
void sim_settle(void);
/* Stops everything; queues and timers must be empty then. */
void sim_stop(void);
/* The same, and the policy is the default one again. */
void sim_end(void);
/* CPU time since sim_mark() in hundredths of a per cent of one CPU. */
unsigned int sim_share(const struct task *t);
/* The per-mille-th lateness in ns; p of 500 is the median. */
uint64_t sim_late(struct task *t, unsigned int p);

#endif
