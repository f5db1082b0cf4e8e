// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A timer that others set anew, and so move between CPUs, also while its function runs; as a guest's vCPUs do with another
 * one's periodic timer. Then they are stopped, and the timer is: nobody is in its function, which set it again, and
 * it is nowhere.
 */
#include "threads.h"
#include "timer.h"

#define A     DOMID_A
#define STEPS 100U

static struct timer timer;
static int inside; /* its function */
static int moving; /* others */
static bool stopping;

static void fires(void *data)
{
	(void)data;
	__atomic_fetch_add(&inside, 1, __ATOMIC_SEQ_CST);
	(void)domain_get_next(DOMID_INVALID); /* somebody else's turn, perhaps */
	timer_set(&timer, now_ns());
	__atomic_fetch_sub(&inside, 1, __ATOMIC_SEQ_CST);
}

static bool moves(struct vcpu *v, unsigned int n)
{
	(void)v;
	__atomic_fetch_add(&moving, 1, __ATOMIC_SEQ_CST);
	if (!__atomic_load_n(&stopping, __ATOMIC_SEQ_CST)) {
		timer_migrate(&timer, n % nr_cpus);
		timer_set(&timer, now_ns());
	}
	__atomic_fetch_sub(&moving, 1, __ATOMIC_SEQ_CST);
	return true;
}

static bool stops(struct vcpu *v, unsigned int n)
{
	(void)v;
	if (n % 8)
		return n < STEPS;
	__atomic_store_n(&stopping, true, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&moving, __ATOMIC_SEQ_CST))
		cpu_relax();
	timer_stop(&timer);
	EXPECT(__atomic_load_n(&inside, __ATOMIC_SEQ_CST), == 0);
	EXPECT(timer_armed(&timer), == false);
	__atomic_store_n(&stopping, false, __ATOMIC_SEQ_CST);
	return true;
}

RACE(timer_move_stop, 40)
{
	timer_init(&timer, fires, NULL, 0);
	RACE_ACTS({ 0, 0, 0, stops, false }, { 0, 1, 1, moves, true }, { A, 0, 2, moves, true });
	timer_stop(&timer);
}
