/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shutting down and crashing. A shutdown may be asked for in any context and with locks held, so the
 * caller only stops the vCPUs and arms a timer; the timer's function waits until none runs, marks the
 * domain shut down and tells dom0. The shutdown of dom0 is that of the machine.
 */
#include "private.h"
#include "hvm_ops.h"
#include <xen/sched.h>

#define SHUTDOWN_RETRY_NS (50 * NS_PER_US)

static struct timer exc_timer;

/* Completes one shutdown; 1 = a vCPU still runs. */
static int shutdown_finish(struct domain *d, void *arg)
{
	struct vcpu *v;
	bool *again = arg;

	if (!d->shutting_down || d->shut_down)
		return 0;
	for_each_vcpu(d, v)
		if (v->running) {
			*again = true;
			return 0;
		}
	WRITE_ONCE(d->shut_down, true);
	if (d->shutdown_code == SHUTDOWN_suspend && domain_priv(d)->suspend_port)
		evtchn_send(d, domain_priv(d)->suspend_port);
	return 0;
}

static void exc_fire(void *data)
{
	bool again = false;

	(void)data;
	domain_for_each(shutdown_finish, &again);
	if (again)
		timer_set(&exc_timer, now_ns() + SHUTDOWN_RETRY_NS);
	evtchn_send_dom0_virq(VIRQ_DOM_EXC);
}

void domain_shutdown_init(void)
{
	timer_init(&exc_timer, exc_fire, NULL, 0);
}

void domain_notify_exc(void)
{
	timer_set(&exc_timer, 0);
}

static void dom0_shutdown(unsigned int reason)
{
	switch (reason) {
	case SHUTDOWN_poweroff:
		printk(LOG_INFO "dom0 powers the machine off\n");
		machine_poweroff();
	case SHUTDOWN_reboot:
		printk(LOG_INFO "dom0 reboots the machine\n");
		machine_restart();
	case SHUTDOWN_soft_reset:
		printk(LOG_ERR
		       "dom0 asks for a soft reset (kexec), which is not supported: reboot\n");
		machine_restart();
	case SHUTDOWN_watchdog:
		printk(LOG_ERR "dom0's watchdog fired: reboot\n");
		machine_restart();
	default:
		printk(LOG_ERR "dom0 shut down with code %u: reboot\n", reason);
		machine_restart();
	}
}

void domain_shutdown(struct domain *d, unsigned int reason)
{
	if (d->is_dom0)
		dom0_shutdown(reason);
	if (__atomic_exchange_n(&d->shutting_down, true, __ATOMIC_SEQ_CST))
		return;
	d->shutdown_code = reason;
	domain_pause_nosync(d);
	domain_notify_exc();
}

void domain_resume(struct domain *d)
{
	spin_lock(&d->lock);
	if (!d->shut_down) {
		spin_unlock(&d->lock);
		return;
	}
	d->shut_down = false;
	d->shutdown_code = 0;
	d->crash_reason[0] = 0;
	domain_priv(d)->soft_reset_begun = false;
	__atomic_store_n(&d->shutting_down, false, __ATOMIC_SEQ_CST);
	spin_unlock(&d->lock);
	domain_unpause(d);
}

void domain_crash(struct domain *d, const char *fmt, ...)
{
	struct vcpu *v = current_vcpu();
	va_list ap;

	if (d->shutting_down)
		return;
	va_start(ap, fmt);
	vsnprintf(d->crash_reason, sizeof(d->crash_reason), fmt, ap);
	va_end(ap);
	printk(LOG_ERR "d%u crashed: %s\n", d->domid, d->crash_reason);
	if (v && v->domain == d)
		vcpu_dump(v);
	domain_shutdown(d, SHUTDOWN_crash);
}

void vcpu_down(struct vcpu *v)
{
	struct domain *d = v->domain;
	struct vcpu *o;
	bool last = true;

	for_each_vcpu(d, o)
		if (o != v && !(o->pause_flags & VPF_DOWN))
			last = false;
	if (last)
		domain_shutdown(d, SHUTDOWN_poweroff);
	else
		vcpu_block(v, VPF_DOWN);
}
