/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System time: nanoseconds since clock_start(), from the TSC, which runs at one rate on all CPUs (vmm/cpu/time.c sees to it). */
#include "lib.h"
#include "timer.h"

uint64_t tsc_khz;

static uint64_t tsc_base;
static uint64_t ns_per_tick; /* 32.32 fixed point */
static uint64_t ticks_per_ns;

uint64_t rdtsc(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return ((uint64_t)hi << 32) | lo;
}

static uint64_t scale(uint64_t v, uint64_t factor)
{
	return (uint64_t)(((unsigned __int128)v * factor) >> 32);
}

uint64_t tsc_to_ns(uint64_t ticks)
{
	return scale(ticks, ns_per_tick);
}

uint64_t ns_to_tsc(uint64_t ns)
{
	return scale(ns, ticks_per_ns);
}

uint64_t tsc_at_ns(uint64_t system_ns)
{
	return tsc_base + ns_to_tsc(system_ns) + 1;
}

uint64_t now_ns(void)
{
	return scale(rdtsc() - tsc_base, ns_per_tick);
}

void clock_start(uint64_t khz)
{
	tsc_khz = khz;
	ns_per_tick = muldiv64(1000000ULL << 32, 1, tsc_khz);
	ticks_per_ns = muldiv64(tsc_khz << 32, 1, 1000000);
	tsc_base = rdtsc();
}
