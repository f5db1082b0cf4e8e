// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A second look at blocked vCPUs, twenty times a second: one that sleeps although an interrupt or event waits
 * for it is woken, and it is said, because its wake-up was lost somewhere. Costs nothing to the paths that do
 * the waking.
 */
#include "domain.h"
#include "hvm_ops.h"

#define PERIOD_NS (50 * NS_PER_MS)

static struct timer check_timer;
static unsigned int lost;

static int check_domain(struct domain *d, void *arg)
{
	struct vcpu *v;

	(void)arg;
	for_each_vcpu(d, v) {
		if ((v->pause_flags != VPF_BLOCKED && v->pause_flags != VPF_DONATES) ||
		    v->running || !hvm_intr_pending(v))
			continue;
		if (lost++ < 10)
			printk(LOG_WARN "d%uv%u slept with an interrupt waiting; woken\n", d->domid,
			       v->id);
		vcpu_wake(v, VCPU_ATT_IRQ | VCPU_ATT_EVENT);
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
