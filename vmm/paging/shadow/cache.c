// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory types. Without nested paging the processor runs with the VMM's PAT, whatever the guest's says: APM volume 2,
 * 15.25.8 has gPAT with nested paging only. dom0 has the machine's devices, so each of its entries gets the index in
 * the VMM's PAT of the type that dom0's own PAT gives it; the machine's MTRRs do the rest. All memory of other domains
 * is write-back. APM volume 2, 7.8.
 */
#include "cpu.h"
#include "shadow.h"

#define PAT_INDEXES 8U
/* Of an entry for a large page. */
#define LARGE_PAT BIT(12)

unsigned int sh_pat_number(struct sh_domain *s, uint64_t pat)
{
	unsigned int n = 0;

	if (!s->d->is_dom0)
		return 0;
	while (n < s->nr_pats && s->pat[n] != pat)
		n++;
	/* No kernel has so many: what the last one was used for keeps its types. */
	if (n == SH_PATS)
		n--;
	s->pat[n] = pat;
	s->nr_pats = max(s->nr_pats, n + 1);
	return n;
}

unsigned int sh_cache_number(const struct sh_domain *s, unsigned int pat, uint64_t pte,
			     unsigned int level)
{
	unsigned int in_guest = (pte & (level > 1 ? LARGE_PAT : SH_PAT) ? 4 : 0) |
				(pte & SH_PCD ? 2 : 0) | (pte & SH_PWT ? 1 : 0);
	unsigned int type = s->pat[pat] >> 8 * in_guest & 0xff, n = 0;

	if (!s->d->is_dom0)
		return 0;
	while (n < PAT_INDEXES && (VMM_PAT >> 8 * n & 0xff) != type)
		n++;
	return n % PAT_INDEXES;
}

uint64_t sh_cache_bits(unsigned int number)
{
	return (number & 4 ? SH_PAT : 0) | (number & 2 ? SH_PCD : 0) | (number & 1 ? SH_PWT : 0);
}
