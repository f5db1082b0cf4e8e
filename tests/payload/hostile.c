// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Programs that behave badly on purpose: hostile=KIND n=COUNT seed=SEED. The same seed gives the
 * same actions. Only this guest may suffer. Those that survive print "HOSTILE: KIND done" and
 * power off; triple, stack and ud=fatal do not. Ports and hypercalls that would simply end the guest are
 * left out unless wild=1.
 */
#include "payload.h"
#include <xen/xen.h>
#include <xen/sched.h>

static u32 state;
static u64 count;
static bool wild;
static u8 scratch[64 * 1024] __attribute__((aligned(4096)));

static void hostile_triple(void)
{
	struct {
		u16 limit;
		ulong base;
	} __attribute__((packed)) none = { 0, 0 };

	asm volatile("lidt %0; int3" : : "m"(none));
}

/*
 * Random bytes executed as instructions, ended by the first exception or by the timer's
 * interrupt.
 */
static void on_timeout(struct regs *r)
{
	(void)r;
	lapic_eoi();
	trap_longjmp(&trap.jmp);
}

static void hostile_ud(void)
{
	static const u8 known[][4] = { { 0x0f, 0x0b },	     { 0x0f, 0xff },
				       { 0x0f, 0x01, 0xc4 }, { 0x0f, 0x01, 0xd8 },
				       { 0x0f, 0x78, 0xc0 }, { 0x0f, 0xc7, 0xf0 },
				       { 0x0f, 0x37 },	     { 0xc4, 0xe2 } };
	volatile u64 i;
	unsigned int k;

	irq_set(0x71, on_timeout);
	for (i = 0; i < count; i++) {
		for (k = 0; k < 32; k++)
			scratch[k] = prng(&state);
		memcpy(scratch, known[prng(&state) % ARRAY_SIZE(known)], prng(&state) % 4);
		memset(scratch + 32, 0xf1, 64);
		lapic_write(APIC_LVTT, 0x71);
		lapic_write(APIC_TMICT, 1000000);
		TRAP(irq_on(); ((void (*)(void))scratch)());
		irq_off();
		trap_load();
	}
}

/* Exceptions for ever: each one's frame goes where no memory is, so that its delivery never ends. */
static void hostile_stack(void)
{
	irq_set(0x71, on_timeout);
	lapic_write(APIC_LVTT, 0x71);
	lapic_write(APIC_TMICT, 1000000);
	print("HOSTILE: a stack without memory\n");
	__asm__ volatile("mov %0, %%esp; sti; ud2" ::"r"(0xb66e4b76u));
}

static bool port_ends_guest(u16 p)
{
	return p == 0x64 || p == 0x92 || p == 0xcf9 || p == 0xb2 || (p & 0xfff8) == 0x3f8 ||
	       (p & 0xfffc) == 0xb004 || p == 0x604 || p == 0x605;
}

static void hostile_ports(void)
{
	u64 i;

	for (i = 0; i < count; i++) {
		u32 r = prng(&state), v = prng(&state);
		u16 p = r & 0x10000 ? r & 0x7ff : r;

		if (port_ends_guest(p) && !wild)
			continue;
		switch (r >> 20 & 7) {
		case 0:
			inb(p);
			break;
		case 1:
			inw(p);
			break;
		case 2:
			inl(p);
			break;
		case 3:
			outb(p, v);
			break;
		case 4:
			outw(p, v);
			break;
		case 5:
			outl(p, v);
			break;
		default: {
			ulong d = (ulong)scratch + (v & 0xfff), c = v >> 20 & 0xff;

			if (v & 0x1000)
				asm volatile("rep insw" : "+D"(d), "+c"(c) : "d"(p) : "memory");
			else
				asm volatile("rep outsb" : "+S"(d), "+c"(c) : "d"(p) : "memory");
		}
		}
	}
}

static void hostile_msrs(void)
{
	static const u32 base[] = { 0,		0x170,	    0x200,	0x480,	    0x6e0,
				    0x800,	0xc80,	    0x40000000, 0xc0000080, 0xc0000100,
				    0xc0010000, 0xc0010110, 0xc0011000 };
	volatile u64 i;

	for (i = 0; i < count; i++) {
		u32 r = prng(&state), v = prng(&state);
		u32 msr =
			r & 1 ? prng(&state) : base[(r >> 1) % ARRAY_SIZE(base)] + (r >> 16 & 0xff);

		if (r & 0x8000) {
			TRAP(rdmsr(msr));
			continue;
		}
		/* keep what this program itself stands on */
		if (msr == MSR_EFER || msr == MSR_APIC_BASE || msr == MSR_FS_BASE ||
		    msr == MSR_GS_BASE)
			v = 0;
		if (msr == MSR_EFER && !wild)
			continue;
		TRAP(wrmsr(msr, (u64)v << (r >> 8 & 31)));
	}
}

static void hostile_mmio(void)
{
	static const u32 base[] = { 0xa0000,	0xb8000,    0xc0000,	0xf0000000,
				    0xf3000000, 0xfebf0000, 0xfec00000, 0xfed00000,
				    0xfee00000, 0xfd800000, 0xfffff000, 0xe0000000 };
	volatile u64 i;

	for (i = 0; i < count; i++) {
		u32 r = prng(&state), v = prng(&state);
		ulong a = base[r % ARRAY_SIZE(base)] + (r >> 8 & 0xfff);

		switch (r >> 20 & 7) {
		case 0:
			TRAP(*(volatile u8 *)a);
			break;
		case 1:
			TRAP(*(volatile u16 *)a);
			break;
		case 2:
			TRAP(*(volatile u32 *)a = v);
			break;
		case 3:
			TRAP(*(volatile u8 *)a = v);
			break;
		case 4:
			TRAP(asm volatile("lock xaddl %%eax, (%0)" : : "r"(a), "a"(v) : "memory"));
			break;
		case 5:
			TRAP(memcpy(scratch, (void *)a, v & 0x1ff));
			break;
		case 6:
			TRAP(memset((void *)a, v, v >> 8 & 0x1ff));
			break;
		default:
			TRAP(asm volatile("btsl %1, (%0)" : : "r"(a), "r"(v & 0xffff) : "memory"));
		}
	}
}

static ulong random_argument(void)
{
	u32 r = prng(&state);

	switch (r & 7) {
	case 0:
		return r >> 3 & 0x3f;
	case 1:
		return (ulong)scratch + (r >> 3 & 0x3fff);
	case 2:
		return (ulong)scratch + sizeof(scratch) - (r >> 3 & 0x3f);
	case 3:
		return 0xfd800000 + (r >> 3 & 0xfff);
	case 4:
		return r;
	case 5:
		return -(ulong)(r >> 3 & 0xff);
	case 6:
		return 0x7ff0 + (r >> 3 & 7); /* DOMID_SELF and its neighbours */
	default:
		return (ulong)r << (sizeof(ulong) * 4) | r;
	}
}

static void hostile_hypercalls(void)
{
	u64 i;
	unsigned int k;

	for (i = 0; i < count; i++) {
		u32 nr = prng(&state) % 64, *w = (u32 *)scratch;
		ulong a1 = random_argument();

		if (!wild && (nr == __HYPERVISOR_sched_op || nr == __HYPERVISOR_sched_op_compat ||
			      nr == __HYPERVISOR_vcpu_op || nr == __HYPERVISOR_hvm_op ||
			      nr == __HYPERVISOR_console_io))
			a1 = 0x1000 + (a1 & 0xffff);
		for (k = 0; k < 64; k++)
			w[k] = prng(&state) >> (prng(&state) & 31);
		if (!wild &&
		    nr == __HYPERVISOR_memory_op) /* no pages taken from under this program */
			memset(scratch, 0xff, 64);
		if (!wild && nr == __HYPERVISOR_multicall)
			a1 = 0;
		hypercall(nr, a1, random_argument(), random_argument(), random_argument(),
			  random_argument());
	}
}

static void hostile_counts(void)
{
	hostile_tick(count);
}

/* A register is where no saved state may have it, if the processor lets it be. */
static void hostile_nosave(void)
{
	int v = TRAP(wrmsr(MSR_LSTAR, 0x8000000000000000ull));

	print("HOSTILE: LSTAR %s\n", v == -1 ? "holds what is no address" : "is checked");
	hostile_tick(count);
}

void hostile_main(const char *kind)
{
	static const struct {
		const char *kind;
		void (*run)(void);
		u32 count;
		bool needs_xen;
	} kinds[] = {
		{ "triple", hostile_triple, 1, false },
		{ "ud", hostile_ud, 2000, false },
		{ "stack", hostile_stack, 1, false },
		{ "ports", hostile_ports, 20000, false },
		{ "msrs", hostile_msrs, 20000, false },
		{ "mmio", hostile_mmio, 20000, false },
		{ "hypercalls", hostile_hypercalls, 20000, true },
		{ "soak", hostile_soak, 1, true },
		{ "smp", hostile_smp, 1, true },
		{ "hang", hostile_hang, 1, true },
		{ "crash", hostile_crash, 1, true },
		{ "entry", hostile_entry, 1, true },
		{ "tick", hostile_counts, 100000, false },
		{ "nosave", hostile_nosave, 100000, false },
		{ "guess", hostile_guess, 1, true },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strncmp(kind, kinds[i].kind, 16))
			continue;
		count = cmdline_number("n", kinds[i].count);
		state = cmdline_number("seed", 1);
		wild = cmdline_number("wild", 0);
		if (kinds[i].needs_xen && !plat.is_xen)
			break;
		print("HOSTILE: %s, %llu times, seed %u\n", kind, count, state);
		if (!trap_setjmp(&trap_outer))
			kinds[i].run();
		print("HOSTILE: %s done\n", kind);
		return;
	}
	print("HOSTILE: %s is not possible here\n", kind);
}
