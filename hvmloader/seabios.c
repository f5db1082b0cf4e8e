/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SeaBIOS in Xen mode (its src/fw/xen.c): an information block with the addresses of the tables
 * that SeaBIOS copies into the F segment and of the memory map. It has no fw_cfg there.
 */
#include "seabios.h"
#include "layout.h"
#include "util.h"

#define BIOS_BYTES_MAX 0x40000u

_Static_assert(sizeof(struct seabios_page) <= 0x1000, "the information page is one page");

/* Zeros among the table addresses are left out. */
static void fill_info(void *page, const uint32_t *tables, uint32_t nr_tables,
		      const struct e820_map *map)
{
	struct seabios_page *p = page;
	struct seabios_info *info = &p->info;

	memset(p, 0, sizeof(*p));
	for (uint32_t i = 0; i < nr_tables && info->nr_tables < SEABIOS_TABLES_MAX; i++)
		if (tables[i])
			p->table[info->nr_tables++] = tables[i];
	for (uint32_t i = 0; i < map->nr; i++)
		p->e820[i] = map->range[i];
	memcpy(info->signature, "XenHVMSeaBIOS", 14);
	info->length = sizeof(*info);
	info->tables = BIOS_INFO_ADDR + (uint32_t)offsetof(struct seabios_page, table);
	info->e820 = BIOS_INFO_ADDR + (uint32_t)offsetof(struct seabios_page, e820);
	info->nr_e820 = map->nr;
	info->checksum = util_checksum(info, sizeof(*info));
}

static bool contains(const uint8_t *image, uint32_t bytes, const char *name)
{
	uint32_t len = (uint32_t)strlen(name);

	for (uint32_t i = 0; i + len <= bytes; i++)
		if (!memcmp(image + i, name, len))
			return true;
	return false;
}

/* Size in whole 64 KiB up to 256 KiB, a far jump at the reset vector, SeaBIOS's name somewhere in it. */
static const char *check(const uint8_t *image, uint32_t bytes)
{
	if (!bytes || bytes > BIOS_BYTES_MAX || bytes % 0x10000)
		return "its size is not 64, 128, 192 or 256 KiB";
	if (image[bytes - 16] != 0xea)
		return "there is no far jump at its reset vector";
	if (!contains(image, bytes, "SeaBIOS"))
		return "it does not call itself SeaBIOS";
	return NULL;
}

/* It ends where its reset vector has to be. */
static uint32_t place(uint32_t bytes)
{
	return ONE_MIB - bytes;
}

const struct firmware seabios_firmware = {
	.name = "seabios",
	.check = check,
	.place = place,
	.info_gpa = BIOS_INFO_ADDR,
	.fill_info = fill_info,
};
