/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HYPERVISOR_memory_op (xen/memory.h): populating, ballooning, memory maps, claims, totals. What enters
 * existing pages into a physical map is in memory_physmap.c. The upper bits of the command carry the
 * extent at which a preempted call goes on; the result of the list operations is how many were done, and
 * fewer than asked for is not an error ("try smaller").
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

/* --- populate ---------------------------------------------------------------------------------- */

/* Is there nothing in [gfn, gfn + 2^order)? */
static bool all_holes(struct domain *d, uint64_t gfn, unsigned int order)
{
	uint64_t end = gfn + (1ULL << order);

	while (gfn < end) {
		struct p2m_entry e = p2m_get(d, _gfn(gfn));

		if (e.type != P2M_INVALID)
			return false;
		gfn = p2m_behind(gfn, e.order);
	}
	return true;
}

static unsigned int chunk_order(unsigned int order)
{
	if (order >= ORDER_1G && hvm_ops->p2m_format->max_leaf_level >= 3)
		return ORDER_1G;
	return order >= ORDER_2M ? ORDER_2M : ORDER_4K;
}

/*
 * Takes back what is mapped of a fresh extent and frees all of it, with d->lock held: what the guest has given back
 * itself by now would be somebody else's.
 */
static void populate_undo(struct domain *d, uint64_t gfn, struct page *p, unsigned int order,
			  uint64_t mapped)
{
	struct p2m_entry e;

	for (uint64_t i = 0; i < 1ULL << order; i++)
		if (i >= mapped ||
		    (!p2m_take(d, _gfn(gfn + i), &e) && mfn_eq(e.mfn, page_to_mfn(p + i))))
			page_drop_claim(p + i);
}

/* One extent of a guest. False: no memory, no room, or something is there already. */
static bool populate_guest(struct domain *d, uint64_t gfn, unsigned int order)
{
	unsigned int chunk = chunk_order(order);
	uint64_t i = 0, n = 1ULL << order;
	struct page *p;
	mfn_t mfn;

	if ((gfn & (n - 1)) || (gfn + n) >> (host_cpu.phys_bits - PAGE_SHIFT))
		return false;
	p = alloc_domain_pages(d, order);
	if (!p)
		return false;
	mfn = page_to_mfn(p);
	spin_lock(&d->lock);
	if (all_holes(d, gfn, order))
		while (i < n && !p2m_set(d, _gfn(gfn + i), mfn_add(mfn, i), chunk, P2M_RAM_RW,
					 P2M_ACCESS_RWX))
			i += 1ULL << chunk;
	if (i < n)
		populate_undo(d, gfn, p, order, i);
	spin_unlock(&d->lock);
	return i >= n;
}

/* One extent that gets its pages when they are touched. */
static bool populate_later(struct domain *d, uint64_t gfn, unsigned int order)
{
	unsigned int chunk = chunk_order(order);
	uint64_t i, n = 1ULL << order;
	bool ok;

	if ((gfn & (n - 1)) || (gfn + n) >> (host_cpu.phys_bits - PAGE_SHIFT))
		return false;
	spin_lock(&d->lock);
	ok = all_holes(d, gfn, order);
	for (i = 0; ok && i < n; i += 1ULL << chunk)
		ok = !p2m_set(d, _gfn(gfn + i), INVALID_MFN, chunk, P2M_POD, P2M_ACCESS_RWX);
	spin_unlock(&d->lock);
	return ok;
}

static bool populate_dom0(struct domain *d, uint64_t gfn, unsigned int order)
{
	for (uint64_t i = 0; i < 1ULL << order; i++) {
		bool ok;

		if (!dom0_owns_mfn(_mfn(gfn + i)))
			return false;
		spin_lock(&d->lock);
		ok = p2m_get(d, _gfn(gfn + i)).type == P2M_INVALID &&
		     !p2m_set(d, _gfn(gfn + i), _mfn(gfn + i), 0, P2M_RAM_RW, P2M_ACCESS_RWX);
		spin_unlock(&d->lock);
		if (!ok)
			return false;
		spin_lock(&d->page_lock);
		d->tot_pages++;
		spin_unlock(&d->page_lock);
	}
	return true;
}

/* 0 = went well, 1 = stop here. */
static int populate_extent(struct domain *d, const struct reservation *r, uint64_t i)
{
	uint64_t gfn;

	if (extent_read(r, i, &gfn) || gfn >> 40)
		return 1;
	if (d->is_dom0)
		return !populate_dom0(d, gfn, r->order);
	if ((r->flags & XENMEMF_populate_on_demand) && abi_privileged())
		return !populate_later(d, gfn, r->order);
	return !populate_guest(d, gfn, r->order);
}

/* --- give back --------------------------------------------------------------------------------- */

static int decrease_extent(struct domain *d, const struct reservation *r, uint64_t i)
{
	uint64_t gfn, n;

	if (extent_read(r, i, &gfn))
		return 1;
	for (n = 0; n < 1ULL << r->order; n++)
		if (physmap_remove(d, _gfn(gfn + n)))
			return 1;
	return 0;
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

static long list_op(struct vcpu *v, unsigned int cmd, uint64_t la, uint64_t start,
		    int (*one)(struct domain *d, const struct reservation *r, uint64_t i))
{
	struct reservation r;
	struct domain *d;
	uint64_t i;
	long rc = 0;

	if (reservation_read(la, &r) || start > r.nr || r.nr >> 40 || !r.list_la)
		return (long)start;
	if (r.order > (abi_privileged() ? ORDER_1G : ORDER_MAX_GUEST))
		return (long)start;
	d = domain_get_for_op(r.domid);
	if (!d)
		return (long)start;
	if (!abi_may_control(d)) {
		domain_put(d);
		return (long)start;
	}
	for (i = start; i < r.nr; i++) {
		if (i != start && hypercall_preempt()) {
			rc = memory_op_continue(v, cmd, i);
			break;
		}
		if (one(d, &r, i))
			break;
	}
	if (cmd == XENMEM_decrease_reservation) {
		ioreq_request_mapcache_invalidate(d);
		claim_again(d);
	}
	domain_put(d);
	return rc ? rc : (long)i;
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
