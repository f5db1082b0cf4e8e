// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The entry format of nested page tables: long-mode page tables whose leaves are user pages (APM volume
 * 2, 15.25). The p2m type sits in bits 52-56 and the access in 57-59 (p2m.h), which hardware leaves to
 * software, also in entries that are not present. Memory type: write-back everywhere; the host's MTRRs make device memory uncached.
 */
#include "svm.h"

#define NPT_P  BIT(0)
#define NPT_W  BIT(1)
#define NPT_U  BIT(2)
#define NPT_A  BIT(5)
#define NPT_D  BIT(6)
#define NPT_PS BIT(7)
#define NPT_NX BIT(63)

static uint64_t npt_rights(enum p2m_type t, enum p2m_access a)
{
	static const uint64_t by_type[P2M_TYPE_COUNT] = {
		[P2M_RAM_RW] = NPT_P | NPT_W | NPT_D,
		[P2M_RAM_RO] = NPT_P,
		[P2M_RAM_LOGDIRTY] = NPT_P | NPT_W,
		[P2M_MMIO_DIRECT] = NPT_P | NPT_W | NPT_D | NPT_NX,
		[P2M_FOREIGN] = NPT_P | NPT_W | NPT_D | NPT_NX,
		[P2M_GRANT_RW] = NPT_P | NPT_W | NPT_D | NPT_NX,
		[P2M_GRANT_RO] = NPT_P | NPT_NX,
		[P2M_IOREQ_SERVER] = NPT_P,
	};
	uint64_t r = by_type[t];

	if (!r || a == P2M_ACCESS_N)
		return 0;
	if (a == P2M_ACCESS_RX || a == P2M_ACCESS_R)
		r &= ~NPT_W;
	if (a == P2M_ACCESS_RW || a == P2M_ACCESS_R)
		r |= NPT_NX;
	return r | NPT_U | NPT_A;
}

static uint64_t npt_make_leaf(const struct domain *d, const struct p2m_entry *e, gfn_t gfn,
			      unsigned int level)
{
	uint64_t pte = npt_rights(e->type, e->access);

	(void)d;
	(void)gfn;
	pte |= (uint64_t)e->type << P2M_PTE_TYPE_SHIFT | (uint64_t)e->access
								 << P2M_PTE_ACCESS_SHIFT;
	if (mfn_valid_value(e->mfn))
		pte |= mfn_to_maddr(e->mfn).v;
	if (level > 1 && (pte & NPT_P))
		pte |= NPT_PS;
	return pte;
}

static uint64_t npt_make_table(maddr_t table)
{
	return table.v | NPT_P | NPT_W | NPT_U | NPT_A;
}

const struct p2m_format svm_npt_format = {
	.make_leaf = npt_make_leaf,
	.make_table = npt_make_table,
	.max_leaf_level = 3,
	.dirty = NPT_D,
};
