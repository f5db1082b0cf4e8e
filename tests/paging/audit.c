// SPDX-License-Identifier: GPL-2.0-or-later
/* Every invariant of the shadow tables, by looking at all of them. */
#include "model.h"

static uint64_t *wanted;
static bool found;

static void look(uint64_t *entry)
{
	found |= entry == wanted;
}

static bool in_set(const struct sh_set *set, uint64_t *entry)
{
	wanted = entry;
	found = false;
	sh_set_each(set, look);
	return found;
}

static uint64_t counted;

static void count(uint64_t *entry)
{
	(void)entry;
	counted++;
}

static uint64_t set_size(const struct sh_set *set)
{
	counted = 0;
	sh_set_each(set, count);
	return counted;
}

static bool is_used(const struct sh_page *p)
{
	struct sh_page *q;

	list_for_each(q, &model.d->sh->used, list)
		if (q == p)
			return true;
	return false;
}

/* The guest's entry that entry i of p mirrors. */
static uint64_t guest_entry(const struct sh_page *p, unsigned int i)
{
	const uint64_t *table = oracle_memory(p->gfn);
	unsigned int n =
		p->role.level == 2 ? p->role.quadrant * 256U + i / 2 : p->role.quadrant * 512U + i;

	if (!table)
		panic("the table of a shadow page has no memory");
	return p->role.wide ? table[i] : ((const uint32_t *)table)[n];
}

static void check_rights(const struct sh_page *p, uint64_t entry, uint64_t pte, bool leaf)
{
	if (!(pte & SH_P))
		panic("an entry, and the guest has none");
	if (entry & SH_W && !(pte & SH_W && (!leaf || pte & SH_D)))
		panic("more writable than the guest's entry");
	if (entry & SH_U && !(pte & SH_U))
		panic("more of a user's than the guest's entry");
	if (p->role.wide && pte & SH_NX && !(entry & SH_NX))
		panic("executable, and the guest's entry is not");
}

static void check_leaf(const struct sh_page *p, unsigned int i)
{
	gfn_t gfn = p->names ? _gfn(p->names->table[i]) : gfn_add(p->gfn, i);
	struct p2m_entry e = p2m_get(model.d, gfn);
	const struct sh_set *f = sh_frame(model.d->sh, gfn, false);
	uint64_t entry = p->table[i], pte;

	if ((entry & SH_ADDR) != mfn_to_maddr(e.mfn).v)
		panic("a leaf of frame %lx leads elsewhere", gfn.v);
	if (!f || !in_set(f, &p->table[i]))
		panic("a leaf of frame %lx without a reference", gfn.v);
	if (entry & SH_CACHE)
		panic("a leaf of frame %lx is not write-back", gfn.v);
	if (entry & SH_W && (f->tables || !p2m_entry_is_writable(&e) || e.type == P2M_RAM_LOGDIRTY))
		panic("a leaf of frame %lx is writable: %u tables, type %u", gfn.v, f->tables,
		      e.type);
	if (p->role.direct)
		return;
	pte = guest_entry(p, i);
	check_rights(p, entry, pte, true);
	if ((pte & (p->role.wide ? SH_ADDR : 0xfffff000)) >> PAGE_SHIFT != gfn.v)
		panic("a leaf of frame %lx, and the guest's entry is %lx", gfn.v, pte);
}

static void check_table(const struct sh_page *p, unsigned int i)
{
	const struct sh_page *child = sh_child(p->table[i]);
	uint64_t pte;

	if (!is_used(child))
		panic("an entry leads to a page that is not in use");
	if (!in_set(&child->parents, &p->table[i]))
		panic("a table does not know its parent");
	if (child->role.level + 1 != p->role.level)
		panic("a table of level %u in one of %u", child->role.level, p->role.level);
	if (p->role.direct) {
		if (!child->role.direct || child->gfn.v != p->gfn.v + (uint64_t)i * SH_ENTRIES)
			panic("a table of frame %lx where memory itself is", child->gfn.v);
		return;
	}
	pte = guest_entry(p, i);
	check_rights(p, p->table[i], pte, child->role.direct);
	if (child->role.direct
		    ? !(pte & BIT(7))
		    : (pte & (p->role.wide ? SH_ADDR : 0xfffff000)) >> PAGE_SHIFT != child->gfn.v)
		panic("a table of frame %lx, and the guest's entry is %lx", child->gfn.v, pte);
	if (!p->role.wide && !child->role.direct && child->role.quadrant != (i & 1))
		panic("the wrong half of a table");
}

static void check_page(const struct sh_page *p, uint64_t *leaves, uint64_t *tables)
{
	unsigned int present = 0, users = 0;
	struct vcpu *v;

	for (unsigned int i = 0; i < SH_ENTRIES; i++) {
		if (!p->table[i])
			continue;
		present++;
		if (p->role.level == 1) {
			check_leaf(p, i);
			++*leaves;
		} else {
			check_table(p, i);
			++*tables;
		}
	}
	for_each_vcpu(model.d, v)
		for (unsigned int k = 0; k < SH_ROOTS; k++)
			users += v->sh->root[k] == p;
	if (present != p->present || users != p->users)
		panic("a page counts %u entries and %u users: %u, %u", p->present, p->users,
		      present, users);
}

/* Zapped: nothing leads there, and each entry is where it can be found and cleared. */
static void check_dying(struct sh_page *p, uint64_t *leaves, uint64_t *tables)
{
	unsigned int present = 0;

	for (unsigned int i = 0; i < SH_ENTRIES; i++) {
		const struct sh_set *set;

		if (!p->table[i])
			continue;
		present++;
		set = p->role.level > 1
			      ? &sh_child(p->table[i])->parents
			      : sh_frame(model.d->sh,
					 p->names ? _gfn(p->names->table[i]) : gfn_add(p->gfn, i),
					 false);
		if (!set || !in_set(set, &p->table[i]))
			panic("an entry of a zapped page is in no set");
		++*(p->role.level > 1 ? tables : leaves);
	}
	if (present != p->present || p->users || set_size(&p->parents))
		panic("a zapped page has %u entries, %u are counted, %u users", present, p->present,
		      p->users);
}

static void check_frames(uint64_t leaves)
{
	uint64_t refs = 0;

	for (uint64_t g = 0; g < 4096; g++) {
		const struct sh_set *f = sh_frame(model.d->sh, _gfn(g), false);
		unsigned int tables = 0;
		struct sh_page *p;

		if (!f)
			continue;
		refs += set_size(f);
		list_for_each(p, &model.d->sh->used, list)
			tables += p->gfn.v == g && !p->role.direct;
		if (tables != f->tables)
			panic("frame %lx counts %u tables: %u", g, f->tables, tables);
	}
	if (refs != leaves)
		panic("%lu references of frames for %lu leaves", refs, leaves);
}

static void check_tlbs(void)
{
	for (unsigned int c = 0; c < NR_VCPUS; c++) {
		for (unsigned int i = 0; i < TLB_SIZE; i++) {
			const struct model_tlb *t = &model.cpu[c].tlb[i];
			const struct sh_set *f = sh_frame(model.d->sh, t->gfn, false);
			struct p2m_entry e = p2m_get(model.d, t->gfn);

			if (!t->valid)
				continue;
			if (e.mfn.v != t->mfn.v)
				panic("a TLB translates to a page that is gone");
			if (t->write && ((f && f->tables) || !p2m_entry_is_writable(&e) ||
					 e.type == P2M_RAM_LOGDIRTY))
				panic("a TLB allows writes to frame %lx", t->gfn.v);
		}
	}
}

/* Of a full set, four entries that come one after the other are there together. */
void audit_victims(void)
{
	static uint64_t entries[2 * PAGE_SIZE / sizeof(uint64_t)];
	struct sh_domain *s = model.d->sh;
	struct sh_set set = { 0 };
	unsigned int n = 0;

	BUG_ON(!sh_refs_refill(s));
	while (!sh_set_is_full(&set))
		BUG_ON(!sh_set_add(s, &set, &entries[n++]));
	for (unsigned int i = 0; i < 60; i++) {
		sh_set_del(s, &set, sh_set_victim(s, &set));
		BUG_ON(!sh_set_add(s, &set, &entries[n++]));
		for (unsigned int k = 1; i >= 4 && k <= 4; k++)
			if (!in_set(&set, &entries[n - k]))
				panic("one of the newest entries of a set has made room");
	}
	while (set.at)
		sh_set_del(s, &set, sh_set_any(&set));
}

static uint64_t entries_of(const struct list_head *pages)
{
	const struct sh_page *p;
	uint64_t n = 0;

	list_for_each(p, pages, list)
		n += p->present;
	return n;
}

/* All roles of level 1 that fit into the pool. */
static void mirror_often(struct sh_domain *s, gfn_t table)
{
	uint64_t *at = oracle_memory(table);
	bool made;

	for (unsigned int i = 0; i < SH_ENTRIES; i++)
		at[i] = (uint64_t)(i % NR_RAM) << PAGE_SHIFT | SH_P | SH_A | SH_U;
	for (uint16_t i = 0; i < 8; i++) {
		union sh_role role = {
			.level = 1, .wide = 1, .pae = i & 1, .nxe = i >> 1 & 1, .cache = i >> 2
		};

		while (s->nr_free_refs < SH_FILL_REFS && s->nr_free > 2 && sh_refs_refill(s))
			;
		if (s->nr_free >= 2)
			sh_page_get(s, table, role, &made);
	}
}

/* A frame with many shadow pages: it is not mirrored any more at once, and their entries go in pieces. */
void audit_pieces(gfn_t table)
{
	struct sh_domain *s = model.d->sh;
	uint64_t left;

	spin_lock(&s->lock);
	mirror_often(s, table);
	sh_give_up(s, table);
	if (sh_frame(s, table, false)->tables)
		panic("a table that was given up is mirrored");
	left = entries_of(&s->pending);
	if (left <= SH_CLEAR)
		panic("a table with %lu entries is no case", left);
	while (left) {
		uint64_t before = left;

		sh_settle(s);
		left = entries_of(&s->dying);
		if (before - left > SH_CLEAR)
			panic("%lu entries are cleared in one piece", before - left);
	}
	spin_unlock(&s->lock);
}

void model_audit(void)
{
	const struct sh_domain *s = model.d->sh;
	uint64_t leaves = 0, tables = 0, parents = 0, pages = 0;
	struct sh_page *p;

	list_for_each(p, &s->used, list) {
		check_page(p, &leaves, &tables);
		parents += set_size(&p->parents);
		pages += 1 + !!p->names;
	}
	list_for_each(p, &s->dying, list) {
		check_dying(p, &leaves, &tables);
		pages += 1 + !!p->names;
	}
	if (parents != tables)
		panic("%lu parents for %lu entries", parents, tables);
	if (!list_empty(&s->pending) || pages + s->nr_free > s->nr_pages)
		panic("%lu pages in use and %u free are not %u", pages, s->nr_free, s->nr_pages);
	check_frames(leaves);
	check_tlbs();
}
