/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Grant tables, version 1 without transfer (domain/grant*.c). Public ABI: xen/grant_table.h. */
#ifndef PLINTH_GRANT_H
#define PLINTH_GRANT_H

#include "domain.h"

/* d's table; limits in frames of entries and of mappings, 0: the usual ones. 0 or -errno. */
int grant_init(struct domain *d, unsigned int max_frames, unsigned int max_maptrack);
/* Unmap everything that a domain maps which dies or is reset; bounded, -ERESTART = again. */
int grant_release_maps(struct domain *d);
void grant_fini(struct domain *d);
/* Before that, of a domain that nobody looks at any more: frees some of a large table. True: call again. */
bool grant_shrink(struct domain *d);
/* Does anybody still refer to a frame of d's table? d has no reference left. */
bool grant_frames_used(const struct domain *d);
/* Frame idx of d's grant table (grown if allowed) for add_to_physmap and acquire_resource. */
int grant_frame_mfn(struct domain *d, unsigned int idx, mfn_t *mfn);
/*
 * d's own frame goes to another place of its map, with d->lock held; page is what it holds, NULL = it waits for one. What is
 * written by mappings of the page is noted there. As p2m_move(); -EBUSY: so much is granted that it takes too long to look.
 */
int grant_move_page(struct domain *d, struct page *page, gfn_t from, gfn_t to);
/* Some of d's entries in use on the console, from *at on, which goes on. True: there are more. */
bool grant_dump(struct domain *d, uint32_t *at);

#endif
