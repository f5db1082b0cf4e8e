/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Time and timers. System time is nanoseconds since boot, from the TSC, the same on all CPUs.
 * A timer fires once, on the CPU it was set for, from the run loop: interrupts off, no locks held,
 * so its function may take any lock. It may set itself again.
 */
#ifndef PLINTH_TIMER_H
#define PLINTH_TIMER_H

#include "types.h"

struct timer {
	uint64_t expires_ns; /* system time; valid while queued */
	void (*fn)(void *data);
	void *data;
	unsigned int cpu; /* CPU whose heap it is in or will be put into */
	int heap_index;	  /* -1 = not queued */
	int running; /* atomic: how many CPUs are in its function; it may be moved, and fire, meanwhile */
};

/* System time in nanoseconds. Any context. */
uint64_t now_ns(void);
uint64_t rdtsc(void);
/* Conversions between TSC ticks of this host and nanoseconds. */
uint64_t tsc_to_ns(uint64_t ticks);
uint64_t ns_to_tsc(uint64_t ns);
extern uint64_t tsc_khz;
/* System time is 0 now, and the TSC counts khz. BSP, once. */
void clock_start(uint64_t khz);
/* TSC value at a system time; for deadlines. */
uint64_t tsc_at_ns(uint64_t system_ns);
/* Seconds since 1970 (UTC) at system time 0, from the CMOS clock. */
extern uint64_t wallclock_sec_at_boot;
/* Days since 1970-01-01 of a Gregorian date. */
uint64_t days_from_civil(unsigned int year, unsigned int month, unsigned int day);

/* Of a timer that anybody may set from the start, on CPU 0. */
#define TIMER_INIT(function, argument)                                 \
	{                                                              \
		.fn = (function), .data = (argument), .heap_index = -1 \
	}
/* Unarmed; fn(data) runs on CPU cpu, from the run loop, interrupts off, no locks held. */
void timer_init(struct timer *t, void (*fn)(void *data), void *data, unsigned int cpu);
/* (Re)arm for system time expires_ns; a time in the past fires at the next pass of the run loop. */
void timer_set(struct timer *t, uint64_t expires_ns);
/*
 * Disarm. The function is not running on another CPU when this returns, unless others set or move the timer at the same
 * time. It is not to free the timer.
 */
void timer_stop(struct timer *t);
bool timer_armed(const struct timer *t);
/* Move to another CPU, armed or not. */
void timer_migrate(struct timer *t, unsigned int cpu);

/*
 * A periodic timer of a guest that does not take its ticks looks less and less often, so that many of them cost little: how long to wait
 * at least for the next one. untaken_ns is the timer's: since when a tick waits to be taken, 0 = none does.
 */
#define TICK_WAIT_MAX_NS 10000000ULL
static inline uint64_t tick_wait_ns(uint64_t *untaken_ns, bool taken, uint64_t now)
{
	uint64_t since = *untaken_ns ? *untaken_ns : now;

	*untaken_ns = taken ? 0 : since;
	if (taken)
		return 0;
	return now - since < TICK_WAIT_MAX_NS ? now - since : TICK_WAIT_MAX_NS;
}

#endif
