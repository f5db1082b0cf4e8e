// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which frames were written (paging/logdirty.c, vram.c), with nested page tables of both vendors and a model of
 * what hardware does on a write: set the dirty bit of the leaf, where there is one, or fault.
 */
#include "cases.h"
#include "hvm_ops.h"
#include "vmm/domain/internal.h"
#include "vmx/controls.h"
#include "guest_access.h"
#include "paging.h"
#include "work.h"
#include <xen/domctl.h>
#include <xen/memory.h>

#define TRACKED_FIRST 16U
#define TRACKED_NR    32U
#define LARGE_GFN     1024U
#define BITMAP_GFNS   2048U

extern const struct p2m_format svm_npt_format;
extern struct p2m_format vmx_ept_format;
void vmx_ept_init(const struct vmx_controls *c);

static struct hvm_ops ops;
static unsigned int flushes;

static void count_flush(struct domain *d)
{
	(void)d;
	flushes++;
}

/* The entry that translates gfn, as hardware finds it: bit 0 present, bit 7 a large page, in both formats. */
static uint64_t *hw_leaf(struct domain *d, uint64_t gfn)
{
	uint64_t *table = page_to_virt(d->p2m.root), *e;

	for (unsigned int level = 4;; level--) {
		e = &table[gfn >> (9 * (level - 1)) & 511];
		if (!(*e & 1))
			return NULL;
		if (level == 1 || (*e & BIT(7)))
			return e;
		table = maddr_to_virt(_maddr(*e & 0x000ffffffffff000ULL));
	}
}

/* A write by the guest. Bit 1 allows it in both formats. False: nothing resolves the fault. */
static bool hw_write(struct domain *d, uint64_t gfn)
{
	struct npt_fault f = { .gpa = _gpa(gfn << PAGE_SHIFT), .write = true };
	uint64_t *e = hw_leaf(d, gfn);

	for (unsigned int tries = 0; !e || !(*e & BIT(1)); tries++) {
		if (tries == 2 || !p2m_fault(d->vcpu[0], &f))
			return false;
		e = hw_leaf(d, gfn);
	}
	*e |= d->p2m.fmt->dirty;
	return true;
}

static bool bit(const uint8_t *map, uint64_t n)
{
	return map[n / 8] >> (n % 8) & 1;
}

static unsigned int count(const uint8_t *map, unsigned int nr)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < nr; i++)
		n += bit(map, i);
	return n;
}

static unsigned int ask_vram(struct domain *d, uint8_t *map)
{
	const struct frames f = { TRACKED_FIRST, TRACKED_NR };

	EXPECT(vram_track(d, &f, map), == 0);
	return count(map, TRACKED_NR);
}

static uint64_t ask_log(struct domain *d, uint8_t *map, bool clean)
{
	uint64_t n = log_ask(d->domid, BITMAP_GFNS, map, clean);

	EXPECT(n, == count(map, BITMAP_GFNS));
	return n;
}

static void on_machine_with(const struct p2m_format *fmt, void (*test)(void))
{
	ops = fake_hvm_ops;
	ops.p2m_format = fmt;
	change_machine(&ops);
	machine_on_flush = count_flush;
	test();
}

static void for_each_format(void (*test)(void))
{
	struct vmx_controls with = { .max_leaf_level = 3, .ept_dirty = true };
	struct vmx_controls without = { .max_leaf_level = 2 };

	on_machine_with(&svm_npt_format, test);
	vmx_ept_init(&with);
	on_machine_with(&vmx_ept_format, test);
	vmx_ept_init(&without);
	on_machine_with(&vmx_ept_format, test);
	change_machine(&fake_hvm_ops);
}

static void video_memory(void)
{
	struct domain *d = dom(DOMID_B);
	uint8_t map[TRACKED_NR / 8];
	unsigned int before;

	EXPECT(ask_vram(d, map), == TRACKED_NR);
	EXPECT(ask_vram(d, map), == 0);
	EXPECT(hw_write(d, TRACKED_FIRST + 3), == true);
	EXPECT(hw_write(d, TRACKED_FIRST + 3), == true);
	EXPECT(hw_write(d, TRACKED_FIRST - 1), == true);
	before = flushes;
	EXPECT(ask_vram(d, map), == 1);
	EXPECT(bit(map, 3), == true);
	EXPECT(flushes, > before); /* or a stale translation would let the next write pass unseen */
	EXPECT(ask_vram(d, map), == 0);
	EXPECT(hw_write(d, TRACKED_FIRST + 3), == true);
	EXPECT(hw_write(d, TRACKED_FIRST + TRACKED_NR - 1), == true);
	EXPECT(ask_vram(d, map), == 2);
	EXPECT(bit(map, 3), == true);
	EXPECT(bit(map, TRACKED_NR - 1), == true);
	vram_track_stop(d);
	EXPECT(hw_write(d, TRACKED_FIRST), == true);
}

CASE(written_video_memory)
{
	for_each_format(video_memory);
}

static void both_at_once(void)
{
	struct domain *d = dom(DOMID_B);
	uint8_t vram[TRACKED_NR / 8], map[BITMAP_GFNS / 8];

	ask_vram(d, vram);
	EXPECT(log_begin(d->domid), == 0);
	EXPECT(ask_log(d, map, true), == 0);
	EXPECT(hw_write(d, TRACKED_FIRST + 5), == true);
	EXPECT(hw_write(d, 2), == true);
	EXPECT(ask_log(d, map, false), == 2);
	EXPECT(bit(map, 2), == true);
	EXPECT(bit(map, TRACKED_FIRST + 5), == true);
	EXPECT(ask_vram(d, vram), == 1);
	EXPECT(bit(vram, 5), == true);
	EXPECT(ask_log(d, map, true), == 2);
	EXPECT(ask_vram(d, vram), == 0);
	EXPECT(ask_log(d, map, true), == 0);
	EXPECT(hw_write(d, TRACKED_FIRST + 6), == true);
	vram_track_stop(d);
	EXPECT(hw_write(d, TRACKED_FIRST + 7), == true); /* still logged */
	EXPECT(ask_log(d, map, true), == 2);
	EXPECT(bit(map, TRACKED_FIRST + 6), == true);
	EXPECT(bit(map, TRACKED_FIRST + 7), == true);
	logdirty_disable(d);
	EXPECT(hw_write(d, 2), == true);
}

CASE(video_memory_while_all_is_logged)
{
	for_each_format(both_at_once);
}

/* A frame that is written and then of another type, or gone, was written all the same. */
static void replaced(void)
{
	struct domain *d = dom(DOMID_B);
	uint8_t map[BITMAP_GFNS / 8];

	EXPECT(log_begin(d->domid), == 0);
	EXPECT(hw_write(d, 4), == true);
	EXPECT(hw_write(d, 5), == true);
	EXPECT(p2m_change_type(d, _gfn(4), p2m_get(d, _gfn(4)).type, P2M_RAM_RO), == 0);
	EXPECT(hw_write(d, 4), == 0);
	EXPECT(ask_log(d, map, true), == 2);
	EXPECT(bit(map, 4), == true);
	EXPECT(bit(map, 5), == true);
	EXPECT(p2m_change_type(d, _gfn(4), P2M_RAM_RO, P2M_RAM_RW), == 0);
}

CASE(logged_frame_changes_its_type)
{
	for_each_format(replaced);
}

/* Memory that is given while all is logged may be one large page. */
static void large(void)
{
	struct domain *d = dom(0);
	uint8_t map[BITMAP_GFNS / 8];

	EXPECT(p2m_set(d, _gfn(BITMAP_GFNS - 1), _mfn(0), 0, P2M_RAM_RW, P2M_ACCESS_RWX), == 0);
	EXPECT(log_begin(d->domid), == 0);
	EXPECT(p2m_set(d, _gfn(LARGE_GFN), _mfn(0), 9, P2M_RAM_RW, P2M_ACCESS_RWX), == 0);
	EXPECT(p2m_get(d, _gfn(LARGE_GFN)).type, == P2M_RAM_LOGDIRTY);
	EXPECT(ask_log(d, map, true), == 512);
	EXPECT(bit(map, LARGE_GFN), == true);
	EXPECT(bit(map, LARGE_GFN + 511), == true);
	EXPECT(ask_log(d, map, true), == 0);
	EXPECT(hw_write(d, LARGE_GFN + 7), == true);
	EXPECT(ask_log(d, map, false), >= 1);
	EXPECT(bit(map, LARGE_GFN + 7), == true);
	EXPECT(ask_log(d, map, true), >= 1);
	EXPECT(bit(map, LARGE_GFN + 7), == true);
	EXPECT(hw_write(d, LARGE_GFN + 8), == true);
	/* Split by a change in its middle. */
	EXPECT(p2m_set(d, _gfn(LARGE_GFN + 9), INVALID_MFN, 0, P2M_INVALID, P2M_ACCESS_RWX), == 0);
	EXPECT(ask_log(d, map, true), >= 1);
	EXPECT(bit(map, LARGE_GFN + 8), == true);
	EXPECT(ask_log(d, map, true), == 0);
	EXPECT(hw_write(d, LARGE_GFN + 10), == true);
	EXPECT(ask_log(d, map, true), == 1);
	EXPECT(bit(map, LARGE_GFN + 10), == true);
	logdirty_disable(d);
	EXPECT(p2m_set(d, _gfn(LARGE_GFN), INVALID_MFN, 9, P2M_INVALID, P2M_ACCESS_RWX), == 0);
	EXPECT(p2m_set(d, _gfn(BITMAP_GFNS - 1), INVALID_MFN, 0, P2M_INVALID, P2M_ACCESS_RWX),
	       == 0);
}

CASE(logged_large_page)
{
	for_each_format(large);
}

#define GRANTED_GFN 20U
#define GRANT_REF   8U

static void grant_to_dom0(void)
{
	grant_entry_v1_t *e = page_to_virt(dom(DOMID_A)->grant->frame[0]);

	e[GRANT_REF] = (grant_entry_v1_t){ .flags = GTF_permit_access, .frame = GRANTED_GFN };
}

/* What is written by a mapping may be written long after the mapping was made. */
static void written_by_mapping(void)
{
	struct gnttab_map_grant_ref m = { .host_addr = (uint64_t)HOLE_FIRST << PAGE_SHIFT,
					  .flags = GNTMAP_host_map,
					  .ref = GRANT_REF,
					  .dom = DOMID_A };
	struct gnttab_unmap_grant_ref u = { .host_addr = m.host_addr };
	uint8_t map[BITMAP_GFNS / 8];

	grant_to_dom0();
	EXPECT(log_begin(DOMID_A), == 0);
	for (unsigned int ro = 0; ro < 2; ro++) {
		m.flags = GNTMAP_host_map | (ro ? GNTMAP_readonly : 0);
		EXPECT(call_op(0, __HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, &m,
			       sizeof(m)),
		       == 0);
		EXPECT(m.status, == GNTST_okay);
		ask_log(dom(DOMID_A), map, true);
		u.handle = m.handle;
		EXPECT(call_op(0, __HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref, &u,
			       sizeof(u)),
		       == 0);
		ask_log(dom(DOMID_A), map, true);
		EXPECT(bit(map, GRANTED_GFN), == !ro);
	}
	logdirty_disable(dom(DOMID_A));
}

CASE(logged_write_by_grant_mapping)
{
	for_each_format(written_by_mapping);
}

/* The guest moves the page meanwhile: what is written is then there. */
static void written_where_it_moved(void)
{
	struct gnttab_map_grant_ref m = { .host_addr = (uint64_t)HOLE_FIRST << PAGE_SHIFT,
					  .flags = GNTMAP_host_map,
					  .ref = GRANT_REF,
					  .dom = DOMID_A };
	struct gnttab_unmap_grant_ref u = { .host_addr = m.host_addr };
	struct xen_add_to_physmap a = { .domid = DOMID_SELF,
					.space = XENMAPSPACE_gmfn,
					.idx = GRANTED_GFN,
					.gpfn = FIRST_HOLE };
	uint8_t map[BITMAP_GFNS / 8];

	grant_to_dom0();
	EXPECT(call_op(0, __HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, &m, sizeof(m)),
	       == 0);
	EXPECT(m.status, == GNTST_okay);
	EXPECT(reserve(DOMID_A, DOMID_SELF, XENMEM_populate_physmap, FIRST_HOLE + 1, 1), == 1);
	EXPECT(log_begin(DOMID_A), == 0);
	EXPECT(call_op(DOMID_A, __HYPERVISOR_memory_op, XENMEM_add_to_physmap, &a, sizeof(a)),
	       == 0);
	ask_log(dom(DOMID_A), map, true);
	u.handle = m.handle;
	EXPECT(call_op(0, __HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref, &u, sizeof(u)),
	       == 0);
	ask_log(dom(DOMID_A), map, true);
	EXPECT(bit(map, FIRST_HOLE), == true);
	EXPECT(bit(map, GRANTED_GFN), == false);
	logdirty_disable(dom(DOMID_A));
}

CASE(logged_write_by_grant_mapping_of_a_page_that_moves)
{
	for_each_format(written_where_it_moved);
}

/* dom0's, to what A grants it. */
static const struct gnttab_copy copy_to_granted = { .source.u.gmfn = SCRATCH_GFN,
						    .source.domid = DOMID_SELF,
						    .dest.u.ref = GRANT_REF,
						    .dest.domid = DOMID_A,
						    .len = 64,
						    .flags = GNTCOPY_dest_gref };

static void written_by_copy(void)
{
	struct gnttab_copy c = copy_to_granted;
	uint8_t map[BITMAP_GFNS / 8];

	grant_to_dom0();
	EXPECT(log_begin(DOMID_A), == 0);
	ask_log(dom(DOMID_A), map, true);
	EXPECT(call_op(0, __HYPERVISOR_grant_table_op, GNTTABOP_copy, &c, sizeof(c)), == 0);
	EXPECT(c.status, == GNTST_okay);
	ask_log(dom(DOMID_A), map, true);
	EXPECT(bit(map, GRANTED_GFN), == true);
	logdirty_disable(dom(DOMID_A));
}

CASE(logged_write_by_grant_copy)
{
	for_each_format(written_by_copy);
}

/* A look that comes while somebody else writes: what was noted before is gone. */
static void look_before_it_is_written(void)
{
	uint8_t map[BITMAP_GFNS / 8];

	ask_log(dom(DOMID_A), map, true);
}

static unsigned int told;

static void count_told(struct domain *d, gfn_t gfn, unsigned int offset, unsigned int len)
{
	(void)d;
	(void)offset;
	(void)len;
	told += gfn.v == SCRATCH_GFN + 1;
}

static void forget_told(void)
{
	told = 0;
}

/* A copy to the caller's own frame, which has become a page table when the copy is made. */
CASE(table_written_by_grant_copy)
{
	struct gnttab_copy c = { .source.u.gmfn = SCRATCH_GFN,
				 .source.domid = DOMID_SELF,
				 .dest.u.gmfn = SCRATCH_GFN + 1,
				 .dest.domid = DOMID_SELF,
				 .len = 64 };
	const struct paging_mode *was = dom(0)->paging;
	struct paging_mode mode = *was;

	mode.guest_wrote = count_told;
	dom(0)->paging = &mode;
	work_copy_page = guest_page(0, SCRATCH_GFN + 1);
	work_on_copy = forget_told;
	EXPECT(call_op(0, __HYPERVISOR_grant_table_op, GNTTABOP_copy, &c, sizeof(c)), == 0);
	EXPECT(c.status, == GNTST_okay);
	EXPECT(work_on_copy == NULL, == true);
	EXPECT(told, == 1);
	dom(0)->paging = was;
}

static void written_behind_a_look(void)
{
	struct gnttab_copy c = copy_to_granted;
	uint8_t map[BITMAP_GFNS / 8];

	grant_to_dom0();
	EXPECT(log_begin(DOMID_A), == 0);
	work_copy_page = guest_page(DOMID_A, GRANTED_GFN);
	for (unsigned int by_grant = 0; by_grant < 2; by_grant++) {
		work_on_copy = look_before_it_is_written;
		if (by_grant)
			EXPECT(call_op(0, __HYPERVISOR_grant_table_op, GNTTABOP_copy, &c,
				       sizeof(c)),
			       == 0);
		else
			EXPECT(guest_phys_write(dom(DOMID_A),
						_gpa((uint64_t)GRANTED_GFN << PAGE_SHIFT), &c,
						sizeof(c)),
			       == 0);
		EXPECT(work_on_copy == NULL, == true);
		ask_log(dom(DOMID_A), map, true);
		EXPECT(bit(map, GRANTED_GFN), == true);
	}
	logdirty_disable(dom(DOMID_A));
}

CASE(logged_write_behind_a_look)
{
	for_each_format(written_behind_a_look);
}

/* The same for what the VMM executes for a guest: a store over a boundary, a string. */
static void emulated_behind_a_look(void)
{
	static const uint8_t code[2][3] = { { 0x89, 0x47, 0x01 }, /* mov %eax,1(%rdi) */
					    { 0xf3, 0xaa } };	  /* rep stosb */
	struct vcpu *v = domain_vcpu(dom(DOMID_A), 0);
	uint8_t map[BITMAP_GFNS / 8];

	EXPECT(log_begin(DOMID_A), == 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(code); i++) {
		EXPECT(machine_become(v, true), == true);
		memcpy(guest_page(DOMID_A, ARG_GFN), code[i], sizeof(code[i]));
		v->regs.rip = ARG;
		v->regs.gpr[X86_RDI] = (uint64_t)GRANTED_GFN << PAGE_SHIFT;
		v->regs.gpr[X86_RCX] = 5;
		work_copy_page = guest_page(DOMID_A, GRANTED_GFN);
		work_on_copy = look_before_it_is_written;
		hvm_emulate(v, NULL, 0);
		EXPECT(work_on_copy == NULL, == true);
		machine_pass(NS_PER_US);
		ask_log(dom(DOMID_A), map, true);
		EXPECT(bit(map, GRANTED_GFN), == true);
	}
	logdirty_disable(dom(DOMID_A));
}

CASE(logged_emulated_write_behind_a_look)
{
	for_each_format(emulated_behind_a_look);
}

static void recombine(struct domain *d)
{
	uint64_t next = 0;

	while (p2m_recombine(d, &next) == -ERESTART)
		;
	machine_pass(1000);
}

/* What was split to be logged is whole again, by the tables that there are, however often. */
static void whole_again(void)
{
	struct domain *d = dom(0);
	uint8_t map[BITMAP_GFNS / 8];
	uint64_t tables = 0;

	EXPECT(p2m_set(d, _gfn(BITMAP_GFNS - 1), _mfn(0), 0, P2M_RAM_RW, P2M_ACCESS_RWX), == 0);
	EXPECT(p2m_set(d, _gfn(LARGE_GFN), _mfn(0), 9, P2M_RAM_RW, P2M_ACCESS_RWX), == 0);
	for (unsigned int round = 0; round < 3; round++) {
		EXPECT(log_begin(d->domid), == 0);
		EXPECT(p2m_get(d, _gfn(LARGE_GFN + 5)).order, == 0);
		EXPECT(hw_write(d, LARGE_GFN + 7), == true);
		EXPECT(ask_log(d, map, true), >= 1);
		EXPECT(bit(map, LARGE_GFN + 7), == true);
		EXPECT(ask_log(d, map, true), == 0);
		if (round)
			EXPECT(d->p2m.nr_tables, == (long)tables);
		tables = d->p2m.nr_tables;
		logdirty_disable(d);
		recombine(d);
		EXPECT(p2m_get(d, _gfn(LARGE_GFN + 5)).order, == 9);
		EXPECT(p2m_get(d, _gfn(LARGE_GFN + 5)).type, == P2M_RAM_RW);
		EXPECT(p2m_get(d, _gfn(LARGE_GFN + 5)).mfn.v, == 5);
		EXPECT(hw_write(d, LARGE_GFN + 5), == true);
	}
	/* A frame with other rights, another page, or one that is asked about keeps the small ones. */
	EXPECT(p2m_set(d, _gfn(LARGE_GFN + 9), _mfn(9), 0, P2M_RAM_RW, P2M_ACCESS_RX), == 0);
	recombine(d);
	EXPECT(p2m_get(d, _gfn(LARGE_GFN)).order, == 0);
	EXPECT(p2m_set(d, _gfn(LARGE_GFN + 9), _mfn(10), 0, P2M_RAM_RW, P2M_ACCESS_RWX), == 0);
	recombine(d);
	EXPECT(p2m_get(d, _gfn(LARGE_GFN)).order, == 0);
	EXPECT(p2m_set(d, _gfn(LARGE_GFN + 9), _mfn(9), 0, P2M_RAM_RW, P2M_ACCESS_RWX), == 0);
	recombine(d);
	EXPECT(p2m_get(d, _gfn(LARGE_GFN)).order, == 9);
	EXPECT(p2m_set(d, _gfn(LARGE_GFN), INVALID_MFN, 9, P2M_INVALID, P2M_ACCESS_RWX), == 0);
	EXPECT(p2m_set(d, _gfn(BITMAP_GFNS - 1), INVALID_MFN, 0, P2M_INVALID, P2M_ACCESS_RWX),
	       == 0);
}

CASE(large_page_after_the_log)
{
	for_each_format(whole_again);
}

/* 512 pages that would make a large one stay as they are where nested tables have none. */
static void stays_small(void)
{
	struct domain *d = dom(0);

	for (unsigned int i = 0; i < 512; i++)
		EXPECT(p2m_set(d, _gfn(LARGE_GFN + i), _mfn(i), 0, P2M_RAM_RW, P2M_ACCESS_RWX),
		       == 0);
	recombine(d);
	EXPECT(p2m_get(d, _gfn(LARGE_GFN)).order, == (d->p2m.fmt->max_leaf_level < 2 ? 0 : 9));
	EXPECT(p2m_get(d, _gfn(LARGE_GFN + 511)).mfn.v, == 511);
	for (unsigned int i = 0; i < 512; i++)
		EXPECT(p2m_set(d, _gfn(LARGE_GFN + i), INVALID_MFN, 0, P2M_INVALID, P2M_ACCESS_RWX),
		       == 0);
}

static void stays_small_without_large(void)
{
	vmx_ept_format.max_leaf_level =
		1; /* dom0 was built with large ones, as no such machine's */
	stays_small();
	vmx_ept_format.max_leaf_level = 3;
}

CASE(no_large_page_after_the_log)
{
	struct vmx_controls with = { .max_leaf_level = 3, .ept_dirty = true };

	for_each_format(stays_small);
	vmx_ept_init(&with);
	on_machine_with(&vmx_ept_format, stays_small_without_large);
	change_machine(&fake_hvm_ops);
}

static void asked_about(void)
{
	const struct frames f = { LARGE_GFN + 64, TRACKED_NR };
	struct domain *d = dom(0);
	uint8_t map[TRACKED_NR / 8];

	EXPECT(p2m_set(d, _gfn(LARGE_GFN), _mfn(0), 9, P2M_RAM_RW, P2M_ACCESS_RWX), == 0);
	EXPECT(vram_track(d, &f, map), == 0);
	recombine(d);
	EXPECT(vram_track(d, &f, map), == 0);
	EXPECT(hw_write(d, LARGE_GFN + 70), == true);
	EXPECT(vram_track(d, &f, map), == 0);
	EXPECT(count(map, TRACKED_NR), == 1);
	vram_track_stop(d);
	recombine(d);
	EXPECT(p2m_get(d, _gfn(LARGE_GFN)).order, == 9);
	EXPECT(p2m_set(d, _gfn(LARGE_GFN), INVALID_MFN, 9, P2M_INVALID, P2M_ACCESS_RWX), == 0);
}

CASE(video_memory_stays_small)
{
	for_each_format(asked_about);
}

/* Holes of the address space are passed over, but not what was written to a frame that has become one. */
CASE(log_of_holes)
{
	struct domain *d = dom(0);
	struct frames f = { LARGE_GFN, 64 * 10 };

	EXPECT(p2m_set(d, _gfn(BITMAP_GFNS - 1), _mfn(0), 0, P2M_RAM_RW, P2M_ACCESS_RWX), == 0);
	EXPECT(log_begin(0), == 0);
	EXPECT(logdirty_nothing(d, &f), == 512);
	f.first = LARGE_GFN + 1; /* within a hole: whole words only */
	EXPECT(logdirty_nothing(d, &f), == 448);
	f.first = 0;
	EXPECT(logdirty_nothing(d, &f), == 0);
	f.first = LARGE_GFN;
	logdirty_wrote(d, _gfn(LARGE_GFN + 130));
	EXPECT(logdirty_nothing(d, &f), == 128);
	logdirty_disable(d);
	EXPECT(p2m_set(d, _gfn(BITMAP_GFNS - 1), INVALID_MFN, 0, P2M_INVALID, P2M_ACCESS_RWX),
	       == 0);
}

static uint64_t frame_type(domid_t id, uint64_t gfn)
{
	struct xen_domctl op = { .cmd = XEN_DOMCTL_getpageframeinfo3,
				 .interface_version = XEN_DOMCTL_INTERFACE_VERSION,
				 .domain = id };
	uint64_t *list = guest_page(0, SCRATCH_GFN);

	list[0] = gfn;
	op.u.getpageframeinfo3.num = 1;
	op.u.getpageframeinfo3.array.p = (void *)LIST;
	memcpy(guest_page(0, ARG_GFN), &op, sizeof(op));
	EXPECT(call_as(0, 0, __HYPERVISOR_domctl, ARG, 0, 0, 0), == 0);
	return list[0];
}

/* Pages of the VMM's in a guest's map are not its memory: a restored guest gets new ones. */
CASE(frames_that_are_saved)
{
	struct xen_add_to_physmap a = { .domid = DOMID_SELF,
					.space = XENMAPSPACE_shared_info,
					.gpfn = 3 };

	EXPECT(frame_type(DOMID_A, 3), == XEN_DOMCTL_PFINFO_NOTAB);
	EXPECT(call_op(DOMID_A, __HYPERVISOR_memory_op, XENMEM_add_to_physmap, &a, sizeof(a)),
	       == 0);
	EXPECT(frame_type(DOMID_A, 3), == (long)XEN_DOMCTL_PFINFO_XTAB);
	a.space = XENMAPSPACE_grant_table;
	a.gpfn = 4;
	EXPECT(call_op(DOMID_A, __HYPERVISOR_memory_op, XENMEM_add_to_physmap, &a, sizeof(a)),
	       == 0);
	EXPECT(frame_type(DOMID_A, 4), == (long)XEN_DOMCTL_PFINFO_XTAB);
	EXPECT(frame_type(DOMID_A, 5), == XEN_DOMCTL_PFINFO_NOTAB);
	EXPECT(frame_type(DOMID_A, FIRST_HOLE), == (long)XEN_DOMCTL_PFINFO_XTAB);
}

/* A guest moves its shared info while all is logged: nothing of it stays behind. */
CASE(shared_info_moves_while_logged)
{
	struct xen_add_to_physmap a = { .domid = DOMID_SELF,
					.space = XENMAPSPACE_shared_info,
					.gpfn = FIRST_HOLE };

	EXPECT(log_begin(DOMID_A), == 0);
	EXPECT(call_op(DOMID_A, __HYPERVISOR_memory_op, XENMEM_add_to_physmap, &a, sizeof(a)),
	       == 0);
	a.gpfn = FIRST_HOLE + 1;
	EXPECT(call_op(DOMID_A, __HYPERVISOR_memory_op, XENMEM_add_to_physmap, &a, sizeof(a)),
	       == 0);
	EXPECT(p2m_get(dom(DOMID_A), _gfn(FIRST_HOLE)).type, == P2M_INVALID);
	logdirty_disable(dom(DOMID_A));
}

static long shadow_op(unsigned int what)
{
	struct xen_domctl op = { .cmd = XEN_DOMCTL_shadow_op,
				 .interface_version = XEN_DOMCTL_INTERFACE_VERSION,
				 .domain = DOMID_A };
	long rc;

	op.u.shadow_op.op = what;
	op.u.shadow_op.pages = BITMAP_GFNS;
	op.u.shadow_op.dirty_bitmap.p = (void *)LIST;
	memcpy(guest_page(0, ARG_GFN), &op, sizeof(op));
	rc = call_as(0, 0, __HYPERVISOR_domctl, ARG, 0, 0, 0);
	memcpy(&op, guest_page(0, ARG_GFN), sizeof(op));
	return rc ? rc : op.u.shadow_op.stats.dirty_count;
}

/* As a migration asks; what it comes to is in the log. */
CASE(log_of_a_migration)
{
	host_log_clear();
	EXPECT(shadow_op(XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY), == 0);
	EXPECT(shadow_op(XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY), == -EINVAL);
	logdirty_wrote(dom(DOMID_A), _gfn(5));
	logdirty_wrote(dom(DOMID_A), _gfn(6));
	EXPECT(shadow_op(XEN_DOMCTL_SHADOW_OP_PEEK), == 2);
	EXPECT(shadow_op(XEN_DOMCTL_SHADOW_OP_CLEAN), == 2);
	EXPECT(*(uint8_t *)guest_page(0, SCRATCH_GFN), == 0x60);
	logdirty_wrote(dom(DOMID_A), _gfn(5));
	EXPECT(shadow_op(XEN_DOMCTL_SHADOW_OP_CLEAN), == 1);
	EXPECT(shadow_op(XEN_DOMCTL_SHADOW_OP_OFF), == 0);
	EXPECT(host_log_has("2 looks found 3 frames"), != 0);
	EXPECT(shadow_op(XEN_DOMCTL_SHADOW_OP_CLEAN), == -EINVAL);
}

/* The end of a migration, also of one that has failed. */
CASE(large_page_after_a_migration)
{
	struct domain *d = dom(DOMID_A);
	struct page *pg;

	d->max_pages += 512;
	pg = alloc_domain_pages(d, ORDER_2M);
	EXPECT(pg != NULL, == true);
	EXPECT(p2m_set(d, _gfn(LARGE_GFN), page_to_mfn(pg), ORDER_2M, P2M_RAM_RW, P2M_ACCESS_RWX),
	       == 0);
	EXPECT(shadow_op(XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY), == 0);
	EXPECT(p2m_get(d, _gfn(LARGE_GFN + 5)).order, == 0);
	EXPECT(shadow_op(XEN_DOMCTL_SHADOW_OP_OFF), == 0);
	EXPECT(p2m_get(d, _gfn(LARGE_GFN + 5)).order, == ORDER_2M);
	EXPECT(d->p2m.nr_parked, == 1);
}
