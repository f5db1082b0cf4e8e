// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Shadow pages: found by what they mirror, made, filled, and given up. One that mirrors a guest's table lasts as long
 * as nobody writes to that table behind the VMM's back, which is why its frame is protected first and read then.
 */
#include "debug.h"
#include "shadow.h"

COUNTER(shadow_made);
COUNTER(shadow_zapped);

static struct sh_page **bucket(struct sh_domain *s, gfn_t gfn)
{
	return &s->bucket[sh_bucket(s, gfn)];
}

struct sh_page *sh_page_find(struct sh_domain *s, gfn_t gfn, union sh_role role)
{
	struct sh_page *p = *bucket(s, gfn);

	while (p && (p->gfn.v != gfn.v || p->role.raw != role.raw))
		p = p->hash_next;
	return p;
}

static void unhash(struct sh_domain *s, const struct sh_page *p)
{
	struct sh_page **at = bucket(s, p->gfn);

	while (*at != p)
		at = &(*at)->hash_next;
	*at = p->hash_next;
}

static void clear_write(uint64_t *entry)
{
	WRITE_ONCE(*entry, *entry & ~SH_W);
}

/* From now on no processor writes to the frame: not by its entries, and not by what TLBs remember. */
static void protect(struct sh_domain *s, struct sh_set *frame)
{
	frame->tables++;
	sh_set_each(frame, clear_write);
	p2m_flush(s->d);
}

/* Frames at hand in one p2m entry after another. */
static const struct p2m_entry *p2m_next(struct sh_domain *s, gfn_t gfn, struct p2m_entry *e,
					uint64_t *end)
{
	if (gfn.v >= *end) {
		*e = p2m_get(s->d, gfn);
		*end = p2m_behind(gfn.v, e->order);
	} else if (mfn_valid_value(e->mfn)) {
		e->mfn.v++;
	}
	return e;
}

/* All frames, as far as there are references for them: the rest comes by faults. */
static void fill_direct(struct sh_domain *s, struct sh_page *p)
{
	uint64_t end = 0, rights = SH_U | SH_W | sh_cache_bits(p->role.cache);
	struct p2m_entry e;

	for (unsigned int i = 0; i < SH_ENTRIES && s->nr_free_refs > SH_FAULT_REFS; i++) {
		gfn_t gfn = gfn_add(p->gfn, i);

		if (sh_rights(p2m_next(s, gfn, &e, &end)))
			sh_entry_set_leaf(s, p, i, gfn, &e, rights);
	}
}

/* What the guest has used so far. */
static void fill_leaves(struct sh_domain *s, struct sh_page *p)
{
	struct page *pg = p2m_get_page(s->d, p->gfn, false, NULL);
	const uint64_t *wide;
	const uint32_t *narrow;

	if (!pg)
		return;
	wide = page_to_virt(pg);
	narrow = (const uint32_t *)page_to_virt(pg) + p->role.quadrant * SH_ENTRIES;
	for (unsigned int i = 0; i < SH_ENTRIES && s->nr_free_refs > SH_FAULT_REFS; i++) {
		uint64_t rights, pte = p->role.wide ? READ_ONCE(wide[i]) : READ_ONCE(narrow[i]);
		struct p2m_entry e;
		gfn_t gfn;

		if (!sh_guest_leaf(s, p->role, pte, &gfn, &rights))
			continue;
		e = p2m_get(s->d, gfn);
		if (sh_rights(&e))
			sh_entry_set_leaf(s, p, i, gfn, &e, rights);
	}
	page_put(pg);
}

static struct sh_page *make(struct sh_domain *s, gfn_t gfn, union sh_role role)
{
	struct sh_set *frame = role.direct ? NULL : sh_frame(s, gfn, true);
	bool names = role.level == 1 && !role.direct;
	struct sh_page *p;

	if ((!role.direct && !frame) || s->nr_free < 2)
		return NULL;
	p = sh_page_take(s);
	p->names = names ? sh_page_take(s) : NULL;
	p->gfn = gfn;
	p->role = role;
	p->writes = 0;
	p->walks = 0;
	p->hash_next = *bucket(s, gfn);
	*bucket(s, gfn) = p;
	list_add(&p->list, &s->used);
	counter_inc(shadow_made);
	if (frame)
		protect(s, frame);
	if (role.level == 1 && role.direct)
		fill_direct(s, p);
	else if (role.level == 1)
		fill_leaves(s, p);
	return p;
}

struct sh_page *sh_page_get(struct sh_domain *s, gfn_t gfn, union sh_role role, bool *made)
{
	struct sh_page *p = sh_page_find(s, gfn, role);

	if (!p) {
		*made = true;
		return make(s, gfn, role);
	}
	list_move(&p->list, &s->used);
	return p;
}

void sh_page_zap(struct sh_domain *s, struct sh_page *p)
{
	uint64_t *entry;

	counter_inc(shadow_zapped);
	while ((entry = sh_set_any(&p->parents)) != NULL)
		sh_entry_clear(s, sh_page_of(entry), sh_index_of(entry));
	unhash(s, p);
	if (!p->role.direct)
		sh_frame(s, p->gfn, false)->tables--;
	if (p->users)
		sh_root_forget(s, p);
	list_move_tail(&p->list, &s->pending);
}

void sh_give_up(struct sh_domain *s, gfn_t gfn)
{
	struct sh_page *p = *bucket(s, gfn), *next;

	for (; p; p = next) {
		next = p->hash_next;
		if (p->gfn.v == gfn.v && !p->role.direct)
			sh_page_zap(s, p);
	}
}
