/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The domain's memory: hvm_info_table (xen/hvm/hvm_info_table.h) and RAM pages for the tables in
 * the reserved area below 4 GiB. Those pages are new ones while the domain's allowance lasts (libxl
 * leaves 1 MiB); after that the last pages of RAM move there and the RAM ends earlier.
 */
#include "memory.h"
#include "console.h"
#include "hypercall.h"
#include "io.h"
#include "layout.h"
#include "util.h"

static void back_reserved(uint32_t gpa, uint32_t bytes);

static uint32_t acpi_backed = ACPI_INFO_ADDR, reserved_backed = RESERVED_ARENA_ADDR;

struct arena memory_scratch = {
	.base = (uint8_t *)SCRATCH_ADDR,
	.gpa = SCRATCH_ADDR,
	.size = SCRATCH_BYTES,
};

struct arena memory_acpi = {
	.base = (uint8_t *)ACPI_INFO_ADDR,
	.gpa = ACPI_INFO_ADDR,
	.size = ACPI_ARENA_END - ACPI_INFO_ADDR,
	.back = back_reserved,
};

struct arena memory_reserved = {
	.base = (uint8_t *)RESERVED_ARENA_ADDR,
	.gpa = RESERVED_ARENA_ADDR,
	.size = RESERVED_ARENA_END - RESERVED_ARENA_ADDR,
	.back = back_reserved,
};

struct hvm_info_table *memory_hvm_info(void)
{
	struct hvm_info_table *t = phys_ptr(HVM_INFO_PADDR);

	if (memcmp(t->signature, "HVM INFO", sizeof(t->signature)) || t->length < sizeof(*t) ||
	    t->length > PAGE_BYTES - HVM_INFO_OFFSET || util_checksum(t, t->length))
		fatal("hvm_info_table at %x is missing or damaged", HVM_INFO_PADDR);
	if (!t->nr_vcpus || t->nr_vcpus > HVM_MAX_VCPUS)
		fatal("hvm_info_table: %u vCPUs, can be 1 to %d", t->nr_vcpus, HVM_MAX_VCPUS);
	if (t->low_mem_pgend < (ONE_MIB * 4) >> PAGE_BITS)
		fatal("hvm_info_table: RAM ends at page %x, the least is 4 MiB", t->low_mem_pgend);
	return t;
}

/* The frame number of the page that RAM can spare best; RAM then ends below it. */
static uint32_t take_last_ram_page(void)
{
	struct hvm_info_table *t = phys_ptr(HVM_INFO_PADDR);
	uint32_t pfn;

	if (t->high_mem_pgend > 1u << (32 - PAGE_BITS)) {
		pfn = --t->high_mem_pgend;
		if (t->high_mem_pgend == 1u << (32 - PAGE_BITS))
			t->high_mem_pgend = 0;
	} else {
		pfn = --t->low_mem_pgend;
	}
	t->checksum = 0;
	t->checksum = util_checksum(t, t->length);
	return pfn;
}

static void back_page(uint32_t gpa)
{
	xen_pfn_t pfn = gpa >> PAGE_BITS;
	struct xen_memory_reservation more = { .nr_extents = 1, .domid = DOMID_SELF };
	struct xen_add_to_physmap move = {
		.domid = DOMID_SELF,
		.space = XENMAPSPACE_gmfn,
		.gpfn = pfn,
	};
	int ret;

	set_xen_guest_handle(more.extent_start, &pfn);
	if (hypercall_memory_op(XENMEM_populate_physmap, &more) == 1)
		return;
	move.idx = take_last_ram_page();
	ret = hypercall_memory_op(XENMEM_add_to_physmap, &move);
	if (ret)
		fatal("no memory for tables: moving page %x to %x: error %d", (uint32_t)move.idx,
		      (uint32_t)pfn, ret);
}

static void back_reserved(uint32_t gpa, uint32_t bytes)
{
	uint32_t *backed = gpa == RESERVED_ARENA_ADDR ? &reserved_backed : &acpi_backed;

	for (; *backed < gpa + bytes; *backed += PAGE_BYTES)
		back_page(*backed);
}

void *memory_alloc(struct arena *a, uint32_t size, uint32_t align, uint32_t *gpa)
{
	void *p = arena_alloc(a, size, align, gpa);

	if (!p)
		fatal("area at %x is full: no room for %u bytes more", a->gpa, size);
	return p;
}
