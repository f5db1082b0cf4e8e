// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Guaranteed shares (Atropos; Roscoe, Leslie et al., "Nemesis"): each vCPU of a domain may run for a slice in each period. Of those
 * that have something left of their slices the one runs whose period ends first (EDF); what they leave over is slack, which
 * goes round among the vCPUs that may use it. A vCPU that has used its slice up and may not use slack is parked: it waits
 * in the queue, at its end, for its next period.
 *
 * Who wakes goes on with its period and what is left, unless that would be more than its share of the time until the
 * period's end: then a new period begins. dom0's vCPU runs before all others while it has something left: it serves everybody.
 *
 * Slices are promised up to UTIL_MAX of the machine. A CPU may have more than its part while vCPUs move; the core evens
 * the CPUs out by what the vCPUs were promised.
 *
 * Pure arithmetic: no locks, no clock of its own. The tools see it as rtds: period, budget = slice, extra time = slack.
 */
#include "xen_abi.h"
#include <xen/domctl.h>
#include "sched.h"

#define SLACK_NS       (5 * NS_PER_MS)	/* one turn of slack */
#define LEAST_NS       (20 * NS_PER_US) /* a rest that is not worth a switch */
#define SLICE_MIN_NS   (50 * NS_PER_US) /* of LEAST_NS and less nothing would ever be begun */
#define PERIOD_MAX_NS  (10 * NS_PER_SEC)
#define PERIOD_NS      (100 * NS_PER_MS) /* of domains for which nobody has set anything */
#define SLICE_NS       NS_PER_MS
#define PERIOD_DOM0_NS (20 * NS_PER_MS)
#define SLICE_DOM0_NS  (15 * NS_PER_MS)
#define UTIL_ONE       10000U /* one CPU */
#define UTIL_MAX       9500U

/* A vCPU's own record. */
struct at_vcpu {
	uint64_t end_ns;   /* of the present period */
	int64_t left_ns;   /* of its slice; below 0: taken in advance */
	uint64_t slack_ns; /* had of its turn of slack; SLACK_NS: the turn is over */
	unsigned int util; /* what it was promised, of UTIL_ONE */
	bool parked;
};

/* A domain's: 0 = nobody has set it. */
struct at_domain {
	uint64_t period_ns, slice_ns;
	bool no_slack;
};

_Static_assert(sizeof(struct at_vcpu) <= SCHED_POLICY_BYTES &&
		       sizeof(struct at_domain) <= SCHED_POLICY_BYTES,
	       "policy record too large");

static unsigned int promised; /* to all vCPUs, of UTIL_ONE (atomic) */

static struct at_vcpu *at(const struct vcpu *v)
{
	return v->sched.policy;
}

static struct at_domain *at_domain(struct domain *d)
{
	return (struct at_domain *)d->sched.policy;
}

static uint64_t period(const struct vcpu *v)
{
	uint64_t ns = READ_ONCE(at_domain(v->domain)->period_ns);

	return ns ? ns : v->domain->is_dom0 ? PERIOD_DOM0_NS : PERIOD_NS;
}

static uint64_t slice(const struct vcpu *v)
{
	uint64_t ns = READ_ONCE(at_domain(v->domain)->slice_ns);

	return ns ? ns : v->domain->is_dom0 ? SLICE_DOM0_NS : SLICE_NS;
}

static bool takes_slack(const struct vcpu *v)
{
	return !READ_ONCE(at_domain(v->domain)->no_slack);
}

static bool in_slice(const struct vcpu *v)
{
	return at(v)->left_ns > (int64_t)LEAST_NS;
}

static uint64_t until_end(const struct vcpu *v, uint64_t now)
{
	return at(v)->end_ns > now + LEAST_NS ? at(v)->end_ns - now : LEAST_NS;
}

/* Of the turn of slack that it has, or would have next. */
static uint64_t slack_left(const struct vcpu *v)
{
	return SLACK_NS - min(at(v)->slack_ns, SLACK_NS - LEAST_NS);
}

/* --- periods ------------------------------------------------------------------------------------ */

/* The present period is over: what was taken in advance is missing in the next one. */
static void next_period(struct vcpu *v, uint64_t now)
{
	struct at_vcpu *a = at(v);
	uint64_t p = period(v);

	if (now < a->end_ns)
		return;
	a->left_ns = (int64_t)slice(v) + min(a->left_ns, 0L);
	a->end_ns += p * ((now - a->end_ns) / p + 1);
}

/* Does what is left of slice and period exceed the share? Then it could harm those that kept their periods. */
static bool saved_up(const struct vcpu *v, uint64_t now)
{
	const struct at_vcpu *a = at(v);

	return now >= a->end_ns ||
	       (a->left_ns > 0 && (uint64_t)a->left_ns / NS_PER_US * (period(v) / NS_PER_US) >
					  slice(v) / NS_PER_US * ((a->end_ns - now) / NS_PER_US));
}

static void wakes(struct vcpu *v, uint64_t now)
{
	if (!saved_up(v, now))
		return;
	at(v)->left_ns = (int64_t)slice(v);
	at(v)->end_ns = now + period(v);
}

/* --- the queue: slices by the ends of their periods, slack in turn, the parked ones -------------- */

/* Is a's turn before b's, both having something left? */
static bool sooner(const struct vcpu *a, const struct vcpu *b)
{
	if (a->domain->is_dom0 != b->domain->is_dom0)
		return a->domain->is_dom0;
	return at(a)->end_ns < at(b)->end_ns;
}

/* Is v, which is to be queued, before o, which is? Within its turn of slack it goes on with that. */
static bool before(const struct vcpu *v, const struct vcpu *o)
{
	if (at(o)->parked)
		return true;
	if (in_slice(v))
		return !in_slice(o) || sooner(v, o);
	return !in_slice(o) && at(v)->slack_ns;
}

static void at_insert(struct sched_cpu *c, struct vcpu *v, bool woken, uint64_t now)
{
	struct vcpu *pos;

	if (woken)
		wakes(v, now);
	else
		next_period(v, now);
	at(v)->parked = !in_slice(v) && !takes_slack(v);
	if (at(v)->parked) {
		WRITE_ONCE(c->nr_parked, c->nr_parked + 1);
		list_add_tail(&v->sched.queue, &c->queue);
		return;
	}
	if (woken || at(v)->slack_ns + LEAST_NS > SLACK_NS)
		at(v)->slack_ns = 0;
	list_for_each(pos, &c->queue, sched.queue)
		if (before(v, pos))
			break;
	list_add_tail(&v->sched.queue, &pos->sched.queue);
}

static void at_remove(struct sched_cpu *c, struct vcpu *v)
{
	list_del(&v->sched.queue);
	if (at(v)->parked)
		WRITE_ONCE(c->nr_parked, c->nr_parked - 1);
	at(v)->parked = false;
}

/* Those whose next periods have begun go to where their turns are. */
static void renew(struct sched_cpu *c, uint64_t now)
{
	struct vcpu *v, *next;

	list_for_each_safe(v, next, &c->queue, sched.queue)
		if (now >= at(v)->end_ns) {
			at_remove(c, v);
			at_insert(c, v, false, now);
		}
}

static struct vcpu *at_pick(struct sched_cpu *c, uint64_t now)
{
	renew(c, now);
	return c->nr_queued == c->nr_parked ? NULL
					    : list_first(&c->queue, struct vcpu, sched.queue);
}

/* --- time --------------------------------------------------------------------------------------- */

static void at_account(struct sched_cpu *c, struct vcpu *v, uint64_t ran, uint64_t now)
{
	struct at_vcpu *a = at(v);

	(void)c;
	if (!takes_slack(v))
		a->left_ns -= (int64_t)ran;
	else if (in_slice(v)) /* what it ran longer is slack */
		a->left_ns = max(a->left_ns - (int64_t)ran, 0L);
	else
		a->slack_ns = min(a->slack_ns + ran, SLACK_NS);
	next_period(v, now);
}

/* Until the next period of one that has used its slice up begins. */
static uint64_t until_renewal(const struct sched_cpu *c, uint64_t now)
{
	const struct vcpu *v;
	uint64_t ns = ~0ULL;

	list_for_each(v, &c->queue, sched.queue)
		if (!in_slice(v))
			ns = min(ns, until_end(v, now));
	return ns;
}

static uint64_t at_slice(struct sched_cpu *c, const struct vcpu *v, uint64_t now)
{
	uint64_t ns = until_renewal(c, now);

	if (!v)
		return ns;
	if (in_slice(v))
		return !takes_slack(v) || c->nr_queued ? min(ns, (uint64_t)at(v)->left_ns) : ~0ULL;
	return c->nr_queued > c->nr_parked ? min(ns, min(slack_left(v), until_end(v, now))) : ns;
}

static uint64_t at_until(const struct sched_cpu *c, const struct vcpu *v, uint64_t now)
{
	const struct vcpu *cur = c->curr;

	if (at(v)->parked)
		return until_end(v, now);
	if (cur == c->idle || (in_slice(v) && (!in_slice(cur) || sooner(v, cur))))
		return 0;
	return in_slice(cur) ? (uint64_t)at(cur)->left_ns : slack_left(cur);
}

static bool at_may_run(const struct vcpu *v, uint64_t now)
{
	return in_slice(v) || takes_slack(v) || now >= at(v)->end_ns;
}

static bool at_may_pass(const struct sched_cpu *c, const struct vcpu *v, uint64_t now)
{
	(void)now;
	return !at(v)->parked && list_first(&c->queue, struct vcpu, sched.queue) == v;
}

/* --- promises ----------------------------------------------------------------------------------- */

static unsigned int util_of(uint64_t slice_ns, uint64_t period_ns)
{
	return (unsigned int)(slice_ns * UTIL_ONE / period_ns);
}

static void promise(struct vcpu *v, unsigned int util)
{
	__atomic_fetch_add(&promised, util - at(v)->util, __ATOMIC_RELAXED);
	at(v)->util = util;
}

static void at_join(struct vcpu *v)
{
	promise(v, util_of(slice(v), period(v)));
}

static void at_leave(struct vcpu *v)
{
	promise(v, 0);
}

static void at_get(struct domain *d, union sched_params *p)
{
	const struct vcpu any = { .domain = d };

	p->real_time.period_ns = period(&any);
	p->real_time.slice_ns = slice(&any);
	p->real_time.slack = takes_slack(&any);
}

/* -ENOSPC: more than the machine has was promised then. Less than before can always be promised. */
static int promise_all(struct domain *d, unsigned int util)
{
	unsigned int sum = READ_ONCE(promised), old = 0, wanted = 0;
	struct vcpu *v;

	for_each_vcpu(d, v) {
		old += at(v)->util;
		wanted += util;
	}
	if (wanted > old && sum - old + wanted > UTIL_MAX * nr_cpus)
		return -ENOSPC;
	for_each_vcpu(d, v)
		promise(v, util);
	return 0;
}

static int at_set(struct domain *d, const union sched_params *p)
{
	uint64_t slice_ns = p->real_time.slice_ns, period_ns = p->real_time.period_ns;
	int rc;

	if (slice_ns < SLICE_MIN_NS || slice_ns > period_ns || period_ns > PERIOD_MAX_NS)
		return -EINVAL;
	if (d->is_dom0 && !p->real_time.slack)
		return -EINVAL; /* who set too little could not set it right any more */
	rc = promise_all(d, util_of(slice_ns, period_ns));
	if (rc)
		return rc;
	WRITE_ONCE(at_domain(d)->period_ns, period_ns);
	WRITE_ONCE(at_domain(d)->slice_ns, slice_ns);
	WRITE_ONCE(at_domain(d)->no_slack, !p->real_time.slack);
	return 0;
}

static unsigned int at_weight(const struct vcpu *v)
{
	return at(v)->util + 1;
}

static void at_dump_cpu(const struct sched_cpu *c)
{
	(void)c;
	printk(", %u %% of a CPU promised in all", READ_ONCE(promised) * 100 / UTIL_ONE);
}

static void at_dump_vcpu(const struct vcpu *v)
{
	printk("(%ld us left%s)", (long)(at(v)->left_ns / (int64_t)NS_PER_US),
	       at(v)->parked ? ", parked" : "");
}

const struct sched_policy sched_atropos = {
	.name = "atropos",
	.tool_id = XEN_SCHEDULER_RTDS,
	.get = at_get,
	.set = at_set,
	.join = at_join,
	.leave = at_leave,
	.insert = at_insert,
	.remove = at_remove,
	.account = at_account,
	.pick = at_pick,
	.slice = at_slice,
	.until = at_until,
	.may_run = at_may_run,
	.may_pass = at_may_pass,
	.weight = at_weight,
	.dump_cpu = at_dump_cpu,
	.dump_vcpu = at_dump_vcpu,
};
