/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memory_op on the physical map: existing pages in and out (domain/physmap.c). XENMEM_acquire_resource: dom0 maps pages that
 * belong to another domain but lie nowhere in its physical map, grant frames and ioreq server pages. dom0 is
 * auto-translated, so the frame list is an input: the gfns to map at. A null list asks how many frames there are.
 */
#include "memory.h"
#include "hvm_context.h"

#define RANGE_BATCH 8U

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
		hvm_latch_shinfo_size(d);
		return physmap_add_shared_info(d, gfn);
	case XENMAPSPACE_grant_table:
		return physmap_add_grant_frame(d, idx, gfn);
	case XENMAPSPACE_gmfn:
	case XENMAPSPACE_gmfn_range:
		return physmap_move(d, idx, gfn);
	case XENMAPSPACE_gmfn_foreign:
		return add_foreign(d, foreign, idx, gfn);
	default:
		return -ENOSYS;
	}
}

long op_add_to_physmap(struct call *c)
{
	struct xen_add_to_physmap *x = c->arg;
	unsigned int n = 0;
	long rc;

	if (x->space == XENMAPSPACE_gmfn_foreign)
		return -ENOSYS; /* only by the batch */
	rc = call_about(c, domain_get_for_op(x->domid), x->domid);
	if (rc)
		return rc;
	if (x->space != XENMAPSPACE_gmfn_range)
		return add_one(c->d, x->space, x->idx, x->gpfn, DOMID_INVALID);
	for (; x->size && !rc; x->size--, x->idx++, x->gpfn++) {
		if (n++ && !(n % RANGE_BATCH) && hypercall_preempt())
			return call_write(c, c->a[1], x, sizeof(*x), ADD_TO_PHYSMAP) ? -EFAULT
										     : -ERESTART;
		rc = add_one(c->d, x->space, x->idx, x->gpfn, DOMID_INVALID);
	}
	return rc;
}

/* One entry of the lists; -ERESTART = again, -EFAULT = the lists cannot be read or written. */
static long add_entry(struct call *c, const struct xen_add_to_physmap_batch *b, uint64_t i)
{
	uint64_t idx, gfn;
	int err;

	if (call_read_long(c, guest_handle_la(b->idxs), i, &idx) ||
	    call_read_long(c, guest_handle_la(b->gpfns), i, &gfn))
		return -EFAULT;
	err = add_one(c->d, b->space, idx, gfn, b->u.foreign_domid);
	if (err == -ERESTART)
		return err;
	return copy_to_guest_offset(b->errs, i, &err, 1) ? -EFAULT : 0;
}

long op_add_to_physmap_batch(struct call *c)
{
	const struct xen_add_to_physmap_batch *b = c->arg;
	long rc;

	if (c->start > b->size)
		return -EILSEQ;
	if (b->space != XENMAPSPACE_gmfn_foreign && b->u.res0)
		return -EINVAL;
	rc = call_about(c, domain_get_for_op(b->domid), b->domid);
	for (uint64_t i = c->start; i < b->size && !rc; i++) {
		rc = i != c->start && hypercall_preempt() ? -ERESTART : add_entry(c, b, i);
		if (rc == -ERESTART)
			return memory_op_continue(c, i);
	}
	return rc;
}

long op_remove_from_physmap(struct call *c)
{
	return physmap_unmap(c->d, ((struct xen_remove_from_physmap *)c->arg)->gpfn);
}

/* --- resources --------------------------------------------------------------------------------- */

static int resource_mfn(struct domain *d, const struct xen_mem_acquire_resource *r,
			unsigned int idx, mfn_t *mfn)
{
	if (r->type == XENMEM_resource_grant_table)
		return r->id == XENMEM_resource_grant_table_id_shared ? grant_frame_mfn(d, idx, mfn)
								      : -EINVAL;
	if (r->type == XENMEM_resource_ioreq_server)
		return ioreq_server_frame(d, r->id, idx, mfn);
	return -EOPNOTSUPP;
}

static long size_query(struct call *c, struct xen_mem_acquire_resource *r)
{
	mfn_t mfn;
	uint32_t n = 0;

	if (r->nr_frames)
		return -EINVAL;
	if (r->type == XENMEM_resource_ioreq_server) {
		while (!ioreq_server_frame(c->d, r->id, n, &mfn))
			n++;
	} else if (r->type == XENMEM_resource_grant_table) {
		n = grant_max_frames(c->d);
	}
	if (!n)
		return -EOPNOTSUPP;
	r->nr_frames = n;
	return copy_to_guest_la(c->a[1], r, sizeof(*r));
}

/* -ERESTART: frame i again. */
static long map_frame(struct call *c, const struct xen_mem_acquire_resource *r, uint64_t i)
{
	xen_pfn_t gfn;
	mfn_t mfn;
	long rc;

	if (copy_from_guest_offset(&gfn, r->frame_list, i, 1))
		return -EFAULT;
	rc = resource_mfn(c->d, r, (unsigned int)(r->frame + i), &mfn);
	return rc ? rc : physmap_add_foreign(c->v->domain, _gfn(gfn), c->d, mfn);
}

static long map_frames(struct call *c, const struct xen_mem_acquire_resource *r)
{
	struct frames all;
	long rc = 0;

	if (!frames_make(r->frame, r->nr_frames, BIT(32), &all))
		return -EINVAL;
	for (uint64_t i = c->start; i < all.nr && !rc; i++) {
		rc = i != c->start && hypercall_preempt() ? -ERESTART : map_frame(c, r, i);
		if (rc == -ERESTART)
			return memory_op_continue(c, i);
	}
	return rc;
}

long op_acquire_resource(struct call *c)
{
	struct xen_mem_acquire_resource *r = c->arg;
	long rc;

	if (c->compat)
		return -EFAULT;
	if (r->pad || r->frame >> 32 || c->start > r->nr_frames)
		return -EINVAL;
	rc = call_about(c, domain_get_by_id(r->domid), r->domid);
	if (rc || c->d->dying)
		return rc ? rc : -EINVAL;
	return guest_handle_is_null(r->frame_list) ? size_query(c, r) : map_frames(c, r);
}
