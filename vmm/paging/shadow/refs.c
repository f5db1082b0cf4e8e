// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which entries lead to a frame, or to a shadow page: exactly, so that nothing is ever searched for or guessed. Most
 * sets have one entry, which is then all there is. Larger ones are chains of records, of which only the first one is
 * not full.
 */
#include "vmm/paging/p2m_private.h"
#include "shadow.h"

#define RECORD 1ULL
#define IN_REC 6U
/* As many records in a set: what looks for one entry must not take long, whatever a guest maps how often. */
#define RECORDS 4U

struct sh_refs {
	uint64_t *entry[IN_REC]; /* NULL behind the last one */
	struct sh_refs *next;
	uint64_t records; /* this one and those behind it */
};

static struct sh_refs *record(const struct sh_set *set)
{
	return set->at & (int64_t)RECORD ? (struct sh_refs *)((uint64_t)set->at & ~RECORD) : NULL;
}

static struct sh_refs *take(struct sh_domain *s)
{
	struct sh_refs *r = s->free_refs;

	if (!r)
		return NULL;
	s->free_refs = r->next;
	s->nr_free_refs--;
	memset(r, 0, sizeof(*r));
	return r;
}

static void give(struct sh_domain *s, struct sh_refs *r)
{
	r->next = s->free_refs;
	s->free_refs = r;
	s->nr_free_refs++;
}

bool sh_refs_refill(struct sh_domain *s)
{
	/* They never come back: a quarter of the pool is kept for tables. */
	struct sh_page *p = s->nr_ref_pages < s->nr_pages / 4 * 3 ? sh_page_take(s) : NULL;
	struct sh_refs *r;

	if (!p)
		return false;
	s->nr_ref_pages++;
	r = (struct sh_refs *)(void *)p->table;
	for (unsigned int i = 0; i < PAGE_SIZE / sizeof(*r); i++)
		give(s, &r[i]);
	return true;
}

static unsigned int count(const struct sh_refs *r)
{
	unsigned int n = 0;

	while (n < IN_REC && r->entry[n])
		n++;
	return n;
}

bool sh_set_add(struct sh_domain *s, struct sh_set *set, uint64_t *entry)
{
	struct sh_refs *r = record(set), *fresh;

	if (!set->at) {
		set->at = (int64_t)(uintptr_t)entry;
		return true;
	}
	if (r && count(r) < IN_REC) {
		r->entry[count(r)] = entry;
		return true;
	}
	fresh = take(s);
	if (!fresh)
		return false;
	if (!r)
		fresh->entry[0] = sh_set_any(set);
	fresh->entry[r ? 0 : 1] = entry;
	fresh->next = r;
	fresh->records = r ? r->records + 1 : 1;
	set->at = (int64_t)((uintptr_t)fresh | RECORD);
	return true;
}

/* The first record loses its last entry, and goes when it was the only one. */
static uint64_t *pop(struct sh_domain *s, struct sh_set *set)
{
	struct sh_refs *r = record(set);
	unsigned int last = count(r) - 1;
	uint64_t *e = r->entry[last];

	r->entry[last] = NULL;
	if (!last) {
		set->at = r->next ? (int64_t)((uintptr_t)r->next | RECORD) : 0;
		give(s, r);
	}
	return e;
}

void sh_set_del(struct sh_domain *s, struct sh_set *set, uint64_t *entry)
{
	struct sh_refs *r = record(set);

	if (!r) {
		BUG_ON(sh_set_any(set) != entry);
		set->at = 0;
		return;
	}
	for (; r; r = r->next) {
		for (unsigned int i = 0; i < IN_REC; i++) {
			uint64_t *last;

			if (r->entry[i] != entry)
				continue;
			last = pop(s, set);
			if (last != entry)
				r->entry[i] = last;
			return;
		}
	}
	BUG_ON(true);
}

bool sh_set_is_full(const struct sh_set *set)
{
	const struct sh_refs *r = record(set);

	return r && r->records == RECORDS && count(r) == IN_REC;
}

uint64_t *sh_set_any(const struct sh_set *set)
{
	const struct sh_refs *r = record(set);

	return r ? r->entry[0] : (uint64_t *)(uintptr_t)set->at;
}

/* The last slot has the newest entry, and gives it to the victim's: the others are the newest ones in turn. */
uint64_t *sh_set_victim(struct sh_domain *s, const struct sh_set *set)
{
	return record(set)->entry[s->turn++ % (IN_REC - 1)];
}

void sh_set_each(const struct sh_set *set, void (*fn)(uint64_t *entry))
{
	const struct sh_refs *r = record(set);

	if (!r && set->at)
		fn(sh_set_any(set));
	for (; r; r = r->next)
		for (unsigned int i = 0; i < count(r); i++)
			fn(r->entry[i]);
}

#define FRAME_LEVELS 4U

static unsigned int frame_index(gfn_t gfn, unsigned int level)
{
	return (unsigned int)(gfn.v >> (9 * (level - 1))) & (SH_ENTRIES - 1);
}

/* As many as the p2m may have tables. */
static void *new_node(struct sh_domain *s)
{
	void *node = p2m_may_have(&s->d->p2m, s->nr_nodes + 1) ? alloc_page_virt() : NULL;

	s->nr_nodes += !!node;
	return node;
}

struct sh_set *sh_frame(struct sh_domain *s, gfn_t gfn, bool make)
{
	uint64_t *node = s->frames;

	if (!node || gfn.v >> (9 * FRAME_LEVELS))
		return NULL;
	for (unsigned int level = FRAME_LEVELS; level > 1; level--) {
		uint64_t *slot = &node[frame_index(gfn, level)];

		if (!*slot && make)
			*slot = (uintptr_t)new_node(s);
		if (!*slot)
			return NULL;
		node = (uint64_t *)(uintptr_t)*slot;
	}
	return (struct sh_set *)(void *)&node[frame_index(gfn, 1)];
}

#define DROP_NODES 32U

/* Frees what is below a node while *left is not used up. */
static void drop_below(uint64_t *node, unsigned int level, unsigned int *left)
{
	for (unsigned int i = 0; level > 1 && i < SH_ENTRIES && *left; i++) {
		uint64_t *below = (uint64_t *)(uintptr_t)node[i];

		if (!below)
			continue;
		drop_below(below, level - 1, left);
		if (!*left)
			return;
		free_page_virt(below);
		node[i] = 0;
		(*left)--;
	}
}

int sh_frames_drop(struct sh_domain *s)
{
	unsigned int left = DROP_NODES;

	/* Somebody may still say that he wrote to a frame. */
	spin_lock(&s->lock);
	if (s->frames)
		drop_below(s->frames, FRAME_LEVELS, &left);
	if (s->frames && left) {
		free_page_virt(s->frames);
		s->frames = NULL;
	}
	spin_unlock(&s->lock);
	return left ? 0 : -ERESTART;
}
