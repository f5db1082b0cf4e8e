// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rights to pages that are looked at in one place and used in another: page tables of a guest in memory that it may
 * not write, grants for writing behind grants for reading, frames that move.
 */
#include "cases.h"
#include "guest_access.h"
#include "hvm_ops.h"
#include "vmm/domain/internal.h"
#include "vmx/controls.h"
#include <xen/hvm/dm_op.h>
#include <xen/hvm/hvm_op.h>
#include <xen/memory.h>

#define A	  DOMID_A
#define B	  DOMID_B
#define TABLE_GFN 30U /* of A: a page table that is all four levels at once */
#define MAPPED	  (FIRST_HOLE + 4)
#define REF	  9U
#define P_W_U	  7ULL
#define ACCESSED  BIT(5)
#define DIRTY	  BIT(6)

extern struct p2m_format vmx_ept_format;
void vmx_ept_init(const struct vmx_controls *c);

/* --- page tables ------------------------------------------------------------------------------- */

/* Every entry leads to frame `to`, so a walk from there stays there. */
static uint64_t *fill_table(domid_t id, uint64_t gfn, uint64_t to, uint64_t bits)
{
	uint64_t *e = guest_page(id, gfn);

	for (unsigned int i = 0; i < PAGE_SIZE / sizeof(*e); i++)
		e[i] = to << PAGE_SHIFT | P_W_U | bits;
	return e;
}

static unsigned int changed(const uint64_t *e, uint64_t to, uint64_t bits)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < PAGE_SIZE / sizeof(*e); i++)
		n += e[i] != (to << PAGE_SHIFT | P_W_U | bits);
	return n;
}

static struct vcpu *paged(domid_t id, uint64_t cr3_gfn)
{
	struct vcpu *v = dom(id)->vcpu[0];

	BUG_ON(!machine_become(v, true));
	v->cr0 |= X86_CR0_PG;
	v->cr4 |= X86_CR4_PAE;
	v->cr3 = cr3_gfn << PAGE_SHIFT;
	return v;
}

/* A walk for each of 256 linear addresses whose entries are different ones at every level. */
static int walk_all(domid_t id, uint64_t gfn, uint32_t access)
{
	struct vcpu *v = paged(id, gfn);
	uint32_t pfec;
	gpa_t gpa;
	int rc = 0;

	for (uint64_t i = 0; i < 256 && !rc; i++)
		rc = guest_walk(v, i << 39 | i << 30 | i << 21 | i << 12, access, &gpa, &pfec);
	machine_pass(NS_PER_US);
	return rc;
}

static void grant(domid_t from, domid_t to, uint32_t gfn, uint16_t flags)
{
	grant_entry_v1_t *e = page_to_virt(dom(from)->grant->frame[0]);

	e[REF] =
		(grant_entry_v1_t){ .flags = GTF_permit_access | flags, .domid = to, .frame = gfn };
}

static long map_at(domid_t by, domid_t of, uint64_t gfn, uint32_t flags)
{
	struct gnttab_map_grant_ref m = {
		.host_addr = gfn << PAGE_SHIFT, .flags = flags, .ref = REF, .dom = of
	};

	EXPECT(call_op(by, __HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, &m, sizeof(m)),
	       == 0);
	return m.status;
}

static long map_own(domid_t by, uint64_t gfn, uint32_t flags)
{
	return map_at(by, A, gfn, flags);
}

/* So a page that an argument was read from takes the answer without another walk. */
CASE(a_walk_tells_whether_a_write_could_go_the_same_way)
{
	const uint64_t la = 1ULL << 39 | 1 << 30 | 1 << 21 | 1 << 12;
	uint64_t *e = fill_table(A, TABLE_GFN, TABLE_GFN, ACCESSED);
	struct vcpu *v = paged(A, TABLE_GFN);
	uint32_t pfec, allows, seen = 0;
	gpa_t gpa;

	for (unsigned int i = 0; i < 32; i++) {
		uint32_t access = i & 16 ? PFEC_U : 0;
		uint64_t leaf = (uint64_t)TABLE_GFN << PAGE_SHIFT | (i & 7) | ACCESSED | 1;
		bool dirty = i & 8;

		for (unsigned int wp = 0; wp < 2; wp++) {
			v->cr0 = wp ? v->cr0 | X86_CR0_WP : v->cr0 & ~X86_CR0_WP;
			e[1] = leaf | (dirty ? DIRTY : 0);
			if (guest_walk_allows(v, la, access, &gpa, &pfec, &allows))
				continue;
			EXPECT(e[1] == (leaf | (dirty ? DIRTY : 0)), == true);
			EXPECT(allows & ~PFEC_W, == access);
			EXPECT(!!(allows & PFEC_W),
			       == (dirty && !guest_walk(v, la, access | PFEC_W, &gpa, &pfec)));
			seen |= allows & PFEC_W ? 1 : 2;
		}
	}
	EXPECT(seen, == 3);
	machine_pass(NS_PER_US);
}

CASE(walk_leaves_a_readonly_grant_alone)
{
	uint64_t *e = fill_table(A, TABLE_GFN, MAPPED, 0);

	grant(A, B, TABLE_GFN, GTF_readonly);
	EXPECT(map_own(B, MAPPED, GNTMAP_host_map | GNTMAP_readonly), == GNTST_okay);
	EXPECT(walk_all(B, MAPPED, 0), == -EACCES);
	EXPECT(walk_all(B, MAPPED, PFEC_W), == -EACCES);
	EXPECT(changed(e, MAPPED, 0), == 0);
	/* Hypercall arguments by such tables: no memory there. */
	paged(B, MAPPED);
	EXPECT(copy_to_guest_la(0x1000, e, 8), == -EFAULT);
	EXPECT(copy_from_guest_la(&(uint64_t){ 0 }, 0x1000, 8), == -EFAULT);
	machine_pass(NS_PER_US);
	EXPECT(changed(e, MAPPED, 0), == 0);
}

CASE(walk_changes_a_writable_grant)
{
	uint64_t *e = fill_table(A, TABLE_GFN, MAPPED, 0);

	grant(A, B, TABLE_GFN, 0);
	EXPECT(map_own(B, MAPPED, GNTMAP_host_map), == GNTST_okay);
	EXPECT(walk_all(B, MAPPED, 0), == 0);
	EXPECT(changed(e, MAPPED, 0), == 256);
	EXPECT(e[7], == (long)((uint64_t)MAPPED << PAGE_SHIFT | P_W_U | ACCESSED));
}

CASE(walk_leaves_readonly_memory_alone)
{
	uint64_t *e = fill_table(B, TABLE_GFN, TABLE_GFN, 0);
	struct domain *d = dom(B);

	EXPECT(p2m_change_type(d, _gfn(TABLE_GFN), P2M_RAM_RW, P2M_RAM_RO), == 0);
	EXPECT(walk_all(B, TABLE_GFN, 0), == -EACCES);
	EXPECT(changed(e, TABLE_GFN, 0), == 0);
	fill_table(B, TABLE_GFN, TABLE_GFN, ACCESSED | DIRTY);
	EXPECT(walk_all(B, TABLE_GFN, PFEC_W), == -EACCES); /* nested paging: a read is a write */
	EXPECT(changed(e, TABLE_GFN, ACCESSED | DIRTY), == 0);
	EXPECT(p2m_change_type(d, _gfn(TABLE_GFN), P2M_RAM_RO, P2M_RAM_RW), == 0);
	EXPECT(walk_all(B, TABLE_GFN, PFEC_W), == 0);
}

/* An emulated instruction in such an address space ends the guest, as the processor's own walk would. */
CASE(emulation_by_readonly_tables_ends_the_guest)
{
	static const uint8_t mov[] = { 0x88, 0x08 }; /* mov %cl,(%rax) */
	uint64_t *e = fill_table(A, TABLE_GFN, MAPPED, 0);
	struct domain *d = dom(B);

	grant(A, B, TABLE_GFN, GTF_readonly);
	EXPECT(map_own(B, MAPPED, GNTMAP_host_map | GNTMAP_readonly), == GNTST_okay);
	hvm_emulate(paged(B, MAPPED), mov, sizeof(mov));
	machine_pass(NS_PER_US);
	EXPECT(d->shutdown_code, == SHUTDOWN_crash);
	EXPECT(d->shutting_down, == true);
	EXPECT(dom(A)->shutting_down, == false);
	EXPECT(changed(e, MAPPED, 0), == 0);
}

static void with_format(const struct p2m_format *fmt, void (*test)(void))
{
	static struct hvm_ops ops;

	ops = fake_hvm_ops;
	ops.p2m_format = fmt;
	change_machine(&ops);
	test();
	change_machine(&fake_hvm_ops);
}

/* What the walk writes by itself was written, for a log of writes. */
static void noted(void)
{
	struct domain *d = dom(B);
	uint8_t map[8];

	fill_table(B, TABLE_GFN, TABLE_GFN, 0);
	EXPECT(log_begin(B), == 0);
	log_ask(B, 64, map, true);
	EXPECT(walk_all(B, TABLE_GFN, 0), == 0);
	log_ask(B, 64, map, true);
	EXPECT(map[TABLE_GFN / 8] >> (TABLE_GFN % 8) & 1, == 1);
	EXPECT(walk_all(B, TABLE_GFN, 0), == 0);
	log_ask(B, 64, map, true);
	EXPECT(map[TABLE_GFN / 8] >> (TABLE_GFN % 8) & 1, == 0);
	logdirty_disable(d);
}

/* A processor whose nested tables have no dirty bit needs the right to write only where it writes. */
static void without_dirty_bits(void)
{
	struct domain *d = dom(B);

	noted();
	fill_table(B, TABLE_GFN, TABLE_GFN, ACCESSED);
	EXPECT(p2m_change_type(d, _gfn(TABLE_GFN), p2m_get(d, _gfn(TABLE_GFN)).type, P2M_RAM_RO),
	       == 0);
	EXPECT(walk_all(B, TABLE_GFN, 0), == 0);
	EXPECT(walk_all(B, TABLE_GFN, PFEC_W), == -EACCES);
	EXPECT(changed(guest_page(B, TABLE_GFN), TABLE_GFN, ACCESSED), == 0);
}

CASE(walk_is_noted_as_a_write)
{
	struct vmx_controls none = { .max_leaf_level = 2 };

	with_format(fake_hvm_ops.p2m_format, noted);
	vmx_ept_init(&none);
	with_format(&vmx_ept_format, without_dirty_bits);
}

/* --- grants ------------------------------------------------------------------------------------ */

/* What the granter itself may only read nobody may map for writing, whatever was mapped before. */
CASE(write_pin_looks_at_the_page_again)
{
	struct domain *d = dom(A);

	EXPECT(p2m_change_type(d, _gfn(TABLE_GFN), P2M_RAM_RW, P2M_RAM_RO), == 0);
	grant(A, 0, TABLE_GFN, 0);
	EXPECT(map_own(0, HOLE_FIRST, GNTMAP_host_map), == GNTST_bad_page);
	EXPECT(map_own(0, HOLE_FIRST, GNTMAP_host_map | GNTMAP_readonly), == GNTST_okay);
	EXPECT(map_own(0, HOLE_FIRST + 1, GNTMAP_host_map), == GNTST_bad_page);
	EXPECT(p2m_get(dom0, _gfn(HOLE_FIRST + 1)).type, == P2M_INVALID);
	EXPECT(map_own(0, HOLE_FIRST + 1, GNTMAP_host_map | GNTMAP_readonly), == GNTST_okay);
	EXPECT(p2m_change_type(d, _gfn(TABLE_GFN), P2M_RAM_RO, P2M_RAM_RW), == 0);
	EXPECT(map_own(0, HOLE_FIRST + 2, GNTMAP_host_map), == GNTST_okay);
}

/* The entry names another frame by now: for writing, the page that is pinned is not what it grants. */
CASE(write_pin_is_for_the_page_that_is_granted)
{
	grant_entry_v1_t *e = page_to_virt(dom(A)->grant->frame[0]);

	grant(A, 0, TABLE_GFN, GTF_readonly);
	EXPECT(map_own(0, HOLE_FIRST, GNTMAP_host_map | GNTMAP_readonly), == GNTST_okay);
	EXPECT(map_own(0, HOLE_FIRST + 1, GNTMAP_host_map), == GNTST_general_error);
	e[REF].frame = TABLE_GFN + 1;
	e[REF].flags &= (uint16_t)~GTF_readonly;
	EXPECT(map_own(0, HOLE_FIRST + 1, GNTMAP_host_map), == GNTST_bad_page);
	EXPECT(e[REF].flags & GTF_writing, == 0);
	e[REF].frame = TABLE_GFN;
	EXPECT(map_own(0, HOLE_FIRST + 1, GNTMAP_host_map), == GNTST_okay);
}

/* --- frames that move -------------------------------------------------------------------------- */

static long move(domid_t id, uint64_t from, uint64_t to)
{
	struct xen_add_to_physmap a = {
		.domid = DOMID_SELF, .space = XENMAPSPACE_gmfn, .idx = from, .gpfn = to
	};

	return call_op(id, __HYPERVISOR_memory_op, XENMEM_add_to_physmap, &a, sizeof(a));
}

CASE(readonly_memory_moves_as_such)
{
	struct domain *d = dom(B);
	uint64_t word = 1;

	EXPECT(p2m_change_type(d, _gfn(20), P2M_RAM_RW, P2M_RAM_RO), == 0);
	EXPECT(move(B, 20, FIRST_HOLE), == 0);
	EXPECT(p2m_get(d, _gfn(FIRST_HOLE)).type, == P2M_RAM_RO);
	EXPECT(guest_phys_write(d, _gpa((uint64_t)FIRST_HOLE << PAGE_SHIFT), &word, 8), == -EFAULT);
	EXPECT(move(B, 21, FIRST_HOLE + 1), == 0);
	EXPECT(p2m_get(d, _gfn(FIRST_HOLE + 1)).type, == P2M_RAM_RW);
}

/* --- others' pages ----------------------------------------------------------------------------- */

/* Pages of another domain belong into dom0's map only: not into a third one's, whoever asks. */
CASE(nobody_but_dom0_gets_foreign_pages)
{
	struct xen_add_to_physmap_batch b = {
		.domid = A, .space = XENMAPSPACE_gmfn_foreign, .size = 1, .u.foreign_domid = B
	};
	uint64_t *list = guest_page(0, SCRATCH_GFN);

	list[0] = 3;
	list[1] = FIRST_HOLE;
	guest_handle_set(b.idxs, LIST);
	guest_handle_set(b.gpfns, LIST + 8);
	guest_handle_set(b.errs, LIST + 16);
	EXPECT(call_op(0, __HYPERVISOR_memory_op, XENMEM_add_to_physmap_batch, &b, sizeof(b)),
	       == 0);
	EXPECT((int)list[2], == -EPERM);
	EXPECT(p2m_get(dom(A), _gfn(FIRST_HOLE)).type, == P2M_INVALID);
}
