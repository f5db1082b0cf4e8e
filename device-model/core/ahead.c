/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Offers of reads, in the window that the VMM looks into. */
#include <string.h>

#include "core/ahead.h"
#include "core/machine.h"
#include "core/util.h"
#include "plinth_dm_op.h"

/* So many offers in a row of which nothing was taken, while their port was read: the VMM does not know them. */
#define MAX_IGNORED 4

struct read_ahead {
	struct plinth_read_ahead *window;
	uint32_t port;
	unsigned int size, offered; /* 0: no offer is out */
	bool ignored;		    /* the last one was, so far as settling could see */
	unsigned int nr_ignored;
	uint16_t number;
	void (*taken)(void *opaque, unsigned int count);
	void *opaque;
};

void ahead_init(struct machine *m, struct plinth_read_ahead *window)
{
	m->ahead = xzalloc(sizeof(*m->ahead));
	m->ahead->window = window;
}

bool ahead_wanted(const struct machine *m)
{
	return m->ahead && m->ahead->nr_ignored < MAX_IGNORED;
}

/* This read came as a request although an offer for it was out until now. */
static void count_ignored(struct read_ahead *a, uint32_t port, unsigned int size)
{
	if (a->ignored && a->port == port && a->size == size)
		a->nr_ignored++;
	a->ignored = false;
}

void ahead_offer(struct machine *m, uint32_t port, unsigned int size, const void *items,
		 unsigned int count, void (*taken)(void *opaque, unsigned int count), void *opaque)
{
	struct read_ahead *a = m->ahead;
	const uint8_t *from = items;
	unsigned int i;

	if (!a || a->offered)
		return;
	count_ignored(a, port, size);
	count = MIN(count, PLINTH_AHEAD_BYTES / size);
	if (!count || !ahead_wanted(m))
		return;
	for (i = 0; i < count; i++)
		memcpy(a->window->data + (count - 1 - i) * size, from + i * size, size);
	a->port = port;
	a->size = size;
	a->offered = count;
	a->taken = taken;
	a->opaque = opaque;
	__atomic_store_n(&a->window->state, PLINTH_AHEAD_STATE(count, size, port, ++a->number),
			 __ATOMIC_RELEASE);
}

void ahead_settle(struct machine *m)
{
	struct read_ahead *a = m->ahead;
	unsigned int left, count;

	if (!a)
		return;
	a->ignored = false;
	if (!a->offered)
		return;
	left = PLINTH_AHEAD_LEFT(__atomic_exchange_n(&a->window->state, 0, __ATOMIC_ACQ_REL));
	count = a->offered - MIN(left, a->offered);
	a->offered = 0;
	a->ignored = !count;
	if (!count)
		return;
	a->nr_ignored = 0;
	a->taken(a->opaque, count);
}

bool ahead_take(struct machine *m, uint32_t port, unsigned int size, uint64_t *value)
{
	struct plinth_read_ahead *w = m->ahead ? m->ahead->window : NULL;
	unsigned int left = w ? PLINTH_AHEAD_LEFT(w->state) : 0;

	if (!left || PLINTH_AHEAD_WHAT(w->state) != PLINTH_AHEAD_STATE(0, size, port, 0))
		return false;
	*value = 0;
	memcpy(value, w->data + (left - 1) * size, size);
	w->state--;
	return true;
}
