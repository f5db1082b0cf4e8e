/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A binary heap of timers by expiry (cpu/timer_heap.c): pure, the caller locks. */
#ifndef PLINTH_TIMER_HEAP_H
#define PLINTH_TIMER_HEAP_H

#include "timer.h"

struct theap {
	struct timer **t; /* t[0] expires first */
	unsigned int n, size;
};

/* False when it is full. Sets t->heap_index. */
bool theap_insert(struct theap *h, struct timer *t);
void theap_remove(struct theap *h, struct timer *t);
static inline struct timer *theap_first(const struct theap *h)
{
	return h->n ? h->t[0] : NULL;
}

#endif
