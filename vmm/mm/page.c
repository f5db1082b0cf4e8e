/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machine pages: allocation for the VMM and for domains, references, claims. A domain's page
 * carries its owner and a count; it is zeroed when allocated, so nothing of a former owner is
 * ever seen. Lock order: a domain's page_lock and heap_lock are of one level and never held
 * together.
 */
#include "domain.h"
#include "internal.h"
#include "boot.h"

struct page *page_table;
uint64_t max_mfn;
struct buddy host_buddy;
spinlock_t heap_lock = SPINLOCK_INIT(LOCK_HEAP, "heap");

static uint64_t
	outstanding; /* sum of d->outstanding_pages; heap_lock; for show it is read without */
static bool poison;

#define POISON_BYTE 0xdb

static int parse_poison(const char *value)
{
	return parse_bool(value, &poison);
}
BOOT_OPTION(poison, "poison", parse_poison, "fill freed pages with 0xdb");

static void init_page(struct page *p, enum page_state state)
{
	WRITE_ONCE(p->state, (uint8_t)state); /* the allocator looks (buddy.c) */
	WRITE_ONCE(p->flags, 0);
	p->owner = NULL;
	WRITE_ONCE(p->refs, 0); /* page_get on a VMM page fails without touching it */
	list_init(&p->list);
}

/*
 * A block of 2^order pages out of the buddy allocator, as it was left there. from_claim: pages of them that were
 * claimed before.
 */
static struct page *take_block(unsigned int order, uint64_t from_claim)
{
	uint64_t n = 1UL << order;
	struct page *p = NULL;

	if (order > ORDER_1G)
		return NULL;
	spin_lock(&heap_lock);
	/* Not the sum of both, which might be more than a number holds. */
	if (host_buddy.nr_free + from_claim >= n &&
	    host_buddy.nr_free + from_claim - n >= outstanding)
		p = buddy_alloc(&host_buddy, order);
	if (p)
		WRITE_ONCE(outstanding, outstanding - from_claim);
	spin_unlock(&heap_lock);
	return p;
}

static struct page *take_pages(unsigned int order, uint64_t from_claim)
{
	struct page *p = take_block(order, from_claim);

	for (uint64_t i = 0; p && i < 1UL << order; i++)
		init_page(p + i, PAGE_VMM);
	return p;
}

struct page *alloc_pages_uncleared(unsigned int order)
{
	return take_pages(order, 0);
}

struct page *alloc_pages(unsigned int order)
{
	struct page *p = take_pages(order, 0);

	if (p)
		memset(page_to_virt(p), 0, PAGE_SIZE << order);
	return p;
}

void free_pages(struct page *p, unsigned int order)
{
	if (!p)
		return;
	BUG_ON(p->state != PAGE_VMM && p->state != PAGE_DOMAIN);
	if (poison)
		memset(page_to_virt(p), POISON_BYTE, PAGE_SIZE << order);
	spin_lock(&heap_lock);
	buddy_free(&host_buddy, p, order);
	spin_unlock(&heap_lock);
}

void *alloc_page_virt(void)
{
	struct page *p = alloc_pages(0);

	return p ? page_to_virt(p) : NULL;
}

void free_page_virt(void *p)
{
	if (p)
		free_pages(mfn_to_page(virt_to_mfn(p)), 0);
}

uint64_t free_page_count(void)
{
	return READ_ONCE(host_buddy.nr_free);
}

uint64_t outstanding_claims(void)
{
	return READ_ONCE(outstanding);
}

/* page_lock held. Others read these without: for show, and to look before they ask for more. */
static void count(struct domain *d, int64_t pages, int64_t claimed)
{
	WRITE_ONCE(d->tot_pages, d->tot_pages + (uint64_t)pages);
	WRITE_ONCE(d->outstanding_pages, d->outstanding_pages + (uint64_t)claimed);
}

void domain_count_pages(struct domain *d, int64_t pages)
{
	spin_lock(&d->page_lock);
	count(d, pages, 0);
	spin_unlock(&d->page_lock);
}

/* Count n pages for d if its limits allow; *claimed = how many of them come out of its claim. */
static bool charge(struct domain *d, uint64_t n, uint64_t *claimed)
{
	bool ok;

	spin_lock(&d->page_lock);
	ok = d->dying == DOMDYING_ALIVE && d->tot_pages + n <= d->max_pages;
	*claimed = ok ? min(n, d->outstanding_pages) : 0;
	if (ok)
		count(d, (int64_t)n, -(int64_t)*claimed);
	spin_unlock(&d->page_lock);
	return ok;
}

static void uncharge(struct domain *d, uint64_t n, uint64_t claimed)
{
	spin_lock(&d->page_lock);
	count(d, -(int64_t)n, (int64_t)claimed);
	spin_unlock(&d->page_lock);
}

/* Pages of a block become d's own. */
static void give_pages(struct domain *d, struct page *p, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		init_page(p + i, PAGE_DOMAIN);
	memset(page_to_virt(p), 0, n << PAGE_SHIFT);
	spin_lock(&d->page_lock);
	for (uint64_t i = 0; i < n; i++) {
		p[i].owner = d;
		p[i].allocated = 1;
		list_add_tail(&p[i].list, &d->page_list);
		/* last: from here on page_get may succeed */
		__atomic_store_n(&p[i].refs, 1, __ATOMIC_RELEASE);
	}
	spin_unlock(&d->page_lock);
}

static struct page *take_for(struct domain *d, unsigned int order)
{
	uint64_t n = 1UL << order, claimed;
	struct page *p;

	if (order > ORDER_1G || !charge(d, n, &claimed))
		return NULL;
	p = take_block(order, claimed);
	if (!p)
		uncharge(d, n, claimed);
	return p;
}

struct page *alloc_domain_pages(struct domain *d, unsigned int order)
{
	struct page *p = take_for(d, order);

	if (p)
		give_pages(d, p, 1UL << order);
	return p;
}

/* --- memory that is made ready in pieces ------------------------------------------------------- */

#define PIECE_PAGES (1U << PIECE_ORDER)

/* A piece of what was being made ready goes back. d->lock held. */
static void stock_drop_piece(struct domain *d)
{
	struct domain_stock *s = &d->stock;
	struct page *p = s->first + s->dropped;

	if (s->dropped < s->ready) {
		for (unsigned int i = 0; i < PIECE_PAGES; i++)
			page_drop_claim(p + i);
	} else {
		spin_lock(&heap_lock);
		buddy_free(&host_buddy, p, PIECE_ORDER);
		spin_unlock(&heap_lock);
		uncharge(d, PIECE_PAGES, 0);
	}
	s->dropped += PIECE_PAGES;
	if (s->dropped >> s->order)
		s->first = NULL;
}

int domain_stock_drop(struct domain *d)
{
	int rc = 0;

	spin_lock(&d->lock);
	if (d->stock.first)
		stock_drop_piece(d);
	if (d->stock.first)
		rc = -ERESTART;
	spin_unlock(&d->lock);
	return rc;
}

/* d->lock held. */
static int stock_advance(struct domain *d, unsigned int order, const struct asker *who,
			 struct page **p)
{
	struct domain_stock *s = &d->stock;

	if (d->dying)
		return -ENOMEM;
	if (s->first && (s->order != order || s->dropped)) {
		/* Two with different orders would undo each other's for ever. */
		if (!asker_is(&s->of, who) && asker_may_come(&s->of, who->seen_ns))
			return -EBUSY;
		s->of = *who;
		stock_drop_piece(d);
		return -ERESTART;
	}
	if (!s->first)
		*s = (struct domain_stock){ .first = take_for(d, order), .order = order };
	if (!s->first)
		return -ENOMEM;
	s->of = *who;
	if (!(s->ready >> order)) {
		give_pages(d, s->first + s->ready, PIECE_PAGES);
		s->ready += PIECE_PAGES;
		return -ERESTART;
	}
	*p = s->first;
	s->first = NULL;
	return 0;
}

int domain_memory_get(struct domain *d, unsigned int order, const struct asker *who,
		      struct page **p)
{
	if (order > PIECE_ORDER)
		return stock_advance(d, order, who, p);
	*p = alloc_domain_pages(d, order);
	if (*p)
		return 0;
	if (!d->stock.first || d->dying)
		return -ENOMEM;
	stock_drop_piece(d);
	return -ERESTART;
}

void domain_memory_put_back(struct domain *d, struct page *p, unsigned int order)
{
	if (order > PIECE_ORDER) {
		d->stock =
			(struct domain_stock){ .first = p, .order = order, .ready = 1UL << order };
		return;
	}
	for (uint64_t i = 0; i < 1UL << order; i++)
		page_drop_claim(p + i);
}

bool page_get(struct page *p, const struct domain *d)
{
	uint32_t refs = __atomic_load_n(&p->refs, __ATOMIC_RELAXED);

	do {
		if (refs == 0 || refs == UINT32_MAX)
			return false;
	} while (!__atomic_compare_exchange_n(&p->refs, &refs, refs + 1, true, __ATOMIC_ACQUIRE,
					      __ATOMIC_RELAXED));
	if (!d || p->owner == d)
		return true;
	/* another domain's; the last reference when its owner gave the page up meanwhile */
	page_put(p);
	return false;
}

static void free_domain_page(struct page *p)
{
	struct domain *d = p->owner;

	BUG_ON(p->state != PAGE_DOMAIN);
	spin_lock(&d->page_lock);
	list_del(&p->list);
	count(d, -1, 0);
	spin_unlock(&d->page_lock);
	free_pages(p, 0);
}

void page_put(struct page *p)
{
	uint32_t refs = __atomic_sub_fetch(&p->refs, 1, __ATOMIC_ACQ_REL);

	if (refs == UINT32_MAX)
		panic("Reference count of page %#lx went below zero", page_to_mfn(p).v);
	if (refs)
		return;
	free_domain_page(p);
}

void page_drop_claim(struct page *p)
{
	if (__atomic_exchange_n(&p->allocated, 0, __ATOMIC_ACQ_REL))
		page_put(p);
}

/*
 * d->lock held: what one claim counts in d and in all, another one must not find half of. Pages that d gets meanwhile,
 * as on demand, count, or more than `pages` would be d's and claimed.
 */
static int claim(struct domain *d, uint64_t pages)
{
	uint64_t old, want, still;
	int err = 0;

	spin_lock(&d->page_lock);
	old = d->outstanding_pages;
	if (pages && (d->dying || old || pages > d->max_pages || d->tot_pages > pages))
		err = -EINVAL;
	want = pages ? pages - min(pages, d->tot_pages) : 0;
	if (!err)
		count(d, 0, -(int64_t)old);
	spin_unlock(&d->page_lock);
	if (err)
		return err;

	spin_lock(&heap_lock);
	WRITE_ONCE(outstanding, outstanding - old);
	if (host_buddy.nr_free < outstanding || host_buddy.nr_free - outstanding < want)
		err = -ENOMEM;
	else
		WRITE_ONCE(outstanding, outstanding + want);
	spin_unlock(&heap_lock);
	if (err)
		return err;

	spin_lock(&d->page_lock);
	still = pages ? min(want, pages - min(pages, d->tot_pages)) : 0;
	count(d, 0, (int64_t)still);
	spin_unlock(&d->page_lock);
	if (still < want) {
		spin_lock(&heap_lock);
		WRITE_ONCE(outstanding, outstanding - (want - still));
		spin_unlock(&heap_lock);
	}
	return 0;
}

int domain_claim_pages(struct domain *d, uint64_t pages)
{
	int err;

	spin_lock(&d->lock);
	err = claim(d, pages);
	spin_unlock(&d->lock);
	return err;
}
