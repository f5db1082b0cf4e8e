/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vCPU's memory type range registers (SDM volume 3, "Memory Type Range Registers"), as values that the
 * guest reads back and as the memory type of an address. IA32_PAT is in v->hvm.pat.
 */
#ifndef PLINTH_MTRR_H
#define PLINTH_MTRR_H

#include "xen_abi.h"
#include "domain.h"

#define MTRR_NR_VAR   8U
#define MTRR_NR_FIXED 11U

struct mtrr_state {
	uint64_t def_type;	       /* IA32_MTRR_DEF_TYPE: type 0-7, FE bit 10, E bit 11 */
	uint64_t cap;		       /* IA32_MTRRCAP */
	uint64_t fixed[MTRR_NR_FIXED]; /* 64K, 16K x 2, 4K x 8, in order of MSR number */
	uint64_t var[MTRR_NR_VAR][2];  /* base, mask */
};

/* v's registers as after reset, dom0's as the host's. 0 or -ENOMEM. */
int mtrr_init(struct vcpu *v);
/* Also after mtrr_init() failed. */
void mtrr_fini(struct vcpu *v);
/* 0, -EINVAL = #GP. */
int mtrr_rdmsr(struct vcpu *v, uint32_t msr, uint64_t *value);
int mtrr_wrmsr(struct vcpu *v, uint32_t msr, uint64_t value);
/* Memory type (0 UC, 1 WC, 4 WT, 5 WP, 6 WB) by the machine's own MTRRs, for [a, a + len); UC when the range has several types. */
uint8_t mtrr_host_type(maddr_t a, uint64_t len);

#endif
