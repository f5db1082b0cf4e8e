/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The back end's half of a paravirtual block ring (xen/io/blkif.h, xen/io/ring.h): requests of a guest
 * to the block layer and answers back. The ring is shared with the guest: a request is copied once and
 * then checked; what we know of the ring's state is never read back from it. Data goes by grant copy, so
 * no page of the guest stays mapped but the ring. pv_disk.c connects it, xenbus.c speaks with xenstore.
 */
#ifndef DM_PV_BLKIF_H
#define DM_PV_BLKIF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/xen_grant.h"

#include "block/block.h"

#define BLKIF_PAGE	     4096u
#define BLKIF_SECTOR	     512u
#define BLKIF_MAX_INDIRECT   256u /* segments of an indirect request */
#define BLKIF_MAX_RING_ORDER 4u
#define BLKIF_MAX_IN_FLIGHT  32u

struct blkif_ops {
	/* Copy pieces from the guest or to it. 0 or -errno. */
	int (*copy)(void *opaque, const struct grant_piece *pieces, unsigned int n, bool to_guest);
	void (*notify)(void *opaque);
	/* The guest broke the ring's rules: nothing more comes from it. */
	void (*broken)(void *opaque, const char *why);
};

enum blkif_layout { BLKIF_LAYOUT_64, BLKIF_LAYOUT_32 };

struct blkif;

struct blkif *blkif_new(void *ring, size_t ring_bytes, enum blkif_layout layout, struct block *blk,
			const struct blkif_ops *ops, void *opaque);
/* Waits for what is in flight, without answers. */
void blkif_free(struct blkif *b);
/* The guest sent an event: take its requests. */
void blkif_poll(struct blkif *b);

#endif
