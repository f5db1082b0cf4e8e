/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bringing memory up, in three steps: reserve what is in use and load the final page tables; struct page for all of
 * RAM (from the top of it); and, when dom0's share has been taken out, the rest to the allocator. The boot modules
 * stay reserved until boot_modules_release().
 */
#include "internal.h"
#include "pagetable.h"
#include "boot.h"

/*
 * Memory before the allocator: a list of reserved stretches, and allocation from the top of RAM
 * downwards around them. The low megabyte is never used: firmware scribbles there and dom0 wants
 * it.
 */
#define EARLY_MAX   64
#define EARLY_FLOOR MIB(1)

struct stretch {
	uint64_t start, end;
};

static bool early_done;

static struct stretch reserved[EARLY_MAX];
static unsigned int nr_reserved;

/* RAM before the allocator exists, from the top of RAM downwards, never freed. */
static void early_reserve(uint64_t start, uint64_t len)
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

static bool early_is_reserved(uint64_t start, uint64_t len)
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

/* Page-aligned; 0 = none. below: exclusive limit. */
static uint64_t early_alloc(uint64_t len, uint64_t below)
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

/* Calls fn for each stretch of RAM pages [start, end) that nothing has reserved. */
static void early_for_each_free(void (*fn)(uint64_t start, uint64_t end))
{
	for (unsigned int i = 0; i < host_e820.nr; i++) {
		const struct e820_entry *e = &host_e820.e[i];
		uint64_t start = max(ROUND_UP(e->addr, PAGE_SIZE), EARLY_FLOOR);
		uint64_t end = ROUND_DOWN(e->addr + e->len, PAGE_SIZE);

		if (e->type == E820_RAM && start < end)
			each_free_in(start, end, fn);
	}
}

extern char _image_start[], _image_end[];

static uint64_t ram_pages;

uint64_t total_page_count(void)
{
	return ram_pages;
}

void *mm_alloc_table(void)
{
	uint64_t a;

	if (early_done)
		return alloc_page_virt();
	/* the boot tables map only the first 4 GiB */
	a = early_alloc(PAGE_SIZE, GIB(4));
	return a ? memset(maddr_to_virt(_maddr(a)), 0, PAGE_SIZE) : NULL;
}

static void count_ram(void)
{
	for (unsigned int i = 0; i < host_e820.nr; i++) {
		const struct e820_entry *e = &host_e820.e[i];
		uint64_t start = DIV_ROUND_UP(e->addr, PAGE_SIZE),
			 end = (e->addr + e->len) >> PAGE_SHIFT;

		if (e->type != E820_RAM || start >= end)
			continue;
		ram_pages += end - start;
		max_mfn = max(max_mfn, end);
	}
}

static void make_page_table(void)
{
	uint64_t size = max_mfn * sizeof(struct page), a = early_alloc(size, ~0ULL);

	BUILD_BUG_ON(sizeof(struct page) != 32);
	BUILD_BUG_ON(PAGE_RESERVED != 0);
	if (!a)
		panic("No %lu KiB of memory for the page records", size >> 10);
	page_table = memset(maddr_to_virt(_maddr(a)), 0, size);
}

static void free_stretch(uint64_t start, uint64_t end)
{
	uint64_t mfn = start >> PAGE_SHIFT, last = end >> PAGE_SHIFT, run;

	while (mfn < last) {
		if (page_table[mfn].flags & PAGE_F_DOM0) {
			mfn++;
			continue;
		}
		for (run = mfn; run < last && !(page_table[run].flags & PAGE_F_DOM0); run++)
			;
		buddy_add_range(&host_buddy, mfn, run - mfn);
		mfn = run;
	}
}

static bool is_ram(uint64_t start, uint64_t len)
{
	for (unsigned int i = 0; i < host_e820.nr; i++)
		if (host_e820.e[i].type == E820_RAM && host_e820.e[i].addr <= start &&
		    host_e820.e[i].addr + host_e820.e[i].len >= start + len)
			return true;
	return false;
}

bool mm_reserve_range(maddr_t start, uint64_t len)
{
	BUG_ON(early_done);
	if (!IS_ALIGNED(start.v | len, PAGE_SIZE) || !len || start.v + len < start.v ||
	    !is_ram(start.v, len) || mm_range_in_use(start, len))
		return false;
	for (uint64_t mfn = start.v >> PAGE_SHIFT; mfn < (start.v + len) >> PAGE_SHIFT; mfn++)
		page_table[mfn].flags |= PAGE_F_DOM0;
	return true;
}

static bool in_module(uint64_t a)
{
	for (unsigned int i = 0; i < boot_info.nr_modules; i++)
		if (a >= ROUND_DOWN(boot_info.module[i].start.v, PAGE_SIZE) &&
		    a < boot_info.module[i].start.v + boot_info.module[i].size)
			return true;
	return false;
}

bool mm_range_in_use(maddr_t start, uint64_t len)
{
	for (uint64_t a = start.v; a < start.v + len; a += PAGE_SIZE)
		if (early_is_reserved(a, PAGE_SIZE) && !in_module(a))
			return true;
	return false;
}

void boot_modules_release(void)
{
	for (unsigned int i = 0; i < boot_info.nr_modules; i++) {
		struct boot_module *m = &boot_info.module[i];
		uint64_t first = m->start.v >> PAGE_SHIFT;
		uint64_t last = DIV_ROUND_UP(m->start.v + m->size, PAGE_SIZE);

		for (uint64_t mfn = max(first, MIB(1) >> PAGE_SHIFT); mfn < last; mfn++) {
			struct page *p = &page_table[mfn];

			/* two modules may share a page's ends: the state tells what is done */
			if (p->state != PAGE_RESERVED || (p->flags & PAGE_F_DOM0))
				continue;
			spin_lock(&heap_lock);
			buddy_free(&host_buddy, p, 0);
			spin_unlock(&heap_lock);
		}
		m->size = 0;
	}
}

void mm_init_map(bool nx, bool pages_1g)
{
	early_reserve((uint64_t)_image_start - VMM_VIRT, (uint64_t)(_image_end - _image_start));
	for (unsigned int i = 0; i < boot_info.nr_modules; i++)
		early_reserve(boot_info.module[i].start.v, boot_info.module[i].size);
	pt_init(nx, pages_1g);
}

void mm_init_pages(void)
{
	count_ram();
	make_page_table();
}

void mm_init_allocator(void)
{
	buddy_init(&host_buddy);
	early_for_each_free(free_stretch);
	early_done = true;
	printk(LOG_INFO "Memory: %lu MiB, %lu MiB free\n", ram_pages >> 8, free_page_count() >> 8);
}
