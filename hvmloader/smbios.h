/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The SMBIOS tables of the domain (DMTF DSP0134).
 */
#ifndef HVMLOADER_SMBIOS_H
#define HVMLOADER_SMBIOS_H

#include "arena.h"
#include "config.h"

struct smbios_input {
	const struct config_source *settings; /* bios-strings/... */
	uint8_t uuid[16];		      /* in the order it is printed */
	char version[32];		      /* hypervisor's version, "4.17.1" */
	uint32_t nr_vcpus;
	uint64_t low_ram_end;  /* bytes */
	uint64_t high_ram_end; /* bytes, 0 = none */
	uint32_t bios_bytes;   /* size of the BIOS image */
	char cpu_vendor[13];
	uint32_t cpu_signature; /* CPUID leaf 1, EAX */
	uint32_t cpu_features;	/* and EDX */
	uint16_t cpu_mhz;	/* 0 = unknown */
	bool default_battery;
	const uint8_t *extra; /* structures passed through by the toolstack, or NULL */
	uint32_t extra_len;
};

struct smbios_result {
	uint32_t entry_gpa;
	uint32_t table_gpa, table_bytes;
	uint16_t nr_structures;
};

/*
 * Build the structures in tables and the entry point in scratch. Returns NULL, or what went wrong.
 */
const char *smbios_build(struct arena *tables, struct arena *scratch, const struct smbios_input *in,
			 struct smbios_result *out);

#endif
