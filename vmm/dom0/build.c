// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Building domain 0: a PVH domain whose guest-physical addresses are machine addresses. Memory comes from
 * memory.c, ACPI tables from build_acpi.c. xen/arch-x86/hvm/start_info.h.
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
#include "internal.h"
#include "vlapic.h"
#include <xen/elfnote.h>

/*
 * Loading the kernel: an ELF file whose note XEN_ELFNOTE_PHYS32_ENTRY names the 32-bit entry point.
 * ELF-64 specification; xen/elfnote.h. The image comes from the boot loader; it is checked all the same.
 */

struct elf64_ehdr {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, phoff, shoff;
	uint32_t flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf64_phdr {
	uint32_t type, flags;
	uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

struct elf_note {
	uint32_t namesz, descsz, type;
	char name[];
};

#define PT_LOAD 1
#define PT_NOTE 4

static bool in_file(uint64_t offset, uint64_t len, uint64_t size)
{
	return offset <= size && len <= size - offset;
}

static const struct elf64_ehdr *check_header(const void *image, uint64_t size)
{
	const struct elf64_ehdr *h = image;

	if (size >= 0x206 && !memcmp((const char *)image + 0x202, "HdrS", 4))
		panic("dom0: the kernel is a compressed vmlinuz; give the vmlinux that "
		      "plinth-extract-vmlinux makes of it");
	if (size >= 2 && !memcmp(image, "\037\213", 2))
		panic("dom0: the kernel is compressed by gzip; GRUB unpacks it after 'insmod gzio'");
	if (size < sizeof(*h) || memcmp(h->ident, "\177ELF\2\1", 6) || h->machine != 62)
		panic("dom0: the kernel is not a 64-bit x86 ELF file");
	if (h->phentsize != sizeof(struct elf64_phdr) ||
	    !in_file(h->phoff, (uint64_t)h->phnum * h->phentsize, size))
		panic("dom0: the kernel's ELF header is damaged or the file is cut short");
	return h;
}

static bool note_entry(const uint8_t *p, uint64_t len, uint32_t *entry)
{
	while (len >= sizeof(struct elf_note)) {
		const struct elf_note *n = (const struct elf_note *)p;
		uint64_t name = ROUND_UP((uint64_t)n->namesz, 4),
			 desc = ROUND_UP((uint64_t)n->descsz, 4);

		if (name > len || desc > len || sizeof(*n) + name + desc > len)
			return false;
		if (n->type == XEN_ELFNOTE_PHYS32_ENTRY && n->namesz == 4 &&
		    !memcmp(n->name, "Xen", 4) && n->descsz >= 4) {
			memcpy(entry, p + sizeof(*n) + name, 4);
			return true;
		}
		p += sizeof(*n) + name + desc;
		len -= sizeof(*n) + name + desc;
	}
	return false;
}

/* Place the kernel; returns its 32-bit entry point, panics with a reason. */
static uint32_t load_kernel(const void *image, uint64_t size, uint64_t *end)
{
	const struct elf64_ehdr *h = check_header(image, size);
	const struct elf64_phdr *ph = (const void *)((const uint8_t *)image + h->phoff);
	uint32_t entry = 0;
	bool found = false;

	*end = 0;
	for (unsigned int i = 0; i < h->phnum; i++, ph++) {
		if ((ph->type == PT_LOAD || ph->type == PT_NOTE) &&
		    !in_file(ph->offset, ph->filesz, size))
			panic("dom0: the kernel file is cut short");
		if (ph->type == PT_NOTE)
			found |=
				note_entry((const uint8_t *)image + ph->offset, ph->filesz, &entry);
		if (ph->type != PT_LOAD)
			continue;
		if (ph->memsz < ph->filesz || ph->paddr < dom0_layout.low_start ||
		    ph->memsz > dom0_layout.low_end || ph->paddr > dom0_layout.low_end - ph->memsz)
			panic("dom0: the kernel wants %lx+%lx, which is not dom0's RAM", ph->paddr,
			      ph->memsz);
		memcpy(maddr_to_virt(_maddr(ph->paddr)), (const uint8_t *)image + ph->offset,
		       ph->filesz);
		memset((uint8_t *)maddr_to_virt(_maddr(ph->paddr)) + ph->filesz, 0,
		       ph->memsz - ph->filesz);
		*end = max(*end, ph->paddr + ph->memsz);
	}
	if (!found)
		panic("dom0: the kernel has no PVH entry point (needs CONFIG_PVH)");
	return entry;
}

/*
 * The kernel's command line: the user's, plus what correctness needs while no IOMMU translates dom0.
 *
 * swiotlb: the DMA address of a page that dom0 has mapped from a guest would be its frame number in
 * dom0, which is someone else's machine page; forced bouncing makes every DMA use dom0's own memory.
 * cpuidle, cpufreq: C- and P-states of the machine would stop the timer that the VMM depends on.
 */
#define SLAB_BYTES 2048U
#define SLABS_MAX  131072U /* 256 MiB */

char dom0_reported_cmdline[BOOT_CMDLINE_MAX + 32];

/* The tools balloon dom0 unless they find dom0_mem= in the hypervisor's command line. */
static void make_reported_cmdline(void)
{
	size_t n = strlcpy(dom0_reported_cmdline, boot_info.cmdline, BOOT_CMDLINE_MAX);

	if (!strstr(dom0_reported_cmdline, "dom0_mem="))
		snprintf(dom0_reported_cmdline + n, sizeof(dom0_reported_cmdline) - n,
			 "%sdom0_mem=%luM", n ? " " : "", dom0_layout.ram_bytes >> 20);
}

static void append(char *out, size_t size, const char *option)
{
	strlcat(out, " ", size);
	if (strlcat(out, option, size) >= size)
		panic("dom0: kernel command line is longer than %lu bytes", size - 1);
	printk(LOG_INFO "dom0: appended to the kernel command line: %s\n", option);
}

static void make_cmdline(char *out, size_t size, const char *given, uint64_t ram_bytes)
{
	char option[48];
	uint64_t slabs = min((uint64_t)SLABS_MAX, ram_bytes / 8 / SLAB_BYTES);

	strlcpy(out, given, size);
	if (strstr(out, "swiotlb=noforce"))
		panic("dom0: swiotlb=noforce would let devices write into other domains' memory; "
		      "take it out of the kernel's command line");
	snprintf(option, sizeof(option), "swiotlb=%lu,force", slabs);
	append(out, size, option);
	append(out, size, "cpuidle.off=1");
	append(out, size, "cpufreq.off=1");
}

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
	make_cmdline(a->cmdline, sizeof(a->cmdline), boot_info.module[0].cmdline,
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
static enum io_result pit_read(struct vcpu *v, void *opaque, uint64_t offset, unsigned int size,
			       uint64_t *val)
{
	(void)v, (void)opaque, (void)offset, (void)size;
	*val = 0;
	return IO_DONE;
}

static enum io_result pit_write(struct vcpu *v, void *opaque, uint64_t offset, unsigned int size,
				uint64_t val)
{
	(void)v, (void)opaque, (void)offset, (void)size, (void)val;
	return IO_DONE;
}

static const struct io_range pit_absent = { IO_PORTS, 0x40, 4, pit_read, pit_write };

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
	if (io_register(d, &pit_absent, NULL))
		panic("dom0: no room for a port range");
	hvm_ops->io_bitmap_changed(d);
}

static uint64_t shadow_bytes;

static int parse_shadow_mem(const char *value)
{
	return parse_size(value, &shadow_bytes);
}
BOOT_OPTION(dom0_shadow_mem, "dom0_shadow_mem", parse_shadow_mem,
	    "dom0's shadow tables, without nested paging (default 1M a CPU, 1/128 of its memory)");

static void prepare(struct domain *d, uint64_t start, uint64_t end)
{
	struct frames f = { start >> PAGE_SHIFT, (end - start) >> PAGE_SHIFT };

	if (!paging_prepare(d, &f))
		panic("dom0: no memory to note its frames' shadow tables; lower dom0_mem");
}

/* A fault of dom0 later, when guests have the rest of the memory, would end the machine. */
static void prepare_frames(struct domain *d)
{
	const struct e820_map *map = &dom0_layout.e820;

	for (unsigned int i = 0; i < map->nr; i++)
		if (map->e[i].type == E820_RAM)
			prepare(d, map->e[i].addr, map->e[i].addr + map->e[i].len);
	prepare(d, dom0_layout.hole_start, dom0_layout.hole_end);
}

/* As much as the tools give a guest for tables: libxl_get_required_shadow_memory(). */
static void give_shadow_memory(struct domain *d)
{
	uint64_t bytes =
		shadow_bytes ? shadow_bytes : MIB(1) * d->max_vcpus + dom0_layout.ram_bytes / 128;
	int rc;

	if (!d->sh)
		return;
	do
		rc = paging_pool_set(d, bytes >> PAGE_SHIFT);
	while (rc == -ERESTART);
	if (rc)
		panic("dom0: no memory for %lu KiB of shadow tables; lower dom0_mem", bytes >> 10);
	if (!paging_pool_suffices(d))
		panic("dom0: %lu KiB for shadow tables are too small; raise dom0_shadow_mem",
		      bytes >> 10);
	prepare_frames(d);
	printk(LOG_INFO "dom0: runs on shadow tables, %lu KiB\n", paging_pool(d) << 2);
}

/* dom0 and its vCPUs, down. */
static void create(unsigned int nr_vcpus)
{
	struct xen_domctl_createdomain cfg = {
		.flags = XEN_DOMCTL_CDF_hvm | (paging_has_nested ? XEN_DOMCTL_CDF_hap : 0),
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
	give_shadow_memory(d);
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

	make_reported_cmdline();
	if (!boot_info.nr_modules)
		panic("no dom0 kernel: give a vmlinux as the first module");
	kernel = stash(&boot_info.module[0], &copy);
	top = dom0_layout.low_end;
	ramdisk = place_ramdisk(&top, &ramdisk_size);
	acpi = ROUND_DOWN(top - ACPI_BYTES, PAGE_SIZE);
	start = acpi - START_BYTES;
	BUG_ON(sizeof(struct start_area) > START_BYTES);
	entry = load_kernel(kernel, boot_info.module[0].size, &kernel_end);
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
