// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Writes to what is mirrored: by an instruction of the guest that is emulated, or by the VMM for it. The entries that
 * were made of what is written over are dropped, without a flush: what a TLB still has, the guest has to invalidate.
 * Writes that are not to single entries, or too many of them, end the mirroring of the table.
 */
#include "debug.h"
#include "shadow.h"

COUNTER(shadow_writes);
COUNTER(shadow_given_up);

/* The entries of p that mirror those in the guest's table at [first, last]. */
static void drop(struct sh_domain *s, struct sh_page *p, unsigned int first, unsigned int last)
{
	unsigned int each = !p->role.wide && p->role.level == 2 ? 2 : 1;
	unsigned int here = SH_ENTRIES / each, base = p->role.quadrant * here;

	for (unsigned int i = first; i <= last; i++) {
		if (i < base || i >= base + here)
			continue;
		for (unsigned int k = 0; k < each; k++)
			sh_entry_clear(s, p, (i - base) * each + k);
	}
}

/* A whole entry of a page of level 1 was written: the guest is about to use it, mostly. */
static void refill(struct sh_domain *s, struct sh_page *p, unsigned int i)
{
	struct page *pg = p2m_get_page(s->d, p->gfn, false, NULL);
	uint64_t pte, rights;
	struct p2m_entry e;
	gfn_t gfn;

	if (!pg)
		return;
	pte = READ_ONCE(((const uint64_t *)page_to_virt(pg))[i]);
	page_put(pg);
	if (!sh_guest_leaf(s, p->role, pte, &gfn, &rights))
		return;
	e = p2m_get(s->d, gfn);
	if (sh_rights(&e) && s->nr_free_refs > SH_FAULT_REFS)
		sh_entry_set_leaf(s, p, i, gfn, &e, rights);
}

static struct sh_page *next_of(struct sh_page *p, gfn_t gfn)
{
	while (p && (p->gfn.v != gfn.v || p->role.direct))
		p = p->hash_next;
	return p;
}

#define for_each_mirror(s, p, frame)                                      \
	for ((p) = next_of((s)->bucket[sh_bucket(s, frame)], frame); (p); \
	     (p) = next_of((p)->hash_next, frame))

void sh_written(struct sh_domain *s, gfn_t gfn, unsigned int offset, unsigned int len)
{
	struct sh_page *p;

	counter_inc(shadow_writes);
	for_each_mirror(s, p, gfn)
	{
		unsigned int size = p->role.wide ? 8 : 4;

		p->writes++;
		drop(s, p, offset / size, (offset + len - 1) / size);
		if (p->role.level == 1 && p->role.wide && len == size && !(offset % size))
			refill(s, p, offset / size);
	}
}

bool sh_is_unused(struct sh_domain *s, gfn_t gfn)
{
	struct sh_page *p;

	for_each_mirror(s, p, gfn) if (p->writes <= SH_WRITES_UNUSED) return false;
	return true;
}

uint32_t sh_walks(struct sh_domain *s, gfn_t gfn)
{
	struct sh_page *p;
	uint32_t n = 0;

	for_each_mirror(s, p, gfn) n += p->walks;
	return n;
}

void sh_guest_wrote(struct domain *d, gfn_t gfn, unsigned int offset, unsigned int len)
{
	struct sh_domain *s = d->sh;
	const struct sh_set *f;

	spin_lock(&s->lock);
	f = sh_frame(s, gfn, false);
	if (f && f->tables && len && len <= sizeof(uint64_t)) {
		sh_written(s, gfn, offset, len);
	} else if (f && f->tables) {
		counter_inc(shadow_given_up);
		sh_give_up(s, gfn);
	}
	sh_settle(s);
	spin_unlock(&s->lock);
}
