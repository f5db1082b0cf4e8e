/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * INIT and start-up IPIs (hvm/vcpu.c): a note for the vCPU, VPF_DOWN while it waits for a start-up IPI. One sender, whose
 * last message decides what the vCPU is when nothing moves any more. It never enters the guest at the reset vector.
 *
 * MUTATION 1: the note is gone before the vCPU is down.
 *          2: the vCPU does not look at the note again when that has changed meanwhile.
 *          3: the sender of a start-up IPI writes the note a second time.
 *          4: the sender of INIT looks at the note after it has seen the vCPU down.
 *          5: two INITs leave the same note, so that a start-up IPI between them is not seen.
 */
c_decl { \#include "mutation.h" }
#define MUT(n) c_expr { mutation == n }

#define NONE  0
#define INIT  1
#define START 2 /* INIT and a start-up IPI */
#define kind(n) (n & 3) /* above: which INIT it was */

mtype = { old_code, reset, started };

byte note, inits;
bool down, attention, last_is_init;
mtype state = old_code;
byte starts;

inline send_init()
{
	if
	:: MUT(4) -> d = down; seen = note
	:: !MUT(4) -> seen = note; d = down
	fi;
	if
	:: d && seen == NONE
	:: else ->
		inits = inits + !MUT(5);
		note = INIT + 4 * inits;
		attention = true
	fi
}

inline send_sipi()
{
	do
	:: seen = note;
		if
		:: kind(seen) == START -> break
		:: seen == NONE ->
			d = down;
			if :: !d -> break :: else fi
		:: kind(seen) == INIT
		fi;
		start = (seen - kind(seen)) + START;
		atomic { won = (note == seen); if :: won -> note = start :: else fi };
		if
		:: won ->
			if :: MUT(3) -> note = start :: else fi;
			attention = true;
			down = false;
			break
		:: else
		fi
	od
}

proctype sender()
{
	bool d, won;
	byte seen, start;

	send_init();
	send_sipi();
	send_sipi();
	if
	:: true -> send_init(); last_is_init = true
	:: true -> send_init(); send_sipi()
	:: true
	fi
}

inline serve()
{
	if
	:: MUT(1) -> atomic { what = note; note = NONE }
	:: else -> what = note
	fi;
	if
	:: what == NONE
	:: else ->
		state = reset;
		if :: kind(what) == INIT -> down = true :: else fi;
		atomic { won = (note == what || MUT(1)); if :: won && !MUT(1) -> note = NONE :: else fi };
		if
		:: !won -> down = false; attention = attention | !MUT(2)
		:: won && kind(what) == START -> state = started; starts++
		:: won && kind(what) == INIT && MUT(1) && note != NONE -> down = false
		:: else
		fi
	fi
}

active proctype vcpu()
{
	byte what;
	bool won;

	run sender();
	do
	:: down ->
end_down:	!down
	:: !down && attention -> attention = false; serve()
	:: !down && !attention ->
		assert(state != reset);
end_guest:	attention
	od
}

active proctype watch()
{
	timeout ->
		assert(note == NONE && down == last_is_init);
		assert(state == (last_is_init -> reset : started));
		assert(starts <= 2)
}
