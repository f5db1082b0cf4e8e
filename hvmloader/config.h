/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the domain's configuration in xenstore asks of the loader (xen/hvm/hvm_xs_strings.h and the
 * platform/ directory that libxl writes).
 */
#ifndef HVMLOADER_CONFIG_H
#define HVMLOADER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where settings come from. read() returns a length, or a negative number for no value. */
struct config_source {
	int (*read)(void *ctx, const char *path, char *buf, size_t size);
	void *ctx;
};

struct config_block {
	uint32_t addr; /* guest-physical, 0 = none */
	uint32_t len;  /* bytes */
};

struct config {
	char bios[32];
	bool acpi, acpi_s3, acpi_s4, acpi_slate;
	bool allow_relocate;
	bool platform_bar_uc;
	bool has_gid;
	uint64_t mmio_hole; /* bytes below 4 GiB that are not RAM, 0 = default */
	uint64_t vm_gid[2];
	struct config_block extra_acpi, extra_smbios;
};

/* Fill c. Returns NULL, or the path of the first setting whose value makes no sense. */
const char *config_read(struct config *c, const struct config_source *src);

#endif
