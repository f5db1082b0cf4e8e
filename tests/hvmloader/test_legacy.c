/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MP table walked as an operating system walks it, and an image of the first MiB with $PIR for
 * biosdecode.
 */
#include "layout.h"
#include "legacy.h"
#include "util.h"
#include "tests.h"

#include <stdlib.h>

#define AREA 0x4000u

static uint16_t word(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static void walk_mp(const uint8_t *mem, uint32_t gpa, const unsigned int *want)
{
	const uint8_t *f = mem + (gpa - RESERVED_ARENA_ADDR), *c, *p;
	unsigned int seen[5] = { 0 };
	uint32_t addr;

	CHECK(!memcmp(f, "_MP_", 4) && !util_checksum(f, 16) && !(gpa & 15));
	memcpy(&addr, f + 4, 4);
	c = mem + (addr - RESERVED_ARENA_ADDR);
	CHECK(!memcmp(c, "PCMP", 4) && !util_checksum(c, word(c + 4)));
	p = c + 44;
	for (unsigned int i = 0; i < word(c + 34); i++) {
		CHECK(p[0] < 5);
		seen[p[0]]++;
		if (p[0] == 3 && p[4] == 0) /* a PCI pin */
			CHECK(p[7] == PCI_INTX_GSI(p[5] >> 2, p[5] & 3u) && word(p + 2) == 0xf);
		p += p[0] ? 8 : 20;
	}
	CHECK(p == c + word(c + 4));
	for (int i = 0; i < 5; i++)
		CHECK(seen[i] == want[i]);
}

static void mp(void)
{
	static const unsigned int want[5] = { 3, 2, 1, 16 + 2, 2 };
	static struct pci_state pci;
	static const uint32_t ids[4] = { 0, 2, 4, 6 };
	static const uint8_t online = 0x0b;
	struct legacy_mp_input in = {
		.nr_vcpus = 4,
		.online = &online,
		.apic_ids = ids,
		.ioapic_id = 1,
		.pci = &pci,
	};
	uint8_t *mem = malloc(AREA);
	struct arena a = { .base = mem, .gpa = RESERVED_ARENA_ADDR, .size = AREA };
	uint32_t gpa;

	pci.nr_functions = 4;
	pci.function[0].devfn = 0x0b;
	pci.function[0].int_pin = 1;
	pci.function[1].devfn = 0x10;
	pci.function[1].int_pin = 1;
	pci.function[2].devfn = 0x11;
	pci.function[2].int_pin = 1; /* shares with the one before */
	pci.function[3].devfn = 0x18;
	gpa = legacy_build_mp(&a, &in);
	CHECK(gpa);
	if (gpa)
		walk_mp(mem, gpa, want);
	for (uint32_t size = 0; size < 200; size++) {
		struct arena small = { .base = mem, .gpa = RESERVED_ARENA_ADDR, .size = size };

		CHECK(!legacy_build_mp(&small, &in));
	}
	free(mem);
}

static void pir(void)
{
	uint8_t *image = calloc(1, ONE_MIB);
	struct arena a = { .base = image + 0xf0000, .gpa = 0xf0000, .size = 0x10000 };
	uint32_t gpa = legacy_build_pir(&a);

	CHECK(gpa == 0xf0000);
	CHECK(word(image + gpa + 6) == 32 + 31 * 16);
	CHECK(!util_checksum(image + gpa, word(image + gpa + 6)));
	/* Slot 3, INTB: link (3 + 1) & 3 = A. */
	CHECK(image[gpa + 32 + 2 * 16 + 1] == 0x18 && image[gpa + 32 + 2 * 16 + 2 + 3] == 0x60);
	check_dump("first-mib.bin", image, ONE_MIB);
	free(image);
}

void test_legacy(void)
{
	mp();
	pir();
}
