/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HYPERVISOR_grant_table_op: the loops over lists of operations. Each element gets its own status; the
 * call fails only when the list cannot be read or written. Lists are preemptible: count and address in
 * the registers move on. The work is in domain/grant*.c.
 */
#include "handlers.h"
#include "../domain/grant_private.h"

#define PREEMPT_EVERY 4U

union grant_elem {
	struct gnttab_map_grant_ref map;
	struct gnttab_unmap_grant_ref unmap;
	struct gnttab_copy copy;
};

static int do_map(union grant_elem *e)
{
	return grant_map_one(&e->map);
}

static int do_unmap(union grant_elem *e)
{
	return grant_unmap_one(&e->unmap);
}

static int do_copy(union grant_elem *e)
{
	return grant_copy_one(&e->copy);
}

/* The rest of the list later. */
static long list_continue(struct vcpu *v, uint64_t la, uint32_t count)
{
	hypercall_set_arg(v, 1, la);
	hypercall_set_arg(v, 2, count);
	return -ERESTART;
}

static long list_op(struct vcpu *v, uint64_t la, uint32_t count, size_t size,
		    int (*fn)(union grant_elem *e))
{
	union grant_elem e;

	for (uint32_t i = 0; i < count; i++, la += size) {
		if (i && !(i % PREEMPT_EVERY) && hypercall_preempt())
			return list_continue(v, la, count - i);
		if (copy_from_guest_la(&e, la, size))
			return -EFAULT;
		/* Memory on demand is still looked for. */
		if (fn(&e) == GNTST_eagain)
			return list_continue(v, la, count - i);
		if (copy_to_guest_la(la, &e, size))
			return -EFAULT;
	}
	return 0;
}

/* The domain an administrative operation is about, or a status. */
static struct domain *admin_domain(domid_t id, int16_t *status)
{
	struct domain *d = domain_get_for_op(id);

	*status = d ? GNTST_okay : GNTST_bad_domain;
	if (d && !abi_may_control(d)) {
		domain_put(d);
		*status = GNTST_permission_denied;
		return NULL;
	}
	return d;
}

struct setup_narrow {
	uint16_t dom;
	uint32_t nr_frames;
	int16_t status;
	uint32_t frame_list;
};

/* Where setup_table goes on is in the upper bits of the command, like with memory_op. */
#define SETUP_CMD_BITS 12U
#define SETUP_BATCH    32U

static int grow_to(struct domain *d, uint32_t nr)
{
	int rc;

	do {
		spin_lock(&d->grant->lock);
		rc = nr > d->grant->nr_frames ? grant_grow(d, nr) : 0;
		spin_unlock(&d->grant->lock);
	} while (rc == -ERESTART && !hypercall_preempt());
	return rc;
}

static long list_piece(struct domain *d, const struct frames *f, uint64_t list, bool compat)
{
	const unsigned int size = compat ? 4 : 8;
	uint8_t out[SETUP_BATCH * 8];

	for (uint64_t i = 0; i < f->nr; i++) {
		uint64_t gfn = grant_frame_gfn(d, (unsigned int)(f->first + i));

		memcpy(out + i * size, &gfn, size);
	}
	return copy_to_guest_la(list + f->first * size, out, f->nr * size);
}

/* Where the frames lie in the guest's own map; ~0 for one that it has not mapped. *done: how many are written. */
static long setup_frames(struct domain *d, uint32_t nr, uint64_t list, uint64_t *done,
			 int16_t *status)
{
	bool compat = hypercall_is_compat();
	struct frames all;
	int rc = frames_make(0, nr, d->grant->max_frames, &all) ? grow_to(d, nr) : -EINVAL;

	if (rc == -ERESTART)
		return rc;
	if (rc) {
		*status = GNTST_general_error;
		return 0;
	}
	for (*done = min(*done, all.nr); *done < all.nr;) {
		struct frames f = frames_part(&all, *done, SETUP_BATCH);

		if (list_piece(d, &f, list, compat))
			return -EFAULT;
		*done += f.nr;
		if (*done < all.nr && hypercall_preempt())
			return -ERESTART;
	}
	return 0;
}

static long op_setup_table(struct vcpu *v, uint64_t la, uint32_t count, uint64_t done)
{
	bool compat = hypercall_is_compat();
	struct gnttab_setup_table s;
	struct setup_narrow n;
	struct domain *d;
	uint64_t list;
	long rc = 0;

	if (count != 1)
		return -EINVAL;
	if (compat ? copy_from_guest_la(&n, la, sizeof(n)) : copy_from_guest_la(&s, la, sizeof(s)))
		return -EFAULT;
	if (compat) {
		s.dom = n.dom;
		s.nr_frames = n.nr_frames;
	}
	list = compat ? n.frame_list : guest_handle_la(s.frame_list);
	d = admin_domain(s.dom, &s.status);
	if (d) {
		rc = setup_frames(d, s.nr_frames, list, &done, &s.status);
		domain_put(d);
	}
	if (rc == -ERESTART)
		hypercall_set_arg(v, 0, GNTTABOP_setup_table | done << SETUP_CMD_BITS);
	if (rc)
		return rc;
	return copy_to_guest_la(la + (compat ? offsetof(struct setup_narrow, status)
					     : offsetof(struct gnttab_setup_table, status)),
				&s.status, sizeof(s.status));
}

static long op_query_size(uint64_t la, uint32_t count)
{
	struct gnttab_query_size q;
	struct domain *d;

	if (count != 1)
		return -EINVAL;
	if (copy_from_guest_la(&q, la, sizeof(q)))
		return -EFAULT;
	d = admin_domain(q.dom, &q.status);
	if (d) {
		q.nr_frames = d->grant->nr_frames;
		q.max_nr_frames = d->grant->max_frames;
		domain_put(d);
	}
	return copy_to_guest_la(la, &q, sizeof(q));
}

static long op_set_version(uint64_t la, uint32_t count)
{
	struct gnttab_set_version s;
	long rc = 0;

	if (count != 1)
		return -EINVAL;
	if (copy_from_guest_la(&s, la, sizeof(s)))
		return -EFAULT;
	if (s.version != 1)
		rc = s.version == 2 ? -ENOSYS : -EINVAL;
	s.version = 1;
	if (copy_to_guest_la(la, &s, sizeof(s)))
		return -EFAULT;
	return rc;
}

static long op_get_version(uint64_t la, uint32_t count)
{
	struct gnttab_get_version g;
	struct domain *d;
	int16_t status;

	if (count != 1)
		return -EINVAL;
	if (copy_from_guest_la(&g, la, sizeof(g)))
		return -EFAULT;
	d = admin_domain(g.dom, &status);
	if (!d)
		return status == GNTST_bad_domain ? -ESRCH : -EPERM;
	domain_put(d);
	g.version = 1;
	return copy_to_guest_la(la, &g, sizeof(g));
}

long abi_grant_table_op(struct vcpu *v, const struct hypercall_args *args)
{
	uint64_t la = args->a[1];
	uint32_t count = (uint32_t)args->a[2], cmd = (uint32_t)args->a[0];

	if ((int32_t)count < 0)
		return -EINVAL;
	if ((cmd & (BIT(SETUP_CMD_BITS) - 1)) == GNTTABOP_setup_table)
		return op_setup_table(v, la, count, cmd >> SETUP_CMD_BITS);
	/* The list elements are the same for 32-bit callers but for the copy's frame number. */
	switch (cmd) {
	case GNTTABOP_map_grant_ref:
		return list_op(v, la, count, sizeof(struct gnttab_map_grant_ref), do_map);
	case GNTTABOP_unmap_grant_ref:
		return list_op(v, la, count, sizeof(struct gnttab_unmap_grant_ref), do_unmap);
	case GNTTABOP_copy:
		return hypercall_is_compat()
			       ? -ENOSYS
			       : list_op(v, la, count, sizeof(struct gnttab_copy), do_copy);
	case GNTTABOP_query_size:
		return op_query_size(la, count);
	case GNTTABOP_set_version:
		return op_set_version(la, count);
	case GNTTABOP_get_version:
		return op_get_version(la, count);
	default:
		return -ENOSYS;
	}
}
