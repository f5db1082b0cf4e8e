// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The local APIC (SDM vol. 3 ch. 10): registers, self IPI, priorities, the three timer modes,
 * x2APIC mode.
 */
#include "payload.h"

#define V_LOW	0x41
#define V_HIGH	0x81
#define V_TIMER 0x71
#define V_ERROR 0x91

static volatile unsigned int hits;
static volatile u8 order[8];

static void on_ipi(struct regs *r)
{
	if (hits < sizeof(order))
		order[hits] = r->vector;
	hits++;
	lapic_eoi();
}

static void on_low_nests(struct regs *r)
{
	(void)r;
	irq_on(); /* a higher class may come in now */
	WAIT_FOR(hits, 100000);
	irq_off();
	order[hits++] = V_LOW;
	lapic_eoi();
}

TEST(apic_regs, "apic: version, ID, and registers that hold")
{
	u32 v = lapic_read(APIC_LVR);

	CHECK((v & 0xff) >= 0x10 && (v & 0xff) <= 0x1f, "version %x", v);
	CHECK((v >> 16 & 0xff) >= 3, "%u LVT entries", (v >> 16 & 0xff) + 1);
	lapic_write(APIC_TPR, 0x25);
	CHECK((lapic_read(APIC_TPR) & 0xff) == 0x25, "TPR %x", lapic_read(APIC_TPR));
	lapic_write(APIC_TPR, 0);
	lapic_write(APIC_LVTERR, 0x100fe);
	CHECK((lapic_read(APIC_LVTERR) & 0x100ff) == 0x100fe, "LVT error");
	lapic_write(APIC_SPIV, 0xff);
	CHECK(lapic_read(APIC_LVTERR) & 0x10000, "LVT unmasked while disabled");
	lapic_write(APIC_SPIV, 0x1ff);
	if (!lapic_x2()) {
		lapic_write(APIC_LDR, 0x02000000);
		CHECK(lapic_read(APIC_LDR) >> 24 == 2, "LDR %x", lapic_read(APIC_LDR));
	}
	return NULL;
}

TEST(apic_self, "apic: self IPI: IRR, then delivery")
{
	hits = 0;
	irq_set(V_LOW, on_ipi);
	lapic_self(V_LOW);
	CHECK(WAIT_FOR(lapic_irr(V_LOW), 100000), "request bit stays clear");
	CHECK(!hits, "delivered with interrupts off");
	irq_on();
	WAIT_FOR(hits, 100000);
	irq_off();
	CHECK(hits == 1, "%u interrupts", hits);
	CHECK(!lapic_irr(V_LOW) && !lapic_isr(V_LOW), "request or service bit left");
	lapic_ipi(lapic_id(), 0x4000 | V_LOW);
	irq_on();
	WAIT_FOR(hits == 2, 100000);
	irq_off();
	CHECK(hits == 2, "by physical destination: %u", hits);
	irq_set(V_LOW, NULL);
	return NULL;
}

TEST(apic_order, "apic: higher vectors come first")
{
	hits = 0;
	irq_set(V_LOW, on_ipi);
	irq_set(V_HIGH, on_ipi);
	lapic_self(V_LOW);
	lapic_self(V_HIGH);
	irq_on();
	WAIT_FOR(hits >= 2, 100000);
	irq_off();
	CHECK(hits == 2 && order[0] == V_HIGH && order[1] == V_LOW, "%u: %x %x", hits, order[0],
	      order[1]);
	return NULL;
}

TEST(apic_nest, "apic: a higher class interrupts a handler, PPR shows it")
{
	hits = 0;
	irq_set(V_LOW, on_low_nests);
	irq_set(V_HIGH, on_ipi);
	lapic_self(V_LOW);
	irq_on();
	lapic_self(V_HIGH);
	WAIT_FOR(hits >= 2, 200000);
	irq_off();
	irq_set(V_LOW, NULL);
	CHECK(hits == 2, "%u interrupts", hits);
	CHECK(!(lapic_read(APIC_PPR) & 0xf0), "PPR %x afterwards", lapic_read(APIC_PPR));
	return NULL;
}

TEST(apic_tpr, "apic: the task priority holds interrupts back")
{
	unsigned int before;

	hits = 0;
	irq_set(V_LOW, on_ipi);
	/* one class above: on an equal one QEMU's SVM raises a virtual interrupt window over and over */
	lapic_write(APIC_TPR, 0x50);
	lapic_self(V_LOW);
	irq_on();
	delay_us(200);
	before = hits;
	lapic_write(APIC_TPR, 0);
	WAIT_FOR(hits, 100000);
	irq_off();
	CHECK(!before, "delivered in spite of TPR 0x50");
	CHECK(hits == 1, "%u after lowering TPR", hits);
	return NULL;
}

#ifdef __x86_64__
TEST(apic_cr8, "apic: CR8 is the task priority")
{
	ulong v;

	NEED(plat.is_tcg || cmdline_number("strict", 0),
	     "a guest's CR8 write with an interrupt pending ends QEMU 7.2 itself; strict=1 elsewhere");
	hits = 0;
	irq_set(V_LOW, on_ipi);
	asm volatile("mov %0, %%cr8" : : "r"(5ul));
	asm volatile("mov %%cr8, %0" : "=r"(v));
	CHECK(v == 5, "CR8 reads %lx", v);
	CHECK((lapic_read(APIC_TPR) & 0xf0) == 0x50, "TPR %x", lapic_read(APIC_TPR));
	lapic_self(V_LOW);
	irq_on();
	delay_us(200);
	v = hits;
	asm volatile("mov %0, %%cr8" : : "r"(0ul));
	WAIT_FOR(hits, 100000);
	irq_off();
	CHECK(!v && hits == 1, "%lu before, %u after lowering", v, hits);
	return NULL;
}
#endif

TEST(apic_one_shot, "apic: timer, one shot")
{
	u32 cur;

	hits = 0;
	irq_set(V_TIMER, on_ipi);
	lapic_write(APIC_TDCR, 0xb);
	lapic_write(APIC_LVTT, V_TIMER);
	lapic_write(APIC_TMICT, 1000000);
	cur = lapic_read(APIC_TMCCT);
	CHECK(cur && cur <= 1000000, "current count %u", cur);
	irq_on();
	WAIT_FOR(hits, 2000000);
	delay_us(20000);
	irq_off();
	CHECK(hits == 1, "%u interrupts", hits);
	CHECK(!lapic_read(APIC_TMCCT), "count %u afterwards", lapic_read(APIC_TMCCT));
	return NULL;
}

TEST(apic_periodic, "apic: timer, periodic, HLT in between")
{
	unsigned int before;

	hits = 0;
	irq_set(V_TIMER, on_ipi);
	lapic_write(APIC_TDCR, 0xb);
	lapic_write(APIC_LVTT, 1u << 17 | V_TIMER);
	lapic_write(APIC_TMICT, 2000000);
	while (hits < 5)
		sti_hlt();
	lapic_write(APIC_LVTT, 1u << 16 | V_TIMER);
	irq_on(); /* one that was pending may still arrive */
	delay_us(10);
	before = hits;
	delay_us(30000);
	irq_off();
	lapic_write(APIC_TMICT, 0);
	CHECK(hits == before, "still %u interrupts after masking", hits - before);
	return NULL;
}

TEST(apic_divide, "apic: timer divider and count agree with the TSC")
{
	u32 one, sixteen;

	lapic_write(APIC_LVTT, 1u << 16 | V_TIMER);
	lapic_write(APIC_TDCR, 0xb);
	lapic_write(APIC_TMICT, ~0u);
	delay_us(5000);
	one = ~0u - lapic_read(APIC_TMCCT);
	lapic_write(APIC_TDCR, 3);
	lapic_write(APIC_TMICT, ~0u);
	delay_us(5000);
	sixteen = ~0u - lapic_read(APIC_TMCCT);
	lapic_write(APIC_TMICT, 0);
	CHECK(sixteen && one / sixteen >= 3 && one / sixteen <= 80, "%u by 1, %u by 16", one,
	      sixteen);
	return NULL;
}

TEST(apic_deadline, "apic: timer, TSC deadline")
{
	u64 due;

	NEED(cpuid(1).c >> 24 & 1, "not there");
	hits = 0;
	irq_set(V_TIMER, on_ipi);
	lapic_write(APIC_LVTT, 2u << 17 | V_TIMER);
	due = rdtsc() + us_to_tsc(2000);
	wrmsr(MSR_TSC_DEADLINE, due);
	CHECK(rdmsr(MSR_TSC_DEADLINE) == due || rdtsc() >= due, "deadline does not read back");
	irq_on();
	WAIT_FOR(hits, 1000000);
	due = rdtsc() - due;
	irq_off();
	CHECK(hits == 1, "%u interrupts", hits);
	CHECK((int64_t)due >= 0, "%lld ticks too early", -(long long)due);
	CHECK(!rdmsr(MSR_TSC_DEADLINE), "deadline %llx afterwards", rdmsr(MSR_TSC_DEADLINE));
	wrmsr(MSR_TSC_DEADLINE, 1); /* in the past: at once */
	irq_on();
	WAIT_FOR(hits == 2, 100000);
	irq_off();
	CHECK(hits == 2, "a past deadline gave no interrupt");
	return NULL;
}

static u32 errors(void)
{
	lapic_write(APIC_ESR, 0);
	return lapic_read(APIC_ESR);
}

TEST(apic_errors, "apic: an illegal vector is told by ESR and LVTERR")
{
	u32 seen;

	NEED(!plat.is_tcg, "QEMU's TCG does not look");
	hits = 0;
	irq_set(V_ERROR, on_ipi);
	lapic_write(APIC_LVTERR, 0x10000 | V_ERROR);
	errors();
	errors();
	lapic_self(3);
	CHECK(!lapic_irr(3), "requested");
	seen = errors();
	CHECK(seen == 0x60, "sent to itself, masked: ESR %x", seen);
	CHECK(!errors(), "still there");
	irq_on();
	delay_us(200);
	irq_off();
	CHECK(!hits, "an interrupt in spite of the mask");
	lapic_write(APIC_LVTERR, V_ERROR);
	lapic_self(3);
	irq_on();
	WAIT_FOR(hits, 100000);
	irq_off();
	CHECK(hits == 1, "%u interrupts", hits);
	seen = errors();
	lapic_write(APIC_LVTERR, 0x10000 | V_ERROR);
	CHECK(seen == 0x60, "sent to itself: ESR %x", seen);
	if (!lapic_x2()) {
		lapic_read(0x3f0);
		seen = errors();
		NEED(seen || !plat.is_xen, "Xen does not look at addresses");
		CHECK(seen == 0x80, "reserved address: ESR %x", seen);
	}
	return NULL;
}

static const char *check_x2apic(u32 id)
{
	int v;

	CHECK(lapic_id() == id, "ID %u instead of %u", lapic_id(), id);
	CHECK(rdmsr(0x80d) == ((id >> 4) << 16 | 1u << (id & 15)), "LDR %llx", rdmsr(0x80d));
	hits = 0;
	irq_set(V_LOW, on_ipi);
	wrmsr(0x83f, V_LOW);
	irq_on();
	WAIT_FOR(hits == 1, 100000);
	irq_off();
	CHECK(hits == 1, "self IPI register: %u", hits);
	lapic_ipi(id, 0x4000 | V_LOW);
	irq_on();
	WAIT_FOR(hits == 2, 100000);
	irq_off();
	CHECK(hits == 2, "64-bit ICR: %u", hits);
	v = TRAP(wrmsr(0x802, 0));
	CHECK(v == X86_EXC_GP, "write to the ID: vector %d", v);
	v = TRAP(rdmsr(0x80b));
	CHECK(v == X86_EXC_GP, "read of EOI: vector %d", v);
	v = TRAP(wrmsr(0x80b, 1));
	CHECK(v == X86_EXC_GP, "non-zero EOI: vector %d", v);
	v = TRAP(rdmsr(0x80e));
	CHECK(v == X86_EXC_GP, "DFR: vector %d", v);
	v = TRAP(wrmsr(0x808, 1ull << 40));
	CHECK(v == X86_EXC_GP, "upper half of TPR: vector %d", v);
	return NULL;
}

TEST(apic_x2apic, "apic: x2APIC mode")
{
	u64 base = rdmsr(MSR_APIC_BASE);
	u32 id = lapic_id();
	const char *why;
	int v;

	NEED(cpuid(1).c >> 21 & 1, "not there");
	if (lapic_x2())
		return check_x2apic(id); /* as dom0's, which cannot leave that mode */
	wrmsr(MSR_APIC_BASE, base | 0x400);
	why = check_x2apic(id);
	v = TRAP(wrmsr(MSR_APIC_BASE, base));
	wrmsr(MSR_APIC_BASE, base & ~0xc00ull);
	wrmsr(MSR_APIC_BASE, base);
	lapic_enable();
	if (why)
		return why;
	CHECK(v == X86_EXC_GP, "back to xAPIC directly: vector %d", v);
	CHECK(lapic_id() == id, "ID %u after leaving", lapic_id());
	return NULL;
}
