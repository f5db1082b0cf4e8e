/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables of systems without ACPI: MP configuration and PCI interrupt routing.
 */
#ifndef HVMLOADER_LEGACY_H
#define HVMLOADER_LEGACY_H

#include "arena.h"
#include "pci.h"

struct legacy_mp_input {
	uint32_t nr_vcpus;
	const uint8_t *online; /* bitmap */
	const uint32_t *apic_ids;
	uint8_t ioapic_id;
	uint32_t cpu_signature, cpu_features; /* CPUID leaf 1, EAX and EDX */
	const struct pci_state *pci;
};

/*
 * MP floating pointer and configuration table (MultiProcessor Specification 1.4, chapter 4), both
 * in tables. Returns the address of the floating pointer, 0 when there is no room.
 */
uint32_t legacy_build_mp(struct arena *tables, const struct legacy_mp_input *in);

/* $PIR table (PCI IRQ Routing Table Specification 1.0). Returns its address, 0 when no room. */
uint32_t legacy_build_pir(struct arena *scratch);

#endif
