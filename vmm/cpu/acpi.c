/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host's ACPI tables: found from the loader's RSDP or by a scan of low memory (ACPI 6.4,
 * 5.2.5.1), each mapped once and kept. Reading them is acpi_tables.c's.
 */
#include "acpi.h"
#include "pagetable.h"
#include "vmm/cpu/cpu.h"

#define TABLES_MAX 96

struct acpi_facts acpi_facts = { .reset_type = 0xff };

static struct acpi_rsdp rsdp_copy;
static bool have_rsdp;
static struct {
	const struct acpi_header *t;
	maddr_t where;
} table[TABLES_MAX];
static unsigned int nr_tables;

maddr_t acpi_table_maddr(const struct acpi_header *t)
{
	for (unsigned int i = 0; i < nr_tables; i++)
		if (table[i].t == t)
			return table[i].where;
	return _maddr(0);
}

static bool take_rsdp(const struct acpi_rsdp *r)
{
	if (!acpi_rsdp_ok(r))
		return false;
	memcpy(&rsdp_copy, r, r->revision >= 2 ? sizeof(*r) : 20);
	have_rsdp = true;
	return true;
}

static bool scan(uint64_t start, uint64_t len)
{
	for (uint64_t a = start; a < start + len; a += 16)
		if (take_rsdp(maddr_to_virt(_maddr(a))))
			return true;
	return false;
}

/*
 * Runs on the boot page tables, because the loader's copy of the RSDP lies in memory that the
 * allocator will get, and the low megabyte is mapped only there.
 */
void acpi_find_rsdp(void)
{
	uint16_t ebda;

	if (boot_info.rsdp.v && boot_info.rsdp.v < GIB(4) - PAGE_SIZE &&
	    take_rsdp(maddr_to_virt(boot_info.rsdp)))
		boot_info.rsdp = virt_to_maddr(&rsdp_copy);
	if (have_rsdp || boot_info.efi)
		return;
	memcpy(&ebda, maddr_to_virt(_maddr(0x40e)), 2);
	if (ebda >= 0x8000 && scan((uint64_t)ebda << 4, KIB(1)))
		return;
	scan(0xe0000, 0x20000);
}

static void add_table(uint64_t addr)
{
	const struct acpi_header *h;
	uint32_t len;

	if (!addr || nr_tables == TABLES_MAX)
		return;
	h = firmware_map(_maddr(addr), sizeof(*h));
	if (!h)
		return;
	len = h->length;
	if (len < sizeof(*h) || len > ACPI_TABLE_MAX) {
		printk(LOG_WARN "ACPI: table %.4s at %#lx has length %u\n", h->sig, addr, len);
		return;
	}
	if (len > PAGE_SIZE - (addr & (PAGE_SIZE - 1)))
		h = firmware_map(_maddr(addr), len);
	if (!h)
		return;
	if (!acpi_checksum_ok(h, len))
		printk(LOG_WARN "ACPI: table %.4s has a wrong checksum; used all the same\n",
		       h->sig);
	table[nr_tables].where = _maddr(addr);
	table[nr_tables++].t = h;
}

static void add_all(const struct acpi_header *root, unsigned int entry_size)
{
	const uint8_t *p = (const uint8_t *)(root + 1);
	uint64_t addr;

	for (uint32_t left = root->length - sizeof(*root); left >= entry_size; left -= entry_size) {
		addr = 0;
		memcpy(&addr, p, entry_size);
		add_table(addr);
		p += entry_size;
	}
}

static void load_tables(void)
{
	bool xsdt = rsdp_copy.revision >= 2 && rsdp_copy.xsdt;
	const struct acpi_header *root;

	add_table(xsdt ? rsdp_copy.xsdt : rsdp_copy.rsdt);
	if (!nr_tables)
		return;
	root = table[0].t;
	if (memcmp(root->sig, xsdt ? "XSDT" : "RSDT", 4) != 0) {
		printk(LOG_WARN "ACPI: the root table is %.4s\n", root->sig);
		return;
	}
	add_all(root, xsdt ? 8 : 4);
}

/* nth table with this signature, mapped; NULL = none. */
static const struct acpi_header *acpi_find(const char sig[4], unsigned int nth)
{
	for (unsigned int i = 0; i < nr_tables; i++)
		if (!memcmp(table[i].t->sig, sig, 4) && nth-- == 0)
			return table[i].t;
	return NULL;
}

const struct acpi_header *acpi_table(unsigned int nth)
{
	return nth < nr_tables ? table[nth].t : NULL;
}

/* The BSP comes first, whatever the MADT says. */
static void bsp_first(void)
{
	uint32_t a, b, c, d, id;

	cpuid_count(1, 0, &a, &b, &c, &d);
	id = b >> 24;
	for (unsigned int i = 1; i < acpi_facts.nr_cpus; i++) {
		if (acpi_facts.cpu_apic_id[i] != id)
			continue;
		for (; i > 0; i--)
			acpi_facts.cpu_apic_id[i] = acpi_facts.cpu_apic_id[i - 1];
		acpi_facts.cpu_apic_id[0] = id;
		return;
	}
}

void acpi_init(void)
{
	const struct acpi_header *t;

	if (have_rsdp)
		load_tables();
	t = acpi_find("FACP", 0);
	if (t)
		acpi_read_fadt(t, &acpi_facts);
	t = acpi_find("APIC", 0);
	if (t)
		acpi_read_madt(t, &acpi_facts);
	t = acpi_find("HPET", 0);
	if (t)
		acpi_read_hpet(t, &acpi_facts);
	bsp_first();
	if (!acpi_facts.nr_cpus)
		printk(LOG_WARN "ACPI: no MADT; only this CPU is used\n");
	printk(LOG_INFO "ACPI: %u tables, %u CPUs, %u IO-APICs\n", nr_tables, acpi_facts.nr_cpus,
	       acpi_facts.nr_ioapics);
}
