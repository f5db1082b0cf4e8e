/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entering existing pages into a domain's physical map and taking them out: shared info, grant frames,
 * pages of its own at another place, pages of others (dom0 only). Every change of what a gfn holds is
 * made under d->lock, so that a page which is given back is in no second place.
 */
#include "handlers.h"
#include "dom0.h"
#include "hvm_ops.h"
#include "refuse.h"
#include <xen/memory.h>

#define RANGE_BATCH 8U

bool physmap_is_own_ram(const struct domain *d, const struct p2m_entry *e)
{
	const struct page *p;

	if (!p2m_is_ram(e->type))
		return false;
	p = mfn_to_page(e->mfn);
	return d->is_dom0 ? dom0_owns_mfn(e->mfn) : p->owner == d && p->allocated;
}

/* d->lock held. Frames from the first on that may be taken away, at most `max`; *rc: why the next one may not. */
static uint64_t removable(struct domain *d, gfn_t gfn, uint64_t max, int *rc)
{
	uint64_t n;

	*rc = 0;
	for (n = 0; n < max && !*rc; n++) {
		struct p2m_entry e = p2m_get(d, gfn_add(gfn, n));

		if (e.type == P2M_INVALID)
			*rc = -EINVAL;
		else if (e.type == P2M_MMIO_DIRECT ||
			 (d->is_dom0 && physmap_is_own_ram(d, &e) && e.mfn.v != gfn.v + n))
			*rc = -EPERM;
	}
	return *rc ? n - 1 : n;
}

/* What has left the map of d; its own lock is not needed. */
static void give_back(struct domain *d, const struct p2m_entry *e)
{
	if (!physmap_is_own_ram(d, e))
		return;
	if (!d->is_dom0) {
		page_drop_claim(mfn_to_page(e->mfn));
		return;
	}
	spin_lock(&d->page_lock);
	d->tot_pages--; /* unmapped, but kept: dom0's pages stay its own */
	spin_unlock(&d->page_lock);
}

/* d->lock held. */
static int remove_locked(struct domain *d, const struct frames *f)
{
	struct p2m_entry old[P2M_PIECE];
	struct frames part = *f;
	int rc, err;

	part.nr = removable(d, _gfn(f->first), f->nr, &rc);
	if (!part.nr)
		return rc;
	err = p2m_take_range(d, &part, old);
	for (uint64_t i = 0; !err && i < part.nr; i++)
		give_back(d, &old[i]);
	return err ? err : rc;
}

static int remove_one(struct domain *d, gfn_t gfn)
{
	struct frames one = { gfn.v, 1 };

	return remove_locked(d, &one);
}

int physmap_remove(struct domain *d, const struct frames *f)
{
	int rc;

	spin_lock(&d->lock);
	rc = remove_locked(d, f);
	spin_unlock(&d->lock);
	return rc;
}

/* Make room at gfn. MMIO of dom0 is never replaced. */
static int clear_target(struct domain *d, gfn_t gfn)
{
	if (p2m_get(d, gfn).type == P2M_INVALID)
		return 0;
	return remove_one(d, gfn);
}

int physmap_add_lent(struct domain *d, gfn_t gfn, mfn_t mfn)
{
	int rc;

	spin_lock(&d->lock);
	rc = clear_target(d, gfn);
	if (!rc)
		rc = p2m_set(d, gfn, mfn, 0, P2M_RAM_RW, P2M_ACCESS_RWX);
	spin_unlock(&d->lock);
	return rc;
}

/* If gfn still holds the lent page mfn, leave a hole. */
static void remove_lent(struct domain *d, uint64_t gfn, mfn_t mfn)
{
	struct p2m_entry e;

	if (gfn == ~0ULL)
		return;
	spin_lock(&d->lock);
	e = p2m_get(d, _gfn(gfn));
	if (p2m_is_ram(e.type) && mfn_eq(e.mfn, mfn))
		p2m_set(d, _gfn(gfn), INVALID_MFN, 0, P2M_INVALID, P2M_ACCESS_N);
	spin_unlock(&d->lock);
}

int physmap_add_foreign(struct domain *d, gfn_t gfn, struct domain *fd, mfn_t mfn)
{
	struct page *p = mfn_to_page(mfn);
	struct p2m_entry e;
	int rc = -EINVAL;

	if (!page_get(p, fd))
		return -EINVAL;
	spin_lock(&d->lock);
	e = p2m_get(d, gfn);
	if (d->is_dom0)
		rc = e.type == P2M_FOREIGN ? 0 : dom0_check_map_target(gfn);
	else if (e.type == P2M_INVALID || e.type == P2M_FOREIGN)
		rc = 0;
	if (!rc)
		rc = p2m_set(d, gfn, mfn, 0, P2M_FOREIGN, P2M_ACCESS_RW);
	spin_unlock(&d->lock);
	page_put(p);
	return rc;
}

/* --- the spaces -------------------------------------------------------------------------------- */

static int add_shared_info(struct domain *d, uint64_t gfn)
{
	struct domain_priv *p = domain_priv(d);
	mfn_t mfn = page_to_mfn(d->shared_info_page);
	int rc;

	if (p->shared_info_gfn == gfn && mfn_eq(p2m_get(d, _gfn(gfn)).mfn, mfn))
		return 0;
	remove_lent(d, p->shared_info_gfn, mfn);
	rc = physmap_add_lent(d, _gfn(gfn), mfn);
	p->shared_info_gfn = rc ? ~0ULL : gfn;
	hvm_latch_shinfo_size(d);
	return rc;
}

int physmap_replace_shared_info(struct domain *d)
{
	struct domain_priv *p = domain_priv(d);
	struct page *new;
	struct p2m_entry e;
	int rc = -EINVAL;

	if (p->shared_info_gfn == ~0ULL)
		return 0;
	new = alloc_domain_pages(d, 0);
	if (!new)
		return -ENOMEM;
	spin_lock(&d->lock);
	e = p2m_get(d, _gfn(p->shared_info_gfn));
	if (p2m_is_ram(e.type) && mfn_eq(e.mfn, page_to_mfn(d->shared_info_page)))
		rc = p2m_set(d, _gfn(p->shared_info_gfn), page_to_mfn(new), 0, P2M_RAM_RW,
			     P2M_ACCESS_RWX);
	if (rc != -ENOMEM)
		p->shared_info_gfn = ~0ULL;
	spin_unlock(&d->lock);
	if (rc)
		page_drop_claim(new); /* the guest has put something else there */
	return rc == -ENOMEM ? rc : 0;
}

static int add_grant_frame(struct domain *d, uint64_t idx, uint64_t gfn)
{
	mfn_t mfn;
	int rc;

	if (idx >> 31)
		return -EINVAL; /* status frames are version 2's */
	rc = grant_frame_mfn(d, (unsigned int)idx, &mfn);
	if (rc)
		return rc;
	remove_lent(d, grant_frame_gfn(d, (unsigned int)idx), mfn);
	rc = physmap_add_lent(d, _gfn(gfn), mfn);
	grant_frame_mapped(d, (unsigned int)idx, rc ? ~0ULL : gfn);
	return rc;
}

/* Move a page of the domain to another place of its map. */
static int move_own(struct domain *d, uint64_t from, uint64_t to)
{
	struct p2m_entry e;
	int rc = 0;

	if (d->is_dom0)
		return -EOPNOTSUPP; /* it is mapped 1:1 */
	if (from == to)
		return 0;
	spin_lock(&d->lock);
	e = p2m_get(d, _gfn(from));
	if (e.type != P2M_POD && (!p2m_is_ram(e.type) || mfn_to_page(e.mfn)->owner != d))
		rc = -EINVAL;
	if (!rc)
		rc = clear_target(d, _gfn(to));
	if (!rc)
		rc = p2m_move(d, _gfn(from), _gfn(to));
	spin_unlock(&d->lock);
	return rc;
}

static int add_foreign(struct domain *d, domid_t foreign, uint64_t idx, uint64_t gfn)
{
	struct domain *fd;
	struct page *p;
	int rc = -EINVAL;

	if (!abi_privileged())
		return -EPERM;
	fd = domain_get_for_op(foreign);
	if (!fd)
		return -ESRCH;
	/* Not -ENOENT: Linux takes that for a page that will come back. */
	p = fd == d ? NULL : p2m_hold_page(fd, _gfn(idx), false, NULL);
	if (!p && fd != d && pod_may_come(fd, _gfn(idx)))
		rc = -ERESTART;
	if (p) {
		if (p->owner == fd)
			rc = physmap_add_foreign(d, _gfn(gfn), fd, page_to_mfn(p));
		page_put(p);
	}
	domain_put(fd);
	return rc;
}

static int add_one(struct domain *d, unsigned int space, uint64_t idx, uint64_t gfn,
		   domid_t foreign)
{
	if (gfn >> (host_cpu.phys_bits - PAGE_SHIFT))
		return -EINVAL;
	switch (space) {
	case XENMAPSPACE_shared_info:
		return add_shared_info(d, gfn);
	case XENMAPSPACE_grant_table:
		return add_grant_frame(d, idx, gfn);
	case XENMAPSPACE_gmfn:
	case XENMAPSPACE_gmfn_range:
		return move_own(d, idx, gfn);
	case XENMAPSPACE_gmfn_foreign:
		return add_foreign(d, foreign, idx, gfn);
	default:
		return -ENOSYS;
	}
}

/* --- the calls --------------------------------------------------------------------------------- */

static struct domain *target_domain(domid_t id, long *rc)
{
	struct domain *d = domain_get_for_op(id);

	refusal_about(id);
	*rc = d ? 0 : -ESRCH;
	if (d && !abi_may_control(d)) {
		domain_put(d);
		*rc = -EPERM;
		return NULL;
	}
	return d;
}

struct add_narrow {
	uint16_t domid, size;
	uint32_t space, idx, gpfn;
};

static int add_read(uint64_t la, struct xen_add_to_physmap *x)
{
	struct add_narrow n;

	if (!hypercall_is_compat())
		return copy_from_guest_la(x, la, sizeof(*x));
	if (copy_from_guest_la(&n, la, sizeof(n)))
		return -EFAULT;
	*x = (struct xen_add_to_physmap){
		.domid = n.domid, .size = n.size, .space = n.space, .idx = n.idx, .gpfn = n.gpfn
	};
	return 0;
}

static int add_write(uint64_t la, const struct xen_add_to_physmap *x)
{
	struct add_narrow n = { x->domid, x->size, x->space, (uint32_t)x->idx, (uint32_t)x->gpfn };

	if (!hypercall_is_compat())
		return copy_to_guest_la(la, x, sizeof(*x));
	return copy_to_guest_la(la, &n, sizeof(n));
}

long abi_add_to_physmap(uint64_t la)
{
	struct xen_add_to_physmap x;
	struct domain *d;
	unsigned int n = 0;
	long rc;

	if (add_read(la, &x))
		return -EFAULT;
	if (x.space == XENMAPSPACE_gmfn_foreign)
		return -ENOSYS; /* only by the batch */
	d = target_domain(x.domid, &rc);
	if (!d)
		return rc;
	if (x.space != XENMAPSPACE_gmfn_range) {
		rc = add_one(d, x.space, x.idx, x.gpfn, DOMID_INVALID);
		domain_put(d);
		return rc;
	}
	while (x.size && !rc) {
		if (n++ && !(n % RANGE_BATCH) && hypercall_preempt()) {
			rc = add_write(la, &x) ? -EFAULT : -ERESTART;
			break;
		}
		rc = add_one(d, x.space, x.idx, x.gpfn, DOMID_INVALID);
		x.idx++;
		x.gpfn++;
		x.size--;
	}
	domain_put(d);
	return rc;
}

struct batch_narrow {
	uint16_t domid, space, size, extra;
	uint32_t idxs, gpfns, errs;
};

static int batch_read(uint64_t la, struct xen_add_to_physmap_batch *b)
{
	struct batch_narrow n;

	if (!hypercall_is_compat())
		return copy_from_guest_la(b, la, sizeof(*b));
	if (copy_from_guest_la(&n, la, sizeof(n)))
		return -EFAULT;
	*b = (struct xen_add_to_physmap_batch){
		.domid = n.domid, .space = n.space, .size = n.size, .u.res0 = n.extra
	};
	guest_handle_set(b->idxs, n.idxs);
	guest_handle_set(b->gpfns, n.gpfns);
	guest_handle_set(b->errs, n.errs);
	return 0;
}

/* Entry i of a list of numbers as wide as the caller's. */
static int batch_number(uint64_t list_la, uint64_t i, uint64_t *number)
{
	uint32_t narrow;

	if (!hypercall_is_compat())
		return copy_from_guest_la(number, list_la + i * sizeof(*number), sizeof(*number));
	if (copy_from_guest_la(&narrow, list_la + i * sizeof(narrow), sizeof(narrow)))
		return -EFAULT;
	*number = narrow;
	return 0;
}

long abi_add_to_physmap_batch(struct vcpu *v, uint64_t la, uint64_t start)
{
	struct xen_add_to_physmap_batch b;
	struct domain *d;
	uint64_t i, idx, gfn;
	long rc;
	int err;

	if (batch_read(la, &b))
		return -EFAULT;
	if (start > b.size)
		return -EILSEQ;
	if (b.space != XENMAPSPACE_gmfn_foreign && b.u.res0)
		return -EINVAL;
	d = target_domain(b.domid, &rc);
	if (!d)
		return rc;
	for (i = start; i < b.size && !rc; i++) {
		if (i != start && hypercall_preempt()) {
			rc = memory_op_continue(v, XENMEM_add_to_physmap_batch, i);
			break;
		}
		if (batch_number(guest_handle_la(b.idxs), i, &idx) ||
		    batch_number(guest_handle_la(b.gpfns), i, &gfn)) {
			rc = -EFAULT;
			break;
		}
		err = add_one(d, b.space, idx, gfn, b.u.foreign_domid);
		if (err == -ERESTART) {
			rc = memory_op_continue(v, XENMEM_add_to_physmap_batch, i);
			break;
		}
		if (copy_to_guest_offset(b.errs, i, &err, 1))
			rc = -EFAULT;
	}
	domain_put(d);
	return rc;
}

/* Mappings of others go; RAM is given back (or, dom0, kept unmapped). */
static long remove_mapping(struct domain *d, uint64_t gfn)
{
	struct p2m_entry e;
	long rc;

	spin_lock(&d->lock);
	e = p2m_get(d, _gfn(gfn));
	if (e.type == P2M_FOREIGN || p2m_is_grant(e.type))
		rc = p2m_set(d, _gfn(gfn), INVALID_MFN, 0, P2M_INVALID, P2M_ACCESS_N);
	else
		rc = p2m_is_ram(e.type) ? remove_one(d, _gfn(gfn)) : -ENOENT;
	spin_unlock(&d->lock);
	return rc;
}

long abi_remove_from_physmap(uint64_t la)
{
	struct {
		uint16_t domid;
		uint32_t gpfn;
	} n;
	struct xen_remove_from_physmap r;
	struct domain *d;
	long rc;

	if (hypercall_is_compat()) {
		if (copy_from_guest_la(&n, la, sizeof(n)))
			return -EFAULT;
		r.domid = n.domid;
		r.gpfn = n.gpfn;
	} else if (copy_from_guest_la(&r, la, sizeof(r))) {
		return -EFAULT;
	}
	d = target_domain(r.domid, &rc);
	if (!d)
		return rc;
	rc = remove_mapping(d, r.gpfn);
	domain_put(d);
	return rc;
}
