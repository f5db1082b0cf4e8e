/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A buddy allocator over page_table: blocks of 2^0 to 2^18 pages, naturally aligned. Two zones,
 * so that memory below 4 GiB is used last. No locks and no access to the pages themselves: host
 * tests run it.
 */
#include "internal.h"

#define ZONE_LIMIT (GIB(4) >> PAGE_SHIFT)

static unsigned int zone_of(const struct page *p)
{
	return page_to_mfn(p).v >= ZONE_LIMIT;
}

void buddy_init(struct buddy *b)
{
	for (unsigned int z = 0; z < 2; z++)
		for (unsigned int o = 0; o <= ORDER_1G; o++)
			list_init(&b->free[z][o]);
	b->nr_free = 0;
}

static void insert_block(struct buddy *b, struct page *p, unsigned int order)
{
	p->state = PAGE_FREE;
	p->flags = PAGE_F_HEAD;
	p->order = (uint8_t)order;
	list_add(&p->list, &b->free[zone_of(p)][order]);
}

static void remove_block(struct page *p)
{
	list_del(&p->list);
	p->flags &= (uint8_t)~PAGE_F_HEAD;
}

static bool is_free_block(uint64_t mfn, unsigned int order)
{
	const struct page *p;

	if (mfn + (1UL << order) > max_mfn)
		return false;
	p = &page_table[mfn];
	/* Whoever got it may be writing its state and flags now, but not what makes it the head of a free block. */
	return READ_ONCE(p->state) == PAGE_FREE && (READ_ONCE(p->flags) & PAGE_F_HEAD) &&
	       p->order == order;
}

static void merge_in(struct buddy *b, uint64_t mfn, unsigned int order)
{
	while (order < ORDER_1G && is_free_block(mfn ^ (1UL << order), order)) {
		remove_block(&page_table[mfn ^ (1UL << order)]);
		mfn &= ~(1UL << order);
		order++;
	}
	insert_block(b, &page_table[mfn], order);
}

void buddy_free(struct buddy *b, struct page *p, unsigned int order)
{
	for (uint64_t i = 0; i < 1UL << order; i++) {
		p[i].state = PAGE_FREE;
		p[i].flags = 0;
		WRITE_ONCE(p[i].refs, 0); /* page_get() may look at it */
		p[i].owner = NULL;
	}
	WRITE_ONCE(b->nr_free, b->nr_free + (1UL << order)); /* read without the lock, for show */
	merge_in(b, page_to_mfn(p).v, order);
}

void buddy_add_range(struct buddy *b, uint64_t mfn, uint64_t n)
{
	unsigned int order;

	while (n) {
		order = mfn ? min((unsigned int)__builtin_ctzll(mfn), ORDER_1G) : ORDER_1G;
		order = min(order, fls64(n) - 1);
		buddy_free(b, &page_table[mfn], order);
		mfn += 1UL << order;
		n -= 1UL << order;
	}
}

static struct page *take(struct buddy *b, unsigned int zone, unsigned int order)
{
	unsigned int o = order;
	struct page *p;

	while (o <= ORDER_1G && list_empty(&b->free[zone][o]))
		o++;
	if (o > ORDER_1G)
		return NULL;
	p = list_first(&b->free[zone][o], struct page, list);
	remove_block(p);
	while (o > order) {
		o--;
		insert_block(b, p + (1UL << o), o);
	}
	WRITE_ONCE(b->nr_free, b->nr_free - (1UL << order));
	return p;
}

struct page *buddy_alloc(struct buddy *b, unsigned int order)
{
	struct page *p = order <= ORDER_1G ? take(b, 1, order) : NULL;

	return p || order > ORDER_1G ? p : take(b, 0, order);
}
