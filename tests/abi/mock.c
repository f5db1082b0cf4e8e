/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The surroundings of the code under test. Guest pages live in one array that DIRECTMAP addresses cannot
 * reach on the host, so page_to_virt()'s arithmetic is satisfied by a page table placed to match.
 */
#include "abi_test.h"
#include "abi.h"
#include "event.h"
#include "hvm_ops.h"
#include "vmm/domain/internal.h"
#include "vlapic.h"

struct page *page_table;
uint64_t max_mfn;
struct domain *dom0;
struct domain idle_domain;
unsigned int nr_cpus = 1;
struct cpu *cpus[MAX_CPUS];
unsigned int mock_wakes;

/* Lent pages follow those that have a gfn. */
#define LENT_PAGES 4U
static struct page pages[MOCK_PAGES + LENT_PAGES];
static bool lent[LENT_PAGES];
static uint8_t *mem;

void *xzalloc_bytes(size_t n)
{
	return unit_alloc(n);
}

void xfree(void *p)
{
	unit_free(p);
}

/* page_to_virt(p) = DIRECTMAP_VIRT + (p - page_table) * 4096: choose page_table so that it hits mem. */
static void mock_init(void)
{
	if (mem)
		return;

	mem = xzalloc_bytes((MOCK_PAGES + LENT_PAGES + 1) * PAGE_SIZE);
	mem = (uint8_t *)ROUND_UP((uint64_t)mem, PAGE_SIZE);
	page_table =
		(struct page *)((uint64_t)pages - (((uint64_t)mem - DIRECTMAP_VIRT) >> PAGE_SHIFT) *
							  sizeof(struct page));
}

void *mock_page(uint64_t gfn)
{
	return mem + gfn * PAGE_SIZE;
}

struct page *mock_page_struct(uint64_t gfn)
{
	return &pages[gfn];
}

unsigned int mock_refs(uint64_t gfn)
{
	return pages[gfn].refs;
}

void mock_set_owner(uint64_t gfn, struct domain *d)
{
	pages[gfn].owner = d;
}

void mock_own_all(struct domain *d)
{
	for (unsigned int i = 0; i < MOCK_PAGES; i++) {
		pages[i].owner = d;
		pages[i].refs = 1;
	}
}

struct page *domain_lent_page_alloc(struct domain *d)
{
	for (unsigned int i = 0; i < LENT_PAGES; i++) {
		if (lent[i])
			continue;
		lent[i] = true;
		pages[MOCK_PAGES + i].owner = d;
		memset(mock_page(MOCK_PAGES + i), 0, PAGE_SIZE);
		return &pages[MOCK_PAGES + i];
	}
	return NULL;
}

void domain_lent_page_free(struct page *p)
{
	lent[p - &pages[MOCK_PAGES]] = false;
}

int domain_for_each(int (*fn)(struct domain *d, void *arg), void *arg)
{
	(void)fn;
	(void)arg;
	return 0;
}

struct page *p2m_get_page(struct domain *d, gfn_t gfn, bool write, enum p2m_type *t)
{
	(void)d;
	(void)write;
	(void)t;
	if (gfn.v >= MOCK_PAGES)
		return NULL;
	pages[gfn.v].refs++;
	return &pages[gfn.v];
}

struct page *p2m_hold_page(struct domain *d, gfn_t gfn, bool write, enum p2m_type *t)
{
	return p2m_get_page(d, gfn, write, t);
}

bool pod_may_come(struct domain *d, gfn_t gfn)
{
	(void)d;
	(void)gfn;
	return false;
}

struct page *p2m_get_own_page(struct domain *d, gfn_t gfn)
{
	return p2m_get_page(d, gfn, true, NULL);
}

void page_put(struct page *p)
{
	p->refs--;
}
void spin_lock_init(spinlock_t *l, enum lock_level level, const char *name)
{
	(void)l;
	(void)level;
	(void)name;
}
void spin_lock(spinlock_t *l)
{
	BUG_ON(l->next);
	l->next = 1;
}
void spin_unlock(spinlock_t *l)
{
	BUG_ON(!l->next);
	l->next = 0;
}
bool domain_get(struct domain *d)
{
	d->refs++;
	return true;
}
void domain_put(struct domain *d)
{
	d->refs--;
}
struct domain *domain_get_for_op(domid_t id)
{
	(void)id;
	return NULL;
}
void vcpu_wake(struct vcpu *v, uint32_t a)
{
	(void)v;
	(void)a;
	mock_wakes++;
}
void logdirty_wrote(struct domain *d, gfn_t gfn)
{
	(void)d;
	(void)gfn;
}
int p2m_move(struct domain *d, gfn_t from, gfn_t to)
{
	(void)d;
	(void)from;
	(void)to;
	return -ENOSYS;
}
void paging_give_up(struct domain *d, gfn_t gfn)
{
	(void)d;
	(void)gfn;
}
const struct guest_ops *guest_ops; /* no vCPU has an upcall vector */
bool hypercall_preempt(void)
{
	return false;
}
void timer_init(struct timer *t, void (*fn)(void *), void *data, unsigned int cpu)
{
	(void)data;
	(void)cpu;
	t->fn = fn;
}
void timer_set(struct timer *t, uint64_t ns)
{
	(void)t;
	(void)ns;
}

struct domain *mock_domain(domid_t id, unsigned int vcpus, unsigned int max_port)
{
	struct domain *d = xzalloc(struct domain);

	mock_init();
	d->domid = id;
	d->refs = 1;
	d->max_vcpus = vcpus;
	d->shared_info_64 = true;
	d->shared_info = xzalloc_bytes(PAGE_SIZE);
	d->vcpu = xzalloc_array(struct vcpu *, vcpus);
	for (unsigned int i = 0; i < vcpus; i++) {
		d->vcpu[i] = xzalloc(struct vcpu);
		d->vcpu[i]->id = i;
		d->vcpu[i]->domain = d;
		d->vcpu[i]->info = &d->shared_info->vcpu_info[i];
	}
	BUG_ON(evtchn_init(d, max_port));
	return d;
}

void mock_domain_free(struct domain *d)
{
	evtchn_destroy(d);
	evtchn_fini(d);
	for (unsigned int i = 0; i < d->max_vcpus; i++)
		xfree(d->vcpu[i]);
	xfree(d->vcpu);
	xfree(d->shared_info);
	xfree(d);
}
