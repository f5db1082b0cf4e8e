/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Layouts of SMBIOS structures as of version 2.4 (DMTF DSP0134, section 7). Version 2.4 is what Xen
 * 4.17 reports: from 2.6 on the bytes of the UUID would have to be swapped, and a Windows guest
 * that moves here would find itself on another machine.
 */
#ifndef HVMLOADER_SMBIOS_FORMAT_H
#define HVMLOADER_SMBIOS_FORMAT_H

#include <stdint.h>

#define SMBIOS_PACKED __attribute__((packed))

struct smbios_entry {
	char anchor[4];
	uint8_t checksum, length, major, minor;
	uint16_t max_structure;
	uint8_t revision, formatted[5];
	char dmi_anchor[5];
	uint8_t dmi_checksum;
	uint16_t table_bytes;
	uint32_t table_addr;
	uint16_t nr_structures;
	uint8_t bcd_revision;
} SMBIOS_PACKED;

struct smbios_header {
	uint8_t type, length;
	uint16_t handle;
} SMBIOS_PACKED;

struct smbios_bios { /* type 0 */
	struct smbios_header h;
	uint8_t vendor, version;
	uint16_t start_segment;
	uint8_t release_date, rom_size;
	uint64_t characteristics;
	uint8_t extension[2];
	uint8_t major, minor, ec_major, ec_minor;
} SMBIOS_PACKED;

struct smbios_system { /* type 1 */
	struct smbios_header h;
	uint8_t manufacturer, product, version, serial;
	uint8_t uuid[16];
	uint8_t wake_up, sku, family;
} SMBIOS_PACKED;

struct smbios_board { /* type 2 */
	struct smbios_header h;
	uint8_t manufacturer, product, version, serial, asset_tag, features, location;
	uint16_t chassis;
	uint8_t type, nr_contained;
} SMBIOS_PACKED;

struct smbios_enclosure { /* type 3 */
	struct smbios_header h;
	uint8_t manufacturer, type, version, serial, asset_tag;
	uint8_t boot_state, power_state, thermal_state, security;
	uint32_t oem;
	uint8_t height, nr_cords, nr_contained, contained_len;
} SMBIOS_PACKED;

struct smbios_processor { /* type 4 */
	struct smbios_header h;
	uint8_t socket, type, family, manufacturer;
	uint32_t signature, features;
	uint8_t version, voltage;
	uint16_t clock_mhz, max_mhz, current_mhz;
	uint8_t status, upgrade;
	uint16_t l1, l2, l3;
	uint8_t serial, asset_tag, part;
} SMBIOS_PACKED;

struct smbios_oem_strings { /* type 11 */
	struct smbios_header h;
	uint8_t nr;
} SMBIOS_PACKED;

struct smbios_memory_array { /* type 16 */
	struct smbios_header h;
	uint8_t location, use, error_correction;
	uint32_t capacity_kib;
	uint16_t error_handle, nr_devices;
} SMBIOS_PACKED;

struct smbios_memory_device { /* type 17 */
	struct smbios_header h;
	uint16_t array, error_handle, total_width, data_width, size_mib;
	uint8_t form_factor, set, locator, bank, type;
	uint16_t detail, speed;
	uint8_t manufacturer, serial, asset_tag, part;
} SMBIOS_PACKED;

struct smbios_array_address { /* type 19 */
	struct smbios_header h;
	uint32_t start_kib, end_kib;
	uint16_t array;
	uint8_t width;
} SMBIOS_PACKED;

struct smbios_device_address { /* type 20 */
	struct smbios_header h;
	uint32_t start_kib, end_kib;
	uint16_t device, array_address;
	uint8_t row, interleave, depth;
} SMBIOS_PACKED;

struct smbios_battery { /* type 22 */
	struct smbios_header h;
	uint8_t location, manufacturer, date, serial, name, chemistry;
	uint16_t capacity, voltage;
	uint8_t sbds_version, max_error;
	uint16_t sbds_serial, sbds_date;
	uint8_t sbds_chemistry, multiplier;
	uint32_t oem;
} SMBIOS_PACKED;

struct smbios_boot_info { /* type 32 */
	struct smbios_header h;
	uint8_t reserved[6];
	uint8_t status;
} SMBIOS_PACKED;

#endif
