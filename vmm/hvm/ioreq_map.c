// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who claims what: for each kind of range one sorted row of spans, which do not overlap, each with the servers that
 * claim all of it. So a request finds its server by a search, however many ranges there are. Changes go over the row
 * once, into a second one that is there already: what is given back needs no memory.
 */
#include "ioreq_private.h"

/* With the row so far: [start, end] is claimed by `servers`, nothing for none. Like neighbours become one. */
static void put_span(struct ioreq_row *row, uint64_t start, uint64_t end, uint8_t servers)
{
	struct ioreq_span *last = row->nr ? &row->span[row->nr - 1] : NULL;

	if (!servers || start > end)
		return;
	if (last && last->servers == servers && last->end + 1 == start)
		last->end = end;
	else
		row->span[row->nr++] = (struct ioreq_span){ start, end, servers };
}

/* [start, end] minus what begins at `from`; nothing when that is 0. */
static void put_below(struct ioreq_row *row, const struct ioreq_span *s, uint64_t from)
{
	if (from)
		put_span(row, s->start, min(s->end, from - 1), s->servers);
}

static void put_above(struct ioreq_row *row, const struct ioreq_span *s, uint64_t to)
{
	if (to != ~0ULL)
		put_span(row, max(s->start, to + 1), s->end, s->servers);
}

/* All of `old`, with bit `server` set or cleared in [r->start, r->end]. */
static void copy_row(struct ioreq_row *row, const struct ioreq_row *old,
		     const struct ioreq_range *r, uint8_t server, bool claim)
{
	uint64_t next = r->start; /* of the range: up to here it has been put */
	bool open = claim;	  /* there is more of it */

	row->nr = 0;
	for (unsigned int i = 0; i < old->nr; i++) {
		const struct ioreq_span *s = &old->span[i];
		uint64_t lo = max(s->start, r->start), hi = min(s->end, r->end);

		put_below(row, s, r->start);
		if (open && s->start > next) {
			put_span(row, next, min(r->end, s->start - 1), server);
			open = s->start <= r->end;
		}
		if (lo <= hi) {
			put_span(row, lo, hi,
				 claim ? s->servers | server : s->servers & (uint8_t)~server);
			open = open && hi < r->end;
			next = hi + 1;
		}
		put_above(row, s, r->end);
	}
	if (open)
		put_span(row, next, r->end, server);
}

static void change(struct ioreq_map *m, const struct ioreq_range *r, unsigned int server,
		   bool claim)
{
	struct ioreq_row *old = &m->row[m->now], *new = &m->row[!m->now];

	copy_row(new, old, r, (uint8_t)BIT(server), claim);
	m->now = !m->now;
	m->last = 0;
}

/* Both rows have room for what n ranges make, and for two more. */
static int reserve(struct ioreq_map *m, unsigned int n)
{
	unsigned int room = 2 * n + 2;
	struct ioreq_row old = m->row[m->now];
	struct ioreq_span *a, *b;

	if (room <= m->room)
		return 0;
	room = max(room, 2 * m->room);
	a = xzalloc_array(struct ioreq_span, room);
	b = xzalloc_array(struct ioreq_span, room);
	if (!a || !b) {
		xfree(a);
		xfree(b);
		return -ENOMEM;
	}
	if (old.nr)
		memcpy(a, old.span, old.nr * sizeof(*a));
	ioreq_map_free(m);
	*m = (struct ioreq_map){ .row = { { a, old.nr }, { b, 0 } }, .room = room };
	return 0;
}

int ioreq_map_claim(struct ioreq_map *m, unsigned int nr, const struct ioreq_range *r,
		    unsigned int server)
{
	int rc = reserve(m, nr + 1);

	if (!rc)
		change(m, r, server, true);
	return rc;
}

void ioreq_map_release(struct ioreq_map *m, const struct ioreq_range *r, unsigned int server)
{
	if (m->room)
		change(m, r, server, false);
}

void ioreq_map_free(struct ioreq_map *m)
{
	xfree(m->row[0].span);
	xfree(m->row[1].span);
	*m = (struct ioreq_map){ 0 };
}

/* The last span that begins at or before `at`; the first one when none does. */
static unsigned int find(const struct ioreq_row *row, uint64_t at)
{
	unsigned int lo = 0, hi = row->nr;

	while (hi - lo > 1) {
		unsigned int mid = (lo + hi) / 2;

		if (row->span[mid].start <= at)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

uint8_t ioreq_map_servers(struct ioreq_map *m, uint64_t start, uint64_t end)
{
	const struct ioreq_row *row = &m->row[m->now];
	const struct ioreq_span *s = row->span + m->last;
	uint8_t servers;

	if (!row->nr)
		return 0;
	if (start < s->start || s->end < start) {
		m->last = find(row, start);
		s = row->span + m->last;
		if (start < s->start || s->end < start)
			return 0;
	}
	servers = s->servers;
	for (; s->end < end; s++, servers &= s->servers)
		if (s + 1 == row->span + row->nr || s[1].start != s->end + 1)
			return 0;
	return servers;
}
