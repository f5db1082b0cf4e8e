/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the hypervisor does in one piece, in instructions, roughly (work.c). Each thread counts its own. */
#ifndef PLINTH_FUZZ_WORK_H
#define PLINTH_FUZZ_WORK_H

#include <stdint.h>

/* docs/locking.md: no more than this with interrupts off. A call that looks for other work stops before. */
#define WORK_MAX   200000U
#define WORK_PIECE 100000U
/* What a flush of translations costs: other CPUs are waited for. */
#define WORK_FLUSH 1000U
/* What a line for the log costs: each character is formatted, and copied twice. */
#define WORK_LINE 5000U

void work_begin(void);
void work_end(void);
void work_add(uint64_t instructions);
uint64_t work_done(void);
/* The longest piece since this was last asked. */
uint64_t work_longest(void);

/* Before memcpy or memmove writes into this page next: called once, and then it is NULL. */
extern void (*work_on_copy)(void);
extern const void *work_copy_page;

#endif
