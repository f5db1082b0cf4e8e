/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of vmm/mm/. */
#ifndef PLINTH_MM_INTERNAL_H
#define PLINTH_MM_INTERNAL_H

#include "mm.h"
#include "spinlock.h"

/* struct page flags */
#define PAGE_F_HEAD BIT(0) /* first page of a free block; order is valid */
#define PAGE_F_SLAB \
	BIT(1) /* small heap: order = size class, owner = free blocks, allocated = used ones */
#define PAGE_F_LARGE BIT(2) /* small heap: owner = number of pages */

/* A zeroed page for a page table, before and after the allocator is up. */
void *mm_alloc_table(void);

/* buddy.c: pure over struct page, the caller locks. */
struct buddy {
	struct list_head free[2][ORDER_1G + 1]; /* [0] below 4 GiB, [1] above */
	uint64_t nr_free;
};
extern struct buddy host_buddy;
void buddy_init(struct buddy *b);
/* Give pages [mfn, mfn + n) to it. */
void buddy_add_range(struct buddy *b, uint64_t mfn, uint64_t n);
void buddy_free(struct buddy *b, struct page *p, unsigned int order);
/* NULL = none. Prefers memory above 4 GiB. */
struct page *buddy_alloc(struct buddy *b, unsigned int order);

extern spinlock_t heap_lock; /* guards host_buddy, the claims and the small heap */

#endif
