/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Registers of guests by range: what the files that have some give to msr.c. */
#ifndef PLINTH_MSR_PRIVATE_H
#define PLINTH_MSR_PRIVATE_H

#include "policy.h"

/* A range of registers. It becomes the guests' by its line in the list of msr.c. */
struct msr_range {
	uint32_t first, last;
	/* 0, -EINVAL: #GP, -ENOENT: not there for this guest, who comes next in the list is asked. NULL: likewise. */
	int (*read)(struct vcpu *v, uint32_t msr, uint64_t *value);
	int (*write)(struct vcpu *v, uint32_t msr, uint64_t value);
};

/* Banks that an image of Xen's has (mcheck.c). */
#define MSR_MCG_CAP	0x179U
#define MSR_MCG_CTL	0x17bU
#define MSR_MC0_CTL2	0x280U
#define MSR_MC_CTL2_END 0x29fU
#define MSR_MC0_CTL	0x400U
#define MSR_MC_LAST	0x47fU
#define MSR_MCG_EXT_CTL 0x4d0U
int mcheck_read(struct vcpu *v, uint32_t msr, uint64_t *value);
int mcheck_write(struct vcpu *v, uint32_t msr, uint64_t value);

/* A register without an effect that a processor of p's vendor and family has: its value. False: #GP. */
bool msr_table_read(const struct cpu_policy *p, uint32_t msr, uint64_t *value);
/* One of them whose writes are dropped. False: #GP. */
bool msr_table_drops(const struct cpu_policy *p, uint32_t msr);

#endif
