// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Building domain 0: a PVH domain whose guest-physical addresses are machine addresses. Memory comes from
 * memory.c, the kernel from load.c, ACPI tables from build_acpi.c. xen/arch-x86/hvm/start_info.h.
 *
 * At the top of dom0's RAM below 4 GiB, from the top down: the ramdisk, the ACPI tables, start_info with
 * command line, module list and memory map.
 */
#include "xen_abi.h"
#include <xen/arch-x86/hvm/start_info.h>
#include <xen/domctl.h>
#include <xen/hvm/params.h>
#include "hvm_io.h"
#include "hvm_ops.h"
#include "console.h"
#include "private.h"
#include "vlapic.h"

#define ACPI_BYTES  KIB(128)
#define START_BYTES KIB(32)
#define CMDLINE_MAX 2048U

struct start_area {
	struct hvm_start_info info;
	struct hvm_modlist_entry module;
	char cmdline[CMDLINE_MAX];
	struct hvm_memmap_table_entry map[E820_MAX];
};

static bool overlaps(uint64_t a, uint64_t alen, uint64_t b, uint64_t blen)
{
	return a < b + blen && b < a + alen;
}

static unsigned int stash_order(const struct boot_module *m)
{
	return fls64((m->size - 1) >> PAGE_SHIFT);
}

/* The file, out of the way of everything that is going to be placed in dom0's RAM. *copy: its pages then, or NULL. */
static const void *stash(const struct boot_module *m, struct page **copy)
{
	struct page *p;

	*copy = NULL;
	if (!overlaps(m->start.v, m->size, dom0_layout.low_start,
		      dom0_layout.low_end - dom0_layout.low_start))
		return maddr_to_virt(m->start);
	p = *copy = alloc_pages(stash_order(m));
	if (!p)
		panic("dom0: no room to move its kernel file (%lu KiB); lower dom0_mem",
		      m->size >> 10);
	memcpy(page_to_virt(p), maddr_to_virt(m->start), m->size);
	return page_to_virt(p);
}

/* Moves the ramdisk to the top of RAM; returns its address, 0 when there is none. */
static uint64_t place_ramdisk(uint64_t *top, uint64_t *size)
{
	const struct boot_module *m = &boot_info.module[1];
	uint64_t at;

	*size = 0;
	if (boot_info.nr_modules < 2)
		return 0;
	if (m->size > *top - MIB(32))
		panic("dom0: its ramdisk of %lu MiB does not fit; raise dom0_mem", m->size >> 20);
	at = ROUND_DOWN(*top - m->size, PAGE_SIZE);
	memmove(maddr_to_virt(_maddr(at)), maddr_to_virt(m->start), m->size);
	*top = at;
	*size = m->size;
	return at;
}

static void fill_memory_map(struct start_area *a)
{
	const struct e820_map *m = &dom0_layout.e820;

	for (unsigned int i = 0; i < m->nr; i++) {
		a->map[i].addr = m->e[i].addr;
		a->map[i].size = m->e[i].len;
		a->map[i].type = m->e[i].type;
	}
	a->info.memmap_entries = m->nr;
}

static void fill_start_area(uint64_t at, uint64_t rsdp, uint64_t ramdisk, uint64_t ramdisk_size)
{
	struct start_area *a = maddr_to_virt(_maddr(at));

	memset(a, 0, sizeof(*a));
	dom0_make_cmdline(a->cmdline, sizeof(a->cmdline), boot_info.module[0].cmdline,
			  dom0_layout.ram_bytes);
	fill_memory_map(a);
	a->info.magic = XEN_HVM_START_MAGIC_VALUE;
	a->info.version = 1;
	a->info.flags = SIF_PRIVILEGED | SIF_INITDOMAIN;
	a->info.cmdline_paddr = at + offsetof(struct start_area, cmdline);
	a->info.rsdp_paddr = rsdp;
	a->info.memmap_paddr = at + offsetof(struct start_area, map);
	if (ramdisk) {
		a->module.paddr = ramdisk;
		a->module.size = ramdisk_size;
		a->info.nr_modules = 1;
		a->info.modlist_paddr = at + offsetof(struct start_area, module);
	}
}

/* The largest pages that fit go first; RAM and its machine frames have the same numbers. */
static void map_ram(struct domain *d, uint64_t addr, uint64_t end)
{
	while (addr < end) {
		unsigned int order = ORDER_4K;

		if (IS_ALIGNED(addr, GIB(1)) && end - addr >= GIB(1))
			order = ORDER_1G;
		else if (IS_ALIGNED(addr, MIB(2)) && end - addr >= MIB(2))
			order = ORDER_2M;
		if (p2m_set(d, _gfn(addr >> PAGE_SHIFT), _mfn(addr >> PAGE_SHIFT), order,
			    P2M_RAM_RW, P2M_ACCESS_RWX))
			panic("dom0: no memory for its nested page tables");
		addr += PAGE_SIZE << order;
	}
}

static void own_ram(struct domain *d, uint64_t addr, uint64_t end)
{
	for (uint64_t a = addr; a < end; a += PAGE_SIZE) {
		struct page *p = mfn_to_page(_mfn(a >> PAGE_SHIFT));

		p->owner = d;
		p->state = PAGE_DOMAIN;
		p->refs = 1;
		p->allocated = 1;
		d->tot_pages++;
	}
}

static void give_memory(struct domain *d)
{
	for (unsigned int i = 0; i < dom0_layout.e820.nr; i++) {
		const struct e820_entry *e = &dom0_layout.e820.e[i];
		bool ours = e->type == E820_RAM ||
			    (e->type == E820_ACPI && e->addr >= dom0_layout.low_start &&
			     e->addr < dom0_layout.low_end);

		if (!ours)
			continue;
		own_ram(d, e->addr, e->addr + e->len);
		map_ram(d, e->addr, e->addr + e->len);
	}
	d->max_pages = d->tot_pages;
}

/*
 * The PIT is not there. Its counters read as zero rather than all-ones, so that Linux's quick calibration
 * gives up at once instead of waiting 50,000 reads for the count to change.
 */
static enum io_result pit_absent(struct vcpu *v, void *opaque, uint16_t port, unsigned int size,
				 bool write, uint32_t *val)
{
	(void)v;
	(void)opaque;
	(void)port;
	(void)size;
	if (!write)
		*val = 0;
	return IO_DONE;
}

/*
 * Ports that dom0 does not get: the PICs and the PIT (Linux then runs without them), the VMM's console,
 * and the ports that would put the CPU to sleep behind the VMM's back.
 */
static void set_port_intercepts(struct domain *d)
{
	static const struct {
		uint16_t first, count;
	} hidden[] = {
		{ 0x20, 2 },
		{ 0xa0, 2 },
		{ 0x40, 4 },
		{ 0x61, 1 },
	};
	uint8_t *map = page_to_virt(alloc_pages(1));
	uint16_t first, count;

	for (unsigned int i = 0; i < ARRAY_SIZE(hidden); i++)
		for (unsigned int j = 0; j < hidden[i].count; j++)
			set_bit(hidden[i].first + j, map);
	if (serial_ports(&first, &count))
		for (unsigned int j = 0; j < count; j++)
			set_bit(first + j, map);
	d->hvm.io_bitmap = map;
	if (io_register_port(d, 0x40, 4, pit_absent, NULL))
		panic("dom0: no room for a port range");
	hvm_ops->io_bitmap_changed(d);
}

/* dom0 and its vCPUs, down. */
static void create(unsigned int nr_vcpus)
{
	struct xen_domctl_createdomain cfg = {
		.flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap,
		.max_vcpus = nr_vcpus,
		.max_evtchn_port = 32767,
		.max_grant_frames = 64,
		.max_maptrack_frames = 1024,
		.grant_opts = XEN_DOMCTL_GRANT_version(1),
		.arch.emulation_flags = XEN_X86_EMU_LAPIC,
	};
	int err;
	struct domain *d = domain_create(0, &cfg, true, &err);

	if (!d)
		panic("dom0: cannot be created, error %d", err);
	d->p2m.hooks = &dom0_p2m_hooks;
	for (unsigned int i = 0; i < nr_vcpus; i++) {
		err = vcpu_create(d, i);
		if (err)
			panic("dom0: vCPU %u cannot be created, error %d", i, err);
	}
}

static unsigned int max_vcpus_option;

static int parse_dom0_vcpus(const char *value)
{
	const char *end;

	max_vcpus_option = (unsigned int)strtoull(value, &end, 0);
	return *end || !max_vcpus_option ? -EINVAL : 0;
}
BOOT_OPTION(dom0_max_vcpus, "dom0_max_vcpus", parse_dom0_vcpus,
	    "virtual CPUs of dom0 (default: all CPUs)");

void domain0_start(void)
{
	unsigned int nr_vcpus = max_vcpus_option ? min(max_vcpus_option, nr_cpus) : nr_cpus;
	uint64_t top, ramdisk, ramdisk_size, acpi, start, rsdp, kernel_end;
	const void *kernel;
	struct page *copy;
	uint32_t entry;

	dom0_make_reported_cmdline();
	if (!boot_info.nr_modules)
		panic("no dom0 kernel: give a vmlinux as the first module");
	kernel = stash(&boot_info.module[0], &copy);
	top = dom0_layout.low_end;
	ramdisk = place_ramdisk(&top, &ramdisk_size);
	acpi = ROUND_DOWN(top - ACPI_BYTES, PAGE_SIZE);
	start = acpi - START_BYTES;
	BUG_ON(sizeof(struct start_area) > START_BYTES);
	entry = dom0_load_kernel(kernel, boot_info.module[0].size, &kernel_end);
	if (kernel_end > start)
		panic("dom0: kernel and ramdisk overlap; raise dom0_mem");
	free_pages(copy, stash_order(&boot_info.module[0]));
	boot_modules_release();
	dom0_layout_carve(acpi, ACPI_BYTES, E820_ACPI);
	memset(maddr_to_virt(_maddr(acpi)), 0, ACPI_BYTES);

	create(nr_vcpus);
	give_memory(dom0);
	set_port_intercepts(dom0);
	rsdp = dom0_build_acpi(acpi, ACPI_BYTES, nr_vcpus);
	fill_start_area(start, rsdp, ramdisk, ramdisk_size);
	hvm_vcpu_set_flat32(dom0->vcpu[0], entry, (uint32_t)start);
	printk(LOG_INFO "dom0: starts at %x with %u vCPU(s), %lu pages\n", entry, nr_vcpus,
	       dom0->tot_pages);
	__atomic_fetch_and(&dom0->vcpu[0]->pause_flags, ~(uint32_t)VPF_DOWN, __ATOMIC_SEQ_CST);
	dom0->tool_pauses = 0;
	domain_unpause(dom0);
}
