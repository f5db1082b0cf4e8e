/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waking and blocking (sched/pause.c, sched.c: sched_vcpu_update, schedule, switch_vcpus; hvm/intr.c:
 * hvm_must_wake). One vCPU on CPU 0; another CPU sends it an interrupt and an event whose upcall goes by a wire
 * that only the vCPU itself raises; a third one pauses it. When nothing moves any more the vCPU has taken both.
 *
 * MUTATION 1: vcpu_block() does not look again after its flag is up.
 *          2: switch_vcpus() does not look again after `running` is clear.
 *          3: a wake-up of a running vCPU sends no kick.
 *          4: the flag is cleared before the interrupt is set.
 *          5: `running` is clear before the state is saved.
 *          6: the look before sleep does not raise the wire for an upcall.
 */
c_decl { \#include "mutation.h" }
#define MUT(n) c_expr { mutation == n }
#define HALTS 2

bool irr, upcall;		/* what waits for the vCPU */
bool attention, softirq, ipi;	/* of the vCPU, of CPU 0, at CPU 0's pins */
bool blocked;			/* VPF_BLOCKED */
byte paused;			/* pause_count */
bool queued, running = true, saved;
bool lock;
bool loaded = true;		/* CPU 0 has the vCPU, not idle */
byte halts;

#define runnable (!blocked && !paused)

inline take_lock() { atomic { !lock -> lock = true } }
inline drop_lock() { lock = false }
inline raise() { atomic { ipi = ipi | !softirq; softirq = true } }

inline update()
{
	take_lock();
	if
	:: queued -> if :: !runnable -> queued = false :: else fi
	:: !queued && running -> if :: !runnable -> raise() :: else fi
	:: !queued && !running -> if :: runnable -> queued = true; raise() :: else fi
	fi;
	drop_lock()
}

inline wake()
{
	bool was;

	attention = true;
	atomic { was = blocked; blocked = false };
	if
	:: was -> update()
	:: !was && running && !MUT(3) -> ipi = true
	:: else
	fi
}

proctype sender()
{
	if
	:: MUT(4) -> wake(); irr = true
	:: !MUT(4) -> irr = true; wake()
	fi
}

proctype event_sender()
{
	upcall = true;
	wake()
}

proctype pauser()
{
	paused++;
	update();
	!running;
	assert(saved);
	paused--;
	if :: !paused -> update() :: else fi
}

/* What the vCPU does before an entry. */
inline serve()
{
	if
	:: attention ->
		attention = false;
		if :: upcall -> upcall = false; irr = true :: else fi;
		if :: irr -> irr = false :: else fi
	:: else
	fi
}

inline block()
{
	blocked = true;
	if
	:: !MUT(6) && upcall -> upcall = false; irr = true
	:: else
	fi;
	if
	:: !MUT(1) && irr -> blocked = false; attention = true
	:: else -> update()
	fi
}

inline schedule()
{
	bool next;

	take_lock();
	if :: loaded && runnable -> queued = true :: else fi;
	next = queued;
	queued = false;
	if :: next -> running = true :: else fi;
	drop_lock();
	if
	:: next && !loaded -> loaded = true; saved = false; attention = true
	:: !next && loaded ->
		loaded = false;
		if
		:: MUT(5) -> running = false; saved = true
		:: !MUT(5) -> saved = true; running = false
		fi;
		if :: !MUT(2) && runnable -> update() :: else fi
	:: else
	fi
}

active proctype cpu0()
{
	run sender();
	run event_sender();
	run pauser();
end:	do
	:: softirq -> softirq = false; schedule()
	:: !softirq && !loaded -> /* HLT */
end_idle:	ipi -> ipi = false
	:: !softirq && loaded ->
		serve();
		if
		:: softirq
		:: else -> /* in the guest: out by an interrupt of the CPU, or by HLT */
end_guest:		if
			:: ipi -> ipi = false
			:: !ipi && halts < HALTS -> halts++; block()
			fi
		fi
	od
}

active proctype watch()
{
	timeout -> assert(!irr && !upcall)
}
