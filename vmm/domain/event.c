/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event channels: the port table and sending (xen/event_channel.h). What opens and closes ports is in
 * event_ops.c, how a pending port is shown to the guest in event_2l.c and event_fifo.c. Everything about a port is under its domain's event_lock;
 * two domains' locks are taken in order of domid; sending takes them one after the other and checks
 * that the two ends still belong together.
 */
#include "internal.h"
#include "vlapic.h"

struct evtchn *evtchn_port(struct domain *d, unsigned int port)
{
	struct evtchn *b;

	if (port >= d->evtchn->nr_buckets * EVTCHN_BUCKET)
		return NULL;
	b = d->evtchn->bucket[port / EVTCHN_BUCKET];
	return b ? b + port % EVTCHN_BUCKET : NULL;
}

unsigned int evtchn_nr_ports(const struct domain *d)
{
	return min(d->max_evtchn_port + 1, d->evtchn->nr_buckets * EVTCHN_BUCKET);
}

int evtchn_init(struct domain *d, unsigned int max_port)
{
	struct evtchn_table *t = xzalloc(struct evtchn_table);

	if (!t)
		return -ENOMEM;
	d->evtchn = t;
	d->max_evtchn_port = min(max_port, EVTCHN_FIFO_NR_CHANNELS - 1U);
	t->ops = &evtchn_ops_2l;
	t->reset = 1;
	t->nr_buckets = d->max_evtchn_port / EVTCHN_BUCKET + 1;
	t->bucket = xzalloc_array(struct evtchn *, t->nr_buckets);
	t->used = xzalloc_array(uint16_t, t->nr_buckets);
	if (!t->bucket || !t->used)
		return -ENOMEM;
	t->used[0] = 1;
	return 0;
}

void evtchn_fini(struct domain *d)
{
	unsigned int i;

	if (!d->evtchn)
		return;
	for (i = 0; d->evtchn->bucket && i < d->evtchn->nr_buckets; i++)
		xfree(d->evtchn->bucket[i]);
	xfree(d->evtchn->bucket);
	xfree(d->evtchn->used);
	xfree(d->evtchn);
	d->evtchn = NULL;
}

/*
 * The vector is raised again even if the flag was set: what was raised while the local APIC was off, or
 * before an INIT, is lost, and one upcall too many does no harm.
 */
void evtchn_mark_vcpu(struct vcpu *v)
{
	uint8_t vector = READ_ONCE(v->upcall_vector);

	__atomic_store_n(&vcpu_info(v)->evtchn_upcall_pending, 1, __ATOMIC_SEQ_CST);
	if (vector)
		guest_ops->upcall(v, vector);
	vcpu_wake(v, VCPU_ATT_EVENT);
}

bool evtchn_upcall_pending(struct vcpu *v)
{
	return READ_ONCE(vcpu_info(v)->evtchn_upcall_pending);
}

/* Wake vCPUs in SCHEDOP_poll that wait for this port; poll_port -1 = for several. */
static void wake_pollers(struct domain *d, unsigned int port)
{
	struct vcpu *v;

	for_each_vcpu(d, v) {
		int polled = READ_ONCE(v->poll_port);

		if ((v->pause_flags & VPF_POLL) && (polled == (int)port || polled < 0))
			vcpu_wake(v, 0);
	}
}

void evtchn_raise(struct domain *d, struct evtchn *e)
{
	d->evtchn->ops->set_pending(d, e);
	wake_pollers(d, e->port);
}

/* The far end of (ld, lport), if it still is one. */
static int send_remote(struct domain *ld, unsigned int lport, struct domain *rd, unsigned int rport)
{
	evtchn_consumer_fn fn = NULL;
	struct vcpu *v = NULL;
	struct evtchn *e;

	spin_lock(&rd->event_lock);
	e = evtchn_port(rd, rport);
	if (e && e->state == ECS_INTERDOMAIN && e->remote == ld && e->remote_port == lport) {
		if (e->consumer) {
			fn = e->consumer;
			v = domain_vcpu(rd, e->vcpu);
		} else {
			evtchn_raise(rd, e);
		}
	}
	spin_unlock(&rd->event_lock);
	if (fn)
		fn(v, rport);
	return 0;
}

static int send_port(struct domain *d, unsigned int port, bool vmm)
{
	struct domain *rd = NULL;
	unsigned int rport = 0;
	struct evtchn *e;
	int rc = 0;

	spin_lock(&d->event_lock);
	e = evtchn_port(d, port);
	if (!e || (e->consumer && !vmm)) {
		rc = -EINVAL;
	} else if (e->state == ECS_INTERDOMAIN) {
		rd = domain_get(e->remote) ? e->remote : NULL;
		rport = e->remote_port;
	} else if (e->state == ECS_IPI) {
		evtchn_raise(d, e);
	} else if (e->state != ECS_UNBOUND) {
		rc = -EINVAL;
	}
	spin_unlock(&d->event_lock);
	if (rd) {
		send_remote(d, port, rd, rport);
		domain_put(rd);
	}
	return rc;
}

int evtchn_send(struct domain *d, unsigned int port)
{
	return send_port(d, port, false);
}

void evtchn_notify_vmm(struct domain *d, unsigned int port)
{
	send_port(d, port, true);
}

static bool send_virq(struct domain *d, struct vcpu *v, unsigned int virq)
{
	struct evtchn *e;
	bool taken = false;

	spin_lock(&d->event_lock);
	e = v->virq_port[virq] ? evtchn_port(d, v->virq_port[virq]) : NULL;
	if (e && e->state == ECS_VIRQ) {
		taken = !d->evtchn->ops->is_pending(d, e) && !d->evtchn->ops->is_masked(d, e);
		evtchn_raise(d, e);
	}
	spin_unlock(&d->event_lock);
	return taken;
}

bool evtchn_send_virq(struct vcpu *v, unsigned int virq)
{
	return send_virq(v->domain, v, virq);
}

static void evtchn_send_global_virq(struct domain *d, unsigned int virq)
{
	struct vcpu *v = domain_vcpu(d, 0);

	if (v)
		send_virq(d, v, virq);
}

/* VIRQs of dom0 may be raised anywhere, so a timer sends them. */
static void dom0_virq_fire(void *data);
static struct timer dom0_virq_timer = TIMER_INIT(dom0_virq_fire, NULL);
static uint32_t dom0_virqs; /* atomic */

static void dom0_virq_fire(void *data)
{
	uint32_t pending = __atomic_exchange_n(&dom0_virqs, 0, __ATOMIC_SEQ_CST);

	(void)data;
	while (pending) {
		evtchn_send_global_virq(dom0, ffs64(pending) - 1);
		pending &= pending - 1;
	}
}

void evtchn_send_dom0_virq(unsigned int virq)
{
	if (!published(dom0))
		return;
	if (!__atomic_fetch_or(&dom0_virqs, BIT(virq), __ATOMIC_SEQ_CST))
		timer_set(&dom0_virq_timer, 0);
}
