/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Building the domain's ACPI tables.
 */
#ifndef HVMLOADER_ACPI_H
#define HVMLOADER_ACPI_H

#include "acpi_format.h"
#include "arena.h"

#include <stdbool.h>

/* A compiled AML table, embedded in the loader. */
struct acpi_blob {
	const uint8_t *data;
	uint32_t size;
};

struct acpi_numa_memory {
	uint64_t start, end; /* bytes */
	uint32_t node;
};

struct acpi_numa {
	uint32_t nr_nodes; /* 0 = the domain has no virtual NUMA */
	uint32_t nr_memory;
	const uint32_t *vcpu_node; /* per vCPU */
	const uint32_t *distance;  /* nr_nodes x nr_nodes */
	const struct acpi_numa_memory *memory;
};

struct acpi_input {
	uint32_t nr_vcpus;	  /* 1-128 */
	const uint8_t *online;	  /* bitmap of vCPUs */
	const uint32_t *apic_ids; /* per vCPU, each below 255 */
	uint8_t ioapic_id;
	bool apic_mode;	  /* build a MADT */
	uint8_t present;  /* ACPI_INFO_* */
	uint32_t hpet_id; /* low half of the capabilities register */
	uint32_t pci_min, pci_len;
	uint64_t pci_hi_min, pci_hi_len;
	bool s3, s4, slate;
	bool has_gid;
	uint8_t vm_gid[16];   /* VM generation ID, as it lies in memory */
	const uint8_t *extra; /* further tables, one after the other; may be NULL */
	uint32_t extra_len;
	struct acpi_numa numa;
	struct acpi_blob dsdt, ssdt_s3, ssdt_s4, ssdt_slate, ssdt_cpus16, ssdt_cpus128;
};

struct acpi_result {
	uint32_t rsdp_gpa;
	uint32_t vm_gid_gpa; /* 0 = none */
	uint32_t nr_tables;  /* in the XSDT */
};

#define ACPI_TABLES_MAX 32

/*
 * Build everything. tables is the ACPI arena, still empty (its first page becomes the information
 * page); the RSDP goes to scratch. Returns NULL, or what went wrong.
 */
const char *acpi_build(struct arena *tables, struct arena *scratch, const struct acpi_input *in,
		       struct acpi_result *out);

/* Fill the header but for the length's owner: signature, length, revision, OEM fields, checksum. */
void acpi_seal(struct acpi_header *h, const char *signature, uint32_t length, uint8_t revision);

/* Parts of acpi_build() in their own files. Return false when the arena is full. */
bool acpi_build_madt(struct arena *a, const struct acpi_input *in, uint32_t *gpa);
bool acpi_build_srat(struct arena *a, const struct acpi_input *in, uint32_t *gpa);
bool acpi_build_slit(struct arena *a, const struct acpi_input *in, uint32_t *gpa);

#endif
