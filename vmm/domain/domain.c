/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Domains: the list of them, references, creation of domains and vCPUs. The end of a domain is in
 * kill.c, stopping and crashing in shutdown.c, pausing in pause.c.
 *
 * A domain is on the list from the end of domain_create() until its last reference goes; its id is taken
 * before it is built, and free again when its memory is. References are held by the list itself (dropped at
 * the end of domain_kill), by foreign and grant mappings of its pages, and by whoever looked it up.
 */
#include "private.h"
#include "hvm_ops.h"
#include "policy.h"
#include "publish.h"
#include <xen/domctl.h>

struct domain *dom0;
struct domain idle_domain = { .domid = DOMID_IDLE, .is_idle = true, .refs = 1 };

static spinlock_t domlist_lock = SPINLOCK_INIT(LOCK_DOMLIST, "domlist");
static struct list_head domlist =
	LIST_HEAD_INIT(domlist);	       /* complete domains, sorted by domid; lock */
static uint32_t domids[(DOMID_MAX + 32) / 32]; /* a bit for each id in use; lock */

bool domain_get(struct domain *d)
{
	int refs = __atomic_load_n(&d->refs, __ATOMIC_RELAXED);

	while (refs > 0)
		if (__atomic_compare_exchange_n(&d->refs, &refs, refs + 1, false, __ATOMIC_ACQUIRE,
						__ATOMIC_RELAXED))
			return true;
	return false;
}

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

/* A free id (0xffff: any) is the caller's until domid_release(); nobody finds anything under it yet. */
static int domid_reserve(domid_t id, domid_t *out)
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

static void domid_release(domid_t id)
{
	spin_lock(&domlist_lock);
	clear_bit(id, domids);
	spin_unlock(&domlist_lock);
}

/* d is complete: from here on others find it. */
static void domlist_insert(struct domain *d)
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

static void domain_init_fields(struct domain *d, const struct xen_domctl_createdomain *cfg,
			       bool is_dom0)
{
	static uint64_t last_serial;
	struct domain_priv *p = domain_priv(d);

	d->serial = is_dom0 ? 0 : __atomic_add_fetch(&last_serial, 1, __ATOMIC_RELAXED);
	d->refs = 1;
	list_init(&d->list);
	list_init(&d->page_list);
	list_init(&p->relinquished);
	p->shared_info_gfn = ~0ULL;
	p->target_domid = DOMID_INVALID;
	p->msr_relaxed = cfg->arch.misc_flags & XEN_X86_MSR_RELAXED;
	spin_lock_init(&d->lock, LOCK_DOMAIN, "domain");
	spin_lock_init(&d->page_lock, LOCK_HEAP, "domain pages");
	spin_lock_init(&d->event_lock, LOCK_EVENT, "event");
	spin_lock_init(&d->hvm.irq_lock, LOCK_HVM_IRQ, "hvm irq");
	spin_lock_init(&d->hvm.time_lock, LOCK_HVM_TIME, "hvm time");
	memcpy(d->handle, cfg->handle, sizeof(d->handle));
	d->is_dom0 = is_dom0;
	d->is_pvh = is_dom0 || cfg->arch.emulation_flags == XEN_X86_EMU_LAPIC;
	d->create_flags = cfg->flags;
	d->emulation_flags = cfg->arch.emulation_flags;
	d->max_vcpus = cfg->max_vcpus;
	d->max_evtchn_port = cfg->max_evtchn_port;
	d->max_pages = is_dom0 ? ~0ULL : 0;
	d->soft_affinity_nodes = ~0ULL;
	d->shared_info_64 = true;
	d->tsc_khz = tsc_khz;
	d->creation_finished = is_dom0;
	d->shutdown_code = SHUTDOWN_NO_CODE;
	d->pause_count = 1; /* until the first unpause */
	d->tool_pauses = 1;
}

/* Undo what domain_create built, in reverse order, and give the id back; nobody looks at d any more, or did yet. */
void domain_free(struct domain *d)
{
	hvm_domain_fini(d);
	policy_domain_fini(d);
	grant_fini(d);
	evtchn_fini(d);
	time_domain_fini(d);
	if (d->shared_info_page)
		domain_lent_page_free(d->shared_info_page);
	xfree(d->e820);
	xfree(d->vcpu);
	domid_release(d->domid);
	xfree(domain_priv(d));
}

static int domain_build(struct domain *d, const struct xen_domctl_createdomain *cfg)
{
	int rc;

	d->vcpu = xzalloc_array(struct vcpu *, d->max_vcpus);
	d->shared_info_page = domain_lent_page_alloc(d);
	if (!d->vcpu || !d->shared_info_page)
		return -ENOMEM;
	d->shared_info = page_to_virt(d->shared_info_page);
	time_domain_init(d);
	rc = evtchn_init(d, d->max_evtchn_port);
	if (!rc)
		rc = grant_init(
			d, cfg->max_grant_frames < 0 ? 0 : (unsigned int)cfg->max_grant_frames,
			cfg->max_maptrack_frames < 0 ? 0 : (unsigned int)cfg->max_maptrack_frames);
	if (!rc)
		rc = policy_domain_init(d);
	if (!rc)
		rc = p2m_init(d);
	if (!rc)
		rc = hvm_domain_init(d);
	return rc;
}

struct domain *domain_create(domid_t id, const struct xen_domctl_createdomain *cfg, bool is_dom0,
			     int *err)
{
	struct domain_priv *p;
	struct domain *d;
	int rc;

	*err = -EINVAL;
	if (!cfg->max_vcpus || cfg->max_vcpus > MAX_VCPUS)
		return NULL;
	*err = -ENOMEM;
	p = xzalloc(struct domain_priv);
	if (!p)
		return NULL;
	d = &p->d;
	domain_init_fields(d, cfg, is_dom0);
	rc = domid_reserve(is_dom0 ? 0 : id, &d->domid);
	if (rc) {
		xfree(p);
		*err = rc;
		return NULL;
	}
	rc = domain_build(d, cfg);
	if (rc) {
		p2m_hide(d);
		while (p2m_teardown(d) == -ERESTART)
			; /* a few tables */
		domain_free(d);
		*err = rc;
		return NULL;
	}
	domlist_insert(d);
	/* Whoever set the clock while d was built did not find it. */
	spin_lock(&d->lock);
	time_update_wallclock(d);
	spin_unlock(&d->lock);
	if (is_dom0)
		publish(dom0, d);
	*err = 0;
	return d;
}

static int vcpu_build(struct vcpu *v)
{
	int rc = sched_vcpu_init(v);

	if (!rc)
		rc = hvm_vcpu_init(v);
	return rc;
}

void vcpu_free(struct vcpu *v)
{
	hvm_vcpu_fini(v);
	time_vcpu_fini(v);
	sched_vcpu_fini(v);
	xfree(v);
}

int vcpu_create(struct domain *d, unsigned int id)
{
	struct vcpu *v;
	int rc;

	if (id >= d->max_vcpus || READ_ONCE(d->dying))
		return -EINVAL;
	if (d->vcpu[id])
		return -EEXIST;
	v = xzalloc(struct vcpu);
	if (!v)
		return -ENOMEM;
	v->id = id;
	v->domain = d;
	v->pause_flags = VPF_DOWN;
	v->runstate_gpa = v->time_info_gpa = _gpa(~0ULL);
	time_vcpu_init(v);
	evtchn_vcpu_init(v);
	rc = vcpu_build(v);
	if (rc) {
		vcpu_free(v);
		return rc;
	}
	publish(d->vcpu[id], v);
	return 0;
}
