/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interrupt controllers' table (ACPI 6.4, 5.2.12): one local APIC per vCPU with UID = vCPU
 * number (the Xen ABI promises that), the IO-APIC, and how ISA interrupts differ from the identity.
 */
#include "acpi.h"
#include "layout.h"
#include "util.h"

#define FLAGS_LEVEL_LOW 0x000f
#define FLAGS_CONFORMS	0x0000
#define PCAT_COMPAT	1

static void put_override(struct acpi_madt_override *o, uint8_t irq, uint8_t gsi, uint16_t flags)
{
	*o = (struct acpi_madt_override){
		.type = 2,
		.length = sizeof(*o),
		.irq = irq,
		.gsi = gsi,
		.flags = flags,
	};
}

static uint8_t *put_overrides(uint8_t *p)
{
	put_override((struct acpi_madt_override *)p, 0, 2, FLAGS_CONFORMS);
	p += sizeof(struct acpi_madt_override);
	for (uint8_t irq = 3; irq < 16; irq++) {
		if (!(PCI_ISA_IRQ_MASK & (1u << irq)) && irq != SCI_IRQ)
			continue;
		put_override((struct acpi_madt_override *)p, irq, irq, FLAGS_LEVEL_LOW);
		p += sizeof(struct acpi_madt_override);
	}
	return p;
}

bool acpi_build_madt(struct arena *a, const struct acpi_input *in, uint32_t *gpa)
{
	uint32_t size =
		(uint32_t)(sizeof(struct acpi_madt) + sizeof(struct acpi_madt_ioapic) +
			   sizeof(struct acpi_madt_nmi) + 5 * sizeof(struct acpi_madt_override) +
			   in->nr_vcpus * sizeof(struct acpi_madt_lapic));
	struct acpi_madt *m = arena_alloc(a, size, 16, gpa);
	uint8_t *p;

	if (!m)
		return false;
	p = (uint8_t *)(m + 1);
	m->lapic_addr = LAPIC_ADDR;
	m->flags = PCAT_COMPAT;
	for (uint32_t i = 0; i < in->nr_vcpus; i++, p += sizeof(struct acpi_madt_lapic))
		*(struct acpi_madt_lapic *)p = (struct acpi_madt_lapic){
			.type = 0,
			.length = sizeof(struct acpi_madt_lapic),
			.uid = (uint8_t)i,
			.apic_id = (uint8_t)in->apic_ids[i],
			.flags = (in->online[i / 8] >> (i % 8)) & 1u,
		};
	*(struct acpi_madt_ioapic *)p = (struct acpi_madt_ioapic){
		.type = 1,
		.length = sizeof(struct acpi_madt_ioapic),
		.id = in->ioapic_id,
		.addr = IOAPIC_ADDR,
	};
	p = put_overrides(p + sizeof(struct acpi_madt_ioapic));
	*(struct acpi_madt_nmi *)p = (struct acpi_madt_nmi){
		.type = 4,
		.length = sizeof(struct acpi_madt_nmi),
		.uid = 0xff,
		.lint = 1,
	};
	acpi_seal(&m->h, "APIC", size, 2);
	return true;
}
