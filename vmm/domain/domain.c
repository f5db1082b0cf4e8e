/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Domains: the list of them, and pages that they lend. Creation and end are in vmm/life, stopping and crashing in
 * shutdown.c, references in vmm/mm/owner.c, pausing in vmm/sched/pause.c.
 *
 * A domain is on the list from the end of domain_create() until its last reference goes; its id is taken
 * before it is built, and free again when its memory is.
 */
#include "internal.h"

struct domain *dom0;

static spinlock_t domlist_lock = SPINLOCK_INIT(LOCK_DOMLIST, "domlist");
static struct list_head domlist =
	LIST_HEAD_INIT(domlist);	       /* complete domains, sorted by domid; lock */
static uint32_t domids[(DOMID_MAX + 32) / 32]; /* a bit for each id in use; lock */

static struct domain *domlist_find(domid_t id)
{
	struct domain *d;

	list_for_each(d, &domlist, list)
		if (d->domid == id)
			return d;
	return NULL;
}

struct domain *domain_get_by_id(domid_t id)
{
	struct domain *d;

	spin_lock(&domlist_lock);
	d = domlist_find(id);
	if (d && !domain_get(d))
		d = NULL;
	spin_unlock(&domlist_lock);
	return d;
}

struct domain *domain_get_for_op(domid_t id)
{
	struct domain *cur = current_domain();

	if (id == DOMID_SELF || id == cur->domid)
		return domain_get(cur) ? cur : NULL;
	return domain_get_by_id(id);
}

int domain_for_each(int (*fn)(struct domain *d, void *arg), void *arg)
{
	struct domain *d;
	int rc = 0;

	spin_lock(&domlist_lock);
	list_for_each(d, &domlist, list) {
		rc = fn(d, arg);
		if (rc)
			break;
	}
	spin_unlock(&domlist_lock);
	return rc;
}

struct next_arg {
	uint32_t id;
	struct domain *found;
};

static int find_next(struct domain *d, void *arg)
{
	struct next_arg *n = arg;

	if (d->domid < n->id || !domain_get(d))
		return 0;
	n->found = d;
	return 1;
}

struct domain *domain_get_next(uint32_t id)
{
	struct next_arg n = { id, NULL };

	domain_for_each(find_next, &n);
	return n.found;
}

static bool domid_take(domid_t id)
{
	return !test_and_set_bit(id, domids);
}

int domid_reserve(domid_t id, domid_t *out)
{
	static domid_t last = DOMID_FIRST - 1;
	unsigned int tries = DOMID_MAX;
	bool any = id == DOMID_INVALID || id > DOMID_MAX, found = false;

	spin_lock(&domlist_lock);
	if (!any)
		found = domid_take(id);
	for (; any && !found && tries--; id = last) {
		last = last >= DOMID_MAX ? (domid_t)DOMID_FIRST : (domid_t)(last + 1);
		found = domid_take(last);
	}
	spin_unlock(&domlist_lock);
	*out = id;
	return found ? 0 : any ? -ENOSPC : -EEXIST;
}

void domid_release(domid_t id)
{
	spin_lock(&domlist_lock);
	clear_bit(id, domids);
	spin_unlock(&domlist_lock);
}

void domlist_insert(struct domain *d)
{
	struct domain *pos;

	spin_lock(&domlist_lock);
	list_for_each(pos, &domlist, list)
		if (pos->domid > d->domid)
			break;
	list_add_tail(&d->list, &pos->list);
	spin_unlock(&domlist_lock);
}

void domlist_remove(struct domain *d)
{
	spin_lock(&domlist_lock);
	list_del(&d->list);
	spin_unlock(&domlist_lock);
}

struct page *domain_lent_page_alloc(struct domain *d)
{
	struct page *p = alloc_pages(0);

	if (p) {
		list_init(&p->list);
		p->owner = d;
		p->allocated = 0;
		WRITE_ONCE(p->state, PAGE_DOMAIN);
		__atomic_store_n(&p->refs, 1, __ATOMIC_RELEASE);
	}
	return p;
}

void domain_lent_page_free(struct page *p)
{
	BUG_ON(__atomic_load_n(&p->refs, __ATOMIC_ACQUIRE) != 1);
	p->owner = NULL;
	WRITE_ONCE(p->state, PAGE_VMM);
	free_pages(p, 0);
}

void domain_lent_page_put(struct page *p)
{
	struct domain *d = p->owner;

	/* The allocator uncounts every page of a domain that it frees. */
	domain_count_pages(d, 1);
	page_put(p);
}
