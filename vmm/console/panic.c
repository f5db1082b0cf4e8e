/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end of the host, before and after the reason and the backtrace (vmm/base/panic.c): the other CPUs are stopped by NMI;
 * what they were doing is told, then follows a reset after five seconds, or a stop with the option `noreboot`. Also
 * the snapshots that the debug key 'd' takes by the same NMI.
 */
#include "boot.h"
#include "internal.h"
#include "debug.h"
#include "domain.h"
#include "vmm/emulate/x86_regs.h"

#define REBOOT_AFTER_S 5
#define NMI_WAIT_MS    1000
#define ICR_NMI	       (4U << 8)

struct snapshot {
	volatile bool wanted, taken;
	struct trap_frame frame;
	uint64_t trace[16];
	unsigned int depth;
};

static struct snapshot snapshot[MAX_CPUS];
static volatile int panicking = -1; /* the CPU; all others stop */
static bool noreboot;

static int parse_noreboot(const char *value)
{
	return parse_bool(value, &noreboot);
}
BOOT_OPTION(noreboot, "noreboot", parse_noreboot,
	    "stop after a panic instead of resetting the machine");

static void take_snapshot(struct snapshot *s, const struct trap_frame *f)
{
	s->frame = *f;
	s->depth = backtrace_collect(f->rbp, f->rsp, s->trace, ARRAY_SIZE(s->trace));
	s->wanted = false;
	__atomic_store_n(&s->taken, true, __ATOMIC_RELEASE);
}

/* What an NMI is for on this CPU; true when it was wanted here. */
static bool debug_nmi(const struct trap_frame *f)
{
	struct snapshot *s = &snapshot[cpu_id()];
	bool ours = s->wanted;

	if (ours)
		take_snapshot(s, f);
	if (panicking >= 0 && panicking != (int)cpu_id())
		machine_halt();
	return ours;
}

/* By the TSC alone: time may not be set up yet. */
static void wait_for_snapshot(struct snapshot *s)
{
	uint64_t start = rdtsc(), limit = (tsc_khz ? tsc_khz : 3000000) * NMI_WAIT_MS;

	while (!__atomic_load_n(&s->taken, __ATOMIC_ACQUIRE) && rdtsc() - start < limit)
		cpu_relax();
}

static void want_snapshot(unsigned int cpu)
{
	struct snapshot *s = &snapshot[cpu];

	s->taken = false;
	__atomic_store_n(&s->wanted, true, __ATOMIC_SEQ_CST);
	lapic_send_icr(cpus[cpu]->apic_id, ICR_NMI);
}

static void print_snapshot(unsigned int cpu)
{
	struct snapshot *s = &snapshot[cpu];

	wait_for_snapshot(s);
	if (!s->taken) {
		printk("CPU %u does not answer\n", cpu);
		return;
	}
	printk("CPU %u: softirq %#x\n", cpu, cpus[cpu]->softirq);
	trap_frame_registers(&s->frame);
	backtrace_print(s->trace, s->depth);
}

static void panic_reboot(void) __noreturn;
static void panic_reboot(void)
{
	uint64_t start = rdtsc();

	if (noreboot) {
		printk("The host stays stopped (noreboot).\n");
		machine_halt();
	}
	printk("Reset in %d seconds.\n", REBOOT_AFTER_S);
	while (rdtsc() - start < (tsc_khz ? tsc_khz : 3000000) * 1000ULL * REBOOT_AFTER_S)
		cpu_relax();
	machine_restart();
}

static void panic_begin(void)
{
	unsigned int cpu;

	panicking = (int)cpu_id();
	for_each_cpu(cpu)
		if (cpu != cpu_id())
			want_snapshot(cpu);
}

static void panic_end(void)
{
	const struct vcpu *v = this_cpu()->current;
	unsigned int cpu;

	printk("  cr0 %016lx cr2 %016lx cr3 %016lx cr4 %016lx\n", read_cr0(), read_cr2(),
	       read_cr3(), read_cr4());
	if (v && v->domain)
		printk("  current: domain %u vCPU %u\n", v->domain->domid, v->id);
	for_each_cpu(cpu)
		if (cpu != cpu_id())
			print_snapshot(cpu);
	if (trace_on)
		trace_dump(32);
	panic_reboot();
}

void panic_init(void)
{
	panic_begin_hook = panic_begin;
	panic_end_hook = panic_end;
	nmi_hook = debug_nmi;
}

static bool key_cpus(struct key_walk *w)
{
	unsigned int cpu = w->at++;

	if (cpu == cpu_id()) {
		printk("CPU %u (this one):\n", cpu);
		backtrace_here();
	} else {
		want_snapshot(cpu);
		print_snapshot(cpu);
	}
	return w->at < nr_cpus;
}
DEBUG_KEY_PIECES('d', key_cpus, "registers and backtraces of all CPUs");
