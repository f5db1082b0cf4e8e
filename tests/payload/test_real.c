// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * 16-bit ways: BIOS calls in real mode, A20, unreal mode, 16-bit protected code, virtual-8086
 * mode (SDM vol. 3 ch. 20). Only the 32-bit build, and BIOS calls only where a BIOS has started
 * us.
 */
#include "payload.h"

#ifndef __x86_64__
extern const u8 real_unreal[], real_unreal_end[], real_arith[], real_arith_end[];

static bool has_bios(void)
{
	return plat.has_pic && *(volatile u16 *)0x413 >= 512 && *(volatile u16 *)0x413 <= 640;
}

TEST(real_video, "real: int 10h tells the video mode and writes text")
{
	struct real_regs r = { .eax = 0x0f00 };

	NEED(has_bios() && plat.has_vga, "no BIOS");
	real_int(0x10, &r);
	CHECK((r.eax & 0x7f) == 3 && (r.eax >> 8 & 0xff) == 80, "mode %x", r.eax);
	r = (struct real_regs){ .eax = 0x0e21, .ebx = 7 };
	real_int(0x10, &r);
	return NULL;
}

TEST(real_memory, "real: int 12h, int 15h/E820 and E801")
{
	struct real_regs r = { 0 };
	unsigned int entries = 0, ram_kib = 0;
	u32 next = 0;

	NEED(has_bios(), "no BIOS");
	real_int(0x12, &r);
	CHECK((r.eax & 0xffff) >= 512 && (r.eax & 0xffff) <= 640, "int 12h: %u KiB",
	      r.eax & 0xffff);
	do {
		r = (struct real_regs){
			.eax = 0xe820, .ebx = next, .ecx = 24, .edx = 0x534d4150, .edi = REAL_BUFFER
		};
		real_int(0x15, &r);
		CHECK(!(r.eflags & X86_EFLAGS_CF) && r.eax == 0x534d4150, "entry %u: %x", entries,
		      r.eax);
		next = r.ebx;
		if (((u32 *)REAL_BUFFER)[4] == 1)
			ram_kib += ((u32 *)REAL_BUFFER)[2] / 1024;
	} while (next && ++entries < 64);
	CHECK(entries >= 3 && ram_kib > 4096, "%u entries, %u KiB", entries, ram_kib);
	return NULL;
}

TEST(real_disk, "real: int 13h reads the boot disk or CD")
{
	struct real_regs r;
	u8 *packet = (u8 *)REAL_BUFFER, *data = (u8 *)REAL_BUFFER + 0x800;
	u32 drive;

	NEED(has_bios(), "no BIOS");
	for (drive = 0x80; drive < 0x100; drive++) {
		r = (struct real_regs){ .eax = 0x4100, .ebx = 0x55aa, .edx = drive };
		real_int(0x13, &r);
		if (!(r.eflags & X86_EFLAGS_CF) && (r.ebx & 0xffff) == 0xaa55)
			break;
	}
	NEED(drive < 0x100, "no disk");
	memset(packet, 0, 0x1000);
	packet[0] = 16;
	packet[2] = 1;
	*(u16 *)(packet + 4) = (ulong)data & 15;
	*(u16 *)(packet + 6) = (ulong)data >> 4;
	packet[8] = drive >= 0xe0 ? 16 : 0;
	r = (struct real_regs){ .eax = 0x4200, .edx = drive, .esi = (ulong)packet };
	real_int(0x13, &r);
	CHECK(!(r.eflags & X86_EFLAGS_CF), "drive %x: status %x", drive, r.eax >> 8 & 0xff);
	CHECK(drive < 0xe0 || !memcmp(data + 1, "CD001", 5), "no volume descriptor on drive %x",
	      drive);
	return NULL;
}

TEST(real_tick, "real: the BIOS counts timer ticks")
{
	struct real_regs r = { .eax = 0x8600,
			       .ecx = 1,
			       .edx = 0x86a0 }; /* int 15h/86: wait 100 ms */
	volatile u32 *ticks = (volatile u32 *)0x46c;
	u32 before = *ticks;

	NEED(has_bios() && plat.has_pit, "no BIOS");
	pit_program(0, 2, 0);
	real_int(0x15, &r);
	NEED(!(r.eflags & X86_EFLAGS_CF), "no wait service");
	CHECK(*ticks != before, "stands at %u", before);
	return NULL;
}

TEST(real_a20, "real: A20 by port 0x92")
{
	volatile u32 *low = (volatile u32 *)0x500, *high = (volatile u32 *)0x100500;
	u32 keep_low = *low, keep_high = *high;
	bool wraps;

	NEED(has_bios(), "no PC");
	*low = 0x11111111;
	*high = 0x22222222;
	CHECK(*low == 0x11111111, "A20 is off at the start");
	outb(0x92, inb(0x92) & ~3);
	wraps = *high == 0x11111111;
	outb(0x92, (inb(0x92) & ~1) | 2);
	CHECK(*high == 0x22222222, "A20 does not come back");
	*high = keep_high;
	*low = keep_low;
	NEED(wraps, "A20 cannot be turned off here (as under Xen)");
	return NULL;
}

/* Puts a routine where interrupt 0x60 finds it and calls it in real mode. */
static void real_run(const u8 *code, const u8 *end, struct real_regs *r)
{
	volatile u32 *vector = (volatile u32 *)(0x60 * 4);
	u32 keep = *vector;

	memcpy((void *)0x7000, code, end - code);
	*vector = 0x7000;
	real_int(0x60, r);
	*vector = keep;
}

TEST(real_unreal, "real: unreal mode keeps a 4 GiB limit")
{
	static volatile u32 far_away = 0xfeedf00d;
	struct real_regs r = { .esi = (ulong)&far_away };

	real_run(real_unreal, real_unreal_end, &r);
	CHECK(r.eax == 0xfeedf00d, "reads %x", r.eax);
	return NULL;
}

TEST(real_code, "real: string moves, loops and arithmetic with segments")
{
	struct real_regs r = { .ecx = 100, .esi = 0x10, .edi = 0x20, .ds = 0x900, .es = 0x940 };
	u32 sum = 0, i;

	for (i = 0; i < 100; i++)
		sum += *(u8 *)(0x9010 + i) = i * 3;
	real_run(real_arith, real_arith_end, &r);
	CHECK(!memcmp((void *)0x9010, (void *)0x9420, 100), "REP MOVSB");
	CHECK((r.eax & 0xff) == (sum & 0xff) && r.eax >> 16 == sum >> 16, "sum %x instead of %x",
	      r.eax, sum);
	return NULL;
}

TEST(real_code16, "real: 16-bit protected code by far calls")
{
	u8 *code = (u8 *)0x7000;
	u32 v = 0;
	struct {
		u32 off;
		u16 sel;
	} __attribute__((packed)) target = { 0x7000, SEL_CODE16 };

	memcpy(code, "\xb8\x34\x12\x66\xcb", 5); /* mov $0x1234, %ax; lretl */
	asm volatile("lcall *%1" : "=a"(v) : "m"(target) : "memory");
	CHECK((v & 0xffff) == 0x1234, "AX %x", v);
	return NULL;
}

static volatile unsigned int vm86_traps;
static volatile u32 vm86_ax, vm86_flags;
static struct trap_jmp vm86_out;

/* CLI (fa), PUSHF (9c) and INT (cd) trap with IOPL 0; HLT (f4) ends the run. */
static void on_vm86_gp(struct regs *r)
{
	u8 op = *(volatile u8 *)((r->cs << 4) + r->ip);

	vm86_traps++;
	vm86_flags = r->flags;
	if (!(r->flags & X86_EFLAGS_VM) || op == 0xf4 || vm86_traps > 10) {
		vm86_ax = r->ax;
		trap_longjmp(&vm86_out);
	}
	r->ip += op == 0xcd ? 2 : 1;
}

static void vm86_enter(u16 ip)
{
	asm volatile("pushl $0; pushl $0; pushl $0x900; pushl $0x900;" /* gs fs ds es */
		     "pushl $0; pushl $0x5ff0; pushl $0x20002; pushl $0; pushl %0; iretl"
		     :
		     : "r"((u32)ip), "a"(0)
		     : "memory");
	__builtin_unreachable();
}

TEST(real_vm86, "real: virtual-8086 mode traps what it must")
{
	/* mov $0x42,%al; mov %al,(0x10); cli; int $0x21; mov (0x10),%ah; hlt */
	memcpy((void *)0x7000, "\xb0\x42\xa2\x10\x00\xfa\xcd\x21\x8a\x26\x10\x00\xf4", 13);
	vm86_traps = 0;
	irq_set(X86_EXC_GP, on_vm86_gp);
	if (!trap_setjmp(&vm86_out))
		vm86_enter(0x7000);
	irq_set(X86_EXC_GP, NULL);
	asm volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%fs; mov %0, %%gs; mov %0, %%ss"
		     :
		     : "r"(SEL_DATA));
	CHECK(vm86_flags & X86_EFLAGS_VM, "the trap came without VM: %x", vm86_flags);
	CHECK(vm86_traps == 3, "%u traps", vm86_traps);
	CHECK((vm86_ax & 0xffff) == 0x4242, "AX %x", vm86_ax);
	CHECK(*(volatile u8 *)0x9010 == 0x42, "store to the wrong segment");
	return NULL;
}
#endif
