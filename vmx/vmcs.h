/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The virtual machine control structure of VT-x: every field by name and encoding (SDM volume 3,
 * appendix B), the bits of its controls (24.6 to 24.8) and the basic exit reasons (appendix C).
 */
#ifndef PLINTH_VMX_VMCS_H
#define PLINTH_VMX_VMCS_H

#include "types.h"

/*
 * X(NAME, encoding), in the order in which a dump shows them. Encoding bits 13-14 give the width: 0
 * 16-bit, 1 64-bit, 2 32-bit, 3 natural.
 */
#define VMX_FIELDS(X)                     \
	X(GUEST_RIP, 0x681e)              \
	X(GUEST_RSP, 0x681c)              \
	X(GUEST_RFLAGS, 0x6820)           \
	X(GUEST_CR0, 0x6800)              \
	X(GUEST_CR3, 0x6802)              \
	X(GUEST_CR4, 0x6804)              \
	X(GUEST_DR7, 0x681a)              \
	X(GUEST_EFER, 0x2806)             \
	X(GUEST_PAT, 0x2804)              \
	X(GUEST_DEBUGCTL, 0x2802)         \
	X(GUEST_PDPTE0, 0x280a)           \
	X(GUEST_PDPTE1, 0x280c)           \
	X(GUEST_PDPTE2, 0x280e)           \
	X(GUEST_PDPTE3, 0x2810)           \
	X(GUEST_ES_SELECTOR, 0x0800)      \
	X(GUEST_ES_AR, 0x4814)            \
	X(GUEST_ES_LIMIT, 0x4800)         \
	X(GUEST_ES_BASE, 0x6806)          \
	X(GUEST_CS_SELECTOR, 0x0802)      \
	X(GUEST_CS_AR, 0x4816)            \
	X(GUEST_CS_LIMIT, 0x4802)         \
	X(GUEST_CS_BASE, 0x6808)          \
	X(GUEST_SS_SELECTOR, 0x0804)      \
	X(GUEST_SS_AR, 0x4818)            \
	X(GUEST_SS_LIMIT, 0x4804)         \
	X(GUEST_SS_BASE, 0x680a)          \
	X(GUEST_DS_SELECTOR, 0x0806)      \
	X(GUEST_DS_AR, 0x481a)            \
	X(GUEST_DS_LIMIT, 0x4806)         \
	X(GUEST_DS_BASE, 0x680c)          \
	X(GUEST_FS_SELECTOR, 0x0808)      \
	X(GUEST_FS_AR, 0x481c)            \
	X(GUEST_FS_LIMIT, 0x4808)         \
	X(GUEST_FS_BASE, 0x680e)          \
	X(GUEST_GS_SELECTOR, 0x080a)      \
	X(GUEST_GS_AR, 0x481e)            \
	X(GUEST_GS_LIMIT, 0x480a)         \
	X(GUEST_GS_BASE, 0x6810)          \
	X(GUEST_LDTR_SELECTOR, 0x080c)    \
	X(GUEST_LDTR_AR, 0x4820)          \
	X(GUEST_LDTR_LIMIT, 0x480c)       \
	X(GUEST_LDTR_BASE, 0x6812)        \
	X(GUEST_TR_SELECTOR, 0x080e)      \
	X(GUEST_TR_AR, 0x4822)            \
	X(GUEST_TR_LIMIT, 0x480e)         \
	X(GUEST_TR_BASE, 0x6814)          \
	X(GUEST_GDTR_LIMIT, 0x4810)       \
	X(GUEST_GDTR_BASE, 0x6816)        \
	X(GUEST_IDTR_LIMIT, 0x4812)       \
	X(GUEST_IDTR_BASE, 0x6818)        \
	X(GUEST_INTERRUPTIBILITY, 0x4824) \
	X(GUEST_ACTIVITY, 0x4826)         \
	X(GUEST_PENDING_DEBUG, 0x6822)    \
	X(GUEST_SMBASE, 0x4828)           \
	X(GUEST_SYSENTER_CS, 0x482a)      \
	X(GUEST_SYSENTER_ESP, 0x6824)     \
	X(GUEST_SYSENTER_EIP, 0x6826)     \
	X(GUEST_INTERRUPT_STATUS, 0x0810) \
	X(VMCS_LINK, 0x2800)              \
	X(CTL_PIN, 0x4000)                \
	X(CTL_PROC, 0x4002)               \
	X(CTL_PROC2, 0x401e)              \
	X(CTL_ENTRY, 0x4012)              \
	X(CTL_EXIT, 0x400c)               \
	X(EXCEPTION_BITMAP, 0x4004)       \
	X(PF_ERROR_MASK, 0x4006)          \
	X(PF_ERROR_MATCH, 0x4008)         \
	X(CR3_TARGET_COUNT, 0x400a)       \
	X(CR0_MASK, 0x6000)               \
	X(CR4_MASK, 0x6002)               \
	X(CR0_SHADOW, 0x6004)             \
	X(CR4_SHADOW, 0x6006)             \
	X(ENTRY_MSR_LOAD_COUNT, 0x4014)   \
	X(EXIT_MSR_STORE_COUNT, 0x400e)   \
	X(EXIT_MSR_LOAD_COUNT, 0x4010)    \
	X(ENTRY_INTR_INFO, 0x4016)        \
	X(ENTRY_ERROR_CODE, 0x4018)       \
	X(ENTRY_INSN_LEN, 0x401a)         \
	X(TPR_THRESHOLD, 0x401c)          \
	X(IO_BITMAP_A, 0x2000)            \
	X(IO_BITMAP_B, 0x2002)            \
	X(MSR_BITMAP, 0x2004)             \
	X(TSC_OFFSET, 0x2010)             \
	X(VIRTUAL_APIC_PAGE, 0x2012)      \
	X(APIC_ACCESS_PAGE, 0x2014)       \
	X(POSTED_VECTOR, 0x0002)          \
	X(PREEMPTION_TIMER, 0x482e)       \
	X(POSTED_DESCRIPTOR, 0x2016)      \
	X(EPT_POINTER, 0x201a)            \
	X(VPID, 0x0000)                   \
	X(EOI_EXIT0, 0x201c)              \
	X(EOI_EXIT1, 0x201e)              \
	X(EOI_EXIT2, 0x2020)              \
	X(EOI_EXIT3, 0x2022)              \
	X(ENCLS_EXITS, 0x202e)            \
	X(INSTRUCTION_ERROR, 0x4400)      \
	X(EXIT_REASON, 0x4402)            \
	X(EXIT_QUALIFICATION, 0x6400)     \
	X(EXIT_INTR_INFO, 0x4404)         \
	X(EXIT_INTR_ERROR, 0x4406)        \
	X(IDT_VECTORING_INFO, 0x4408)     \
	X(IDT_VECTORING_ERROR, 0x440a)    \
	X(EXIT_INSN_LEN, 0x440c)          \
	X(EXIT_INSN_INFO, 0x440e)         \
	X(GUEST_LINEAR_ADDRESS, 0x640a)   \
	X(GUEST_PHYSICAL_ADDRESS, 0x2400) \
	X(HOST_CR0, 0x6c00)               \
	X(HOST_CR3, 0x6c02)               \
	X(HOST_CR4, 0x6c04)               \
	X(HOST_EFER, 0x2c02)              \
	X(HOST_PAT, 0x2c00)               \
	X(HOST_RIP, 0x6c16)               \
	X(HOST_RSP, 0x6c14)               \
	X(HOST_CS_SELECTOR, 0x0c02)       \
	X(HOST_SS_SELECTOR, 0x0c04)       \
	X(HOST_DS_SELECTOR, 0x0c06)       \
	X(HOST_ES_SELECTOR, 0x0c00)       \
	X(HOST_FS_SELECTOR, 0x0c08)       \
	X(HOST_GS_SELECTOR, 0x0c0a)       \
	X(HOST_TR_SELECTOR, 0x0c0c)       \
	X(HOST_FS_BASE, 0x6c06)           \
	X(HOST_GS_BASE, 0x6c08)           \
	X(HOST_TR_BASE, 0x6c0a)           \
	X(HOST_GDTR_BASE, 0x6c0c)         \
	X(HOST_IDTR_BASE, 0x6c0e)         \
	X(HOST_SYSENTER_CS, 0x4c00)       \
	X(HOST_SYSENTER_ESP, 0x6c10)      \
	X(HOST_SYSENTER_EIP, 0x6c12)

enum vmcs_field {
#define VMX_FIELD_ENUM(name, encoding) name = encoding,
	VMX_FIELDS(VMX_FIELD_ENUM)
};

static inline unsigned int vmcs_field_bytes(uint32_t encoding)
{
	static const uint8_t bytes[] = { 2, 8, 4, 8 };

	return bytes[encoding >> 13 & 3];
}

/* Pin-based controls (24.6.1). */
#define PIN_EXT_INTR	     BIT(0)
#define PIN_NMI		     BIT(3)
#define PIN_VIRTUAL_NMI	     BIT(5)
#define PIN_PREEMPTION_TIMER BIT(6)
#define PIN_POSTED	     BIT(7)

/* Processor-based controls (24.6.2). */
#define PROC_INTR_WINDOW     BIT(2)
#define PROC_TSC_OFFSET	     BIT(3)
#define PROC_HLT	     BIT(7)
#define PROC_INVLPG	     BIT(9)
#define PROC_MWAIT	     BIT(10)
#define PROC_RDPMC	     BIT(11)
#define PROC_RDTSC	     BIT(12)
#define PROC_CR3_LOAD	     BIT(15)
#define PROC_CR3_STORE	     BIT(16)
#define PROC_CR8_LOAD	     BIT(19)
#define PROC_CR8_STORE	     BIT(20)
#define PROC_TPR_SHADOW	     BIT(21)
#define PROC_NMI_WINDOW	     BIT(22)
#define PROC_MOV_DR	     BIT(23)
#define PROC_IO_BITMAPS	     BIT(25)
#define PROC_MSR_BITMAPS     BIT(28)
#define PROC_MONITOR	     BIT(29)
#define PROC_SECONDARY	     BIT(31)

#define PROC2_APIC_ACCESS    BIT(0)
#define PROC2_EPT	     BIT(1)
#define PROC2_RDTSCP	     BIT(3)
#define PROC2_X2APIC	     BIT(4)
#define PROC2_VPID	     BIT(5)
#define PROC2_WBINVD	     BIT(6)
#define PROC2_UNRESTRICTED   BIT(7)
#define PROC2_APIC_REGISTERS BIT(8)
#define PROC2_VINTR_DELIVERY BIT(9)
#define PROC2_INVPCID	     BIT(12)
#define PROC2_ENCLS	     BIT(15)

#define EXIT_SAVE_DEBUG	     BIT(2)
#define EXIT_HOST_64	     BIT(9)
#define EXIT_ACK_INTERRUPT   BIT(15)
#define EXIT_SAVE_PAT	     BIT(18)
#define EXIT_LOAD_PAT	     BIT(19)
#define EXIT_SAVE_EFER	     BIT(20)
#define EXIT_LOAD_EFER	     BIT(21)

#define ENTRY_LOAD_DEBUG     BIT(2)
#define ENTRY_IA32E	     BIT(9)
#define ENTRY_LOAD_PAT	     BIT(14)
#define ENTRY_LOAD_EFER	     BIT(15)

/* Interruption information of entries, exits and IDT vectoring (24.8.3, 24.9.2, 24.9.3). */
#define INTR_VECTOR(i)	   ((uint8_t)(i))
#define INTR_TYPE(i)	   ((i) >> 8 & 7)
#define INTR_HAS_ERROR	   BIT(11)
#define INTR_NMI_UNBLOCKED BIT(12)
#define INTR_VALID	   BIT(31)
#define INTR_T_EXTINT	   0U
#define INTR_T_NMI	   2U
#define INTR_T_EXC	   3U
#define INTR_T_SWINT	   4U
#define INTR_T_PRIV_SWEXC  5U
#define INTR_T_SWEXC	   6U

/* Interruptibility state (24.4.2). */
#define BLOCKING_STI	BIT(0)
#define BLOCKING_MOV_SS BIT(1)
#define BLOCKING_NMI	BIT(3)

#define AR_UNUSABLE	BIT(16)

enum vmx_exit_reason {
	VMX_EXIT_EXC_NMI = 0,
	VMX_EXIT_EXT_INTR,
	VMX_EXIT_TRIPLE_FAULT,
	VMX_EXIT_INIT,
	VMX_EXIT_SIPI,
	VMX_EXIT_IO_SMI,
	VMX_EXIT_OTHER_SMI,
	VMX_EXIT_INTR_WINDOW,
	VMX_EXIT_NMI_WINDOW,
	VMX_EXIT_TASK_SWITCH,
	VMX_EXIT_CPUID,
	VMX_EXIT_GETSEC,
	VMX_EXIT_HLT,
	VMX_EXIT_INVD,
	VMX_EXIT_INVLPG,
	VMX_EXIT_RDPMC,
	VMX_EXIT_RDTSC,
	VMX_EXIT_RSM,
	VMX_EXIT_VMCALL,
	VMX_EXIT_VMCLEAR,
	VMX_EXIT_VMLAUNCH,
	VMX_EXIT_VMPTRLD,
	VMX_EXIT_VMPTRST,
	VMX_EXIT_VMREAD,
	VMX_EXIT_VMRESUME,
	VMX_EXIT_VMWRITE,
	VMX_EXIT_VMXOFF,
	VMX_EXIT_VMXON,
	VMX_EXIT_CR,
	VMX_EXIT_DR,
	VMX_EXIT_IO,
	VMX_EXIT_RDMSR,
	VMX_EXIT_WRMSR,
	VMX_EXIT_BAD_GUEST_STATE,
	VMX_EXIT_BAD_MSR_LOAD,
	VMX_EXIT_MWAIT = 36,
	VMX_EXIT_MONITOR_TRAP,
	VMX_EXIT_MONITOR = 39,
	VMX_EXIT_PAUSE,
	VMX_EXIT_MACHINE_CHECK,
	VMX_EXIT_TPR_THRESHOLD = 43,
	VMX_EXIT_APIC_ACCESS,
	VMX_EXIT_EOI,
	VMX_EXIT_GDTR_IDTR,
	VMX_EXIT_LDTR_TR,
	VMX_EXIT_EPT_VIOLATION,
	VMX_EXIT_EPT_MISCONFIG,
	VMX_EXIT_INVEPT,
	VMX_EXIT_RDTSCP,
	VMX_EXIT_PREEMPTION_TIMER,
	VMX_EXIT_INVVPID,
	VMX_EXIT_WBINVD,
	VMX_EXIT_XSETBV,
	VMX_EXIT_APIC_WRITE,
	VMX_EXIT_RDRAND,
	VMX_EXIT_INVPCID,
	VMX_EXIT_VMFUNC,
	VMX_EXIT_ENCLS,
	VMX_EXIT_RDSEED,
	VMX_EXIT_PML_FULL,
	VMX_EXIT_XSAVES,
	VMX_EXIT_XRSTORS,
	VMX_EXIT_COUNT
};
#define VMX_EXIT_ENTRY_FAILED BIT(31)

#endif
