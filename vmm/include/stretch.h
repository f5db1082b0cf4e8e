/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long the VMM goes on with interrupts off (vmm/base/stretch.c): from an exit, the window of the run loop or the end of HLT to the
 * next entry, window or HLT. Nobody else is served on the CPU in such a stretch, so none may be longer than
 * STRETCH_BOUND instructions, whatever a guest, a device model or a tool asks. A question for pending work ends none: only
 * an answer that leads back to one of these does.
 *
 * An image built with STRETCH=1 keeps the longest ones, with what was done and between which two places, and debug key s
 * prints them. Under QEMU's -icount a tick of the TSC is an instruction. Other images contain no trace of it.
 */
#ifndef PLINTH_STRETCH_H
#define PLINTH_STRETCH_H

#include "types.h"

#ifndef PLINTH_STRETCH
#define PLINTH_STRETCH 0
#endif

#define STRETCH_BOUND 200000ULL

/* The slow halves of the functions below. */
void stretch_ended(void);
void stretch_began(const char *why);
void stretch_does(const char *what, uint64_t cmd);

/* Interrupts are about to be opened: by an entry, too. */
static inline void stretch_end(void)
{
	if (PLINTH_STRETCH)
		stretch_ended();
}

/* Until here interrupts were open; `why` names what is to be done now (a constant string). */
static inline void stretch_begin(const char *why)
{
	if (PLINTH_STRETCH)
		stretch_began(why);
}

/*
 * A part of a stretch begins: a constant string and a command, or the address of a function. A stretch is told by its longest
 * part.
 */
static inline void stretch_doing(const char *what, uint64_t cmd)
{
	if (PLINTH_STRETCH)
		stretch_does(what, cmd);
}

#endif
