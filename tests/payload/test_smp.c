// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Several CPUs: starting them, interrupts between them, a timer on each, TLB shootdown, atomic
 * operations, TSC order.
 */
#include "payload.h"

#define V_IPI	0x91
#define V_TIMER 0x92

static volatile u32 hits[MAX_CPUS];
static volatile u32 shared;

static void on_hit(struct regs *r)
{
	(void)r;
	hits[smp_this_cpu()]++;
	lapic_eoi();
}

TEST(smp_up, "smp: all CPUs of the MADT start, with different APIC IDs")
{
	unsigned int n = smp_start(), i, j;

	CHECK(!plat.madt_cpus || n == plat.madt_cpus, "%u of %u CPUs run", n, plat.madt_cpus);
	for (i = 0; i < n; i++)
		for (j = 0; j < i; j++)
			CHECK(smp_apic_id(i) != smp_apic_id(j), "APIC ID %u twice", smp_apic_id(i));
	NEED(n > 1, "one CPU");
	return NULL;
}

static void report_cpuid(void *arg)
{
	*(volatile u32 *)arg = cpuid(1).b >> 24;
}

TEST(smp_cpuid, "smp: each CPU's CPUID names its own APIC ID")
{
	static volatile u32 id;
	unsigned int n = smp_start(), i;

	NEED(n > 1, "one CPU");
	for (i = 1; i < n; i++) {
		CHECK(smp_call(i, report_cpuid, (void *)&id), "CPU %u does not answer", i);
		CHECK(id == smp_apic_id(i), "CPU %u: %u instead of %u", i, id, smp_apic_id(i));
	}
	return NULL;
}

static void wait_hits(void *arg)
{
	u32 want = hits[smp_this_cpu()] + (u32)(ulong)arg;
	u64 end = rdtsc() + us_to_tsc(3000000);

	while (hits[smp_this_cpu()] < want && rdtsc() < end)
		asm volatile("sti; nop; nop; cli" : : : "memory");
}

static void halt_for_hit(void *arg)
{
	u32 want = hits[smp_this_cpu()] + (u32)(ulong)arg;

	while (hits[smp_this_cpu()] < want)
		sti_hlt();
}

TEST(smp_ipi, "smp: interrupts to each CPU, running and halted")
{
	unsigned int n = smp_start(), i;
	u32 before;

	NEED(n > 1, "one CPU");
	irq_set(V_IPI, on_hit);
	for (i = 1; i < n; i++) {
		before = hits[i];
		CHECK(smp_call_start(i, wait_hits, (void *)1), "CPU %u is busy", i);
		delay_us(1000);
		lapic_ipi(smp_apic_id(i), 0x4000 | V_IPI);
		CHECK(smp_call_wait(i, 3500000) && hits[i] == before + 1, "running CPU %u: %u", i,
		      hits[i] - before);
		CHECK(smp_call_start(i, halt_for_hit, (void *)1), "CPU %u is busy", i);
		delay_us(5000);
		lapic_ipi(smp_apic_id(i), 0x4000 | V_IPI);
		CHECK(smp_call_wait(i, 3000000) && hits[i] == before + 2, "halted CPU %u: %u", i,
		      hits[i] - before);
	}
	return NULL;
}

TEST(smp_broadcast, "smp: a broadcast reaches every other CPU once")
{
	unsigned int n = smp_start(), i;
	u32 before[MAX_CPUS];

	NEED(n > 1, "one CPU");
	irq_set(V_IPI, on_hit);
	for (i = 0; i < n; i++)
		before[i] = hits[i];
	for (i = 1; i < n; i++)
		smp_call_start(i, halt_for_hit, (void *)1);
	delay_us(5000);
	lapic_ipi(0, 0xc4000 | V_IPI);
	for (i = 1; i < n; i++)
		CHECK(smp_call_wait(i, 3000000) && hits[i] == before[i] + 1, "CPU %u: %u", i,
		      hits[i] - before[i]);
	irq_on();
	delay_us(10);
	irq_off();
	CHECK(hits[0] == before[0], "it also came back");
	return NULL;
}

static void run_timer(void *arg)
{
	lapic_write(APIC_TDCR, 0xb);
	lapic_write(APIC_LVTT, 1u << 17 | V_TIMER);
	lapic_write(APIC_TMICT, 2000000);
	wait_hits(arg);
	lapic_write(APIC_TMICT, 0);
	lapic_write(APIC_LVTT, 1u << 16);
	asm volatile("sti; nop; nop; cli" : : : "memory"); /* take one that was pending */
}

TEST(smp_timer, "smp: a periodic timer on every CPU at the same time")
{
	unsigned int n = smp_start(), i;
	u32 before[MAX_CPUS];

	NEED(n > 1, "one CPU");
	irq_set(V_TIMER, on_hit);
	for (i = 0; i < n; i++)
		before[i] = hits[i];
	for (i = 1; i < n; i++)
		CHECK(smp_call_start(i, run_timer, (void *)5), "CPU %u is busy", i);
	run_timer((void *)5);
	for (i = 1; i < n; i++)
		CHECK(smp_call_wait(i, 4000000), "CPU %u does not come back", i);
	for (i = 0; i < n; i++)
		CHECK(hits[i] - before[i] >= 5, "CPU %u: %u ticks", i, hits[i] - before[i]);
	return NULL;
}

static void add_many(void *arg)
{
	u32 i;

	for (i = 0; i < (u32)(ulong)arg; i++)
		asm volatile("lock incl %0" : "+m"(shared) : : "memory");
}

TEST(smp_atomic, "smp: locked increments from all CPUs add up")
{
	unsigned int n = smp_start(), i;

	NEED(n > 1, "one CPU");
	shared = 0;
	for (i = 1; i < n; i++)
		smp_call_start(i, add_many, (void *)100000);
	add_many((void *)100000);
	for (i = 1; i < n; i++)
		CHECK(smp_call_wait(i, 5000000), "CPU %u does not come back", i);
	CHECK(shared == n * 100000, "%u instead of %u", shared, n * 100000);
	return NULL;
}

#ifdef __x86_64__
extern u64 boot_pml4[];
#define WINDOW (1ul << 39)
static u64 *leaf;
static volatile u32 phase, seen, answered;

/* Reads the window each time the phase changes, after the IPI that made this CPU flush it. */
static void on_flush(struct regs *r)
{
	(void)r;
	invlpg((void *)WINDOW);
	seen = *(volatile u32 *)WINDOW;
	answered = phase;
	lapic_eoi();
}

static void shoot_target(void *arg)
{
	ulong cr3 = read_cr3();

	write_cr3((ulong)arg);
	(void)*(volatile u32 *)WINDOW;
	irq_on();
	while (phase != ~0u)
		cpu_pause();
	irq_off();
	write_cr3(cr3);
}

TEST(smp_shootdown, "smp: TLB shootdown, 200 rounds")
{
	u64 *pml4 = page_alloc(1), *pdpt = page_alloc(1), *pd = page_alloc(1);
	u32 *pages[2] = { page_alloc(1), page_alloc(1) };
	unsigned int round;

	NEED(smp_start() > 1, "one CPU");
	leaf = page_alloc(1);
	memcpy(pml4, boot_pml4, 4096);
	pml4[1] = (ulong)pdpt | 3;
	pdpt[0] = (ulong)pd | 3;
	pd[0] = (ulong)leaf | 3;
	leaf[0] = (ulong)pages[0] | 3;
	phase = 0;
	irq_set(V_IPI, on_flush);
	CHECK(smp_call_start(1, shoot_target, pml4), "CPU 1 is busy");
	delay_us(1000);
	for (round = 1; round <= 200; round++) {
		pages[round & 1][0] = round;
		leaf[0] = (ulong)pages[round & 1] | 3;
		phase = round;
		lapic_ipi(smp_apic_id(1), 0x4000 | V_IPI);
		if (!WAIT_FOR(answered == round, 2000000) || seen != round)
			break;
	}
	phase = ~0u;
	smp_call_wait(1, 1000000);
	CHECK(round == 201, "round %u: answered %u, read %u", round, answered, seen);
	return NULL;
}
#endif

static volatile u64 other_tsc;

static void read_tsc(void *arg)
{
	(void)arg;
	other_tsc = rdtsc();
}

/* Ticks; emulators run their CPUs in turns. */
#define SKEW 5000

TEST(smp_tsc, "smp: the CPUs' TSCs are in order")
{
	unsigned int n = smp_start(), i, k;

	NEED(n > 1, "one CPU");
	for (i = 1; i < n; i++) {
		for (k = 0; k < 100; k++) {
			u64 a = rdtsc(), b;

			CHECK(smp_call(i, read_tsc, NULL), "CPU %u does not answer", i);
			b = rdtsc();
			CHECK(a <= other_tsc + SKEW && other_tsc <= b + SKEW,
			      "CPU %u reads %llx between %llx and %llx", i, other_tsc, a, b);
		}
	}
	return NULL;
}
