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

/* A register without an effect that a processor of p's vendor and family has: its value. False: #GP. */
bool msr_table_read(const struct cpu_policy *p, uint32_t msr, uint64_t *value);
/* One of them whose writes are dropped. False: #GP. */
bool msr_table_drops(const struct cpu_policy *p, uint32_t msr);

#endif
