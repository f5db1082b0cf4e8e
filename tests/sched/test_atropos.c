/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guaranteed shares: what is promised comes in each period, slack goes round, and no more is promised than there is. */
#include "sim.h"
#include <xen/domctl.h>

static void begin(unsigned int cpus)
{
	EXPECT(!sim_policy("atropos"));
	sim_start(cpus);
}

static int set(struct task *t, uint64_t period_ns, uint64_t slice_ns, bool slack)
{
	union sched_params p = { .real_time = { period_ns, slice_ns, slack } };

	return sched_set_params(t->v->domain, &p);
}

static struct task *promised(enum task_kind kind, uint64_t period_ns, uint64_t slice_ns, bool slack)
{
	struct task *t = sim_task(sim_domain(false, 1, 0, 0), kind, 0, 0);

	EXPECT(!set(t, period_ns, slice_ns, slack));
	return t;
}

/* Without slack each gets its slice and no more, in each period. */
TEST(atropos_slices_are_kept)
{
	static const struct {
		uint64_t period_ms, slice_ms;
	} given[] = { { 10, 3 }, { 20, 4 }, { 50, 10 }, { 200, 40 } };

	begin(1);
	for (unsigned int i = 0; i < ARRAY_SIZE(given); i++)
		promised(TASK_SPIN, given[i].period_ms * MS, given[i].slice_ms * MS, false);
	sim_settle();
	sim_run(20 * NS_PER_SEC);
	for (unsigned int i = 0; i < ARRAY_SIZE(given); i++) {
		unsigned int want = (unsigned int)(10000 * given[i].slice_ms / given[i].period_ms);

		EXPECT_IN(sim_share(&tasks[i]), want * 99 / 100, want * 101 / 100);
		EXPECT_IN(tasks[i].gap_max_ns, 0,
			  2 * (given[i].period_ms - given[i].slice_ms) * MS + 100 * US);
	}
	sim_end();
}

/* Slack goes to those that may take it, in equal parts; promises hold beside it. */
TEST(atropos_slack_goes_round)
{
	begin(1);
	promised(TASK_SPIN, 10 * MS, 4 * MS, false);
	for (unsigned int i = 0; i < 3; i++)
		promised(TASK_SPIN, 100 * MS, MS, true);
	sim_settle();
	sim_run(20 * NS_PER_SEC);
	EXPECT_IN(sim_share(&tasks[0]), 3960, 4040);
	for (unsigned int i = 1; i < 4; i++)
		EXPECT_IN(sim_share(&tasks[i]), 1960, 2020);
	sim_end();
}

/* One that may take slack has the whole of an idle CPU; one that may not is held to its slice there, too. */
TEST(atropos_on_an_idle_cpu)
{
	begin(2);
	promised(TASK_SPIN, 20 * MS, 2 * MS, true);
	promised(TASK_SPIN, 20 * MS, 5 * MS, false);
	sim_settle();
	sim_run(10 * NS_PER_SEC);
	EXPECT_IN(sim_share(&tasks[0]), 9900, 10000);
	EXPECT_IN(sim_share(&tasks[1]), 2475, 2525);
	sim_end();
}

/* A vCPU that wakes within its slice is not later than the end of its period allows, beside busy ones with slack. */
TEST(atropos_waker_is_served_in_its_period)
{
	struct task *t;

	begin(1);
	for (unsigned int i = 0; i < 3; i++)
		promised(TASK_SPIN, 100 * MS, 10 * MS, true);
	t = sim_task(sim_domain(false, 1, 0, 0), TASK_RANDOM, 10 * MS, 500 * US);
	EXPECT(!set(t, 5 * MS, MS, false));
	sim_settle();
	sim_run(20 * NS_PER_SEC);
	EXPECT_IN(sim_late(t, 500), 0, 20 * US);
	EXPECT_IN(sim_late(t, 1000), 0, 4 * MS);
	sim_end();
}

/* Sleeping saves nothing up: who sleeps and then works takes no more than its share from the others. */
TEST(atropos_sleepers_gain_nothing)
{
	struct task *t;

	begin(1);
	promised(TASK_SPIN, 20 * MS, 10 * MS, false);
	t = sim_task(sim_domain(false, 1, 0, 0), TASK_SLEEP, 3 * MS, 7 * MS);
	EXPECT(!set(t, 20 * MS, 8 * MS, false));
	sim_settle();
	sim_run(20 * NS_PER_SEC);
	EXPECT_IN(sim_share(&tasks[0]), 4950, 5050);
	EXPECT_IN(sim_share(t), 3000, 4040);
	sim_end();
}

TEST(atropos_dom0_runs_when_it_wakes)
{
	struct task *t;

	begin(1);
	for (unsigned int i = 0; i < 3; i++)
		sim_task(sim_domain(false, 1, 0, 0), TASK_SPIN, 0, 0);
	t = sim_task(sim_domain(true, 1, 0, 0), TASK_PERIODIC, 20 * MS, 2 * MS);
	sim_settle();
	sim_run(20 * NS_PER_SEC);
	EXPECT_IN(sim_late(t, 1000), 0, 20 * US);
	for (unsigned int i = 0; i < 3; i++)
		EXPECT_IN(sim_share(&tasks[i]), 2950, 3030);
	sim_end();
}

/* Busy dom0 has its three quarters and a part of the slack, the others the rest. */
TEST(atropos_busy_dom0)
{
	struct task *t;

	begin(1);
	sim_task(sim_domain(false, 1, 0, 0), TASK_SPIN, 0, 0);
	t = sim_task(sim_domain(true, 1, 0, 0), TASK_SPIN, 0, 0);
	sim_settle();
	sim_run(20 * NS_PER_SEC);
	EXPECT_IN(sim_share(t), 7500, 9000);
	EXPECT_IN(sim_share(&tasks[0]), 1000, 2500);
	sim_end();
}

TEST(atropos_promises_what_there_is)
{
	struct task *a, *b, *two;
	union sched_params p;

	begin(1);
	a = promised(TASK_SPIN, 10 * MS, 5 * MS, false);
	b = sim_task(sim_domain(false, 1, 0, 0), TASK_SPIN, 0, 0);
	EXPECT(set(b, 10 * MS, 5 * MS, false) == -ENOSPC);
	sched_get_params(b->v->domain, &p);
	EXPECT(p.real_time.period_ns == 100 * MS && p.real_time.slice_ns == MS &&
	       p.real_time.slack);
	EXPECT(!sched_set_params(b->v->domain, &p));
	EXPECT(!set(b, 10 * MS, 4500 * US, false));
	EXPECT(set(a, 10 * MS, 5100 * US, false) == -ENOSPC);
	EXPECT(!set(a, 10 * MS, 4 * MS, false));
	EXPECT(!set(b, 10 * MS, 5500 * US, true));
	/* Each vCPU of a domain counts. */
	two = sim_task(sim_domain(false, 2, 0, 0), TASK_IDLE, 0, 0);
	EXPECT(!set(b, 10 * MS, MS, true));
	EXPECT(!set(a, 10 * MS, MS, true));
	sim_task(two->v->domain, TASK_IDLE, 0, 0);
	EXPECT(set(two, 10 * MS, 4 * MS, false) == -ENOSPC);
	EXPECT(!set(two, 10 * MS, 3700 * US, false));
	sim_run(10 * MS);
	sim_stop();
	/* They are gone, and so are the promises. */
	sim_start(1);
	promised(TASK_SPIN, 10 * MS, 9500 * US, false);
	sim_end();
}

TEST(atropos_refuses_nonsense)
{
	struct task *t;

	begin(1);
	EXPECT(sched_tool_id() == XEN_SCHEDULER_RTDS);
	t = sim_task(sim_domain(false, 1, 0, 0), TASK_SPIN, 0, 0);
	EXPECT(set(t, 10 * MS, 0, false) == -EINVAL);
	EXPECT(set(t, 0, 0, false) == -EINVAL);
	EXPECT(set(t, 9 * US, 9 * US, false) == -EINVAL);
	EXPECT(set(t, 10 * MS, 49 * US, false) == -EINVAL);
	EXPECT(set(t, 50 * US, 49 * US, true) == -EINVAL);
	EXPECT(set(t, 10 * MS, 11 * MS, false) == -EINVAL);
	EXPECT(set(t, 11 * NS_PER_SEC, MS, false) == -EINVAL);
	EXPECT(sched_set_turn_ns(10 * MS) == -EOPNOTSUPP);
	t = sim_task(sim_domain(true, 1, 0, 0), TASK_SPIN, 0, 0);
	EXPECT(set(t, 10 * MS, 5 * MS, false) == -EINVAL); /* dom0 always takes slack */
	EXPECT(!set(t, 10 * MS, 5 * MS, true));
	sim_end();
}

/* The shortest slice that can be set runs, in each period. */
TEST(atropos_shortest_slice)
{
	struct task *t;

	begin(1);
	promised(TASK_SPIN, 20 * MS, 10 * MS, false);
	t = promised(TASK_SPIN, 10 * MS, 50 * US, false);
	sim_settle();
	sim_run(20 * NS_PER_SEC);
	EXPECT_IN(sim_share(t), 40, 60);
	EXPECT_IN(sim_share(&tasks[0]), 4950, 5050);
	sim_end();
}

/* On two CPUs the vCPUs are spread by what they were promised. */
TEST(atropos_on_two_cpus)
{
	begin(2);
	for (unsigned int i = 0; i < 4; i++)
		promised(TASK_SPIN, 20 * MS, 8 * MS, false);
	sim_settle();
	sim_run(20 * NS_PER_SEC);
	for (unsigned int i = 0; i < 4; i++)
		EXPECT_IN(sim_share(&tasks[i]), 3960, 4040);
	sim_end();
}
