// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hostile programs that need Xen's interface. The largest is hostile=soak: hypercalls that get past the first checks.
 * Structures are filled with domains, frames, ports, references and sizes that mean something, for seconds=N
 * (default 5). Frames are those of a region that this program does not use, or holes, or nonsense; with wild=1 any
 * frame, and also what ends the guest or stops it.
 */
#include "payload.h"
#include <xen/xen.h>
#include <xen/event_channel.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/hvm_vcpu.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

#define VICTIM_FIRST	  (48u << 8) /* frames from 48 MiB: page_alloc() starts far below */
#define VICTIM_NR	  1024u
#define ARGS_BYTES	  2048u
#define REPORT_S	  2u
#define WATCHDOG_S	  5u
#define ENTRY_WAIT_US	  5000000u
#define SEG_LONG_AND_WIDE 0xe9bu /* present code, L and D */

/* Structures begin close to the end of an argument, too: what is written past it changes nothing that matters. */
static struct {
	u8 at[4][ARGS_BYTES];
	u8 beyond[4096];
} space __attribute__((aligned(4096)));
#define args space.at

static u32 state;
static bool wild;
static struct timed {
	u64 ticks;
	u32 nr, cmd;
} last, longest;
static u64 ticks_of[64]; /* by hypercall */

static u32 any(u32 n)
{
	return prng(&state) % n;
}

static u32 frame(void)
{
	u32 r = prng(&state);

	switch (r & 15) {
	case 0:
		return r >> 4; /* nonsense */
	case 1:
		return 0xfee00 + (r >> 4 & 1);
	case 2:
		return wild && !any(32) ? r >> 4 & 0x7fff : VICTIM_FIRST;
	case 3:
	case 4:
		return 0x40000 + (r >> 4 & 0xff); /* a hole */
	case 5:
		return 0x4000u << (r >> 4) % 18;
	default:
		return VICTIM_FIRST + (r >> 4) % VICTIM_NR;
	}
}

/* A word of an argument. */
static u32 word(void)
{
	static const u16 domains[] = { 0x7ff0, 0, 1, 2, 3, 4, 0x7ff1, 0x7ff2, 0x7ff4, 0x7fff };
	u32 r = prng(&state);

	switch (r & 7) {
	case 0:
		return r >> 3 & 31;
	case 1:
		return domains[(r >> 3) % ARRAY_SIZE(domains)] | (r >> 16 & 7) << 16;
	case 2:
		return (u32)(ulong)args[any(4)];
	case 3:
		return (u32)(ulong)args[any(4)] + ARGS_BYTES - any(16);
	case 4:
		return frame();
	case 5:
		return frame() << 12;
	case 6:
		return wild ? 1u << (r >> 3 & 31) : 0x4000u << (r >> 3) % 18;
	default:
		return r;
	}
}

static void fill(u8 *at)
{
	u32 *w = (u32 *)at, k;
	bool wide = any(4);

	for (k = 0; k < 24; k++)
		w[k] = wide && (k & 1) ? 0 : word();
}

/* Would it end this program, or stop it for good? Wild ones do that, too, but only now and then. */
static bool fatal(u32 nr, u32 cmd)
{
	if (wild && !any(128))
		return false;
	switch (nr) {
	case __HYPERVISOR_sched_op:
		return cmd != SCHEDOP_yield && cmd != SCHEDOP_remote_shutdown && cmd < 16;
	case __HYPERVISOR_vcpu_op:
		return cmd == VCPUOP_initialise || cmd == VCPUOP_up || cmd == VCPUOP_down ||
		       cmd == VCPUOP_send_nmi;
	default:
		return nr == __HYPERVISOR_iret;
	}
}

static u32 number(void)
{
	static const u8 usual[] = { __HYPERVISOR_memory_op,
				    __HYPERVISOR_grant_table_op,
				    __HYPERVISOR_event_channel_op,
				    __HYPERVISOR_vcpu_op,
				    __HYPERVISOR_hvm_op,
				    __HYPERVISOR_sched_op,
				    __HYPERVISOR_memory_op,
				    __HYPERVISOR_grant_table_op,
				    __HYPERVISOR_event_channel_op,
				    __HYPERVISOR_set_timer_op,
				    __HYPERVISOR_xen_version,
				    __HYPERVISOR_vm_assist,
				    __HYPERVISOR_physdev_op,
				    __HYPERVISOR_domctl,
				    __HYPERVISOR_sysctl,
				    __HYPERVISOR_platform_op,
				    41 };

	return any(16) ? usual[any(sizeof(usual))] : any(64);
}

/* Elements of a list. Statuses are written to all of them: a long list goes over this program, too. */
static u32 count(void)
{
	if (any(16))
		return any(8);
	return wild ? word() : any(64);
}

/* A list of calls, as multicall takes it. */
static void list(void)
{
	static ulong entry[4][8];
	u32 i, k;

	for (i = 0; i < 4; i++) {
		u32 nr = number();

		fill(args[i]);
		entry[i][0] = fatal(nr, 0) ? __HYPERVISOR_xen_version : nr;
		entry[i][2] = any(32);
		if (fatal(nr, entry[i][2]))
			entry[i][2] = 31;
		for (k = 3; k < 8; k++)
			entry[i][k] = k == 3 ? (ulong)args[i] : k == 4 ? count() : word();
	}
	last.nr = __HYPERVISOR_multicall;
	last.cmd = (u32)entry[0][0];
	hypercall(__HYPERVISOR_multicall, (ulong)entry, any(5), 0, 0, 0);
}

static void one(void)
{
	u32 nr = number(), cmd = any(32);
	ulong arg = (ulong)args[any(4)];

	if (!any(8)) {
		list();
		return;
	}
	if (nr == __HYPERVISOR_multicall || nr == __HYPERVISOR_console_io || fatal(nr, cmd))
		return;
	fill((u8 *)arg);
	last.nr = nr;
	last.cmd = cmd;
	if (nr == __HYPERVISOR_vcpu_op)
		hypercall(nr, cmd, any(3), arg, 0, 0);
	else if (nr == __HYPERVISOR_domctl || nr == __HYPERVISOR_sysctl ||
		 nr == __HYPERVISOR_platform_op)
		hypercall(nr, arg, 0, 0, 0, 0);
	else if (nr == 41)
		hypercall(nr, any(5), any(3), arg, 0, 0);
	else
		hypercall(nr, cmd, any(16) ? arg : word(), count(), word(), word());
}

static u32 to_ms(u64 ticks)
{
	return div_u64(ticks, (u32)div_u64(plat.tsc_hz, 1000));
}

/* By the hypervisor's log: the console's ring and port may be gone by now. */
static void report(u32 seed, u64 calls)
{
	u32 i, most = 0, n;
	char text[160];

	for (i = 1; i < ARRAY_SIZE(ticks_of); i++)
		if (ticks_of[i] > ticks_of[most])
			most = i;
	n = snprint(text, sizeof(text),
		    "soak of seed %u: %llu calls, longest %u/%u %u ms, most %u %u ms\n", seed,
		    calls, longest.nr, longest.cmd, to_ms(longest.ticks), most,
		    to_ms(ticks_of[most]));
	hypercall(__HYPERVISOR_console_io, CONSOLEIO_write, n, (ulong)text, 0, 0);
}

/* Who stops for good is ended by this. */
static void set_watchdog(u32 seconds)
{
	struct sched_watchdog w = { .id = 0, .timeout = seconds };

	hypercall(__HYPERVISOR_sched_op, SCHEDOP_watchdog, (ulong)&w, 0, 0, 0);
}

/* A system that stands still while its watchdog runs. */
void hostile_hang(void)
{
	set_watchdog(cmdline_number("seconds", 5));
	for (;;)
		cpu_pause();
}

/* What a kernel that panics says. */
void hostile_crash(void)
{
	u32 seconds = cmdline_number("seconds", 0);

	while (seconds--)
		delay_us(1000000);
	xen_shutdown(SHUTDOWN_crash);
}

/*
 * A second vCPU in a state that no processor enters: long mode half switched on, in a code segment of both 64 and
 * 32 bits. SDM volume 3, 26.3.1.1; APM volume 2, 15.5.1.
 */
void hostile_entry(void)
{
	struct vcpu_hvm_context *c = (struct vcpu_hvm_context *)args[0];
	struct vcpu_hvm_x86_32 *r = &c->cpu_regs.x86_32;

	memset(c, 0, sizeof(*c));
	c->mode = VCPU_HVM_MODE_32B;
	r->cr0 = X86_CR0_PG | X86_CR0_NE | X86_CR0_PE;
	r->cr4 = X86_CR4_PAE;
	r->efer = X86_EFER_LME;
	r->cs_ar = SEG_LONG_AND_WIDE;
	r->cs_limit = ~0u;
	print("initialise: %d\n",
	      (int)hypercall(__HYPERVISOR_vcpu_op, VCPUOP_initialise, 1, (ulong)c, 0, 0));
	print("up: %d\n", (int)hypercall(__HYPERVISOR_vcpu_op, VCPUOP_up, 1, 0, 0, 0));
	delay_us(ENTRY_WAIT_US);
}

void hostile_soak(void)
{
	u64 start, end, next, calls = 0;
	u32 seconds = cmdline_number("seconds", 5), seed = cmdline_number("seed", 1);

	state = seed;
	wild = cmdline_number("wild", 0);
	set_watchdog(seconds + WATCHDOG_S);
	next = rdtsc() + plat.tsc_hz * REPORT_S;
	end = rdtsc() + plat.tsc_hz * seconds;
	while ((start = rdtsc()) < end) {
		if (start > next) {
			report(seed, calls);
			next = start + plat.tsc_hz * REPORT_S;
		}
		one();
		calls++;
		last.ticks = rdtsc() - start;
		ticks_of[last.nr % ARRAY_SIZE(ticks_of)] += last.ticks;
		if (last.ticks > longest.ticks)
			longest = last;
	}
	report(seed, calls);
}
