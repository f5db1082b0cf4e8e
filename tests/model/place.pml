/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vCPU that becomes runnable on CPU 0, which is busy, while CPU 1 goes idle (sched/sched.c: place_on, offer, steal).
 * Both CPUs may keep their stores back until a fence. When nothing moves any more CPU 1 has it, or CPU 0 has.
 *
 * MUTATION 1: no offer after the vCPU is queued.
 *          2: the CPU that goes idle looks first and says afterwards that it idles.
 *          3: no fence before the offer.
 *          4: it passes over a queue whose lock is held just now.
 */
c_decl { \#include "mutation.h" }
#define MUT(n) c_expr { mutation == n }

bool queue_lock;
bool queued, idle1, softirq1;
bool queued_kept; /* in CPU 0's store buffer */
bool taken;

active proctype store_buffer0()
{
end:	do
	:: atomic { queued_kept -> queued = true; queued_kept = false }
	od
}

active proctype cpu0()
{
	atomic { !queue_lock -> queue_lock = true };
	queued_kept = true;
	!queued_kept || MUT(3);
	if :: idle1 && !MUT(1) -> softirq1 = true :: else fi;
	/* The unlocking store comes after the others. */
	atomic { !queued_kept -> queue_lock = false }
}

inline steal()
{
	if
	:: queued ->
		if
		:: atomic { !queue_lock -> queue_lock = true };
			if :: queued -> queued = false; taken = true :: else fi;
			queue_lock = false
		:: MUT(4) && queue_lock /* spin_trylock() */
		fi
	:: else
	fi
}

active proctype cpu1()
{
	if
	:: MUT(2) -> steal(); idle1 = true
	:: !MUT(2) -> idle1 = true; steal() /* the exchange of `running` between them is a fence */
	fi;
end:	do
	:: softirq1 -> softirq1 = false; steal()
	od
}

active proctype watch()
{
	timeout -> assert(taken)
}
