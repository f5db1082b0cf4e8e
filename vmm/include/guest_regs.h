/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The registers of a guest as common code sees them. Shared with the entry assembly and emulator. */
#ifndef PLINTH_GUEST_REGS_H
#define PLINTH_GUEST_REGS_H

#include "types.h"

enum gpr {
	R_RAX,
	R_RCX,
	R_RDX,
	R_RBX,
	R_RSP,
	R_RBP,
	R_RSI,
	R_RDI,
	R_R8,
	R_R9,
	R_R10,
	R_R11,
	R_R12,
	R_R13,
	R_R14,
	R_R15,
};

struct guest_regs {
	uint64_t gpr[16]; /* in encoding order */
	uint64_t rip;
	uint64_t rflags;
};

/* The emulator numbers its segments the same way (checked in hvm/emulate.c). */
enum guest_seg {
	SEG_ES,
	SEG_CS,
	SEG_SS,
	SEG_DS,
	SEG_FS,
	SEG_GS,
	SEG_TR,
	SEG_LDTR,
	SEG_GDTR,
	SEG_IDTR,
	SEG_COUNT,
};

struct segment {
	uint16_t sel;
	uint16_t attr; /* SVM's packed form: type 0-3, S 4, DPL 5-6, P 7, AVL 8, L 9, DB 10, G 11 */
	uint32_t limit; /* in bytes, already scaled */
	uint64_t base;
};
#define SEG_ATTR_P	   BIT(7)
#define SEG_ATTR_L	   BIT(9)
#define SEG_ATTR_DB	   BIT(10)
#define SEG_ATTR_G	   BIT(11)

#define X86_CR0_PE	   BIT(0)
#define X86_CR0_MP	   BIT(1)
#define X86_CR0_EM	   BIT(2)
#define X86_CR0_TS	   BIT(3)
#define X86_CR0_ET	   BIT(4)
#define X86_CR0_NE	   BIT(5)
#define X86_CR0_WP	   BIT(16)
#define X86_CR0_AM	   BIT(18)
#define X86_CR0_NW	   BIT(29)
#define X86_CR0_CD	   BIT(30)
#define X86_CR0_PG	   BIT(31)
#define X86_CR4_VME	   BIT(0)
#define X86_CR4_PSE	   BIT(4)
#define X86_CR4_PAE	   BIT(5)
#define X86_CR4_MCE	   BIT(6)
#define X86_CR4_PGE	   BIT(7)
#define X86_CR4_OSFXSR	   BIT(9)
#define X86_CR4_OSXMMEXCPT BIT(10)
#define X86_CR4_UMIP	   BIT(11)
#define X86_CR4_LA57	   BIT(12)
#define X86_CR4_FSGSBASE   BIT(16)
#define X86_CR4_PCIDE	   BIT(17)
#define X86_CR4_OSXSAVE	   BIT(18)
#define X86_CR4_SMEP	   BIT(20)
#define X86_CR4_SMAP	   BIT(21)
#define X86_CR4_PKE	   BIT(22)
#define X86_EFER_SCE	   BIT(0)
#define X86_EFER_LME	   BIT(8)
#define X86_EFER_LMA	   BIT(10)
#define X86_EFER_NX	   BIT(11)
#define X86_EFER_SVME	   BIT(12)
#define X86_EFER_FFXSR	   BIT(14)
#define X86_EFLAGS_TF	   BIT(8)
#define X86_EFLAGS_IF	   BIT(9)
#define X86_EFLAGS_NT	   BIT(14)
#define X86_EFLAGS_RF	   BIT(16)
#define X86_EFLAGS_VM	   BIT(17)
#define X86_EFLAGS_AC	   BIT(18)

#define X86_EXC_DE	   0
#define X86_EXC_DB	   1
#define X86_EXC_NMI	   2
#define X86_EXC_BP	   3
#define X86_EXC_OF	   4
#define X86_EXC_UD	   6
#define X86_EXC_NM	   7
#define X86_EXC_DF	   8
#define X86_EXC_TS	   10
#define X86_EXC_NP	   11
#define X86_EXC_SS	   12
#define X86_EXC_GP	   13
#define X86_EXC_PF	   14
#define X86_EXC_MF	   16
#define X86_EXC_AC	   17
#define X86_EXC_MC	   18
#define X86_EXC_NONE	   (-1)

#endif
