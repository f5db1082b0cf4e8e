// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The 0F and 0F 38 opcode maps and their groups (SDM vol. 2, appendix A, tables ).
 * An entry that is all zero exists on hardware and is not emulated; of map 0F 3A that is all.
 */
#include "internal.h"
#include "handlers.h"

#define Eb OPND(K_RM, S_B)
#define Ew OPND(K_RM, S_W)
#define Ev OPND(K_RM, S_V)
#define Gb OPND(K_REG, S_B)
#define Gv OPND(K_REG, S_V)
#define Gy OPND(K_REG, S_Y)
#define Ey OPND(K_RM, S_Y)
#define Zv OPND(K_OPREG, S_V)
#define Iv OPND(K_IMM, S_V)
#define Ib OPND(K_IMM, S_B)

/* clang-format off */
#define OP(f, d, s, i, fl) { { .fn = f }, fl, d, s, i }
#define GROUP(tab)	   { { .sub = tab }, F_MODRM | F_GROUP, 0, 0, 0 }
#define GROUPMOD(tab)	   { { .sub = tab }, F_MODRM | F_GROUPMOD, 0, 0, 0 }
#define SUBRM(tab)	   { { .sub = tab }, F_GROUPRM, 0, 0, 0 }
#define SUBPFX(tab)	   { { .sub = tab }, F_PFX, 0, 0, 0 }
#define PFX(tab)	   { { .sub = tab }, F_MODRM | F_PFX, 0, 0, 0 }
#define UD		   { { .fn = control_ud }, F_UNDEF, 0, 0, 0 }
#define UDM		   { { .fn = control_ud }, F_UNDEF | F_MODRM, 0, 0, 0 }
#define NONE		   { { .fn = NULL }, 0, 0, 0, 0 }
#define M		   F_MODRM
#define VX		   (F_VEX | F_VEXL)
#define VXM		   (F_VEX | F_VEXL | F_VEXMEM) /* scalars: VEX.L is ignored */

static const struct x86_opcode group6[8] = {
	OP(system_sldt, 0, 0, 0, F_PROT),	     OP(system_str, 0, 0, 0, F_PROT),
	OP(segment_lldt, 0, Ew, 0, F_PROT | F_PRIV), OP(segment_ltr, 0, Ew, 0, F_PROT | F_PRIV),
	OP(selector_verr, 0, Ew, 0, F_PROT),	     OP(selector_verw, 0, Ew, 0, F_PROT),
	UD,					     UD,
};

static const struct x86_opcode vmcall_pfx[4] = {
	OP(system_vmcall, 0, 0, 0, 0), NONE, NONE, NONE,
};

static const struct x86_opcode group7_0[8] = {
	NONE, SUBPFX(vmcall_pfx), NONE, NONE, NONE, NONE, NONE, NONE,
};

static const struct x86_opcode clac_pfx[4] = {
	OP(flags_clac, 0, 0, 0, 0), NONE, NONE, NONE,
};

static const struct x86_opcode group7_1[8] = {
	NONE, NONE, SUBPFX(clac_pfx), SUBPFX(clac_pfx), NONE, NONE, NONE, NONE,
};

static const struct x86_opcode xgetbv_pfx[4] = {
	OP(system_xgetbv, 0, 0, 0, 0), UD, UD, UD,
};

static const struct x86_opcode xsetbv_pfx[4] = {
	OP(system_xsetbv, 0, 0, 0, 0), UD, UD, UD,
};

static const struct x86_opcode group7_2[8] = {
	SUBPFX(xgetbv_pfx), SUBPFX(xsetbv_pfx), NONE, NONE, NONE, NONE, NONE, NONE,
};

static const struct x86_opcode vmmcall_pfx[4] = {
	OP(system_vmmcall, 0, 0, 0, 0), NONE, NONE, NONE,
};

static const struct x86_opcode group7_3[8] = {
	NONE, SUBPFX(vmmcall_pfx), NONE, NONE, NONE, NONE, NONE, NONE,
};

static const struct x86_opcode group7_7[8] = {
	OP(system_swapgs, 0, 0, 0, F_ONLY64 | F_PRIV),
	OP(system_rdtscp, 0, 0, 0, 0),
	NONE, NONE, NONE, NONE, NONE, NONE,
};

static const struct x86_opcode rstorssp_pfx[4] = { UD, UD, NONE, UD };

static const struct x86_opcode group7[16] = {
	OP(system_sgdt, 0, 0, 0, 0), OP(system_sidt, 0, 0, 0, 0),
	OP(system_lgdt, 0, 0, 0, F_PRIV), OP(system_lidt, 0, 0, 0, F_PRIV),
	OP(system_smsw, 0, 0, 0, 0), SUBPFX(rstorssp_pfx),
	OP(system_lmsw, 0, Ew, 0, F_PRIV), OP(system_invlpg, 0, 0, 0, F_PRIV),
	SUBRM(group7_0), SUBRM(group7_1), SUBRM(group7_2), SUBRM(group7_3),
	OP(system_smsw, 0, 0, 0, 0), NONE,
	OP(system_lmsw, 0, Ew, 0, F_PRIV), SUBRM(group7_7),
};

static const struct x86_opcode group8[8] = {
	UD, UD, UD, UD,
	OP(bits_bt, Ev, Ib, IM_UB, F_CMP), OP(bits_bts, Ev, Ib, IM_UB, F_LOCK),
	OP(bits_btr, Ev, Ib, IM_UB, F_LOCK), OP(bits_btc, Ev, Ib, IM_UB, F_LOCK),
};

static const struct x86_opcode rdpid_pfx[4] = {
	NONE, NONE, OP(system_rdpid, 0, 0, 0, 0), NONE,
};

/* CMPXCHG8B; the rest (XSAVE family, VMX, RDRAND, ...) is not emulated but RDPID. */
static const struct x86_opcode group9[16] = {
	UD, OP(alu_cmpxchg8b, 0, 0, 0, F_LOCK), UD, NONE, NONE, NONE, NONE, NONE,
	UD, UD, UD, UD, UD, UD, NONE, SUBPFX(rdpid_pfx),
};

#define FSGS_PFX { UD, UD, OP(system_fsgsbase, 0, 0, 0, F_ONLY64), UD }
static const struct x86_opcode fsgs_pfx[4] = FSGS_PFX;

static const struct x86_opcode fence_lfence[4] = {
	OP(alu_nop, 0, 0, 0, 0), UD, NONE, UD, /* F3: INCSSP */
};

static const struct x86_opcode fence_mfence[4] = {
	OP(alu_nop, 0, 0, 0, 0), NONE, NONE, NONE, /* TPAUSE, UMONITOR, UMWAIT */
};

static const struct x86_opcode fence_sfence[4] = {
	OP(alu_nop, 0, 0, 0, 0), UD, UD, UD,
};

static const struct x86_opcode clwb_pfx[4] = {
	NONE, OP(alu_nop, 0, 0, 0, 0), NONE, UD, /* XSAVEOPT, CLWB, CLRSSBSY */
};

static const struct x86_opcode clflush_pfx[4] = {
	OP(alu_nop, 0, 0, 0, 0), OP(alu_nop, 0, 0, 0, 0), UD, UD,
};

static const struct x86_opcode ptwrite_pfx[4] = { UD, UD, NONE, UD };

static const struct x86_opcode group15[16] = {
	NONE, NONE, NONE, NONE, NONE, NONE, SUBPFX(clwb_pfx), SUBPFX(clflush_pfx),
	SUBPFX(fsgs_pfx), SUBPFX(fsgs_pfx), SUBPFX(fsgs_pfx), SUBPFX(fsgs_pfx),
	SUBPFX(ptwrite_pfx), SUBPFX(fence_lfence), SUBPFX(fence_mfence), SUBPFX(fence_sfence),
};

static const struct x86_opcode pfx_10[4] = {
	OP(sse_load, 0, 0, 0, VX), OP(sse_load, 0, 0, 0, VX),
	OP(sse_movss_load, 0, 0, 0, VXM), OP(sse_movsd_load, 0, 0, 0, VXM),
};

static const struct x86_opcode pfx_11[4] = {
	OP(sse_store, 0, 0, 0, VX), OP(sse_store, 0, 0, 0, VX),
	OP(sse_movss_store, 0, 0, 0, VXM), OP(sse_movsd_store, 0, 0, 0, VXM),
};

static const struct x86_opcode pfx_half_load[4] = {
	OP(sse_half_load, 0, 0, 0, 0), OP(sse_half_load, 0, 0, 0, F_MEM), NONE, NONE,
};

static const struct x86_opcode pfx_half_store[4] = {
	OP(sse_half_store, 0, 0, 0, F_MEM | F_VEX), OP(sse_half_store, 0, 0, 0, F_MEM | F_VEX), UD, UD,
};

static const struct x86_opcode pfx_28[4] = {
	OP(sse_load_aligned, 0, 0, 0, VX), OP(sse_load_aligned, 0, 0, 0, VX), UD, UD,
};

static const struct x86_opcode pfx_29[4] = {
	OP(sse_store_aligned, 0, 0, 0, VX), OP(sse_store_aligned, 0, 0, 0, VX), UD, UD,
};

static const struct x86_opcode pfx_2b[4] = {
	OP(sse_store_aligned, 0, 0, 0, VX | F_MEM), OP(sse_store_aligned, 0, 0, 0, VX | F_MEM),
	NONE, NONE, /* MOVNTSS, MOVNTSD */
};

static const struct x86_opcode pfx_6e[4] = {
	OP(sse_movd_load, 0, 0, 0, 0), OP(sse_movd_load, 0, 0, 0, F_VEX), UD, UD,
};

static const struct x86_opcode pfx_6f[4] = {
	OP(sse_mmx_load, 0, 0, 0, 0), OP(sse_load_aligned, 0, 0, 0, VX),
	OP(sse_load, 0, 0, 0, VX), UD,
};

static const struct x86_opcode pfx_7e[4] = {
	OP(sse_movd_store, 0, 0, 0, 0), OP(sse_movd_store, 0, 0, 0, F_VEX),
	OP(sse_movq_load, 0, 0, 0, F_VEX), UD,
};

static const struct x86_opcode pfx_7f[4] = {
	OP(sse_mmx_store, 0, 0, 0, 0), OP(sse_store_aligned, 0, 0, 0, VX),
	OP(sse_store, 0, 0, 0, VX), UD,
};

static const struct x86_opcode pfx_d6[4] = {
	UD, OP(sse_movq_store, 0, 0, 0, F_VEX), NONE, NONE,
};

static const struct x86_opcode pfx_e7[4] = {
	OP(sse_mmx_store, 0, 0, 0, F_MEM), OP(sse_store_aligned, 0, 0, 0, VX | F_MEM), UD, UD,
};

static const struct x86_opcode pfx_f0[4] = {
	UD, UD, UD, OP(sse_load, 0, 0, 0, VX | F_MEM),
};

static const struct x86_opcode pfx_b8[4] = {
	UD, UD, OP(bits_popcnt, Gv, Ev, 0, F_MOV), UD,
};

static const struct x86_opcode pfx_bc[4] = {
	OP(bits_bsf, Gv, Ev, 0, F_MOV), OP(bits_bsf, Gv, Ev, 0, F_MOV),
	OP(bits_tzcnt, Gv, Ev, 0, F_MOV), OP(bits_bsf, Gv, Ev, 0, F_MOV),
};

static const struct x86_opcode pfx_bd[4] = {
	OP(bits_bsr, Gv, Ev, 0, F_MOV), OP(bits_bsr, Gv, Ev, 0, F_MOV),
	OP(bits_lzcnt, Gv, Ev, 0, F_MOV), OP(bits_bsr, Gv, Ev, 0, F_MOV),
};

static const struct x86_opcode pfx_c3[4] = {
	OP(alu_mov, Ey, Gy, 0, F_MOV | F_MEM), UD, UD, UD, /* MOVNTI */
};

static const struct x86_opcode pfx_wbinvd[4] = {
	OP(system_wbinvd, 0, 0, 0, F_PRIV), OP(system_wbinvd, 0, 0, 0, F_PRIV),
	OP(system_wbinvd, 0, 0, 0, F_PRIV), OP(system_wbinvd, 0, 0, 0, F_PRIV),
};

/* Packed integers: of MMX, or with 66; and those that have no MMX form. */
#define VX3 (VX | F_VEX3)
static const struct x86_opcode pfx_packed[4] = {
	OP(sse_packed, 0, 0, 0, 0), OP(sse_packed, 0, 0, 0, VX3 | F_VEXL2), UD, UD,
};

static const struct x86_opcode pfx_quads[4] = {
	UD, OP(sse_packed, 0, 0, 0, VX3 | F_VEXL2), UD, UD,
};

static const struct x86_opcode pfx_logic[4] = {
	OP(sse_logic, 0, 0, 0, VX3), OP(sse_logic, 0, 0, 0, VX3), UD, UD,
};

#define TIMES8(b, e)                                                                       \
	[(b) + 0] = e, [(b) + 1] = e, [(b) + 2] = e, [(b) + 3] = e,                        \
	[(b) + 4] = e, [(b) + 5] = e, [(b) + 6] = e, [(b) + 7] = e

#define HINT_NOP    OP(alu_nop, 0, 0, 0, M)
#define CMOV_ENTRY  OP(alu_cmovcc, Gv, Ev, 0, M)
#define JCC_ENTRY   OP(control_jcc, 0, 0, IM_Z, F_BRANCH)
#define SETCC_ENTRY OP(alu_setcc, Eb, 0, 0, M | F_MOV)
#define BSWAP_ENTRY OP(alu_bswap, Zv, 0, 0, 0)

const struct x86_opcode x86_opcodes_0f[256] = {
	[0x00] = GROUP(group6),
	[0x01] = GROUPMOD(group7),
	[0x02] = OP(selector_lar, 0, Ew, 0, M | F_PROT),
	[0x03] = OP(selector_lsl, 0, Ew, 0, M | F_PROT),
	[0x04] = UD,
	[0x05] = OP(system_syscall, 0, 0, 0, 0),
	[0x06] = OP(system_clts, 0, 0, 0, F_PRIV),
	[0x07] = OP(system_sysret, 0, 0, 0, 0),
	[0x08] = OP(system_invd, 0, 0, 0, F_PRIV),
	[0x09] = SUBPFX(pfx_wbinvd),
	[0x0a] = UD,
	[0x0b] = UD,
	[0x0c] = UD,
	[0x0d] = OP(system_prefetch, 0, 0, 0, M),
	[0x10] = PFX(pfx_10),
	[0x11] = PFX(pfx_11),
	[0x12] = PFX(pfx_half_load),
	[0x13] = PFX(pfx_half_store),
	[0x16] = PFX(pfx_half_load),
	[0x17] = PFX(pfx_half_store),
	TIMES8(0x18, HINT_NOP),
	[0x20] = OP(system_mov_from_cr, 0, 0, 0, M | F_MODREG | F_NOLOCKUD),
	[0x21] = OP(system_mov_from_dr, 0, 0, 0, M | F_MODREG),
	[0x22] = OP(system_mov_to_cr, 0, 0, 0, M | F_MODREG | F_NOLOCKUD),
	[0x23] = OP(system_mov_to_dr, 0, 0, 0, M | F_MODREG),
	[0x24] = UD,
	[0x25] = UD,
	[0x26] = UD,
	[0x27] = UD,
	[0x28] = PFX(pfx_28),
	[0x29] = PFX(pfx_29),
	[0x2b] = PFX(pfx_2b),
	[0x30] = OP(system_wrmsr, 0, 0, 0, F_PRIV),
	[0x31] = OP(system_rdtsc, 0, 0, 0, 0),
	[0x32] = OP(system_rdmsr, 0, 0, 0, F_PRIV),
	[0x34] = OP(system_sysenter, 0, 0, 0, 0),
	[0x35] = OP(system_sysexit, 0, 0, 0, 0),
	[0x36] = UD,
	TIMES8(0x40, CMOV_ENTRY),
	TIMES8(0x48, CMOV_ENTRY),
	[0x54] = PFX(pfx_logic),
	[0x55] = PFX(pfx_logic),
	[0x56] = PFX(pfx_logic),
	[0x57] = PFX(pfx_logic),
	[0x60] = PFX(pfx_packed),
	[0x61] = PFX(pfx_packed),
	[0x62] = PFX(pfx_packed),
	[0x63] = PFX(pfx_packed),
	[0x64] = PFX(pfx_packed),
	[0x65] = PFX(pfx_packed),
	[0x66] = PFX(pfx_packed),
	[0x67] = PFX(pfx_packed),
	[0x68] = PFX(pfx_packed),
	[0x69] = PFX(pfx_packed),
	[0x6a] = PFX(pfx_packed),
	[0x6b] = PFX(pfx_packed),
	[0x6c] = PFX(pfx_quads),
	[0x6d] = PFX(pfx_quads),
	[0x6e] = PFX(pfx_6e),
	[0x6f] = PFX(pfx_6f),
	[0x74] = PFX(pfx_packed),
	[0x75] = PFX(pfx_packed),
	[0x76] = PFX(pfx_packed),
	[0x7e] = PFX(pfx_7e),
	[0x7f] = PFX(pfx_7f),
	TIMES8(0x80, JCC_ENTRY),
	TIMES8(0x88, JCC_ENTRY),
	TIMES8(0x90, SETCC_ENTRY),
	TIMES8(0x98, SETCC_ENTRY),
	[0xa0] = OP(stack_push_seg, 0, 0, 0, F_DEF64),
	[0xa1] = OP(stack_pop_seg, 0, 0, 0, F_DEF64),
	[0xa2] = OP(system_cpuid, 0, 0, 0, 0),
	[0xa3] = OP(bits_bt, 0, Gv, 0, M | F_CMP),
	[0xa4] = OP(shift_shld, Ev, Gv, IM_UB, M),
	[0xa5] = OP(shift_shld, Ev, Gv, 0, M),
	[0xa8] = OP(stack_push_seg, 0, 0, 0, F_DEF64),
	[0xa9] = OP(stack_pop_seg, 0, 0, 0, F_DEF64),
	[0xab] = OP(bits_bts, 0, Gv, 0, M | F_LOCK),
	[0xac] = OP(shift_shrd, Ev, Gv, IM_UB, M),
	[0xad] = OP(shift_shrd, Ev, Gv, 0, M),
	[0xae] = GROUPMOD(group15),
	[0xaf] = OP(muldiv_imul2, Gv, Ev, 0, M),
	[0xb0] = OP(alu_cmpxchg, Eb, Gb, 0, M | F_LOCK),
	[0xb1] = OP(alu_cmpxchg, Ev, Gv, 0, M | F_LOCK),
	[0xb2] = OP(segment_load_far_pointer, 0, 0, 0, M | F_MEM),
	[0xb3] = OP(bits_btr, 0, Gv, 0, M | F_LOCK),
	[0xb4] = OP(segment_load_far_pointer, 0, 0, 0, M | F_MEM),
	[0xb5] = OP(segment_load_far_pointer, 0, 0, 0, M | F_MEM),
	[0xb6] = OP(alu_mov, Gv, Eb, 0, M | F_MOV),
	[0xb7] = OP(alu_mov, Gv, Ew, 0, M | F_MOV),
	[0xb8] = PFX(pfx_b8),
	[0xb9] = UDM,
	[0xba] = GROUP(group8),
	[0xbb] = OP(bits_btc, 0, Gv, 0, M | F_LOCK),
	[0xbc] = PFX(pfx_bc),
	[0xbd] = PFX(pfx_bd),
	[0xbe] = OP(alu_movsx, Gv, Eb, 0, M | F_MOV),
	[0xbf] = OP(alu_movsx, Gv, Ew, 0, M | F_MOV),
	[0xc0] = OP(alu_xadd, Eb, Gb, 0, M | F_LOCK),
	[0xc1] = OP(alu_xadd, Ev, Gv, 0, M | F_LOCK),
	[0xc3] = PFX(pfx_c3),
	[0xc7] = GROUPMOD(group9),
	TIMES8(0xc8, BSWAP_ENTRY),
	[0xd1] = PFX(pfx_packed),
	[0xd2] = PFX(pfx_packed),
	[0xd3] = PFX(pfx_packed),
	[0xd4] = PFX(pfx_packed),
	[0xd5] = PFX(pfx_packed),
	[0xd6] = PFX(pfx_d6),
	[0xd8] = PFX(pfx_packed),
	[0xd9] = PFX(pfx_packed),
	[0xda] = PFX(pfx_packed),
	[0xdb] = PFX(pfx_packed),
	[0xdc] = PFX(pfx_packed),
	[0xdd] = PFX(pfx_packed),
	[0xde] = PFX(pfx_packed),
	[0xdf] = PFX(pfx_packed),
	[0xe0] = PFX(pfx_packed),
	[0xe1] = PFX(pfx_packed),
	[0xe2] = PFX(pfx_packed),
	[0xe3] = PFX(pfx_packed),
	[0xe4] = PFX(pfx_packed),
	[0xe5] = PFX(pfx_packed),
	[0xe7] = PFX(pfx_e7),
	[0xe8] = PFX(pfx_packed),
	[0xe9] = PFX(pfx_packed),
	[0xea] = PFX(pfx_packed),
	[0xeb] = PFX(pfx_packed),
	[0xec] = PFX(pfx_packed),
	[0xed] = PFX(pfx_packed),
	[0xee] = PFX(pfx_packed),
	[0xef] = PFX(pfx_packed),
	[0xf0] = PFX(pfx_f0),
	[0xf1] = PFX(pfx_packed),
	[0xf2] = PFX(pfx_packed),
	[0xf3] = PFX(pfx_packed),
	[0xf4] = PFX(pfx_packed),
	[0xf5] = PFX(pfx_packed),
	[0xf6] = PFX(pfx_packed),
	[0xf8] = PFX(pfx_packed),
	[0xf9] = PFX(pfx_packed),
	[0xfa] = PFX(pfx_packed),
	[0xfb] = PFX(pfx_packed),
	[0xfc] = PFX(pfx_packed),
	[0xfd] = PFX(pfx_packed),
	[0xfe] = PFX(pfx_packed),
	[0xff] = UDM,
};

static const struct x86_opcode pfx_38_2a[4] = {
	UD, OP(sse_load_aligned, 0, 0, 0, F_MEM | VX | F_VEXL2), UD, UD, /* MOVNTDQA */
};

static const struct x86_opcode pfx_38_f0[4] = {
	OP(alu_movbe, Gv, Ev, 0, F_MOV | F_MEM), OP(alu_movbe, Gv, Ev, 0, F_MOV | F_MEM),
	UD, OP(bits_crc32, Gy, Eb, 0, 0),
};

static const struct x86_opcode pfx_38_f1[4] = {
	OP(alu_movbe, Ev, Gv, 0, F_MOV | F_MEM), OP(alu_movbe, Ev, Gv, 0, F_MOV | F_MEM),
	UD, OP(bits_crc32, Gy, Ev, 0, 0),
};

static const struct x86_opcode pfx_38_f9[4] = {
	OP(alu_movdiri, Ey, Gy, 0, F_MOV | F_MEM), NONE, NONE, NONE,
};

const struct x86_opcode x86_opcodes_0f38[256] = {
	[0x2a] = PFX(pfx_38_2a),
	[0xf0] = PFX(pfx_38_f0),
	[0xf1] = PFX(pfx_38_f1),
	[0xf9] = PFX(pfx_38_f9),
};
/* clang-format on */
