/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vlapic_pending(): the hint irr_maybe beside the IRR, on a CPU that may keep a store back while it loads (x86: the
 * only reordering there is). The vCPU clears the hint when it found nothing; a sender sets the bit, then the hint, and
 * wakes the vCPU. When nothing moves any more the vCPU has taken the interrupt.
 *
 * MUTATION 1: no fence between the clearing and the second scan: the late store wipes the sender's hint out.
 *          2: no second scan.
 *          3: the sender sets the hint first.
 */
c_decl { \#include "mutation.h" }
#define MUT(n) c_expr { mutation == n }

bool irr, maybe = true, attention;
bool kept; /* `maybe = false` waits in the vCPU's CPU's store buffer */
byte taken;

proctype sender()
{
	if
	:: MUT(3) -> maybe = true; irr = true
	:: !MUT(3) -> irr = true; maybe = true
	fi;
	attention = true
}

active proctype store_buffer()
{
end:	do
	:: atomic { kept -> maybe = false; kept = false }
	od
}

/* A CPU sees its own stores: forwarding. */
#define seen_maybe (!kept && maybe)

inline pending(result)
{
	result = false;
	if
	:: seen_maybe ->
		if
		:: irr -> result = true
		:: else ->
			kept = true;
			!kept || MUT(1); /* the fence */
			if
			:: !MUT(2) && irr ->
				atomic { !kept; maybe = true };
				result = true
			:: else
			fi
		fi
	:: else
	fi
}

active proctype vcpu()
{
	bool p;

	run sender();
	do
	:: pending(p);
		if
		:: p -> irr = false; taken++
		:: else ->
end:			attention -> attention = false
		fi
	od
}

active proctype watch()
{
	timeout -> assert(taken == 1)
}
