// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The p2m: a four-level radix tree in the vendor's nested page table format. This file knows how to
 * find, split, set and take down entries; it leaves the meaning of faults to fault.c and the entry
 * bits to svm/npt.c and vmx/ept.c. APM volume 2, 15.25; SDM volume 3, "EPT".
 *
 * Lookups take no lock: an entry is one aligned 64-bit word, tables stay where they are until the tree is hidden and
 * no CPU walks it any more (publish.h); p2m_seen.c remembers some for each CPU.
 */
#include "domain.h"
#include "hvm_ops.h"
#include "p2m_private.h"
#include "paging.h"

#define LEVELS	4U
#define ENTRIES 512U

static inline unsigned int level_order(unsigned int level)
{
	return 9 * (level - 1);
}
static inline unsigned int index_at(gfn_t gfn, unsigned int level)
{
	return (unsigned int)(gfn.v >> level_order(level)) & (ENTRIES - 1);
}

uint64_t p2m_gfn_limit(void)
{
	return BIT(min(host_cpu.phys_bits - PAGE_SHIFT, 9 * LEVELS));
}

/* A table that had been given up, and that no lookup is in any more, is among the others again. */
static struct page *unpark(struct p2m *p)
{
	struct page *pg = list_first(&p->parked, struct page, list);

	list_move_tail(&pg->list, &p->tables);
	p->nr_parked--;
	return pg;
}

static struct page *table_alloc(struct p2m *p)
{
	struct page *pg;

	if (!list_empty(&p->parked) && grace_over(p->parked_since)) {
		pg = unpark(p);
		memset(page_to_virt(pg), 0, PAGE_SIZE);
		return pg;
	}
	if (!p2m_may_have(p, p->nr_tables + 1))
		return NULL;
	pg = alloc_pages(0);
	if (!pg)
		return NULL;
	list_add_tail(&pg->list, &p->tables);
	p->nr_tables++;
	return pg;
}

static void all_changed(struct p2m *p)
{
	p2m_changed(p, _gfn(0), level_order(LEVELS + 1));
}

int p2m_init(struct domain *d)
{
	struct p2m *p = &d->p2m;

	if (paging_domain_init(d))
		return -ENOMEM;
	p->domain = d;
	p->fmt = d->paging->p2m_format ? d->paging->p2m_format : hvm_ops->p2m_format;
	p->max_tables = P2M_TABLES_MIN;
	p->recombined = ~0ULL;
	spin_lock_init(&p->lock, LOCK_P2M, "p2m");
	list_init(&p->tables);
	list_init(&p->parked);
	p->root = table_alloc(p);
	all_changed(p);
	return p->root ? 0 : -ENOMEM;
}

static inline uint64_t *table_virt(uint64_t entry)
{
	return maddr_to_virt(_maddr(entry & 0x000ffffffffff000ULL));
}

/*
 * The leaf or hole that covers gfn, its level, and the entry as it was read: without the lock, the slot may lead to
 * a table by now. NULL: beyond the tree.
 */
static uint64_t *find(const struct p2m *p, gfn_t gfn, unsigned int *level, uint64_t *entry)
{
	struct page *root = published(p->root);
	uint64_t *slot;

	if (unlikely(!root || gfn.v >> (9 * LEVELS)))
		return NULL;
	slot = (uint64_t *)page_to_virt(root) + index_at(gfn, LEVELS);
	for (*level = LEVELS; p2m_pte_is_table(*entry = published(*slot), *level);) {
		(*level)--;
		slot = table_virt(*entry) + index_at(gfn, *level);
	}
	return slot;
}

struct p2m_entry p2m_lookup(const struct p2m *p, gfn_t gfn)
{
	struct p2m_entry e = { .mfn = INVALID_MFN, .order = 9 * LEVELS };
	unsigned int level;
	uint64_t entry;

	if (unlikely(!find(p, gfn, &level, &entry)))
		return e;
	p2m_pte_parse(entry, &e);
	e.order = level_order(level);
	if (mfn_valid_value(e.mfn))
		e.mfn.v += gfn.v & (BIT(e.order) - 1);
	return e;
}

static inline enum p2m_type type_of(uint64_t entry)
{
	return (enum p2m_type)(entry >> P2M_PTE_TYPE_SHIFT & 0x1f);
}

static inline bool is_hole(uint64_t entry)
{
	return type_of(entry) == P2M_INVALID;
}

bool p2m_all_holes(struct domain *d, const struct frames *f)
{
	uint64_t entry, g = f->first;
	unsigned int level;

	while (g < frames_end(f)) {
		uint64_t *slot = find(&d->p2m, _gfn(g), &level, &entry);

		if (!slot || !is_hole(entry))
			return false;
		g = p2m_behind(g, level_order(level));
		/* The rest of a table of small pages, without a walk for each. */
		while (level == 1 && g < frames_end(f) && index_at(_gfn(g), 1)) {
			if (!is_hole(published(*++slot)))
				return false;
			g++;
		}
	}
	return true;
}

static inline bool is_logdirty(uint64_t entry)
{
	return type_of(entry) == P2M_RAM_LOGDIRTY;
}

/* The entries of a table of small pages from gfn on, at most *nr, which becomes how many there are; 0: no such table. */
static uint64_t *small_slots(const struct p2m *p, gfn_t gfn, uint64_t *nr)
{
	unsigned int level = LEVELS;
	uint64_t entry, *slot = find(p, gfn, &level, &entry);

	*nr = slot && level == 1 ? min(*nr, (uint64_t)(ENTRIES - index_at(gfn, 1))) : 0;
	return slot;
}

uint64_t p2m_take_dirty_small(struct p2m *p, gfn_t gfn, uint64_t *nr)
{
	uint64_t *slot, written = 0;

	*nr = min(*nr, (uint64_t)64);
	slot = small_slots(p, gfn, nr);
	for (uint64_t i = 0; i < *nr; i++) {
		if (!(slot[i] & p->fmt->dirty) || !is_logdirty(slot[i]))
			continue;
		__atomic_fetch_and(&slot[i], ~p->fmt->dirty, __ATOMIC_SEQ_CST);
		written |= BIT(i);
	}
	return written;
}

bool p2m_take_dirty(struct p2m *p, gfn_t gfn, unsigned int *order)
{
	unsigned int level = LEVELS;
	uint64_t entry, *slot = find(p, gfn, &level, &entry);

	*order = level_order(slot ? level : LEVELS + 1);
	if (!slot || !(entry & p->fmt->dirty) || !is_logdirty(entry))
		return false;
	__atomic_fetch_and(slot, ~p->fmt->dirty, __ATOMIC_SEQ_CST);
	return true;
}

/* Puts another leaf into a slot; what hardware has noted in the old one is not lost. Returns the old one. */
static uint64_t exchange(struct p2m *p, gfn_t gfn, uint64_t *slot, uint64_t leaf,
			 unsigned int level)
{
	uint64_t old = *slot;

	if (likely(!is_logdirty(old) || p2m_pte_is_table(old, level))) {
		publish(*slot, leaf);
		return old;
	}
	old = __atomic_exchange_n(slot, leaf, __ATOMIC_SEQ_CST);
	if (old & p->fmt->dirty)
		logdirty_mark(p->domain, gfn, level_order(level));
	return old;
}

/* Two leaves differ in rights, or in what is logged, only. */
static bool is_same_ram(uint64_t a, uint64_t b)
{
	return p2m_is_ram(type_of(a)) && p2m_is_ram(type_of(b)) && !((a ^ b) & P2M_PTE_ADDR);
}

/* The one place where what a frame means changes. Whoever looks it up from here on finds the new entry. */
static uint64_t replace(struct p2m *p, gfn_t gfn, uint64_t *slot, uint64_t leaf, unsigned int level)
{
	const struct paging_mode *m = p->domain->paging;
	uint64_t old = exchange(p, gfn, slot, leaf, level);

	if (unlikely(m->p2m_changed)) {
		p2m_changed(p, gfn, level_order(level));
		m->p2m_changed(p->domain, gfn, level_order(level), is_same_ram(old, leaf));
	}
	return old;
}

/*
 * A leaf that covers gfn becomes a table of smaller ones with the same meaning. Hardware may note a write in it
 * until it is gone, so all of the smaller ones are taken for written.
 */
static int split(struct p2m *p, uint64_t *slot, gfn_t gfn, unsigned int level)
{
	uint64_t old = *slot;
	struct p2m_entry e;
	struct page *pg = table_alloc(p);
	uint64_t *table, leaf = 0, dirty, step = BIT(level_order(level - 1));
	gfn_t first = _gfn(gfn.v & ~(BIT(level_order(level)) - 1));

	if (!pg)
		return -ENOMEM;
	table = page_to_virt(pg);
	if (old) {
		p2m_pte_parse(old, &e);
		dirty = e.type == P2M_RAM_LOGDIRTY ? p->fmt->dirty : 0;
		if (!mfn_valid_value(e.mfn))
			step = 0;
		for (unsigned int i = 0; i < ENTRIES; i++) {
			/* Of device memory every page has a type of its own. */
			if (!i || e.type == P2M_MMIO_DIRECT)
				leaf = p->fmt->make_leaf(p->domain, &e, first, level - 1) | dirty;
			table[i] = leaf;
			leaf += step << PAGE_SHIFT;
			e.mfn.v += step;
			first = gfn_add(first, BIT(level_order(level - 1)));
		}
	}
	publish(*slot, p->fmt->make_table(mfn_to_maddr(page_to_mfn(pg))));
	p2m_changed(p, gfn, level_order(level));
	return 0;
}

/* The slot at `level` for gfn, with everything above it split into tables. NULL = out of memory. */
static uint64_t *walk_to(struct p2m *p, gfn_t gfn, unsigned int level)
{
	uint64_t *table;

	if (!p->root)
		return NULL;
	table = page_to_virt(p->root);
	for (unsigned int l = LEVELS; l > level; l--) {
		uint64_t *slot = &table[index_at(gfn, l)];

		if (!p2m_pte_is_table(*slot, l) && split(p, slot, gfn, l))
			return NULL;
		table = table_virt(*slot);
	}
	return &table[index_at(gfn, level)];
}

/* Entries of these types keep the page alive by themselves. */
static bool holds_ref(const struct p2m_entry *e)
{
	return (e->type == P2M_FOREIGN || p2m_is_grant(e->type)) && mfn_valid(e->mfn);
}

/* The page, and its owner, whose record the last reference of a page is taken off. False: it is dying. */
static bool entry_get_refs(const struct p2m_entry *e)
{
	struct page *pg = mfn_to_page(e->mfn);

	if (!page_get(pg, NULL))
		return false;
	if (domain_get(pg->owner))
		return true;
	page_put(pg);
	return false;
}

static void entry_put_refs(uint64_t raw)
{
	struct domain *owner;
	struct p2m_entry e;

	p2m_pte_parse(raw, &e);
	if (!holds_ref(&e))
		return;
	owner = mfn_to_page(e.mfn)->owner;
	page_put(mfn_to_page(e.mfn));
	domain_put(owner);
}

/* Behind a change of 2^order frames from gfn on. */
static void entered(struct p2m *p, gfn_t gfn, const struct p2m_entry *e, unsigned int order)
{
	uint64_t last = gfn.v + BIT(order) - 1;

	p2m_changed(p, gfn, order);
	if (e->type != P2M_INVALID && last > p->max_gfn)
		p->max_gfn = last;
}

/* With p->lock held; *old is what was in the slot. */
static int set_slot(struct p2m *p, gfn_t gfn, uint64_t *slot, const struct p2m_entry *e,
		    unsigned int level, uint64_t *old)
{
	if (holds_ref(e) && !entry_get_refs(e))
		return -ESRCH;
	*old = replace(p, gfn, slot, p->fmt->make_leaf(p->domain, e, gfn, level), level);
	entered(p, gfn, e, level_order(level));
	return 0;
}

static int set_locked(struct p2m *p, gfn_t gfn, const struct p2m_entry *e, unsigned int level,
		      uint64_t *old)
{
	uint64_t *slot = walk_to(p, gfn, level);

	return slot ? set_slot(p, gfn, slot, e, level, old) : -ENOMEM;
}

/* What is entered instead, while writes are logged. */
static struct p2m_entry logged(struct p2m *p, gfn_t gfn, const struct p2m_entry *e,
			       unsigned int order)
{
	struct p2m_entry l = *e;

	if (p->logdirty && e->type == P2M_RAM_RW) {
		l.type = P2M_RAM_LOGDIRTY;
		logdirty_mark(p->domain, gfn, order);
	}
	return l;
}

int p2m_enter_locked(struct p2m *p, gfn_t gfn, const struct p2m_entry *e, unsigned int level,
		     uint64_t *old)
{
	struct p2m_entry l = logged(p, gfn, e, level_order(level));

	return set_locked(p, gfn, &l, level, old);
}

void p2m_allow_pages(struct p2m *p, uint64_t pages)
{
	spin_lock(&p->lock);
	p->max_tables = max(p->max_tables, P2M_TABLES_MIN + pages / P2M_PAGES_PER_TABLE);
	spin_unlock(&p->lock);
}

/*
 * What was replaced is no translation any more, and p2m_changed() has said so. *flush: processors may still have it. With
 * p->lock held.
 */
static void replaced(struct p2m *p, uint64_t old, bool *flush)
{
	struct p2m_entry was;

	/* Holes are in no TLB (APM volume 2, 5.5; SDM volume 3, 28.3.1). */
	if (!(old & P2M_PTE_PRESENT))
		return;
	*flush = true;
	p2m_pte_parse(old, &was);
	if (!holds_ref(&was))
		return;
	p2m_flush(p->domain); /* for all that was replaced so far */
	entry_put_refs(old);
	*flush = false;
}

/* All 512 entries of a table of level 1. */
static void fill_table(struct p2m *p, gfn_t gfn, const struct p2m_entry *e, uint64_t *table,
		       bool *flush)
{
	struct p2m_entry piece = logged(p, gfn, e, level_order(2));
	uint64_t leaf = 0, old;

	for (unsigned int i = 0; i < ENTRIES; i++) {
		/* Of device memory every page has a type of its own. */
		if (!i || e->type == P2M_MMIO_DIRECT)
			leaf = p->fmt->make_leaf(p->domain, &piece, gfn_add(gfn, i), 1);
		old = replace(p, gfn_add(gfn, i), &table[i], leaf, 1);
		p2m_changed(p, gfn_add(gfn, i), 0);
		replaced(p, old, flush);
		if (mfn_valid_value(piece.mfn)) {
			piece.mfn.v++;
			leaf += PAGE_SIZE;
		}
	}
	entered(p, gfn, e, level_order(2));
}

/*
 * Where a table is already, it stays, and its entries get the meaning of the large page: tables are freed
 * only with the domain, so replacing them again and again would use up memory. Needs no new table, so it
 * does not fail half-way. With p->lock held.
 */
static int set_leaf(struct p2m *p, gfn_t gfn, const struct p2m_entry *e, unsigned int level,
		    bool *flush)
{
	uint64_t old, *slot = walk_to(p, gfn, level);
	struct p2m_entry piece = *e;
	uint64_t step;
	int rc;

	if (!slot)
		return -ENOMEM;
	if (!p2m_pte_is_table(*slot, level)) {
		piece = logged(p, gfn, e, level_order(level));
		rc = set_slot(p, gfn, slot, &piece, level, &old);
		if (!rc)
			replaced(p, old, flush);
		return rc;
	}
	if (level == 2) {
		fill_table(p, gfn, e, table_virt(*slot), flush);
		return 0;
	}
	step = BIT(level_order(level - 1));
	for (unsigned int i = 0; i < ENTRIES; i++) {
		rc = set_leaf(p, gfn_add(gfn, i * step), &piece, level - 1, flush);
		if (rc)
			return rc;
		if (mfn_valid_value(piece.mfn))
			piece.mfn = mfn_add(piece.mfn, step);
	}
	return 0;
}

int p2m_set(struct domain *d, gfn_t gfn, mfn_t mfn, unsigned int order, enum p2m_type t,
	    enum p2m_access a)
{
	struct p2m *p = &d->p2m;
	unsigned int level = order / 9 + 1;
	struct p2m_entry e = { .mfn = mfn, .type = t, .access = a };
	bool flush = false;
	int rc;

	if (order % 9 || level > p->fmt->max_leaf_level || gfn.v >> (9 * LEVELS) ||
	    (gfn.v & (BIT(order) - 1)))
		return -EINVAL;
	if (mfn_valid_value(mfn) && (mfn.v & (BIT(order) - 1)))
		return -EINVAL;
	spin_lock(&p->lock);
	rc = set_leaf(p, gfn, &e, level, &flush);
	if (flush)
		p2m_flush(d);
	spin_unlock(&p->lock);
	return rc;
}

int p2m_split_code(struct domain *d, gfn_t gfn)
{
	struct p2m *p = &d->p2m;
	bool done;

	spin_lock(&p->lock);
	done = walk_to(p, gfn, 1);
	if (done)
		p2m_flush(d);
	spin_unlock(&p->lock);
	return done ? 0 : -ENOMEM;
}

/* What turns writable while writes are noted is noted, too; what is logged already leaves the log only by its fault. */
static enum p2m_type noted(const struct p2m *p, enum p2m_type from, enum p2m_type to)
{
	return to == P2M_RAM_RW && from != P2M_RAM_LOGDIRTY && (p->logdirty || p->vram)
		       ? P2M_RAM_LOGDIRTY
		       : to;
}

/* With p->lock held. -EBUSY when the frame is not of type `from`. */
static int change_locked(struct p2m *p, gfn_t gfn, enum p2m_type from, enum p2m_type to)
{
	struct p2m_entry e = p2m_get(p->domain, gfn);
	uint64_t old;

	if (e.type != from)
		return -EBUSY;
	e.type = noted(p, from, to);
	return set_locked(p, gfn, &e, 1, &old);
}

/*
 * The same for nr entries of one table of small pages, of those with a bit in `only` from `bit` on. Leaves of RAM with the
 * same rights differ by their address only.
 */
static bool change_small(struct p2m *p, gfn_t gfn, uint64_t *slot, uint64_t nr, enum p2m_type from,
			 enum p2m_type to, const uint8_t *only, uint64_t bit)
{
	uint64_t leaf = 0, raw, rights, as = ~0ULL;
	bool any = false;
	struct p2m_entry e;

	for (uint64_t i = 0; i < nr; i++) {
		raw = slot[i];
		if ((only && !test_bit((unsigned int)(bit + i), only)) || type_of(raw) != from)
			continue;
		rights = raw >> P2M_PTE_ACCESS_SHIFT & 7;
		if (rights != as) {
			as = rights;
			p2m_pte_parse(raw, &e);
			e.type = noted(p, from, to);
			leaf = p->fmt->make_leaf(p->domain, &e, gfn_add(gfn, i), 1) & ~P2M_PTE_ADDR;
		}
		replace(p, gfn_add(gfn, i), &slot[i], leaf | (raw & P2M_PTE_ADDR), 1);
		any = true;
	}
	if (any)
		p2m_changed(p, gfn, level_order(2));
	return any;
}

int p2m_change_type(struct domain *d, gfn_t gfn, enum p2m_type from, enum p2m_type to)
{
	int rc;

	spin_lock(&d->p2m.lock);
	rc = change_locked(&d->p2m, gfn, from, to);
	if (!rc)
		p2m_flush(d);
	spin_unlock(&d->p2m.lock);
	return rc;
}

/* Takes one frame away, with the lock held; *raw: what has to be given up when translations have gone. */
static int take_locked(struct p2m *p, gfn_t gfn, p2m_may_take may, struct p2m_entry *old,
		       uint64_t *raw)
{
	struct p2m_entry hole = { .mfn = INVALID_MFN, .access = P2M_ACCESS_N };
	int rc;

	*old = p2m_get(p->domain, gfn);
	rc = may ? may(p->domain, gfn, old) : 0;
	if (!rc)
		rc = set_locked(p, gfn, &hole, 1, raw);
	if (rc)
		return rc;
	p2m_pte_parse(*raw, old);
	old->order = ORDER_4K;
	return 0;
}

int p2m_take_list(struct domain *d, const gfn_t *gfn, unsigned int nr, p2m_may_take may,
		  struct p2m_entry *old, unsigned int *taken)
{
	struct p2m *p = &d->p2m;
	uint64_t raw[P2M_PIECE];
	bool present = false;
	unsigned int n;
	int rc = 0;

	BUG_ON(nr > P2M_PIECE);
	spin_lock(&p->lock);
	for (n = 0; n < nr; n++) {
		rc = take_locked(p, gfn[n], may, &old[n], &raw[n]);
		if (rc)
			break;
		present |= raw[n] & P2M_PTE_PRESENT;
	}
	if (present)
		p2m_flush(d);
	for (unsigned int i = 0; i < n; i++)
		entry_put_refs(raw[i]);
	spin_unlock(&p->lock);
	*taken = n;
	return rc;
}

/*
 * One frame becomes a hole; *old says what was there. The claim of a page of d that it held is the caller's now, and
 * only the caller's: pages leave a p2m by other ways, too (pod.c), so nobody drops the claim of one that was merely
 * looked up. 0, -ENOMEM (nothing has changed).
 */
static int p2m_take(struct domain *d, gfn_t gfn, struct p2m_entry *old)
{
	unsigned int taken;

	return gfn.v >> (9 * LEVELS) ? -EINVAL : p2m_take_list(d, &gfn, 1, NULL, old, &taken);
}

int p2m_move(struct domain *d, gfn_t from, gfn_t to)
{
	struct p2m_entry e;
	int rc = p2m_take(d, from, &e);

	if (rc)
		return rc;
	/* What is logged is entered as plain memory, which p2m_set() logs again; other rights go with the page. */
	if (e.type == P2M_RAM_LOGDIRTY)
		e.type = P2M_RAM_RW;
	rc = p2m_set(d, to, e.mfn, ORDER_4K, e.type, e.access);
	if (rc)
		p2m_set(d, from, e.mfn, ORDER_4K, e.type, e.access);
	return rc;
}

int p2m_change_range(struct domain *d, const struct frames *f, enum p2m_type from, enum p2m_type to,
		     const uint8_t *only)
{
	bool any = false;
	int rc = 0;

	BUG_ON(f->nr > P2M_PIECE);
	spin_lock(&d->p2m.lock);
	for (uint64_t i = 0, nr; i < f->nr && rc != -ENOMEM; i += nr) {
		gfn_t gfn = _gfn(f->first + i);
		uint64_t *slot;

		nr = f->nr - i;
		slot = small_slots(&d->p2m, gfn, &nr);
		if (nr) {
			any |= change_small(&d->p2m, gfn, slot, nr, from, to, only, i);
			continue;
		}
		nr = 1;
		if (only && !test_bit((unsigned int)i, only))
			continue;
		rc = change_locked(&d->p2m, gfn, from, to);
		any |= !rc;
	}
	if (any)
		p2m_flush(d);
	spin_unlock(&d->p2m.lock);
	return rc == -ENOMEM ? rc : 0;
}

/* Tables looked at in one go. */
#define RECOMBINE_TABLES 16U

/* *e: the large page that says the same as a whole table of small ones. */
static bool is_one_page(const uint64_t *table, struct p2m_entry *e)
{
	const uint64_t same = P2M_PTE_ADDR | 7ULL << P2M_PTE_ACCESS_SHIFT;
	uint64_t expect = table[0] & same;

	p2m_pte_parse(table[0], e);
	if (e->mfn.v & (ENTRIES - 1))
		return false;
	for (unsigned int i = 0; i < ENTRIES; i++, expect += PAGE_SIZE)
		if ((table[i] & same) != expect ||
		    (type_of(table[i]) != P2M_RAM_RW && type_of(table[i]) != P2M_RAM_LOGDIRTY))
			return false;
	e->type = P2M_RAM_RW;
	return true;
}

/* The slot of level 2 for gfn, if it leads to a table of small pages; else *behind is where to look next. */
static uint64_t *small_table(const struct p2m *p, gfn_t gfn, uint64_t *behind)
{
	uint64_t *table = page_to_virt(p->root);

	for (unsigned int level = LEVELS;; level--) {
		uint64_t *slot = &table[index_at(gfn, level)];

		*behind = p2m_behind(gfn.v, level_order(level));
		if (!p2m_pte_is_table(*slot, level))
			return NULL;
		if (level == 2)
			return slot;
		table = table_virt(*slot);
	}
}

/* Returns where to look next. With p->lock held. */
static uint64_t recombine_at(struct p2m *p, gfn_t gfn, bool *any)
{
	uint64_t behind, *slot = small_table(p, gfn, &behind);
	struct frames f = { behind - ENTRIES, ENTRIES };
	struct p2m_entry e;
	struct page *pg;

	if (!slot || vram_has_some(p->domain, &f) || !is_one_page(table_virt(*slot), &e))
		return behind;
	pg = mfn_to_page(virt_to_mfn(table_virt(*slot)));
	publish(*slot, p->fmt->make_leaf(p->domain, &e, _gfn(f.first), 2));
	p2m_changed(p, gfn, level_order(2));
	list_move_tail(&pg->list, &p->parked);
	p->nr_parked++;
	*any = true;
	return behind;
}

int p2m_recombine(struct domain *d, uint64_t *next)
{
	struct p2m *p = &d->p2m;
	bool any = false;
	int rc;

	if (!p->fmt || p->fmt->max_leaf_level < 2)
		return 0;
	spin_lock(&p->lock);
	for (unsigned int n = 0; p->root && *next <= p->max_gfn && n < RECOMBINE_TABLES; n++)
		*next = recombine_at(p, _gfn(*next), &any);
	if (any) {
		p2m_flush(d);
		p->parked_since = grace_start();
	}
	rc = p->root && *next <= p->max_gfn ? -ERESTART : 0;
	spin_unlock(&p->lock);
	return rc;
}

/* Entries examined between two looks at the clock of a preemptible teardown. */
#define TEARDOWN_TABLES 8

void p2m_hide(struct domain *d)
{
	struct p2m *p = &d->p2m;

	if (!p->fmt)
		return;
	logdirty_disable(d);
	spin_lock(&p->lock);
	publish(p->root, NULL);
	all_changed(p);
	spin_unlock(&p->lock);
}

int p2m_teardown(struct domain *d)
{
	struct p2m *p = &d->p2m;
	unsigned int done = 0;
	bool more;

	if (!p->fmt)
		return 0;
	BUG_ON(p->root);
	if (paging_teardown(d))
		return -ERESTART;
	spin_lock(&p->lock);
	while (!list_empty(&p->parked))
		unpark(p); /* nobody looks anything up any more */
	/* Tables come newest last; the root is first and goes last. */
	while (!list_empty(&p->tables) && done++ < TEARDOWN_TABLES) {
		struct page *pg = list_entry(p->tables.prev, struct page, list);
		uint64_t *table = page_to_virt(pg);

		for (unsigned int i = 0; i < ENTRIES; i++)
			if (table[i])
				entry_put_refs(table[i]);
		list_del(&pg->list);
		p->nr_tables--;
		free_pages(pg, 0);
	}
	more = !list_empty(&p->tables);
	spin_unlock(&p->lock);
	return more ? -ERESTART : 0;
}
