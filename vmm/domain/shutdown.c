/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shutting down and crashing. A shutdown may be asked for in any context and with locks held, so the
 * caller only stops the vCPUs and arms a timer; the timer's function waits until none runs, marks the
 * domain shut down and tells dom0. The shutdown of dom0 is that of the machine.
 *
 * Several vCPUs, device models and tools may ask at once: one of them takes the shutdown (shutdown_taken), writes down
 * code and reason, and publishes it (shutting_down); the others' requests are forgotten, whatever their reason.
 */
#include "internal.h"
#include "hvm_ops.h"
#include <xen/sched.h>

#define SHUTDOWN_RETRY_NS (50 * NS_PER_US)

static void exc_fire(void *data);
static struct timer exc_timer = TIMER_INIT(exc_fire, NULL);

/* Completes one shutdown; 1 = a vCPU still runs. */
static int shutdown_finish(struct domain *d, void *arg)
{
	unsigned int port = READ_ONCE(domain_priv(d)->suspend_port);
	struct vcpu *v;
	bool *again = arg;

	if (!published(d->shutting_down) || READ_ONCE(d->shut_down))
		return 0;
	for_each_vcpu(d, v)
		if (published(v->running)) {
			*again = true;
			return 0;
		}
	WRITE_ONCE(d->shut_down, true);
	if (READ_ONCE(d->shutdown_code) == SHUTDOWN_suspend && port)
		evtchn_send(d, port);
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

/* Only one caller may shut d down until it is resumed. */
static bool take_shutdown(struct domain *d)
{
	return !__atomic_exchange_n(&d->shutdown_taken, true, __ATOMIC_SEQ_CST);
}

/* The caller has taken it, and written the reason if there is one. */
static void begin_shutdown(struct domain *d, unsigned int code)
{
	unsigned int none = SHUTDOWN_NO_CODE;

	/* A code that the guest gave in advance counts (SCHEDOP_shutdown_code). */
	__atomic_compare_exchange_n(&d->shutdown_code, &none, code, false, __ATOMIC_SEQ_CST,
				    __ATOMIC_RELAXED);
	publish(d->shutting_down, true);
	domain_pause_nosync(d);
	domain_notify_exc();
}

void domain_shutdown(struct domain *d, unsigned int reason)
{
	if (d->is_dom0)
		dom0_shutdown(reason);
	if (take_shutdown(d))
		begin_shutdown(d, reason);
}

void domain_shutdown_code(struct domain *d, unsigned int code)
{
	unsigned int none = SHUTDOWN_NO_CODE;

	__atomic_compare_exchange_n(&d->shutdown_code, &none, code, false, __ATOMIC_SEQ_CST,
				    __ATOMIC_RELAXED);
}

void domain_resume(struct domain *d)
{
	spin_lock(&d->lock);
	if (!d->shut_down) {
		spin_unlock(&d->lock);
		return;
	}
	WRITE_ONCE(d->shut_down, false);
	WRITE_ONCE(d->shutdown_code, SHUTDOWN_NO_CODE);
	WRITE_ONCE(d->shutting_down, false);
	domain_priv(d)->soft_reset_begun = false;
	/* Last: from here on it may be taken, and a reason written, again. */
	publish(d->shutdown_taken, false);
	spin_unlock(&d->lock);
	domain_unpause(d);
}

const char *domain_crash_reason(const struct domain *d)
{
	if (!published(d->shutting_down) || READ_ONCE(d->shutdown_code) != SHUTDOWN_crash)
		return "";
	return d->crash_reason;
}

void domain_crash(struct domain *d, const char *fmt, ...)
{
	struct vcpu *v = current_vcpu();
	va_list ap;

	if (!take_shutdown(d))
		return;
	va_start(ap, fmt);
	vsnprintf(d->crash_reason, sizeof(d->crash_reason), fmt, ap);
	va_end(ap);
	printk(LOG_ERR "d%u crashed: %s\n", d->domid, d->crash_reason);
	if (v && v->domain == d)
		guest_ops->dump(v);
	if (d->is_dom0)
		dom0_shutdown(SHUTDOWN_crash);
	begin_shutdown(d, SHUTDOWN_crash);
}

static bool all_down(const struct domain *d)
{
	struct vcpu *v;

	for_each_vcpu(d, v)
		if (!(__atomic_load_n(&v->pause_flags, __ATOMIC_SEQ_CST) & VPF_DOWN))
			return false;
	return true;
}

void vcpu_down(struct vcpu *v)
{
	/* The own flag comes first: of vCPUs that go down at once, the one that is last sees all of them. */
	vcpu_block(v, VPF_DOWN);
	if (all_down(v->domain))
		domain_shutdown(v->domain, SHUTDOWN_poweroff);
}
