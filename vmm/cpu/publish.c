// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Grace periods (publish.h). They are numbered; each CPU notes the newest one that had begun when it passed its
 * run loop. CPUs in a guest or in HLT pass there because the softirq makes them, so entries and exits pay
 * nothing for it.
 */
#include "publish.h"
#include "cpu.h"

static uint64_t newest; /* atomic: number of the last grace period that has begun */

static struct {
	uint64_t nr; /* written by its own CPU */
} __aligned(64) passed[MAX_CPUS];

grace_t grace_start(void)
{
	grace_t g = { __atomic_add_fetch(&newest, 1, __ATOMIC_SEQ_CST) };
	unsigned int cpu;

	for_each_cpu(cpu)
		cpu_raise(cpu, SOFTIRQ_GRACE);
	return g;
}

bool grace_over(grace_t g)
{
	unsigned int cpu;

	for_each_cpu(cpu)
		if (__atomic_load_n(&passed[cpu].nr, __ATOMIC_ACQUIRE) < g.nr)
			return false;
	return true;
}

void grace_pass(void)
{
	/* Whoever reads the number also sees what became unfindable before it was counted up. */
	uint64_t now = __atomic_load_n(&newest, __ATOMIC_SEQ_CST);

	if (passed[cpu_id()].nr != now)
		__atomic_store_n(&passed[cpu_id()].nr, now, __ATOMIC_RELEASE);
}
