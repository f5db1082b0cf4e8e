/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The timers' heap: order, removal from the middle, a full heap. */
#include "cpu/timer_heap.h"
#include "unit.h"

#define N 500

static bool consistent(const struct theap *h)
{
	for (unsigned int i = 0; i < h->n; i++)
		if (h->t[i]->heap_index != (int)i ||
		    (i && h->t[(i - 1) / 2]->expires_ns > h->t[i]->expires_ns))
			return false;
	return true;
}

TEST(timer_heap_random)
{
	static struct timer timer[N];
	static struct timer *slot[N];
	struct theap h = { .t = slot, .size = N };
	uint64_t last = 0;

	for (unsigned int i = 0; i < N; i++)
		timer[i].heap_index = -1;
	for (unsigned int round = 0; round < 20000; round++) {
		struct timer *t = &timer[unit_random() % N];

		if (t->heap_index >= 0) {
			theap_remove(&h, t);
			EXPECT(t->heap_index == -1);
		} else {
			t->expires_ns = unit_random() % 1000;
			EXPECT(theap_insert(&h, t));
		}
		if (round % 64 == 0)
			EXPECT(consistent(&h));
	}
	while (theap_first(&h)) {
		EXPECT(theap_first(&h)->expires_ns >= last);
		last = theap_first(&h)->expires_ns;
		theap_remove(&h, theap_first(&h));
		EXPECT(consistent(&h));
	}
}

TEST(timer_heap_full)
{
	static struct timer timer[5];
	static struct timer *slot[4];
	struct theap h = { .t = slot, .size = 4 };

	for (unsigned int i = 0; i < 5; i++) {
		timer[i].expires_ns = 10 - i;
		EXPECT(theap_insert(&h, &timer[i]) == (i < 4));
	}
	EXPECT(theap_first(&h) == &timer[3]);
}
