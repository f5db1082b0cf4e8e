/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The small heap. Up to 2 KiB: classes of powers of two, carved from single pages whose struct
 * page holds the free list (so blocks are aligned to their size); an empty page goes back at
 * once, so that what was allocated and freed leaves no trace in the free count. Above: whole
 * pages, exactly as many as needed.
 */
#include "internal.h"

#define CLASS_MIN_SHIFT 5 /* a page's block count fits 8 bits */
#define CLASS_MAX_SHIFT 11
#define NR_CLASSES	(CLASS_MAX_SHIFT - CLASS_MIN_SHIFT + 1)
#define HEAP_MAX	MIB(2)

static struct list_head partial[NR_CLASSES]; /* pages with a free block; heap_lock */
static bool ready;

struct free_block {
	struct free_block *next;
};

/* While a page is a slab its owner field holds the free list. */
static struct free_block *free_list(const struct page *p)
{
	return (struct free_block *)p->owner;
}

static void set_free_list(struct page *p, struct free_block *b)
{
	p->owner = (struct domain *)b;
}

static unsigned int class_of(size_t size)
{
	unsigned int shift = size > 1 ? fls64(size - 1) : 0;

	return shift <= CLASS_MIN_SHIFT ? 0 : shift - CLASS_MIN_SHIFT;
}

static struct page *new_slab(unsigned int class)
{
	size_t size = 1UL << (class + CLASS_MIN_SHIFT);
	struct page *p = alloc_pages(0);
	struct free_block *head = NULL, *b;
	char *base;

	if (!p)
		return NULL;
	base = page_to_virt(p);
	for (size_t off = PAGE_SIZE; off >= size; off -= size) {
		b = (struct free_block *)(base + off - size);
		b->next = head;
		head = b;
	}
	set_free_list(p, head);
	p->order = (uint8_t) class;
	p->allocated = 0;
	p->flags = PAGE_F_SLAB;
	return p;
}

static void *take_block(struct page *p)
{
	struct free_block *b = free_list(p);

	set_free_list(p, b->next);
	p->allocated++;
	if (!b->next)
		list_del(&p->list);
	return b;
}

static void init_lists(void)
{
	for (unsigned int i = 0; i < NR_CLASSES; i++)
		list_init(&partial[i]);
	ready = true;
}

static void *alloc_small(unsigned int class)
{
	struct page *fresh = NULL;
	void *b;

	spin_lock(&heap_lock);
	if (!ready)
		init_lists();
	if (list_empty(&partial[class])) {
		spin_unlock(&heap_lock);
		fresh = new_slab(class);
		if (!fresh)
			return NULL;
		spin_lock(&heap_lock);
		list_add(&fresh->list, &partial[class]);
	}
	b = take_block(list_first(&partial[class], struct page, list));
	spin_unlock(&heap_lock);
	return memset(b, 0, 1UL << (class + CLASS_MIN_SHIFT));
}

/* The whole block, then its tail back. */
static void *alloc_large(size_t size)
{
	uint64_t pages = DIV_ROUND_UP(size, PAGE_SIZE);
	unsigned int order = fls64(pages - 1);
	struct page *p = alloc_pages(order);

	if (!p)
		return NULL;
	for (uint64_t i = pages; i < 1UL << order; i++)
		free_pages(p + i, 0);
	p->flags = PAGE_F_LARGE;
	p->owner = (struct domain *)pages;
	return page_to_virt(p);
}

void *xzalloc_bytes(size_t size)
{
	if (size > HEAP_MAX)
		return NULL;
	if (size <= 1UL << CLASS_MAX_SHIFT)
		return alloc_small(class_of(size));
	return alloc_large(size);
}

static void free_small(struct page *p, void *ptr)
{
	struct free_block *b = ptr;
	bool was_full, empty;

	BUG_ON((uint64_t)ptr & ((1UL << (p->order + CLASS_MIN_SHIFT)) - 1));
	spin_lock(&heap_lock);
	was_full = !free_list(p);
	b->next = free_list(p);
	set_free_list(p, b);
	empty = --p->allocated == 0;
	if (was_full && !empty)
		list_add(&p->list, &partial[p->order]);
	else if (empty && !was_full)
		list_del(&p->list);
	spin_unlock(&heap_lock);
	if (empty)
		free_pages(p, 0);
}

void xfree(void *ptr)
{
	struct page *p;
	uint64_t n;

	if (!ptr)
		return;
	p = mfn_to_page(virt_to_mfn(ptr));
	BUG_ON(p->state != PAGE_VMM);
	if (p->flags & PAGE_F_SLAB) {
		free_small(p, ptr);
		return;
	}
	if (!(p->flags & PAGE_F_LARGE) || ((uint64_t)ptr & (PAGE_SIZE - 1)))
		panic("xfree of %p, which is no block of the heap", ptr);
	n = (uint64_t)p->owner;
	for (uint64_t i = 0; i < n; i++)
		free_pages(p + i, 0);
}
