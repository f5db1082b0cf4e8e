/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Work for other CPUs: softirq bits with a kick, and calls that wait. A call's record lives on
 * the caller's stack in a list that the target empties (vmm/base/calls.c); whoever waits, for a call or for a
 * lock, serves the calls made to itself, so two CPUs can call each other.
 */
#include "debug.h"
#include "vmm/cpu/cpu.h"

struct cpu *cpus[MAX_CPUS];
unsigned int nr_cpus;

COUNTER(cpu_calls);

void cpu_kick(unsigned int cpu)
{
	if (cpu != cpu_id())
		lapic_send_ipi(cpus[cpu]->apic_id, VMM_VECTOR_KICK);
}

void cpu_raise(unsigned int cpu, uint32_t softirq)
{
	uint32_t old = __atomic_fetch_or(&cpus[cpu]->softirq, softirq, __ATOMIC_SEQ_CST);

	if ((old & softirq) != softirq)
		cpu_kick(cpu);
}

static void call_post(unsigned int cpu, struct cpu_call *call)
{
	struct cpu *c = cpus[cpu];

	counter_inc(cpu_calls);
	call->done = false;
	call->next = c->calls;
	while (!__atomic_compare_exchange_n(&c->calls, &call->next, call, false, __ATOMIC_ACQ_REL,
					    __ATOMIC_RELAXED))
		cpu_relax();
	cpu_raise(cpu, SOFTIRQ_CALL);
}

static void call_wait(const struct cpu_call *call)
{
	while (!__atomic_load_n(&call->done, __ATOMIC_ACQUIRE)) {
		smp_poll_calls();
		cpu_relax();
	}
}

void cpu_call(unsigned int cpu, void (*fn)(void *arg), void *arg)
{
	struct cpu_call call = { .fn = fn, .arg = arg };

	if (cpu == cpu_id()) {
		fn(arg);
		return;
	}
	call_post(cpu, &call);
	call_wait(&call);
}

void cpu_call_all(void (*fn)(void *arg), void *arg)
{
	struct cpu_call call[MAX_CPUS];
	unsigned int cpu;

	for_each_cpu(cpu) {
		if (cpu == cpu_id())
			continue;
		call[cpu] = (struct cpu_call){ .fn = fn, .arg = arg };
		call_post(cpu, &call[cpu]);
	}
	fn(arg);
	for_each_cpu(cpu)
		if (cpu != cpu_id())
			call_wait(&call[cpu]);
}
