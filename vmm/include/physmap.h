/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes of a domain's physical map by its memory operations: vmm/domain/physmap.c. All take d->lock for each page. */
#ifndef PLINTH_PHYSMAP_H
#define PLINTH_PHYSMAP_H

#include "domain.h"

/*
 * Takes away what is at frames, one after the other, and, but for dom0, gives the pages back when the one flush for all is
 * over; at most P2M_PIECE, below 2^36. *done: how many. 0; or, why the next one cannot be: -EINVAL, -EPERM or -ENOMEM.
 */
int physmap_remove_list(struct domain *d, const gfn_t *gfn, unsigned int nr, unsigned int *done);
/*
 * One extent of a guest: an aligned block, in orders up to 2 MiB, and of 1 GiB where there is such a page. 0, -ERESTART, -EBUSY
 * (domain_memory_get()); else no memory, no room, or something is there already.
 */
int physmap_populate(struct domain *d, const struct frames *f, unsigned int order,
		     const struct asker *who);
/* The same; it gets its pages when they are touched. */
int physmap_populate_later(struct domain *d, const struct frames *f, unsigned int order);
/* A frame of dom0 that it has given back. False: it is not that, or there is something. */
bool physmap_populate_dom0(struct domain *d, gfn_t gfn);
/* What is populated on demand counts as the domain's: the part that it has not touched is claimed. */
long physmap_claim_on_demand(struct domain *d);
/* Balloon drivers touch what they give back, which has used up some of the claim. */
void physmap_claim_again(struct domain *d);
/* Does a p2m entry of d stand for memory that counts as d's, and no lent page (shared info, grant frames)? */
bool physmap_is_own_ram(const struct domain *d, const struct p2m_entry *e);
/* Mappings of others go; RAM is given back (or, dom0, kept unmapped). -ENOENT: there is neither. */
int physmap_unmap(struct domain *d, uint64_t gfn);
/* Enter a page of fd at gfn of d, which is dom0 (else -EPERM), holding references. */
int physmap_add_foreign(struct domain *d, gfn_t gfn, struct domain *fd, mfn_t mfn);
/* Shared info, or frame idx of the grant table, to gfn; it goes from where it was. */
int physmap_add_shared_info(struct domain *d, uint64_t gfn);
int physmap_add_grant_frame(struct domain *d, uint64_t idx, uint64_t gfn);
/* A page of the domain to another place of its map. -EOPNOTSUPP: dom0's, which are mapped 1:1. */
int physmap_move(struct domain *d, uint64_t from, uint64_t to);
/* A page of d's own instead of shared info where d has that mapped. 0, -ENOMEM. */
int physmap_replace_shared_info(struct domain *d);

#endif
