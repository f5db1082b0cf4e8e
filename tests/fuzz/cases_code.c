// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Code in large pages on CPUs that a guest could stop by changing the size of a page that it runs from: EPT with
 * small_code, and a model of what hardware does on a fetch: it looks at the leaf's bit 2, or faults.
 */
#include "cases.h"
#include "hvm_ops.h"
#include "vmx/controls.h"

#define LARGE_GFN  1024U
#define LARGE_NEXT (LARGE_GFN + 512)

extern struct p2m_format vmx_ept_format;
void vmx_ept_init(const struct vmx_controls *c);

static unsigned int flushes;

static void count_flush(struct domain *d)
{
	(void)d;
	flushes++;
}

static uint64_t hw_leaf(struct domain *d, uint64_t gfn, unsigned int *level)
{
	const uint64_t *table = page_to_virt(d->p2m.root);
	uint64_t e;

	for (*level = 4;; (*level)--) {
		e = table[gfn >> (9 * (*level - 1)) & 511];
		if (!(e & 7) || *level == 1 || (e & BIT(7)))
			return e;
		table = maddr_to_virt(_maddr(e & 0x000ffffffffff000ULL));
	}
}

/* A fetch by the guest: how many faults it took, -1 = nothing resolves them. */
static int hw_fetch(struct domain *d, uint64_t gfn)
{
	struct npt_fault f = { .gpa = _gpa(gfn << PAGE_SHIFT), .fetch = true };
	unsigned int level;
	int faults = 0;

	while (!(hw_leaf(d, gfn, &level) & BIT(2)))
		if (faults++ == 3 || !p2m_fault(d->vcpu[0], &f))
			return -1;
	return faults;
}

static unsigned int level_of(struct domain *d, uint64_t gfn)
{
	unsigned int level;

	hw_leaf(d, gfn, &level);
	return level;
}

static void map_large(struct domain *d, uint64_t gfn, enum p2m_type t, enum p2m_access a)
{
	EXPECT(p2m_set(d, _gfn(gfn), t == P2M_INVALID ? INVALID_MFN : _mfn(0), 9, t, a), == 0);
}

static void begin(bool small_code)
{
	static struct hvm_ops ops;
	struct vmx_controls c = { .max_leaf_level = 3, .ept_dirty = true };

	vmx_ept_init(&c);
	vmx_ept_format.small_code = small_code;
	ops = fake_hvm_ops;
	ops.p2m_format = &vmx_ept_format;
	change_machine(&ops);
	machine_on_flush = count_flush;
}

static void end(void)
{
	vmx_ept_format.small_code = false;
	change_machine(&fake_hvm_ops);
}

CASE(code_in_a_large_page)
{
	struct domain *d;
	unsigned int before;

	begin(true);
	d = dom(DOMID_B);
	map_large(d, LARGE_GFN, P2M_RAM_RW, P2M_ACCESS_RWX);
	map_large(d, LARGE_NEXT, P2M_RAM_RW, P2M_ACCESS_RWX);
	EXPECT(level_of(d, LARGE_GFN), == 2);
	before = flushes;
	EXPECT(hw_fetch(d, LARGE_GFN + 3), == 1);
	EXPECT(flushes, > before);
	EXPECT(level_of(d, LARGE_GFN + 3), == 1);
	EXPECT(hw_fetch(d, LARGE_GFN + 511), == 0);
	EXPECT(p2m_get(d, _gfn(LARGE_GFN + 511)).mfn.v, == 511);
	EXPECT(p2m_get(d, _gfn(LARGE_GFN + 511)).type, == P2M_RAM_RW);
	EXPECT(level_of(d, LARGE_NEXT), == 2); /* nothing is executed there */
	/* Given anew as one page, it stays in small ones. */
	map_large(d, LARGE_GFN, P2M_RAM_RW, P2M_ACCESS_RWX);
	EXPECT(hw_fetch(d, LARGE_GFN), == 0);
	EXPECT(level_of(d, LARGE_GFN), == 1);
	map_large(d, LARGE_GFN, P2M_INVALID, P2M_ACCESS_RWX);
	map_large(d, LARGE_NEXT, P2M_INVALID, P2M_ACCESS_RWX);
	end();
}

/* What must not be executed is not, and is not split either. */
CASE(no_code_in_a_large_page)
{
	struct domain *d;

	begin(true);
	d = dom(DOMID_B);
	map_large(d, LARGE_GFN, P2M_RAM_RW, P2M_ACCESS_RW);
	EXPECT(hw_fetch(d, LARGE_GFN), == -1);
	EXPECT(level_of(d, LARGE_GFN), == 2);
	map_large(d, LARGE_GFN, P2M_INVALID, P2M_ACCESS_RWX);
	EXPECT(hw_fetch(d, LARGE_GFN), == -1);
	end();
}

/* dom0's code, and everybody's on CPUs without this fault, runs in large pages. */
CASE(code_that_stays_in_a_large_page)
{
	struct domain *d;

	for (unsigned int small = 0; small < 2; small++) {
		begin(small);
		d = dom(small ? 0 : DOMID_B);
		map_large(d, LARGE_GFN, P2M_RAM_RW, P2M_ACCESS_RWX);
		EXPECT(hw_fetch(d, LARGE_GFN), == 0);
		EXPECT(level_of(d, LARGE_GFN), == 2);
		map_large(d, LARGE_GFN, P2M_INVALID, P2M_ACCESS_RWX);
	}
	end();
}
