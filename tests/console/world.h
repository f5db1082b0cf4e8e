/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The surroundings of the console: a UART that sends no faster than its line, time, timers and the run loop. A look at a
 * port takes a microsecond; nothing else takes time.
 */
#ifndef CONSOLE_TEST_H
#define CONSOLE_TEST_H

#include "boot.h"
#include "vmm/console/internal.h"
#include "domain.h"
#include "unit.h"

struct uart {
	unsigned int fifo;  /* characters; 1 = a UART without */
	bool instant;	    /* as an emulator's: takes everything at once */
	bool stuck;	    /* takes nothing any more */
	bool types;	    /* somebody keeps a key down */
	unsigned int looks; /* at its ports */
	unsigned int overruns;
	char sent[1 << 19];
	size_t len;
};
extern struct uart uart;
extern struct boot_info boot_info;
extern uint64_t world_tsc_step; /* what the TSC counts from one look to the next */
/* Pieces that key v prints, and keys that were run. */
extern unsigned int world_key_pieces, world_keys;
extern unsigned int world_locks; /* held now */

/* Boots the console with these options ("name=value ..."): a line of 115,200 baud, FIFO of 16, and timers run. */
void world_start(const char *options);
/* The same until timers run. */
void world_early(const char *options);
/* Time passes: timers fire, the run loop does its work. */
void world_pass(uint64_t ns);
/* Which CPU the calls are made on. */
void world_cpu(unsigned int id);
/* What the run loop does before a guest is entered. */
void world_loop(void);
/* What the line has carried so far, without carriage returns. */
const char *world_sent(void);
unsigned int world_count(const char *text, const char *what);

#endif
