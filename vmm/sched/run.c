/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a CPU does between two stretches of a guest: deferred work, and the idle state. The only two places with
 * interrupts open are here. The loop itself is run_loop() in vmm/boot/main.c.
 */
#include "console.h"
#include "debug.h"
#include "domain.h"
#include "platform.h"
#include "stretch.h"
#include "publish.h"

/* One instruction with interrupts open takes everything that is pending. */
static void interrupt_window(struct cpu *c)
{
	stretch_end();
	c->in_window = true;
	__asm__ volatile("sti; nop; nop; cli" ::: "memory");
	c->in_window = false;
	stretch_begin("after the window");
}

static void idle(struct cpu *c)
{
	uint64_t start = now_ns();

	c->in_window = true;
	/* STI's shadow covers HLT: a kick between the test and HLT still wakes it */
	stretch_end();
	if (!c->softirq)
		__asm__ volatile("sti; hlt; cli" ::: "memory");
	c->in_window = false;
	stretch_begin("after idling");
	c->idle_ns += now_ns() - start;
}

static void deferred_work(struct cpu *c)
{
	uint32_t work = __atomic_exchange_n(&c->softirq, 0, __ATOMIC_SEQ_CST);

	stretch_doing("deferred work", work);
	if (work & SOFTIRQ_IRQ_WINDOW) {
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

struct vcpu *run_next(void)
{
	struct cpu *c = this_cpu();

	for (;;) {
		while (c->softirq)
			deferred_work(c);
		if (c->current != c->idle)
			return c->current;
		idle(c);
	}
}
