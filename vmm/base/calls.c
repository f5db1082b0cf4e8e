/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Serving what other CPUs ask this one to do (vmm/cpu/smp.c asks): whoever waits, for a lock too, does it. */
#include "cpu.h"

void smp_poll_calls(void)
{
	struct cpu *c = this_cpu();
	struct cpu_call *call, *next;

	if (!c->calls)
		return;
	for (call = __atomic_exchange_n(&c->calls, NULL, __ATOMIC_ACQ_REL); call; call = next) {
		next = call->next;
		call->fn(call->arg);
		__atomic_store_n(&call->done, true, __ATOMIC_RELEASE);
	}
}
