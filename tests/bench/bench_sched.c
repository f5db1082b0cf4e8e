// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a guest sees of the scheduler, in PVH guests that tests/bench/run-sched starts beside each other: option
 * sched=late (how late a 1 ms timer wakes it), sched=share (the part of the time that it runs, and its pauses),
 * sched=spin (keeps its CPU busy).
 */
#include "bench.h"

#define VECTOR	    0x51
#define TICKS	    2000u
#define PERIOD_US   1000u
#define PAUSE_US    100u /* a shorter time away is an interrupt's, not another guest's */
#define SHARE_US    2000000u
#define DIVIDE_BY_1 0xb
#define BUSY_LOOPS  5000u

static volatile u64 woke;
static u64 late[TICKS];

static void on_timer(struct regs *r)
{
	(void)r;
	woke = rdtsc();
	lapic_eoi();
}

/*
 * Some ten microseconds of work. An emulator leaves its loop at each PAUSE, and with counted instructions at each RDTSC:
 * a guest that does nothing else needs minutes for what is a second to it.
 */
static void work(void)
{
	for (unsigned int i = 0; i < BUSY_LOOPS; i++)
		__asm__ volatile("" ::: "memory");
}

static u32 to_us(u64 ticks)
{
	return (u32)div_u64(ticks, (u32)us_to_tsc(1));
}

static void sort(u64 *a, unsigned int n)
{
	for (unsigned int i = 1; i < n; i++) {
		u64 t = a[i];
		unsigned int j = i;

		for (; j && a[j - 1] > t; j--)
			a[j] = a[j - 1];
		a[j] = t;
	}
}

/* Counts of the local APIC's timer in a period; others may have had the CPU while they were counted. */
static u32 timer_counts(void)
{
	u64 start = rdtsc(), counted;

	lapic_write(APIC_LVTT, 1u << 16);
	lapic_write(APIC_TDCR, DIVIDE_BY_1);
	lapic_write(APIC_TMICT, ~0u);
	delay_us(20 * PERIOD_US);
	counted = ~0u - lapic_read(APIC_TMCCT);
	return (u32)div_u64(counted * PERIOD_US, to_us(rdtsc() - start));
}

static void measure_late(void)
{
	u32 counts = timer_counts();
	u64 period = us_to_tsc(PERIOD_US), armed;

	irq_set(VECTOR, on_timer);
	lapic_write(APIC_LVTT, VECTOR);
	for (unsigned int i = 0; i < TICKS; i++) {
		woke = 0;
		armed = rdtsc();
		lapic_write(APIC_TMICT, counts);
		while (!woke)
			sti_hlt();
		late[i] = woke - armed > period ? woke - armed - period : 0;
	}
	sort(late, TICKS);
	print("BENCH-SCHED late %u %u %u\n", to_us(late[TICKS / 2]), to_us(late[TICKS * 99 / 100]),
	      to_us(late[TICKS - 1]));
}

static void measure_share(void)
{
	u64 start = rdtsc(), end = start + us_to_tsc(SHARE_US), last = start, away = 0, longest = 0;

	while (last < end) {
		u64 now = rdtsc(), d = now - last;

		if (d > us_to_tsc(PAUSE_US)) {
			away += d;
			if (d > longest)
				longest = d;
		}
		last = now;
		work();
	}
	print("BENCH-SCHED share %u %u\n", 1000 - to_us(away) / (SHARE_US / 1000), to_us(longest));
}

void bench_sched(const char *kind)
{
	print("BENCH-SCHED start %s\n", kind);
	if (!strncmp(kind, "late", 5))
		measure_late();
	else if (!strncmp(kind, "share", 6))
		measure_share();
	else
		for (;;)
			work();
}
