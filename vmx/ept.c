// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The entry format of extended page tables: SDM volume 3, 28.2.2. The p2m type sits in bits 52-56
 * and the access in 57-59, which hardware ignores as long as the features that give them a meaning
 * (57 verify paging, 58 paging-write, all off) are not enabled; entries that are not present keep
 * them too.
 *
 * Memory types (28.2.7.2): hardware does not look at the host's MTRRs here, the entry has to carry
 * the type. A guest's memory is write-back whatever its own PAT says, as nothing that it reaches is
 * behind a device that does not snoop. dom0's memory is write-back and combined with its PAT, its
 * device memory has the machine's MTRR type.
 */
#include "vmx.h"
#include "mtrr.h"

#define EPT_R	       BIT(0)
#define EPT_W	       BIT(1)
#define EPT_X	       BIT(2)
#define EPT_MT_SHIFT   3
#define EPT_IGNORE_PAT BIT(6)
#define EPT_PS	       BIT(7)
#define EPT_A	       BIT(8)
#define EPT_D	       BIT(9)
#define MT_WB	       6ULL

static uint64_t ept_rights(enum p2m_type t, enum p2m_access a)
{
	static const uint64_t by_type[P2M_TYPE_COUNT] = {
		[P2M_RAM_RW] = EPT_R | EPT_W | EPT_X,
		[P2M_RAM_RO] = EPT_R | EPT_X,
		[P2M_RAM_LOGDIRTY] = EPT_R | EPT_X,
		[P2M_MMIO_DIRECT] = EPT_R | EPT_W,
		[P2M_FOREIGN] = EPT_R | EPT_W,
		[P2M_GRANT_RW] = EPT_R | EPT_W,
		[P2M_GRANT_RO] = EPT_R,
		[P2M_IOREQ_SERVER] = EPT_R | EPT_X,
	};
	uint64_t r = by_type[t];

	if (t == P2M_RAM_LOGDIRTY && vmx_ept_format.dirty)
		r |= EPT_W;
	if (a == P2M_ACCESS_N)
		return 0;
	if (a == P2M_ACCESS_RX || a == P2M_ACCESS_R)
		r &= ~EPT_W;
	if (a == P2M_ACCESS_RW || a == P2M_ACCESS_R)
		r &= ~EPT_X;
	return r;
}

static uint64_t memory_type(const struct domain *d, const struct p2m_entry *e, unsigned int level)
{
	if (e->type == P2M_MMIO_DIRECT)
		return mtrr_host_type(mfn_to_maddr(e->mfn), BIT(9 * (level - 1)) << PAGE_SHIFT)
		       << EPT_MT_SHIFT;
	return MT_WB << EPT_MT_SHIFT | (d->is_dom0 ? 0 : EPT_IGNORE_PAT);
}

static uint64_t ept_make_leaf(const struct domain *d, const struct p2m_entry *e, gfn_t gfn,
			      unsigned int level)
{
	uint64_t pte = ept_rights(e->type, e->access);

	(void)gfn;
	if (level > 1 && vmx_ept_format.small_code && !d->is_dom0)
		pte &= ~EPT_X;
	if (pte)
		pte |= memory_type(d, e, level) | (level > 1 ? EPT_PS : 0) | EPT_A;
	if (e->type != P2M_RAM_LOGDIRTY && (pte & EPT_W))
		pte |= vmx_ept_format.dirty;
	if (mfn_valid_value(e->mfn))
		pte |= mfn_to_maddr(e->mfn).v;
	return pte | (uint64_t)e->type << P2M_PTE_TYPE_SHIFT |
	       (uint64_t)e->access << P2M_PTE_ACCESS_SHIFT;
}

static uint64_t ept_make_table(maddr_t table)
{
	return table.v | EPT_R | EPT_W | EPT_X | EPT_A;
}

BUILD_BUG_ON(P2M_TYPE_COUNT > 32);

/* The largest page and the dirty bit depend on the CPU: vmx_ept_init. */
struct p2m_format vmx_ept_format = {
	.make_leaf = ept_make_leaf,
	.make_table = ept_make_table,
	.max_leaf_level = 1,
};

void vmx_ept_init(const struct vmx_controls *c)
{
	vmx_ept_format.max_leaf_level = c->max_leaf_level;
	vmx_ept_format.dirty = c->ept_dirty ? EPT_D : 0;
}
