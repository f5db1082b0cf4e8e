/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of vmm/cpu. */
#ifndef PLINTH_CPU_INTERNAL_H
#define PLINTH_CPU_INTERNAL_H

#include "vmm/cpu/cpu.h"

/* calibrate.c: the TSC's rate; *source: who said so. */
uint64_t tsc_measure_hz(const char **source);

/*
 * time.c: pairs of TSC readings: is this CPU's TSC the BSP's? Both sides run it; the BSP gets the
 * verdict.
 */
bool tsc_sync_check_bsp(void);
void tsc_sync_check_ap(void);

#endif
