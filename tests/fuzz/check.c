/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What must hold between two calls. For every domain: its map holds RAM only that is its own, and pages of others
 * only by the types that hold references; no free page and none of the VMM's; each page has at least the
 * references that are known; the pages counted are the pages there are; claims add up.
 */
#include "machine.h"
#include "vmm/domain/internal.h"
#include "vmm/hvm/ioreq_private.h"
#include "vmm/mm/internal.h"

/* Pages of domains, by domid modulo this: more than ever are at a time. */
#define COUNTERS 4096U

static uint32_t known_refs[RAM_PAGES];
static uint8_t used[RAM_PAGES]; /* as RAM of a frame, or kept for one */
static uint64_t counted[COUNTERS];

static void known(struct page *p)
{
	known_refs[page_to_mfn(p).v]++;
}

/* A page that d lends: it has a reference of its own and is not counted. */
static void lent(struct page *p)
{
	known(p);
	counted[p->owner->domid % COUNTERS]--;
}

static void check_ioreq(struct domain *d)
{
	struct ioreq_state *s = d->hvm.ioreq;

	for (unsigned int i = 0; s && i < IOREQ_MAX_SERVERS; i++) {
		if (s->server[i].page)
			lent(s->server[i].page);
		if (s->server[i].buf_page)
			lent(s->server[i].buf_page);
	}
}

static void use(const struct domain *d, mfn_t mfn)
{
	if (used[mfn.v]++)
		panic("d%u: page %lx serves twice", d->domid, mfn.v);
}

static void check_entry(struct domain *d, uint64_t gfn, const struct p2m_entry *e)
{
	struct page *p;

	if (!p2m_has_page(e->type))
		return;
	if (!mfn_valid(e->mfn))
		panic("d%u: gfn %lx: type %u without a page", d->domid, gfn, e->type);
	p = mfn_to_page(e->mfn);
	if (p->state != PAGE_DOMAIN || !p->refs)
		panic("d%u: gfn %lx: page %lx is in state %u with %u references", d->domid, gfn,
		      e->mfn.v, p->state, p->refs);
	if (p2m_is_ram(e->type)) {
		if (p->owner != d)
			panic("d%u: gfn %lx: RAM page %lx belongs to another domain", d->domid, gfn,
			      e->mfn.v);
		use(d, e->mfn);
		return;
	}
	if (e->type == P2M_FOREIGN && !d->is_dom0)
		panic("d%u: gfn %lx: a foreign page in a guest", d->domid, gfn);
	known(p);
}

static void check_map(struct domain *d)
{
	for (uint64_t gfn = 0; gfn <= d->p2m.max_gfn;) {
		struct p2m_entry e = p2m_get(d, _gfn(gfn));
		uint64_t n = 1ULL << min(e.order, 36U);

		for (uint64_t i = 0; p2m_has_page(e.type) && i < n; i++) {
			check_entry(d, gfn + i, &e);
			e.mfn = mfn_add(e.mfn, 1);
		}
		gfn = (gfn | (n - 1)) + 1;
		if (!gfn)
			break;
	}
}

static void check_grants(struct domain *d)
{
	struct grant_table *t = d->grant;

	for (unsigned int i = 0; i < t->nr_frames; i++) {
		lent(t->frame[i]);
		for (unsigned int k = 0; k < GRANTS_PER_FRAME; k++) {
			const struct grant_active *a = &t->active[i][k];

			if (!a->readers && !a->writers) {
				if (a->page)
					panic("d%u: ref %u is not in use and has a page", d->domid,
					      k);
				continue;
			}
			if (a->page->owner != d)
				panic("d%u: ref %u grants what is not its own", d->domid, k);
			known(a->page);
		}
	}
}

static int check_domain(struct domain *d, void *arg)
{
	uint64_t *claims = arg;
	struct vcpu *v;

	*claims += d->outstanding_pages;
	lent(d->shared_info_page);
	for_each_vcpu(d, v)
		if (v->info_page)
			known(v->info_page);
	check_map(d);
	for (unsigned int i = 0; i < d->p2m.pod.nr_spare; i++)
		use(d, d->p2m.pod.spare[i]);
	check_grants(d);
	check_ioreq(d);
	return 0;
}

/* What is counted, but has not been made ready for it so far (mm/page.c). */
static uint64_t in_stock(const struct domain *d)
{
	const struct domain_stock *s = &d->stock;

	return s->first ? (1UL << s->order) - max(s->ready, s->dropped) : 0;
}

static int compare_count(struct domain *d, void *arg)
{
	(void)arg;
	counted[d->domid % COUNTERS] += in_stock(d);
	if (!d->is_dom0 && counted[d->domid % COUNTERS] != d->tot_pages)
		panic("d%u: %lu pages counted, %lu there", d->domid, d->tot_pages,
		      counted[d->domid % COUNTERS]);
	return 0;
}

static void check_page(uint64_t i)
{
	const struct page *p = &page_table[i];

	if (p->state != PAGE_DOMAIN) {
		if (known_refs[i])
			panic("page %lx: free, but referred to", i);
		return;
	}
	if (p->refs < known_refs[i] + p->allocated)
		panic("page %lx: %u references, %u are known", i, p->refs,
		      known_refs[i] + p->allocated);
	if (i >= DOM0_PAGES)
		counted[p->owner->domid % COUNTERS]++;
}

void check_machine(void)
{
	uint64_t claims = 0;

	memset(known_refs, 0, sizeof(known_refs));
	memset(used, 0, sizeof(used));
	memset(counted, 0, sizeof(counted));
	domain_for_each(check_domain, &claims);
	if (claims != outstanding_claims())
		panic("claims: %lu of all domains, %lu in the allocator", claims,
		      outstanding_claims());
	for (uint64_t i = 0; i < RAM_PAGES; i++)
		check_page(i);
	domain_for_each(compare_count, NULL);
}

static struct domain *victim(void)
{
	struct domain *d = domain_get_by_id(DOMID_VICTIM);

	BUG_ON(!d);
	domain_put(d);
	return d;
}

static uint64_t canary(uint64_t gfn, unsigned int i)
{
	return gfn * 0x9e3779b97f4a7c15ULL + i;
}

void check_remember_victim(void)
{
	for (uint64_t gfn = 0; gfn < GUEST_RAM; gfn++) {
		uint64_t *p = mfn_to_virt(p2m_get(victim(), _gfn(gfn)).mfn);

		for (unsigned int i = 0; i < PAGE_SIZE / 8; i++)
			p[i] = canary(gfn, i);
	}
}

void check_victim(void)
{
	struct domain *d = victim();

	BUG_ON(d->tot_pages != GUEST_RAM || d->refs != 1);
	for (uint64_t gfn = 0; gfn < GUEST_RAM; gfn++) {
		struct p2m_entry e = p2m_get(d, _gfn(gfn));
		const uint64_t *p = mfn_to_virt(e.mfn);

		if (mfn_to_page(e.mfn)->refs != 1)
			panic("the victim's page %lx has %u references", gfn,
			      mfn_to_page(e.mfn)->refs);
		for (unsigned int i = 0; i < PAGE_SIZE / 8; i++)
			if (p[i] != canary(gfn, i))
				panic("the victim's page %lx changed at %x", gfn, i * 8);
	}
}
