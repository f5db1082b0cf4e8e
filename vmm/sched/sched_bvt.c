/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Borrowed virtual time (Duda and Cheriton, SOSP 1999). Each vCPU has an actual virtual time that
 * grows by 256/weight while it runs; the one with the least effective virtual time runs. A vCPU that
 * wakes is brought up to the queue's clock, so sleeping earns nothing, and it warps: its effective
 * virtual time is set back by WARP_NS, so that one which waits for I/O runs at once. The warp ends when
 * it has run for WARP_LIMIT_NS since it woke. What it runs meanwhile counts: once it is WARP_NS ahead
 * of the clock the warp gains nothing, so whoever sleeps often to be first gets its share and no more.
 * The running vCPU may run CTX_ALLOW_NS past the next one before it is preempted (context-switch
 * allowance), and WARP_ALLOW_NS where both warp.
 *
 * dom0 serves everybody, so its vCPU weighs at least as much as all guests' that wait on its CPU
 * together: half of it. It warps farther than guests do, and has the CPU at wake-up before any of them.
 * While it is busy it has each second turn, so that it does not wait for all the guests one after the other.
 *
 * A cap gives the vCPUs of a domain together a percentage of each CAP_WINDOW_NS; what they take too much
 * is missing in the next one. A vCPU of a domain that has had its time is parked: it stays in the queue,
 * at its end, and its CPU looks again when the window is over.
 *
 * Pure arithmetic: no locks, no clock of its own. docs/scheduling.md has the rules for users.
 */
#include "xen_abi.h"
#include <xen/domctl.h>
#include "sched.h"

#define WEIGHT_NORMAL	256U
#define WEIGHT_MAX	65535U
#define CTX_ALLOW_NS	(5 * NS_PER_MS)
#define WARP_ALLOW_NS	(200 * NS_PER_US)
#define WARP_NS		(20 * NS_PER_MS)
#define WARP_DOM0_NS	(40 * NS_PER_MS)
#define WARP_LIMIT_NS	(2 * NS_PER_MS)
#define WARP_LIMIT_DOM0 (10 * NS_PER_MS)
#define SLICE_MIN_NS	(500 * NS_PER_US)
#define CAP_WINDOW_NS	(10 * NS_PER_MS)
#define CAP_SLICE_NS	(100 * NS_PER_US) /* the least piece of a window that is worth a switch */
#define CAP_WINDOWS_MAX 1000U		  /* longer ago than that nothing is owed */

/* A vCPU's own record. */
struct bvt_vcpu {
	uint64_t vtime;	       /* actual virtual time, weighted ns */
	uint64_t warp_left_ns; /* until the warp ends */
	bool warped;
	bool parked;   /* in the queue, but its domain has had its time */
	bool had_turn; /* dom0: no guest ran since it did */
};

/* What the vCPUs of a domain share: the limit of the CPU time they get together. */
struct bvt_domain {
	unsigned int weight; /* 1..65535, each vCPU has it; 0 = nobody has set it: WEIGHT_NORMAL */
	unsigned int cap;    /* percent of one CPU, 0 = none */
	uint64_t cap_refilled_ns; /* begin of the present window */
	int64_t cap_left_ns;	  /* of it; below 0 = taken in advance */
};

/* The clock of a queue. */
struct bvt_cpu {
	uint64_t vtime;
};

_Static_assert(sizeof(struct bvt_vcpu) <= SCHED_POLICY_BYTES &&
		       sizeof(struct bvt_domain) <= SCHED_POLICY_BYTES &&
		       sizeof(struct bvt_cpu) <= SCHED_POLICY_BYTES,
	       "policy record too large");

static struct bvt_vcpu *bvt(const struct vcpu *v)
{
	return v->sched.policy;
}

static struct bvt_domain *bvt_domain(struct domain *d)
{
	return (struct bvt_domain *)d->sched.policy;
}

static struct bvt_cpu *bvt_cpu(const struct sched_cpu *c)
{
	return c->policy;
}

static unsigned int bvt_weight(const struct vcpu *v)
{
	unsigned int weight = READ_ONCE(bvt_domain(v->domain)->weight);

	return weight ? weight : WEIGHT_NORMAL;
}

/* Signed distance of two virtual times; they are never far apart. */
static int64_t vdiff(uint64_t a, uint64_t b)
{
	return (int64_t)(a - b);
}

/* What v counts for on c at this moment. */
static uint64_t weight_on(const struct sched_cpu *c, const struct vcpu *v)
{
	const struct vcpu *o;
	uint64_t guests = 0;

	if (!v->domain->is_dom0)
		return bvt_weight(v);
	list_for_each(o, &c->queue, sched.queue)
		if (!o->domain->is_dom0 && !bvt(o)->parked)
			guests += bvt_weight(o);
	return max((uint64_t)bvt_weight(v), guests);
}

static uint64_t weighted(const struct sched_cpu *c, const struct vcpu *v, uint64_t ns)
{
	return ns * WEIGHT_NORMAL / weight_on(c, v);
}

static uint64_t unweighted(const struct sched_cpu *c, const struct vcpu *v, int64_t vns)
{
	return vns > 0 ? (uint64_t)vns * weight_on(c, v) / WEIGHT_NORMAL : 0;
}

static uint64_t effective(const struct vcpu *v)
{
	const struct bvt_vcpu *b = bvt(v);

	if (!b->warped)
		return b->vtime;
	return b->vtime - (v->domain->is_dom0 ? WARP_DOM0_NS : WARP_NS);
}

/* --- caps -------------------------------------------------------------------------------------- */

static bool capped(struct domain *d)
{
	unsigned int cap = READ_ONCE(bvt_domain(d)->cap);

	return cap && cap < 100 * d->max_vcpus;
}

static void cap_add(struct bvt_domain *b, int64_t ns, int64_t limit)
{
	int64_t old = READ_ONCE(b->cap_left_ns);

	while (!__atomic_compare_exchange_n(&b->cap_left_ns, &old, min(old + ns, limit), false,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

/* What d's vCPUs may still use of this window. Any of their CPUs; they need not agree to the microsecond. */
static int64_t cap_left(struct domain *d, uint64_t now)
{
	struct bvt_domain *b = bvt_domain(d);
	int64_t quota = (int64_t)(CAP_WINDOW_NS / 100 * READ_ONCE(b->cap));
	uint64_t from = READ_ONCE(b->cap_refilled_ns), windows;

	if (vdiff(now, from) < (int64_t)CAP_WINDOW_NS)
		return READ_ONCE(b->cap_left_ns);
	windows = (now - from) / CAP_WINDOW_NS;
	if (__atomic_compare_exchange_n(&b->cap_refilled_ns, &from, from + windows * CAP_WINDOW_NS,
					false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		cap_add(b, quota * (int64_t)min(windows, (uint64_t)CAP_WINDOWS_MAX), quota);
	return READ_ONCE(b->cap_left_ns);
}

static bool used_up(const struct vcpu *v, uint64_t now)
{
	return capped(v->domain) && cap_left(v->domain, now) <= 0;
}

static uint64_t until_refill(const struct vcpu *v, uint64_t now)
{
	int64_t ns = vdiff(READ_ONCE(bvt_domain(v->domain)->cap_refilled_ns) + CAP_WINDOW_NS, now);

	return ns > 0 ? (uint64_t)ns : CAP_SLICE_NS;
}

/* The vCPUs may all run at once, so each gets a part of what is left. */
static uint64_t cap_slice(const struct vcpu *v, uint64_t now)
{
	int64_t left = cap_left(v->domain, now);

	return left > 0 ? max((uint64_t)left / v->domain->max_vcpus, CAP_SLICE_NS) : CAP_SLICE_NS;
}

/* --- the queue: those that may run in order of effective virtual time, then the parked ones --------- */

static void bring_up(const struct sched_cpu *c, struct bvt_vcpu *b)
{
	if (vdiff(b->vtime, bvt_cpu(c)->vtime) < 0)
		b->vtime = bvt_cpu(c)->vtime;
}

static void sort_in(struct sched_cpu *c, struct vcpu *v)
{
	struct vcpu *pos;

	list_for_each(pos, &c->queue, sched.queue)
		if (bvt(pos)->parked || vdiff(effective(v), effective(pos)) < 0)
			break;
	list_add_tail(&v->sched.queue, &pos->sched.queue);
}

static void bvt_insert(struct sched_cpu *c, struct vcpu *v, bool woken, uint64_t now)
{
	struct bvt_vcpu *b = bvt(v);

	if (woken) {
		bring_up(c, b);
		b->warp_left_ns = v->domain->is_dom0 ? WARP_LIMIT_DOM0 : WARP_LIMIT_NS;
		b->warped = true;
	}
	b->parked = used_up(v, now);
	if (b->parked) {
		WRITE_ONCE(c->nr_parked, c->nr_parked + 1);
		list_add_tail(&v->sched.queue, &c->queue);
	} else {
		sort_in(c, v);
	}
}

static void bvt_remove(struct sched_cpu *c, struct vcpu *v)
{
	struct bvt_vcpu *b = bvt(v);

	list_del(&v->sched.queue);
	if (b->parked)
		WRITE_ONCE(c->nr_parked, c->nr_parked - 1);
	b->parked = false;
}

/* Those whose window is over go to where their turn is; being parked earned them nothing. */
static void unpark(struct sched_cpu *c, uint64_t now)
{
	struct vcpu *v, *next;

	if (!c->nr_parked)
		return;
	list_for_each_safe(v, next, &c->queue, sched.queue) {
		if (!bvt(v)->parked || used_up(v, now))
			continue;
		bvt_remove(c, v);
		bring_up(c, bvt(v));
		sort_in(c, v);
	}
}

/* --- time -------------------------------------------------------------------------------------- */

/* The queue's clock is the least virtual time of those that run or may; it never goes back. */
static void advance_clock(struct sched_cpu *c, uint64_t least)
{
	const struct vcpu *v;

	list_for_each(v, &c->queue, sched.queue)
		if (!bvt(v)->parked && vdiff(bvt(v)->vtime, least) < 0)
			least = bvt(v)->vtime;
	if (vdiff(least, bvt_cpu(c)->vtime) > 0)
		WRITE_ONCE(bvt_cpu(c)->vtime, least);
}

/* A guest ran: dom0's vCPUs that wait are next. */
static void give_turn(const struct sched_cpu *c)
{
	const struct vcpu *v;

	list_for_each(v, &c->queue, sched.queue)
		if (v->domain->is_dom0)
			bvt(v)->had_turn = false;
}

static void bvt_account(struct sched_cpu *c, struct vcpu *v, uint64_t ran, uint64_t now)
{
	struct bvt_vcpu *b = bvt(v);

	(void)now;
	b->vtime += weighted(c, v, ran);
	if (b->warped) {
		b->warp_left_ns -= min(b->warp_left_ns, ran);
		b->warped = b->warp_left_ns > 0;
	}
	if (capped(v->domain))
		cap_add(bvt_domain(v->domain), -(int64_t)ran, INT64_MAX);
	b->had_turn = true;
	if (!v->domain->is_dom0)
		give_turn(c);
	advance_clock(c, b->vtime);
}

/* A dom0 vCPU whose turn it is after a guest's, unless it is ahead of its share. */
static struct vcpu *waiting_dom0(const struct sched_cpu *c)
{
	struct vcpu *v;

	list_for_each(v, &c->queue, sched.queue)
		if (v->domain->is_dom0 && !bvt(v)->had_turn && !bvt(v)->parked &&
		    vdiff(bvt(v)->vtime, bvt_cpu(c)->vtime) <= (int64_t)CTX_ALLOW_NS)
			return v;
	return NULL;
}

static struct vcpu *bvt_pick(struct sched_cpu *c, uint64_t now)
{
	struct vcpu *first, *v;

	unpark(c, now);
	if (c->nr_queued == c->nr_parked)
		return NULL;
	first = list_first(&c->queue, struct vcpu, sched.queue);
	v = bvt(first)->warped ? NULL : waiting_dom0(c);
	return v ? v : first;
}

/* Until the first parked one may run again. */
static uint64_t parked_ns(const struct sched_cpu *c, uint64_t now)
{
	const struct vcpu *v;
	uint64_t ns = ~0ULL;

	if (c->nr_parked)
		list_for_each(v, &c->queue, sched.queue)
			if (bvt(v)->parked)
				ns = min(ns, until_refill(v, now));
	return ns;
}

static uint64_t bvt_slice(struct sched_cpu *c, const struct vcpu *v, uint64_t now)
{
	uint64_t ns = ~0ULL;

	if (v && c->nr_queued > c->nr_parked) {
		const struct vcpu *next = list_first(&c->queue, struct vcpu, sched.queue);

		ns = unweighted(c, v, vdiff(effective(next), effective(v))) + CTX_ALLOW_NS;
		if (v->domain->is_dom0)
			ns = min(ns, CTX_ALLOW_NS);
		if (bvt(v)->warped)
			ns = min(ns, bvt(v)->warp_left_ns);
		ns = max(ns, SLICE_MIN_NS);
	}
	if (v && capped(v->domain))
		ns = min(ns, cap_slice(v, now));
	return min(ns, parked_ns(c, now));
}

/* How far the running vCPU may get past v before v takes its place. */
static int64_t allowance(const struct vcpu *cur, const struct vcpu *v)
{
	if (!bvt(v)->warped)
		return CTX_ALLOW_NS;
	if (!bvt(cur)->warped || (v->domain->is_dom0 && !cur->domain->is_dom0))
		return 0;
	return WARP_ALLOW_NS;
}

static uint64_t bvt_until(const struct sched_cpu *c, const struct vcpu *v, uint64_t now)
{
	const struct vcpu *cur = c->curr;
	uint64_t ns;
	int64_t left;

	if (bvt(v)->parked)
		return until_refill(v, now);
	if (cur == c->idle)
		return 0;
	left = vdiff(effective(v), effective(cur)) + allowance(cur, v);
	if (left < 0)
		return 0;
	ns = unweighted(c, cur, left);
	if (bvt(cur)->warped)
		ns = min(ns, bvt(cur)->warp_left_ns);
	return max(ns, WARP_ALLOW_NS);
}

static bool bvt_may_run(const struct vcpu *v, uint64_t now)
{
	return !used_up(v, now);
}

static bool bvt_may_pass(const struct sched_cpu *c, const struct vcpu *v, uint64_t now)
{
	const struct vcpu *o;

	if (used_up(v, now))
		return false;
	list_for_each(o, &c->queue, sched.queue)
		if (o != v && !bvt(o)->parked)
			return vdiff(effective(v), effective(o)) <= (int64_t)CTX_ALLOW_NS;
	return true;
}

static void bvt_migrate(const struct sched_cpu *from, const struct sched_cpu *to, struct vcpu *v)
{
	bvt(v)->vtime += READ_ONCE(bvt_cpu(to)->vtime) - READ_ONCE(bvt_cpu(from)->vtime);
}

/* --- parameters -------------------------------------------------------------------------------- */

static void bvt_get(struct domain *d, union sched_params *p)
{
	unsigned int weight = READ_ONCE(bvt_domain(d)->weight);

	p->share.weight = weight ? weight : WEIGHT_NORMAL;
	p->share.cap = READ_ONCE(bvt_domain(d)->cap);
}

static int bvt_set(struct domain *d, const union sched_params *p)
{
	if (!p->share.weight || p->share.weight > WEIGHT_MAX)
		return -EINVAL;
	WRITE_ONCE(bvt_domain(d)->cap, p->share.cap);
	WRITE_ONCE(bvt_domain(d)->weight, p->share.weight);
	return 0;
}

static void bvt_dump_cpu(const struct sched_cpu *c)
{
	printk(", vtime %lu", bvt_cpu(c)->vtime);
}

static void bvt_dump_vcpu(const struct vcpu *v)
{
	printk("(vtime %lu)", bvt(v)->vtime);
}

const struct sched_policy sched_bvt = {
	.name = "bvt",
	.tool_id = XEN_SCHEDULER_CREDIT2,
	.get = bvt_get,
	.set = bvt_set,
	.insert = bvt_insert,
	.remove = bvt_remove,
	.account = bvt_account,
	.pick = bvt_pick,
	.slice = bvt_slice,
	.until = bvt_until,
	.may_run = bvt_may_run,
	.may_pass = bvt_may_pass,
	.migrate = bvt_migrate,
	.weight = bvt_weight,
	.dump_cpu = bvt_dump_cpu,
	.dump_vcpu = bvt_dump_vcpu,
};
