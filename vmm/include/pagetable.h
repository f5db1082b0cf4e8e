/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VMM's own page tables (vmm/mm/pagetable.c): four levels, SDM 3 section 4.5. */
#ifndef PLINTH_PAGETABLE_H
#define PLINTH_PAGETABLE_H

#include "mm.h"

#define PTE_P	 BIT(0)
#define PTE_W	 BIT(1)
#define PTE_PWT	 BIT(3)
#define PTE_PCD	 BIT(4)
#define PTE_A	 BIT(5)
#define PTE_D	 BIT(6)
#define PTE_PS	 BIT(7)
#define PTE_G	 BIT(8)
#define PTE_NX	 BIT(63)
#define PTE_ADDR 0x000ffffffffff000ULL

enum map_rights { MAP_RX, MAP_R, MAP_RW, MAP_RW_UC, MAP_RW_WC };

/* Where device memory and firmware tables are mapped on request. */
#define IOREMAP_VIRT 0xffffc00000000000UL
#define IOREMAP_SIZE (1UL << 39)

extern maddr_t vmm_root; /* physical address of the PML4 */

/* Take one page of the direct map (or image) away: a guard. Splits large pages. Other CPUs are not flushed. */
void directmap_unmap_page(void *va);
/* Drop all translations of this CPU; for cpu_call_all(). */
void pt_flush_local(void *unused);
/* Build the final tables from host_e820 and load them; BSP, once, before the allocator. nx, pages_1g: the CPU has them. */
void pt_init(bool nx, bool pages_1g);
/* Cached, read-only view of firmware's tables, any alignment; NULL when it cannot be mapped. */
const void *firmware_map(maddr_t a, uint64_t len);
/* Write-combining view of a framebuffer. */
void *ioremap_wc(maddr_t a, uint64_t len);

#endif
