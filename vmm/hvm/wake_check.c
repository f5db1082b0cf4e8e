// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Debug builds look ten times a second whether a vCPU sleeps while an interrupt or event waits for it, and say so. The
 * protocols of tests/model see to it that none does; release builds do not look. One that a waker is just about to wake
 * looks the same, so it counts when it is found twice and has not run in between. A guest that writes into its own
 * vcpu_info can bring it about, so it is a message and a counter (debug key c), no panic.
 */
#include "log.h"
#include "debug.h"
#include "domain.h"
#include "internal.h"

#define PERIOD_NS (100 * NS_PER_MS)

COUNTER(wakes_lost);

static struct timer check_timer;

static bool sleeps_on(struct vcpu *v)
{
	return (v->pause_flags == VPF_BLOCKED || v->pause_flags == VPF_DONATES) && !v->running &&
	       !v->pause_count && !v->domain->pause_count && !v->domain->dying &&
	       !v->hvm.no_eoi /* looking would end its interrupt, which is its own business */ &&
	       hvm_must_wake(v);
}

static int check_domain(struct domain *d, void *arg)
{
	struct vcpu *v;

	(void)arg;
	for_each_vcpu(d, v) {
		if (!sleeps_on(v)) {
			v->slept_at_exit = 0;
		} else if (v->slept_at_exit != v->exits + 1) {
			v->slept_at_exit = v->exits + 1;
		} else {
			v->slept_at_exit = 0;
			counter_inc(wakes_lost);
			guest_printk("d%uv%u slept while an interrupt waited for it\n", d->domid,
				     v->id);
			vcpu_wake(v, VCPU_ATT_IRQ | VCPU_ATT_EVENT);
		}
	}
	return 0;
}

static void check_all(void *data)
{
	(void)data;
	domain_for_each(check_domain, NULL);
	timer_set(&check_timer, now_ns() + PERIOD_NS);
}

void wake_check_start(void)
{
	timer_init(&check_timer, check_all, NULL, 0);
	timer_set(&check_timer, now_ns() + PERIOD_NS);
}
