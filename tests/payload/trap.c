// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * IDT, TSS and what happens on an exception: an armed TRAP() gets it, else a handler set with
 * irq_set(), else the running test fails with the vector and the address. Stubs are in entry.S.
 */
#include "payload.h"

struct gate {
	u16 off0, sel, type, off1;
#ifdef __x86_64__
	u32 off2, reserved;
#endif
} __attribute__((packed));

struct table_pointer {
	u16 limit;
	ulong base;
} __attribute__((packed));

extern const char trap_stubs[];
struct trap_state trap;
struct trap_jmp trap_outer;
static struct gate idt[256] __attribute__((aligned(16)));
static irq_fn handlers[256];
static u8 fault_stack[8192] __attribute__((aligned(16)));
__typeof__(tss) tss;

static void gate_set(unsigned int vector, ulong target, u16 sel, u16 type)
{
	struct gate *g = &idt[vector];

	memset(g, 0, sizeof(*g));
	g->off0 = target;
	g->off1 = target >> 16;
	g->sel = sel;
	g->type = type;
#ifdef __x86_64__
	g->off2 = target >> 32;
#endif
}

void trap_gate_default(unsigned int vector)
{
	gate_set(vector, (ulong)trap_stubs + vector * 16, SEL_CODE, 0x8e00);
}

void trap_gate_user(unsigned int vector)
{
	gate_set(vector, (ulong)trap_stubs + vector * 16, SEL_CODE, 0xee00);
}

void trap_gate_task(unsigned int vector, u16 selector)
{
	gate_set(vector, 0, selector, 0x8500);
}

void gdt_set(unsigned int index, u32 base, u32 limit, u16 attr)
{
	gdt[index] = (limit & 0xffff) | (u64)(base & 0xffffff) << 16 | (u64)attr << 40 |
		     (u64)(limit >> 16 & 0xf) << 48 | (u64)(base >> 24) << 56;
}

void tss_descriptor(unsigned int index, ulong base, u32 limit)
{
	gdt_set(index, base, limit, 0x89);
#ifdef __x86_64__
	gdt[index + 1] = base >> 32;
#endif
}

void trap_load(void)
{
	struct table_pointer g = { GDT_ENTRIES * 8 - 1, (ulong)gdt };
	struct table_pointer i = { sizeof(idt) - 1, (ulong)idt };

	asm volatile("lgdt %0; lidt %1" : : "m"(g), "m"(i) : "memory");
}

void trap_init(void)
{
	unsigned int v;

	for (v = 0; v < 256; v++)
		trap_gate_default(v);
#ifdef __x86_64__
	tss.rsp[0] = (ulong)fault_stack + sizeof(fault_stack);
#else
	tss.esp0 = (ulong)fault_stack + sizeof(fault_stack);
	tss.ss0 = SEL_DATA;
#endif
	tss.iomap = sizeof(tss);
	tss_descriptor(SEL_TSS / 8, (ulong)&tss, sizeof(tss) - 1);
	trap_load();
	asm volatile("ltr %w0" : : "r"(SEL_TSS) : "memory");
}

void irq_set(unsigned int vector, irq_fn fn)
{
	handlers[vector] = fn;
}

static void load_flat_segments(void)
{
	asm volatile("mov %0, %%ss; mov %0, %%ds; mov %0, %%es" : : "r"(SEL_DATA) : "memory");
}

static void __attribute__((noreturn)) unexpected(const struct regs *r)
{
	print("# exception %u error %lx at %lx:%lx flags %lx cr2 %lx cpu %u\n",
	      (unsigned int)r->vector, r->error, r->cs, r->ip, r->flags, read_cr2(),
	      smp_this_cpu());
	if (smp_this_cpu()) {
		for (;;)
			asm volatile("cli; hlt");
	}
	load_flat_segments();
	trap.vector = r->vector;
	trap.error = r->error;
	trap.ip = r->ip;
	trap.armed = 0;
	trap_longjmp(&trap_outer);
}

/* Called by the stubs in entry.S with interrupts off. */
void trap_entry(struct regs *r);
void trap_entry(struct regs *r)
{
	unsigned int v = r->vector & 0xff;

	if (handlers[v]) {
		handlers[v](r);
		return;
	}
	if (v >= 32) {
		print("# stray interrupt vector %x\n", v);
		if (v >= 0x30)
			lapic_eoi();
		return;
	}
	if (smp_this_cpu() == 0 && trap.armed) {
		trap.vector = v;
		trap.error = r->error;
		trap.ip = r->ip;
		trap.cr2 = read_cr2();
		trap.flags = r->flags;
		load_flat_segments();
		trap_longjmp(&trap.jmp);
	}
	unexpected(r);
}
