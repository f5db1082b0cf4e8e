/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory before the allocator: a list of reserved stretches, and allocation from the top of RAM
 * downwards around them. The low megabyte is never used: firmware scribbles there and dom0 wants
 * it.
 */
#include "mm_private.h"

#define EARLY_MAX   64
#define EARLY_FLOOR MIB(1)

struct stretch {
	uint64_t start, end;
};

bool early_done;

static struct stretch reserved[EARLY_MAX];
static unsigned int nr_reserved;

void early_reserve(uint64_t start, uint64_t len)
{
	uint64_t end = ROUND_UP(start + len, PAGE_SIZE);

	start = ROUND_DOWN(start, PAGE_SIZE);
	if (!len)
		return;
	/* allocations come one below the other: keep those in one entry */
	for (unsigned int i = 0; i < nr_reserved; i++) {
		if (reserved[i].start == end) {
			reserved[i].start = start;
			return;
		}
	}
	if (nr_reserved == EARLY_MAX)
		panic("Too many reserved stretches of memory");
	reserved[nr_reserved++] = (struct stretch){ start, end };
}

/* A reserved stretch that overlaps, or NULL. */
static const struct stretch *overlap(uint64_t start, uint64_t end)
{
	for (unsigned int i = 0; i < nr_reserved; i++)
		if (reserved[i].start < end && reserved[i].end > start)
			return &reserved[i];
	return NULL;
}

bool early_is_reserved(uint64_t start, uint64_t len)
{
	return overlap(start, start + len) != NULL;
}

static uint64_t alloc_in(const struct e820_entry *e, uint64_t len, uint64_t below)
{
	uint64_t floor = max(ROUND_UP(e->addr, PAGE_SIZE), EARLY_FLOOR);
	uint64_t top = ROUND_DOWN(min(e->addr + e->len, below), PAGE_SIZE);
	const struct stretch *s;

	while (top >= len && top - len >= floor) {
		s = overlap(top - len, top);
		if (!s)
			return top - len;
		top = s->start;
	}
	return 0;
}

uint64_t early_alloc(uint64_t len, uint64_t below)
{
	uint64_t a;

	len = ROUND_UP(len, PAGE_SIZE);
	for (unsigned int i = host_e820.nr; i-- > 0;) {
		if (host_e820.e[i].type != E820_RAM)
			continue;
		a = alloc_in(&host_e820.e[i], len, below);
		if (a) {
			early_reserve(a, len);
			return a;
		}
	}
	return 0;
}

static void each_free_in(uint64_t start, uint64_t end, void (*fn)(uint64_t start, uint64_t end))
{
	uint64_t stop;

	while (start < end) {
		const struct stretch *s = overlap(start, start + PAGE_SIZE);

		if (s) {
			start = s->end;
			continue;
		}
		stop = end;
		for (unsigned int i = 0; i < nr_reserved; i++)
			if (reserved[i].start > start && reserved[i].start < stop)
				stop = reserved[i].start;
		fn(start, stop);
		start = stop;
	}
}

void early_for_each_free(void (*fn)(uint64_t start, uint64_t end))
{
	for (unsigned int i = 0; i < host_e820.nr; i++) {
		const struct e820_entry *e = &host_e820.e[i];
		uint64_t start = max(ROUND_UP(e->addr, PAGE_SIZE), EARLY_FLOOR);
		uint64_t end = ROUND_DOWN(e->addr + e->len, PAGE_SIZE);

		if (e->type == E820_RAM && start < end)
			each_free_in(start, end, fn);
	}
}
