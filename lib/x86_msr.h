/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers of model-specific registers, by number, and what two files know of their contents: for C and assembly. SDM
 * volume 4; APM volume 2, appendix A.
 */
#ifndef PLINTH_X86_MSR_H
#define PLINTH_X86_MSR_H

#define MSR_TSC		      0x10
#define MSR_APIC_BASE	      0x1b
#define MSR_FEATURE_CONTROL   0x3a
#define MSR_TSC_ADJUST	      0x3b
#define MSR_SPEC_CTRL	      0x48
#define MSR_PRED_CMD	      0x49
#define MSR_PLATFORM_INFO     0xce
#define MSR_MTRRCAP	      0xfe
#define MSR_ARCH_CAPABILITIES 0x10a
#define MSR_FLUSH_CMD	      0x10b
#define MSR_MISC_FEATURES     0x140
#define MSR_SYSENTER_CS	      0x174
#define MSR_SYSENTER_ESP      0x175
#define MSR_SYSENTER_EIP      0x176
#define MSR_MISC_ENABLE	      0x1a0
#define MSR_DEBUGCTL	      0x1d9
#define MSR_MTRR_PHYSBASE0    0x200 /* a base and a mask for each range */
#define MSR_MTRR_FIX64K	      0x250
#define MSR_MTRR_FIX16K	      0x258 /* two */
#define MSR_MTRR_FIX4K	      0x268 /* eight */
#define MSR_PAT		      0x277
#define MSR_MTRR_DEF_TYPE     0x2ff
#define MSR_VMX_BASIC	      0x480
#define MSR_VMX_PIN	      0x481 /* then primary, exit and entry controls */
#define MSR_VMX_MISC	      0x485
#define MSR_VMX_CR0_FIXED0    0x486
#define MSR_VMX_CR4_FIXED0    0x488
#define MSR_VMX_PROC2	      0x48b
#define MSR_VMX_EPT_VPID      0x48c
#define MSR_VMX_TRUE_PIN      0x48d /* as MSR_VMX_PIN */
#define MSR_TSC_DEADLINE      0x6e0
#define MSR_X2APIC_FIRST      0x800
#define MSR_X2APIC_LAST	      0x8ff
#define MSR_X2APIC(reg)	      (MSR_X2APIC_FIRST + ((reg) >> 4)) /* reg: offset in the register page */
#define MSR_EFER	      0xc0000080
#define MSR_STAR	      0xc0000081
#define MSR_LSTAR	      0xc0000082
#define MSR_CSTAR	      0xc0000083
#define MSR_SFMASK	      0xc0000084
#define MSR_FS_BASE	      0xc0000100
#define MSR_GS_BASE	      0xc0000101
#define MSR_KERNEL_GS_BASE    0xc0000102
#define MSR_TSC_AUX	      0xc0000103
#define MSR_VM_CR	      0xc0010114
#define MSR_VM_HSAVE	      0xc0010117

#define APIC_BASE_BSP	      (1UL << 8)
#define APIC_BASE_EXTD	      (1UL << 10) /* x2APIC mode */
#define APIC_BASE_EN	      (1UL << 11)
#define DEBUGCTL_BTF	      (1UL << 1)
#define PAT_RESET	      0x0007040600070406UL

/* CPUID raises #GP but for CPL 0: is it there, is it on. */
#define PLATFORM_CPUID_FAULTING (1UL << 31)
#define MISC_CPUID_FAULTING	(1UL << 0)

#endif
