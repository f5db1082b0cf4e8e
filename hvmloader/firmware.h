/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Firmware that hvmloader hands over to: one descriptor each, and their list in main.c. All of them start in real mode at the
 * reset vector below 1 MiB.
 */
#ifndef HVMLOADER_FIRMWARE_H
#define HVMLOADER_FIRMWARE_H

#include "e820.h"

struct firmware {
	const char *name; /* what the guest's configuration calls it: bios= */
	/* Is this its image? NULL, or what is wrong. */
	const char *(*check)(const uint8_t *image, uint32_t bytes);
	/* Where an image of that size has to lie. The memory map keeps what is between there and 1 MiB. */
	uint32_t (*place)(uint32_t bytes);
	/* The page in which it looks for tables and the memory map, and what fills it. Addresses of 0 are no tables. */
	uint32_t info_gpa;
	void (*fill_info)(void *page, const uint32_t *tables, uint32_t nr_tables,
			  const struct e820_map *map);
};

extern const struct firmware seabios_firmware;

#endif
