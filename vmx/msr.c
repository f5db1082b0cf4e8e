// SPDX-License-Identifier: GPL-2.0-or-later
/* Which RDMSR and WRMSR are intercepted. SDM volume 3, 24.6.9. */
#include "vmx.h"

/* One page for all domains: read low, read high, write low, write high, 1 KiB each; 1 = exit. */
uint8_t *vmx_msr_bitmap;

/* MSRs that the VMCS or the switch of vCPUs holds: the guest reads and writes them itself. */
static const uint32_t direct_msrs[] = {
	MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS_BASE, MSR_STAR,		MSR_LSTAR,
	MSR_CSTAR,   MSR_SFMASK,  MSR_SYSENTER_CS,    MSR_SYSENTER_ESP, MSR_SYSENTER_EIP,
};

static unsigned int read_bit(uint32_t msr)
{
	return (msr >> 16 ? 1024 * 8 : 0) + (msr & 0x1fff);
}

void vmx_msr_allow_write(uint8_t *bitmap, uint32_t msr)
{
	clear_bit(2048 * 8 + read_bit(msr), bitmap);
}

int vmx_msr_bitmap_init(void)
{
	vmx_msr_bitmap = alloc_page_virt();
	if (!vmx_msr_bitmap)
		return -ENOMEM;
	memset(vmx_msr_bitmap, 0xff, PAGE_SIZE);
	for (unsigned int i = 0; i < ARRAY_SIZE(direct_msrs); i++) {
		clear_bit(read_bit(direct_msrs[i]), vmx_msr_bitmap);
		vmx_msr_allow_write(vmx_msr_bitmap, direct_msrs[i]);
	}
	return 0;
}
