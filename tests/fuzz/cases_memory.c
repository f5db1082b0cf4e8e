/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory's limits, claims, resources; grants and their limits, and a granter that is destroyed while in use. */
#include "cases.h"
#include "vmm/domain/internal.h"
#include "vmm/mm/internal.h"
#include <xen/domctl.h>
#include <xen/hvm/dm_op.h>
#include <xen/memory.h>

#define A	   DOMID_A
#define B	   DOMID_B
#define FRAMES_MAX 4U /* of grants, machine.c */
#define MAPS_MAX   (4U * MAPTRACK_BUCKET)
#define REFS_MAX   (FRAMES_MAX * GRANTS_PER_FRAME)
#define HELD	   32U /* pages that somebody holds, from here on */
#define HELD_GFN   24U

/* --- memory ------------------------------------------------------------------------------------ */

static long max_mem(domid_t id, uint64_t pages)
{
	struct xen_domctl op = { .u.max_mem.max_memkb = pages << (PAGE_SHIFT - 10) };

	return domctl(XEN_DOMCTL_max_mem, id, &op);
}

CASE(memory_ends_at_the_limit)
{
	const unsigned int more = GUEST_MAX - GUEST_RAM;

	EXPECT(reserve(A, DOMID_SELF, XENMEM_populate_physmap, FIRST_HOLE, more + 5),
	       == (long)more);
	EXPECT(dom(A)->tot_pages, == GUEST_MAX);
	EXPECT(reserve(A, DOMID_SELF, XENMEM_decrease_reservation, FIRST_HOLE, 8), == 8);
	EXPECT(reserve(A, DOMID_SELF, XENMEM_populate_physmap, FIRST_HOLE, 8), == 8);
	/* Where something is already, nothing is put. */
	EXPECT(reserve(A, DOMID_SELF, XENMEM_decrease_reservation, FIRST_HOLE, 1), == 1);
	EXPECT(reserve(A, DOMID_SELF, XENMEM_populate_physmap, FIRST_HOLE + 1, 1), == 0);
	/* A limit below what the domain has takes nothing away, but it gets nothing. */
	EXPECT(max_mem(A, GUEST_RAM), == 0);
	EXPECT(reserve(A, DOMID_SELF, XENMEM_populate_physmap, FIRST_HOLE, 1), == 0);
	EXPECT(dom(A)->tot_pages, == GUEST_MAX - 1);
	EXPECT(max_mem(A, GUEST_MAX), == 0);
	EXPECT(reserve(A, DOMID_SELF, XENMEM_populate_physmap, FIRST_HOLE, 1), == 1);
	/* One guest may not do it for another. */
	EXPECT(reserve(A, B, XENMEM_populate_physmap, FIRST_HOLE, 1), == 0);
	EXPECT(reserve(A, B, XENMEM_decrease_reservation, 0, 1), == 0);
	EXPECT(dom(B)->tot_pages, == GUEST_RAM);
}

CASE(pages_come_back_empty)
{
	uint64_t *p = guest_page(A, 20);

	memset(p, 0x5a, PAGE_SIZE);
	EXPECT(reserve(A, DOMID_SELF, XENMEM_decrease_reservation, 20, 1), == 1);
	for (unsigned int i = 0; i < 64; i++) {
		EXPECT(reserve(B, DOMID_SELF, XENMEM_populate_physmap, FIRST_HOLE + i, 1), == 1);
		p = guest_page(B, FIRST_HOLE + i);
		for (unsigned int k = 0; k < PAGE_SIZE / sizeof(*p); k++)
			EXPECT(p[k], == 0);
	}
}

CASE(operations_that_are_not_there)
{
	struct xen_memory_exchange x = { .in = { .nr_extents = 1, .domid = DOMID_SELF },
					 .out = { .nr_extents = 1, .domid = DOMID_SELF } };

	guest_handle_set(x.in.extent_start, LIST);
	guest_handle_set(x.out.extent_start, LIST);
	EXPECT(call_op(A, __HYPERVISOR_memory_op, XENMEM_exchange, &x, sizeof(x)), == -ENOSYS);
	EXPECT(call_op(0, __HYPERVISOR_memory_op, XENMEM_exchange, &x, sizeof(x)), == -ENOSYS);
	EXPECT(call_op(A, __HYPERVISOR_memory_op, XENMEM_increase_reservation, &x.in, sizeof(x.in)),
	       == -ENOSYS);
}

static long claim(domid_t caller, domid_t about, uint64_t pages)
{
	struct xen_memory_reservation r = { .nr_extents = pages, .domid = about };

	return call_op(caller, __HYPERVISOR_memory_op, XENMEM_claim_pages, &r, sizeof(r));
}

CASE(claims)
{
	uint64_t left = free_page_count();

	EXPECT(claim(A, DOMID_SELF, 100), == -EPERM);
	EXPECT(max_mem(A, left + GUEST_RAM + 1), == 0);
	EXPECT(claim(0, A, left + GUEST_RAM + 1), == -ENOMEM);
	EXPECT(outstanding_claims(), == 0);
	left = free_page_count();
	EXPECT(claim(0, A, left - 20 + GUEST_RAM), == 0);
	EXPECT(outstanding_claims(), == (long)left - 20);
	EXPECT(claim(0, A, 1000), == -EINVAL); /* one at a time */
	/* What is claimed is there for A and for nobody else. */
	EXPECT(reserve(B, DOMID_SELF, XENMEM_populate_physmap, FIRST_HOLE, 100), <= 20);
	EXPECT(reserve(A, DOMID_SELF, XENMEM_populate_physmap, FIRST_HOLE, 100), == 100);
	EXPECT(outstanding_claims(), == (long)left - 120);
	EXPECT(claim(0, A, 0), == 0);
	EXPECT(outstanding_claims(), == 0);
	EXPECT(reserve(B, DOMID_SELF, XENMEM_populate_physmap, FIRST_HOLE + 50, 60), == 60);
	/* A domain that goes takes its claim along. */
	EXPECT(claim(0, A, dom(A)->tot_pages + 50), == 0);
	EXPECT(outstanding_claims(), == 50);
	machine_kill(dom(A));
	EXPECT(outstanding_claims(), == 0);
}

static long acquire(domid_t caller, domid_t about, uint32_t frame, uint32_t nr, uint64_t list)
{
	struct xen_mem_acquire_resource r = {
		.domid = about, .type = XENMEM_resource_grant_table, .frame = frame, .nr_frames = nr
	};
	long rc;

	guest_handle_set(r.frame_list, list);
	rc = call_op(caller, __HYPERVISOR_memory_op, XENMEM_acquire_resource, &r, sizeof(r));
	return rc || list ? rc : (long)r.nr_frames;
}

CASE(resources)
{
	uint64_t *list = guest_page(0, SCRATCH_GFN);

	list[0] = HOLE_FIRST;
	list[1] = HOLE_FIRST + 1;
	EXPECT(acquire(A, B, 0, 1, LIST), == -EPERM);
	EXPECT(acquire(0, 0, 0, 1, LIST), == -EINVAL);
	EXPECT(acquire(0, 999, 0, 1, LIST), == -ESRCH);
	EXPECT(acquire(0, A, 0, 0, 0), == FRAMES_MAX);
	EXPECT(acquire(0, A, FRAMES_MAX, 1, LIST), == -EINVAL);
	EXPECT(acquire(0, A, ~0U, 2, LIST), < 0);
	EXPECT(acquire(0, A, 0, 2, LIST), == 0);
	EXPECT(guest_page(0, HOLE_FIRST) == page_to_virt(dom(A)->grant->frame[0]), == 1);
	EXPECT(guest_page(0, HOLE_FIRST + 1) == page_to_virt(dom(A)->grant->frame[1]), == 1);
	/* What is no memory of the machine is no place for it. */
	list[0] = RAM_PAGES + 1;
	EXPECT(acquire(0, A, 0, 1, LIST), == -EBUSY);
}

/* --- grants ------------------------------------------------------------------------------------ */

static long grant_op(domid_t id, unsigned int cmd, void *arg, size_t size)
{
	return call_op(id, __HYPERVISOR_grant_table_op, cmd, arg, size);
}

static long setup_table(uint32_t nr)
{
	struct gnttab_setup_table s = { .dom = DOMID_SELF, .nr_frames = nr };

	guest_handle_set(s.frame_list, LIST);
	EXPECT(grant_op(A, GNTTABOP_setup_table, &s, sizeof(s)), == 0);
	return s.status;
}

CASE(grant_frames_end_at_the_limit)
{
	struct gnttab_query_size q = { .dom = DOMID_SELF };

	EXPECT(setup_table(FRAMES_MAX + 1), == GNTST_general_error);
	EXPECT(setup_table(FRAMES_MAX), == GNTST_okay);
	EXPECT(grant_op(A, GNTTABOP_query_size, &q, sizeof(q)), == 0);
	EXPECT(q.status, == GNTST_okay);
	EXPECT(q.nr_frames, == FRAMES_MAX);
	EXPECT(q.max_nr_frames, == FRAMES_MAX);
	q.dom = B;
	EXPECT(grant_op(A, GNTTABOP_query_size, &q, sizeof(q)), == 0);
	EXPECT(q.status, == GNTST_permission_denied);
}

/* A grants dom0 its page gfn as ref. */
static void grant_to_dom0(grant_ref_t ref, uint32_t gfn)
{
	grant_entry_v1_t *e = page_to_virt(dom(A)->grant->frame[ref / GRANTS_PER_FRAME]);

	e[ref % GRANTS_PER_FRAME] =
		(grant_entry_v1_t){ .flags = GTF_permit_access, .domid = 0, .frame = gfn };
}

static long map(grant_ref_t ref, uint64_t gfn, uint32_t flags, grant_handle_t *handle)
{
	struct gnttab_map_grant_ref m = {
		.host_addr = gfn << PAGE_SHIFT, .flags = flags, .ref = ref, .dom = A
	};

	EXPECT(grant_op(0, GNTTABOP_map_grant_ref, &m, sizeof(m)), == 0);
	*handle = m.handle;
	return m.status;
}

static long relocate(domid_t id, uint64_t from, uint64_t to, uint32_t nr)
{
	struct xen_dm_op op = { .op = XEN_DMOP_relocate_memory };
	struct xen_dm_op_buf buf = { .size = sizeof(op) };

	op.u.relocate_memory.src_gfn = from;
	op.u.relocate_memory.dst_gfn = to;
	op.u.relocate_memory.size = nr;
	guest_handle_set(buf.h, LIST);
	memcpy(guest_page(0, ARG_GFN), &buf, sizeof(buf));
	memcpy(guest_page(0, SCRATCH_GFN), &op, sizeof(op));
	return call_as(0, 0, __HYPERVISOR_dm_op, id, 1, ARG, 0);
}

static long unmap(grant_handle_t handle, uint64_t gfn)
{
	struct gnttab_unmap_grant_ref u = { .host_addr = gfn << PAGE_SHIFT, .handle = handle };

	EXPECT(grant_op(0, GNTTABOP_unmap_grant_ref, &u, sizeof(u)), == 0);
	return u.status;
}

CASE(mappings_end_at_the_limit)
{
	static grant_handle_t handle[MAPS_MAX + 1];
	unsigned int n;
	long status = 0;

	for (n = 0; n <= MAPS_MAX; n++) {
		grant_to_dom0(8, 20);
		status = map(8, HOLE_FIRST + n, GNTMAP_host_map | GNTMAP_readonly, &handle[n]);
		if (status)
			break;
	}
	EXPECT(n, == MAPS_MAX);
	EXPECT(status, == GNTST_no_space);
	EXPECT(unmap(handle[5], HOLE_FIRST + 6), == GNTST_bad_virt_addr);
	EXPECT(unmap(handle[5], HOLE_FIRST + 5), == GNTST_okay);
	EXPECT(unmap(handle[5], HOLE_FIRST + 5), == GNTST_bad_handle);
	EXPECT(map(8, HOLE_FIRST + 5, GNTMAP_host_map | GNTMAP_readonly, &handle[5]),
	       == GNTST_okay);
	for (unsigned int i = 0; i < n; i++)
		EXPECT(unmap(handle[i], HOLE_FIRST + i), == GNTST_okay);
	EXPECT(mfn_to_page(p2m_get(dom(A), _gfn(20)).mfn)->refs, == 1);
}

/* Moves of pages that somebody holds, of a granter whose last grant is in use: each looks at all its grants. */
CASE(held_pages_move_in_pieces)
{
	struct xen_add_to_physmap a = { .domid = DOMID_SELF,
					.space = XENMAPSPACE_gmfn_range,
					.size = HELD,
					.idx = HELD_GFN,
					.gpfn = FIRST_HOLE };
	struct domain *d = dom(A);
	struct page *held[HELD];
	grant_handle_t handle;

	EXPECT(setup_table(FRAMES_MAX), == GNTST_okay);
	grant_to_dom0(REFS_MAX - 1, 20);
	EXPECT(map(REFS_MAX - 1, HOLE_FIRST, GNTMAP_host_map, &handle), == GNTST_okay);
	for (unsigned int i = 0; i < HELD; i++) {
		held[i] = mfn_to_page(p2m_get(d, _gfn(HELD_GFN + i)).mfn);
		EXPECT(page_get(held[i], d), == true);
	}
	EXPECT(call_op(A, __HYPERVISOR_memory_op, XENMEM_add_to_physmap, &a, sizeof(a)), == 0);
	d->is_pvh = false; /* so it may have a device model */
	EXPECT(relocate(A, FIRST_HOLE, HELD_GFN, HELD), == 0);
	d->is_pvh = true;
	for (unsigned int i = 0; i < HELD; i++) {
		EXPECT(mfn_to_page(p2m_get(d, _gfn(HELD_GFN + i)).mfn) == held[i], == true);
		page_put(held[i]);
	}
	EXPECT(unmap(handle, HOLE_FIRST), == GNTST_okay);
}

/* xl destroy while dom0 has pages mapped: they stay what they are, and all comes back with the last one. */
CASE(destroyed_while_mapped)
{
	struct domain *d = dom(A);
	uint64_t before = free_page_count();
	uint8_t *seen[16];
	grant_handle_t handle[17];

	for (unsigned int i = 0; i < 16; i++) {
		seen[i] = guest_page(A, 20 + i);
		memset(seen[i], 0x30 + i, PAGE_SIZE);
		grant_to_dom0(8 + i, 20 + i);
		EXPECT(map(8 + i, HOLE_FIRST + i, GNTMAP_host_map, &handle[i]), == GNTST_okay);
	}
	machine_kill(d);
	machine_pass(NS_PER_SEC);
	EXPECT(d->dying, == DOMDYING_DEAD);
	EXPECT(d->tot_pages, == 16);
	EXPECT(map(8, HOLE_FIRST + 16, GNTMAP_host_map, &handle[16]), == GNTST_bad_domain);
	for (unsigned int i = 0; i < 16; i++) {
		uint8_t *mine = guest_page(0, HOLE_FIRST + i);

		EXPECT(mine == seen[i], == 1);
		EXPECT(mine[100], == 0x30 + i);
		EXPECT(unmap(handle[i], HOLE_FIRST + i), == GNTST_okay);
	}
	for (unsigned int i = 0; i < 4; i++)
		machine_pass(NS_PER_SEC);
	EXPECT(domain_get_by_id(A) == NULL, == 1);
	EXPECT(free_page_count(), > (long)before + (long)GUEST_RAM);
}

CASE(a_granted_page_cannot_be_given_back)
{
	grant_handle_t handle;
	uint8_t *p = guest_page(A, 20);

	grant_to_dom0(8, 20);
	EXPECT(map(8, HOLE_FIRST, GNTMAP_host_map, &handle), == GNTST_okay);
	*p = 0x77;
	EXPECT(reserve(A, DOMID_SELF, XENMEM_decrease_reservation, 20, 1), == 1);
	EXPECT(dom(A)->tot_pages,
	       == GUEST_RAM); /* it still counts as A's: no way around the limit */
	EXPECT(*(uint8_t *)guest_page(0, HOLE_FIRST), == 0x77);
	EXPECT(unmap(handle, HOLE_FIRST), == GNTST_okay);
	EXPECT(dom(A)->tot_pages, == GUEST_RAM - 1);
}

/* A tool that restores a domain names single frames: those that fill a large page get one. */
CASE(populated_frame_by_frame)
{
	struct domain *d = dom(DOMID_B);
	uint64_t tot = d->tot_pages;

	d->max_pages = 2048;
	EXPECT(reserve(0, DOMID_B, XENMEM_populate_physmap, 1023, 514), == 514);
	EXPECT(d->tot_pages - tot, == 514);
	EXPECT(p2m_get(d, _gfn(1023)).order, == 0);
	EXPECT(p2m_get(d, _gfn(1024)).order, == 9);
	EXPECT(p2m_get(d, _gfn(1535)).type, == P2M_RAM_RW);
	EXPECT(p2m_get(d, _gfn(1536)).order, == 0);
	/* What is there already is nobody's to replace: as many are done as were before it. */
	EXPECT(reserve(0, DOMID_B, XENMEM_populate_physmap, 1024, 512), == 0);
	EXPECT(reserve(0, DOMID_B, XENMEM_populate_physmap, 512, 512), == 511);
	EXPECT(p2m_get(d, _gfn(512)).order, == 0);
	/* Without room for a large page there are small ones, for as long as there are any. */
	d->max_pages = d->tot_pages + 100;
	EXPECT(reserve(0, DOMID_B, XENMEM_populate_physmap, 2048, 512), == 100);
	/* A guest gets what it asks for. */
	d->max_pages = 4096;
	EXPECT(reserve(DOMID_B, DOMID_SELF, XENMEM_populate_physmap, 2560, 512), == 512);
	EXPECT(p2m_get(d, _gfn(2560)).order, == 0);
}
