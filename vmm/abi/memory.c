/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HYPERVISOR_memory_op (xen/memory.h): populating, ballooning, memory maps, claims, totals; existing
 * pages into and out of physical maps (domain/physmap.c). The upper bits of the command carry the
 * extent at which a preempted call goes on, and how much of it is done; the result of the list operations is how
 * many were done, and fewer than asked for is not an error ("try smaller"): so for orders that are neither up to 2 MiB
 * nor 1 GiB, and for 1 GiB where no such page can be.
 */
#include "command.h"
#include "physmap.h"
#include <xen/memory.h>
#include <xen/hvm/e820.h>
#include "hvm_context.h"
#include "paging.h"

#define MEMOP_EXTENT_SHIFT 6
#define MEMOP_CMD_MASK	   ((1U << MEMOP_EXTENT_SHIFT) - 1)

#define ORDER_MAX_GUEST	   ORDER_2M
#define E820_SET_MAX	   128U

/* struct xen_memory_reservation */
#define RESERVATION    "lliih"

#define ADD_TO_PHYSMAP "hhill" /* struct xen_add_to_physmap */

/* The call is to go on at extent `done`. */
static long memory_op_continue(struct call *c, uint64_t done)
{
	call_set_arg(c, 0, c->cmd | done << MEMOP_EXTENT_SHIFT);
	return -ERESTART;
}

/*
 * Where a list operation goes on: an extent, and pieces of PIECE frames of it. Both are in the continuation, of
 * which 32-bit callers have less.
 */
#define PIECE		  64U
#define PIECE_BITS	  12U
#define PIECE_BITS_COMPAT 3U

static unsigned int piece_bits(const struct call *c)
{
	return c->compat ? PIECE_BITS_COMPAT : PIECE_BITS;
}

/* More extents than the continuation can count are not done in one call. */
static uint64_t extents_max(const struct call *c)
{
	return BIT((c->compat ? 32 : 64) - MEMOP_EXTENT_SHIFT - piece_bits(c)) - 1;
}

static struct frames piece_of(const struct frames *extent, uint64_t piece)
{
	return frames_part(extent, piece * PIECE, PIECE);
}

static bool was_last(const struct frames *extent, uint64_t piece)
{
	return (piece + 1) * PIECE >= extent->nr;
}

/* --- populate ---------------------------------------------------------------------------------- */

static int populate_dom0(struct domain *d, const struct frames *extent, uint64_t *piece)
{
	struct frames f = piece_of(extent, *piece);

	for (uint64_t i = 0; i < f.nr; i++)
		if (!physmap_populate_dom0(d, _gfn(f.first + i)))
			return 1;
	if (was_last(extent, *piece))
		return 0;
	++*piece;
	return -ERESTART;
}

/* Lists of two vCPUs may be at one address. */
#define VCPU_BITS 7U
BUILD_BUG_ON(MAX_VCPUS > BIT(VCPU_BITS));

/* An extent of a list, whose it is: where it begins, and where its pieces go on. */
struct extent {
	struct asker who;
	uint64_t gfn, piece;
	unsigned int order, flags;
};

/* 0 = the extent is done, -ERESTART = some of it is done, -EBUSY = not yet, else stop here. */
static int populate_extent(struct domain *d, struct extent *e)
{
	struct frames f;

	if (d->is_dom0)
		return frames_make(e->gfn, BIT(e->order), p2m_gfn_limit(), &f)
			       ? populate_dom0(d, &f, &e->piece)
			       : 1;
	if (!frames_make_block(e->gfn, e->order, p2m_gfn_limit(), &f))
		return 1;
	if ((e->flags & XENMEMF_populate_on_demand) && abi_privileged())
		return physmap_populate_later(d, &f, e->order);
	return physmap_populate(d, &f, e->order, &e->who);
}

/* --- give back --------------------------------------------------------------------------------- */

/* A piece of an extent of more than one page. */
static int decrease_extent(struct domain *d, struct extent *e)
{
	gfn_t gfn[PIECE];
	struct frames extent, f;
	unsigned int done;

	if (!frames_make(e->gfn, BIT(e->order), p2m_gfn_limit(), &extent))
		return 1;
	f = piece_of(&extent, e->piece);
	for (unsigned int i = 0; i < f.nr; i++)
		gfn[i] = _gfn(f.first + i);
	/* One table after the other: all at once would take long. */
	if (paging_give_up_some(d, &f) < f.nr)
		return -ERESTART;
	if (physmap_remove_list(d, gfn, (unsigned int)f.nr, &done))
		return 1;
	if (was_last(&extent, e->piece))
		return 0;
	++e->piece;
	return -ERESTART;
}

/* Pages of a list from *i on, which lie anywhere: a piece at a time, with one flush for each. As do_extents(). */
static int decrease_pages(struct call *c, const struct xen_memory_reservation *r, uint64_t *i)
{
	uint64_t nr = min((uint64_t)r->nr_extents, extents_max(c));
	unsigned int n, done, piece = min(PIECE, paging_take_piece(c->d));
	gfn_t gfn[PIECE];

	do {
		for (n = 0; n < piece && *i + n < nr; n++)
			if (call_read_long(c, guest_handle_la(r->extent_start), *i + n,
					   &gfn[n].v) ||
			    gfn[n].v >= p2m_gfn_limit())
				break;
		if (physmap_remove_list(c->d, gfn, n, &done))
			n = 0;
		*i += done;
		if (n == piece && *i < nr && hypercall_preempt())
			return -ERESTART;
	} while (n == piece && *i < nr);
	return 0;
}

typedef int (*extent_fn)(struct domain *d, struct extent *e);

/* Entries of a list that are read at once. */
#define LIST_BATCH 64U

/* Are these single frames, and those behind them in the list, all of a large page? */
static bool fills_large(struct call *c, const struct xen_memory_reservation *r, uint64_t i,
			const struct extent *e)
{
	xen_pfn_t gfn[LIST_BATCH];

	if (c->compat || e->order || e->flags || e->gfn % BIT(ORDER_2M) ||
	    r->nr_extents - i < BIT(ORDER_2M) || c->d->is_dom0 || !abi_privileged())
		return false;
	for (uint64_t done = 0; done < BIT(ORDER_2M); done += LIST_BATCH) {
		if (copy_from_guest_offset(gfn, r->extent_start, i + done, LIST_BATCH))
			return false;
		for (uint64_t k = 0; k < LIST_BATCH; k++)
			if (gfn[k] != e->gfn + done + k)
				return false;
	}
	return true;
}

/*
 * A tool that restores a domain asks for single frames, as they come. Where they fill a large page, they get one: 0, and
 * *i is behind them; -ERESTART: again; else not.
 */
static int populate_large(struct call *c, const struct xen_memory_reservation *r, uint64_t *i,
			  const struct extent *e)
{
	struct frames f;
	int rc;

	if (!fills_large(c, r, *i, e) ||
	    !frames_make_block(e->gfn, ORDER_2M, p2m_gfn_limit(), &f) || !p2m_all_holes(c->d, &f))
		return 1;
	rc = physmap_populate(c->d, &f, ORDER_2M, &e->who);
	if (!rc)
		*i += f.nr;
	return rc;
}

/* From extent *i and its piece on. 0, or -ERESTART: to be continued there. */
static int do_extents(struct call *c, const struct xen_memory_reservation *r, uint64_t *i,
		      struct extent *e, extent_fn one)
{
	uint64_t nr = min((uint64_t)r->nr_extents, extents_max(c));
	bool begun = false;

	while (*i < nr) {
		int rc;

		if (begun && hypercall_preempt())
			return -ERESTART;
		begun = true;
		rc = call_read_long(c, guest_handle_la(r->extent_start), *i, &e->gfn);
		if (!rc && one == populate_extent) {
			rc = populate_large(c, r, i, e);
			if (!rc || rc == -ERESTART)
				continue;
			rc = rc == -EBUSY ? rc : 0;
		}
		if (!rc)
			rc = one(c->d, e);
		if (rc == -EBUSY)
			return -ERESTART;
		if (rc == -ERESTART)
			continue;
		if (rc)
			break;
		++*i;
		e->piece = 0;
	}
	return 0;
}

static bool reservation_ok(const struct call *c, const struct xen_memory_reservation *r, uint64_t i,
			   uint64_t piece)
{
	unsigned int order_max = abi_privileged() && !c->compat ? ORDER_1G : ORDER_MAX_GUEST;

	return i <= r->nr_extents && !(r->nr_extents >> 40) &&
	       !guest_handle_is_null(r->extent_start) && r->extent_order <= order_max &&
	       piece * PIECE < BIT(r->extent_order);
}

/* The result is how many extents are done, whatever ends the list. */
static long list_op(struct call *c, extent_fn one)
{
	unsigned int bits = piece_bits(c);
	struct extent e = { .piece = c->start & (BIT(bits) - 1) };
	struct xen_memory_reservation r;
	uint64_t i = c->start >> bits;
	int rc = 0;

	if (call_read(c, c->a[1], &r, sizeof(r), RESERVATION) ||
	    !reservation_ok(c, &r, i, e.piece) ||
	    call_about(c, domain_get_for_op(r.domid), r.domid))
		return (long)i;
	e.who = call_asker(c, guest_handle_la(r.extent_start) << VCPU_BITS | c->v->id);
	e.order = r.extent_order;
	e.flags = r.mem_flags;
	if (one == decrease_extent && !e.order)
		rc = decrease_pages(c, &r, &i);
	else
		rc = do_extents(c, &r, &i, &e, one);
	if (c->cmd == XENMEM_decrease_reservation) {
		ioreq_request_mapcache_invalidate(c->d);
		physmap_claim_again(c->d);
	}
	return rc ? memory_op_continue(c, i << bits | e.piece) : (long)i;
}

ARM(op_populate_physmap, domain, list_op(c, populate_extent))
ARM(op_decrease_reservation, domain, list_op(c, decrease_extent))

/* --- memory maps ------------------------------------------------------------------------------- */

#define MEMORY_MAP	 "il" /* struct xen_memory_map */
#define E820_ENTRY_BYTES 20U  /* address, size, type; packed */

/* As many entries as there is room for. */
static long map_write(struct xen_memory_map *m, const struct e820_entry *e, uint32_t nr)
{
	nr = min(nr, m->nr_entries);
	for (uint32_t i = 0; i < nr; i++)
		if (copy_to_guest_la(guest_handle_la(m->buffer) + i * E820_ENTRY_BYTES, &e[i],
				     E820_ENTRY_BYTES))
			return -EFAULT;
	m->nr_entries = nr;
	return 0;
}

static long op_memory_map(struct call *c)
{
	struct e820_entry copy[E820_SET_MAX];
	struct domain *d = c->v->domain;
	uint32_t nr;

	spin_lock(&d->lock);
	nr = min(d->nr_e820, E820_SET_MAX);
	if (nr)
		memcpy(copy, d->e820, nr * sizeof(*copy));
	spin_unlock(&d->lock);
	return nr ? map_write(c->arg, copy, nr)
		  : refusal_expected(-ENOSYS); /* the tools set none */
}

ARM(op_machine_memory_map, xen_memory_map, map_write(a, host_e820.e, host_e820.nr))

static long op_set_memory_map(struct call *c)
{
	const struct xen_foreign_memory_map *f = c->arg;
	uint32_t nr = f->map.nr_entries;
	struct e820_entry *e, *old;
	long rc =
		nr > E820_SET_MAX ? -EINVAL : call_about(c, domain_get_for_op(f->domid), f->domid);

	if (rc)
		return rc;
	e = xzalloc_array(struct e820_entry, E820_SET_MAX);
	if (!e)
		return -ENOMEM;
	for (unsigned int i = 0; !rc && i < nr; i++)
		rc = copy_from_guest_la(&e[i],
					guest_handle_la(f->map.buffer) + i * E820_ENTRY_BYTES,
					E820_ENTRY_BYTES);
	if (!rc) {
		spin_lock(&c->d->lock);
		old = c->d->e820;
		c->d->e820 = e;
		c->d->nr_e820 = nr;
		spin_unlock(&c->d->lock);
		e = old;
	}
	xfree(e);
	return rc;
}

/* --- numbers ----------------------------------------------------------------------------------- */

ARM(op_maximum_ram_page, domain, (long)max_mfn - 1)
ARM(op_current_reservation, domain, (long)READ_ONCE(c->d->tot_pages))
ARM(op_maximum_reservation, domain, (long)min(READ_ONCE(c->d->max_pages), (uint64_t)INT64_MAX))
ARM(op_maximum_gpfn, domain, (long)c->d->p2m.max_gfn)

static long op_get_pod_target(struct call *c)
{
	struct xen_pod_target *t = c->arg;

	t->tot_pages = READ_ONCE(c->d->tot_pages);
	t->pod_cache_pages = READ_ONCE(c->d->p2m.pod.nr_spare);
	t->pod_entries = 0;
	return 0;
}

static long op_set_pod_target(struct call *c)
{
	const struct xen_pod_target *t = c->arg;
	long rc = refuse_less_for_dom0(c->d, t->target_pages);

	if (rc)
		return rc;
	WRITE_ONCE(domain_priv(c->d)->pod_target, t->target_pages);
	physmap_claim_again(c->d);
	return op_get_pod_target(c);
}

static long op_claim_pages(struct call *c)
{
	const struct xen_memory_reservation *r = c->arg;
	long rc;

	if (r->extent_order || r->mem_flags || !guest_handle_is_null(r->extent_start))
		return -EINVAL;
	rc = call_about(c, domain_get_for_op(r->domid), r->domid);
	if (!rc)
		rc = domain_claim_pages(c->d, r->nr_extents);
	if (!rc && !r->nr_extents) /* the end of building */
		rc = physmap_claim_on_demand(c->d);
	return rc;
}

ARM(op_get_vnumainfo, domain, refusal_expected(-EOPNOTSUPP)) /* xl and hvmloader ask always */

/* --- the table --------------------------------------------------------------------------------- */

/* The argument is that structure, with another layout for 32-bit callers or NULL, and has the domain there. */
#define FORMED(n, type, layout, at, flags, takes) \
	[XENMEM_##n] = { #n, takes, op_##n, layout, sizeof(struct type), at, flags, 0 }
#define TAKEN(n, type, flags, takes) FORMED(n, type, NULL, 0, flags, takes)
#define PLAINLY(n, flags, takes)     [XENMEM_##n] = PLAIN(#n, op_##n, flags, takes)
#define NO(n, err, takes)	     [XENMEM_##n] = ANSWER(#n, err, 0, takes)
/* A number of a domain. */
#define NUMBER(n)                                              \
	[XENMEM_##n] = { #n,                                   \
			 "the caller, or for dom0 any domain", \
			 op_##n,                               \
			 NULL,                                 \
			 sizeof(domid_t),                      \
			 0,                                    \
			 TARGET | CONTROLS,                    \
			 0 }

/*
 * --- the physical map. XENMEM_acquire_resource: dom0 maps pages that belong to another domain but lie nowhere in its
 * physical map, grant frames and ioreq server pages. dom0 is auto-translated, so the frame list is an input: the
 * gfns to map at. A null list asks how many frames there are. ---
 */

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

static long op_add_to_physmap(struct call *c)
{
	struct xen_add_to_physmap *x = c->arg;
	bool begun = false;
	long rc;

	if (x->space == XENMAPSPACE_gmfn_foreign)
		return -ENOSYS; /* only by the batch */
	rc = call_about(c, domain_get_for_op(x->domid), x->domid);
	if (rc)
		return rc;
	if (x->space != XENMAPSPACE_gmfn_range)
		return add_one(c->d, x->space, x->idx, x->gpfn, DOMID_INVALID);
	for (; x->size && !rc; x->size--, x->idx++, x->gpfn++) {
		/* One move may look at thousands of grants (grant_move_page). */
		if (begun && hypercall_preempt())
			return call_write(c, c->a[1], x, sizeof(*x), ADD_TO_PHYSMAP) ? -EFAULT
										     : -ERESTART;
		begun = true;
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

static long op_add_to_physmap_batch(struct call *c)
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

static long op_remove_from_physmap(struct call *c)
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

static long op_acquire_resource(struct call *c)
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

static const struct abi_command commands[] = {
	NO(increase_reservation, -ENOSYS,
	   "pages without a frame mean nothing to guests that are auto-translated: populate_physmap"),
	PLAINLY(decrease_reservation, CONTROLS, "frames of the caller, or for dom0 of any domain"),
	PLAINLY(populate_physmap, CONTROLS, "frames of the caller, or for dom0 of any domain"),
	NO(exchange, -ENOSYS, "contiguous memory is for PV guests' DMA"),
	PLAINLY(maximum_ram_page, 0, "nothing"),
	NUMBER(current_reservation),
	NUMBER(maximum_reservation),
	NUMBER(maximum_gpfn),
	NO(machphys_mfn_list, -ENOSYS, PV_ONLY),
	NO(machphys_compat_mfn_list, -ENOSYS, PV_ONLY),
	NO(machphys_mapping, -ENOSYS, PV_ONLY),
	FORMED(add_to_physmap, xen_add_to_physmap, ADD_TO_PHYSMAP, 0, CONTROLS,
	       "shared_info, grant_table (frames of version 1) or gmfn of the caller's, or for dom0 of any domain, "
	       "to a frame within the processor's addresses; dom0's own frames stay where they are"),
	FORMED(add_to_physmap_batch, xen_add_to_physmap_batch, "hhhhlll", 0, CONTROLS,
	       "as add_to_physmap, and for dom0 gmfn_foreign"),
	FORMED(remove_from_physmap, xen_remove_from_physmap, "hl", 0, TARGET | CONTROLS,
	       "a frame of the caller's, or for dom0 of any domain; dom0's MMIO stays"),
	FORMED(memory_map, xen_memory_map, MEMORY_MAP, 0, COPYBACK, "nothing"),
	FORMED(machine_memory_map, xen_memory_map, MEMORY_MAP, 0, PRIVILEGED | COPYBACK,
	       "for dom0"),
	TAKEN(set_memory_map, xen_foreign_memory_map, PRIVILEGED, "for dom0; up to 128 entries"),
	FORMED(set_pod_target, xen_pod_target, NULL, offsetof(struct xen_pod_target, domid),
	       PRIVILEGED | TARGET | COPYBACK, "for dom0; for itself not less than it has"),
	FORMED(get_pod_target, xen_pod_target, NULL, offsetof(struct xen_pod_target, domid),
	       PRIVILEGED | TARGET | COPYBACK, "for dom0"),
	NO(get_sharing_freed_pages, 0, "nothing"),
	NO(get_sharing_shared_pages, 0, "nothing"),
	NO(paging_op, -ENOSYS, NO_SHARING),
	NO(access_op, -ENOSYS, NO_MONITOR),
	NO(sharing_op, -ENOSYS, NO_SHARING),
	FORMED(claim_pages, xen_memory_reservation, RESERVATION, 0, PRIVILEGED,
	       "for dom0; order 0, no flags, no list, not more than is free"),
	NO(reserved_device_memory_map, -ENOSYS, NO_PASSTHROUGH),
	TAKEN(acquire_resource, xen_mem_acquire_resource, PRIVILEGED | NOT_SELF,
	      "for dom0; grant table (id 0) or ioreq server frames of another domain that is not dying"),
	PLAINLY(get_vnumainfo, 0, "virtual NUMA is not there"),
};

const struct abi_family memory_family = {
	.name = "memory_op",
	.commands = commands,
	.nr = ARRAY_SIZE(commands),
	.other = ANSWER(NULL, -ENOSYS, 0, NO_SUCH_COMMAND),
};

long abi_memory_op(struct call *c)
{
	c->start = c->a[0] >> MEMOP_EXTENT_SHIFT;
	return call_command(c, &memory_family, c->a[0] & MEMOP_CMD_MASK, c->a[1]);
}
