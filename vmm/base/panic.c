/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end of the host: the reason and a backtrace. To stop the other CPUs, what else is to be told, and what follows,
 * are the hooks' (vmm/console/panic.c): only upper rooms know the other CPUs and how to reset the machine.
 */
#include "debug.h"
#include "log.h"

void (*panic_begin_hook)(void), (*panic_end_hook)(void);

static int panic_cpu = -1;

void machine_halt(void)
{
	for (;;)
		cpu_halt();
}

/*
 * One CPU panics; a second panic of the same CPU just stops; other CPUs wait for their NMI. It comes before anything
 * is printed, which takes seconds: what another CPU does to guests' disks, to the log or to the machine's reset
 * meanwhile, it does to a host that is broken.
 */
static void panic_enter(void)
{
	int nobody = -1, me = (int)cpu_id();

	if (!__atomic_compare_exchange_n(&panic_cpu, &nobody, me, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST)) {
		if (nobody == me)
			machine_halt();
		for (;;)
			cpu_relax();
	}
	if (panic_begin_hook)
		panic_begin_hook();
	log_bust_locks();
}

static void panic_rest(void) __noreturn;
static void panic_rest(void)
{
	if (panic_end_hook)
		panic_end_hook();
	machine_halt();
}

void panic(const char *fmt, ...)
{
	va_list ap;
	static char text[256];

	panic_enter();
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	printk("\nPANIC on CPU %u: %s\n", cpu_id(), text);
	backtrace_here();
	panic_rest();
}

void panic_trap(const struct trap_frame *f, const char *what)
{
	panic_enter();
	printk("\nPANIC on CPU %u: unexpected exception: %s\n", cpu_id(), what);
	trap_frame_dump(f);
	panic_rest();
}
