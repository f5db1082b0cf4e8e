/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How late a guest that waits gets the CPU, beside others that are busy: within the budget of docs/scheduling.md. */
#include "sim.h"

#define P50_NS (100 * US)
#define P99_NS (500 * US)

static void within_budget(struct task *t)
{
	EXPECT(t->nr_late > 100);
	EXPECT_IN(sim_late(t, 500), 0, P50_NS);
	EXPECT_IN(sim_late(t, 990), 0, P99_NS);
}

/* A timer of each rate, with little and with more work at each tick, beside 1 and 2 busy guests. */
TEST(timer_beside_busy_guests)
{
	static const uint64_t period[] = { 250 * US, MS, 2 * MS, 10 * MS };
	static const unsigned int percent[] = { 2, 10, 25 };

	for (unsigned int i = 0; i < ARRAY_SIZE(period) * ARRAY_SIZE(percent) * 2; i++) {
		unsigned int busy = 1 + i % 2;
		uint64_t p = period[i / 2 % ARRAY_SIZE(period)];
		unsigned int pc = percent[i / 2 / ARRAY_SIZE(period)];
		struct task *t;

		sim_start(1);
		t = sim_task(sim_domain(false, 1, 0, 0), TASK_PERIODIC, p, p * pc / 100);
		while (busy--)
			sim_task(sim_domain(false, 1, 0, 0), TASK_SPIN, 0, 0);
		sim_run(200 * MS);
		sim_mark();
		sim_run(2000 * MS);
		within_budget(t);
		/* All of its work is done: within its share it misses nothing. */
		EXPECT_IN(sim_share(t), 95 * pc, 105 * pc);
		sim_stop();
	}
}

TEST(timer_is_on_time_for_long)
{
	struct task *t;

	sim_start(1);
	t = sim_task(sim_domain(false, 1, 0, 0), TASK_PERIODIC, MS, 50 * US);
	sim_task(sim_domain(false, 1, 0, 0), TASK_SPIN, 0, 0);
	sim_run(20 * NS_PER_SEC);
	sim_mark();
	sim_run(5 * NS_PER_SEC);
	within_budget(t);
	EXPECT_IN(sim_late(t, 1000), 0, P99_NS);
	sim_stop();
}

/* Several that wait: among themselves the later one waits for the first one's work only. */
TEST(several_timers)
{
	for (unsigned int cpus = 1; cpus <= SIM_CPUS; cpus++) {
		sim_start(cpus);
		for (unsigned int i = 0; i < 3 * cpus; i++)
			sim_task(sim_domain(false, 1, 0, 0), TASK_PERIODIC, MS + i * 37 * US,
				 40 * US);
		for (unsigned int i = 0; i < 2 * cpus; i++)
			sim_task(sim_domain(false, 1, 0, 0), TASK_SPIN, 0, 0);
		sim_run(200 * MS);
		sim_mark();
		sim_run(2000 * MS);
		for (unsigned int i = 0; i < 3 * cpus; i++)
			within_budget(&tasks[i]);
		sim_stop();
	}
}

TEST(irregular_timer)
{
	struct task *t;

	sim_start(1);
	t = sim_task(sim_domain(false, 1, 0, 0), TASK_RANDOM, 3 * MS, 300 * US);
	sim_task(sim_domain(false, 1, 0, 0), TASK_SPIN, 0, 0);
	sim_task(sim_domain(false, 1, 0, 0), TASK_SPIN, 0, 0);
	sim_run(200 * MS);
	sim_mark();
	sim_run(4000 * MS);
	within_budget(t);
	sim_stop();
}

/* One that works for long at each wake-up, and one that sleeps just to be first, do not keep the others waiting. */
TEST(timer_beside_greedy_sleepers)
{
	struct task *t, *greedy;

	sim_start(1);
	t = sim_task(sim_domain(false, 1, 0, 0), TASK_PERIODIC, MS, 50 * US);
	greedy = sim_task(sim_domain(false, 1, 0, 0), TASK_SLEEP, US, 1900 * US);
	sim_task(sim_domain(false, 1, 0, 0), TASK_SPIN, 0, 0);
	sim_run(500 * MS);
	sim_mark();
	sim_run(4000 * MS);
	within_budget(t);
	EXPECT_IN(sim_share(greedy), 4300, 5200);
	EXPECT_IN(tasks[2].gap_max_ns, 0, 45 * MS);
	sim_stop();
}

/* Request and answer between a guest and dom0, beside busy guests: both go on at once. */
TEST(request_and_answer)
{
	struct task *asks, *serves;

	sim_start(1);
	serves = sim_task(sim_domain(true, 1, 0, 0), TASK_SERVES, 0, 20 * US);
	asks = sim_task(sim_domain(false, 1, 0, 0), TASK_ASKS, 0, 30 * US);
	asks->peer = serves;
	serves->peer = asks;
	sim_task(sim_domain(false, 1, 0, 0), TASK_SPIN, 0, 0);
	sim_run(200 * MS);
	sim_mark();
	sim_run(2000 * MS);
	/* The pair could use all of the CPU; the spinner gets its third of it. */
	EXPECT_IN(sim_share(&tasks[2]), 2500, 4000);
	EXPECT_IN(asks->pieces, 20000, 40000);
	EXPECT_IN(tasks[2].gap_max_ns, 0, 60 * MS);
	sim_stop();
}

/* dom0 at full load keeps guests' timers no longer waiting than a busy guest does. */
TEST(timers_beside_busy_dom0)
{
	sim_start(1);
	for (unsigned int i = 0; i < 3; i++)
		sim_task(sim_domain(false, 1, 0, 0), TASK_PERIODIC, MS + i * 11 * US, 30 * US);
	sim_task(sim_domain(true, 1, 0, 0), TASK_SPIN, 0, 0);
	sim_task(sim_domain(false, 1, 0, 0), TASK_SPIN, 0, 0);
	sim_run(200 * MS);
	sim_mark();
	sim_run(2000 * MS);
	for (unsigned int i = 0; i < 3; i++)
		within_budget(&tasks[i]);
	sim_stop();
}
