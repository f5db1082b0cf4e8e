/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The information page for SeaBIOS, and which images are accepted (Debian's is a good one). */
#include "layout.h"
#include "seabios.h"
#include "util.h"
#include "tests.h"

#include <stdio.h>
#include <stdlib.h>

static void information(void)
{
	static const uint32_t tables[] = { 0x10000, 0, 0x10020, 0x10040 };
	struct e820_map map = { .nr = 2, .range = { { 0, 0xa0000, 1 }, { 0x100000, 0x1000, 2 } } };
	struct seabios_page *p = calloc(1, sizeof(*p));
	uint8_t *raw = (uint8_t *)p;

	seabios_firmware.fill_info(p, tables, ARRAY_LEN(tables), &map);
	CHECK(!memcmp(raw, "XenHVMSeaBIOS\0", 14));
	CHECK(p->info.length == 32 && !util_checksum(raw, 32));
	CHECK(p->info.nr_tables == 3 && p->info.nr_e820 == 2);
	CHECK(!memcmp(raw + p->info.tables - BIOS_INFO_ADDR, "\x00\x00\x01\x00\x20\x00\x01\x00",
		      8));
	CHECK(!memcmp(raw + p->info.e820 - BIOS_INFO_ADDR, map.range, 40));
	free(p);
}

static void images(void)
{
	uint8_t *image = calloc(1, 0x40000);
	FILE *f = fopen("/usr/share/seabios/bios-256k.bin", "rb");

	CHECK(f && fread(image, 1, 0x40000, f) == 0x40000);
	if (f)
		fclose(f);
	CHECK(!seabios_firmware.check(image, 0x40000));
	CHECK(seabios_firmware.check(image, 0x3ffff));
	CHECK(seabios_firmware.check(image, 0));
	CHECK(seabios_firmware.check(image, 0x80000));
	image[0x3fff0] = 0;
	CHECK(seabios_firmware.check(image, 0x40000));
	memset(image, 0, 0x40000);
	image[0x3fff0] = 0xea;
	CHECK(seabios_firmware.check(image, 0x40000));
	free(image);
}

void test_seabios(void)
{
	information();
	images();
}
