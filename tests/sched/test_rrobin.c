/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Round robin: equal shares whatever happens, turns of a known length, dom0 at once but with no more than its share. */
#include "sim.h"
#include <xen/domctl.h>

#define TURN (10 * MS)

static void begin(unsigned int cpus, unsigned int spinners)
{
	EXPECT(!sim_policy("rrobin"));
	sim_start(cpus);
	for (unsigned int i = 0; i < spinners; i++)
		sim_task(sim_domain(false, 1, 0, 0), TASK_SPIN, 0, 0);
}

TEST(rrobin_shares_are_equal)
{
	for (unsigned int n = 2; n <= 9; n++) {
		begin(1, n);
		sim_settle();
		sim_run(20 * NS_PER_SEC);
		for (unsigned int i = 0; i < n; i++) {
			EXPECT_IN(sim_share(&tasks[i]), 9900 / n, 10100 / n);
			EXPECT_IN(tasks[i].gap_max_ns, 0, (n - 1) * (TURN + 10 * US) + 10 * US);
		}
		sim_end();
	}
}

/* Where they are no multiple of the CPUs, who waits longest moves to where fewer wait: less even than turns are. */
TEST(rrobin_on_several_cpus)
{
	for (unsigned int cpus = 2; cpus <= SIM_CPUS; cpus++)
		for (unsigned int n = cpus; n <= 12; n++) {
			unsigned int want = 10000 * cpus / n;

			begin(cpus, n);
			sim_settle();
			sim_run(10 * NS_PER_SEC);
			for (unsigned int i = 0; i < n; i++)
				EXPECT_IN(sim_share(&tasks[i]), want * (n % cpus ? 80 : 99) / 100,
					  want * (n % cpus ? 120 : 101) / 100);
			sim_end();
		}
}

/* Who wakes waits for the others' turns, and no longer; it takes nothing from their shares but its own work. */
TEST(rrobin_waker_waits_for_its_turn)
{
	struct task *t;

	begin(1, 3);
	t = sim_task(sim_domain(false, 1, 0, 0), TASK_RANDOM, 100 * MS, MS);
	sim_settle();
	sim_run(20 * NS_PER_SEC);
	EXPECT_IN(sim_late(t, 1000), 0, 3 * (TURN + 10 * US));
	for (unsigned int i = 0; i < 3; i++)
		EXPECT_IN(sim_share(&tasks[i]), 3200, 3400);
	sim_end();
}

/* One that sleeps after each piece of a turn gets no more than who works on. */
TEST(rrobin_sleepers_gain_nothing)
{
	struct task *t;

	begin(1, 2);
	t = sim_task(sim_domain(false, 1, 0, 0), TASK_SLEEP, 10 * US, 9 * MS);
	sim_settle();
	sim_run(20 * NS_PER_SEC);
	EXPECT_IN(sim_share(t), 2900, 3340);
	sim_end();
}

TEST(rrobin_dom0_runs_when_it_wakes)
{
	struct task *t;

	begin(1, 3);
	t = sim_task(sim_domain(true, 1, 0, 0), TASK_PERIODIC, 20 * MS, 500 * US);
	sim_settle();
	sim_run(20 * NS_PER_SEC);
	EXPECT_IN(sim_late(t, 500), 0, 20 * US);
	EXPECT_IN(sim_late(t, 1000), 0, 20 * US);
	for (unsigned int i = 0; i < 3; i++)
		EXPECT_IN(sim_share(&tasks[i]), 3200, 3260);
	sim_end();
}

/* Busy, or waking all the time: a quarter beside three. */
TEST(rrobin_dom0_has_its_share)
{
	static const enum task_kind kinds[] = { TASK_SPIN, TASK_SLEEP };

	for (unsigned int k = 0; k < ARRAY_SIZE(kinds); k++) {
		struct task *t;

		begin(1, 3);
		t = sim_task(sim_domain(true, 1, 0, 0), kinds[k], 50 * US, 2 * MS);
		sim_settle();
		sim_run(20 * NS_PER_SEC);
		EXPECT_IN(sim_share(t), 2400, 2600);
		for (unsigned int i = 0; i < 3; i++)
			EXPECT_IN(sim_share(&tasks[i]), 2450, 2540);
		sim_end();
	}
}

TEST(rrobin_turns_of_another_length)
{
	begin(1, 2);
	EXPECT(sched_turn_ns() == TURN);
	EXPECT(!sched_set_turn_ns(50 * MS));
	sim_settle();
	sim_run(10 * NS_PER_SEC);
	EXPECT_IN(tasks[0].gap_max_ns, 50 * MS, 50 * MS + 20 * US);
	EXPECT_IN(sim_share(&tasks[0]), 4950, 5050);
	EXPECT(sched_set_turn_ns(MS - 1) == -EINVAL);
	EXPECT(sched_set_turn_ns(NS_PER_SEC + 1) == -EINVAL);
	EXPECT(sched_turn_ns() == 50 * MS);
	EXPECT(!sched_set_turn_ns(TURN));
	sim_end();
	EXPECT(sched_set_turn_ns(TURN) == -EOPNOTSUPP);
	EXPECT(!sched_turn_ns());
}

/* Donation: it goes on within the turn of the one that is given the CPU, and past nobody's. */
TEST(rrobin_donation_takes_no_turns)
{
	struct task *ask, *serve;

	begin(1, 2);
	ask = sim_task(sim_domain(true, 1, 0, 0), TASK_ASKS, 0, 100 * US);
	serve = sim_task(sim_domain(false, 1, 0, 0), TASK_SERVES, 0, 100 * US);
	ask->peer = serve;
	serve->peer = ask;
	sim_settle();
	sim_run(10 * NS_PER_SEC);
	EXPECT_IN(sim_share(&tasks[0]), 3300, 5010);
	EXPECT_IN(sim_share(&tasks[1]), 3300, 5010);
	EXPECT(serve->pieces > 300);
	sim_end();
}

TEST(rrobin_knows_no_weights)
{
	union sched_params p;

	begin(1, 1);
	EXPECT(sched_tool_id() == XEN_SCHEDULER_CREDIT);
	sched_get_params(tasks[0].v->domain, &p);
	EXPECT(p.share.weight == 256 && !p.share.cap);
	EXPECT(!sched_set_params(tasks[0].v->domain, &p));
	p.share.cap = 20;
	EXPECT(sched_set_params(tasks[0].v->domain, &p) == -EINVAL);
	p.share = (typeof(p.share)){ .weight = 512 };
	EXPECT(sched_set_params(tasks[0].v->domain, &p) == -EINVAL);
	sim_end();
	EXPECT(sched_tool_id() == XEN_SCHEDULER_CREDIT2);
}

TEST(an_unknown_policy_changes_nothing)
{
	EXPECT(sim_policy("credit3") == -EINVAL);
	EXPECT(sched_tool_id() == XEN_SCHEDULER_CREDIT2);
}
