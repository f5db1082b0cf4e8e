// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A system that clears all of its memory at its start, as Windows does, and then uses `fill` MiB of it: for guests
 * that are given less than they see (populate on demand).
 */
#include "payload.h"

#define PAGE 4096ul

extern const u8 image_end[];

/* What is below belongs to the image. */
static ulong ram_first(void)
{
	return ((ulong)image_end + PAGE - 1) & ~(PAGE - 1);
}

static ulong fill_end(void)
{
	return ram_first() + (ulong)cmdline_number("fill", 0) * 0x100000;
}

/* Another word of each page has something, and all of that word's address. */
static volatile ulong *word_of(ulong page)
{
	return (volatile ulong *)(page + (page / PAGE * sizeof(ulong)) % PAGE);
}

TEST(ram_clear, "ram: all is cleared twice, a part is used, the rest stays empty")
{
	ulong page;

	NEED(fill_end() > ram_first(), "not asked for (fill=MIB)");
	CHECK(fill_end() < plat.ram_end, "memory ends at %x", plat.ram_end);
	for (int round = 0; round < 2; round++)
		for (page = ram_first(); page < plat.ram_end; page += PAGE)
			memset((void *)page, 0, PAGE);
	for (page = ram_first(); page < fill_end(); page += PAGE)
		*word_of(page) = page | 1;
	for (page = ram_first(); page < plat.ram_end; page += PAGE)
		CHECK(*word_of(page) == (page < fill_end() ? page | 1 : 0), "%lx at %lx",
		      *word_of(page), page);
	return NULL;
}
