/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The general registers and segments of a guest: for the emulator, all of the VMM and the entry assembly. Depends on
 * nothing but the compiler.
 */
#ifndef PLINTH_X86_REGS_H
#define PLINTH_X86_REGS_H

#include <stdint.h>
#include "lib/x86_bits.h"

/* Encoding order, as in ModRM with REX. */
enum x86_gpr {
	X86_RAX,
	X86_RCX,
	X86_RDX,
	X86_RBX,
	X86_RSP,
	X86_RBP,
	X86_RSI,
	X86_RDI,
	X86_R8,
	X86_R9,
	X86_R10,
	X86_R11,
	X86_R12,
	X86_R13,
	X86_R14,
	X86_R15,
	X86_NO_GPR,
};

/* world_switch.h knows the layout. */
struct x86_regs {
	uint64_t gpr[16];
	uint64_t rip;
	uint64_t rflags;
};

/* The first six in the encoding order of ModRM.reg, all in the order of a VMCB (APM volume 2, appendix B). */
enum x86_seg {
	X86_SEG_ES,
	X86_SEG_CS,
	X86_SEG_SS,
	X86_SEG_DS,
	X86_SEG_FS,
	X86_SEG_GS,
	X86_SEG_GDTR,
	X86_SEG_LDTR,
	X86_SEG_IDTR,
	X86_SEG_TR,
	X86_SEG_NONE,
	X86_SEG_COUNT = X86_SEG_NONE,
};

/* Segment attributes in the VMCB's 12-bit format: descriptor bits 40-47 and 52-55. */
#define X86_ATTR_TYPE	0x00fU
#define X86_ATTR_S	0x010U
#define X86_ATTR_DPL(a) (((a) >> 5) & 3U)
#define X86_ATTR_P	0x080U
#define X86_ATTR_AVL	0x100U
#define X86_ATTR_L	0x200U
#define X86_ATTR_DB	0x400U
#define X86_ATTR_G	0x800U

/* As in a VMCB. */
struct x86_segment {
	uint16_t sel;
	uint16_t attr;	/* X86_ATTR_*; 0 = unusable */
	uint32_t limit; /* in bytes, granularity already applied */
	uint64_t base;
};

#endif
