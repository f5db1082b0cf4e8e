/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Branch predictors between guests, dom0 and the VMM (vmm/cpu/predictions.c). */
#ifndef PLINTH_PREDICTIONS_H
#define PLINTH_PREDICTIONS_H

#include <xen/xen.h>

#define PRED_CMD_IBPB BIT(0)

/* What CPUID says, and IA32_ARCH_CAPABILITIES where it is there. */
struct prediction_facts {
	uint32_t f7_edx, e8_ebx, e21_eax;
	uint64_t arch_caps;
};

/* What keeps the VMM's branches from what guests taught: set once, then hardware's business. */
enum ibrs_kind { IBRS_NONE, IBRS_ENHANCED, IBRS_AUTOMATIC };

struct prediction_ways {
	enum ibrs_kind ibrs;
	bool ibpb; /* the predictors can be made to forget */
};

/* Pure; SDM volume 2 "CPUID" and volume 4, table 2-2; APM volume 3, appendix E. */
struct prediction_ways prediction_ways_of(const struct prediction_facts *f);

/* Once on the BSP, after the command line, before the other CPUs start: choose, say so, set this CPU up. */
void predictions_init(void);
/* On every other CPU. */
void predictions_init_cpu(void);

/* This CPU is about to run a vCPU of the domain with this serial number. Cheap while that stays the same. */
void predictions_turn_to(uint64_t serial);

#endif
