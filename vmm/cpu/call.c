/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When a hypercall gives way: call.h. */
#include "cpu.h"
#include "timer.h"

/* So long may a call go on in one piece, in TSC ticks: a tenth of a millisecond. */
#define PIECE_TICKS (tsc_khz / 10)

bool hypercall_preempt(void)
{
	uint64_t *until = &this_call()->until;

	if (this_cpu()->softirq)
		return true;
	if (!*until)
		*until = rdtsc() + PIECE_TICKS;
	return rdtsc() > *until;
}
