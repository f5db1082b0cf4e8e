/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory map: known cases, and random ones against a table of pages. */
#include "e820.h"
#include "layout.h"
#include "tests.h"

#include <stdlib.h>
#include <string.h>

#define FOUR_GIB  UINT64_C(0x100000000)
#define MIB	  UINT64_C(0x100000)
#define MODEL_MIB 8192

static void is(const struct e820_map *m, uint32_t i, uint64_t start, uint64_t end, uint32_t type)
{
	CHECK(i < m->nr && m->range[i].start == start &&
	      m->range[i].start + m->range[i].size == end && m->range[i].type == type);
}

/* The map that Xen's hvmloader gives the same domain. */
static void like_xen(void)
{
	struct e820_input in = {
		.low_ram_end = 0x0f000000,
		.bios_start = 0xc0000,
		.acpi_end = 0xfc00b000,
	};
	struct e820_map m;

	CHECK(!e820_build(&m, &in));
	CHECK(m.nr == 5);
	is(&m, 0, 0, 0xa0000, E820_TYPE_RAM);
	is(&m, 1, 0xc0000, 0x100000, E820_TYPE_RESERVED);
	is(&m, 2, 0x100000, 0x0f000000, E820_TYPE_RAM);
	is(&m, 3, 0xfc000000, 0xfc00b000, E820_TYPE_NVS);
	is(&m, 4, 0xfc00b000, FOUR_GIB, E820_TYPE_RESERVED);
	in.high_ram_end = 0x180000000;
	CHECK(!e820_build(&m, &in));
	CHECK(m.nr == 6);
	is(&m, 5, FOUR_GIB, 0x180000000, E820_TYPE_RAM);
}

static uint32_t type_at(const struct e820_map *m, uint64_t addr)
{
	for (uint32_t i = 0; i < m->nr; i++)
		if (addr >= m->range[i].start && addr - m->range[i].start < m->range[i].size)
			return m->range[i].type;
	return 0;
}

/* What each MiB should be, painted the obvious way. */
static void model(uint8_t *type, const struct e820_input *in)
{
	memset(type, 0, MODEL_MIB);
	for (uint64_t i = 1; i < MODEL_MIB; i++) {
		uint64_t a = i * MIB;

		if (a < in->low_ram_end || (a >= FOUR_GIB && a < in->high_ram_end))
			type[i] = E820_TYPE_RAM;
		for (uint32_t g = 0; g < in->nr_given; g++)
			if (in->given[g].type != E820_TYPE_RAM && a >= in->given[g].start &&
			    a < in->given[g].start + in->given[g].size)
				type[i] = (uint8_t)in->given[g].type;
		if (a >= ACPI_INFO_ADDR && a < FOUR_GIB)
			type[i] = a < in->acpi_end ? E820_TYPE_NVS : E820_TYPE_RESERVED;
	}
}

static void random_maps(void)
{
	uint8_t *want = malloc(MODEL_MIB);
	struct e820_range given[6];
	struct e820_map m;

	for (int round = 0; round < 300; round++) {
		struct e820_input in = {
			.low_ram_end = (4 + check_random() % 3836) * MIB,
			.bios_start = 0xc0000,
			.acpi_end = 0xfc000000 + MIB * (check_random() % 3),
			.given = given,
			.nr_given = check_random() % 7,
		};
		int bad = 0;

		if (check_random() & 1)
			in.high_ram_end = FOUR_GIB + (check_random() % 4000) * MIB;
		for (int i = 0; i < 6; i++)
			given[i] = (struct e820_range){
				(check_random() % 8000) * MIB,
				(check_random() % 600) * MIB,
				1 + check_random() % 5,
			};
		CHECK(!e820_build(&m, &in));
		model(want, &in);
		for (uint64_t i = 1; i < MODEL_MIB; i++)
			bad += type_at(&m, i * MIB) != want[i];
		for (uint32_t i = 0; i < m.nr; i++) {
			bad += !m.range[i].size;
			if (i)
				bad += m.range[i].start <
				       m.range[i - 1].start + m.range[i - 1].size;
		}
		bad += type_at(&m, 0x9ffff) != E820_TYPE_RAM;
		bad += type_at(&m, 0xa0000) != 0;
		CHECK(!bad);
	}
	free(want);
}

static void too_many(void)
{
	static struct e820_range given[E820_RANGES_MAX];
	struct e820_input in = {
		.low_ram_end = 0xc0000000,
		.bios_start = 0xc0000,
		.acpi_end = 0xfc001000,
		.given = given,
		.nr_given = E820_RANGES_MAX,
	};
	struct e820_map m;

	for (uint32_t i = 0; i < E820_RANGES_MAX; i++)
		given[i] = (struct e820_range){ (2 + 2 * i) * MIB, MIB, E820_TYPE_RESERVED };
	CHECK(e820_build(&m, &in) == -1);
	given[0] = (struct e820_range){ UINT64_MAX - 5, 100, E820_TYPE_RESERVED };
	in.nr_given = 1;
	CHECK(!e820_build(&m, &in));
}

void test_e820(void)
{
	like_xen();
	random_maps();
	too_many();
}
