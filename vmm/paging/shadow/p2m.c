// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The p2m of a domain on shadow tables: no processor walks it, so it is a mere store; its changes take away what was
 * made of it.
 */
#include "shadow.h"

static uint64_t make_leaf(const struct domain *d, const struct p2m_entry *e, gfn_t gfn,
			  unsigned int level)
{
	uint64_t pte = (uint64_t)e->type << P2M_PTE_TYPE_SHIFT | (uint64_t)e->access
									 << P2M_PTE_ACCESS_SHIFT;

	(void)d;
	(void)gfn;
	if (!mfn_valid_value(e->mfn))
		return pte;
	pte |= mfn_to_maddr(e->mfn).v | P2M_PTE_PRESENT;
	return level > 1 ? pte | P2M_PTE_LARGE : pte;
}

static uint64_t make_table(maddr_t table)
{
	return table.v | P2M_PTE_PRESENT;
}

const struct p2m_format sh_p2m_format = {
	.make_leaf = make_leaf,
	.make_table = make_table,
	.max_leaf_level = 3,
};

/* A mirrored table is still the same if its memory is. */
static void forget(struct sh_domain *s, gfn_t gfn, bool same)
{
	struct sh_set *f = sh_frame(s, gfn, false);
	uint64_t *entry;

	while ((entry = sh_set_any(f)) != NULL)
		sh_entry_clear(s, sh_page_of(entry), sh_index_of(entry));
	if (f->tables && !same)
		sh_give_up(s, gfn);
}

void sh_p2m_changed(struct domain *d, gfn_t gfn, unsigned int order, bool same)
{
	struct sh_domain *s = d->sh;

	spin_lock(&s->lock);
	for (uint64_t g = gfn.v; g < gfn.v + BIT(order);) {
		if (sh_frame(s, _gfn(g), false))
			forget(s, _gfn(g++), same);
		else
			g = (g | (SH_ENTRIES - 1)) + 1; /* nor one of its neighbours */
	}
	sh_settle(s);
	spin_unlock(&s->lock);
}
