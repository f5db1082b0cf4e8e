/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between msr.c and msr_table.c. */
#ifndef PLINTH_MSR_PRIVATE_H
#define PLINTH_MSR_PRIVATE_H

#include "policy.h"

/* A register without an effect that a processor of p's vendor and family has: its value. False: #GP. */
bool msr_table_read(const struct cpu_policy *p, uint32_t msr, uint64_t *value);
/* One of them whose writes are dropped. False: #GP. */
bool msr_table_drops(const struct cpu_policy *p, uint32_t msr);

#endif
