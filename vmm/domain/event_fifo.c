/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The FIFO form of event channels (xen/event_channel.h, "FIFO ABI"): an event word per port in pages
 * that the guest gives, linked into 16 queues per vCPU by priority, heads in a control block of the
 * vCPU. Every word and head is writable by the guest at any moment: what is read from it is only ever
 * used as a port number after a range check, and no loop depends on it. Called with d->event_lock.
 */
#include "internal.h"

#define WORDS_PER_PAGE	(PAGE_SIZE / sizeof(event_word_t))
#define MAX_ARRAY_PAGES (EVTCHN_FIFO_NR_CHANNELS / WORDS_PER_PAGE)
#define SET_LINK_TRIES	4U

struct evtchn_fifo {
	unsigned int nr_pages;
	struct page *page[MAX_ARRAY_PAGES]; /* writable references */
};

struct evtchn_fifo_vcpu {
	struct page *page; /* reference, holds the control block */
	struct evtchn_fifo_control_block *control;
	uint32_t tail[EVTCHN_FIFO_MAX_QUEUES]; /* 0 = empty as far as we know */
};

static event_word_t *event_word(const struct domain *d, unsigned int port)
{
	const struct evtchn_fifo *f = d->evtchn->fifo;
	unsigned int n = port / WORDS_PER_PAGE;

	if (n >= f->nr_pages)
		return NULL;
	return (event_word_t *)page_to_virt(f->page[n]) + port % WORDS_PER_PAGE;
}

/* 1 = linked, 0 = the tail is not in a queue any more, -1 = the word changed meanwhile. */
static int try_link(event_word_t *word, uint32_t port)
{
	event_word_t w = READ_ONCE(*word), n;

	if (!(w & BIT(EVTCHN_FIFO_LINKED)))
		return 0;
	n = (w & ~((event_word_t)BIT(EVTCHN_FIFO_BUSY) | EVTCHN_FIFO_LINK_MASK)) | port;
	return __atomic_compare_exchange_n(word, &w, n, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)
		       ? 1
		       : -1;
}

/* Make `port` follow the tail. The BUSY bit asks the guest to leave the word alone for a moment. */
static bool link_after(event_word_t *word, uint32_t port)
{
	int rc = try_link(word, port);
	unsigned int i;

	if (rc >= 0)
		return rc;
	set_bit(EVTCHN_FIFO_BUSY, word);
	for (i = 0; i < SET_LINK_TRIES && rc < 0; i++)
		rc = try_link(word, port);
	if (rc <= 0)
		clear_bit(EVTCHN_FIFO_BUSY, word);
	return rc != 0; /* a guest that never stops writing loses this event */
}

static void fifo_enqueue(struct domain *d, struct evtchn *e, event_word_t *word)
{
	struct vcpu *v = domain_vcpu(d, e->vcpu);
	struct evtchn_fifo_vcpu *q = v->fifo;
	struct evtchn_fifo_vcpu *old = domain_vcpu(d, e->last_vcpu)->fifo;
	event_word_t *tail;
	bool linked = false;

	if (!q) {
		e->pending = true; /* the vCPU has no control block yet */
		return;
	}
	if (test_and_set_bit(EVTCHN_FIFO_LINKED, word))
		return;
	/* Its last queue must not take it for its tail any more if it goes into another one. */
	if (old && (old != q || e->last_priority != e->priority) &&
	    old->tail[e->last_priority] == e->port)
		old->tail[e->last_priority] = 0;
	e->last_vcpu = e->vcpu;
	e->last_priority = e->priority;

	if (q->tail[e->priority] && q->tail[e->priority] != e->port) {
		tail = event_word(d, q->tail[e->priority]);
		linked = tail && link_after(tail, e->port);
	}
	q->tail[e->priority] = e->port;
	if (linked)
		return;
	WRITE_ONCE(q->control->head[e->priority], e->port);
	if (!test_and_set_bit(e->priority, &q->control->ready))
		evtchn_mark_vcpu(v);
}

static void fifo_set_pending(struct domain *d, struct evtchn *e)
{
	event_word_t *word = event_word(d, e->port), w;

	if (!word) {
		e->pending = true;
		return;
	}
	set_bit(EVTCHN_FIFO_PENDING, word);
	w = READ_ONCE(*word);
	if (!(w & BIT(EVTCHN_FIFO_MASKED)) && !(w & BIT(EVTCHN_FIFO_LINKED)))
		fifo_enqueue(d, e, word);
}

static void fifo_clear_pending(struct domain *d, struct evtchn *e)
{
	event_word_t *word = event_word(d, e->port);

	e->pending = false;
	if (word)
		clear_bit(EVTCHN_FIFO_PENDING, word); /* stays linked: the guest drops it */
}

static void fifo_unmask(struct domain *d, struct evtchn *e)
{
	event_word_t *word = event_word(d, e->port);

	if (!word)
		return;
	clear_bit(EVTCHN_FIFO_MASKED, word);
	if (test_bit(EVTCHN_FIFO_PENDING, word))
		fifo_set_pending(d, e);
}

static bool fifo_is_pending(struct domain *d, const struct evtchn *e)
{
	const event_word_t *word = event_word(d, e->port);

	return word ? test_bit(EVTCHN_FIFO_PENDING, word) : e->pending;
}

static bool fifo_is_masked(struct domain *d, const struct evtchn *e)
{
	const event_word_t *word = event_word(d, e->port);

	return !word || test_bit(EVTCHN_FIFO_MASKED, word);
}

static unsigned int fifo_max_port(const struct domain *d)
{
	(void)d;
	return EVTCHN_FIFO_NR_CHANNELS;
}

const struct evtchn_ops evtchn_ops_fifo = {
	.set_pending = fifo_set_pending,
	.clear_pending = fifo_clear_pending,
	.unmask = fifo_unmask,
	.is_pending = fifo_is_pending,
	.is_masked = fifo_is_masked,
	.max_port = fifo_max_port,
};

/* Raise again what was raised before the guest had made room for it. */
static void raise_held_back(struct domain *d, unsigned int first, unsigned int nr)
{
	unsigned int i, end = min(first + nr, evtchn_nr_ports(d));

	for (i = first; i < end; i++) {
		struct evtchn *e = evtchn_port(d, i);

		if (!d->evtchn->used[i / EVTCHN_BUCKET]) {
			i |= EVTCHN_BUCKET - 1;
			continue;
		}
		if (e && e->pending) {
			e->pending = false;
			if (e->state > ECS_RESERVED)
				fifo_set_pending(d, e);
		}
	}
}

/* From the 2-level form to this one: pending bits are carried over. */
static void switch_form(struct domain *d, struct evtchn_fifo *f)
{
	const struct evtchn_ops *old = d->evtchn->ops;
	unsigned int i, end = min(evtchn_nr_ports(d), old->max_port(d));

	for (i = 1; i < end; i++) {
		struct evtchn *e = evtchn_port(d, i);

		if (!d->evtchn->used[i / EVTCHN_BUCKET]) {
			i |= EVTCHN_BUCKET - 1;
			continue;
		}
		if (e && e->state != ECS_FREE)
			e->pending = old->is_pending(d, e);
	}
	d->evtchn->fifo = f;
	d->evtchn->ops = &evtchn_ops_fifo;
}

int evtchn_fifo_init_control(struct domain *d, struct evtchn_init_control *op)
{
	struct vcpu *v = domain_vcpu(d, op->vcpu);
	struct evtchn_fifo_vcpu *q;
	struct evtchn_fifo *f = NULL;
	struct page *p;

	if (!v)
		return -ENOENT;
	if (op->offset > PAGE_SIZE - sizeof(struct evtchn_fifo_control_block) || (op->offset & 7))
		return -EINVAL;
	p = p2m_get_own_page(d, _gfn(op->control_gfn));
	if (!p)
		return -EINVAL;
	q = xzalloc(struct evtchn_fifo_vcpu);
	if (!d->evtchn->fifo)
		f = xzalloc(struct evtchn_fifo);
	if (!q || (!d->evtchn->fifo && !f)) {
		xfree(q);
		xfree(f);
		page_put(p);
		return -ENOMEM;
	}
	q->page = p;
	q->control = (struct evtchn_fifo_control_block *)((uint8_t *)page_to_virt(p) + op->offset);

	spin_lock(&d->event_lock);
	if (v->fifo) {
		spin_unlock(&d->event_lock);
		xfree(q);
		xfree(f);
		page_put(p);
		return -EINVAL;
	}
	v->fifo = q;
	if (!d->evtchn->fifo) {
		switch_form(d, f);
		f = NULL;
	}
	raise_held_back(d, 1, evtchn_nr_ports(d));
	spin_unlock(&d->event_lock);
	xfree(f);
	op->link_bits = EVTCHN_FIFO_LINK_BITS;
	return 0;
}

int evtchn_fifo_expand_array(struct domain *d, const struct evtchn_expand_array *op)
{
	struct evtchn_fifo *f;
	struct page *p;
	int rc = 0;

	p = p2m_get_own_page(d, _gfn(op->array_gfn));
	if (!p)
		return -EINVAL;
	spin_lock(&d->event_lock);
	f = d->evtchn->fifo;
	if (!f || f->nr_pages >= MAX_ARRAY_PAGES) {
		rc = f ? -ENOSPC : -EOPNOTSUPP;
	} else {
		f->page[f->nr_pages++] = p;
		raise_held_back(d, (f->nr_pages - 1) * WORDS_PER_PAGE, WORDS_PER_PAGE);
	}
	spin_unlock(&d->event_lock);
	if (rc)
		page_put(p);
	return rc;
}

int evtchn_fifo_set_priority(struct domain *d, const struct evtchn_set_priority *op)
{
	struct evtchn *e;
	int rc = -EINVAL;

	if (op->priority > EVTCHN_FIFO_PRIORITY_MIN)
		return -EINVAL;
	spin_lock(&d->event_lock);
	e = evtchn_port(d, op->port);
	if (!d->evtchn->fifo) {
		rc = -ENOSYS;
	} else if (e && e->state > ECS_RESERVED && !e->consumer) {
		e->priority = op->priority;
		rc = 0;
	}
	spin_unlock(&d->event_lock);
	return rc;
}

/* Back to the 2-level form; all ports are closed. d->event_lock held. */
void evtchn_fifo_destroy(struct domain *d)
{
	struct evtchn_fifo *f = d->evtchn->fifo;
	struct vcpu *v;
	unsigned int i;

	if (!f)
		return;
	for_each_vcpu(d, v) {
		if (v->fifo)
			page_put(v->fifo->page);
		xfree(v->fifo);
		v->fifo = NULL;
	}
	for (i = 0; i < f->nr_pages; i++)
		page_put(f->page[i]);
	xfree(f);
	d->evtchn->fifo = NULL;
	d->evtchn->ops = &evtchn_ops_2l;
}
