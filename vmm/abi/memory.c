/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HYPERVISOR_memory_op (xen/memory.h): populating, ballooning, memory maps, claims, totals. What enters
 * existing pages into a physical map is in memory_physmap.c. The upper bits of the command carry the
 * extent at which a preempted call goes on, and how much of it is done; the result of the list operations is how
 * many were done, and fewer than asked for is not an error ("try smaller"): so for orders that are neither up to 2 MiB
 * nor 1 GiB, and for 1 GiB where no such page can be.
 *
 * dom0 is mapped 1:1 and never loses its machine pages: giving back only unmaps, and populating works
 * only where the frame number is that of a page of its own.
 */
#include "handlers.h"
#include "dom0.h"
#include "hvm_ops.h"
#include "refuse.h"
#include <xen/hvm/e820.h>
#include <xen/memory.h>

#define ORDER_MAX_GUEST ORDER_2M
#define E820_SET_MAX	128U

/* The argument of the list operations in one form. */
struct reservation {
	uint64_t list_la, nr;
	unsigned int order, flags;
	domid_t domid;
	bool compat;
};

struct reservation_narrow {
	uint32_t extent_start, nr_extents, extent_order, mem_flags;
	uint16_t domid;
};

static int reservation_read(uint64_t la, struct reservation *r)
{
	struct xen_memory_reservation w;
	struct reservation_narrow n;

	r->compat = hypercall_is_compat();
	if (r->compat) {
		if (copy_from_guest_la(&n, la, sizeof(n)))
			return -EFAULT;
		*r = (struct reservation){ n.extent_start, n.nr_extents, n.extent_order,
					   n.mem_flags,	   n.domid,	 true };
		return 0;
	}
	if (copy_from_guest_la(&w, la, sizeof(w)))
		return -EFAULT;
	*r = (struct reservation){ guest_handle_la(w.extent_start),
				   w.nr_extents,
				   w.extent_order,
				   w.mem_flags,
				   w.domid,
				   false };
	return 0;
}

static int extent_read(const struct reservation *r, uint64_t i, uint64_t *gfn)
{
	uint32_t narrow;

	if (!r->compat)
		return copy_from_guest_la(gfn, r->list_la + i * sizeof(*gfn), sizeof(*gfn));
	if (copy_from_guest_la(&narrow, r->list_la + i * sizeof(narrow), sizeof(narrow)))
		return -EFAULT;
	*gfn = narrow;
	return 0;
}

long memory_op_continue(struct vcpu *v, unsigned int cmd, uint64_t done)
{
	hypercall_set_arg(v, 0, cmd | done << MEMOP_EXTENT_SHIFT);
	return -ERESTART;
}

/*
 * Where a list operation goes on: an extent, and pieces of PIECE frames of it. Both are in the continuation, of
 * which 32-bit callers have less.
 */
#define PIECE		  64U
#define PIECE_BITS	  12U
#define PIECE_BITS_COMPAT 3U

static unsigned int piece_bits(const struct reservation *r)
{
	return r->compat ? PIECE_BITS_COMPAT : PIECE_BITS;
}

/* More extents than the continuation can count are not done in one call. */
static uint64_t extents_max(const struct reservation *r)
{
	return BIT((r->compat ? 32 : 64) - MEMOP_EXTENT_SHIFT - piece_bits(r)) - 1;
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

/* The order of the pages that an extent is entered with. */
static unsigned int chunk_order(unsigned int order)
{
	unsigned int levels = hvm_ops->p2m_format->max_leaf_level;

	if (order >= ORDER_1G && levels >= 3)
		return ORDER_1G;
	return order >= ORDER_2M && levels >= 2 ? ORDER_2M : ORDER_4K;
}

/*
 * Can it be entered in one piece? 1 GiB only by one page, which needs a place without tables; cheaper than p2m_all_holes(),
 * because it is asked often.
 */
static bool has_place(struct domain *d, const struct frames *f, unsigned int order)
{
	struct p2m_entry e = p2m_get(d, _gfn(f->first));

	if (e.type != P2M_INVALID || (order > ORDER_2M && order != ORDER_1G))
		return false;
	return order <= ORDER_2M || (chunk_order(order) == ORDER_1G && e.order >= ORDER_1G);
}

/* Nothing is there; with d->lock held. With INVALID_MFN without pages. True: all of it. */
static bool enter_extent(struct domain *d, const struct frames *f, unsigned int order, mfn_t mfn,
			 enum p2m_type t)
{
	uint64_t step = BIT(chunk_order(order)), i;

	for (i = 0; i < f->nr; i += step)
		if (p2m_set(d, _gfn(f->first + i), mfn_valid_value(mfn) ? mfn_add(mfn, i) : mfn,
			    chunk_order(order), t, P2M_ACCESS_RWX))
			break;
	if (i >= f->nr)
		return true;
	/* The first one makes the table for the rest, so there are none behind the first. */
	BUG_ON(i);
	return false;
}

/* One extent of a guest. 0, -ERESTART; else no memory, no room, or something is there already. */
static int populate_guest(struct domain *d, const struct frames *f, unsigned int order)
{
	struct page *p;
	int rc = 1;

	spin_lock(&d->lock);
	if (has_place(d, f, order)) {
		rc = domain_memory_get(d, order, &p);
		if (!rc && !(p2m_all_holes(d, f) &&
			     enter_extent(d, f, order, page_to_mfn(p), P2M_RAM_RW))) {
			domain_memory_put_back(d, p, order);
			rc = 1;
		}
	}
	spin_unlock(&d->lock);
	return rc;
}

/* One extent that gets its pages when they are touched. */
static int populate_later(struct domain *d, const struct frames *f, unsigned int order)
{
	bool ok;

	spin_lock(&d->lock);
	ok = !d->dying && has_place(d, f, order) && p2m_all_holes(d, f) &&
	     enter_extent(d, f, order, INVALID_MFN, P2M_POD);
	if (ok)
		WRITE_ONCE(d->p2m.pod.used, true);
	spin_unlock(&d->lock);
	return !ok;
}

static bool populate_dom0_one(struct domain *d, gfn_t gfn)
{
	bool ok;

	if (!dom0_owns_mfn(_mfn(gfn.v)))
		return false;
	spin_lock(&d->lock);
	ok = p2m_get(d, gfn).type == P2M_INVALID &&
	     !p2m_set(d, gfn, _mfn(gfn.v), 0, P2M_RAM_RW, P2M_ACCESS_RWX);
	spin_unlock(&d->lock);
	if (!ok)
		return false;
	spin_lock(&d->page_lock);
	d->tot_pages++;
	spin_unlock(&d->page_lock);
	return true;
}

static int populate_dom0(struct domain *d, const struct frames *extent, uint64_t *piece)
{
	struct frames f = piece_of(extent, *piece);

	for (uint64_t i = 0; i < f.nr; i++)
		if (!populate_dom0_one(d, _gfn(f.first + i)))
			return 1;
	if (was_last(extent, *piece))
		return 0;
	++*piece;
	return -ERESTART;
}

/* 0 = the extent is done, -ERESTART = some of it is done, else stop here. */
static int populate_extent(struct domain *d, const struct reservation *r, uint64_t i,
			   uint64_t *piece)
{
	struct frames f;
	uint64_t gfn;

	if (extent_read(r, i, &gfn))
		return 1;
	if (d->is_dom0)
		return frames_make(gfn, BIT(r->order), p2m_gfn_limit(), &f)
			       ? populate_dom0(d, &f, piece)
			       : 1;
	if (!frames_make_block(gfn, r->order, p2m_gfn_limit(), &f))
		return 1;
	if ((r->flags & XENMEMF_populate_on_demand) && abi_privileged())
		return populate_later(d, &f, r->order);
	return populate_guest(d, &f, r->order);
}

/* --- give back --------------------------------------------------------------------------------- */

static int decrease_extent(struct domain *d, const struct reservation *r, uint64_t i,
			   uint64_t *piece)
{
	struct frames extent, f;
	uint64_t gfn;

	if (extent_read(r, i, &gfn) || !frames_make(gfn, BIT(r->order), p2m_gfn_limit(), &extent))
		return 1;
	f = piece_of(&extent, *piece);
	if (physmap_remove(d, &f))
		return 1;
	if (was_last(&extent, *piece))
		return 0;
	++*piece;
	return -ERESTART;
}

/* What is populated on demand counts as the domain's: the part that it has not touched is claimed. */
static long claim_on_demand(struct domain *d)
{
	uint64_t target = domain_priv(d)->pod_target;

	if (target <= d->tot_pages || target > d->max_pages)
		return 0;
	return domain_claim_pages(d, target);
}

/* Balloon drivers touch what they give back, which has used up some of the claim. */
static void claim_again(struct domain *d)
{
	if (!d->outstanding_pages)
		return;
	domain_claim_pages(d, 0);
	claim_on_demand(d);
}

typedef int (*extent_fn)(struct domain *d, const struct reservation *r, uint64_t i,
			 uint64_t *piece);

/* From extent *i and its piece on. 0, or -ERESTART: to be continued there. */
static int do_extents(struct domain *d, const struct reservation *r, uint64_t *i, uint64_t *piece,
		      extent_fn one)
{
	uint64_t nr = min(r->nr, extents_max(r));
	bool begun = false;

	while (*i < nr) {
		int rc;

		if (begun && hypercall_preempt())
			return -ERESTART;
		begun = true;
		rc = one(d, r, *i, piece);
		if (rc == -ERESTART)
			continue;
		if (rc)
			break;
		++*i;
		*piece = 0;
	}
	return 0;
}

static bool order_ok(const struct reservation *r)
{
	return r->order <= (abi_privileged() && !r->compat ? ORDER_1G : ORDER_MAX_GUEST);
}

static long list_op(struct vcpu *v, unsigned int cmd, uint64_t la, uint64_t start, extent_fn one)
{
	unsigned int bits = hypercall_is_compat() ? PIECE_BITS_COMPAT : PIECE_BITS;
	uint64_t i = start >> bits, piece = start & (BIT(bits) - 1);
	struct reservation r;
	struct domain *d;

	if (reservation_read(la, &r) || i > r.nr || r.nr >> 40 || !r.list_la || !order_ok(&r) ||
	    piece * PIECE >= BIT(r.order))
		return (long)i;
	d = domain_get_for_op(r.domid);
	if (!d)
		return (long)i;
	if (abi_may_control(d)) {
		int rc = do_extents(d, &r, &i, &piece, one);

		if (cmd == XENMEM_decrease_reservation) {
			ioreq_request_mapcache_invalidate(d);
			claim_again(d);
		}
		if (rc) {
			domain_put(d);
			return memory_op_continue(v, cmd, i << bits | piece);
		}
	}
	domain_put(d);
	return (long)i;
}

/* --- memory maps ------------------------------------------------------------------------------- */

struct map_arg {
	uint32_t nr;
	uint64_t la;
};

static int map_arg_read(uint64_t la, struct map_arg *m)
{
	struct {
		uint32_t nr, la;
	} n;
	struct xen_memory_map w;

	if (hypercall_is_compat()) {
		if (copy_from_guest_la(&n, la, sizeof(n)))
			return -EFAULT;
		*m = (struct map_arg){ n.nr, n.la };
		return 0;
	}
	if (copy_from_guest_la(&w, la, sizeof(w)))
		return -EFAULT;
	*m = (struct map_arg){ w.nr_entries, guest_handle_la(w.buffer) };
	return 0;
}

#define E820_ENTRY_BYTES 20U /* address, size, type; packed */

static int map_write(uint64_t la, const struct map_arg *m, const struct e820_entry *e, uint32_t nr)
{
	nr = min(nr, m->nr);
	for (uint32_t i = 0; i < nr; i++)
		if (copy_to_guest_la(m->la + i * E820_ENTRY_BYTES, &e[i], E820_ENTRY_BYTES))
			return -EFAULT;
	return copy_to_guest_la(la, &nr, sizeof(nr));
}

static long op_memory_map(struct domain *d, uint64_t la)
{
	struct e820_entry copy[E820_SET_MAX];
	struct map_arg m;
	uint32_t nr;

	if (map_arg_read(la, &m))
		return -EFAULT;
	spin_lock(&d->lock);
	nr = min(d->nr_e820, E820_SET_MAX);
	if (nr)
		memcpy(copy, d->e820, nr * sizeof(*copy));
	spin_unlock(&d->lock);
	return nr ? map_write(la, &m, copy, nr)
		  : refusal_expected(-ENOSYS); /* the tools set none */
}

static long op_machine_memory_map(uint64_t la)
{
	struct map_arg m;

	if (!abi_privileged())
		return -EPERM;
	if (map_arg_read(la, &m))
		return -EFAULT;
	return map_write(la, &m, host_e820.e, host_e820.nr);
}

static long op_set_memory_map(uint64_t la)
{
	struct xen_foreign_memory_map f;
	struct e820_entry *e, *old;
	struct domain *d;
	long rc = 0;

	if (!abi_privileged())
		return -EPERM;
	if (copy_from_guest_la(&f, la, sizeof(f)))
		return -EFAULT;
	if (f.map.nr_entries > E820_SET_MAX)
		return -EINVAL;
	d = domain_get_for_op(f.domid);
	if (!d)
		return -ESRCH;
	e = xzalloc_array(struct e820_entry, E820_SET_MAX);
	if (!e)
		rc = -ENOMEM;
	for (unsigned int i = 0; !rc && i < f.map.nr_entries; i++)
		rc = copy_from_guest_la(&e[i], guest_handle_la(f.map.buffer) + i * E820_ENTRY_BYTES,
					E820_ENTRY_BYTES);
	if (!rc) {
		spin_lock(&d->lock);
		old = d->e820;
		d->e820 = e;
		d->nr_e820 = f.map.nr_entries;
		spin_unlock(&d->lock);
		e = old;
	}
	xfree(e);
	domain_put(d);
	return rc;
}

/* --- numbers ----------------------------------------------------------------------------------- */

static long domain_number(unsigned int cmd, uint64_t la)
{
	struct domain *d;
	domid_t id;
	long rc;

	if (copy_from_guest_la(&id, la, sizeof(id)))
		return -EFAULT;
	d = domain_get_for_op(id);
	if (!d)
		return -ESRCH;
	if (!abi_may_control(d))
		rc = -EPERM;
	else if (cmd == XENMEM_current_reservation)
		rc = (long)d->tot_pages;
	else if (cmd == XENMEM_maximum_reservation)
		rc = (long)min(d->max_pages, (uint64_t)INT64_MAX);
	else
		rc = (long)d->p2m.max_gfn;
	domain_put(d);
	return rc;
}

static long op_pod_target(uint64_t la, bool set)
{
	struct xen_pod_target t;
	struct domain *d;

	if (!abi_privileged())
		return -EPERM;
	if (copy_from_guest_la(&t, la, sizeof(t)))
		return -EFAULT;
	d = domain_get_for_op(t.domid);
	if (!d)
		return -ESRCH;
	if (set)
		domain_priv(d)->pod_target = t.target_pages;
	if (set)
		claim_again(d);
	t.tot_pages = d->tot_pages;
	t.pod_cache_pages = READ_ONCE(d->p2m.pod.nr_spare);
	t.pod_entries = 0;
	domain_put(d);
	return copy_to_guest_la(la, &t, sizeof(t));
}

static long op_claim(uint64_t la)
{
	struct reservation r;
	struct domain *d;
	long rc;

	if (!abi_privileged())
		return -EPERM;
	if (reservation_read(la, &r))
		return -EFAULT;
	if (r.order || r.flags || r.list_la)
		return -EINVAL;
	d = domain_get_for_op(r.domid);
	if (!d)
		return -ESRCH;
	rc = domain_claim_pages(d, r.nr);
	if (!rc && !r.nr) /* the end of building */
		rc = claim_on_demand(d);
	domain_put(d);
	return rc;
}

static long memory_one(struct vcpu *v, unsigned int cmd, uint64_t start, uint64_t la)
{
	switch (cmd) {
	case XENMEM_populate_physmap:
		return list_op(v, cmd, la, start, populate_extent);
	case XENMEM_decrease_reservation:
		return list_op(v, cmd, la, start, decrease_extent);
	case XENMEM_maximum_ram_page:
		return (long)max_mfn - 1;
	case XENMEM_current_reservation:
	case XENMEM_maximum_reservation:
	case XENMEM_maximum_gpfn:
		return domain_number(cmd, la);
	case XENMEM_add_to_physmap:
		return abi_add_to_physmap(la);
	case XENMEM_add_to_physmap_batch:
		return abi_add_to_physmap_batch(v, la, start);
	case XENMEM_remove_from_physmap:
		return abi_remove_from_physmap(la);
	case XENMEM_acquire_resource:
		return abi_acquire_resource(v, la, start);
	case XENMEM_memory_map:
		return op_memory_map(v->domain, la);
	case XENMEM_machine_memory_map:
		return op_machine_memory_map(la);
	case XENMEM_set_memory_map:
		return op_set_memory_map(la);
	case XENMEM_set_pod_target:
		return op_pod_target(la, true);
	case XENMEM_get_pod_target:
		return op_pod_target(la, false);
	case XENMEM_get_sharing_freed_pages:
	case XENMEM_get_sharing_shared_pages:
		return 0;
	case XENMEM_claim_pages:
		return op_claim(la);
	case XENMEM_get_vnumainfo:
		return refusal_expected(-EOPNOTSUPP); /* xl and hvmloader ask always */
	default:
		return -ENOSYS;
	}
}

long abi_memory_op(struct vcpu *v, const struct hypercall_args *args)
{
	unsigned int cmd = args->a[0] & MEMOP_CMD_MASK;

	refusal_begin(&memory_family, cmd, DOMID_INVALID);
	return refusal_end(memory_one(v, cmd, args->a[0] >> MEMOP_EXTENT_SHIFT, args->a[1]), NULL,
			   0);
}
