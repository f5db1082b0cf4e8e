// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hardware task switches of 32-bit mode (SDM vol. 3 ch. 7): far call and return, jump, task gate
 * for an exception and for an NMI.
 */
#include "payload.h"

#ifndef __x86_64__
static struct tss32 other __attribute__((aligned(256)));
static u8 stack[4096] __attribute__((aligned(16)));
static volatile u32 ran, error_seen, nt_seen, back_seen, nested;

static void other_task(void)
{
	for (;;) {
		ran++;
		nt_seen = read_flags() & X86_EFLAGS_NT;
		back_seen = other.link;
		asm volatile("iret");
	}
}

/*
 * Entered by a task gate with an error code on the stack; counts and skips the faulting
 * two bytes.
 */
static void __attribute__((naked)) fault_task(void)
{
	asm volatile("1: popl %0; incl %1; addl $2, %2; iret; jmp 1b"
		     : "=m"(error_seen), "+m"(ran), "+m"(tss.eip));
}

/* A second NMI, which comes while the first one's task runs, must wait for its IRET. */
static void nmi_task(void)
{
	for (;;) {
		if (++ran == 1) {
			lapic_ipi(lapic_id(), 0x4400);
			delay_us(50);
			nested = ran != 1;
		}
		asm volatile("iret");
	}
}

static void prepare(void (*fn)(void))
{
	memset(&other, 0, sizeof(other));
	memset(stack, 0, sizeof(stack));
	other.eip = (ulong)fn;
	other.esp = (ulong)stack + sizeof(stack);
	other.eflags = 2;
	other.cs = SEL_CODE32;
	other.ss = other.ds = other.es = other.fs = other.gs = SEL_DATA;
	other.cr3 = read_cr3();
	other.iomap = sizeof(other);
	tss.cr3 = read_cr3();
	tss_descriptor(SEL_TSS2 / 8, (ulong)&other, sizeof(other) - 1);
	ran = 0;
}

static void call_task(void)
{
	asm volatile("pushal; lcall %0, $0; popal" : : "i"(SEL_TSS2) : "memory", "cc");
}

TEST(task_call, "task: far call to a task and IRET back")
{
	u16 tr;

	prepare(other_task);
	call_task();
	CHECK(ran == 1, "ran %u times", ran);
	CHECK(nt_seen, "NT clear in the task");
	CHECK(back_seen == SEL_TSS, "back link %x", back_seen);
	asm volatile("str %0" : "=r"(tr));
	CHECK(tr == SEL_TSS, "TR %x afterwards", tr);
	CHECK(!(read_flags() & X86_EFLAGS_NT), "NT set afterwards");
	CHECK((gdt[SEL_TSS2 / 8] >> 40 & 0xf) == 9, "task still busy");
	NEED((read_cr0() & X86_CR0_TS) || !plat.is_xen, "TS clear, as seen on Xen 4.17");
	CHECK(read_cr0() & X86_CR0_TS, "TS clear");
	asm volatile("clts");
	call_task();
	asm volatile("clts");
	CHECK(ran == 2, "second call: ran %u times", ran);
	return NULL;
}

TEST(task_state, "task: registers are saved and loaded")
{
	u32 b = 0x12345678, s = 0x9abcdef0;

	prepare(other_task);
	other.ebx = 0x55aa55aa;
	asm volatile("lcall %2, $0"
		     : "+b"(b), "+S"(s)
		     : "i"(SEL_TSS2)
		     : "memory", "cc", "eax", "ecx", "edx");
	asm volatile("clts");
	CHECK(b == 0x12345678 && s == 0x9abcdef0, "EBX %x ESI %x", b, s);
	CHECK(tss.ebx == 0x12345678, "saved EBX %x", tss.ebx);
	return NULL;
}

TEST(task_busy, "task: a busy or absent task raises its exception")
{
	int v;

	prepare(other_task);
	gdt[SEL_TSS2 / 8] |= 2ull << 40;
	v = TRAP(call_task());
	CHECK(v == X86_EXC_GP && trap.error == SEL_TSS2, "busy: vector %d error %lx", v,
	      trap.error);
	prepare(other_task);
	gdt[SEL_TSS2 / 8] &= ~(0x80ull << 40);
	v = TRAP(call_task());
	CHECK(v == X86_EXC_NP && trap.error == SEL_TSS2, "absent: vector %d error %lx", v,
	      trap.error);
	return NULL;
}

TEST(task_gate, "task: an exception with error code through a task gate")
{
	prepare(fault_task);
	trap_gate_task(X86_EXC_GP, SEL_TSS2);
	asm volatile("mov %w0, %%fs" : : "r"(0xf0)); /* two bytes */
	trap_gate_default(X86_EXC_GP);
	asm volatile("clts; mov %w0, %%fs" : : "r"(SEL_DATA));
	CHECK(ran == 1, "ran %u times", ran);
	CHECK(error_seen == 0xf0, "error code %x", error_seen);
	return NULL;
}

TEST(task_nmi, "task: NMI through a task gate, and no nesting before IRET")
{
	prepare(nmi_task);
	nested = 0;
	trap_gate_task(X86_EXC_NMI, SEL_TSS2);
	lapic_ipi(lapic_id(), 0x4400);
	WAIT_FOR(ran >= 2, 500000);
	trap_gate_default(X86_EXC_NMI);
	asm volatile("clts");
	CHECK(ran, "not delivered");
	CHECK(!nested, "nested");
	CHECK(ran == 2, "%u delivered", ran);
	return NULL;
}
#endif
