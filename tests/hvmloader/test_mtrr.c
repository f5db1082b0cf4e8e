/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MTRR plans: inside the range everything matches a pair, outside nothing does. */
#include "mtrr.h"
#include "tests.h"

#include <string.h>

static int uncached(const struct mtrr_plan *p, uint64_t addr, unsigned int bits)
{
	int hits = 0;

	for (uint32_t i = 0; i < p->nr; i++) {
		uint64_t mask = p->range[i].mask & ~UINT64_C(0xfff);

		CHECK(p->range[i].mask & 0x800);
		CHECK(!(p->range[i].mask >> bits));
		hits += (addr & mask) == (p->range[i].base & mask);
	}
	CHECK(hits <= 1);
	return hits;
}

static void pc_window(void)
{
	struct mtrr_plan p = { .nr_available = 8 };

	CHECK(!mtrr_plan_uncached(&p, 0xf0000000, UINT64_C(1) << 32, 40));
	CHECK(p.nr == 1 && p.range[0].base == 0xf0000000);
	CHECK(p.range[0].mask == (UINT64_C(0xfff0000000) | 0x800));
	CHECK(!mtrr_plan_uncached(&p, 0, 0, 40) && p.nr == 1);
}

static void random_ranges(void)
{
	for (int round = 0; round < 300; round++) {
		struct mtrr_plan p = { .nr_available = MTRR_VARIABLE_MAX };
		uint64_t start = (uint64_t)(check_random() % 4096) << 28;
		uint64_t end = start + ((uint64_t)(1 + check_random() % 4096) << 28);

		if (mtrr_plan_uncached(&p, start, end, 41))
			continue;
		for (int i = 0; i < 50; i++) {
			uint64_t in = start + (((uint64_t)check_random() << 20) % (end - start));

			CHECK(uncached(&p, in & ~UINT64_C(0xfff), 41));
		}
		CHECK(!uncached(&p, end, 41));
		CHECK(uncached(&p, end - 4096, 41));
		if (start)
			CHECK(!uncached(&p, start - 4096, 41));
	}
}

static void too_few(void)
{
	struct mtrr_plan p = { .nr_available = 1 };

	CHECK(mtrr_plan_uncached(&p, 0x90000000, UINT64_C(1) << 32, 36) == -1);
	CHECK(p.nr == 1);
}

void test_mtrr(void)
{
	pc_window();
	random_ranges();
	too_few();
}
