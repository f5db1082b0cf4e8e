/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hand-over to SeaBIOS in its Xen mode.
 */
#ifndef HVMLOADER_SEABIOS_H
#define HVMLOADER_SEABIOS_H

#include "e820.h"

#define SEABIOS_TABLES_MAX 4

/* What SeaBIOS reads at BIOS_INFO_ADDR. */
struct seabios_info {
	char signature[14]; /* "XenHVMSeaBIOS" with its NUL */
	uint8_t length, checksum;
	uint32_t tables, nr_tables;
	uint32_t e820, nr_e820;
} __attribute__((packed));

struct seabios_page {
	struct seabios_info info;
	uint8_t pad[0x40 - sizeof(struct seabios_info)];
	uint32_t table[SEABIOS_TABLES_MAX];
	uint8_t pad2[0x30];
	struct e820_range e820[E820_RANGES_MAX];
};

/*
 * Fill the page that lies at guest address gpa. Zeros among the table addresses are left out.
 */
void seabios_fill_page(struct seabios_page *p, uint32_t gpa, const uint32_t *tables,
		       uint32_t nr_tables, const struct e820_map *map);

/*
 * Check a BIOS image: size in whole 64 KiB up to 256 KiB, a far jump at the reset vector, SeaBIOS's
 * name somewhere in it. Returns NULL, or what is wrong.
 */
const char *seabios_check_image(const uint8_t *image, uint32_t bytes);

#endif
