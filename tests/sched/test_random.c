/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All that may be asked of the scheduler, at random and for long: each vCPU that may run is in its CPU's queue once or
 * runs, the queues' counts are right, and nobody starves.
 */
#include "sim.h"

#define NR    14U
#define STEPS 30000U

static uint64_t state;

static unsigned int rnd(unsigned int n)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned int)(state >> 33) % n;
}

static unsigned int times_queued(const struct sched_cpu *c, const struct vcpu *v)
{
	const struct vcpu *o;
	unsigned int n = 0;

	list_for_each(o, &c->queue, sched.queue)
		n += o == v;
	return n;
}

static void check_vcpu(const struct vcpu *v)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < nr_cpus; i++) {
		unsigned int here = times_queued(cpus[i]->sched, v);

		n += here;
		EXPECT(!here || v->cpu == i);
		EXPECT((cpus[i]->current == v) == (v->running && v->cpu == i));
	}
	EXPECT(n == v->sched.queued);
	EXPECT(vcpu_runnable(v) == (v->sched.queued || v->running));
	EXPECT(!(v->sched.queued && v->running));
	EXPECT(v->affinity_hard & BIT(v->cpu) || !vcpu_runnable(v));
}

static void check_queues(void)
{
	for (unsigned int i = 0; i < nr_tasks; i++)
		check_vcpu(tasks[i].v);
	for (unsigned int i = 0; i < nr_cpus; i++) {
		const struct sched_cpu *c = cpus[i]->sched;
		const struct vcpu *v;
		unsigned int n = 0;

		list_for_each(v, &c->queue, sched.queue)
			n++;
		EXPECT(n == c->nr_queued);
		EXPECT(c->nr_parked <= n);
		EXPECT(c->curr != c->idle || c->nr_parked == n);
	}
}

static void set_params(const struct task *t)
{
	static const unsigned int caps[] = { 0, 0, 1, 20, 50, 100, 300 };
	union sched_params p = { .share = { .weight = 1U << rnd(10),
					    .cap = caps[rnd(ARRAY_SIZE(caps))] } };

	EXPECT(!sched_set_params(t->v->domain, &p));
}

static void donate(const struct task *to)
{
	struct vcpu *v = this_cpu()->current;

	if (v->domain->is_dom0 && vcpu_runnable(v) && to->v != v && !(this_cpu()->softirq))
		sched_donate(to->v, to);
}

static void step(bool *paused)
{
	unsigned int i = rnd(NR);
	struct task *t = &tasks[i];

	sim_cpu_as(rnd(nr_cpus));
	switch (rnd(8)) {
	case 0:
		if (!paused[i])
			vcpu_pause_nosync(t->v);
		else
			vcpu_unpause(t->v);
		paused[i] = !paused[i];
		break;
	case 1:
		vcpu_wake(t->v, 0);
		break;
	case 2:
		if (!t->v->domain->is_dom0)
			sched_set_affinity(t->v, 1 + rnd(15), rnd(2) ? ~0ULL : rnd(16));
		break;
	case 3:
		set_params(t);
		break;
	case 4:
		if (this_cpu()->current != this_cpu()->idle)
			sched_yield();
		break;
	case 5:
	case 6:
		donate(t);
		break;
	default:
		if (sched_has_donor(t))
			sched_resume_donor(t);
		break;
	}
	sim_run(rnd(10) ? rnd(300) * US : rnd(20) * MS);
}

TEST(random_use)
{
	static const enum task_kind kinds[] = { TASK_SPIN, TASK_PERIODIC, TASK_RANDOM, TASK_SLEEP };
	union sched_params even = { .share = { .weight = 256 } };
	bool paused[NR] = { false };
	struct domain *d;

	sim_start(4);
	state = 20261130;
	d = sim_domain(true, 4, 0, 0);
	for (unsigned int i = 0; i < 4; i++)
		sim_task(d, kinds[i], MS, 300 * US);
	for (unsigned int i = 4; i < NR; i++) {
		if (i % 2 == 0)
			d = sim_domain(false, 2, 0, 0);
		sim_task(d, kinds[rnd(4)], MS + rnd(3000) * US, 100 * US + rnd(900) * US);
	}
	sim_run(10 * MS);
	for (unsigned int n = 0; n < STEPS; n++) {
		step(paused);
		check_queues();
	}
	for (unsigned int i = 0; i < NR; i++) {
		sim_as(&tasks[i]);
		if (paused[i])
			vcpu_unpause(tasks[i].v);
		if (i >= 4)
			sched_set_affinity(tasks[i].v, 15, ~0ULL);
		EXPECT(!sched_set_params(tasks[i].v->domain, &even));
		vcpu_wake(tasks[i].v, 0);
	}
	sim_run(100 * MS);
	sim_mark();
	sim_run(2000 * MS);
	for (unsigned int i = 0; i < NR; i++)
		EXPECT_IN(tasks[i].ran_ns, 10 * MS, 2000 * MS);
	sim_stop();
}
