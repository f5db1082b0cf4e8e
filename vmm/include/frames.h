/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ranges of frames (or of whatever else is counted) as they come from outside: guests, device models, tools. A struct
 * frames lies below the limit that it was checked against when it was made, so sums within it do not overflow and
 * loops over it end. There is no other way from numbers of a caller to a range.
 */
#ifndef PLINTH_FRAMES_H
#define PLINTH_FRAMES_H

#include "types.h"

struct frames {
	uint64_t first, nr;
};

/* nr of them from first on, all below limit. False: they are not, and *f is empty. None at all may be at the limit. */
static inline bool frames_make(uint64_t first, uint64_t nr, uint64_t limit, struct frames *f)
{
	bool ok = first <= limit && nr <= limit - first;

	*f = ok ? (struct frames){ first, nr } : (struct frames){ 0, 0 };
	return ok;
}

/* first..last, the last one included. */
static inline bool frames_make_to(uint64_t first, uint64_t last, uint64_t limit, struct frames *f)
{
	return frames_make(first, 0, limit, f) && first <= last && last < limit &&
	       frames_make(first, last - first + 1, limit, f);
}

/* An aligned block of 2^order. */
static inline bool frames_make_block(uint64_t first, unsigned int order, uint64_t limit,
				     struct frames *f)
{
	return frames_make(first, 0, limit, f) && order < 64 && !(first & (BIT(order) - 1)) &&
	       frames_make(first, BIT(order), limit, f);
}

/* The first one behind. */
static inline uint64_t frames_end(const struct frames *f)
{
	return f->first + f->nr;
}

/* At most `max` of them, after the first `done` (of those that there are). */
static inline struct frames frames_part(const struct frames *f, uint64_t done, uint64_t max)
{
	return (struct frames){ f->first + done, f->nr - done < max ? f->nr - done : max };
}

/* What two ranges have in common; empty if nothing. */
static inline struct frames frames_common(const struct frames *a, const struct frames *b)
{
	uint64_t first = a->first > b->first ? a->first : b->first;
	uint64_t end = frames_end(a) < frames_end(b) ? frames_end(a) : frames_end(b);

	return (struct frames){ first, end > first ? end - first : 0 };
}

#endif
