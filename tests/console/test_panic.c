// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The end of the host with three CPUs: the others stop before anything is printed, whatever they are at; the one that
 * panics gets to the reset, also when an NMI comes to it.
 */
#include "world.h"
#include "debug.h"

#define NR_CPUS 3U

static struct cpu others[NR_CPUS];
static void *back[5]; /* of whom a CPU that stops, or a reset, does not return to */
static bool stopped[NR_CPUS], deaf[NR_CPUS], reset;
static size_t told_at_nmi;

unsigned int nr_cpus = 1;
struct cpu *cpus[MAX_CPUS];
bool trace_on;
uint64_t tsc_khz = 1000;
bool (*nmi_hook)(const struct trap_frame *f);

void stopped_cpu(void)
{
	stopped[cpu_id()] = true;
	__builtin_longjmp(back, 1);
}

void machine_restart(void)
{
	reset = true;
	__builtin_longjmp(back, 1);
}

void trace_dump(unsigned int last_per_cpu)
{
	(void)last_per_cpu;
}

void backtrace_here(void)
{
	printk("a backtrace\n");
}

void backtrace_print(const uint64_t *addr, unsigned int n)
{
	(void)addr;
	(void)n;
}

unsigned int backtrace_collect(uint64_t rbp, uint64_t rsp, uint64_t *out, unsigned int max)
{
	(void)rbp;
	(void)rsp;
	(void)out;
	(void)max;
	return 0;
}

void trap_frame_registers(const struct trap_frame *f)
{
	printk("  rip %lx\n", f->rip);
}

void trap_frame_dump(const struct trap_frame *f)
{
	(void)f;
}

/* An NMI on another CPU, which is there at once. */
static void nmi_on(unsigned int cpu)
{
	struct trap_frame f = { .rip = 0x1000 * cpu };
	unsigned int me = cpu_id();
	void *before[5];

	memcpy(before, back, sizeof(before));
	world_cpu(cpu);
	if (!__builtin_setjmp(back))
		nmi_hook(&f);
	world_cpu(me);
	memcpy(back, before, sizeof(back));
}

void lapic_send_icr(uint32_t apic_id, uint32_t icr_low)
{
	EXPECT(icr_low == 4U << 8);
	told_at_nmi = uart.len;
	if (deaf[apic_id])
		return;
	nmi_on(apic_id);
}

static void machine(void)
{
	world_start("console=com1");
	for (unsigned int i = 0; i < NR_CPUS; i++) {
		others[i].apic_id = i;
		cpus[i] = &others[i];
	}
	nr_cpus = NR_CPUS;
	world_tsc_step = 1000;
	panic_init();
}

/* panic() on CPU `cpu`, which ends in a reset or stops. */
static void panic_on(unsigned int cpu)
{
	world_cpu(cpu);
	if (!__builtin_setjmp(back))
		panic("the end of CPU %u", cpu);
	world_cpu(0);
}

static void stops_all(void)
{
	machine();
	uart.len = 0;
	panic_on(1);
	EXPECT(stopped[0] && !stopped[1] && stopped[2] && reset);
	EXPECT(!told_at_nmi);
	EXPECT(strstr(world_sent(), "PANIC on CPU 1: the end of CPU 1\na backtrace\n"));
	EXPECT(strstr(world_sent(), "CPU 0: softirq 0\n  rip 0\nCPU 2: softirq 0\n  rip 2000\n"));
}

TEST(panic_stops_others_first)
{
	unit_isolated(stops_all);
}

/* One that hears no NMI is told of; the reset comes all the same. */
static void does_not_hear(void)
{
	machine();
	deaf[2] = true;
	panic_on(0);
	EXPECT(stopped[1] && !stopped[2] && reset);
	EXPECT(strstr(world_sent(), "CPU 2 does not answer\n"));
}

TEST(panic_beside_a_dead_cpu)
{
	unit_isolated(does_not_hear);
}

/* Somebody presses the NMI button, or another CPU's debug key asks, while the panic is printed. */
static void hears_an_nmi(void)
{
	struct trap_frame f = { 0 };

	machine();
	world_cpu(1);
	panic_begin_hook();
	if (!__builtin_setjmp(back))
		nmi_hook(&f);
	EXPECT(!stopped[1]);
	EXPECT(stopped[0] && stopped[2]);
}

TEST(panic_goes_on_after_an_nmi)
{
	unit_isolated(hears_an_nmi);
}
