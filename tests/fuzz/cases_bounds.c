// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Numbers from outside that no frame has, twice each, and calls that ask for much at once. That no piece of a call is
 * too long, work.c looks at in every case; here are the calls where it could be.
 */
#include "cases.h"
#include "hvm_ops.h"
#include "work.h"
#include "vmm/domain/internal.h"
#include <xen/domctl.h>
#include <xen/hvm/dm_op.h>
#include <xen/hvm/hvm_op.h>
#include <xen/memory.h>

#define A	   DOMID_A
#define B	   DOMID_B
#define BIG_GFN	   1024U /* 2 MiB-aligned, nothing is there */
#define FAR_GFN	   (1ULL << 20)
#define LARGE_PAGE 512U
#define EXTENTS	   1024U /* of modified memory: four pages of dom0, whose pages follow one another */

static const uint64_t edges[] = {
	~0ULL,
	~0ULL - 1,
	~0ULL - 511,
	~0ULL - 16383,
	~0ULL - 19999,
	1ULL << 63,
	(1ULL << 63) - 1,
	(1ULL << 52) - 1,
	1ULL << 52,
	1ULL << 40,
	(1ULL << 36) - 1,
	1ULL << 36,
	(1ULL << 36) - 16384,
	(1ULL << 32) - 1,
	1ULL << 28,
	(1ULL << 28) - 1,
	(1ULL << 28) - 16384,
	FIRST_HOLE - 1,
	0,
};
static const uint32_t counts[] = { 1, 2, 511, 512, 16383, 16384, 65535, 1U << 31, ~0U };

/* --- device models ----------------------------------------------------------------------------- */

/* One operation on B with a second buffer of a page and more. */
static long dm_op(struct xen_dm_op *op)
{
	struct xen_dm_op_buf buf[2] = { { .size = sizeof(*op) }, { .size = 4 * PAGE_SIZE } };
	void *at = guest_page(0, SCRATCH_GFN);
	long rc;

	guest_handle_set(buf[0].h, LIST);
	guest_handle_set(buf[1].h, LIST + PAGE_SIZE);
	memcpy(guest_page(0, ARG_GFN), buf, sizeof(buf));
	memcpy(at, op, sizeof(*op));
	rc = call_as(0, 0, __HYPERVISOR_dm_op, B, 2, ARG, 0);
	memcpy(op, at, sizeof(*op));
	return rc;
}

static long track(uint64_t first, uint32_t nr)
{
	struct xen_dm_op op = { .op = XEN_DMOP_track_dirty_vram };

	op.u.track_dirty_vram.first_pfn = first;
	op.u.track_dirty_vram.nr = nr;
	return dm_op(&op);
}

/* One extent that was modified. */
static long modified(uint64_t first, uint32_t nr)
{
	struct xen_dm_op op = { .op = XEN_DMOP_modified_memory };
	struct xen_dm_op_modified_memory_extent *e = guest_page(0, SCRATCH_GFN + 1);

	e->first_pfn = first;
	e->nr = nr;
	e->pad = 0;
	op.u.modified_memory.nr_extents = 1;
	return dm_op(&op);
}

static long set_type(uint64_t first, uint32_t nr, hvmmem_type_t type)
{
	struct xen_dm_op op = { .op = XEN_DMOP_set_mem_type };

	op.u.set_mem_type.first_pfn = first;
	op.u.set_mem_type.nr = nr;
	op.u.set_mem_type.mem_type = type;
	return dm_op(&op);
}

static long relocate(uint64_t from, uint64_t to, uint32_t nr)
{
	struct xen_dm_op op = { .op = XEN_DMOP_relocate_memory };

	op.u.relocate_memory.src_gfn = from;
	op.u.relocate_memory.dst_gfn = to;
	op.u.relocate_memory.size = nr;
	return dm_op(&op);
}

static long pin(uint64_t start, uint64_t end, uint32_t type)
{
	struct xen_dm_op op = { .op = XEN_DMOP_pin_memory_cacheattr };

	op.u.pin_memory_cacheattr.start = start;
	op.u.pin_memory_cacheattr.end = end;
	op.u.pin_memory_cacheattr.type = type;
	return dm_op(&op);
}

/* What hung two locks with interrupts off: the second call went over the end of all numbers. */
CASE(video_memory_beyond_all_numbers)
{
	EXPECT(track(~0ULL - 19999, 16384), == -EINVAL);
	EXPECT(track(~0ULL - 19999, 16384), == -EINVAL);
	EXPECT(track((1ULL << 28) - 16383, 16384), == -EINVAL);
	EXPECT(track((1ULL << 28) - 16384, 16384), == 0);
	EXPECT(track((1ULL << 28) - 16384, 16384), == 0);
	EXPECT(track(0, 0), == 0);
}

static bool is_range(uint64_t first, uint64_t nr)
{
	return first <= 1ULL << 28 && nr <= (1ULL << 28) - first;
}

CASE(device_models_numbers_at_every_edge)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(edges) * ARRAY_SIZE(counts) * 2; i++) {
		uint64_t first = edges[i / 2 / ARRAY_SIZE(counts)];
		uint32_t nr = counts[i / 2 % ARRAY_SIZE(counts)];

		if (!is_range(first, nr)) {
			EXPECT(track(first, nr), == -EINVAL);
			EXPECT(modified(first, nr), == -EINVAL);
			EXPECT(set_type(first, nr, HVMMEM_ram_ro), == -EINVAL);
			EXPECT(relocate(first, 100, nr), == -EINVAL);
			EXPECT(relocate(0, first, nr), == -EINVAL);
			EXPECT(pin(first, first + nr - 1, XEN_DMOP_MEM_CACHEATTR_WB), == -EINVAL);
		} else if (nr <= 16384) {
			EXPECT(track(first, nr), == 0);
			EXPECT(modified(first, nr), == 0);
			EXPECT(set_type(first, nr, HVMMEM_mmio_dm), <= 0);
			EXPECT(relocate(first, first, nr), == -EINVAL);
			EXPECT(pin(first, first + nr - 1, XEN_DMOP_MEM_CACHEATTR_WB), == 0);
		}
	}
	EXPECT(pin(5, 4, XEN_DMOP_MEM_CACHEATTR_WB), == -EINVAL);
	EXPECT(pin(4, 5, 2), == -EINVAL);
	EXPECT(dom(B)->shutting_down, == false);
}

static void populate_large(domid_t id, uint64_t gfn)
{
	struct xen_memory_reservation r = { .nr_extents = 1,
					    .extent_order = ORDER_2M,
					    .domid = DOMID_SELF };
	uint64_t *list = guest_page(id, SCRATCH_GFN);

	dom(id)->max_pages = 4 * LARGE_PAGE;
	p2m_allow_pages(&dom(id)->p2m, 4 * LARGE_PAGE);
	*list = gfn;
	guest_handle_set(r.extent_start, LIST);
	EXPECT(call_op(id, __HYPERVISOR_memory_op, XENMEM_populate_physmap, &r, sizeof(r)), == 1);
}

static bool written(const uint8_t *map, uint64_t n)
{
	return map[n / 8] >> (n % 8) & 1;
}

/* All of the video memory that there may be, over and over; what is written at its end is told. */
CASE(large_video_memory_goes_in_pieces)
{
	const uint8_t *map = guest_page(0, SCRATCH_GFN + 1);

	populate_large(B, BIG_GFN);
	EXPECT(track(0, 16384), == 0);
	EXPECT(written(map, 16383), == 1);
	EXPECT(track(0, 16384), == 0);
	EXPECT(written(map, BIG_GFN + 500), == 0);
	EXPECT(modified(BIG_GFN + 500, 1), == 0);
	EXPECT(modified(16384, 1), == 0);
	EXPECT(track(0, 16384), == 0);
	EXPECT(written(map, BIG_GFN + 500), == 1);
	EXPECT(written(map, BIG_GFN + 501), == 0);
	EXPECT(track(0, 16384), == 0);
	EXPECT(written(map, BIG_GFN + 500), == 0);
	/* Another range in the middle of a round, and back. */
	EXPECT(track(1, 16383), == 0);
	EXPECT(track(0, 16384), == 0);
	EXPECT(written(map, 3), == 1);
}

CASE(many_modified_extents_go_in_pieces)
{
	struct xen_dm_op op = { .op = XEN_DMOP_modified_memory };
	struct xen_dm_op_modified_memory_extent *e = guest_page(0, SCRATCH_GFN + 1);
	uint8_t map[16];

	EXPECT(log_begin(B), == 0);
	log_ask(B, 64, map, true);
	for (unsigned int i = 0; i < EXTENTS; i++)
		e[i] = (struct xen_dm_op_modified_memory_extent){ .first_pfn = i % 4, .nr = 16384 };
	op.u.modified_memory.nr_extents = EXTENTS;
	EXPECT(dm_op(&op), == 0);
	EXPECT(op.u.modified_memory.nr_extents, == 0);
	EXPECT(log_ask(B, 64, map, true), == 64);
}

CASE(types_of_many_frames_go_in_pieces)
{
	struct domain *d = dom(B);

	populate_large(B, BIG_GFN);
	EXPECT(set_type(BIG_GFN, LARGE_PAGE, HVMMEM_ram_ro), == 0);
	EXPECT(p2m_get(d, _gfn(BIG_GFN)).type, == P2M_RAM_RO);
	EXPECT(p2m_get(d, _gfn(BIG_GFN + LARGE_PAGE - 1)).type, == P2M_RAM_RO);
	EXPECT(set_type(BIG_GFN + 1, LARGE_PAGE - 1, HVMMEM_ram_rw), == 0);
	EXPECT(p2m_get(d, _gfn(BIG_GFN)).type, == P2M_RAM_RO);
	EXPECT(p2m_get(d, _gfn(BIG_GFN + 1)).type, == P2M_RAM_RW);
	EXPECT(set_type(BIG_GFN + LARGE_PAGE, 1U << 20, HVMMEM_mmio_dm), == 0);
	EXPECT(relocate(BIG_GFN, BIG_GFN + LARGE_PAGE, LARGE_PAGE), == 0);
	EXPECT(p2m_get(d, _gfn(BIG_GFN + LARGE_PAGE)).type, == P2M_RAM_RO);
	EXPECT(p2m_get(d, _gfn(BIG_GFN + 2 * LARGE_PAGE - 1)).type, == P2M_RAM_RW);
}

/* While writes are logged, memory that becomes writable is logged, too. */
CASE(types_change_while_all_is_logged)
{
	struct domain *d = dom(B);

	EXPECT(set_type(20, 1, HVMMEM_ram_ro), == 0);
	EXPECT(log_begin(B), == 0);
	EXPECT(set_type(20, 2, HVMMEM_ram_rw), == 0);
	EXPECT(p2m_get(d, _gfn(20)).type, == P2M_RAM_LOGDIRTY);
	EXPECT(p2m_get(d, _gfn(21)).type, == P2M_RAM_LOGDIRTY);
}

/* --- memory ------------------------------------------------------------------------------------ */

static long extents(domid_t caller, domid_t about, unsigned int cmd, uint64_t gfn,
		    unsigned int order)
{
	struct xen_memory_reservation r = { .nr_extents = 1,
					    .extent_order = order,
					    .domid = about };
	uint64_t *list = guest_page(caller, SCRATCH_GFN);

	*list = gfn;
	guest_handle_set(r.extent_start, LIST);
	return call_op(caller, __HYPERVISOR_memory_op, cmd, &r, sizeof(r));
}

static unsigned int flushes;

static void count_flush(struct domain *d)
{
	(void)d;
	flushes++;
}

static void on_counting_machine(void)
{
	change_machine(&fake_hvm_ops);
	machine_on_flush = count_flush;
}

CASE(large_pages_come_and_go_in_pieces)
{
	struct domain *d;
	uint64_t *p;

	on_counting_machine();
	d = dom(A);
	for (unsigned int i = 0; i < 2; i++) {
		populate_large(A, BIG_GFN);
		EXPECT(d->tot_pages, == GUEST_RAM + LARGE_PAGE);
		EXPECT(p2m_get(d, _gfn(BIG_GFN)).type, == P2M_RAM_RW);
		EXPECT(p2m_get(d, _gfn(BIG_GFN + LARGE_PAGE - 1)).type, == P2M_RAM_RW);
		for (unsigned int k = 0; k < LARGE_PAGE; k++) {
			p = guest_page(A, BIG_GFN + k);
			EXPECT(p[0] | p[511], == 0);
			p[k] = ~0ULL;
		}
		flushes = 0;
		EXPECT(extents(A, DOMID_SELF, XENMEM_decrease_reservation, BIG_GFN, ORDER_2M),
		       == 1);
		EXPECT(flushes, <= 8); /* a shootdown for each page, once */
		EXPECT(d->tot_pages, == GUEST_RAM);
	}
	change_machine(&fake_hvm_ops);
}

/* One page, where the memory is contiguous and nothing was there. */
CASE(large_pages_are_large)
{
	populate_large(A, BIG_GFN);
	EXPECT(p2m_get(dom(A), _gfn(BIG_GFN)).order, == ORDER_2M);
}

/* A call that is not gone on with keeps nothing for good: others go on with it, give it back, or its end does. */
CASE(large_page_that_is_given_up_half_way)
{
	const struct asker nobody = { 0 };
	struct domain *d = dom(A);
	struct page *p;
	int rc;

	d->max_pages = GUEST_RAM + LARGE_PAGE + 4;
	spin_lock(&d->lock);
	rc = domain_memory_get(d, ORDER_2M, &nobody, &p);
	spin_unlock(&d->lock);
	EXPECT(rc, == -ERESTART);
	check_machine();
	EXPECT(extents(A, DOMID_SELF, XENMEM_populate_physmap, FIRST_HOLE, 0), == 1);
	EXPECT(d->stock.first == NULL, == false);
	EXPECT(extents(A, DOMID_SELF, XENMEM_populate_physmap, FIRST_HOLE + 8, 3), == 1);
	EXPECT(extents(A, DOMID_SELF, XENMEM_populate_physmap, BIG_GFN, 6), == 1);
	EXPECT(d->stock.first == NULL, == true);
	EXPECT(d->tot_pages, == GUEST_RAM + 9 + 64);
	spin_lock(&d->lock);
	rc = domain_memory_get(d, 7, &nobody, &p);
	spin_unlock(&d->lock);
	EXPECT(rc, == -ERESTART);
	EXPECT(extents(A, DOMID_SELF, XENMEM_populate_physmap, BIG_GFN + LARGE_PAGE, 8), == 1);
	EXPECT(d->tot_pages, == GUEST_RAM + 9 + 64 + 256);
	spin_lock(&d->lock);
	rc = domain_memory_get(d, 7, &nobody, &p);
	spin_unlock(&d->lock);
	EXPECT(rc, == -ERESTART); /* the case ends with it */
}

CASE(memory_numbers_at_every_edge)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(edges) * 2; i++) {
		uint64_t gfn = edges[i / 2];

		for (unsigned int order = 0; order <= 64; order++) {
			if (gfn + 1 < 2 || gfn == FIRST_HOLE - 1)
				break;
			EXPECT(extents(A, DOMID_SELF, XENMEM_populate_physmap, gfn, order),
			       == (order == 0 && gfn < 1ULL << 28 ? !(i & 1) : 0));
			EXPECT(extents(0, A, XENMEM_decrease_reservation, gfn + 1, order), == 0);
			EXPECT(extents(0, DOMID_SELF, XENMEM_populate_physmap, gfn, order), == 0);
		}
	}
}

/* Frames without pages far up: nothing goes over them one by one with interrupts off. */
static void scatter(domid_t id)
{
	struct xen_memory_reservation r = { .nr_extents = 8,
					    .extent_order = ORDER_1G,
					    .domid = id,
					    .mem_flags = XENMEMF_populate_on_demand };
	uint64_t *list = guest_page(0, SCRATCH_GFN);

	for (unsigned int i = 0; i < 8; i++)
		list[i] = FAR_GFN + ((uint64_t)i << ORDER_1G);
	guest_handle_set(r.extent_start, LIST);
	EXPECT(call_op(0, __HYPERVISOR_memory_op, XENMEM_populate_physmap, &r, sizeof(r)), == 8);
}

static long shadow(unsigned int sub, uint64_t pages, uint64_t bitmap, struct xen_domctl *op)
{
	*op = (struct xen_domctl){ .cmd = XEN_DOMCTL_shadow_op,
				   .interface_version = XEN_DOMCTL_INTERFACE_VERSION,
				   .domain = B };
	op->u.shadow_op.op = sub;
	op->u.shadow_op.pages = pages;
	guest_handle_set(op->u.shadow_op.dirty_bitmap, bitmap);
	return call_op(0, __HYPERVISOR_domctl, ARG, op, sizeof(*op));
}

CASE(log_of_a_large_guest_goes_in_pieces)
{
	struct xen_domctl op;
	uint64_t end;

	populate_large(B, BIG_GFN);
	populate_large(B, BIG_GFN + LARGE_PAGE);
	scatter(B);
	end = dom(B)->p2m.max_gfn + 1;
	EXPECT(shadow(XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY, 0, 0, &op), == 0);
	EXPECT(shadow(XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY, 0, 0, &op), == -EINVAL);
	EXPECT(modified(BIG_GFN + 1000, 1), == 0);
	EXPECT(modified(FAR_GFN, 16384), == 0);
	EXPECT(shadow(XEN_DOMCTL_SHADOW_OP_PEEK, ~0ULL, 0, &op), == 0);
	EXPECT(op.u.shadow_op.pages, == (long)end);
	EXPECT(op.u.shadow_op.stats.dirty_count, == 16385);
	EXPECT(shadow(XEN_DOMCTL_SHADOW_OP_CLEAN, BIG_GFN + 2 * LARGE_PAGE, LIST + PAGE_SIZE, &op),
	       == 0);
	EXPECT(op.u.shadow_op.pages, == BIG_GFN + 2 * LARGE_PAGE);
	EXPECT(op.u.shadow_op.stats.dirty_count, == 1);
	EXPECT(written(guest_page(0, SCRATCH_GFN + 1), BIG_GFN + 1000), == 1);
	EXPECT(shadow(XEN_DOMCTL_SHADOW_OP_CLEAN, ~0ULL, 0, &op), == 0);
	EXPECT(op.u.shadow_op.stats.dirty_count, == 16384);
	EXPECT(shadow(XEN_DOMCTL_SHADOW_OP_CLEAN, ~0ULL, 0, &op), == 0);
	EXPECT(op.u.shadow_op.stats.dirty_count, == 0);
	EXPECT(shadow(XEN_DOMCTL_SHADOW_OP_OFF, 0, 0, &op), == 0);
}

/* --- populate on demand ------------------------------------------------------------------------ */

/*
 * A guest that has all it may have, of which one page holds zeros, and many hold something in their last word only:
 * what a hypercall writes to finds memory, in pieces, and what it reads needs none.
 */
CASE(hypercalls_of_a_full_guest_find_memory)
{
	struct domain *d = dom(B);
	struct xen_hvm_param *p;
	uint64_t n = GUEST_MAX - GUEST_RAM;

	EXPECT(reserve(B, DOMID_SELF, XENMEM_populate_physmap, FIRST_HOLE, (unsigned int)n),
	       == (long)n);
	for (uint64_t gfn = 0; gfn < GUEST_MAX; gfn++)
		((uint64_t *)guest_page(B, gfn))[511] = 1;
	((uint64_t *)guest_page(B, GUEST_MAX - 1))[511] = 0;
	EXPECT(populate_on_demand(B, BIG_GFN, 64), == 64);
	scatter(B);
	/* Read from a frame without a page: zeros, which are parameter 0 of domain 0. */
	EXPECT(call_as(B, 0, __HYPERVISOR_hvm_op, HVMOP_get_param, (uint64_t)BIG_GFN << PAGE_SHIFT,
		       0, 0),
	       == -EPERM);
	EXPECT(p2m_get(d, _gfn(BIG_GFN)).type, == P2M_POD);
	/* Written to another one. */
	EXPECT(call_as(B, 0, __HYPERVISOR_hvm_op, HVMOP_get_time,
		       (uint64_t)(BIG_GFN + 1) << PAGE_SHIFT, 0, 0),
	       == 0);
	p = guest_page(B, BIG_GFN + 1);
	EXPECT(*(uint64_t *)p, != 0);
	EXPECT(p2m_get(d, _gfn(GUEST_MAX - 1)).type, == P2M_POD);
	/* There is no more. */
	EXPECT(call_as(B, 0, __HYPERVISOR_hvm_op, HVMOP_get_time,
		       (uint64_t)(BIG_GFN + 2) << PAGE_SHIFT, 0, 0),
	       == -EFAULT);
}

/* --- grants, lists ----------------------------------------------------------------------------- */

/* A balloon gives back pages that lie anywhere: a shootdown for each 64 of them, and not one is freed before it. */
static uint64_t free_before;

static void nothing_freed(struct domain *d)
{
	(void)d;
	flushes++;
	EXPECT(free_page_count(), == (long)free_before);
	free_before += 64;
}

CASE(a_balloon_flushes_once_for_many_pages)
{
	uint64_t *list = guest_page(B, SCRATCH_GFN);
	struct xen_memory_reservation r = { .nr_extents = 128, .domid = DOMID_SELF };

	EXPECT(reserve(B, DOMID_SELF, XENMEM_populate_physmap, FIRST_HOLE, 128), == 128);
	for (unsigned int i = 0; i < 128; i++)
		list[i] = FIRST_HOLE + (i * 37) % 128;
	guest_handle_set(r.extent_start, LIST);
	flushes = 0;
	free_before = free_page_count();
	machine_on_flush = nothing_freed;
	EXPECT(call_op(B, __HYPERVISOR_memory_op, XENMEM_decrease_reservation, &r, sizeof(r)),
	       == 128);
	EXPECT(flushes, == 2);
	EXPECT(free_page_count(), == (long)free_before);
	machine_on_flush = NULL;
	/* One that is named twice, or is not there, ends the list, and those before it are gone. */
	EXPECT(reserve(B, DOMID_SELF, XENMEM_populate_physmap, FIRST_HOLE, 8), == 8);
	for (unsigned int i = 0; i < 8; i++)
		list[i] = FIRST_HOLE + i % 5;
	r.nr_extents = 8;
	EXPECT(call_op(B, __HYPERVISOR_memory_op, XENMEM_decrease_reservation, &r, sizeof(r)),
	       == 5);
	EXPECT(p2m_get(dom(B), _gfn(FIRST_HOLE + 4)).type, == P2M_INVALID);
	EXPECT(p2m_get(dom(B), _gfn(FIRST_HOLE + 5)).type, == P2M_RAM_RW);
	list[0] = ~0ULL;
	EXPECT(call_op(B, __HYPERVISOR_memory_op, XENMEM_decrease_reservation, &r, sizeof(r)),
	       == 0);
}

/* dom0 maps and unmaps foreign pages one by one, as Linux does: only what was a translation is flushed. */
CASE(foreign_pages_enter_holes_without_a_flush)
{
	struct xen_add_to_physmap_batch b = { .domid = DOMID_SELF,
					      .space = XENMAPSPACE_gmfn_foreign,
					      .size = 1,
					      .u.foreign_domid = A };
	struct xen_remove_from_physmap r = { .domid = DOMID_SELF, .gpfn = HOLE_FIRST };
	uint64_t *list;

	on_counting_machine();
	list = guest_page(0, SCRATCH_GFN);
	guest_handle_set(b.idxs, LIST);
	guest_handle_set(b.gpfns, LIST + 8);
	guest_handle_set(b.errs, LIST + 16);
	flushes = 0;
	for (unsigned int i = 0; i < 8; i++) {
		list[0] = i;
		list[1] = HOLE_FIRST;
		EXPECT(call_op(0, __HYPERVISOR_memory_op, XENMEM_add_to_physmap_batch, &b,
			       sizeof(b)),
		       == 0);
		EXPECT((int)list[2], == 0);
		EXPECT(call_op(0, __HYPERVISOR_memory_op, XENMEM_remove_from_physmap, &r,
			       sizeof(r)),
		       == 0);
	}
	EXPECT(flushes, == 8);
	change_machine(&fake_hvm_ops);
}

/* A domain of one vCPU without memory, of dom0's making; its id. */
static domid_t create(uint32_t ports, int32_t frames)
{
	struct xen_domctl op = { .cmd = XEN_DOMCTL_createdomain,
				 .interface_version = XEN_DOMCTL_INTERFACE_VERSION };

	op.u.createdomain.flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap;
	op.u.createdomain.max_vcpus = 1;
	op.u.createdomain.max_evtchn_port = ports;
	op.u.createdomain.max_grant_frames = frames;
	op.u.createdomain.max_maptrack_frames = 1;
	op.u.createdomain.grant_opts = XEN_DOMCTL_GRANT_version(1);
	op.u.createdomain.arch.emulation_flags = XEN_X86_EMU_LAPIC;
	EXPECT(call_op(0, __HYPERVISOR_domctl, ARG, &op, sizeof(op)), == 0);
	return op.domain;
}

/* A table of as many frames as there may be. */
CASE(grant_table_grows_in_pieces)
{
	struct gnttab_setup_table s = { .dom = create(127, 256), .nr_frames = 256 };
	uint64_t *list = guest_page(0, SCRATCH_GFN + 1);

	guest_handle_set(s.frame_list, LIST + PAGE_SIZE);
	memset(list, 0, PAGE_SIZE);
	EXPECT(call_op(0, __HYPERVISOR_grant_table_op, GNTTABOP_setup_table, &s, sizeof(s)), == 0);
	EXPECT(s.status, == GNTST_okay);
	EXPECT(dom(s.dom)->grant->nr_frames, == 256);
	for (unsigned int i = 0; i < 256; i++)
		EXPECT(list[i], == -1);
	EXPECT(list[256], == 0);
}

static void nobody(struct vcpu *v, unsigned int port)
{
	(void)v;
	(void)port;
}

/* The last port of many is found as soon as the first one, and the lowest free one comes first. */
CASE(ports_are_found_among_many)
{
	struct domain *d = dom(create(131071, 1));
	unsigned int last = 0;
	int port;

	EXPECT(vcpu_create(d, 0), == 0);
	while ((port = evtchn_alloc_vmm(d, d->vcpu[0], 0, nobody)) > 0)
		last = (unsigned int)port;
	EXPECT(port, == -ENOSPC);
	EXPECT(last, == 4095); /* of the 2-level form */
	evtchn_free_vmm(d, 7);
	evtchn_free_vmm(d, 4095);
	work_begin();
	EXPECT(evtchn_alloc_vmm(d, d->vcpu[0], 0, nobody), == 7);
	EXPECT(evtchn_alloc_vmm(d, d->vcpu[0], 0, nobody), == 4095);
	EXPECT(evtchn_alloc_vmm(d, d->vcpu[0], 0, nobody), == -ENOSPC);
	work_end();
	EXPECT(work_done(), < 30000);
}
