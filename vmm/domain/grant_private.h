/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Grant tables: shared frames, active entries, and the table of a domain's own mappings. */
#ifndef PLINTH_GRANT_PRIVATE_H
#define PLINTH_GRANT_PRIVATE_H

#include "private.h"
#include <xen/grant_table.h>

#define GRANTS_PER_FRAME     (PAGE_SIZE / sizeof(grant_entry_v1_t))
#define GRANT_DEFAULT_FRAMES 64U
#define GRANT_FRAMES_LIMIT   4096U
#define MAPTRACK_BUCKET	     256U
#define MAPTRACK_DEFAULT     1024U /* buckets */
#define MAPTRACK_LIMIT	     8192U
#define GRANT_HANDLE_NONE    (~0U)

/* Use of one entry; table lock of its domain. */
struct grant_active {
	uint32_t readers, writers; /* pins; the entry is in use while their sum is not 0 */
	domid_t domid;		   /* who pins it */
	struct page *page;	   /* one reference while in use */
	gfn_t gfn;		   /* where it was when it came into use */
};

/* One mapping that a domain made; its own table's lock. */
struct maptrack {
	struct domain *rd; /* reference; NULL = free, or being unmapped */
	grant_ref_t ref;
	uint32_t flags; /* GNTMAP_* it was made with */
	uint64_t gfn;	/* where; host_map only */
	uint32_t next_free;
};

struct grant_table {
	spinlock_t lock; /* LOCK_GRANT */
	unsigned int max_frames, nr_frames;
	struct page **frame;	      /* lent pages of the domain */
	struct grant_active **active; /* per frame */
	uint64_t *frame_gfn;	      /* where the guest has them, ~0 = nowhere */
	unsigned int max_buckets, nr_buckets;
	struct maptrack **bucket;
	uint32_t free_head;    /* GRANT_HANDLE_NONE = none */
	uint32_t release_next; /* where grant_release_maps goes on */
};

/*
 * Pin entry ref of rd for ld: checks the shared entry, marks it in use, holds the page. GNTST_*; on
 * okay *page is valid until grant_release.
 */
int grant_acquire(struct domain *rd, grant_ref_t ref, domid_t ld, bool readonly,
		  struct page **page);
void grant_release(struct domain *rd, grant_ref_t ref, bool readonly);
/* Grow to nr frames; grant lock held. 0, -ENOMEM, -EINVAL; -ERESTART: by some of them, call again. */
int grant_grow(struct domain *d, unsigned int nr);

int grant_map_one(struct gnttab_map_grant_ref *op);
int grant_unmap_one(struct gnttab_unmap_grant_ref *op);
int grant_copy_one(struct gnttab_copy *op);

#endif
