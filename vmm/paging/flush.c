// SPDX-License-Identifier: GPL-2.0-or-later
/* Translations that CPUs have cached of a domain's memory. */
#include "domain.h"

static void nothing(void *arg)
{
	(void)arg;
}

void p2m_flush(struct domain *d)
{
	struct vcpu *v;

	for_each_vcpu(d, v) {
		unsigned int cpu;

		__atomic_fetch_or(&v->attention, VCPU_ATT_FLUSH, __ATOMIC_SEQ_CST);
		/* Read behind the flag: a CPU that v enters on later sees it there. */
		if (!READ_ONCE(v->running))
			continue;
		cpu = READ_ONCE(v->cpu);
		if (cpu != cpu_id())
			cpu_call(cpu, nothing, NULL);
	}
}
