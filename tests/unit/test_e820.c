/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory map's clean-up: known cases, and random maps against a byte-by-byte model. */
#include "base/e820.h"
#include "unit.h"

static struct e820_map m;

static bool entry_is(unsigned int i, uint64_t addr, uint64_t end, uint32_t type)
{
	return i < m.nr && m.e[i].addr == addr && m.e[i].addr + m.e[i].len == end &&
	       m.e[i].type == type;
}

TEST(e820_sorts_and_joins)
{
	m.nr = 0;
	e820_add(&m, 0x2000, 0x1000, E820_RAM);
	e820_add(&m, 0x0000, 0x1000, E820_RAM);
	e820_add(&m, 0x1000, 0x1000, E820_RAM);
	e820_add(&m, 0x5000, 0, E820_RAM);
	EXPECT(e820_sanitise(&m) && m.nr == 1 && entry_is(0, 0, 0x3000, E820_RAM));
}

TEST(e820_strictest_type_wins)
{
	m.nr = 0;
	e820_add(&m, 0x0000, 0x10000, E820_RAM);
	e820_add(&m, 0x2000, 0x1000, E820_RESERVED);
	e820_add(&m, 0x2800, 0x2000, E820_ACPI);
	e820_add(&m, 0x2800, 0x100, E820_UNUSABLE);
	EXPECT(e820_sanitise(&m) && m.nr == 6);
	EXPECT(entry_is(0, 0, 0x2000, E820_RAM) && entry_is(1, 0x2000, 0x2800, E820_RESERVED));
	EXPECT(entry_is(2, 0x2800, 0x2900, E820_UNUSABLE) &&
	       entry_is(3, 0x2900, 0x3000, E820_RESERVED));
	EXPECT(entry_is(4, 0x3000, 0x4800, E820_ACPI) && entry_is(5, 0x4800, 0x10000, E820_RAM));
}

TEST(e820_top_of_address_space)
{
	m.nr = 0;
	e820_add(&m, ~0xfffULL, 0x1000, E820_RESERVED);
	e820_add(&m, ~0xfffULL, ~0ULL, E820_RAM);
	e820_add(&m, 0x1000, 0x1000, 77);
	EXPECT(e820_sanitise(&m) && m.nr == 2);
	EXPECT(entry_is(0, 0x1000, 0x2000, E820_RESERVED));
	EXPECT(m.e[1].addr == ~0xfffULL && m.e[1].type == E820_RESERVED &&
	       m.e[1].addr + m.e[1].len >= m.e[1].addr);
}

TEST(e820_overflow_is_reported)
{
	m.nr = 0;
	for (unsigned int i = 0; i < E820_MAX; i++)
		EXPECT(e820_add(&m, i * 0x2000ULL, 0x1000, E820_RAM));
	EXPECT(!e820_add(&m, 0x1000, 0x1000, E820_RAM));
	EXPECT(e820_sanitise(&m) && m.nr == E820_MAX);
	/* one reserved entry that cuts every RAM entry in two makes more than fit */
	m.nr = 0;
	for (unsigned int i = 0; i < E820_MAX / 2; i++) {
		e820_add(&m, i * 0x10000ULL, 0x8000, E820_RAM);
		e820_add(&m, i * 0x10000ULL + 0x1000, 0x1000, E820_RESERVED);
	}
	EXPECT(!e820_sanitise(&m) && m.nr == E820_MAX);
}

TEST(e820_random_against_model)
{
	static const uint8_t rank[] = { 0, 1, 4, 2, 3, 5 };
	uint8_t model[256], got[256];

	for (unsigned int round = 0; round < 500; round++) {
		m.nr = 0;
		memset(model, 0, sizeof(model));
		memset(got, 0, sizeof(got));
		for (unsigned int i = 0; i < 20; i++) {
			unsigned int a = unit_random() % 256, n = unit_random() % (257 - a),
				     t = 1 + unit_random() % 5;

			e820_add(&m, a, n, t);
			for (unsigned int j = a; j < a + n; j++)
				if (rank[t] > rank[model[j]])
					model[j] = (uint8_t)t;
		}
		EXPECT(e820_sanitise(&m));
		for (unsigned int i = 0; i < m.nr; i++) {
			EXPECT(!i || m.e[i - 1].addr + m.e[i - 1].len <= m.e[i].addr);
			for (uint64_t j = 0; j < m.e[i].len; j++)
				got[m.e[i].addr + j] = (uint8_t)m.e[i].type;
		}
		EXPECT(!memcmp(model, got, sizeof(got)));
	}
}
