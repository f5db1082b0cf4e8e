// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Populate on demand: a domain that is built for more memory than it gets starts with frames that have no
 * page. One is found for a frame when it is touched, by the guest or by whoever copies to it, out of what the
 * domain may have; the guest's balloon driver gives the rest of the frames back. What the domain has not
 * touched yet stays claimed for it (abi/memory.c).
 *
 * Some guests clear all of their memory before that driver runs. So when the domain has all that it may have,
 * frames whose pages hold nothing but zeros become P2M_POD again, and their pages serve for others.
 */
#include "domain.h"
#include "hvm_ops.h"
#include "p2m_private.h"

/*
 * A step, before the vCPU may take an interrupt, and others the p2m's lock: frames to look at, and words of their
 * pages to read. A page may hold something in its last word only.
 */
#define STEP_FRAMES 256U
#define STEP_WORDS  (16U * PAGE_WORDS)
#define PAGE_WORDS  (PAGE_SIZE / sizeof(uint64_t))
/* Spare pages that there are to be for who cannot wait: no hypercall or instruction needs more at once. */
#define RESERVE 8U

struct candidates {
	unsigned int nr;
	uint64_t words; /* read so far */
	gfn_t gfn[POD_SPARE];
	mfn_t mfn[POD_SPARE];
};

/* Words of zeros that the page begins with. */
static unsigned int zeros(const struct page *p)
{
	const uint64_t *word = page_to_virt(p);
	unsigned int i = 0;

	while (i < PAGE_WORDS && !READ_ONCE(word[i]))
		i++;
	return i;
}

/* The domain's own, and nobody else has it mapped or works on it. */
static bool is_private(const struct domain *d, const struct page *p)
{
	return p->owner == d && p->allocated && __atomic_load_n(&p->refs, __ATOMIC_ACQUIRE) == 1;
}

/* An empty page goes on the list, and its frame is P2M_POD again. p->lock held. */
static void take_if_zero(struct domain *d, gfn_t gfn, const struct p2m_entry *e,
			 struct candidates *c)
{
	struct p2m_entry empty = { .mfn = INVALID_MFN, .type = P2M_POD, .access = P2M_ACCESS_RWX };
	struct page *p = mfn_to_page(e->mfn);
	unsigned int n;
	uint64_t old;

	if (!is_private(d, p))
		return;
	n = zeros(p);
	c->words += n;
	if (n < PAGE_WORDS || p2m_enter_locked(&d->p2m, gfn, &empty, 1, &old))
		return;
	c->gfn[c->nr] = gfn;
	c->mfn[c->nr++] = e->mfn;
}

/* Goes on where the last search ended. p->lock held. */
static void take_zero(struct domain *d, struct candidates *c, uint64_t *searched)
{
	struct pod *pod = &d->p2m.pod;
	uint64_t end = d->p2m.max_gfn + 1;

	for (unsigned int i = 0; i < STEP_FRAMES && c->words < STEP_WORDS; i++) {
		gfn_t gfn = _gfn(pod->cursor);
		struct p2m_entry e = p2m_get(d, gfn);
		uint64_t next = min(p2m_behind(gfn.v, e.order), end);

		if (e.type == P2M_RAM_RW && e.order == ORDER_4K && mfn_valid(e.mfn))
			take_if_zero(d, gfn, &e, c);
		*searched += next - gfn.v;
		pod->cursor = next == end ? 0 : next;
	}
}

/* p->lock held. */
static int put(struct domain *d, gfn_t gfn, mfn_t mfn)
{
	struct p2m_entry e = { .mfn = mfn, .type = P2M_RAM_RW, .access = P2M_ACCESS_RWX };
	uint64_t old;

	return p2m_enter_locked(&d->p2m, gfn, &e, 1, &old);
}

/*
 * Now that no vCPU reaches the pages: those that were not written before, and that nobody has taken a reference on,
 * are spare; the others go back. Whoever takes one later sees that the entry is gone (p2m_get_page). p->lock held.
 */
static void keep_or_return(struct domain *d, const struct candidates *c)
{
	struct pod *pod = &d->p2m.pod;

	for (unsigned int i = 0; i < c->nr; i++) {
		struct page *p = mfn_to_page(c->mfn[i]);

		if (is_private(d, p) && zeros(p) == PAGE_WORDS) {
			pod->spare[pod->nr_spare++] = c->mfn[i];
			pod->searched = pod->searched_ahead = 0;
		} else {
			put(d, c->gfn[i], c->mfn[i]); /* the table is there */
		}
	}
}

/* A step towards spare pages, if there are too few by now. */
static void search(struct domain *d, uint64_t *searched)
{
	struct candidates c = { 0 };

	spin_lock(&d->p2m.lock);
	if (d->p2m.pod.nr_spare < RESERVE)
		take_zero(d, &c, searched);
	if (c.nr) {
		p2m_flush(d);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		keep_or_return(d, &c);
	}
	spin_unlock(&d->p2m.lock);
}

/* 0: the frame has this page; -EBUSY: it is not P2M_POD any more; -ENOMEM. p->lock held. */
static int enter(struct domain *d, gfn_t gfn, mfn_t mfn)
{
	if (p2m_get(d, gfn).type != P2M_POD)
		return -EBUSY;
	/* Whoever needs the next one searches all of the memory anew: the guest may have cleared some. */
	d->p2m.pod.searched = d->p2m.pod.searched_ahead = 0;
	return put(d, gfn, mfn);
}

static int fill_with_new(struct domain *d, gfn_t gfn)
{
	struct page *p = alloc_domain_pages(d, ORDER_4K);
	int rc;

	if (!p)
		return -ENOMEM;
	spin_lock(&d->p2m.lock);
	rc = enter(d, gfn, page_to_mfn(p));
	spin_unlock(&d->p2m.lock);
	if (rc)
		page_drop_claim(p);
	return rc;
}

static int fill_with_spare(struct domain *d, gfn_t gfn)
{
	struct pod *pod = &d->p2m.pod;
	int rc = -ENOMEM;

	spin_lock(&d->p2m.lock);
	if (pod->nr_spare) {
		rc = enter(d, gfn, pod->spare[pod->nr_spare - 1]);
		if (!rc)
			pod->nr_spare--;
	}
	spin_unlock(&d->p2m.lock);
	return rc;
}

static int fill(struct domain *d, gfn_t gfn)
{
	int rc = fill_with_new(d, gfn);

	if (rc == -ENOMEM)
		rc = fill_with_spare(d, gfn);
	return rc == -EBUSY ? 0 : rc;
}

static bool is_through(struct domain *d, const uint64_t *searched)
{
	return READ_ONCE(*searched) > d->p2m.max_gfn;
}

int pod_populate(struct domain *d, gfn_t gfn)
{
	int rc = fill(d, gfn);

	if (rc != -ENOMEM)
		return rc;
	search(d, &d->p2m.pod.searched);
	rc = fill(d, gfn);
	return rc == -ENOMEM && !is_through(d, &d->p2m.pod.searched) ? -ERESTART : rc;
}

bool pod_populate_now(struct domain *d, gfn_t gfn)
{
	return !pod_populate(d, gfn);
}

bool pod_may_come(struct domain *d, gfn_t gfn)
{
	return p2m_get(d, gfn).type == P2M_POD && !READ_ONCE(d->dying) &&
	       !is_through(d, &d->p2m.pod.searched);
}

int pod_reserve(struct domain *d)
{
	if (likely(!READ_ONCE(d->p2m.pod.used)) ||
	    READ_ONCE(d->tot_pages) + RESERVE <= READ_ONCE(d->max_pages) ||
	    READ_ONCE(d->p2m.pod.nr_spare) >= RESERVE || is_through(d, &d->p2m.pod.searched_ahead))
		return 0;
	search(d, &d->p2m.pod.searched_ahead);
	return -ERESTART;
}
