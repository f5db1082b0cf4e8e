/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's memory map. Ranges are painted one over the other, later ones win; gaps stay holes
 * (the VGA window, the PCI window). Ranges of the VMM's own map that are not RAM (pass-through
 * regions) are painted last but never over the first MiB or the area that ends at 4 GiB.
 */
#include "e820.h"
#include "layout.h"
#include "util.h"

#define FOUR_GIB UINT64_C(0x100000000)

static int insert(struct e820_map *m, uint32_t at, uint64_t start, uint64_t end, uint32_t type)
{
	if (start >= end)
		return 0;
	if (m->nr >= E820_RANGES_MAX)
		return -1;
	memmove(&m->range[at + 1], &m->range[at], (m->nr - at) * sizeof(m->range[0]));
	m->range[at] = (struct e820_range){ start, end - start, type };
	m->nr++;
	return 0;
}

static void drop(struct e820_map *m, uint32_t at)
{
	m->nr--;
	memmove(&m->range[at], &m->range[at + 1], (m->nr - at) * sizeof(m->range[0]));
}

static int paint(struct e820_map *m, uint64_t start, uint64_t end, uint32_t type)
{
	uint32_t i = 0;

	if (start >= end)
		return 0;
	while (i < m->nr) {
		struct e820_range old = m->range[i];
		uint64_t old_end = old.start + old.size;

		if (old_end <= start) {
			i++;
			continue;
		}
		if (old.start >= end)
			break;
		drop(m, i);
		if (insert(m, i, end, old_end, old.type))
			return -1;
		if (old.start < start) {
			if (insert(m, i, old.start, start, old.type))
				return -1;
			i++;
		}
	}
	return insert(m, i, start, end, type);
}

static void merge(struct e820_map *m)
{
	for (uint32_t i = 0; i + 1 < m->nr;) {
		struct e820_range *a = &m->range[i], *b = &m->range[i + 1];

		if (a->type == b->type && a->start + a->size == b->start) {
			a->size += b->size;
			drop(m, i + 1);
		} else {
			i++;
		}
	}
}

static int paint_given(struct e820_map *m, const struct e820_range *r)
{
	uint64_t start = r->start, end = r->start + r->size;

	if (r->type == E820_TYPE_RAM || end < start)
		return 0;
	if (start < ONE_MIB)
		start = ONE_MIB;
	if (end <= FOUR_GIB || start >= FOUR_GIB) {
		if (start < FOUR_GIB && end > ACPI_INFO_ADDR)
			end = ACPI_INFO_ADDR;
		return paint(m, start, end, r->type);
	}
	return paint(m, start, ACPI_INFO_ADDR, r->type) || paint(m, FOUR_GIB, end, r->type) ? -1
											    : 0;
}

int e820_build(struct e820_map *map, const struct e820_input *in)
{
	map->nr = 0;
	if (paint(map, 0, VGA_HOLE_ADDR, E820_TYPE_RAM) ||
	    paint(map, in->bios_start, ONE_MIB, E820_TYPE_RESERVED) ||
	    paint(map, ONE_MIB, in->low_ram_end, E820_TYPE_RAM) ||
	    paint(map, ACPI_INFO_ADDR, FOUR_GIB, E820_TYPE_RESERVED) ||
	    paint(map, ACPI_INFO_ADDR, in->acpi_end, E820_TYPE_NVS) ||
	    paint(map, FOUR_GIB, in->high_ram_end, E820_TYPE_RAM))
		return -1;
	for (uint32_t i = 0; i < in->nr_given; i++)
		if (paint_given(map, &in->given[i]))
			return -1;
	merge(map);
	return 0;
}
