/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a Multiboot 1 or 2 loader hands over, turned into boot_info and a raw memory map. Pure. */
#ifndef PLINTH_MULTIBOOT_H
#define PLINTH_MULTIBOOT_H

#include "boot.h"

#define MULTIBOOT1_LOADER_MAGIC 0x2badb002U
#define MULTIBOOT2_LOADER_MAGIC 0x36d76289U

/* Physical memory [addr, addr + len) as a pointer, or NULL when it cannot be reached. */
typedef const void *(*phys_view_fn)(uint64_t addr, uint64_t len);

/*
 * 0, or -EINVAL when the structure is damaged beyond use (no memory map, sizes that do not add
 * up). A damaged part that can be missed (a string, a framebuffer) is left out. Strings are
 * always terminated.
 */
int multiboot_parse(uint32_t magic, uint32_t info, phys_view_fn view, struct boot_info *bi,
		    struct e820_map *map);

#endif
