// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What each CPU remembers of the entries that it looked up. That holds for as long as nothing changes in their range of
 * that p2m: who maps other domains' pages, frame by frame, goes on finding its own memory without a walk.
 */
#include "domain.h"
#include "p2m_private.h"

/* The last entries that this CPU looked up; generations tell p2ms apart, too. */
#define REMEMBERED 16U
struct remembered {
	gfn_t gfn;
	uint64_t generation;
	struct p2m_entry entry;
} __aligned(64);
static struct remembered remembered[MAX_CPUS][REMEMBERED];

void p2m_changed(struct p2m *p, gfn_t gfn, unsigned int order)
{
	static uint64_t last;
	uint64_t generation = __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
	uint64_t range = (gfn.v & ~(BIT(order) - 1)) >> P2M_RANGE_ORDER, nr = 1;

	if (order > P2M_RANGE_ORDER)
		nr = min(BIT(order - P2M_RANGE_ORDER), (uint64_t)P2M_RANGES);
	while (nr--)
		__atomic_store_n(&p->generation[range++ % P2M_RANGES], generation,
				 __ATOMIC_RELEASE);
}

/* The APICs and the HPET lie at round addresses, which the lowest bits do not tell apart. */
static inline unsigned int slot_of(gfn_t gfn)
{
	return (gfn.v ^ gfn.v >> 8) % REMEMBERED;
}

static __noinline struct p2m_entry remember(const struct p2m *p, gfn_t gfn, uint64_t generation,
					    struct remembered *r)
{
	*r = (struct remembered){ gfn, generation, p2m_lookup(p, gfn) };
	return r->entry;
}

struct p2m_entry p2m_get(struct domain *d, gfn_t gfn)
{
	struct remembered *r = &remembered[cpu_id()][slot_of(gfn)];
	uint64_t generation = p2m_generation(&d->p2m, gfn);

	if (likely(r->gfn.v == gfn.v && r->generation == generation))
		return r->entry;
	return remember(&d->p2m, gfn, generation, r);
}
