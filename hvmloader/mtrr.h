/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory types by MTRR (Intel SDM volume 3, 12.11): RAM write-back, PCI windows uncached.
 */
#ifndef HVMLOADER_MTRR_H
#define HVMLOADER_MTRR_H

#include <stdint.h>

#define MTRR_VARIABLE_MAX 16

struct mtrr_range {
	uint64_t base, mask; /* the values of the MSR pair */
};

struct mtrr_plan {
	uint32_t nr;
	uint32_t nr_available; /* how many pairs this processor has */
	struct mtrr_range range[MTRR_VARIABLE_MAX];
};

/*
 * Make [start, end) uncached by powers of two. end is a multiple of 4 KiB, phys_bits the width of
 * physical addresses. Returns 0, or -1 when the pairs run out (the plan then covers a part).
 */
int mtrr_plan_uncached(struct mtrr_plan *p, uint64_t start, uint64_t end, unsigned int phys_bits);

/* Width of physical addresses of this processor, in bits. */
unsigned int mtrr_phys_bits(void);

/* How many variable pairs this processor has; 0 when it has no MTRRs. */
uint32_t mtrr_variable_count(void);

/* Load the plan on the processor that runs this. */
void mtrr_load(const struct mtrr_plan *p);

#endif
