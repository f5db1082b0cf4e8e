// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dom0's kernel command line: the user's, plus what correctness needs while no IOMMU translates dom0.
 *
 * swiotlb: the DMA address of a page that dom0 has mapped from a guest would be its frame number in
 * dom0, which is someone else's machine page; forced bouncing makes every DMA use dom0's own memory.
 * cpuidle, cpufreq: C- and P-states of the machine would stop the timer that the VMM depends on.
 */
#include "private.h"

#define SLAB_BYTES 2048U
#define SLABS_MAX  131072U /* 256 MiB */

char dom0_reported_cmdline[BOOT_CMDLINE_MAX + 32];

/* The tools balloon dom0 unless they find dom0_mem= in the hypervisor's command line. */
void dom0_make_reported_cmdline(void)
{
	size_t n = strlcpy(dom0_reported_cmdline, boot_info.cmdline, BOOT_CMDLINE_MAX);

	if (!strstr(dom0_reported_cmdline, "dom0_mem="))
		snprintf(dom0_reported_cmdline + n, sizeof(dom0_reported_cmdline) - n,
			 "%sdom0_mem=%luM", n ? " " : "", dom0_layout.ram_bytes >> 20);
}

static void append(char *out, size_t size, const char *option)
{
	strlcat(out, " ", size);
	if (strlcat(out, option, size) >= size)
		panic("dom0: kernel command line is longer than %lu bytes", size - 1);
	printk(LOG_INFO "dom0: appended to the kernel command line: %s\n", option);
}

void dom0_make_cmdline(char *out, size_t size, const char *given, uint64_t ram_bytes)
{
	char option[48];
	uint64_t slabs = min((uint64_t)SLABS_MAX, ram_bytes / 8 / SLAB_BYTES);

	strlcpy(out, given, size);
	if (strstr(out, "swiotlb=noforce"))
		panic("dom0: swiotlb=noforce would let devices write into other domains' memory; "
		      "take it out of the kernel's command line");
	snprintf(option, sizeof(option), "swiotlb=%lu,force", slabs);
	append(out, size, option);
	append(out, size, "cpuidle.off=1");
	append(out, size, "cpufreq.off=1");
}
