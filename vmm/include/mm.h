/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machine memory: the page table of record (struct page per machine page), the buddy allocator with
 * owner and reference count, the small heap, and the VMM's own mappings. All RAM is mapped at
 * DIRECTMAP_VIRT, write-back; device memory is mapped on request by ioremap().
 */
#ifndef PLINTH_MM_H
#define PLINTH_MM_H

#include "asker.h"
#include "lib.h"
#include "list.h"

#ifndef DIRECTMAP_VIRT /* host tests map their RAM elsewhere */
#define DIRECTMAP_VIRT 0xffff800000000000UL
#endif
#define VMM_VIRT 0xffffffff80000000UL /* image: virtual = VMM_VIRT + physical load address */

struct domain;

enum page_state {
	PAGE_RESERVED, /* not RAM, firmware's, the VMM's image, or dom0's own (see owner) */
	PAGE_FREE,     /* head of a free block of 2^order pages, or inside one */
	PAGE_VMM,      /* in use by the VMM */
	PAGE_DOMAIN,   /* belongs to owner */
};

struct page {
	struct list_head
		list; /* free list or owner's page list; LOCK_HEAP or the owner's page_lock */
	struct domain *owner; /* for PAGE_DOMAIN; constant while refs > 0 */
	uint32_t refs;	      /* atomic; 0 = free. The owner's own claim counts one */
	uint8_t state;	      /* enum page_state */
	uint8_t order;	      /* of a free block's head */
	uint8_t allocated;    /* the owner's own claim has not been dropped (atomic) */
	uint8_t flags;
};

extern struct page *page_table; /* indexed by mfn, max_mfn entries */
extern uint64_t max_mfn;

static inline bool mfn_valid(mfn_t m)
{
	return m.v < max_mfn;
}
static inline struct page *mfn_to_page(mfn_t m)
{
	return &page_table[m.v];
}
static inline mfn_t page_to_mfn(const struct page *p)
{
	return _mfn((uint64_t)(p - page_table));
}
static inline void *maddr_to_virt(maddr_t a)
{
	return (void *)(DIRECTMAP_VIRT + a.v);
}
static inline void *mfn_to_virt(mfn_t m)
{
	return maddr_to_virt(mfn_to_maddr(m));
}
static inline void *page_to_virt(const struct page *p)
{
	return mfn_to_virt(page_to_mfn(p));
}
/* For addresses in the direct map or the image. */
static inline maddr_t virt_to_maddr(const void *v)
{
	uint64_t a = (uint64_t)v;

	return _maddr(a >= VMM_VIRT ? a - VMM_VIRT : a - DIRECTMAP_VIRT);
}
static inline mfn_t virt_to_mfn(const void *v)
{
	return maddr_to_mfn(virt_to_maddr(v));
}

/* VMM pages, zeroed; NULL when memory is out. order <= 18. */
struct page *alloc_pages(unsigned int order);
/* The same with what was there left in them: they must not get out of the VMM so. */
struct page *alloc_pages_uncleared(unsigned int order);
void free_pages(struct page *p, unsigned int order);
/* One zeroed VMM page as a pointer. */
void *alloc_page_virt(void);
void free_page_virt(void *p);

/*
 * Pages for a domain: 2^order contiguous pages, each with its own single reference, on d->page_list,
 * counted in d->tot_pages; zeroed. Fails with NULL when memory, d->max_pages or a claim forbids. In one piece, so
 * for small orders.
 */
struct page *alloc_domain_pages(struct domain *d, unsigned int order);
/*
 * The same with d->lock held. More than 2^PIECE_ORDER pages are made ready in pieces, call by call, because clearing
 * takes its time: 0 and *p; -ERESTART: a piece was done, call again; -EBUSY: another one's turn, call again later; -ENOMEM. What
 * is begun belongs to the domain: a call for the same order takes it over, one for another order waits for who asked, and gives it
 * back, in pieces, too, when that one does not come any more.
 */
#define PIECE_ORDER 5U
int domain_memory_get(struct domain *d, unsigned int order, const struct asker *who,
		      struct page **p);
/* What domain_memory_get() gave has not been used; the lock has been held since. */
void domain_memory_put_back(struct domain *d, struct page *p, unsigned int order);
/* Of a dying domain: gives back what was begun. 0, -ERESTART = call again. */
int domain_stock_drop(struct domain *d);
struct domain_stock {
	struct asker of;
	struct page *first; /* NULL: there is none */
	unsigned int order;
	uint64_t ready;	  /* pages that are cleared, and the domain's */
	uint64_t dropped; /* pages that are no longer here */
};
/* Take a reference on a page of d (any owner when d is NULL); false when it is not d's or is dying. */
bool page_get(struct page *p, const struct domain *d);
/* Drop one; the last one frees the page. */
void page_put(struct page *p);
/* Pages of d that it got or gave back without the allocator. Takes page_lock. */
void domain_count_pages(struct domain *d, int64_t pages);
/* Drop the owner's own claim once (the page leaves tot_pages when the last reference goes). */
void page_drop_claim(struct page *p);

/* Pages that the allocator has; a hint unless the caller keeps others from allocating. */
uint64_t free_page_count(void);
uint64_t total_page_count(void); /* RAM pages of the machine */
uint64_t outstanding_claims(void);
/* XENMEM_claim_pages: reserve `pages` in total for d; 0 cancels. Takes d->lock. */
int domain_claim_pages(struct domain *d, uint64_t pages);

/* Small heap; 16-byte aligned, zeroed; any size up to 2 MiB. NULL when out of memory. */
void *xzalloc_bytes(size_t size);
void xfree(void *p);
#define xzalloc(type)	       ((type *)xzalloc_bytes(sizeof(type)))
#define xzalloc_array(type, n) ((type *)xzalloc_bytes(sizeof(type) * (n)))

/* Uncached mapping of device memory, any length, for ever. */
void *ioremap(maddr_t a, uint64_t len);

/* The machine's memory map as the boot loader gave it, sorted, without overlaps. */
enum e820_type { E820_RAM = 1, E820_RESERVED = 2, E820_ACPI = 3, E820_NVS = 4, E820_UNUSABLE = 5 };
struct e820_entry {
	uint64_t addr, len;
	uint32_t type;
	uint32_t pad;
};
#define E820_MAX 256
struct e820_map {
	unsigned int nr;
	struct e820_entry e[E820_MAX];
};
/* The machine's, as the boot loader told it, sorted; constant from the start on. */
extern struct e820_map host_e820;

/*
 * Three steps of the BSP's start, once and in this order: final page tables (nx, pages_1g: the CPU has them); page
 * records for all RAM, in which mm_reserve_range() then marks what is dom0's, never given to the buddy, and PAGE_DOMAIN
 * of dom0 once dom0 exists; and the allocator with the rest.
 */
void mm_init_map(bool nx, bool pages_1g);
void mm_init_pages(void);
void mm_init_allocator(void);
#define PAGE_F_DOM0 \
	BIT(7) /* struct page flags: kept for dom0 by mm_reserve_range, state PAGE_RESERVED */
/*
 * Keep [start, start + len), page-aligned RAM, for dom0. False when part of it is not RAM or is used by the
 * VMM (image, page tables, page records). Boot modules may lie inside: move them before using it.
 * The page records below max_mfn exist when it is called.
 */
bool mm_reserve_range(maddr_t start, uint64_t len);
/* Does the VMM itself occupy part of it (image, early allocations; not modules)? Before mm_init_allocator(). */
bool mm_range_in_use(maddr_t start, uint64_t len);
/* Boot modules are no longer needed: those pages that are not dom0's go to the allocator. */
void boot_modules_release(void);

#endif
