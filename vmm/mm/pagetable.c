/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VMM's own page tables: RAM at DIRECTMAP_VIRT (write-back, no execute), the image at
 * VMM_VIRT with the rights of its sections, device memory at IOREMAP_VIRT. Built once; later only
 * ioremap and guards add to them. All of it is global and the same on every CPU.
 */
#include "vmm/emulate/x86_regs.h"
#include "cpu.h"
#include "internal.h"
#include "pagetable.h"

extern char _image_start[], _text_end[], _rodata_start[], _rodata_end[], _data_start[],
	_image_end[];

maddr_t vmm_root;

static uint64_t nx_bit;
static bool has_1g;
static uint64_t ioremap_next = IOREMAP_VIRT;
static spinlock_t ioremap_lock = SPINLOCK_INIT(LOCK_IOREMAP, "ioremap");

static uint64_t rights_bits(enum map_rights r)
{
	uint64_t common = PTE_P | PTE_A | PTE_D | PTE_G;

	switch (r) {
	case MAP_RX:
		return common;
	case MAP_R:
		return common | nx_bit;
	case MAP_RW:
		return common | PTE_W | nx_bit;
	case MAP_RW_UC:
		return common | PTE_W | PTE_PCD | PTE_PWT | nx_bit;
	case MAP_RW_WC:
		return common | PTE_W | nx_bit; /* PAT bit added per page size */
	}
	return 0;
}

/* PAT entry 4 (write-combining) is chosen by the PAT bit: 7 in a 4 KiB entry, 12 in a large one. */
static uint64_t leaf_bits(enum map_rights r, unsigned int level)
{
	uint64_t bits = rights_bits(r);

	if (level > 1)
		return bits | PTE_PS | (r == MAP_RW_WC ? BIT(12) : 0);
	return bits | (r == MAP_RW_WC ? BIT(7) : 0);
}

static unsigned int level_shift(unsigned int level)
{
	return PAGE_SHIFT + 9 * (level - 1);
}

static uint64_t *entry_of(uint64_t *table, uint64_t va, unsigned int level)
{
	return &table[(va >> level_shift(level)) & 511];
}

static uint64_t *table_below(uint64_t entry)
{
	return maddr_to_virt(_maddr(entry & PTE_ADDR));
}

/* Replace a large page by a table of the next smaller ones with the same rights. */
static int split(uint64_t *e, unsigned int level)
{
	uint64_t *t = mm_alloc_table(), old = *e, step = 1UL << level_shift(level - 1);
	uint64_t pat_large = old & BIT(12), flags = old & (0xfffULL | PTE_NX);
	uint64_t base = old & PTE_ADDR & ~((1UL << level_shift(level)) - 1);

	if (!t)
		return -ENOMEM;
	if (level == 2)
		flags = (flags & ~PTE_PS) | (pat_large ? BIT(7) : 0);
	else
		flags |= pat_large;
	for (unsigned int i = 0; i < 512; i++)
		t[i] = (base + i * step) | flags;
	WRITE_ONCE(*e, virt_to_maddr(t).v | PTE_P | PTE_W | PTE_A);
	return 0;
}

/* The entry for va at `level`, making tables and splitting on the way; NULL = no memory. */
static uint64_t *walk(uint64_t va, unsigned int level)
{
	uint64_t *table = maddr_to_virt(vmm_root), *e, *t;

	for (unsigned int l = 4; l > level; l--) {
		e = entry_of(table, va, l);
		if (!(*e & PTE_P)) {
			t = mm_alloc_table();
			if (!t)
				return NULL;
			WRITE_ONCE(*e, virt_to_maddr(t).v | PTE_P | PTE_W | PTE_A);
		} else if ((*e & PTE_PS) && split(e, l)) {
			return NULL;
		}
		table = table_below(*e);
	}
	return entry_of(table, va, level);
}

static unsigned int best_level(uint64_t va, uint64_t pa, uint64_t len)
{
	if (has_1g && IS_ALIGNED(va | pa, GIB(1)) && len >= GIB(1))
		return 3;
	return IS_ALIGNED(va | pa, MIB(2)) && len >= MIB(2) ? 2 : 1;
}

/* Map [pa, pa + len) at va; all page-aligned. Uses the largest pages that fit. 0 or -ENOMEM. */
static int pt_map(uint64_t va, maddr_t pa, uint64_t len, enum map_rights rights)
{
	uint64_t *e, size;
	unsigned int level;

	for (; len; va += size, pa.v += size, len -= size) {
		level = best_level(va, pa.v, len);
		size = 1UL << level_shift(level);
		e = walk(va, level);
		if (!e)
			return -ENOMEM;
		WRITE_ONCE(*e, pa.v | leaf_bits(rights, level));
	}
	return 0;
}

void pt_flush_local(void *unused)
{
	uint64_t cr4 = read_cr4();

	(void)unused;
	write_cr4(cr4 & ~X86_CR4_PGE);
	write_cr4(cr4);
}

void directmap_unmap_page(void *va)
{
	uint64_t *e = walk((uint64_t)va, 1);

	if (!e)
		panic("No memory to set up a guard page");
	WRITE_ONCE(*e, 0);
	pt_flush_local(NULL);
}

static void map_or_panic(uint64_t va, uint64_t pa, uint64_t len, enum map_rights r)
{
	if (pt_map(va, _maddr(pa), len, r))
		panic("No memory for page tables");
}

static void map_section(const char *from, const char *to, enum map_rights r)
{
	uint64_t start = ROUND_DOWN((uint64_t)from, PAGE_SIZE),
		 end = ROUND_UP((uint64_t)to, PAGE_SIZE);

	/* 4 KiB pages: the guards and the sections' borders need them anyway */
	for (; start < end; start += PAGE_SIZE)
		map_or_panic(start, start - VMM_VIRT, PAGE_SIZE, r);
}

void pt_init(bool nx, bool pages_1g)
{
	uint64_t *root;

	nx_bit = nx ? PTE_NX : 0;
	has_1g = pages_1g;
	root = mm_alloc_table();
	if (!root)
		panic("No memory below 4 GiB for page tables");
	vmm_root = virt_to_maddr(root);
	for (unsigned int i = 0; i < host_e820.nr; i++) {
		struct e820_entry *e = &host_e820.e[i];
		uint64_t start = ROUND_UP(e->addr, PAGE_SIZE),
			 end = ROUND_DOWN(e->addr + e->len, PAGE_SIZE);

		if (e->type == E820_RAM && start < end)
			map_or_panic(DIRECTMAP_VIRT + start, start, end - start, MAP_RW);
	}
	map_section(_image_start, _text_end, MAP_RX);
	map_section(_rodata_start, _rodata_end, MAP_R);
	map_section(_data_start, _image_end, MAP_RW);
	write_cr3(vmm_root.v);
}

static void *map_device(maddr_t a, uint64_t len, enum map_rights r)
{
	uint64_t offset = a.v & (PAGE_SIZE - 1), start = a.v - offset, va;

	len = ROUND_UP(offset + len, PAGE_SIZE);
	spin_lock(&ioremap_lock);
	va = ioremap_next;
	/* keep the offset within a large page, so that large mappings can be large */
	if (len >= MIB(2))
		va = ROUND_UP(va, MIB(2)) + (start & (MIB(2) - 1));
	if (len > IOREMAP_SIZE || va + len > IOREMAP_VIRT + IOREMAP_SIZE ||
	    pt_map(va, _maddr(start), len, r)) {
		spin_unlock(&ioremap_lock);
		return NULL;
	}
	ioremap_next = va + len + PAGE_SIZE;
	spin_unlock(&ioremap_lock);
	return (void *)(va + offset);
}

void *ioremap(maddr_t a, uint64_t len)
{
	return map_device(a, len, MAP_RW_UC);
}

void *ioremap_wc(maddr_t a, uint64_t len)
{
	return map_device(a, len, MAP_RW_WC);
}

const void *firmware_map(maddr_t a, uint64_t len)
{
	return map_device(a, len, MAP_R);
}
