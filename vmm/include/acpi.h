/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ACPI's static tables as far as the VMM reads them (ACPI 6.4, chapter 5.2). */
#ifndef PLINTH_ACPI_H
#define PLINTH_ACPI_H

#include "boot.h"

struct acpi_header {
	char sig[4];
	uint32_t length;
	uint8_t revision, checksum;
	char oem_id[6], oem_table_id[8];
	uint32_t oem_revision;
	char creator_id[4];
	uint32_t creator_revision;
} __packed;

struct acpi_rsdp {
	char sig[8];
	uint8_t checksum;
	char oem_id[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length; /* revision 2 and later from here */
	uint64_t xsdt;
	uint8_t ext_checksum, reserved[3];
} __packed;

struct acpi_gas {
	uint8_t space, width, offset, access;
	uint64_t addr;
} __packed;

#define ACPI_TABLE_MAX MIB(16)

/*
 * Pure checks and readers (cpu/acpi_tables.c). Tables passed in are whole: `length` bytes
 * readable.
 */
bool acpi_rsdp_ok(const struct acpi_rsdp *r);
bool acpi_checksum_ok(const void *p, uint64_t len);
void acpi_read_fadt(const struct acpi_header *t, struct acpi_facts *f);
void acpi_read_madt(const struct acpi_header *t, struct acpi_facts *f);
void acpi_read_hpet(const struct acpi_header *t, struct acpi_facts *f);

/* nth table of all, the root table first; NULL past the end. */
const struct acpi_header *acpi_table(unsigned int nth);
/* Machine address of a table that acpi_find returned. */
maddr_t acpi_table_maddr(const struct acpi_header *t);

#endif
