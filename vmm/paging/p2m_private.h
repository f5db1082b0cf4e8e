/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of paging/ share about a p2m and nobody else needs. */
#ifndef PLINTH_P2M_PRIVATE_H
#define PLINTH_P2M_PRIVATE_H

#include "domain.h"

/*
 * Enters *e at gfn in a table of `level` (1 = 4 KiB), with p->lock held; larger pages above it are split. RAM is
 * entered for the log of writes while that is kept. *old: the entry that was there; its references and the flush of
 * the TLBs are the caller's. 0, -ENOMEM, -ESRCH.
 */
int p2m_enter_locked(struct p2m *p, gfn_t gfn, const struct p2m_entry *e, unsigned int level,
		     uint64_t *old);

/*
 * May there be so many tables? A guest that scatters small mappings over its address space must not use up the VMM's
 * memory by them; dom0 has what the machine has. No lock needed.
 */
static inline bool p2m_may_have(const struct p2m *p, uint64_t tables)
{
	return p->domain->is_dom0 || tables <= READ_ONCE(p->max_tables);
}

/* What the tree says of gfn just now, by a walk. No lock needed. */
struct p2m_entry p2m_lookup(const struct p2m *p, gfn_t gfn);
/* With p->lock held, behind each change of what covers gfn, 2^order frames: nothing that was remembered of these is used any more. */
void p2m_changed(struct p2m *p, gfn_t gfn, unsigned int order);

/* Sets the bits of frames in a bitmap that begins at frame `base` (logdirty.c). */
void bitmap_set_range(uint8_t *map, uint64_t base, const struct frames *f);

#endif
