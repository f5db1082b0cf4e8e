// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Microsoft's interface of hypervisors, where a guest finds it first (viridian= in its configuration): Hypervisor Top
 * Level Functional Specification (TLFS).
 */
#include "payload.h"

#define NOT_OFFERED  "no viridian= for this guest"
#define HV_OS_ID     0x40000000
#define HV_HYPERCALL 0x40000001
#define HV_VP_INDEX  0x40000002
#define HV_TIME	     0x40000020
#define HV_TSC_FREQ  0x40000022
#define HV_EOI	     0x40000070
#define HV_TPR	     0x40000072
#define HV_ASSIST    0x40000073
#define HAS_FREQ     (1u << 11)
#define DO_APIC_MSRS (1u << 3)
#define VECTOR	     0x61

static u8 code[4096] __attribute__((aligned(4096)));
static volatile u32 assist[1024] __attribute__((aligned(4096)));

static bool offered(void)
{
	struct cpuid c = cpuid(0x40000000);

	return c.b == 0x7263694d && c.c == 0x666f736f && c.d == 0x76482074;
}

TEST(viridian_leaves, "viridian: leaves and Xen's behind them")
{
	NEED(offered(), NOT_OFFERED);
	CHECK(cpuid(0x40000000).a >= 0x40000005, "maximum leaf %x", cpuid(0x40000000).a);
	CHECK(cpuid(0x40000001).a == 0x31237648, "interface %x", cpuid(0x40000001).a);
	CHECK((cpuid(0x40000003).a & 0x60) == 0x60, "rights %x", cpuid(0x40000003).a);
	CHECK(plat.xen_leaf == 0x40000100, "Xen's leaves are at %x", plat.xen_leaf);
	return NULL;
}

TEST(viridian_time, "viridian: the partition's time goes on as the TSC does")
{
	u64 t, tsc, hz;

	NEED(offered(), NOT_OFFERED);
	NEED(cpuid(0x40000003).a & 2, "no reference counter");
	NEED(cpuid(0x40000003).a & HAS_FREQ, "no frequencies");
	CHECK(rdmsr(HV_VP_INDEX) == 0, "index %llx", rdmsr(HV_VP_INDEX));
	hz = rdmsr(HV_TSC_FREQ);
	CHECK(hz > 10000000, "TSC of %llu Hz", hz);
	t = rdmsr(HV_TIME);
	tsc = rdtsc();
	while (rdtsc() - tsc < hz / 16)
		;
	t = rdmsr(HV_TIME) - t;
	CHECK(t >= 624000, "%llu units of 100 ns in a 16th of a second", t);
	return NULL;
}

/* HvNotifyLongSpinWait, fast; the result's status. */
static ulong spin_wait(void)
{
	ulong ax = 0x10008, cx = 0, dx = 0;

#ifdef __x86_64__
	cx = 0x10008;
	dx = 100;
	asm volatile("call *%[page]"
		     : "+a"(ax), "+c"(cx), "+d"(dx)
		     : [page] "r"(code)
		     : "r8", "memory");
#else
	asm volatile("call *%[page]"
		     : "+a"(ax), "+c"(cx), "+d"(dx)
		     : [page] "r"(code), "b"(0)
		     : "memory");
#endif
	return ax;
}

TEST(viridian_call, "viridian: the page of calls")
{
	NEED(offered(), NOT_OFFERED);
	wrmsr(HV_HYPERCALL, (ulong)code | 1);
	CHECK(!(rdmsr(HV_HYPERCALL) & 1), "enabled for somebody unknown");
	wrmsr(HV_OS_ID, 0x8100ull << 48);
	wrmsr(HV_HYPERCALL, (ulong)code | 1);
	CHECK(rdmsr(HV_HYPERCALL) == ((ulong)code | 1), "page is %llx", rdmsr(HV_HYPERCALL));
	CHECK(spin_wait() == 0, "result %lx", spin_wait());
	wrmsr(HV_OS_ID, 0);
	CHECK(!(rdmsr(HV_HYPERCALL) & 1), "stays enabled");
	return NULL;
}

static volatile u32 taken, skipped;

/* As the specification has it: the bit is taken back, and where it was clear EOI is written. */
static void handler(struct regs *r)
{
	u8 was;

	(void)r;
	asm volatile("btrl $0, %1; setc %0" : "=r"(was), "+m"(assist[0]) : : "cc");
	taken++;
	if (was)
		skipped++;
	else
		wrmsr(HV_EOI, 0);
}

TEST(viridian_no_eoi, "viridian: interrupts that need no EOI, and those that do")
{
	NEED(offered(), NOT_OFFERED);
	NEED(cpuid(0x40000004).a & DO_APIC_MSRS, "the APIC's registers are quicker");
	taken = skipped = 0;
	irq_set(VECTOR, handler);
	wrmsr(HV_ASSIST, (ulong)assist | 1);
	for (unsigned int i = 1; i <= 50; i++) {
		lapic_self(VECTOR);
		irq_on();
		WAIT_FOR(taken == i, 100000);
		irq_off();
	}
	wrmsr(HV_ASSIST, 0);
	wrmsr(HV_TPR, 0);
	CHECK(taken == 50, "%u of 50 interrupts came", taken);
	CHECK(skipped > 10, "%u of %u needed no EOI", skipped, taken);
	return NULL;
}
