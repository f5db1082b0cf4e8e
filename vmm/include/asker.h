/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who asked for work that is kept with a domain between its pieces: another caller, who asks for the same with the same
 * addresses, must neither go on with it nor begin it anew under the first one's hands.
 */
#ifndef PLINTH_ASKER_H
#define PLINTH_ASKER_H

#include "types.h"

/* An asker who has not come back for so long will not come any more. */
#define ASKER_GONE_NS 1000000000ULL

struct asker {
	uint64_t space;	  /* the address space that the call came from, 0 = nobody */
	uint64_t what;	  /* of the things that are asked for there */
	uint64_t seen_ns; /* when it asked */
};

static inline bool asker_is(const struct asker *a, const struct asker *b)
{
	return a->space == b->space && a->what == b->what;
}

/* Has somebody begun, who may still come back for the rest? */
static inline bool asker_may_come(const struct asker *a, uint64_t now_ns)
{
	/* Who has asked since the caller looked at its clock is there, too. */
	return a->space && (int64_t)(now_ns - a->seen_ns) < (int64_t)ASKER_GONE_NS;
}

#endif
