/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dom0 among busy guests: at wake-up at once, and half of its CPU if it wants that; and donation. */
#include "sim.h"

TEST(dom0_has_half_a_cpu)
{
	for (unsigned int n = 1; n <= 15; n++) {
		struct task *t;

		sim_start(1);
		t = sim_task(sim_domain(true, 1, 0, 0), TASK_SPIN, 0, 0);
		for (unsigned int i = 0; i < n; i++)
			sim_task(sim_domain(false, 1, 0, 0), TASK_SPIN, 0, 0);
		sim_run(500 * MS);
		sim_mark();
		sim_run(5000 * MS);
		EXPECT_IN(sim_share(t), 4800, 5200);
		EXPECT_IN(t->gap_max_ns, 0, 25 * MS);
		for (unsigned int i = 1; i <= n; i++)
			EXPECT_IN(sim_share(&tasks[i]), 4600 / n, 5400 / n);
		sim_stop();
	}
}

TEST(dom0_has_half_of_each_cpu)
{
	struct domain *d;

	sim_start(2);
	d = sim_domain(true, 2, 0, 0);
	sim_task(d, TASK_SPIN, 0, 0);
	sim_task(d, TASK_SPIN, 0, 0);
	for (unsigned int i = 0; i < 7; i++)
		sim_task(sim_domain(false, 1, 0, 0), TASK_SPIN, 0, 0);
	sim_run(500 * MS);
	sim_mark();
	sim_run(5000 * MS);
	EXPECT_IN(sim_share(&tasks[0]), 4700, 5400);
	EXPECT_IN(sim_share(&tasks[1]), 4700, 5400);
	sim_stop();
}

/* Heavy guests gain nothing against it, nor do guests that sleep to be first. */
TEST(dom0_against_heavy_and_greedy_guests)
{
	sim_start(1);
	sim_task(sim_domain(true, 1, 0, 0), TASK_SPIN, 0, 0);
	for (unsigned int i = 0; i < 3; i++)
		sim_task(sim_domain(false, 1, 2048, 0), TASK_SPIN, 0, 0);
	for (unsigned int i = 0; i < 4; i++)
		sim_task(sim_domain(false, 1, 0, 0), TASK_SLEEP, US, 1900 * US);
	sim_run(500 * MS);
	sim_mark();
	sim_run(10000 * MS);
	EXPECT_IN(sim_share(&tasks[0]), 4600, 5400);
	sim_stop();
}

/* Its own weight counts where that is more. */
TEST(dom0_with_a_great_weight)
{
	sim_start(1);
	sim_task(sim_domain(true, 1, 768, 0), TASK_SPIN, 0, 0);
	sim_task(sim_domain(false, 1, 0, 0), TASK_SPIN, 0, 0);
	sim_run(500 * MS);
	sim_mark();
	sim_run(5000 * MS);
	EXPECT_IN(sim_share(&tasks[0]), 7300, 7700);
	sim_stop();
}

/* As long as it uses less than half it does not wait: not for busy guests, nor for those that woke before it. */
TEST(dom0_runs_at_wake_up)
{
	static const unsigned int percent[] = { 1, 5, 10, 20, 40 };

	for (unsigned int i = 0; i < ARRAY_SIZE(percent); i++) {
		struct task *t;

		sim_start(1);
		t = sim_task(sim_domain(true, 1, 0, 0), TASK_RANDOM, 2 * MS, percent[i] * 20 * US);
		for (unsigned int g = 0; g < 7; g++)
			sim_task(sim_domain(false, 1, 0, 0), TASK_SPIN, 0, 0);
		for (unsigned int g = 0; g < 4; g++)
			sim_task(sim_domain(false, 1, 0, 0), TASK_SLEEP, 3 * MS, 1900 * US);
		sim_run(500 * MS);
		sim_mark();
		sim_run(5000 * MS);
		EXPECT_IN(sim_late(t, 500), 0, 50 * US);
		EXPECT_IN(sim_late(t, 990), 0, 100 * US);
		EXPECT_IN(sim_share(t), percent[i] * 90, percent[i] * 115);
		sim_stop();
	}
}

/*
 * A device model that donates: the guest's time is the guest's, and a guest that does nothing but requests gets, with what
 * dom0 does for it, no more than dom0's and its share.
 */
TEST(donation_is_charged_to_the_guest)
{
	struct vcpu_runstate_info g, s;
	struct task *serves, *guest, *busy;
	const int key = 0;
	uint64_t donated = 0, refused = 0;

	sim_start(1);
	serves = sim_task(sim_domain(true, 1, 0, 0), TASK_SPIN, 0, 0);
	guest = sim_task(sim_domain(false, 1, 0, 0), TASK_SPIN, 0, 0);
	busy = sim_task(sim_domain(false, 1, 0, 0), TASK_SPIN, 0, 0);
	sim_run(500 * MS);
	sim_mark();
	for (unsigned int i = 0; i < 100000 && donated + refused < 20000; i++) {
		sim_as(serves);
		if (this_cpu()->current == serves->v && !(serves->v->pause_flags & VPF_DONATES))
			*(sched_donate(guest->v, &key) ? &donated : &refused) += 1;
		sim_run(100 * US);
		sim_as(serves);
		if (sched_has_donor(&key))
			EXPECT(sched_resume_donor(&key));
		sim_run(20 * US);
	}
	EXPECT(donated > 1000);
	EXPECT(refused > 10);
	EXPECT_IN(sim_share(busy), 2300, 5200);
	EXPECT_IN(busy->gap_max_ns, 0, 60 * MS);
	vcpu_runstate_get(guest->v, &g);
	vcpu_runstate_get(serves->v, &s);
	EXPECT_IN(g.time[RUNSTATE_running], guest->ran_ns, ~0UL);
	EXPECT(s.time[RUNSTATE_blocked] > 0);
	sim_stop();
}

/* A donation does not lift a cap. */
TEST(donation_obeys_the_cap)
{
	struct task *serves, *guest;
	const int key = 0;

	sim_start(1);
	serves = sim_task(sim_domain(true, 1, 0, 0), TASK_SPIN, 0, 0);
	guest = sim_task(sim_domain(false, 1, 0, 20), TASK_SPIN, 0, 0);
	sim_run(500 * MS);
	sim_mark();
	for (unsigned int i = 0; i < 20000; i++) {
		sim_as(serves);
		if (this_cpu()->current == serves->v && !(serves->v->pause_flags & VPF_DONATES))
			sched_donate(guest->v, &key);
		sim_run(100 * US);
	}
	EXPECT_IN(sim_share(guest), 1850, 2050);
	EXPECT_IN(sim_share(serves), 7700, 8100);
	sim_stop();
}
