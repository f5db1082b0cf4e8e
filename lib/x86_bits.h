/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bits of EFLAGS, the control and debug registers and EFER, and the numbers of the exceptions: for the VMM, its emulator
 * and what runs in guests. SDM volume 3, 2.2 to 2.5, 6.3 and 17.2; APM volume 2, 3.1.
 */
#ifndef PLINTH_X86_BITS_H
#define PLINTH_X86_BITS_H

#define X86_EFLAGS_CF	   (1UL << 0)
#define X86_EFLAGS_MBS	   (1UL << 1) /* always one */
#define X86_EFLAGS_PF	   (1UL << 2)
#define X86_EFLAGS_AF	   (1UL << 4)
#define X86_EFLAGS_ZF	   (1UL << 6)
#define X86_EFLAGS_SF	   (1UL << 7)
#define X86_EFLAGS_TF	   (1UL << 8)
#define X86_EFLAGS_IF	   (1UL << 9)
#define X86_EFLAGS_DF	   (1UL << 10)
#define X86_EFLAGS_OF	   (1UL << 11)
#define X86_EFLAGS_IOPL	   (3UL << 12)
#define X86_EFLAGS_NT	   (1UL << 14)
#define X86_EFLAGS_RF	   (1UL << 16)
#define X86_EFLAGS_VM	   (1UL << 17)
#define X86_EFLAGS_AC	   (1UL << 18)
#define X86_EFLAGS_VIF	   (1UL << 19)
#define X86_EFLAGS_VIP	   (1UL << 20)
#define X86_EFLAGS_ID	   (1UL << 21)
#define X86_EFLAGS_KNOWN   0x3f7fd5UL /* all of these but the one that is always one */

#define X86_CR0_PE	   (1UL << 0)
#define X86_CR0_MP	   (1UL << 1)
#define X86_CR0_EM	   (1UL << 2)
#define X86_CR0_TS	   (1UL << 3)
#define X86_CR0_ET	   (1UL << 4)
#define X86_CR0_NE	   (1UL << 5)
#define X86_CR0_WP	   (1UL << 16)
#define X86_CR0_AM	   (1UL << 18)
#define X86_CR0_NW	   (1UL << 29)
#define X86_CR0_CD	   (1UL << 30)
#define X86_CR0_PG	   (1UL << 31)

#define X86_CR4_VME	   (1UL << 0)
#define X86_CR4_PVI	   (1UL << 1)
#define X86_CR4_TSD	   (1UL << 2)
#define X86_CR4_DE	   (1UL << 3)
#define X86_CR4_PSE	   (1UL << 4)
#define X86_CR4_PAE	   (1UL << 5)
#define X86_CR4_MCE	   (1UL << 6)
#define X86_CR4_PGE	   (1UL << 7)
#define X86_CR4_OSFXSR	   (1UL << 9)
#define X86_CR4_OSXMMEXCPT (1UL << 10)
#define X86_CR4_UMIP	   (1UL << 11)
#define X86_CR4_LA57	   (1UL << 12)
#define X86_CR4_VMXE	   (1UL << 13)
#define X86_CR4_FSGSBASE   (1UL << 16)
#define X86_CR4_PCIDE	   (1UL << 17)
#define X86_CR4_OSXSAVE	   (1UL << 18)
#define X86_CR4_SMEP	   (1UL << 20)
#define X86_CR4_SMAP	   (1UL << 21)
#define X86_CR4_PKE	   (1UL << 22)

#define X86_EFER_SCE	   (1UL << 0)
#define X86_EFER_LME	   (1UL << 8)
#define X86_EFER_LMA	   (1UL << 10)
#define X86_EFER_NX	   (1UL << 11)
#define X86_EFER_SVME	   (1UL << 12)
#define X86_EFER_FFXSR	   (1UL << 14)
#define X86_EFER_AIBRSE	   (1UL << 21)

#define X86_DR6_BD	   (1UL << 13) /* an access of a debug register, with DR7.GD */
#define X86_DR6_BS	   (1UL << 14) /* a single step */
#define X86_DR6_BT	   (1UL << 15) /* the new task's T flag */
#define X86_DR6_RESET	   0xffff0ff0UL
#define X86_DR7_ENABLED	   0xffUL /* L0-L3 and G0-G3 */
#define X86_DR7_GD	   (1UL << 13)
#define X86_DR7_RESET	   0x400UL

#define X86_EXC_DE	   0
#define X86_EXC_DB	   1
#define X86_EXC_NMI	   2
#define X86_EXC_BP	   3
#define X86_EXC_OF	   4
#define X86_EXC_BR	   5
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
#define X86_EXC_XM	   19

#endif
