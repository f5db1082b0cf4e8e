/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vCPU between two queues (sched/sched.c: lock_vcpu, place_on, fetch_here). Three parties change what it may
 * do and each calls sched_vcpu_update(), which may move it to either CPU: it waits in the queue of v->cpu
 * exactly once if it is runnable, and nowhere if not.
 *
 * MUTATION 1: place_on() does not look again after it has the second lock.
 *          2: lock_vcpu() does not look again whether the vCPU is still that queue's.
 */
c_decl { \#include "mutation.h" }
#define MUT(n) c_expr { mutation == n }

byte cpu;		/* v->cpu */
bool lock[2];
byte in[2];		/* how often it stands in each queue */
bool queued;		/* v->sched.queued */
bool blocked = true;
byte paused;

#define runnable (!blocked && !paused)

inline lock_vcpu(c)
{
	do
	:: c = cpu;
		atomic { !lock[c] -> lock[c] = true };
		if
		:: c == cpu || MUT(2) -> break
		:: else -> lock[c] = false
		fi
	od
}

inline place(c, to)
{
	if :: to = 0 :: to = 1 fi;
	if
	:: to != c ->
		cpu = to;
		lock[c] = false;
		c = to;
		atomic { !lock[c] -> lock[c] = true }
	:: else
	fi;
	if
	:: !MUT(1) && (cpu != c || queued || !runnable)
	:: else -> queued = true; in[c]++; assert(in[0] + in[1] == 1)
	fi
}

inline update(c, to)
{
	lock_vcpu(c);
	if
	:: queued && !runnable -> queued = false; assert(in[c] == 1); in[c]--
	:: !queued && runnable -> place(c, to)
	:: else
	fi;
	lock[c] = false
}

active proctype waker()
{
	byte c, to;

	blocked = false;
	update(c, to)
}

active [2] proctype pauser()
{
	byte c, to;

	atomic { paused++ };
	update(c, to);
	atomic { paused-- };
	if :: !paused -> update(c, to) :: else fi
}

active proctype watch()
{
	timeout -> assert(runnable && queued && in[cpu] == 1 && in[1 - cpu] == 0)
}
