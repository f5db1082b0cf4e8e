/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a CPU does between two stretches of a guest: deferred work, and the idle state. The only two places with
 * interrupts open are here. The loop itself is run_loop() in vmm/boot/main.c.
 */
#include "console.h"
#include "debug.h"
#include "domain.h"
#include "vmm/cpu/cpu.h"
#include "stretch.h"
#include "publish.h"

/* One instruction with interrupts open takes everything that is pending. */
static void interrupt_window(struct cpu *c)
{
	stretch_end();
	c->in_window = true;
	cpu_open_window();
	c->in_window = false;
	stretch_begin("after the window");
}

static void idle(struct cpu *c)
{
	uint64_t start = now_ns();

	c->in_window = true;
	stretch_end();
	if (!c->softirq)
		cpu_sleep();
	c->in_window = false;
	stretch_begin("after idling");
	c->idle_ns += now_ns() - start;
}

/* again: there was some right before. What others bring without end keeps no interrupt out. */
static void deferred_work(struct cpu *c, bool again)
{
	uint32_t work = __atomic_exchange_n(&c->softirq, 0, __ATOMIC_SEQ_CST);

	stretch_doing("deferred work", work);
	if (again || (work & SOFTIRQ_IRQ_WINDOW)) {
		interrupt_window(c);
		work |= __atomic_exchange_n(&c->softirq, 0, __ATOMIC_SEQ_CST);
	}
	if (work & SOFTIRQ_CALL)
		smp_poll_calls();
	if (work & SOFTIRQ_TIMER)
		timers_run();
	if (work & SOFTIRQ_KEY)
		console_run_keys();
	if (work & SOFTIRQ_SCHED)
		schedule();
	grace_pass();
}

/* CPUs come here before the scheduler knows them (sched_init): they have no vCPU then, not even an idle one. */
struct vcpu *run_next(void)
{
	struct cpu *c = this_cpu();
	struct vcpu *v;

	for (;;) {
		for (bool again = false; c->softirq; again = true)
			deferred_work(c, again);
		v = published(c->current);
		if (v && !v->domain->is_idle)
			return v;
		idle(c);
	}
}
