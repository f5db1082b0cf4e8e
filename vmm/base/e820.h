/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory map: from what a loader says to a sorted map without overlaps (base/e820.c). Pure. */
#ifndef PLINTH_E820_H
#define PLINTH_E820_H

#include "mm.h"

/* Append; entries beyond the table's size are dropped and counted in the result (false). */
bool e820_add(struct e820_map *m, uint64_t addr, uint64_t len, uint32_t type);
/*
 * Sort and cut overlaps: where entries disagree the most restrictive type wins (UNUSABLE,
 * RESERVED, NVS, ACPI, RAM); neighbours of one type are joined. Empty entries and unknown types
 * (as RESERVED) are handled. False when the result does not fit.
 */
bool e820_sanitise(struct e820_map *m);
const char *e820_type_name(uint32_t type);

#endif
