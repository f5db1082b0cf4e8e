/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests, answers and donation (hvm/ioreq_send.c; sched.c: sched_donate, sched_resume_donor; docs/ioreq.md). The
 * guest's vCPU sends requests, the device model's thread, on dom0's vCPU, serves the slot and sleeps by poll() or by
 * donation; dom0 gets an interrupt in between. They share a CPU (SHARED) or have one each. At the end all requests
 * are answered, and dom0 does not sleep over its interrupt. (2 and 4 need SHARED.)
 *
 * MUTATION 1: wait_for_answer() does not look at the slot after its flag is up.
 *          2: sched_donate() does not look for an interrupt after its flag is up.
 *          3: a donation that is refused forgets the vCPU that it answered.
 *          4: a request to a donor sends no event and leaves the donor asleep.
 *          5: the answer is announced before it is in the slot.
 */
c_decl { \#include "mutation.h" }
#define MUT(n) c_expr { mutation == n }
#define SHARED c_expr { shared }
#define REQUESTS 2

mtype = { NONE, READY, ANSWERED };
mtype slot = NONE;
byte sent, done;

/* Guest's vCPU: waits for its device model. dom0's vCPU: blocked in the kernel's idle loop, or gives its CPU away. */
bool g_io, d_blocked, d_donates;
bool g_runs, d_runs;	/* `running` of each */
bool event;		/* channel to the device model is pending */
bool intr;		/* another interrupt for dom0 */
bool donor;		/* c->donor: by whom the guest's vCPU runs now */

#define d_intr (event || intr)
#define g_runnable (!g_io)
#define d_runnable (!d_blocked && !d_donates)

/* The scheduler puts whoever may run on the CPU; with one CPU whenever the other is off it. */
active proctype scheduler()
{
end:	do
	:: atomic { !g_runs && g_runnable && !(SHARED && d_runs) -> g_runs = true }
	:: atomic { !d_runs && d_runnable && !(SHARED && g_runs) -> d_runs = true }
	:: atomic { g_runs && !g_runnable ->
			g_runs = false;
			if :: donor -> donor = false; d_donates = false :: else fi }
	:: atomic { d_runs && !d_runnable -> d_runs = false }
	/* Preemption, which ends a donation. */
	:: atomic { SHARED && g_runs && d_runnable ->
			g_runs = false; donor = false; d_donates = false; d_runs = true }
	:: atomic { SHARED && d_runs && g_runnable -> d_runs = false; g_runs = true; donor = false; d_donates = false }
	od
}

inline wake_dom0() { atomic { d_blocked = false; d_donates = false } }

/* Past a pass of its run loop a vCPU goes on when it runs and may. */
#define g_on (g_runs && g_runnable)
#define d_on (d_runs && d_runnable)

active proctype guest()
{
	bool given;

	do
	:: sent < REQUESTS ->
		atomic { g_on -> assert(slot == NONE); slot = READY; sent++ };
		/* sched_resume_donor(), under the queue's lock */
		atomic {
			g_runs -> given = donor && d_donates;
			if :: given && !MUT(4) -> d_donates = false :: else fi;
			donor = false
		};
		if
		:: given
		:: else -> event = true; wake_dom0()
		fi;
		do
		:: g_io = true;
			if
			:: !MUT(1) && slot == ANSWERED -> g_io = false
			:: else
			fi;
			/* ioreq_answer() */
			if
			:: atomic { g_on && slot == ANSWERED -> slot = NONE; done++ }; break
			:: g_on && slot != ANSWERED
			fi
		od
	:: else -> break
	od
	/* Now it computes, for ever. */
}

inline notify_guest() { if :: answered -> g_io = false :: else fi }

active proctype device_model()
{
	bool answered, given;

	do
	:: d_on ->
		/* dom0 takes its interrupt, poll() returns; then the device model looks. */
		atomic { intr = false; event = false };
		given = false;
again:		answered = false;
		if
		:: d_on && slot == READY ->
			if :: MUT(5) -> g_io = false :: !MUT(5) fi;
			atomic { d_on -> slot = ANSWERED; answered = true }
		:: d_on && slot != READY
		fi;
		if
		:: true -> /* poll() */
			if :: !MUT(5) -> notify_guest() :: else fi
		:: true -> /* donation, with the answer */
			if :: !MUT(3) && !MUT(5) -> notify_guest() :: else fi;
			/* The flag, then the look; whoever wakes this vCPU takes the flag down. */
			d_donates = true;
			if
			:: MUT(2) || !d_intr ->
				/* fetch_here(), under the queue's lock */
				atomic {
					given = SHARED && (g_runnable || (MUT(3) && answered));
					donor = given;
					if :: !given -> d_donates = false :: else fi
				};
				if
				:: given && MUT(3) && answered -> notify_guest()
				:: else
				fi;
				/* The run loop: the other has the CPU, if the donor still sleeps. */
				atomic {
					if
					:: d_donates -> d_runs = false; g_runs = true
					:: else -> donor = false
					fi
				};
				if :: given -> d_on; goto again :: else fi
			:: else -> d_donates = false
			fi
		fi;
		/* Nothing to do: dom0's idle loop. The flag, then the look (vcpu_block). */
		d_blocked = true;
		if :: d_intr -> d_blocked = false :: else fi
	od
}

active proctype interrupt()
{
	intr = true;
	wake_dom0()
}

active proctype watch()
{
	timeout -> assert(done == REQUESTS && !intr)
}
