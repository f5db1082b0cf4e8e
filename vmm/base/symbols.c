/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names for code addresses, from the table that symtab.awk makes of the first link. Weak, so that
 * the first link itself goes without.
 */
#include "debug.h"
#include "mm.h"

struct symbol {
	uint32_t offset; /* from VMM_VIRT */
	uint32_t name;	 /* into symbol_names */
};

extern const uint32_t symbol_count __attribute__((weak));
extern const struct symbol symbol_table[] __attribute__((weak));
extern const char symbol_names[] __attribute__((weak));
extern const char _image_start[], _text_end[];

const char *symbol_lookup(uint64_t addr, uint64_t *offset)
{
	uint32_t low = 0, high, mid;

	if (addr < (uint64_t)_image_start || addr >= (uint64_t)_text_end || &symbol_count == NULL ||
	    !symbol_count)
		return NULL;
	high = symbol_count;
	while (high - low > 1) {
		mid = low + (high - low) / 2;
		if (VMM_VIRT + symbol_table[mid].offset <= addr)
			low = mid;
		else
			high = mid;
	}
	*offset = addr - (VMM_VIRT + symbol_table[low].offset);
	return symbol_names + symbol_table[low].name;
}

const char *symbol_format(char *buf, size_t size, uint64_t addr)
{
	uint64_t offset;
	const char *name = symbol_lookup(addr, &offset);

	if (name)
		snprintf(buf, size, "%s+%#lx", name, offset);
	else
		snprintf(buf, size, "%016lx", addr);
	return buf;
}
