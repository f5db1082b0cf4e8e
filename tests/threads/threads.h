/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine of tests/fuzz with several CPUs, a thread each. Every CPU runs the real scheduler and run loop; what
 * a vCPU does between two exits is an act. Where the code of the hypervisor is in the midst of something, the turn
 * goes from CPU to CPU by a seed: with the same seed, the same happens, whatever machine the test runs on.
 */
#ifndef PLINTH_THREADS_H
#define PLINTH_THREADS_H

#include "tests/fuzz/machine.h"

#define CPUS 3U

/* What a vCPU does, a step for each entry. `endless`: until those that are not have done theirs. */
struct act {
	domid_t domid;
	unsigned int vcpu, cpu;
	/* The nth step, from 0. False: it was the last one. Not called while a hypercall is to be continued. */
	bool (*step)(struct vcpu *v, unsigned int n);
	bool endless;
};

struct race_case {
	const char *name;
	void (*run)(void);
	unsigned int machines; /* how many, each with another seed */
	struct race_case *next;
};
void race_register(struct race_case *c);

/* A case is run on `count` machines, one after the other. */
#define RACE(n, count)                                                                  \
	static void n(void);                                                            \
	static struct race_case n##_case = { .name = #n, .run = n, .machines = count }; \
	__attribute__((constructor)) static void n##_register(void)                     \
	{                                                                               \
		race_register(&n##_case);                                               \
	}                                                                               \
	static void n(void)

/* Lets the acts run, on their CPUs, until all that end have ended; then nothing runs, and the machine is looked over. */
void race(const struct act *acts, unsigned int n);
#define RACE_ACTS(...)                                             \
	do {                                                       \
		static const struct act acts_[] = { __VA_ARGS__ }; \
		race(acts_, ARRAY_SIZE(acts_));                    \
	} while (0)
/*
 * The same, for acts that need not end: vCPUs that sleep are woken now and then, and it is over when this CPU has passed
 * its loop so many times.
 */
void race_for(const struct act *acts, unsigned int n, unsigned int passes);
/* All CPUs run their loops, while this one calls fn outside of any guest. */
void race_alone(void (*fn)(void));

/* The domain, while it is known to be there. */
struct domain *dom(domid_t id);
/* A page of v's own for arguments, and one for lists: host and guest addresses. */
void *arg_page(struct vcpu *v);
uint64_t arg_la(const struct vcpu *v);
void *list_page(struct vcpu *v);
uint64_t list_la(const struct vcpu *v);
/* The hypercall that v's registers ask for. True: it goes on at the next entries. */
bool call_by_registers(struct vcpu *v);
/* A hypercall of v in 64-bit code: RAX, or -ERESTART when it goes on at the next entries. */
long call(struct vcpu *v, unsigned int nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3);
/* The call (command, structure), which is copied in and, as the call leaves it, out again. */
long call_op(struct vcpu *v, unsigned int nr, uint64_t cmd, void *arg, size_t size);
/* The structure is the only argument; domctl, sysctl, platform_op. */
long call_ptr(struct vcpu *v, unsigned int nr, void *arg, size_t size);
/* A domctl on a domain. */
struct xen_domctl;
long domctl(struct vcpu *v, uint32_t cmd, domid_t id, struct xen_domctl *op);
/* d's grant table entry `ref`: frame `gfn` for domain `to`, to be read only if so. */
void grant(struct domain *d, unsigned int ref, domid_t to, uint32_t gfn, bool readonly);
/* A number of the seed's, below n. */
unsigned int any(unsigned int n);

/* threads.c, called by turns.c. */
unsigned int race_count(void);
const char *race_name(unsigned int i);
void race_one(unsigned int i, unsigned int times, uint64_t seed);
void cpu_thread(unsigned int cpu);

/* turns.c: the host's threads. A thread that runs has the turn, all others wait for it (or, `free`: all run). */
void turns_begin(unsigned int cpus);
void turns_seed(uint64_t seed);
uint32_t turns_random(void);
/* The calling thread takes no turns until turns_start() by CPU 0. */
void turns_rest(void);
void turns_start(void);
/* From now on the turn goes on only where somebody waits for others; or, as at first, anywhere. */
void turns_calm(bool on);
/* How many others take turns. */
unsigned int turns_others(void);

#endif
