/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What back ends reach of the guest: granted and foreign pages, copies by grant, event channels. The
 * handles are for this one domain. Main loop's thread only; 0 or -errno unless it says otherwise.
 */
#ifndef DM_PV_PV_GUEST_H
#define DM_PV_PV_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pv/blkif.h"

struct pv_guest;

/* event runs in the main loop with our port's number, which is unmasked already. NULL after logging why. */
struct pv_guest *pv_guest_open(unsigned int domid, void (*event)(void *opaque, uint32_t port),
			       void *opaque);
/* Map n granted pages read-write; NULL on failure (errno set). */
void *pv_guest_map_grants(struct pv_guest *g, const uint32_t *refs, unsigned int n);
void pv_guest_unmap_grants(struct pv_guest *g, void *p, unsigned int n);
/* Map the guest's pages of these numbers, all or none; NULL on failure (errno set). */
void *pv_guest_map_pages(struct pv_guest *g, const uint64_t *gfns, size_t n, bool writable);
void pv_guest_unmap_pages(struct pv_guest *g, void *p, size_t n);
/* Copy pieces of granted pages from the guest or to it. */
int pv_guest_copy(struct pv_guest *g, const struct grant_piece *pieces, unsigned int n,
		  bool to_guest);
/* Bind the guest's port; ours, above 0, or -errno. */
int pv_guest_bind(struct pv_guest *g, uint32_t remote_port);
void pv_guest_unbind(struct pv_guest *g, uint32_t port);
void pv_guest_notify(struct pv_guest *g, uint32_t port);

#endif
