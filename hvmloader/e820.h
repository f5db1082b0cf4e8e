/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory map that the guest gets (INT 15h, E820h; ACPI 6.4 section 15).
 */
#ifndef HVMLOADER_E820_H
#define HVMLOADER_E820_H

#include <stdint.h>

enum e820_type { E820_TYPE_RAM = 1, E820_TYPE_RESERVED = 2, E820_TYPE_ACPI = 3, E820_TYPE_NVS = 4 };

struct e820_range {
	uint64_t start;
	uint64_t size;
	uint32_t type;
} __attribute__((packed));

#define E820_RANGES_MAX 128

struct e820_map {
	uint32_t nr;
	struct e820_range range[E820_RANGES_MAX];
};

struct e820_input {
	uint64_t low_ram_end;		/* bytes, RAM below 4 GiB */
	uint64_t high_ram_end;		/* bytes, RAM above 4 GiB; 0 = none */
	uint32_t bios_start;		/* first byte of the BIOS image below 1 MiB */
	uint32_t acpi_end;		/* end of the ACPI tables that start at ACPI_INFO_ADDR */
	const struct e820_range *given; /* the VMM's own map; only what is not RAM counts */
	uint32_t nr_given;
};

/* Build the sorted map without overlaps. Returns 0, or -1 when it needs too many entries. */
int e820_build(struct e820_map *map, const struct e820_input *in);

#endif
