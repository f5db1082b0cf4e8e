/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The virtual machine control block of AMD-V: APM volume 2, appendix B, and its bits (chapter 15).
 */
#ifndef PLINTH_SVM_VMCB_H
#define PLINTH_SVM_VMCB_H

#include "types.h"
#include "vmm/emulate/x86_regs.h"

/* Intercept bits of vmcb.intercept[3] (word << 5 | bit). */
enum svm_intercept {
	SVM_I_INTR = 0,
	SVM_I_NMI,
	SVM_I_SMI,
	SVM_I_INIT,
	SVM_I_VINTR,
	SVM_I_CR0_SEL_WRITE,
	SVM_I_RDPMC = 15,
	SVM_I_CPUID = 18,
	SVM_I_IRET = 20,
	SVM_I_INVD = 22,
	SVM_I_PAUSE,
	SVM_I_HLT,
	SVM_I_INVLPG,
	SVM_I_INVLPGA,
	SVM_I_IOIO,
	SVM_I_MSR,
	SVM_I_TASK_SWITCH,
	SVM_I_FERR,
	SVM_I_SHUTDOWN,
};

enum svm_intercept2 {
	SVM_I2_VMRUN = 0,
	SVM_I2_VMMCALL,
	SVM_I2_VMLOAD,
	SVM_I2_VMSAVE,
	SVM_I2_STGI,
	SVM_I2_CLGI,
	SVM_I2_SKINIT,
	SVM_I2_RDTSCP,
	SVM_I2_ICEBP,
	SVM_I2_WBINVD,
	SVM_I2_MONITOR,
	SVM_I2_MWAIT,
	SVM_I2_MWAIT_ARMED,
	SVM_I2_XSETBV,
	SVM_I2_RDPRU,
};

#define SVM_TLB_NOTHING	   0
#define SVM_TLB_FLUSH_ALL  1
#define SVM_TLB_FLUSH_ASID 3

/* vintr */
#define SVM_VINTR_TPR(t)     ((uint64_t)(t)&0xff)
#define SVM_VINTR_IRQ	     BIT(8)
#define SVM_VINTR_PRIO_MAX   (0xfULL << 16)
#define SVM_VINTR_IGNORE_TPR BIT(20)
#define SVM_VINTR_VECTOR(v)  ((uint64_t)(v) << 32)
#define SVM_VINTR_MASKING    BIT(24)

/* event_inj and exit_int_info */
#define SVM_EVENT_VECTOR(e) ((uint8_t)(e))
#define SVM_EVENT_TYPE(e)   (((e) >> 8) & 7)
#define SVM_EVENT_HAS_ERR   BIT(11)
#define SVM_EVENT_VALID	    BIT(31)
#define SVM_EVENT_INTR	    0ULL
#define SVM_EVENT_NMI	    2ULL
#define SVM_EVENT_EXC	    3ULL
#define SVM_EVENT_SWINT	    4ULL

struct vmcb {
	uint16_t cr_read, cr_write; /* 000 */
	uint16_t dr_read, dr_write;
	uint32_t exceptions; /* 008 */
	uint32_t intercept1, intercept2, intercept3;
	uint8_t pad1[0x3c - 0x18];
	uint16_t pause_threshold, pause_count;
	uint64_t iopm_base, msrpm_base; /* 040 */
	uint64_t tsc_offset;
	uint32_t asid;
	uint8_t tlb_control, pad2[3];
	uint64_t vintr; /* 060 */
	uint64_t int_shadow;
	uint64_t exit_code, exit_info1, exit_info2, exit_int_info; /* 070 */
	uint64_t np_enable;					   /* 090 */
	uint64_t avic_bar, ghcb;
	uint64_t event_inj; /* 0a8 */
	uint64_t n_cr3;
	uint64_t lbr_control;
	uint64_t clean; /* 0c0 */
	uint64_t next_rip;
	uint8_t insn_len, insn_bytes[15]; /* 0d0 */
	uint8_t pad3[0x400 - 0xe0];

	struct x86_segment seg[X86_SEG_COUNT]; /* 400, in the order of enum x86_seg */
	uint8_t pad4[0x4cb - 0x4a0];
	uint8_t cpl;
	uint32_t pad5;
	uint64_t efer; /* 4d0 */
	uint8_t pad6[0x548 - 0x4d8];
	uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip; /* 548 */
	uint8_t pad7[0x5d8 - 0x580];
	uint64_t rsp; /* 5d8 */
	uint64_t s_cet, ssp, isst;
	uint64_t rax; /* 5f8 */
	uint64_t star, lstar, cstar, sfmask, kernel_gs_base;
	uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
	uint64_t cr2; /* 640 */
	uint8_t pad8[0x668 - 0x648];
	uint64_t g_pat;
	uint64_t debugctl, br_from, br_to, exc_from, exc_to;
	uint8_t pad9[0x1000 - 0x698];
} __packed;

BUILD_BUG_ON(sizeof(struct vmcb) != PAGE_SIZE);
BUILD_BUG_ON(offsetof(struct vmcb, iopm_base) != 0x40);
BUILD_BUG_ON(offsetof(struct vmcb, exit_code) != 0x70);
BUILD_BUG_ON(offsetof(struct vmcb, event_inj) != 0xa8);
BUILD_BUG_ON(offsetof(struct vmcb, next_rip) != 0xc8);
BUILD_BUG_ON(sizeof(struct x86_segment) != 16);
BUILD_BUG_ON(offsetof(struct vmcb, seg) != 0x400);
BUILD_BUG_ON(X86_SEG_TR != 9);
BUILD_BUG_ON(offsetof(struct vmcb, efer) != 0x4d0);
BUILD_BUG_ON(offsetof(struct vmcb, cr4) != 0x548);
BUILD_BUG_ON(offsetof(struct vmcb, rax) != 0x5f8);
BUILD_BUG_ON(offsetof(struct vmcb, g_pat) != 0x668);

/* Exit codes: APM volume 2, appendix C. */
enum svm_exit {
	SVM_EXIT_CR_READ = 0x00,
	SVM_EXIT_CR_WRITE = 0x10,
	SVM_EXIT_DR_READ = 0x20,
	SVM_EXIT_DR_WRITE = 0x30,
	SVM_EXIT_EXC = 0x40,
	SVM_EXIT_INTR = 0x60,
	SVM_EXIT_NMI,
	SVM_EXIT_SMI,
	SVM_EXIT_INIT,
	SVM_EXIT_VINTR,
	SVM_EXIT_CR0_SEL_WRITE,
	SVM_EXIT_RDPMC = 0x6f,
	SVM_EXIT_CPUID = 0x72,
	SVM_EXIT_IRET = 0x74,
	SVM_EXIT_INVD = 0x76,
	SVM_EXIT_PAUSE,
	SVM_EXIT_HLT,
	SVM_EXIT_INVLPG,
	SVM_EXIT_INVLPGA,
	SVM_EXIT_IOIO,
	SVM_EXIT_MSR,
	SVM_EXIT_TASK_SWITCH,
	SVM_EXIT_FERR,
	SVM_EXIT_SHUTDOWN,
	SVM_EXIT_VMRUN = 0x80,
	SVM_EXIT_VMMCALL,
	SVM_EXIT_VMLOAD,
	SVM_EXIT_VMSAVE,
	SVM_EXIT_STGI,
	SVM_EXIT_CLGI,
	SVM_EXIT_SKINIT,
	SVM_EXIT_RDTSCP,
	SVM_EXIT_ICEBP,
	SVM_EXIT_WBINVD,
	SVM_EXIT_MONITOR,
	SVM_EXIT_MWAIT,
	SVM_EXIT_MWAIT_ARMED,
	SVM_EXIT_XSETBV,
	SVM_EXIT_RDPRU,
	SVM_EXIT_COMMON, /* size of the dense part of the table */
	SVM_EXIT_KINDS,	 /* with nested page faults */
	SVM_EXIT_NPF = 0x400,
};

#endif
