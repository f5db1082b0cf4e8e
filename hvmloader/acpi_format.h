/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Layouts of the ACPI tables that the loader builds (ACPI 6.4 section 5.2; revisions as noted,
 * chosen so that systems of the ACPI 1.0 age to today's accept them), and of the page that the AML
 * reads.
 */
#ifndef HVMLOADER_ACPI_FORMAT_H
#define HVMLOADER_ACPI_FORMAT_H

#include <stdint.h>

#define ACPI_PACKED __attribute__((packed))

struct acpi_header {
	char signature[4];
	uint32_t length;
	uint8_t revision;
	uint8_t checksum;
	char oem_id[6];
	char oem_table_id[8];
	uint32_t oem_revision;
	char creator_id[4];
	uint32_t creator_revision;
} ACPI_PACKED;

struct acpi_gas {
	uint8_t space; /* 0 = memory, 1 = I/O */
	uint8_t bits;
	uint8_t offset;
	uint8_t access; /* 0 = undefined */
	uint64_t address;
} ACPI_PACKED;

struct acpi_rsdp { /* 5.2.5.3, revision 2 */
	char signature[8];
	uint8_t checksum;
	char oem_id[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
	uint8_t ext_checksum;
	uint8_t reserved[3];
} ACPI_PACKED;

struct acpi_fadt { /* 5.2.9, revision 4 */
	struct acpi_header h;
	uint32_t facs, dsdt;
	uint8_t model, pm_profile;
	uint16_t sci_irq;
	uint32_t smi_cmd;
	uint8_t acpi_enable, acpi_disable, s4bios, pstate_cnt;
	uint32_t pm1a_evt, pm1b_evt, pm1a_cnt, pm1b_cnt, pm2_cnt, pm_tmr, gpe0, gpe1;
	uint8_t pm1_evt_len, pm1_cnt_len, pm2_cnt_len, pm_tmr_len, gpe0_len, gpe1_len;
	uint8_t gpe1_base, cst_cnt;
	uint16_t c2_latency, c3_latency, flush_size, flush_stride;
	uint8_t duty_offset, duty_width, day_alarm, month_alarm, century;
	uint16_t boot_flags;
	uint8_t reserved;
	uint32_t flags;
	struct acpi_gas reset_reg;
	uint8_t reset_value;
	uint8_t reserved2[3];
	uint64_t x_facs, x_dsdt;
	struct acpi_gas x_pm1a_evt, x_pm1b_evt, x_pm1a_cnt, x_pm1b_cnt, x_pm2_cnt, x_pm_tmr;
	struct acpi_gas x_gpe0, x_gpe1;
} ACPI_PACKED;

#define FADT_BOOT_LEGACY_DEVICES 0x0001u
#define FADT_BOOT_8042		 0x0002u
#define FADT_FLAG_WBINVD	 (1u << 0)
#define FADT_FLAG_PROC_C1	 (1u << 2)
#define FADT_FLAG_FIX_RTC	 (1u << 6)
#define FADT_FLAG_TMR_VAL_EXT	 (1u << 8)
#define FADT_FLAG_PLATFORM_CLOCK (1u << 15)

struct acpi_facs { /* 5.2.10, version 1 */
	char signature[4];
	uint32_t length;
	uint32_t hardware_signature;
	uint32_t waking_vector;
	uint32_t global_lock;
	uint32_t flags;
	uint64_t x_waking_vector;
	uint8_t version;
	uint8_t reserved[31];
} ACPI_PACKED;

struct acpi_madt { /* 5.2.12, revision 2 */
	struct acpi_header h;
	uint32_t lapic_addr;
	uint32_t flags; /* bit 0: PC-AT compatible PICs */
} ACPI_PACKED;

struct acpi_madt_lapic {
	uint8_t type, length; /* 0, 8 */
	uint8_t uid, apic_id;
	uint32_t flags; /* bit 0: enabled */
} ACPI_PACKED;

struct acpi_madt_ioapic {
	uint8_t type, length; /* 1, 12 */
	uint8_t id, reserved;
	uint32_t addr, gsi_base;
} ACPI_PACKED;

struct acpi_madt_override {
	uint8_t type, length; /* 2, 10 */
	uint8_t bus, irq;
	uint32_t gsi;
	uint16_t flags;
} ACPI_PACKED;

struct acpi_madt_nmi {
	uint8_t type, length; /* 4, 6 */
	uint8_t uid;	      /* 0xff = all */
	uint16_t flags;
	uint8_t lint;
} ACPI_PACKED;

struct acpi_hpet { /* IA-PC HPET specification 1.0a, 3.2.4 */
	struct acpi_header h;
	uint32_t id;
	struct acpi_gas base;
	uint8_t number;
	uint16_t min_tick;
	uint8_t page_protection;
} ACPI_PACKED;

struct acpi_waet { /* Windows ACPI emulated devices table 1.0 */
	struct acpi_header h;
	uint32_t flags; /* bit 0: RTC good, bit 1: PM timer good */
} ACPI_PACKED;

struct acpi_srat { /* 5.2.16 */
	struct acpi_header h;
	uint32_t reserved1; /* must be 1 */
	uint64_t reserved2;
} ACPI_PACKED;

struct acpi_srat_cpu {
	uint8_t type, length; /* 0, 16 */
	uint8_t domain_lo, apic_id;
	uint32_t flags; /* bit 0: enabled */
	uint8_t sapic_eid, domain_hi[3];
	uint32_t clock_domain;
} ACPI_PACKED;

struct acpi_srat_memory {
	uint8_t type, length; /* 1, 40 */
	uint32_t domain;
	uint16_t reserved1;
	uint64_t base, size;
	uint32_t reserved2;
	uint32_t flags; /* bit 0: enabled */
	uint64_t reserved3;
} ACPI_PACKED;

struct acpi_slit { /* 5.2.17; the matrix follows */
	struct acpi_header h;
	uint64_t nr_localities;
} ACPI_PACKED;

/* At ACPI_INFO_ADDR. asl/dsdt.asl (Field INFO) and asl/gen_cpus.sh read these offsets. */
struct acpi_info {
	uint8_t present; /* 0x00: bits COM1, COM2, LPT1, HPET, FDC, 8042 */
	uint8_t reserved[3];
	uint32_t pci_min;     /* 0x04 */
	uint32_t pci_len;     /* 0x08 */
	uint32_t vm_gid_addr; /* 0x0c */
	uint64_t pci_hi_min;  /* 0x10 */
	uint64_t pci_hi_len;  /* 0x18 */
	uint64_t pci_hi_max;  /* 0x20 */
	uint8_t pad[0x58];
	uint8_t cpu_flags[128]; /* 0x80: bit 0 = online */
	uint8_t cpu_apic[128];	/* 0x100 */
} ACPI_PACKED;

#define ACPI_INFO_COM1 0x01u
#define ACPI_INFO_COM2 0x02u
#define ACPI_INFO_LPT1 0x04u
#define ACPI_INFO_HPET 0x08u
#define ACPI_INFO_FDC  0x10u
#define ACPI_INFO_8042 0x20u

#endif
