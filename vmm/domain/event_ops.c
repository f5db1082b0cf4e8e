/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event channels: the operations that change a port's state (xen/event_channel.h), and the VMM's own
 * ports. Where two domains are concerned, both event_locks are held, in order of domid.
 */
#include "internal.h"
#include "abi.h"

#define DESTROY_BATCH 128U
/* The enum virq members that are per vCPU; all others are global. */
#define VIRQS_PER_VCPU (BIT(VIRQ_TIMER) | BIT(VIRQ_DEBUG) | BIT(VIRQ_XENOPROF) | BIT(VIRQ_XENPMU))

static bool virq_is_global(unsigned int virq)
{
	return !(VIRQS_PER_VCPU & BIT(virq));
}

static struct evtchn *bucket_alloc(unsigned int first)
{
	struct evtchn *b = xzalloc_array(struct evtchn, EVTCHN_BUCKET);
	unsigned int i;

	for (i = 0; b && i < EVTCHN_BUCKET; i++)
		b[i].port = first + i;
	return b;
}

/* The first free port of a bucket that has one, or NULL: no memory, or none below `end`. */
static struct evtchn *free_port(struct evtchn_table *t, unsigned int b, unsigned int end)
{
	unsigned int first = b * EVTCHN_BUCKET;

	if (!t->bucket[b])
		t->bucket[b] = bucket_alloc(first);
	for (unsigned int i = first ? 0 : 1; t->bucket[b] && i < EVTCHN_BUCKET; i++)
		if (first + i < end && t->bucket[b][i].state == ECS_FREE)
			return &t->bucket[b][i];
	return NULL;
}

/* A free port, state RESERVED; event_lock held. There may be many: buckets without one are not gone over. */
static int alloc_port(struct domain *d, struct evtchn **out)
{
	unsigned int b = 0, end = min(evtchn_nr_ports(d), d->evtchn->ops->max_port(d));
	struct evtchn_table *t = d->evtchn;
	struct evtchn *e;

	if (READ_ONCE(d->dying) || !domain_vcpu(d, 0))
		return -EINVAL; /* nobody is there, or not yet, to be told */
	while (b * EVTCHN_BUCKET < end && t->used[b] == EVTCHN_BUCKET)
		b++;
	if (b * EVTCHN_BUCKET >= end)
		return -ENOSPC;
	e = free_port(t, b, end);
	if (!e)
		return t->bucket[b] ? -ENOSPC : -ENOMEM;
	t->used[b]++;
	e->state = ECS_RESERVED;
	e->vcpu = 0;
	e->priority = EVTCHN_FIFO_PRIORITY_DEFAULT;
	e->consumer = NULL;
	e->remote = NULL;
	t->ops->clear_pending(d, e);
	*out = e;
	return (int)e->port;
}

static void lock_two(struct domain *a, struct domain *b)
{
	if (a->domid > b->domid) {
		spin_lock(&b->event_lock);
		spin_lock(&a->event_lock);
		return;
	}
	spin_lock(&a->event_lock);
	if (a != b)
		spin_lock(&b->event_lock);
}

static void unlock_two(struct domain *a, struct domain *b)
{
	spin_unlock(&a->event_lock);
	if (a != b)
		spin_unlock(&b->event_lock);
}

int evtchn_alloc_unbound(struct evtchn_alloc_unbound *op)
{
	struct domain *d = domain_get_for_op(op->dom);
	struct evtchn *e;
	int port;

	if (!d)
		return -ESRCH;
	if (d != current_domain() && !current_domain()->is_dom0) {
		domain_put(d);
		return -EPERM;
	}
	spin_lock(&d->event_lock);
	port = alloc_port(d, &e);
	if (port > 0) {
		e->remote_domid =
			op->remote_dom == DOMID_SELF ? current_domain()->domid : op->remote_dom;
		e->state = ECS_UNBOUND;
		op->port = (evtchn_port_t)port;
	}
	spin_unlock(&d->event_lock);
	domain_put(d);
	return port < 0 ? port : 0;
}

/* Both locks held. */
static int bind_ends(struct domain *ld, struct domain *rd, unsigned int rport, evtchn_port_t *out)
{
	struct evtchn *r = evtchn_port(rd, rport), *l;
	int port;

	if (!r || r->state != ECS_UNBOUND || r->remote_domid != ld->domid)
		return -EINVAL;
	port = alloc_port(ld, &l);
	if (port < 0)
		return port;
	if (l == r)
		return -EINVAL;
	l->remote = rd;
	l->remote_port = rport;
	l->state = ECS_INTERDOMAIN;
	r->remote = ld;
	r->remote_port = (uint32_t)port;
	r->state = ECS_INTERDOMAIN;
	/* The other side may have sent before this one was there: never lose that. */
	evtchn_raise(ld, l);
	*out = (evtchn_port_t)port;
	return 0;
}

int evtchn_bind_interdomain(struct domain *d, struct evtchn_bind_interdomain *op)
{
	struct domain *rd = domain_get_for_op(op->remote_dom);
	int rc;

	if (!rd)
		return -ESRCH;
	lock_two(d, rd);
	rc = READ_ONCE(rd->dying) ? -EINVAL : bind_ends(d, rd, op->remote_port, &op->local_port);
	unlock_two(d, rd);
	domain_put(rd);
	return rc;
}

int evtchn_bind_virq(struct domain *d, struct evtchn_bind_virq *op)
{
	struct vcpu *v = domain_vcpu(d, op->vcpu);
	struct evtchn *e;
	int port = -EINVAL;

	if (op->virq >= ARRAY_SIZE(v->virq_port) || (virq_is_global(op->virq) && op->vcpu))
		return -EINVAL;
	if (!v)
		return -ENOENT;
	spin_lock(&d->event_lock);
	if (v->virq_port[op->virq])
		port = -EEXIST;
	else
		port = alloc_port(d, &e);
	if (port > 0) {
		e->state = ECS_VIRQ;
		e->virq = (uint16_t)op->virq;
		e->vcpu = (uint16_t)op->vcpu;
		v->virq_port[op->virq] = (uint32_t)port;
		op->port = (evtchn_port_t)port;
	}
	spin_unlock(&d->event_lock);
	return port < 0 ? port : 0;
}

int evtchn_bind_ipi(struct domain *d, struct evtchn_bind_ipi *op)
{
	struct evtchn *e;
	int port;

	if (!domain_vcpu(d, op->vcpu))
		return -ENOENT;
	spin_lock(&d->event_lock);
	port = alloc_port(d, &e);
	if (port > 0) {
		e->state = ECS_IPI;
		e->vcpu = (uint16_t)op->vcpu;
		op->port = (evtchn_port_t)port;
	}
	spin_unlock(&d->event_lock);
	return port < 0 ? port : 0;
}

/* Back to FREE; the lock of d and, for an interdomain port, of its remote are held. */
static void close_locked(struct domain *d, struct evtchn *e)
{
	struct vcpu *v;

	if (e->state == ECS_INTERDOMAIN) {
		struct evtchn *r = evtchn_port(e->remote, e->remote_port);

		r->state = ECS_UNBOUND;
		r->remote_domid = d->domid;
		r->remote = NULL;
	} else if (e->state == ECS_VIRQ) {
		for_each_vcpu(d, v)
			if (v->virq_port[e->virq] == e->port)
				v->virq_port[e->virq] = 0;
	}
	d->evtchn->ops->clear_pending(d, e);
	e->remote = NULL;
	e->consumer = NULL;
	e->state = ECS_FREE;
	d->evtchn->used[e->port / EVTCHN_BUCKET]--;
}

/* Finds and locks the two domains whose locks closing this port needs. */
static int close_port(struct domain *d, unsigned int port, bool vmm)
{
	struct domain *rd;
	struct evtchn *e;

	for (;;) {
		spin_lock(&d->event_lock);
		e = evtchn_port(d, port);
		if (!e || e->state <= ECS_RESERVED || (e->consumer && !vmm)) {
			spin_unlock(&d->event_lock);
			return -EINVAL;
		}
		rd = e->state == ECS_INTERDOMAIN ? e->remote : d;
		BUG_ON(!domain_get(rd)); /* its ports are closed before a domain goes */
		spin_unlock(&d->event_lock);

		lock_two(d, rd);
		if (e->state != ECS_INTERDOMAIN || e->remote == rd) {
			/* Another vCPU may have closed it, and the VMM have it by now. */
			if (e->state > ECS_RESERVED && (vmm || !e->consumer))
				close_locked(d, e);
			unlock_two(d, rd);
			domain_put(rd);
			return 0;
		}
		unlock_two(d, rd);
		domain_put(rd);
	}
}

int evtchn_close_guest(struct domain *d, unsigned int port)
{
	return close_port(d, port, false);
}

int evtchn_status(struct evtchn_status *op)
{
	struct domain *d = domain_get_for_op(op->dom);
	struct evtchn *e;
	int rc = 0;

	if (!d)
		return -ESRCH;
	if (d != current_domain() && !current_domain()->is_dom0) {
		domain_put(d);
		return -EPERM;
	}
	spin_lock(&d->event_lock);
	e = evtchn_port(d, op->port);
	if (!e && op->port >= evtchn_nr_ports(d)) {
		rc = -EINVAL;
	} else {
		op->status = EVTCHNSTAT_closed;
		op->vcpu = e ? e->vcpu : 0;
		if (e && e->state == ECS_UNBOUND) {
			op->status = EVTCHNSTAT_unbound;
			op->u.unbound.dom = e->remote_domid;
		} else if (e && e->state == ECS_INTERDOMAIN) {
			op->status = EVTCHNSTAT_interdomain;
			op->u.interdomain.dom = e->remote->domid;
			op->u.interdomain.port = e->remote_port;
		} else if (e && e->state == ECS_VIRQ) {
			op->status = EVTCHNSTAT_virq;
			op->u.virq = e->virq;
		} else if (e && e->state == ECS_IPI) {
			op->status = EVTCHNSTAT_ipi;
		}
	}
	spin_unlock(&d->event_lock);
	domain_put(d);
	return rc;
}

int evtchn_bind_vcpu(struct domain *d, unsigned int port, unsigned int vcpu)
{
	struct evtchn *e;
	int rc = -EINVAL;

	if (!domain_vcpu(d, vcpu))
		return -ENOENT;
	spin_lock(&d->event_lock);
	e = evtchn_port(d, port);
	if (e && !e->consumer &&
	    (e->state == ECS_UNBOUND || e->state == ECS_INTERDOMAIN ||
	     (e->state == ECS_VIRQ && virq_is_global(e->virq)))) {
		e->vcpu = (uint16_t)vcpu;
		rc = 0;
	}
	spin_unlock(&d->event_lock);
	return rc;
}

int evtchn_unmask(struct domain *d, unsigned int port)
{
	struct evtchn *e;
	int rc = -EINVAL;

	spin_lock(&d->event_lock);
	e = evtchn_port(d, port);
	if (e && e->state > ECS_RESERVED) {
		d->evtchn->ops->unmask(d, e);
		rc = 0;
	}
	spin_unlock(&d->event_lock);
	return rc;
}

int evtchn_poll_pending(struct domain *d, unsigned int port)
{
	struct evtchn *e;
	int rc = -EINVAL;

	spin_lock(&d->event_lock);
	e = evtchn_port(d, port);
	if (e)
		rc = d->evtchn->ops->is_pending(d, e);
	else if (port && port < evtchn_nr_ports(d))
		rc = 0;
	spin_unlock(&d->event_lock);
	return rc;
}

int evtchn_destroy(struct domain *d)
{
	unsigned int end = evtchn_nr_ports(d);

	while (d->evtchn->destroyed < end) {
		close_port(d, d->evtchn->destroyed++, true);
		if (!(d->evtchn->destroyed % DESTROY_BATCH) && hypercall_preempt())
			return -ERESTART;
	}
	spin_lock(&d->event_lock);
	evtchn_fifo_destroy(d);
	spin_unlock(&d->event_lock);
	return 0;
}

void evtchn_reset_anew(struct domain *d)
{
	WRITE_ONCE(d->evtchn->reset, 1);
}

/*
 * The caller has seen to it that no other vCPU of d runs, or is d itself: vCPUs that call at once share the work, and one
 * of them may be through before the others.
 */
int evtchn_reset(struct domain *d)
{
	unsigned int end = evtchn_nr_ports(d), port;
	struct evtchn_table *t = d->evtchn;

	while ((port = __atomic_fetch_add(&t->reset, 1, __ATOMIC_RELAXED)) < end) {
		close_port(d, port, false);
		if (!(port % DESTROY_BATCH) && hypercall_preempt())
			return -ERESTART;
	}
	spin_lock(&d->event_lock);
	evtchn_reset_anew(d);
	evtchn_fifo_destroy(d);
	spin_unlock(&d->event_lock);
	return 0;
}

int evtchn_alloc_vmm(struct domain *d, struct vcpu *v, domid_t remote, evtchn_consumer_fn fn)
{
	struct evtchn *e;
	int port;

	spin_lock(&d->event_lock);
	port = alloc_port(d, &e);
	if (port > 0) {
		e->state = ECS_UNBOUND;
		e->vcpu = (uint16_t)v->id;
		e->remote_domid = remote;
		e->consumer = fn;
	}
	spin_unlock(&d->event_lock);
	return port;
}

void evtchn_free_vmm(struct domain *d, unsigned int port)
{
	close_port(d, port, true);
}
