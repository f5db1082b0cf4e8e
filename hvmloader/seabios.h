/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hand-over to SeaBIOS in its Xen mode: what it reads at BIOS_INFO_ADDR.
 */
#ifndef HVMLOADER_SEABIOS_H
#define HVMLOADER_SEABIOS_H

#include "firmware.h"

#define SEABIOS_TABLES_MAX 4

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

#endif
