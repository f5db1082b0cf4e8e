/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of dom0/. */
#ifndef PLINTH_DOM0_INTERNAL_H
#define PLINTH_DOM0_INTERNAL_H

#include "boot.h"
#include "dom0.h"

/* dom0's memory as chosen by memory.c. */
struct dom0_layout {
	struct e820_map e820;	       /* what dom0 sees; build.c adds what it places */
	uint64_t hole_start, hole_end; /* deliberate hole for foreign and grant mappings */
	uint64_t fence_end;	       /* the UNUSABLE fence is [hole_end, fence_end) */
	uint64_t ram_bytes;
	uint64_t low_start,
		low_end; /* the RAM range below 4 GiB that holds the kernel and the rest */
};
/* Chosen by dom0_reserve_memory(); build.c changes the map alone. */
extern struct dom0_layout dom0_layout;

/* Cut [start, start + len) out of dom0's RAM and give it another type. */
void dom0_layout_carve(uint64_t start, uint64_t len, uint32_t type);

/* build_acpi.c: rebuilt tables at machine address `at` (`size` bytes of dom0's RAM); returns the RSDP's. */
uint64_t dom0_build_acpi(uint64_t at, uint64_t size, unsigned int nr_vcpus);

#endif
