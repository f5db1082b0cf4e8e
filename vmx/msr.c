// SPDX-License-Identifier: GPL-2.0-or-later
/* RDMSR and WRMSR: which are intercepted (SDM volume 3, 24.6.9), and their exits. */
#include "policy.h"
#include "vmx.h"

#define MSR_PLATFORM_INFO	 0xceU
#define MSR_MISC_FEATURES	 0x140U
#define MSR_MISC_ENABLE		 0x1a0U

#define MISC_ENABLE_FAST_STRINGS BIT(0)
#define MISC_ENABLE_NO_BTS	 BIT(11)
#define MISC_ENABLE_NO_PEBS	 BIT(12)

/* One page for all domains: read low, read high, write low, write high, 1 KiB each; 1 = exit. */
uint8_t *vmx_msr_bitmap;

/* MSRs that the VMCS or the switch of vCPUs holds: the guest reads and writes them itself. */
static const uint32_t direct_msrs[] = {
	0xc0000100, 0xc0000101, 0xc0000102,		/* FS.base, GS.base, KernelGSbase */
	0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, /* STAR, LSTAR, CSTAR, SFMASK */
	0x174,	    0x175,	0x176,			/* SYSENTER_CS, ESP, EIP */
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

/* Intel's own MSRs (SDM volume 4, table 2-2), as the guest's policy has them. */
int vmx_rdmsr(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	switch (msr) {
	case MSR_PLATFORM_INFO:
		*value = v->domain->cpu_policy->platform_info;
		return 0;
	case MSR_MISC_FEATURES: /* no CPUID faulting */
		*value = 0;
		return 0;
	case MSR_MISC_ENABLE:
		*value = MISC_ENABLE_FAST_STRINGS | MISC_ENABLE_NO_BTS | MISC_ENABLE_NO_PEBS;
		return 0;
	default:
		return -EINVAL;
	}
}

void vmx_exit_rdmsr(struct vcpu *v, struct vmx_vcpu *vv)
{
	(void)vv;
	hvm_exit_rdmsr(v, (unsigned int)vmread(EXIT_INSN_LEN));
}

void vmx_exit_wrmsr(struct vcpu *v, struct vmx_vcpu *vv)
{
	(void)vv;
	hvm_exit_wrmsr(v, (unsigned int)vmread(EXIT_INSN_LEN));
}
