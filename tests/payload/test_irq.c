// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Interrupts through the 8259 pair and the IO-APIC (82093AA data sheet), by the PIT as an edge
 * source and the HPET as a level source; NMI; the shadows of STI and MOV SS. The local APIC
 * itself is in test_apic.c.
 */
#include "payload.h"

#define V_PIC	 0x20
#define V_IOAPIC 0x51
#define V_SELF	 0x61

static volatile unsigned int hits, level_again;
static volatile bool seen_isr, seen_remote;
static volatile u32 mark, mark_seen;
static u8 level_pin;
static ulong mark_target;

static void on_pic(struct regs *r)
{
	(void)r;
	hits++;
	pic_eoi(0);
}

static void on_lapic(struct regs *r)
{
	seen_isr = lapic_isr(r->vector);
	mark_seen = mark;
	hits++;
	lapic_eoi();
}

TEST(irq_pic_regs, "irq: 8259 masks and registers hold")
{
	unsigned int i;

	NEED(plat.has_pic, "no PIC");
	for (i = 0; i < 16; i++) {
		pic_mask(1 << i);
		CHECK((inb(0x21) | inb(0xa1) << 8) == 1 << i, "mask bit %u", i);
	}
	pic_mask(0xffff);
	outb(0x20, 0x0b);
	CHECK(inb(0x20) == 0, "in-service %x", inb(0x20));
	return NULL;
}

TEST(irq_pic_timer, "irq: PIT through the PIC (virtual wire)")
{
	NEED(plat.has_pit, "no PIT");
	hits = 0;
	irq_set(V_PIC, on_pic);
	lapic_write(APIC_LVT0, 0x700);
	pit_program(0, 2, 5966); /* 5 ms */
	pic_mask(0xfffe);
	irq_on();
	WAIT_FOR(hits >= 5, 2000000);
	irq_off();
	pic_mask(0xffff);
	lapic_write(APIC_LVT0, 0x10700);
	irq_set(V_PIC, NULL);
	CHECK(hits >= 5, "%u interrupts", hits);
	return NULL;
}

TEST(irq_pic_hlt, "irq: HLT wakes on the PIC's timer")
{
	NEED(plat.has_pit, "no PIT");
	hits = 0;
	irq_set(V_PIC, on_pic);
	lapic_write(APIC_LVT0, 0x700);
	pit_program(0, 2, 11932);
	pic_mask(0xfffe);
	while (hits < 3)
		sti_hlt();
	pic_mask(0xffff);
	lapic_write(APIC_LVT0, 0x10700);
	irq_set(V_PIC, NULL);
	return NULL;
}

TEST(irq_ioapic_regs, "irq: IO-APIC identity and entries")
{
	u32 version;
	unsigned int pins;

	NEED(plat.has_ioapic, "no IO-APIC");
	version = ioapic_read(1);
	pins = (version >> 16 & 0xff) + 1;
	CHECK(pins >= 24, "%u pins", pins);
	ioapic_set(pins - 1, (u64)0xa5 << 56 | IOAPIC_MASKED | IOAPIC_LEVEL | 0x77);
	CHECK((ioapic_get(pins - 1) & ~(u64)(1 << 12)) ==
		      ((u64)0xa5 << 56 | IOAPIC_MASKED | IOAPIC_LEVEL | 0x77),
	      "entry reads %llx", ioapic_get(pins - 1));
	ioapic_set(pins - 1, IOAPIC_MASKED);
	return NULL;
}

TEST(irq_ioapic_edge, "irq: PIT by an edge entry of the IO-APIC")
{
	NEED(plat.has_ioapic && plat.has_pit, "no IO-APIC or PIT");
	hits = 0;
	irq_set(V_IOAPIC, on_lapic);
	pit_program(0, 2, 5966);
	ioapic_set(plat.pit_gsi, (u64)lapic_id() << 56 | V_IOAPIC);
	irq_on();
	WAIT_FOR(hits >= 5, 2000000);
	irq_off();
	ioapic_set(plat.pit_gsi, IOAPIC_MASKED);
	delay_us(100);
	irq_on();
	irq_off();
	irq_set(V_IOAPIC, NULL);
	CHECK(hits >= 5, "%u interrupts", hits);
	CHECK(seen_isr, "in-service bit was clear in the handler");
	return NULL;
}

static void on_level(struct regs *r)
{
	(void)r;
	hits++;
	seen_remote = ioapic_get(level_pin) & IOAPIC_REMOTE_IRR;
	if (hits >= 3) /* the line stays up for two, then the source is acknowledged */
		hpet_write(0x20, 1);
	lapic_eoi();
}

static bool hpet_level_start(void)
{
	u32 cap;
	unsigned int pin;

	hpet_write(0x10, 0);
	cap = hpet_read(0x104);
	for (pin = 16; pin < 24 && !(cap >> pin & 1); pin++)
		;
	if (pin == 24)
		return false;
	level_pin = pin;
	hpet_write(0x20, 7);
	hpet_write(0xf0, 0);
	hpet_write(0xf4, 0);
	hpet_write(0x100, 2 | 4 | pin << 9); /* level, enabled, one shot */
	hpet_write(0x108, 20000);
	hpet_write(0x10c, 0);
	return true;
}

TEST(irq_ioapic_level, "irq: a level entry of the IO-APIC repeats until its source is quiet")
{
	u64 after;

	NEED(plat.has_ioapic && plat.has_hpet, "no IO-APIC or HPET");
	NEED(hpet_level_start(), "HPET timer 0 has no level pin");
	hits = 0;
	irq_set(V_IOAPIC, on_level);
	ioapic_set(level_pin, (u64)lapic_id() << 56 | IOAPIC_LEVEL | V_IOAPIC);
	hpet_write(0x10, 1);
	irq_on();
	WAIT_FOR(hits >= 3, 2000000);
	delay_us(200);
	irq_off();
	after = ioapic_get(level_pin);
	hpet_write(0x100, 0);
	hpet_write(0x10, 1);
	ioapic_set(level_pin, IOAPIC_MASKED);
	irq_set(V_IOAPIC, NULL);
	CHECK(hits >= 3, "%u interrupts", hits);
	CHECK(hits == 3, "%u interrupts: goes on after the source is quiet", hits);
	CHECK(seen_remote, "remote IRR clear in the handler");
	CHECK(!(after & IOAPIC_REMOTE_IRR), "remote IRR set after EOI");
	return NULL;
}

static void on_nmi(struct regs *r)
{
	(void)r;
	hits++;
	if (hits == 1) { /* a second NMI must wait for IRET */
		lapic_ipi(lapic_id(), 0x4400);
		delay_us(50);
		seen_isr = hits != 1;
	}
}

TEST(irq_nmi, "irq: NMI, and no nesting before IRET")
{
	hits = 0;
	seen_isr = false;
	irq_set(X86_EXC_NMI, on_nmi);
	lapic_ipi(lapic_id(), 0x4400);
	WAIT_FOR(hits >= 2, 500000);
	irq_set(X86_EXC_NMI, NULL);
	CHECK(hits, "not delivered");
	CHECK(!seen_isr, "nested");
	CHECK(hits == 2, "%u delivered", hits);
	return NULL;
}

TEST(irq_sti_shadow, "irq: the instruction after STI runs first")
{
	hits = 0;
	irq_set(V_SELF, on_lapic);
	mark = 0;
	lapic_self(V_SELF);
	WAIT_FOR(lapic_irr(V_SELF), 100000);
	asm volatile("sti; movl $1, %0; nop; nop; cli" : "=m"(mark) : : "memory");
	WAIT_FOR(hits, 100000);
	irq_set(V_SELF, NULL);
	CHECK(hits == 1, "%u interrupts", hits);
	CHECK(mark_seen == 1, "interrupt came before the next instruction");
	return NULL;
}

TEST(irq_sti_cli, "irq: STI, CLI lets nothing in")
{
	unsigned int before;

	hits = 0;
	irq_set(V_SELF, on_lapic);
	lapic_self(V_SELF);
	WAIT_FOR(lapic_irr(V_SELF), 100000);
	asm volatile("sti; cli" : : : "memory");
	before = hits;
	asm volatile("sti; nop; nop; cli" : : : "memory");
	irq_set(V_SELF, NULL);
	CHECK(before == 0, "interrupt in between");
	CHECK(hits == 1, "interrupt lost");
	return NULL;
}

#ifdef __x86_64__
#define STACK_POINTER "%%rsp"
#else
#define STACK_POINTER "%%esp"
#endif

TEST(irq_popf, "irq: POPF lets a pending interrupt in at once")
{
	hits = 0;
	irq_set(V_SELF, on_lapic);
	mark = 0;
	lapic_self(V_SELF);
	WAIT_FOR(lapic_irr(V_SELF), 100000);
	asm volatile("pushf; orl $0x200, (" STACK_POINTER "); popf; movl $1, %0; nop; cli"
		     : "=m"(mark)
		     :
		     : "memory", "cc");
	irq_set(V_SELF, NULL);
	CHECK(hits == 1, "%u interrupts", hits);
	CHECK(mark_seen == 0, "one instruction later");
	return NULL;
}

/* A #DB by single step after MOV SS is held back in the same way and can be counted exactly. */
TEST(irq_mov_ss, "irq: no single-step trap between MOV SS and the next instruction")
{
	ulong at = 0;
	int v;

	v = TRAP(asm volatile("mov %%ss, %%ecx; mov $1f, %0; mov %0, %1; pushf;"
			      "orl $0x100, (" STACK_POINTER
			      "); popf; mov %%ecx, %%ss; nop; 1: nop; nop"
			      : "=&r"(at), "=m"(mark_target)
			      :
			      : "ecx", "memory", "cc"));
	CHECK(v == X86_EXC_DB, "vector %d", v);
	NEED(!plat.is_tcg || trap.ip == mark_target, "this emulator traps %ld bytes early",
	     (long)(mark_target - trap.ip));
	CHECK(trap.ip == mark_target, "at %lx instead of %lx", trap.ip, mark_target);
	return NULL;
}

TEST(irq_hlt_self, "irq: HLT ends at once with an interrupt pending")
{
	hits = 0;
	irq_set(V_SELF, on_lapic);
	lapic_self(V_SELF);
	sti_hlt();
	irq_set(V_SELF, NULL);
	CHECK(hits == 1, "%u interrupts", hits);
	return NULL;
}
