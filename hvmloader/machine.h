/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the loader asks of the machine that it runs on: PCI configuration, legacy devices,
 * processor, what libxl put into memory.
 */
#ifndef HVMLOADER_MACHINE_H
#define HVMLOADER_MACHINE_H

#include "acpi.h"
#include "pci.h"
#include "smbios.h"

#include <xen/arch-x86/hvm/start_info.h>

/* Configuration mechanism 1 (ports 0xcf8, 0xcfc). */
extern const struct pci_ops machine_pci;

/* ACPI_INFO_* bits of the devices that answer. */
uint8_t machine_probe_devices(void);

/* Low half of the HPET's capabilities register. */
uint32_t machine_hpet_id(void);

/* Level-triggered PCI links in the ELCR. */
void machine_setup_elcr(void);

/* ACPI mode: SCI_EN set, by the SMI command if the device model wants to be asked. */
void machine_enable_acpi(void);

/* Fill vendor, signature, features and clock of the processor. */
void machine_describe_cpu(struct smbios_input *in);

/*
 * The module with this name in its command line. Returns false when there is none; fatal when
 * start_info is damaged.
 */
bool machine_find_module(const struct hvm_start_info *info, const char *name,
			 struct config_block *out);

/* Virtual NUMA of the domain; nr_nodes = 0 when it has none. */
void machine_read_numa(struct acpi_numa *numa, uint32_t nr_vcpus);

/* The VMM's memory map for this domain. Returns the number of ranges, 0 when it has none. */
uint32_t machine_memory_map(struct e820_range *ranges, uint32_t max);

/* entry.S: leave protected mode for f000:fff0. */
void machine_start_bios(void) __attribute__((noreturn));

#endif
