/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Grant tables, version 1 (xen/grant_table.h): the frames that the guest writes its entries to, and
 * the pins that say which entries are in use. The guest may change an entry at any time, so it is read
 * once into a local copy, and its in-use bits are set by compare-and-exchange on flags and domid
 * together. A pinned entry holds a reference on its page: what the guest does to its entry or its p2m
 * afterwards does not matter to who has it mapped.
 */
#include "internal.h"
#include "debug.h"
#include "paging.h"

/* Frames, and buckets, that are given back in one piece. */
#define SHRINK_BATCH 32U

/* The last frames and buckets, at most so many of each. False: there are none left. */
static bool table_shrink(struct grant_table *t, unsigned int max)
{
	for (unsigned int n = 0; t->nr_frames && n < max; n++) {
		domain_lent_page_free(t->frame[--t->nr_frames]);
		xfree(t->active[t->nr_frames]);
	}
	for (unsigned int n = 0; t->nr_buckets && n < max; n++)
		xfree(t->bucket[--t->nr_buckets]);
	return t->nr_frames || t->nr_buckets;
}

static void table_free(struct grant_table *t)
{
	table_shrink(t, ~0U);
	xfree(t->frame);
	xfree(t->active);
	xfree(t->frame_gfn);
	xfree(t->bucket);
	xfree(t);
}

/* Frames that are added in one piece. */
#define GROW_BATCH 8U

/* To nr frames in all, for d, with the lock of a table that others know. 0, -ENOMEM, -EINVAL, -ERESTART. */
static int grow(struct grant_table *t, struct domain *d, unsigned int nr)
{
	if (nr > t->max_frames)
		return -EINVAL;
	for (unsigned int n = 0; t->nr_frames < nr; n++) {
		unsigned int i = t->nr_frames;

		if (n == GROW_BATCH)
			return -ERESTART;
		t->active[i] = xzalloc_array(struct grant_active, GRANTS_PER_FRAME);
		t->frame[i] = t->active[i] ? domain_lent_page_alloc(d) : NULL;
		if (!t->frame[i]) {
			xfree(t->active[i]);
			t->active[i] = NULL;
			return -ENOMEM;
		}
		t->frame_gfn[i] = ~0ULL;
		t->nr_frames++;
	}
	return 0;
}

static int table_init(struct grant_table *t, struct domain *d)
{
	spin_lock_init(&t->lock, LOCK_GRANT, "grant");
	t->free_head = GRANT_HANDLE_NONE;
	t->frame = xzalloc_array(struct page *, t->max_frames);
	t->active = xzalloc_array(struct grant_active *, t->max_frames);
	t->frame_gfn = xzalloc_array(uint64_t, t->max_frames);
	t->bucket = xzalloc_array(struct maptrack *, t->max_buckets);
	if (!t->frame || !t->active || !t->frame_gfn || !t->bucket)
		return -ENOMEM;
	return grow(t, d, 1);
}

int grant_init(struct domain *d, unsigned int max_frames, unsigned int max_maptrack)
{
	struct grant_table *t = xzalloc(struct grant_table);
	int rc;

	if (!t)
		return -ENOMEM;
	t->max_frames = min(max_frames ? max_frames : GRANT_DEFAULT_FRAMES, GRANT_FRAMES_LIMIT);
	t->max_buckets = min(max_maptrack ? max_maptrack : MAPTRACK_DEFAULT, MAPTRACK_LIMIT);
	rc = table_init(t, d);
	if (rc)
		table_free(t);
	else
		publish(d->grant, t);
	return rc;
}

bool grant_frames_used(const struct domain *d)
{
	const struct grant_table *t = d->grant;

	for (unsigned int i = 0; i < t->nr_frames; i++)
		if (__atomic_load_n(&t->frame[i]->refs, __ATOMIC_ACQUIRE) != 1)
			return true;
	return false;
}

bool grant_shrink(struct domain *d)
{
	return table_shrink(d->grant, SHRINK_BATCH);
}

void grant_fini(struct domain *d)
{
	if (d->grant)
		table_free(d->grant);
	d->grant = NULL;
}

int grant_grow(struct domain *d, unsigned int nr)
{
	struct grant_table *t = d->grant;
	int rc;

	spin_lock(&t->lock);
	rc = nr > t->nr_frames ? grow(t, d, nr) : 0;
	spin_unlock(&t->lock);
	return rc;
}

int grant_frame_mfn(struct domain *d, unsigned int idx, mfn_t *mfn)
{
	struct grant_table *t = d->grant;
	int rc = 0;

	spin_lock(&t->lock);
	if (idx >= t->max_frames)
		rc = -EINVAL;
	else if (idx >= t->nr_frames)
		rc = grow(t, d, idx + 1);
	if (!rc)
		*mfn = page_to_mfn(t->frame[idx]);
	spin_unlock(&t->lock);
	return rc;
}

unsigned int grant_max_frames(const struct domain *d)
{
	return d->grant->max_frames;
}

unsigned int grant_nr_frames(const struct domain *d)
{
	return READ_ONCE(d->grant->nr_frames);
}

void grant_frame_mapped(struct domain *d, unsigned int idx, uint64_t gfn)
{
	spin_lock(&d->grant->lock);
	if (idx < d->grant->nr_frames)
		d->grant->frame_gfn[idx] = gfn;
	spin_unlock(&d->grant->lock);
}

uint64_t grant_frame_gfn(struct domain *d, unsigned int idx)
{
	uint64_t gfn = ~0ULL;

	spin_lock(&d->grant->lock);
	if (idx < d->grant->nr_frames)
		gfn = d->grant->frame_gfn[idx];
	spin_unlock(&d->grant->lock);
	return gfn;
}

static grant_entry_v1_t *shared_entry(const struct grant_table *t, grant_ref_t ref)
{
	return (grant_entry_v1_t *)page_to_virt(t->frame[ref / GRANTS_PER_FRAME]) +
	       ref % GRANTS_PER_FRAME;
}

/* Sets the in-use bits of an entry that grants ld what it wants. */
static int set_in_use(grant_entry_v1_t *e, domid_t ld, bool readonly)
{
	uint32_t *word = (uint32_t *)(void *)&e->flags, old = READ_ONCE(*word), new;
	unsigned int tries = 5;

	while (tries--) {
		uint16_t flags = (uint16_t)old;

		if ((flags & GTF_type_mask) != GTF_permit_access || old >> 16 != ld ||
		    (flags & GTF_sub_page))
			return GNTST_general_error;
		if (!readonly && (flags & GTF_readonly))
			return GNTST_general_error;
		new = old | GTF_reading | (readonly ? 0 : GTF_writing);
		if (__atomic_compare_exchange_n(word, &old, new, false, __ATOMIC_SEQ_CST,
						__ATOMIC_RELAXED))
			return GNTST_okay;
	}
	return GNTST_general_error; /* it keeps changing: the guest's own doing */
}

static void clear_in_use(grant_entry_v1_t *e, uint16_t bits)
{
	__atomic_fetch_and(&e->flags, (uint16_t)~bits, __ATOMIC_SEQ_CST);
}

/* First pin of an entry: fix the page. rd's lock held. */
static int first_pin(struct domain *rd, struct grant_active *a, grant_entry_v1_t *e, domid_t ld,
		     bool readonly)
{
	int rc = set_in_use(e, ld, readonly);
	gfn_t gfn;

	if (rc)
		return rc;
	gfn = _gfn(READ_ONCE(e->frame));
	a->page = p2m_hold_page(rd, gfn, !readonly, NULL);
	if (!a->page || a->page->owner != rd) {
		if (a->page)
			page_put(a->page);
		a->page = NULL;
		clear_in_use(e, GTF_reading | GTF_writing);
		return pod_may_come(rd, gfn) ? GNTST_eagain : GNTST_bad_page;
	}
	a->domid = ld;
	a->gfn = gfn;
	rd->grant->nr_pinned++;
	return GNTST_okay;
}

/*
 * First pin for writing of an entry that is in use for reading: what the granter may not write itself, nobody gets
 * to write by it. The page stays what it was. rd's lock held.
 */
static int first_write_pin(struct domain *rd, const struct grant_active *a, grant_entry_v1_t *e,
			   domid_t ld)
{
	struct page *page;
	int rc = set_in_use(e, ld, false);

	if (rc)
		return rc;
	page = p2m_get_page(rd, _gfn(READ_ONCE(e->frame)), true, NULL);
	if (page)
		page_put(page);
	if (page == a->page)
		return GNTST_okay;
	clear_in_use(e, GTF_writing);
	return GNTST_bad_page;
}

int grant_acquire(struct domain *rd, grant_ref_t ref, domid_t ld, bool readonly, struct page **page)
{
	struct grant_table *t = rd->grant;
	struct grant_active *a;
	int rc = GNTST_okay;

	spin_lock(&t->lock);
	if (ref >= t->nr_frames * GRANTS_PER_FRAME) {
		spin_unlock(&t->lock);
		return GNTST_bad_gntref;
	}
	a = &t->active[ref / GRANTS_PER_FRAME][ref % GRANTS_PER_FRAME];
	if (!a->readers && !a->writers)
		rc = first_pin(rd, a, shared_entry(t, ref), ld, readonly);
	else if (a->domid != ld || a->readers > INT16_MAX || a->writers > INT16_MAX)
		rc = GNTST_general_error;
	else if (!readonly && !a->writers)
		rc = first_write_pin(rd, a, shared_entry(t, ref), ld);
	if (!rc) {
		a->readers += readonly;
		a->writers += !readonly;
		*page = a->page;
	}
	spin_unlock(&t->lock);
	return rc;
}

void grant_release(struct domain *rd, grant_ref_t ref, bool readonly)
{
	struct grant_table *t = rd->grant;
	struct page *drop = NULL;
	struct grant_active *a;
	uint16_t bits = 0;
	gfn_t gfn;

	spin_lock(&t->lock);
	a = &t->active[ref / GRANTS_PER_FRAME][ref % GRANTS_PER_FRAME];
	gfn = a->gfn;
	BUG_ON(readonly ? !a->readers : !a->writers);
	a->readers -= readonly;
	a->writers -= !readonly;
	if (!a->writers)
		bits |= GTF_writing;
	if (!a->readers && !a->writers) {
		bits |= GTF_reading;
		drop = a->page;
		a->page = NULL;
		t->nr_pinned--;
	}
	if (bits)
		clear_in_use(shared_entry(t, ref), bits);
	spin_unlock(&t->lock);
	if (!readonly) {
		logdirty_wrote(rd, gfn);
		paging_give_up(rd, gfn);
	}
	if (drop)
		page_put(drop);
}

/* Entries that are looked at for a page that moves: each kernel's first ones, and all that most guests have in use. */
#define MOVE_LOOKS 8192U

/* The entries that pin the page learn its new place. False: there may be more of them. Table lock held. */
static bool tell_pins(struct grant_table *t, const struct page *page, gfn_t to)
{
	unsigned int left = t->nr_pinned, all = t->nr_frames * GRANTS_PER_FRAME;

	for (unsigned int i = 0; left && i < min(all, MOVE_LOOKS); i++) {
		struct grant_active *a = &t->active[i / GRANTS_PER_FRAME][i % GRANTS_PER_FRAME];

		if (!a->page)
			continue;
		left--;
		if (a->page == page)
			a->gfn = to;
	}
	return !left;
}

int grant_move_page(struct domain *d, struct page *page, gfn_t from, gfn_t to)
{
	struct grant_table *t = d->grant;
	int rc = 0;

	spin_lock(&t->lock); /* nobody pins it meanwhile */
	if (page && __atomic_load_n(&page->refs, __ATOMIC_ACQUIRE) > 1 && !tell_pins(t, page, to))
		rc = -EBUSY;
	if (!rc)
		rc = p2m_move(d, from, to);
	if (rc && page)
		tell_pins(t, page, from);
	spin_unlock(&t->lock);
	return rc;
}

/* Entries that are looked at in a piece of the printing. */
#define DUMP_LOOKS 4096U

bool grant_dump(struct domain *d, uint32_t *at)
{
	struct grant_table *t = d->grant;
	unsigned int lines = 0, end;

	spin_lock(&t->lock);
	if (!*at)
		printk("d%u: %u grant frames of %u, %u entries in use, %u mapping slots\n",
		       d->domid, t->nr_frames, t->max_frames, t->nr_pinned,
		       t->nr_buckets * MAPTRACK_BUCKET);
	end = min(*at + DUMP_LOOKS, t->nr_frames * (unsigned int)GRANTS_PER_FRAME);
	for (; *at < end && lines < KEY_LINES; ++*at) {
		const struct grant_active *a =
			&t->active[*at / GRANTS_PER_FRAME][*at % GRANTS_PER_FRAME];

		if (!a->page)
			continue;
		lines++;
		printk("  d%u ref %u: d%u reads %u writes %u mfn %lx\n", d->domid, *at, a->domid,
		       a->readers, a->writers, page_to_mfn(a->page).v);
	}
	end = t->nr_frames * GRANTS_PER_FRAME;
	spin_unlock(&t->lock);
	return *at < end;
}
