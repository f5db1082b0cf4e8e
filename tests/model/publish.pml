/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Publication and grace periods (include/publish.h, cpu/publish.c, domain/domain.c, kill.c). One CPU builds, publishes,
 * takes away and frees an object; two others find it without a lock or reference and use it until they pass their run
 * loop. Nobody uses what is not complete or is free again, and the grace period ends.
 *
 * MUTATION 1: it is published before it is complete.
 *          2: it is freed without a grace period.
 *          3: the grace period begins before the object is unfindable.
 *          4: a CPU notes the newest grace period before it is done with what it found.
 *          5: idle CPUs are not asked to pass.
 */
c_decl { \#include "mutation.h" }
#define MUT(n) c_expr { mutation == n }
#define READERS 2

bool listed, complete, freed, over;
byte newest;
byte passed[READERS];
bool softirq[READERS];

active proctype owner()
{
	byte g;

	if
	:: MUT(1) -> listed = true; complete = true
	:: !MUT(1) -> complete = true; listed = true
	fi;
	if
	:: MUT(3) -> newest++; g = newest; softirq[0] = true; softirq[1] = true; listed = false
	:: !MUT(3) -> listed = false; newest++; g = newest
	fi;
	if
	:: !MUT(5) -> softirq[0] = true; softirq[1] = true
	:: MUT(5)
	fi;
	passed[0] >= g || MUT(2);
	passed[1] >= g || MUT(2);
	complete = false;
	freed = true;
	over = true
}

active [READERS] proctype reader()
{
	byte me = _pid - 1, now, looks;
	bool found;

	do
	:: softirq[me] -> /* deferred_work() and its grace_pass() */
		softirq[me] = false;
		now = newest;
		passed[me] = now
	:: !softirq[me] && looks < 2 -> /* a hypercall that looks the object up */
		looks++;
		found = listed;
		if
		:: found ->
			assert(complete && !freed);
			if :: MUT(4) -> passed[me] = newest :: !MUT(4) fi;
			assert(complete && !freed)
		:: else
		fi
	:: else ->
end:		softirq[me]
	od
}

active proctype watch()
{
	timeout -> assert(over)
}
