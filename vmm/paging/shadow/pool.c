// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The memory of a domain's shadow pages. It is made before the domain runs, so that no fault allocates; when it is
 * used up, pages that were not used for long are given up.
 */
#include "debug.h"
#include "shadow.h"

COUNTER(shadow_evicted);

static void add_page(struct sh_domain *s, struct sh_page *p)
{
	list_init(&p->list);
	list_add_tail(&p->list, &s->free);
	s->nr_free++;
	s->nr_pages++;
}

static void free_tables(struct sh_chunk *c)
{
	for (unsigned int i = 0; i < SH_CHUNK; i++)
		if (c->page[i].table)
			free_page_virt(c->page[i].table);
	xfree(c);
}

int sh_pool_grow(struct sh_domain *s)
{
	struct sh_chunk *c = xzalloc(struct sh_chunk);

	if (!c)
		return -ENOMEM;
	for (unsigned int i = 0; i < SH_CHUNK; i++) {
		struct sh_page *p = &c->page[i];

		p->table = alloc_page_virt();
		if (!p->table) {
			free_tables(c);
			return -ENOMEM;
		}
		/* As the small heap does with its pages: nobody else looks at the owner of the VMM's. */
		mfn_to_page(virt_to_mfn(p->table))->owner = (struct domain *)p;
	}
	spin_lock(&s->lock);
	c->next = s->chunks;
	s->chunks = c;
	for (unsigned int i = 0; i < SH_CHUNK; i++)
		add_page(s, &c->page[i]);
	spin_unlock(&s->lock);
	return 0;
}

int sh_pool_drop(struct sh_domain *s)
{
	struct sh_chunk *c = s->chunks;
	struct vcpu *v;

	if (!c)
		return 0;
	/* Whoever looks for the contents of a frame, for a page, or sets a vCPU's state, finds none. */
	spin_lock(&s->lock);
	list_init(&s->used);
	list_init(&s->free);
	list_init(&s->pending);
	list_init(&s->dying);
	s->nr_free = 0;
	s->free_refs = NULL;
	s->nr_free_refs = 0;
	memset(s->bucket, 0, sizeof(s->bucket));
	for_each_vcpu(s->d, v)
		memset(v->sh->root, 0, sizeof(v->sh->root));
	s->chunks = c->next;
	s->nr_pages -= SH_CHUNK;
	spin_unlock(&s->lock);
	free_tables(c);
	return s->chunks ? -ERESTART : 0;
}

struct sh_page *sh_page_take(struct sh_domain *s)
{
	struct sh_page *p;

	if (list_empty(&s->free))
		return NULL;
	p = list_first(&s->free, struct sh_page, list);
	list_del(&p->list);
	s->nr_free--;
	return p;
}

void sh_page_free(struct sh_domain *s, struct sh_page *p)
{
	list_move_tail(&p->list, &s->free);
	s->nr_free++;
}

static void free_zapped(struct sh_domain *s, struct sh_page *p)
{
	if (p->names) {
		memset(p->names->table, 0, PAGE_SIZE);
		sh_page_free(s, p->names);
		p->names = NULL;
	}
	sh_page_free(s, p);
}

/* To free a page takes as long as to clear so many entries. */
#define FREE_COST 32U

/* From the last entry on. */
static void clear_dying(struct sh_domain *s)
{
	for (unsigned int done = 0; done < SH_CLEAR && !list_empty(&s->dying);) {
		struct sh_page *p = list_first(&s->dying, struct sh_page, list);

		for (; done < SH_CLEAR && p->present; done++)
			sh_entry_clear(s, p, --p->dying_at);
		if (p->present)
			break;
		free_zapped(s, p);
		done += FREE_COST;
	}
}

void sh_settle(struct sh_domain *s)
{
	if (!list_empty(&s->pending))
		p2m_flush(s->d);
	while (!list_empty(&s->pending)) {
		struct sh_page *p = list_first(&s->pending, struct sh_page, list);

		p->dying_at = SH_ENTRIES;
		list_move_tail(&p->list, &s->dying);
	}
	clear_dying(s);
}

/* The page in use that was used last long ago, and that no vCPU has as its root. */
static struct sh_page *oldest(struct sh_domain *s)
{
	for (struct list_head *l = s->used.prev; l != &s->used; l = l->prev) {
		struct sh_page *p = list_entry(l, struct sh_page, list);

		if (!p->users)
			return p;
	}
	return NULL;
}

static bool evict(struct sh_domain *s)
{
	struct sh_page *p = oldest(s);

	if (!p)
		return false;
	counter_inc(shadow_evicted);
	sh_page_zap(s, p);
	sh_settle(s);
	return true;
}

/* Pages that are given up under one hold of the lock. */
#define EVICT_MAX 2U

int sh_pool_reserve(struct sh_domain *s)
{
	unsigned int evicted = 0;

	/* A record page more, before a new table would be filled in part only. */
	if (s->nr_free_refs < SH_FILL_REFS && s->nr_free > SH_FAULT_PAGES)
		sh_refs_refill(s);
	while (s->nr_free_refs < SH_FAULT_REFS || s->nr_free < SH_FAULT_PAGES) {
		if (s->nr_free_refs < SH_FAULT_REFS && sh_refs_refill(s))
			continue;
		if (evicted++ == EVICT_MAX)
			return -ERESTART;
		if (!list_empty(&s->dying))
			clear_dying(s);
		else if (!evict(s))
			return -ENOMEM;
	}
	return 0;
}
