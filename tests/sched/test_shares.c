/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shares of busy vCPUs by weight, on one and on several CPUs; nobody starves; what runstate says. */
#include "sim.h"

static void spinners(unsigned int cpus, const unsigned int *weight, unsigned int n)
{
	sim_start(cpus);
	for (unsigned int i = 0; i < n; i++)
		sim_task(sim_domain(false, 1, weight ? weight[i] : 0, 0), TASK_SPIN, 0, 0);
	sim_run(1000 * MS);
	sim_mark();
}

TEST(shares_follow_weights)
{
	static const unsigned int weight[] = { 256, 512, 1024, 256, 128 };
	unsigned int sum = 0;

	spinners(1, weight, ARRAY_SIZE(weight));
	sim_run(20 * NS_PER_SEC);
	for (unsigned int i = 0; i < ARRAY_SIZE(weight); i++)
		sum += weight[i];
	for (unsigned int i = 0; i < ARRAY_SIZE(weight); i++) {
		unsigned int want = 10000 * weight[i] / sum;

		EXPECT_IN(sim_share(&tasks[i]), want * 97 / 100, want * 103 / 100);
	}
	sim_stop();
}

/* The least weight beside 256 times as much, and the greatest there is. */
TEST(light_weights_do_not_starve)
{
	static const unsigned int weight[2][2] = { { 1, 256 }, { 256, 65535 } };

	for (unsigned int i = 0; i < 2; i++) {
		spinners(1, weight[i], 2);
		sim_run(60 * NS_PER_SEC);
		EXPECT_IN(sim_share(&tasks[0]), 30, 50);
		EXPECT_IN(tasks[0].gap_max_ns, 0, 3 * NS_PER_SEC);
		sim_stop();
	}
}

/* Equal ones get equal shares of all CPUs, also where they are no multiple of the CPUs. */
TEST(equal_shares_on_several_cpus)
{
	for (unsigned int cpus = 1; cpus <= SIM_CPUS; cpus++)
		for (unsigned int n = cpus; n <= 16; n++) {
			unsigned int want = 10000 * cpus / n;

			spinners(cpus, NULL, n);
			sim_run(10 * NS_PER_SEC);
			for (unsigned int i = 0; i < n; i++)
				EXPECT_IN(sim_share(&tasks[i]), want * 93 / 100, want * 107 / 100);
			for (unsigned int i = 0; i < n; i++)
				EXPECT_IN(tasks[i].gap_max_ns, 0, 150 * MS);
			sim_stop();
		}
}

TEST(weights_on_two_cpus)
{
	static const unsigned int weight[] = { 512, 256, 256 };

	spinners(2, weight, 3);
	sim_run(10 * NS_PER_SEC);
	EXPECT_IN(sim_share(&tasks[0]), 9500, 10000);
	EXPECT_IN(sim_share(&tasks[1]), 4700, 5300);
	EXPECT_IN(sim_share(&tasks[2]), 4700, 5300);
	sim_stop();
}

/* No CPU idles while a vCPU that may use it waits, also when they come and go at random. */
TEST(no_cpu_idles_while_others_wait)
{
	uint64_t ran = 0;

	spinners(3, NULL, 3);
	for (unsigned int i = 0; i < 6; i++)
		sim_task(sim_domain(false, 1, 0, 0), TASK_RANDOM, 2 * MS + i * 100 * US, 500 * US);
	sim_run(200 * MS);
	sim_mark();
	sim_run(3000 * MS);
	for (unsigned int i = 0; i < nr_tasks; i++)
		ran += sim_share(&tasks[i]);
	EXPECT_IN(ran, 29000, 30000);
	sim_stop();
}

/* Sleeping earns nothing: after ten seconds of sleep it gets half. */
TEST(sleep_is_not_saved_up)
{
	struct task *t;

	spinners(1, NULL, 1);
	t = sim_task(sim_domain(false, 1, 0, 0), TASK_IDLE, 0, 0);
	sim_run(10 * NS_PER_SEC);
	sim_mark();
	t->left_ns = FOREVER;
	sim_as(t);
	vcpu_wake(t->v, 0);
	sim_run(200 * MS);
	EXPECT_IN(sim_share(t), 4700, 6000);
	EXPECT_IN(sim_share(&tasks[0]), 4000, 5300);
	sim_stop();
}

/* A new weight counts at once. */
TEST(weight_changes_under_load)
{
	union sched_params p = { .share = { .weight = 1024 } };

	spinners(1, NULL, 2);
	sim_as(&tasks[0]);
	EXPECT(!sched_set_params(tasks[0].v->domain, &p));
	sim_run(100 * MS);
	sim_mark();
	sim_run(2000 * MS);
	EXPECT_IN(sim_share(&tasks[0]), 7700, 8300);
	p.share.weight = 0;
	EXPECT(sched_set_params(tasks[0].v->domain, &p) == -EINVAL);
	sim_stop();
}

/* Affinity changes while all are busy: each runs only where it may, and the CPUs stay busy. */
TEST(affinity_changes_under_load)
{
	spinners(4, NULL, 8);
	for (unsigned int round = 0; round < 200; round++) {
		struct task *t = &tasks[round * 7 % 8];
		uint64_t mask = 1 + round * 11 % 15;

		sim_as(&tasks[round % 8]);
		sched_set_affinity(t->v, mask, ~0ULL);
		sim_run(MS / 2 + round * 31 * US);
		for (unsigned int i = 0; i < nr_tasks; i++)
			if (tasks[i].v->running || tasks[i].v->sched.queued)
				EXPECT(tasks[i].v->affinity_hard & BIT(tasks[i].v->cpu));
			else
				unit_fail(__FILE__, __LINE__, "task %u is nowhere", i);
	}
	for (unsigned int i = 0; i < nr_tasks; i++)
		sched_set_affinity(tasks[i].v, 1, ~0ULL);
	sim_run(50 * MS);
	sim_mark();
	sim_run(2000 * MS);
	for (unsigned int i = 0; i < nr_tasks; i++)
		EXPECT_IN(sim_share(&tasks[i]), 1150, 1350);
	/* And back: the idle CPUs take them. */
	for (unsigned int i = 0; i < nr_tasks; i++)
		sched_set_affinity(tasks[i].v, 15, ~0ULL);
	sim_run(50 * MS);
	sim_mark();
	sim_run(2000 * MS);
	for (unsigned int i = 0; i < nr_tasks; i++)
		EXPECT_IN(sim_share(&tasks[i]), 4700, 5300);
	sim_stop();
}

/* The idle CPU that takes the waiting vCPU is one that it may use, whichever other idles. */
TEST(affinity_and_idle_cpus)
{
	struct task *waits;

	sim_start(3);
	for (unsigned int i = 0; i < 2; i++) {
		struct task *t = sim_task(sim_domain(false, 1, 0, 0), TASK_SPIN, 0, 0);

		sched_set_affinity(t->v, 1, ~0ULL);
	}
	sim_run(10 * MS);
	waits = &tasks[tasks[0].v->sched.queued ? 0 : 1];
	sim_as(waits);
	sched_set_affinity(waits->v, 5, ~0ULL);
	sim_mark();
	sim_run(5 * MS);
	EXPECT_IN(sim_share(&tasks[0]) + sim_share(&tasks[1]), 19900, 20000);
	sim_run(1000 * MS);
	EXPECT_IN(sim_share(&tasks[0]), 9900, 10000);
	EXPECT_IN(sim_share(&tasks[1]), 9900, 10000);
	sim_stop();
}

/* Running, runnable, blocked and offline add up to the time that went by, and running to what ran. */
TEST(runstate_adds_up)
{
	struct vcpu_runstate_info before[9] = { 0 }, after;

	spinners(2, NULL, 3);
	for (unsigned int i = 0; i < 3; i++)
		sim_task(sim_domain(false, 1, 0, 0), TASK_RANDOM, 5 * MS, 2 * MS);
	sim_task(sim_domain(false, 1, 0, 30), TASK_SPIN, 0, 0);
	sim_run(100 * MS);
	sim_mark();
	for (unsigned int i = 0; i < nr_tasks; i++)
		vcpu_runstate_get(tasks[i].v, &before[i]);
	for (unsigned int i = 0; i < 100; i++) {
		sim_as(&tasks[i % 7]);
		vcpu_pause_nosync(tasks[i % 3].v);
		sim_run(7 * MS);
		vcpu_unpause(tasks[i % 3].v);
		sim_run(3 * MS);
	}
	for (unsigned int i = 0; i < nr_tasks; i++) {
		uint64_t sum = 0;

		vcpu_runstate_get(tasks[i].v, &after);
		for (unsigned int s = 0; s < 4; s++)
			sum += after.time[s] - before[i].time[s];
		EXPECT_IN(sum, 1000 * MS, 1000 * MS);
		EXPECT_IN(after.time[RUNSTATE_running] - before[i].time[RUNSTATE_running],
			  tasks[i].ran_ns, tasks[i].ran_ns + 40 * MS);
		if (i < 3)
			EXPECT_IN(after.time[RUNSTATE_offline] - before[i].time[RUNSTATE_offline],
				  200 * MS, 250 * MS);
	}
	sim_stop();
}

/* Who yields gives way to one that waits, whoever's turn it is; alone it goes on; its share stays. */
TEST(yield_gives_way)
{
	spinners(1, NULL, 2);
	for (unsigned int i = 0; i < 1000; i++) {
		struct vcpu *v = cpus[0]->current;

		sim_as(&tasks[0]);
		sched_yield();
		sim_run(5 * US + i % 7 * 100 * US);
		if (i % 7 < 3)
			EXPECT(cpus[0]->current != v);
	}
	EXPECT_IN(sim_share(&tasks[0]), 4500, 5500);
	vcpu_pause_nosync(tasks[1].v);
	sim_run(MS);
	sched_yield();
	sim_run(MS);
	EXPECT(cpus[0]->current == tasks[0].v);
	sim_stop();
}
