/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The buddy allocator: alignment, no overlap, everything merges back. */
#include "vmm/mm/internal.h"
#include "unit.h"

struct page *page_table;
uint64_t max_mfn;

#define BLOCKS 300

static void setup(struct buddy *b, uint64_t pages)
{
	max_mfn = pages;
	page_table = unit_alloc(pages * sizeof(struct page));
	buddy_init(b);
}

static bool all_empty(const struct buddy *b)
{
	for (unsigned int z = 0; z < 2; z++)
		for (unsigned int o = 0; o <= ORDER_1G; o++)
			if (!list_empty(&b->free[z][o]))
				return false;
	return b->nr_free == 0;
}

static unsigned int blocks_of(const struct buddy *b, unsigned int order)
{
	unsigned int n = 0;
	struct page *p;

	for (unsigned int z = 0; z < 2; z++)
		list_for_each(p, &b->free[z][order], list)
			n++;
	return n;
}

TEST(buddy_odd_range_is_split_and_merges)
{
	struct buddy b;
	struct page *p[1021];

	setup(&b, 1024);
	buddy_add_range(&b, 3, 1021);
	EXPECT(b.nr_free == 1021);
	/* 3, 4-7, 8-15 ... 512-1023 */
	EXPECT(blocks_of(&b, 0) == 1 && blocks_of(&b, 9) == 1 && blocks_of(&b, 2) == 1);
	for (unsigned int i = 0; i < 1021; i++) {
		p[i] = buddy_alloc(&b, 0);
		EXPECT(p[i] != NULL);
	}
	EXPECT(!buddy_alloc(&b, 0) && all_empty(&b));
	for (unsigned int i = 0; i < 1021; i++)
		buddy_free(&b, p[(i * 7) % 1021], 0);
	EXPECT(b.nr_free == 1021 && blocks_of(&b, 0) == 1 && blocks_of(&b, 9) == 1);
	unit_free(page_table);
}

TEST(buddy_random)
{
	struct {
		struct page *p;
		unsigned int order;
	} held[BLOCKS] = { 0 };
	static uint8_t used[16384];
	struct buddy b;

	setup(&b, 16384);
	memset(used, 0, sizeof(used));
	buddy_add_range(&b, 256, 16384 - 256);
	for (unsigned int round = 0; round < 50000; round++) {
		unsigned int i = unit_random() % BLOCKS;

		if (held[i].p) {
			memset(used + (held[i].p - page_table), 0, 1UL << held[i].order);
			buddy_free(&b, held[i].p, held[i].order);
			held[i].p = NULL;
			continue;
		}
		held[i].order = unit_random() % 9;
		held[i].p = buddy_alloc(&b, held[i].order);
		if (!held[i].p)
			continue;
		uint64_t mfn = (uint64_t)(held[i].p - page_table);

		EXPECT(IS_ALIGNED(mfn, 1UL << held[i].order) && mfn >= 256);
		for (uint64_t k = mfn; k < mfn + (1UL << held[i].order); k++) {
			EXPECT(!used[k]);
			used[k] = 1;
		}
	}
	for (unsigned int i = 0; i < BLOCKS; i++)
		if (held[i].p)
			buddy_free(&b, held[i].p, held[i].order);
	EXPECT(b.nr_free == 16384 - 256);
	/* 256, 512, ... 8192: one block of each size, as at the start */
	for (unsigned int o = 8; o <= 13; o++)
		EXPECT(blocks_of(&b, o) == 1);
	unit_free(page_table);
}

TEST(buddy_prefers_memory_above_4g)
{
	uint64_t limit = GIB(4) >> PAGE_SHIFT;
	struct buddy b;
	struct page *p;

	setup(&b, limit + 16);
	buddy_add_range(&b, 64, 16);
	buddy_add_range(&b, limit, 16);
	for (unsigned int i = 0; i < 16; i++) {
		p = buddy_alloc(&b, 0);
		EXPECT(p && (uint64_t)(p - page_table) >= limit);
	}
	for (unsigned int i = 0; i < 16; i++) {
		p = buddy_alloc(&b, 0);
		EXPECT(p && (uint64_t)(p - page_table) < limit);
	}
	EXPECT(all_empty(&b) && !buddy_alloc(&b, 0));
	unit_free(page_table);
}

TEST(buddy_whole_gigabytes)
{
	struct buddy b;
	struct page *p;

	setup(&b, 2UL << ORDER_1G);
	buddy_add_range(&b, 0, 2UL << ORDER_1G);
	EXPECT(blocks_of(&b, ORDER_1G) == 2);
	EXPECT(!buddy_alloc(&b, ORDER_1G + 1));
	p = buddy_alloc(&b, ORDER_1G);
	EXPECT(p && IS_ALIGNED((uint64_t)(p - page_table), 1UL << ORDER_1G));
	buddy_free(&b, p, ORDER_1G);
	EXPECT(b.nr_free == 2UL << ORDER_1G);
	unit_free(page_table);
}
