// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Debug registers and #DB (SDM vol. 3 ch. 17): breakpoints of each kind, single step, DR6,
 * general detect.
 */
#include "payload.h"

static volatile unsigned int hits;
static volatile ulong dr6_seen, ip_seen;
static volatile u32 watched[4] __attribute__((aligned(16)));

static void on_db(struct regs *r)
{
	dr6_seen = read_dr6();
	ip_seen = r->ip;
	hits++;
	write_dr6(0xffff0ff0);
	write_dr7(0x400);
	r->flags &= ~(ulong)X86_EFLAGS_TF;
	r->flags |= X86_EFLAGS_RF;
}

static void arm(void)
{
	hits = 0;
	dr6_seen = 0;
	irq_set(X86_EXC_DB, on_db);
	write_dr6(0xffff0ff0);
}

static void disarm(void)
{
	write_dr7(0x400);
	irq_set(X86_EXC_DB, NULL);
}

TEST(dr_regs, "debug: registers hold, reserved bits read as they must")
{
	write_dr0(0x1111);
	write_dr1(0x2222);
	write_dr2(0x3333);
	write_dr3(0x4444);
	CHECK(read_dr0() == 0x1111 && read_dr1() == 0x2222 && read_dr2() == 0x3333 &&
		      read_dr3() == 0x4444,
	      "DR0-3 %lx %lx %lx %lx", read_dr0(), read_dr1(), read_dr2(), read_dr3());
	write_dr7(0x400);
	CHECK(read_dr7() == 0x400, "DR7 %lx", read_dr7());
	write_dr6(0xffff0ff0);
	CHECK((read_dr6() & 0xffff0ff0) == 0xffff0ff0, "DR6 %lx", read_dr6());
	return NULL;
}

TEST(dr_exec, "debug: instruction breakpoint")
{
	ulong at;

	arm();
	asm volatile("mov $1f, %0\n\tmov %0, %%dr0\n\tmov %1, %%dr7\n\tnop\n1:\tnop"
		     : "=&r"(at)
		     : "r"(0x402ul)
		     : "memory");
	disarm();
	CHECK(hits == 1, "%u hits", hits);
	CHECK(ip_seen == at, "at %lx instead of %lx", ip_seen, at);
	CHECK((dr6_seen & 0xf) == 1, "DR6 %lx", dr6_seen);
	return NULL;
}

TEST(dr_write, "debug: data breakpoints")
{
	u32 v;

	arm();
	write_dr1((ulong)&watched[1]);
	write_dr7(0x400 | 8 | 0xd << 20); /* G1, write, 4 bytes */
	v = watched[1];
	CHECK(!hits, "a read hit a write breakpoint");
	watched[1] = v + 1;
	CHECK(hits == 1 && (dr6_seen & 0xf) == 2, "write: %u hits, DR6 %lx", hits, dr6_seen);
	arm();
	write_dr7(0x400 | 8 | 0xf << 20); /* read or write */
	(void)watched[1];
	disarm();
	CHECK(hits == 1, "read: %u hits", hits);
	return NULL;
}

TEST(dr_io, "debug: I/O breakpoint")
{
	arm();
	write_cr4(read_cr4() | X86_CR4_DE);
	write_dr2(0x80);
	write_dr7(0x400 | 0x20 | 2 << 24);
	outb(0x80, 0);
	disarm();
	write_cr4(read_cr4() & ~(ulong)X86_CR4_DE);
	NEED(hits || !plat.is_xen, "I/O breakpoints are not checked on intercepted ports");
	CHECK(hits == 1 && (dr6_seen & 0xf) == 4, "%u hits, DR6 %lx", hits, dr6_seen);
	return NULL;
}

/* Single-steps a few instructions, one of which a hypervisor intercepts; counts the traps. */
static volatile unsigned int steps;

static void on_step(struct regs *r)
{
	steps++;
	dr6_seen = read_dr6();
	write_dr6(0xffff0ff0);
	if (steps > 20)
		r->flags &= ~(ulong)X86_EFLAGS_TF;
}

#ifdef __x86_64__
#define STACK_POINTER "%%rsp"
#define AX	      "%%rax"
#else
#define STACK_POINTER "%%esp"
#define AX	      "%%eax"
#endif

TEST(dr_step, "debug: single step, over intercepted instructions too")
{
	steps = 0;
	irq_set(X86_EXC_DB, on_step);
	asm volatile("pushf; pushf; orl $0x100, (" STACK_POINTER "); popf;"
		     "nop; xor %%eax, %%eax; cpuid; in $0x40, %%al; nop; popf; nop"
		     :
		     :
		     : "eax", "ebx", "ecx", "edx", "memory", "cc");
	irq_set(X86_EXC_DB, NULL);
	CHECK(dr6_seen & 0x4000, "DR6 %lx", dr6_seen);
	CHECK(steps == 6, "%u traps for 6 instructions", steps);
	return NULL;
}

TEST(dr_icebp, "debug: ICEBP")
{
	int v;

	arm();
	v = TRAP(asm volatile(".byte 0xf1"));
	disarm();
	NEED(v != X86_EXC_UD, "not there, as on QEMU's TCG");
	CHECK(hits == 1, "%u traps", hits);
	return NULL;
}

TEST(dr_reserved, "debug: DR4 and DR5 with CR4.DE, reserved bits of DR7")
{
	int v;

	write_cr4(read_cr4() | X86_CR4_DE);
	v = TRAP(asm volatile("mov %%db4, " AX : : : "eax"));
	write_cr4(read_cr4() & ~(ulong)X86_CR4_DE);
	NEED(v != -1 || !plat.is_tcg, "QEMU's TCG does not check");
	CHECK(v == X86_EXC_UD, "DR4: vector %d", v);
	return NULL;
}
