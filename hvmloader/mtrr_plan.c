/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Covering an address range by naturally aligned powers of two for variable MTRRs
 * (Intel SDM volume 3, 12.11.3). Loading them is in mtrr.c.
 */
#include "mtrr.h"
#include "layout.h"

#define MTRR_TYPE_UC 0u
#define MTRR_VALID   0x800u

int mtrr_plan_uncached(struct mtrr_plan *p, uint64_t start, uint64_t end, unsigned int phys_bits)
{
	uint64_t limit = (UINT64_C(1) << phys_bits) - 1;

	while (start < end) {
		uint64_t size = start ? start & -start : UINT64_C(1) << (phys_bits - 1);

		while (size > end - start)
			size >>= 1;
		if (size < PAGE_BYTES || p->nr >= p->nr_available || p->nr >= MTRR_VARIABLE_MAX)
			return -1;
		p->range[p->nr].base = start | MTRR_TYPE_UC;
		p->range[p->nr].mask = (~(size - 1) & limit) | MTRR_VALID;
		p->nr++;
		start += size;
	}
	return 0;
}
