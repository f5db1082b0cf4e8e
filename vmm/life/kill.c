/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end of a domain. domain_kill() does bounded work per call; teardown_step says where to go on.
 * What others may look at without a lock goes in two halves: before TEARDOWN_GRACE it becomes unfindable, behind
 * it its memory is given back. When all is through, the list's reference is dropped; the last reference of all (a
 * foreign mapping in dom0, perhaps much later) hands the rest to a timer, because it may go with locks held
 * (any below LOCK_TIMER). The timer takes the domain off the list, and frees it after another grace period.
 */
#include "abi.h"
#include "vmm/hvm/hvm.h"
#include "hvm_ops.h"
#include "internal.h"
#include "save.h"

#define RELINQUISH_BATCH 32U
#define VCPUS_BATCH	 8U
#define REAP_RETRY_NS	 NS_PER_MS

enum teardown_step {
	TEARDOWN_PAUSE,
	TEARDOWN_DEVICES,
	TEARDOWN_GRANTS,
	TEARDOWN_EVENTS,
	TEARDOWN_HIDE,
	TEARDOWN_GRACE,
	TEARDOWN_P2M,
	TEARDOWN_INFO,
	TEARDOWN_PAGES,
	TEARDOWN_DONE,
};

static spinlock_t reap_lock = SPINLOCK_INIT(LOCK_REAP, "reap");
static struct domain *reap_list;
static void reap(void *data);
static struct timer reap_timer = TIMER_INIT(reap, NULL);

/* Takes the next page off d's list, or NULL; it stays findable on the relinquished list. */
static struct page *next_page(struct domain *d)
{
	struct page *p = NULL;

	spin_lock(&d->page_lock);
	if (!list_empty(&d->page_list)) {
		p = list_first(&d->page_list, struct page, list);
		list_move(&p->list, &domain_priv(d)->relinquished);
	}
	spin_unlock(&d->page_lock);
	return p;
}

static int relinquish_pages(struct domain *d)
{
	struct page *p;
	unsigned int n = 0;

	domain_claim_pages(d, 0);
	if (domain_stock_drop(d))
		return -ERESTART;
	while ((p = next_page(d)) != NULL) {
		page_drop_claim(p);
		if (!(++n % RELINQUISH_BATCH) && hypercall_preempt())
			return -ERESTART;
	}
	return 0;
}

static int hide(struct domain *d)
{
	struct vcpu *v;

	for_each_vcpu(d, v)
		vcpu_info_unregister(v);
	p2m_hide(d);
	domain_priv(d)->grace = grace_start();
	return 0;
}

/* Also ends what began before d was seen to die: pages on their way to its list, for one. */
static int wait_grace(struct domain *d)
{
	return grace_over(domain_priv(d)->grace) ? 0 : -ERESTART;
}

static int release_vcpu_info(struct domain *d)
{
	struct vcpu *v;

	for_each_vcpu(d, v)
		vcpu_info_release(v);
	return 0;
}

static int teardown_pause(struct domain *d)
{
	domain_pause(d);
	hvm_stream_stop(d);
	time_domain_fini(d);
	return 0;
}

static int teardown_devices(struct domain *d)
{
	struct vcpu *v;

	hvm_devices_relinquish(d);
	for_each_vcpu(d, v)
		time_vcpu_fini(v);
	return 0;
}

static int (*const teardown[TEARDOWN_DONE])(struct domain *d) = {
	[TEARDOWN_PAUSE] = teardown_pause,
	[TEARDOWN_DEVICES] = teardown_devices,
	[TEARDOWN_GRANTS] = grant_release_maps,
	[TEARDOWN_EVENTS] = evtchn_destroy,
	[TEARDOWN_HIDE] = hide,
	[TEARDOWN_GRACE] = wait_grace,
	[TEARDOWN_P2M] = p2m_teardown,
	[TEARDOWN_INFO] = release_vcpu_info,
	[TEARDOWN_PAGES] = relinquish_pages,
};

int domain_kill(struct domain *d)
{
	int rc;

	if (d->is_dom0 || d == current_domain())
		return -EINVAL;
	spin_lock(&d->lock);
	rc = d->dying == DOMDYING_DEAD ? -ESRCH : 0;
	if (d->dying == DOMDYING_ALIVE)
		WRITE_ONCE(d->dying, DOMDYING_DYING);
	spin_unlock(&d->lock);
	if (rc)
		return 0;

	/* The caller holds the domctl lock, so only one CPU is here. */
	while (d->teardown_step < TEARDOWN_DONE) {
		rc = teardown[d->teardown_step](d);
		if (rc)
			return rc;
		d->teardown_step++;
		if (hypercall_preempt())
			return -ERESTART;
	}
	WRITE_ONCE(d->dying, DOMDYING_DEAD);
	domain_put(d);
	domain_notify_exc();
	return 0;
}

/*
 * Mappings hold a reference on the domain. Whoever looked a page up in another domain's map holds one on the
 * page only, for the time of a copy.
 */
static bool still_used(struct domain *d)
{
	bool used;

	spin_lock(&d->page_lock);
	used = d->tot_pages || __atomic_load_n(&d->shared_info_page->refs, __ATOMIC_ACQUIRE) != 1;
	spin_unlock(&d->page_lock);
	return used || grant_frames_used(d);
}

/* Nobody looks at them any more. True: there are more. */
static bool free_some_vcpus(struct domain *d)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < d->max_vcpus && n < VCPUS_BATCH; i++) {
		if (!d->vcpu[i])
			continue;
		vcpu_free(d->vcpu[i]);
		d->vcpu[i] = NULL;
		n++;
	}
	return n == VCPUS_BATCH;
}

static void reap_add(struct domain *d)
{
	spin_lock(&reap_lock);
	domain_priv(d)->reap_next = reap_list;
	reap_list = d;
	spin_unlock(&reap_lock);
}

/*
 * One step towards the end of d, which has no references: off the list at first, and gone, in pieces, when nobody
 * looks at it any more. False: not there yet.
 */
static bool reap_one(struct domain *d)
{
	struct domain_priv *p = domain_priv(d);

	if (!p->unlisted) {
		if (still_used(d))
			return false;
		domlist_remove(d);
		p->unlisted = true;
		p->grace = grace_start();
	}
	if (!grace_over(p->grace) || free_some_vcpus(d) || grant_shrink(d))
		return false;
	domain_free(d);
	domain_notify_exc();
	return true;
}

static void reap(void *data)
{
	struct domain *d, *next;
	bool again = false;

	(void)data;
	spin_lock(&reap_lock);
	next = reap_list;
	reap_list = NULL;
	spin_unlock(&reap_lock);
	while ((d = next) != NULL) {
		next = domain_priv(d)->reap_next;
		if (reap_one(d))
			continue;
		reap_add(d);
		again = true;
	}
	if (again)
		timer_set(&reap_timer, now_ns() + REAP_RETRY_NS);
}

void domain_unused(struct domain *d)
{
	reap_add(d);
	timer_set(&reap_timer, 0);
}
