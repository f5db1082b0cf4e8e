/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ACPI tables: found from the RSDP as a guest finds them, checksums right, and dumped for iasl and
 * acpiexec. Guest addresses are translated into the two buffers.
 */
#include "acpi.h"
#include "blobs.h"
#include "layout.h"
#include "util.h"
#include "tests.h"

#include <stdio.h>
#include <stdlib.h>

#define TABLES_BYTES (ACPI_ARENA_END - ACPI_INFO_ADDR)

static uint8_t *table_mem, *scratch_mem;
static struct arena tables, scratch;
static uint32_t apic_ids[128];
static uint8_t online[16];

static void *at(uint32_t gpa)
{
	if (gpa >= ACPI_INFO_ADDR && gpa < ACPI_ARENA_END)
		return table_mem + (gpa - ACPI_INFO_ADDR);
	if (gpa >= SCRATCH_ADDR && gpa < SCRATCH_ADDR + SCRATCH_BYTES)
		return scratch_mem + (gpa - SCRATCH_ADDR);
	CHECK(!"address inside the areas");
	abort();
}

static void fresh(void)
{
	memset(table_mem, 0xaa, TABLES_BYTES);
	memset(scratch_mem, 0xaa, SCRATCH_BYTES);
	tables = (struct arena){ .base = table_mem, .gpa = ACPI_INFO_ADDR, .size = TABLES_BYTES };
	scratch = (struct arena){ .base = scratch_mem, .gpa = SCRATCH_ADDR, .size = SCRATCH_BYTES };
}

static struct acpi_input input(uint32_t nr_vcpus)
{
	for (uint32_t i = 0; i < 128; i++)
		apic_ids[i] = 2 * i;
	memset(online, 0xff, sizeof(online));
	return (struct acpi_input){
		.nr_vcpus = nr_vcpus,
		.online = online,
		.apic_ids = apic_ids,
		.ioapic_id = 1,
		.apic_mode = true,
		.present = 0x3f,
		.hpet_id = 0x8086a201,
		.pci_min = 0xf0000000,
		.pci_len = 0x0c000000,
		.s3 = true,
		.s4 = true,
		.dsdt = blob_dsdt,
		.ssdt_s3 = blob_ssdt_s3,
		.ssdt_s4 = blob_ssdt_s4,
		.ssdt_slate = blob_ssdt_slate,
		.ssdt_cpus16 = blob_ssdt_cpus16,
		.ssdt_cpus128 = blob_ssdt_cpus128,
	};
}

static void dump(const char *prefix, uint32_t n, const struct acpi_header *h)
{
	char name[64];

	snprintf(name, sizeof(name), "acpi-%s-%02u-%.4s.dat", prefix, n, h->signature);
	check_dump(name, h, h->length);
}

/* Walk the tables. Returns the first one with the signature. */
static struct acpi_header *walk(const char *prefix, const struct acpi_result *r, const char *want)
{
	struct acpi_rsdp *rsdp = at(r->rsdp_gpa);
	struct acpi_header *xsdt, *rsdt, *h, *found = NULL;
	struct acpi_fadt *fadt = NULL;

	CHECK(!memcmp(rsdp->signature, "RSD PTR ", 8) && !(r->rsdp_gpa & 15));
	CHECK(util_checksum(rsdp, 20) == 0 && util_checksum(rsdp, rsdp->length) == 0);
	xsdt = at((uint32_t)rsdp->xsdt);
	rsdt = at(rsdp->rsdt);
	CHECK(xsdt->length == 36 + 8 * r->nr_tables && rsdt->length == 36 + 4 * r->nr_tables);
	CHECK(!util_checksum(xsdt, xsdt->length) && !util_checksum(rsdt, rsdt->length));
	for (uint32_t i = 0; i < r->nr_tables; i++) {
		uint64_t wide;
		uint32_t narrow;

		memcpy(&wide, (uint8_t *)(xsdt + 1) + 8 * i, 8);
		memcpy(&narrow, (uint8_t *)(rsdt + 1) + 4 * i, 4);
		CHECK(wide == narrow);
		h = at(narrow);
		CHECK(!util_checksum(h, h->length));
		dump(prefix, i, h);
		if (!memcmp(h->signature, "FACP", 4))
			fadt = (struct acpi_fadt *)h;
		if (!found && !memcmp(h->signature, want, 4))
			found = h;
	}
	CHECK(fadt && fadt->h.length == 244);
	if (!fadt)
		return found;
	h = at(fadt->dsdt);
	CHECK(!memcmp(h->signature, "DSDT", 4) && !util_checksum(h, h->length));
	CHECK(fadt->x_dsdt == fadt->dsdt && fadt->x_facs == fadt->facs && !(fadt->facs & 63));
	dump(prefix, 99, h);
	return found;
}

static void domain(const char *prefix, uint32_t nr_vcpus)
{
	struct acpi_input in = input(nr_vcpus);
	struct acpi_result out;
	struct acpi_header *madt;
	struct acpi_madt_lapic *cpu;

	fresh();
	CHECK(!acpi_build(&tables, &scratch, &in, &out));
	madt = walk(prefix, &out, "APIC");
	CHECK(madt && madt->length == 44 + 8 * nr_vcpus + 12 + 5 * 10 + 6);
	if (!madt)
		return;
	cpu = (struct acpi_madt_lapic *)((uint8_t *)madt + 44);
	for (uint32_t i = 0; i < nr_vcpus; i++)
		CHECK(cpu[i].uid == i && cpu[i].apic_id == 2 * i && cpu[i].flags == 1);
}

static void information_page(void)
{
	struct acpi_input in = input(3);
	struct acpi_result out;
	struct acpi_info *info = (struct acpi_info *)table_mem;

	fresh();
	online[0] = 0x05;
	in.has_gid = true;
	memcpy(in.vm_gid, "0123456789abcdef", 16);
	in.pci_hi_min = 0x200000000;
	in.pci_hi_len = 0x40000000;
	in.slate = true;
	CHECK(!acpi_build(&tables, &scratch, &in, &out));
	walk("full", &out, "FACP");
	CHECK(out.nr_tables == 8);
	CHECK(info->cpu_flags[0] == 1 && !info->cpu_flags[1] && info->cpu_flags[2] == 1);
	CHECK(info->cpu_apic[2] == 4 && info->present == 0x3f);
	CHECK(info->vm_gid_addr == out.vm_gid_gpa && !memcmp(at(out.vm_gid_gpa), in.vm_gid, 16));
	CHECK(info->pci_hi_max == 0x23fffffff);
	CHECK((uint8_t *)info->cpu_flags - table_mem == 0x80);
	CHECK((uint8_t *)info->cpu_apic - table_mem == 0x100);
	check_dump("acpi-info-page.bin", info, PAGE_BYTES);
}

static void numa(void)
{
	static const uint32_t nodes[4] = { 0, 1, 0, 1 }, distance[4] = { 10, 20, 20, 10 };
	static const struct acpi_numa_memory memory[] = {
		{ 0, 0x40000000, 0 },
		{ 0x40000000, 0x80000000, 1 },
		{ UINT64_C(0x100000000), UINT64_C(0x140000000), 1 },
	};
	struct acpi_input in = input(4);
	struct acpi_result out;

	fresh();
	in.numa = (struct acpi_numa){ 2, 3, nodes, distance, memory };
	CHECK(!acpi_build(&tables, &scratch, &in, &out));
	CHECK(walk("numa", &out, "SRAT"));
	CHECK(walk("numa", &out, "SLIT"));
}

static void extra_tables(void)
{
	struct acpi_input in = input(1);
	struct acpi_result out;
	struct {
		struct acpi_header h;
		uint32_t data;
	} t[2];

	for (int i = 0; i < 2; i++) {
		t[i].data = 7;
		acpi_seal(&t[i].h, "OEMT", sizeof(t[i]), 1);
	}
	in.extra = (uint8_t *)t;
	in.extra_len = sizeof(t);
	fresh();
	CHECK(!acpi_build(&tables, &scratch, &in, &out));
	CHECK(walk("extra", &out, "OEMT") && out.nr_tables == 9);
	for (uint32_t cut = 1; cut < sizeof(t[0]); cut++) {
		fresh();
		in.extra_len = (uint32_t)sizeof(t) - cut;
		CHECK(acpi_build(&tables, &scratch, &in, &out));
	}
	in.extra_len = sizeof(t);
	t[1].data = 8;
	fresh();
	CHECK(acpi_build(&tables, &scratch, &in, &out));
}

static void full_arena(void)
{
	struct acpi_input in = input(128);
	struct acpi_result out;

	for (uint32_t size = 0; size < 0x5000; size += 300) {
		fresh();
		tables.size = size;
		CHECK(acpi_build(&tables, &scratch, &in, &out));
	}
	fresh();
	scratch.size = 20;
	CHECK(acpi_build(&tables, &scratch, &in, &out));
}

void test_acpi(void)
{
	table_mem = malloc(TABLES_BYTES);
	scratch_mem = malloc(SCRATCH_BYTES);
	domain("up", 1);
	domain("two", 2);
	domain("sixteen", 16);
	domain("seventeen", 17);
	domain("max", 128);
	information_page();
	numa();
	extra_tables();
	full_arena();
	free(table_mem);
	free(scratch_mem);
}
