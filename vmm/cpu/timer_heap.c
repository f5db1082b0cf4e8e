/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The binary heap behind the timers; no locks, no hardware, so the host tests run it. */
#include "timer_heap.h"

static void place(struct theap *h, unsigned int i, struct timer *t)
{
	h->t[i] = t;
	WRITE_ONCE(t->heap_index, (int)i); /* timer_armed() looks without the lock */
}

static void sift_up(struct theap *h, unsigned int i, struct timer *t)
{
	while (i && h->t[(i - 1) / 2]->expires_ns > t->expires_ns) {
		place(h, i, h->t[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	place(h, i, t);
}

static void sift_down(struct theap *h, unsigned int i, struct timer *t)
{
	unsigned int child;

	while ((child = 2 * i + 1) < h->n) {
		if (child + 1 < h->n && h->t[child + 1]->expires_ns < h->t[child]->expires_ns)
			child++;
		if (h->t[child]->expires_ns >= t->expires_ns)
			break;
		place(h, i, h->t[child]);
		i = child;
	}
	place(h, i, t);
}

bool theap_insert(struct theap *h, struct timer *t)
{
	if (h->n == h->size)
		return false;
	h->n++;
	sift_up(h, h->n - 1, t);
	return true;
}

void theap_remove(struct theap *h, struct timer *t)
{
	unsigned int i = (unsigned int)t->heap_index;
	struct timer *last = h->t[--h->n];

	WRITE_ONCE(t->heap_index, -1);
	if (last == t)
		return;
	if (i && h->t[(i - 1) / 2]->expires_ns > last->expires_ns)
		sift_up(h, i, last);
	else
		sift_down(h, i, last);
}
