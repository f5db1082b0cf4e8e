/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine's memory map. Firmware's maps overlap and contradict themselves; what comes out is
 * sorted, without overlaps, and errs towards "not RAM". ACPI 6.4, table 15.4 has the types.
 */
#include "e820.h"

bool e820_add(struct e820_map *m, uint64_t addr, uint64_t len, uint32_t type)
{
	if (!len)
		return true;
	if (m->nr == E820_MAX)
		return false;
	if (addr + len < addr)
		len = 0 - addr - 1; /* up to the top, but for one byte: addr + len must not wrap */
	if (type < E820_RAM || type > E820_UNUSABLE)
		type = E820_RESERVED;
	m->e[m->nr++] = (struct e820_entry){ .addr = addr, .len = len, .type = type };
	return true;
}

static unsigned int strictness(uint32_t type)
{
	static const uint8_t rank[] = { 0, 1, 4, 2, 3, 5 }; /* by enum e820_type */

	return rank[type];
}

/* Strictest type that covers addr, 0 = none; *next = where the answer may change (above addr). */
static uint32_t type_at(const struct e820_map *m, uint64_t addr, uint64_t *next)
{
	uint32_t type = 0;

	*next = ~0ULL;
	for (unsigned int i = 0; i < m->nr; i++) {
		const struct e820_entry *e = &m->e[i];
		uint64_t end = e->addr + e->len;

		if (e->addr > addr)
			*next = min(*next, e->addr);
		else if (end > addr) {
			*next = min(*next, end);
			if (!type || strictness(e->type) > strictness(type))
				type = e->type;
		}
	}
	return type;
}

static bool append_joined(struct e820_map *m, uint64_t addr, uint64_t end, uint32_t type)
{
	struct e820_entry *last = m->nr ? &m->e[m->nr - 1] : NULL;

	if (last && last->type == type && last->addr + last->len == addr) {
		last->len += end - addr;
		return true;
	}
	return e820_add(m, addr, end - addr, type);
}

bool e820_sanitise(struct e820_map *m)
{
	static struct e820_map out;
	uint64_t addr = 0, next;
	uint32_t type;
	bool fits = true;

	out.nr = 0;
	while (addr != ~0ULL) {
		type = type_at(m, addr, &next);
		if (type)
			fits &= append_joined(&out, addr, next, type);
		addr = next;
	}
	memcpy(m, &out, sizeof(out));
	return fits;
}

const char *e820_type_name(uint32_t type)
{
	static const char *const name[] = { "?",	 "RAM",	     "reserved",
					    "ACPI data", "ACPI NVS", "unusable" };

	return name[type < ARRAY_SIZE(name) ? type : 0];
}
