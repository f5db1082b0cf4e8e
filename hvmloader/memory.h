/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The domain's memory as the loader uses it: hvm_info_table, and arenas in scratch and reserved
 * areas.
 */
#ifndef HVMLOADER_MEMORY_H
#define HVMLOADER_MEMORY_H

#include "arena.h"

#include <xen/hvm/hvm_info_table.h>

/* Checks the table that the domain builder left; fatal when it is damaged. */
struct hvm_info_table *memory_hvm_info(void);

/* Below 1 MiB, for what SeaBIOS copies away. */
extern struct arena memory_scratch;

/* Becomes ACPI NVS in the memory map; its first page is the ACPI information page. */
extern struct arena memory_acpi;

/* Becomes reserved memory in the memory map. */
extern struct arena memory_reserved;

/* arena_alloc() that is fatal when the area is full. */
void *memory_alloc(struct arena *a, uint32_t size, uint32_t align, uint32_t *gpa);

#endif
