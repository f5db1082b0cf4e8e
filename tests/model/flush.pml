/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A flush of translations (paging/flush.c) beside a vCPU that is switched to, moved between two CPUs and enters its guest
 * (sched/sched.c, hvm/vcpu_run.c). A CPU drops what it has cached of a vCPU that comes from another CPU, and keeps it when
 * the vCPU comes back without having run elsewhere. When p2m_flush() returns, no guest runs with an old translation.
 *
 * MUTATION 1: where the vCPU is gets read before it is asked to flush.
 *          2: the vCPU is not asked, only interrupted.
 *          3: a vCPU that is not in its guest just now is not interrupted.
 */
c_decl { \#include "mutation.h" }
#define MUT(n) c_expr { mutation == n }
#define ROUNDS 3
#define NONE   2

byte map;		/* the translation: 0 old, 1 new */
byte cpu;		/* v->cpu */
byte tlb_cpu = 1;	/* where v ran last */
byte cached;		/* there */
bool running, in_guest, flush, done;
bool call[2];		/* cpu_call() */

inline entry()
{
	if
	:: flush -> flush = false; cached = NONE
	:: else
	fi;
	if
	:: tlb_cpu != cpu -> tlb_cpu = cpu; cached = NONE
	:: else
	fi;
	/* Interrupts are off: one that has come makes it exit at once. */
	atomic {
		if
		:: call[cpu]
		:: else -> in_guest = true
		fi
	};
	if
	:: in_guest ->
		if
		:: cached == NONE -> cached = map
		:: else
		fi;
		assert(!done || cached == 1);
		in_guest = false
	:: else
	fi;
	if
	:: call[cpu] -> call[cpu] = false
	:: else
	fi
}

active proctype vcpu()
{
	byte round;

	do
	:: round < ROUNDS ->
		round++;
		if :: cpu = 0 :: cpu = 1 fi;
		running = true;
		do
		:: entry()
		:: break
		od;
		if
		:: call[cpu] -> call[cpu] = false
		:: else
		fi;
		running = false
	:: else -> break
	od
}

/* CPUs serve calls whatever they do. */
active proctype others()
{
end:	do
	:: atomic { call[0] && !(running && cpu == 0) -> call[0] = false }
	:: atomic { call[1] && !(running && cpu == 1) -> call[1] = false }
	od
}

active proctype flusher()
{
	byte c;

	map = 1;
	if
	:: MUT(1) -> c = cpu
	:: else
	fi;
	if
	:: MUT(2)
	:: else -> flush = true
	fi;
	if
	:: running && !(MUT(3) && !in_guest) ->
		if
		:: MUT(1)
		:: else -> c = cpu
		fi;
		call[c] = true;
		!call[c]
	:: else
	fi;
	done = true;
	assert(!in_guest || cached != 0)
}
