// SPDX-License-Identifier: GPL-2.0-or-later
/* The run loop of a CPU while others set up what it is to run: what it sees each time that it wakes up. */
#include "sim.h"
#include "cpu.h"

static void sleeps(void);
static void opens(void);

#define cpu_sleep	sleeps
#define cpu_open_window opens
#include "vmm/sched/run.c" /* NOLINT(bugprone-suspicious-include): with the instructions above */

static struct cpu cpu_here;
static struct vcpu idler = { .domain = &idle_domain };
static struct domain domain;
static struct vcpu guest = { .domain = &domain };
static unsigned int wakes, windows, more_work;

void console_run_keys(void)
{
}

/* Another CPU has a call for this one, again and again. */
void grace_pass(void)
{
	if (more_work && --more_work)
		this_cpu_raise(SOFTIRQ_CALL);
}

static void opens(void)
{
	windows++;
}

/* As sched_init() writes them, in either order, and schedule(). */
static void sleeps(void)
{
	switch (wakes++) {
	case 0:
		cpu_here.idle = &idler;
		break;
	case 1:
		cpu_here.idle = NULL;
		cpu_here.current = &idler;
		break;
	case 2:
		cpu_here.idle = &idler;
		break;
	case 3:
		cpu_here.current = &guest;
		break;
	default:
		panic("CPU sleeps beside a guest");
	}
}

TEST(cpu_waits_for_its_first_vcpu)
{
	struct cpu *before = sim_cpu;

	sim_cpu = &cpu_here;
	EXPECT(run_next() == &guest);
	EXPECT(wakes == 4);
	sim_cpu = before;
}

TEST(work_without_end_keeps_no_interrupt_out)
{
	struct cpu *before = sim_cpu;

	sim_cpu = &cpu_here;
	cpu_here.current = &guest;
	cpu_here.softirq = SOFTIRQ_CALL;
	more_work = 10;
	windows = 0;
	EXPECT(run_next() == &guest);
	EXPECT(!more_work);
	EXPECT(windows == 9);
	cpu_here.current = NULL;
	sim_cpu = before;
}
