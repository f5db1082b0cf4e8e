/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Caps: what they give, and in what pieces. */
#include "sim.h"

static void check_cap(unsigned int cap, unsigned int beside, uint64_t gap_max)
{
	struct task *t;

	sim_start(1);
	t = sim_task(sim_domain(false, 1, 0, cap), TASK_SPIN, 0, 0);
	while (beside--)
		sim_task(sim_domain(false, 1, 0, 0), TASK_SPIN, 0, 0);
	sim_run(200 * MS);
	sim_mark();
	sim_run(5000 * MS);
	EXPECT_IN(sim_share(t), 100 * cap - 100 + (cap == 1) * 50, 100 * cap + 30);
	EXPECT_IN(t->gap_max_ns, 0, gap_max);
	if (nr_tasks > 1) /* the others get the rest */
		EXPECT_IN(sim_share(t) + sim_share(&tasks[1]) * (nr_tasks - 1), 9600, 10000);
	sim_stop();
}

TEST(cap_alone)
{
	static const unsigned int cap[] = { 1, 2, 5, 10, 20, 33, 50, 75, 99 };

	for (unsigned int i = 0; i < ARRAY_SIZE(cap); i++)
		check_cap(cap[i], 0, 12 * MS);
}

TEST(cap_beside_busy_guests)
{
	static const unsigned int cap[] = { 1, 5, 20, 40 };

	for (unsigned int i = 0; i < ARRAY_SIZE(cap); i++)
		check_cap(cap[i], 1, 30 * MS);
	check_cap(20, 2, 30 * MS);
}

TEST(cap_of_100_is_a_cpu)
{
	struct task *t;

	sim_start(2);
	t = sim_task(sim_domain(false, 1, 0, 100), TASK_SPIN, 0, 0);
	sim_run(100 * MS);
	sim_mark();
	sim_run(1000 * MS);
	EXPECT_IN(sim_share(t), 9990, 10000);
	sim_stop();
}

/* A cap is the whole domain's: two or four vCPUs share it, and one of them may have all of it. */
TEST(cap_is_the_domains)
{
	for (unsigned int busy = 1; busy <= 4; busy++)
		for (unsigned int cap = 20; cap <= 140; cap += 60) {
			struct domain *d;
			unsigned int sum = 0;

			sim_start(4);
			d = sim_domain(false, 4, 0, cap);
			for (unsigned int i = 0; i < 4; i++)
				sim_task(d, i < busy ? TASK_SPIN : TASK_IDLE, 0, 0);
			sim_run(200 * MS);
			sim_mark();
			sim_run(4000 * MS);
			for (unsigned int i = 0; i < 4; i++)
				sum += sim_share(&tasks[i]);
			cap = min(cap, 140U);
			EXPECT_IN(sum, 100 * min(cap, 100 * busy) - 130,
				  100 * min(cap, 100 * busy) + 50);
			for (unsigned int i = 0; i < busy; i++)
				EXPECT_IN(tasks[i].gap_max_ns, 0, 30 * MS);
			sim_stop();
		}
}

/* One that wakes a thousand times a second within its cap is on time; one that wants more gets its cap. */
TEST(cap_of_one_that_sleeps)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct task *t;

		sim_start(1);
		t = sim_task(sim_domain(false, 1, 0, 20), TASK_PERIODIC, MS,
			     i ? 400 * US : 100 * US);
		sim_task(sim_domain(false, 1, 0, 0), TASK_SPIN, 0, 0);
		sim_run(200 * MS);
		sim_mark();
		sim_run(4000 * MS);
		EXPECT_IN(sim_share(t), i ? 1900 : 950, i ? 2030 : 1050);
		EXPECT_IN(t->gap_max_ns, 0, i ? 30 * MS : 2 * MS);
		if (!i)
			EXPECT_IN(sim_late(t, 990), 0, 500 * US);
		sim_stop();
	}
}

/* While one is parked its CPU is idle for others: no vCPU waits behind it, and none is taken elsewhere too often. */
TEST(parked_vcpus_do_not_count_as_load)
{
	sim_start(2);
	for (unsigned int i = 0; i < 4; i++)
		sim_task(sim_domain(false, 1, 0, 10), TASK_SPIN, 0, 0);
	sim_task(sim_domain(false, 1, 0, 0), TASK_SPIN, 0, 0);
	sim_task(sim_domain(false, 1, 0, 0), TASK_SPIN, 0, 0);
	sim_run(200 * MS);
	sim_mark();
	sim_run(4000 * MS);
	for (unsigned int i = 0; i < 4; i++)
		EXPECT_IN(sim_share(&tasks[i]), 900, 1030);
	EXPECT_IN(sim_share(&tasks[4]) + sim_share(&tasks[5]), 15700, 16400);
	EXPECT_IN(sim_share(&tasks[4]), 7400, 8800);
	sim_stop();
}

/* Set, changed and taken away while it runs; after it was parked for long it has no claim to what it missed. */
TEST(cap_changes_under_load)
{
	static const unsigned int cap[] = { 0, 20, 5, 60, 1, 0 }, want[] = { 50, 20, 5, 50, 1, 50 };
	struct task *t;

	sim_start(1);
	t = sim_task(sim_domain(false, 1, 0, 0), TASK_SPIN, 0, 0);
	sim_task(sim_domain(false, 1, 0, 0), TASK_SPIN, 0, 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(cap); i++) {
		union sched_params p = { .share = { .weight = 256, .cap = cap[i] } };

		sim_run(30 * MS);
		sim_as(t);
		EXPECT(!sched_set_params(t->v->domain, &p));
		sim_run(20 * MS);
		sim_mark();
		sim_run(2000 * MS);
		EXPECT_IN(sim_share(t), want[i] * 100 - want[i] * 4 - 40, want[i] * 104 + 40);
		EXPECT_IN(t->gap_max_ns, 0, 30 * MS);
	}
	sim_stop();
}

/* dom0's cap is like others'. */
TEST(cap_of_dom0)
{
	struct task *t;

	sim_start(1);
	t = sim_task(sim_domain(true, 1, 0, 20), TASK_SPIN, 0, 0);
	sim_task(sim_domain(false, 1, 0, 0), TASK_SPIN, 0, 0);
	sim_run(200 * MS);
	sim_mark();
	sim_run(4000 * MS);
	EXPECT_IN(sim_share(t), 1900, 2030);
	EXPECT_IN(t->gap_max_ns, 0, 30 * MS);
	sim_stop();
}

/* A cap on the only busy vCPU, which would otherwise run on without a look. */
TEST(cap_is_set_on_one_alone)
{
	union sched_params p = { .share = { .weight = 256, .cap = 20 } };
	struct task *t;

	sim_start(2);
	t = sim_task(sim_domain(false, 1, 0, 0), TASK_SPIN, 0, 0);
	sim_run(1000 * MS);
	sim_as(t);
	EXPECT(!sched_set_params(t->v->domain, &p));
	sim_run(200 * MS);
	sim_mark();
	sim_run(1000 * MS);
	EXPECT_IN(sim_share(t), 1900, 2030);
	p.share.cap = 0;
	EXPECT(!sched_set_params(t->v->domain, &p));
	sim_mark();
	sim_run(1000 * MS);
	EXPECT_IN(sim_share(t), 9850, 10000);
	sim_stop();
}

/* Beside one that may run for a second in a piece: the CPU looks when the window is over, not when that one is done. */
TEST(cap_beside_a_heavy_guest)
{
	struct task *t;

	sim_start(1);
	t = sim_task(sim_domain(false, 1, 65535, 20), TASK_PERIODIC, 300 * US, 90 * US);
	sim_task(sim_domain(false, 1, 65535, 0), TASK_SPIN, 0, 0);
	sim_task(sim_domain(false, 1, 256, 0), TASK_SPIN, 0, 0);
	sim_run(2000 * MS);
	sim_mark();
	sim_run(10000 * MS);
	EXPECT_IN(sim_share(t), 1850, 2030);
	EXPECT_IN(t->gap_max_ns, 0, 40 * MS);
	sim_stop();
}
