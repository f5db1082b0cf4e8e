/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Borrowed virtual time (Duda and Cheriton, SOSP 1999). Each vCPU has an actual virtual time that
 * grows by 256/weight while it runs; the one with the least effective virtual time runs. A vCPU that
 * wakes is brought up to the queue's clock, so sleeping earns nothing, and may warp: its effective
 * virtual time is set back by WARP_NS for at most WARP_LIMIT_NS of running, so that one which waits for
 * I/O runs at once; having used that up it stays unwarped until it has slept again for UNWARP_NS. The running vCPU may run
 * CTX_ALLOW_NS past the next one before it is preempted (context-switch allowance). A cap takes a vCPU
 * out of the choice once it has had its percentage of the current CAP_WINDOW_NS.
 * Pure arithmetic: no locks, no clock of its own.
 */
#include "sched.h"

#define WEIGHT_NORMAL	256U
#define CTX_ALLOW_NS	(5 * NS_PER_MS)
#define WARP_NS		(20 * NS_PER_MS)
#define WARP_LIMIT_NS	(2 * NS_PER_MS)
#define WARP_LIMIT_DOM0 (10 * NS_PER_MS)
#define UNWARP_NS	(1 * NS_PER_MS)
#define CAP_WINDOW_NS	(30 * NS_PER_MS)
#define SLICE_MIN_NS	(500 * NS_PER_US)

/* A vCPU's own record, inside sched_vcpu where it fits: window start and use for the cap. */
struct bvt_vcpu {
	uint64_t window_start_ns, window_used_ns;
	uint64_t warp_left_ns;
	uint64_t slept_at_ns;
};

static struct bvt_vcpu *bvt(const struct vcpu *v)
{
	return v->sched.policy;
}

static uint64_t warp_limit(const struct vcpu *v)
{
	return v->domain->is_dom0 ? WARP_LIMIT_DOM0 : WARP_LIMIT_NS;
}

static uint64_t weighted(const struct vcpu *v, uint64_t ns)
{
	return ns * WEIGHT_NORMAL / v->sched.weight;
}

static uint64_t unweighted(const struct vcpu *v, uint64_t vns)
{
	return vns * v->sched.weight / WEIGHT_NORMAL;
}

/* Signed distance of two virtual times; they are never far apart. */
static int64_t vdiff(uint64_t a, uint64_t b)
{
	return (int64_t)(a - b);
}

static uint64_t effective(const struct vcpu *v)
{
	return v->sched.vtime - (v->sched.warped ? WARP_NS : 0);
}

static void bvt_init(struct vcpu *v)
{
	v->sched.weight = WEIGHT_NORMAL;
	bvt(v)->warp_left_ns = warp_limit(v);
}

static bool capped_out(const struct vcpu *v, uint64_t now)
{
	const struct bvt_vcpu *b = bvt(v);

	return v->sched.cap && now - b->window_start_ns < CAP_WINDOW_NS &&
	       b->window_used_ns >= CAP_WINDOW_NS / 100 * v->sched.cap;
}

static void bvt_insert(struct sched_cpu *c, struct vcpu *v, bool woken, uint64_t now)
{
	struct bvt_vcpu *b = bvt(v);
	struct vcpu *pos;

	if (woken) {
		if (vdiff(v->sched.vtime, c->vtime) < 0)
			v->sched.vtime = c->vtime;
		if (now - b->slept_at_ns >= UNWARP_NS)
			b->warp_left_ns = warp_limit(v);
		v->sched.warped = b->warp_left_ns > 0;
	}
	list_for_each(pos, &c->queue, sched.queue)
		if (vdiff(effective(v), effective(pos)) < 0)
			break;
	list_add_tail(&v->sched.queue, &pos->sched.queue);
}

static void bvt_remove(struct sched_cpu *c, struct vcpu *v)
{
	(void)c;
	list_del(&v->sched.queue);
}

static void bvt_account(struct sched_cpu *c, struct vcpu *v, uint64_t ran, uint64_t now)
{
	struct bvt_vcpu *b = bvt(v);

	v->sched.vtime += weighted(v, ran);
	b->warp_left_ns -= min(b->warp_left_ns, v->sched.warped ? ran : 0);
	if (!b->warp_left_ns)
		v->sched.warped = false;
	b->slept_at_ns = now;
	if (now - b->window_start_ns >= CAP_WINDOW_NS) {
		b->window_start_ns = now;
		b->window_used_ns = 0;
	}
	b->window_used_ns += ran;
	/* The queue's clock is the least virtual time in it; it never goes back. */
	if (list_empty(&c->queue)) {
		if (vdiff(v->sched.vtime, c->vtime) > 0)
			c->vtime = v->sched.vtime;
	} else {
		const struct vcpu *first = list_first(&c->queue, struct vcpu, sched.queue);
		uint64_t least = vdiff(first->sched.vtime, v->sched.vtime) < 0 ? first->sched.vtime
									       : v->sched.vtime;

		if (vdiff(least, c->vtime) > 0)
			c->vtime = least;
	}
}

static struct vcpu *first_allowed(struct sched_cpu *c, uint64_t now, const struct vcpu *after)
{
	struct vcpu *v;
	bool seen = !after;

	list_for_each(v, &c->queue, sched.queue) {
		if (seen && !capped_out(v, now))
			return v;
		if (v == after)
			seen = true;
	}
	return NULL;
}

static struct vcpu *bvt_pick(struct sched_cpu *c, uint64_t now, uint64_t *slice)
{
	struct vcpu *v = first_allowed(c, now, NULL), *next;
	int64_t ahead;

	*slice = ~0ULL;
	if (!v) {
		if (!list_empty(&c->queue))
			*slice = CAP_WINDOW_NS / 4; /* all capped: look again soon */
		return NULL;
	}
	next = first_allowed(c, now, v);
	if (next) {
		ahead = vdiff(effective(next), effective(v));
		*slice = unweighted(v, ahead > 0 ? (uint64_t)ahead : 0) + CTX_ALLOW_NS;
	}
	if (v->sched.warped)
		*slice = min(*slice, bvt(v)->warp_left_ns);
	if (v->sched.cap)
		*slice = min(*slice, CAP_WINDOW_NS / 100 * v->sched.cap);
	*slice = max(*slice, SLICE_MIN_NS);
	return v;
}

static bool bvt_preempts(const struct sched_cpu *c, const struct vcpu *v, uint64_t ran,
			 uint64_t now)
{
	uint64_t cur = effective(c->curr) + weighted(c->curr, ran);
	uint64_t allow = v->sched.warped && !c->curr->sched.warped ? 0 : CTX_ALLOW_NS;

	return !capped_out(v, now) && vdiff(effective(v) + allow, cur) < 0;
}

static void bvt_migrate(const struct sched_cpu *from, const struct sched_cpu *to, struct vcpu *v)
{
	v->sched.vtime += to->vtime - from->vtime;
}

const struct sched_policy sched_bvt = {
	.name = "bvt",
	.init = bvt_init,
	.insert = bvt_insert,
	.remove = bvt_remove,
	.account = bvt_account,
	.pick = bvt_pick,
	.preempts = bvt_preempts,
	.migrate = bvt_migrate,
};

_Static_assert(sizeof(struct bvt_vcpu) <= SCHED_POLICY_BYTES, "policy record too large");
