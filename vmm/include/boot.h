/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the boot loader gave us, Multiboot 1 or 2 alike (vmm/boot/), and the command line parser.
 */
#ifndef PLINTH_BOOT_H
#define PLINTH_BOOT_H

#include "mm.h"

#define BOOT_MAX_MODULES 8
#define BOOT_CMDLINE_MAX 1024

struct boot_module {
	maddr_t start;
	uint64_t size;
	char cmdline[BOOT_CMDLINE_MAX]; /* without the file's name */
};

enum boot_fb_kind { FB_NONE, FB_TEXT, FB_LINEAR };
struct boot_fb {
	enum boot_fb_kind kind;
	uint64_t addr;
	uint32_t pitch, width, height; /* pixels; characters for FB_TEXT */
	uint8_t bpp;
	uint8_t red_pos, red_size, green_pos, green_size, blue_pos, blue_size;
};

struct boot_info {
	char loader[64];
	char cmdline[BOOT_CMDLINE_MAX]; /* of the hypervisor, without the image's name */
	unsigned int nr_modules;
	struct boot_module
		module[BOOT_MAX_MODULES]; /* [0] = dom0 kernel, [1] = its ramdisk, if any */
	maddr_t rsdp;			  /* 0 = scan low memory */
	bool efi;
	uint64_t efi_systab;
	struct boot_fb fb;
};
/* Filled by multiboot_parse(), constant from then on. */
extern struct boot_info boot_info;

/*
 * Command line options: `name=value`, `name`, `no-name`. A table of these, collected by the linker
 * (section .options), serves parsing, "unknown option" reports and the man page test.
 */
struct boot_option {
	const char *name;
	int (*parse)(const char *value); /* value "" when absent; negative = not understood */
	const char *help;
};
#define BOOT_OPTION(ident, optname, fn, text)                                     \
	static const struct boot_option __used __aligned(8) __section(".options") \
		boot_option_##ident = { optname, fn, text }

/* Hands each word of boot_info.cmdline to its option, and logs those that nobody knows or understands. */
void cmdline_parse(void);
/* Parses 512M, 2G, 64K, plain = KiB as Xen's dom0_mem; -EINVAL on nonsense. */
int parse_size(const char *s, uint64_t *bytes);
/* on, yes, 1, true, enable or nothing; off, no, 0, false, disable; else -EINVAL. */
int parse_bool(const char *s, bool *v);

/* ACPI tables of the host (vmm/cpu/acpi.c). */
struct acpi_facts {
	bool have_fadt;
	uint16_t pm1a_cnt, pm1b_cnt, pm_tmr;
	bool pm_tmr_32bit;
	uint8_t reset_type;
	uint64_t reset_addr;
	uint8_t reset_value; /* type 0 = mem, 1 = I/O, 0xff none */
	uint64_t hpet_addr;
	uint64_t lapic_addr;
	unsigned int nr_cpus;
	uint32_t cpu_apic_id[64];
	unsigned int nr_ioapics;
	struct {
		uint32_t id;
		uint64_t addr;
		uint32_t gsi_base;
	} ioapic[16];
};
/* Filled by acpi_init(), constant from then on. */
extern struct acpi_facts acpi_facts;

#endif
