/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * XENMEM_acquire_resource: dom0 maps pages that belong to another domain but lie nowhere in its physical
 * map, grant frames and ioreq server pages. dom0 is auto-translated, so the frame list is an input: the
 * gfns to map at. A null list asks how many frames there are.
 */
#include "handlers.h"
#include "refuse.h"
#include <xen/memory.h>

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

static long size_query(uint64_t la, struct domain *d, struct xen_mem_acquire_resource *r)
{
	mfn_t mfn;
	uint32_t n = 0;

	if (r->nr_frames)
		return -EINVAL;
	if (r->type == XENMEM_resource_ioreq_server) {
		while (!ioreq_server_frame(d, r->id, n, &mfn))
			n++;
	} else if (r->type == XENMEM_resource_grant_table) {
		n = grant_max_frames(d);
	}
	if (!n)
		return -EOPNOTSUPP;
	r->nr_frames = n;
	return copy_to_guest_la(la, r, sizeof(*r));
}

static long map_frames(struct vcpu *v, struct domain *d, const struct xen_mem_acquire_resource *r,
		       uint64_t start)
{
	struct frames all;
	xen_pfn_t gfn;
	mfn_t mfn;
	long rc;

	if (!frames_make(r->frame, r->nr_frames, BIT(32), &all))
		return -EINVAL;
	for (uint64_t i = start; i < all.nr; i++) {
		if (i != start && hypercall_preempt())
			return memory_op_continue(v, XENMEM_acquire_resource, i);
		if (copy_from_guest_offset(&gfn, r->frame_list, i, 1))
			return -EFAULT;
		rc = resource_mfn(d, r, (unsigned int)(all.first + i), &mfn);
		if (rc == -ERESTART)
			return memory_op_continue(v, XENMEM_acquire_resource, i);
		if (!rc)
			rc = physmap_add_foreign(v->domain, _gfn(gfn), d, mfn);
		if (rc)
			return rc;
	}
	return 0;
}

long abi_acquire_resource(struct vcpu *v, uint64_t la, uint64_t start)
{
	struct xen_mem_acquire_resource r;
	struct domain *d;
	long rc;

	if (!abi_privileged())
		return -EPERM;
	if (hypercall_is_compat() || copy_from_guest_la(&r, la, sizeof(r)))
		return -EFAULT;
	refusal_about(r.domid);
	if (r.pad || r.frame >> 32 || start > r.nr_frames)
		return -EINVAL;
	d = domain_get_by_id(r.domid);
	if (!d)
		return -ESRCH;
	if (d == v->domain || d->dying)
		rc = -EINVAL;
	else if (guest_handle_is_null(r.frame_list))
		rc = size_query(la, d, &r);
	else
		rc = map_frames(v, d, &r, start);
	domain_put(d);
	return rc;
}
