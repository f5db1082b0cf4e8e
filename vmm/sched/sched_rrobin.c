// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Round robin: who waits gets a turn of at most turn_ns, one after the other, in the order of coming. Nothing else counts:
 * no weight, no cap. Who is moved aside within its turn goes on with it before the others.
 *
 * dom0 serves everybody, so its vCPU does not wait for the others' turns when it wakes: it takes what is left of its
 * own at once. That is whole again once it has slept for a turn, or has waited behind the others; so dom0 that is busy
 * has no more than everybody.
 *
 * Pure arithmetic: no locks, no clock of its own. The tools see it as credit, whose time slice is the turn.
 */
#include "xen_abi.h"
#include <xen/domctl.h>
#include "sched.h"

#define TURN_MIN_NS   (100 * NS_PER_US) /* a rest that is not worth a switch */
#define WEIGHT_NORMAL 256U

/* A vCPU's own record. */
struct rr_vcpu {
	uint64_t used_ns;     /* of the present turn */
	uint64_t last_ran_ns; /* when it was charged last */
	bool in_turn;	      /* it has begun, and has not used it up */
};

_Static_assert(sizeof(struct rr_vcpu) <= SCHED_POLICY_BYTES, "policy record too large");

static uint64_t turn_ns = 10 * NS_PER_MS;

static struct rr_vcpu *rr(const struct vcpu *v)
{
	return v->sched.policy;
}

static uint64_t left(const struct vcpu *v)
{
	uint64_t turn = READ_ONCE(turn_ns), used = rr(v)->used_ns;

	return used + TURN_MIN_NS < turn ? turn - used : 0;
}

static void turn_over(struct rr_vcpu *r)
{
	r->used_ns = 0;
	r->in_turn = false;
}

/* Who wakes begins anew behind the others; but dom0, which goes on. */
static void wakes(struct vcpu *v, uint64_t now)
{
	struct rr_vcpu *r = rr(v);

	if (!v->domain->is_dom0 || now - r->last_ran_ns >= READ_ONCE(turn_ns))
		turn_over(r);
	r->in_turn = v->domain->is_dom0;
}

/* Within its turn: before the others, but for dom0 that woke. */
static void go_on(struct sched_cpu *c, struct vcpu *v)
{
	struct vcpu *pos;

	list_for_each(pos, &c->queue, sched.queue)
		if (v->domain->is_dom0 || !pos->domain->is_dom0 || !rr(pos)->in_turn)
			break;
	list_add_tail(&v->sched.queue, &pos->sched.queue);
}

static void rr_insert(struct sched_cpu *c, struct vcpu *v, bool woken, uint64_t now)
{
	if (woken)
		wakes(v, now);
	if (!left(v))
		turn_over(rr(v));
	if (rr(v)->in_turn)
		go_on(c, v);
	else
		list_add_tail(&v->sched.queue, &c->queue);
}

static void rr_remove(struct sched_cpu *c, struct vcpu *v)
{
	(void)c;
	list_del(&v->sched.queue);
}

static void rr_account(struct sched_cpu *c, struct vcpu *v, uint64_t ran, uint64_t now)
{
	(void)c;
	rr(v)->used_ns += ran;
	rr(v)->last_ran_ns = now;
	rr(v)->in_turn = true;
}

static struct vcpu *rr_pick(struct sched_cpu *c, uint64_t now)
{
	(void)now;
	return list_empty(&c->queue) ? NULL : list_first(&c->queue, struct vcpu, sched.queue);
}

static uint64_t rr_slice(struct sched_cpu *c, const struct vcpu *v, uint64_t now)
{
	(void)now;
	return v && c->nr_queued ? max(left(v), TURN_MIN_NS) : ~0ULL;
}

static uint64_t rr_until(const struct sched_cpu *c, const struct vcpu *v, uint64_t now)
{
	(void)now;
	if (c->curr == c->idle)
		return 0;
	if (v->domain->is_dom0 && rr(v)->in_turn && !c->curr->domain->is_dom0)
		return 0;
	return left(c->curr);
}

static bool rr_may_run(const struct vcpu *v, uint64_t now)
{
	(void)v, (void)now;
	return true;
}

static bool rr_may_pass(const struct sched_cpu *c, const struct vcpu *v, uint64_t now)
{
	(void)now;
	return rr(v)->in_turn || list_first(&c->queue, struct vcpu, sched.queue) == v;
}

static unsigned int rr_weight(const struct vcpu *v)
{
	(void)v;
	return 1;
}

static void rr_get(struct domain *d, union sched_params *p)
{
	(void)d;
	p->share.weight = WEIGHT_NORMAL;
	p->share.cap = 0;
}

/* All are equal. */
static int rr_set(struct domain *d, const union sched_params *p)
{
	(void)d;
	return p->share.weight == WEIGHT_NORMAL && !p->share.cap ? 0 : -EINVAL;
}

static void rr_dump_cpu(const struct sched_cpu *c)
{
	(void)c;
	printk(", turns of %lu us", (unsigned long)(READ_ONCE(turn_ns) / NS_PER_US));
}

static void rr_dump_vcpu(const struct vcpu *v)
{
	printk("(%lu us left)", (unsigned long)(left(v) / NS_PER_US));
}

const struct sched_policy sched_rrobin = {
	.name = "rrobin",
	.tool_id = XEN_SCHEDULER_CREDIT,
	.turn_ns = &turn_ns,
	.get = rr_get,
	.set = rr_set,
	.insert = rr_insert,
	.remove = rr_remove,
	.account = rr_account,
	.pick = rr_pick,
	.slice = rr_slice,
	.until = rr_until,
	.may_run = rr_may_run,
	.may_pass = rr_may_pass,
	.weight = rr_weight,
	.dump_cpu = rr_dump_cpu,
	.dump_vcpu = rr_dump_vcpu,
};
