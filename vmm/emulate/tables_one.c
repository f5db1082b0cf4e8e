// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The one-byte opcode map and its groups (SDM vol. 2, appendix A, tables ).
 * An entry that is all zero exists on hardware and is not emulated (x87 but loads and stores).
 */
#include "internal.h"
#include "handlers.h"

#define Eb  OPND(K_RM, S_B)
#define Ew  OPND(K_RM, S_W)
#define Ev  OPND(K_RM, S_V)
#define Gb  OPND(K_REG, S_B)
#define Gv  OPND(K_REG, S_V)
#define Zb  OPND(K_OPREG, S_B)
#define Zv  OPND(K_OPREG, S_V)
#define AL  OPND(K_ACC, S_B)
#define rAX OPND(K_ACC, S_V)
#define CL  OPND(K_CL, S_B)
#define I1  OPND(K_ONE, S_B)
#define Ib  OPND(K_IMM, S_B)
#define Iv  OPND(K_IMM, S_V)
#define Ob  OPND(K_MOFFS, S_B)
#define Ov  OPND(K_MOFFS, S_V)

/* clang-format off */
#define OP(f, d, s, i, fl)   { { .fn = f }, fl, d, s, i }
#define GROUP(tab)	     { { .sub = tab }, F_MODRM | F_GROUP, 0, 0, 0 }
#define UD		     { { .fn = control_ud }, F_UNDEF, 0, 0, 0 }
#define NONE		     { { .fn = NULL }, 0, 0, 0, 0 }
#define PREFIX		     { { .fn = control_ud }, F_PREFIX, 0, 0, 0 }
#define M		     F_MODRM

static const struct x86_opcode group1_eb_ib[8] = {
	OP(alu_add, Eb, Ib, IM_B, F_LOCK), OP(alu_or, Eb, Ib, IM_B, F_LOCK),
	OP(alu_adc, Eb, Ib, IM_B, F_LOCK), OP(alu_sbb, Eb, Ib, IM_B, F_LOCK),
	OP(alu_and, Eb, Ib, IM_B, F_LOCK), OP(alu_sub, Eb, Ib, IM_B, F_LOCK),
	OP(alu_xor, Eb, Ib, IM_B, F_LOCK), OP(alu_sub, Eb, Ib, IM_B, F_CMP),
};

/* 82: the same, outside 64-bit code only. */
static const struct x86_opcode group1_82[8] = {
	OP(alu_add, Eb, Ib, IM_B, F_LOCK | F_NO64), OP(alu_or, Eb, Ib, IM_B, F_LOCK | F_NO64),
	OP(alu_adc, Eb, Ib, IM_B, F_LOCK | F_NO64), OP(alu_sbb, Eb, Ib, IM_B, F_LOCK | F_NO64),
	OP(alu_and, Eb, Ib, IM_B, F_LOCK | F_NO64), OP(alu_sub, Eb, Ib, IM_B, F_LOCK | F_NO64),
	OP(alu_xor, Eb, Ib, IM_B, F_LOCK | F_NO64), OP(alu_sub, Eb, Ib, IM_B, F_CMP | F_NO64),
};

static const struct x86_opcode group1_ev_iz[8] = {
	OP(alu_add, Ev, Iv, IM_Z, F_LOCK), OP(alu_or, Ev, Iv, IM_Z, F_LOCK),
	OP(alu_adc, Ev, Iv, IM_Z, F_LOCK), OP(alu_sbb, Ev, Iv, IM_Z, F_LOCK),
	OP(alu_and, Ev, Iv, IM_Z, F_LOCK), OP(alu_sub, Ev, Iv, IM_Z, F_LOCK),
	OP(alu_xor, Ev, Iv, IM_Z, F_LOCK), OP(alu_sub, Ev, Iv, IM_Z, F_CMP),
};

static const struct x86_opcode group1_ev_ib[8] = {
	OP(alu_add, Ev, Iv, IM_B, F_LOCK), OP(alu_or, Ev, Iv, IM_B, F_LOCK),
	OP(alu_adc, Ev, Iv, IM_B, F_LOCK), OP(alu_sbb, Ev, Iv, IM_B, F_LOCK),
	OP(alu_and, Ev, Iv, IM_B, F_LOCK), OP(alu_sub, Ev, Iv, IM_B, F_LOCK),
	OP(alu_xor, Ev, Iv, IM_B, F_LOCK), OP(alu_sub, Ev, Iv, IM_B, F_CMP),
};

/* /1-/7 begin an XOP instruction, which is not emulated. */
static const struct x86_opcode group1a[8] = {
	OP(stack_pop_rm, 0, 0, 0, F_DEF64), NONE, NONE, NONE, NONE, NONE, NONE, NONE,
};

/* /6 is an undocumented SHL. */
#define SHIFT_GROUP(name, dst, src, imm)                                                   \
	static const struct x86_opcode name[8] = {                                         \
		OP(shift_rol, dst, src, imm, 0), OP(shift_ror, dst, src, imm, 0),          \
		OP(shift_rcl, dst, src, imm, 0), OP(shift_rcr, dst, src, imm, 0),          \
		OP(shift_shl, dst, src, imm, 0), OP(shift_shr, dst, src, imm, 0),          \
		OP(shift_shl, dst, src, imm, 0), OP(shift_sar, dst, src, imm, 0),          \
	}

SHIFT_GROUP(group2_eb_ib, Eb, Ib, IM_UB);
SHIFT_GROUP(group2_ev_ib, Ev, Ib, IM_UB);
SHIFT_GROUP(group2_eb_1, Eb, I1, IM_NONE);
SHIFT_GROUP(group2_ev_1, Ev, I1, IM_NONE);
SHIFT_GROUP(group2_eb_cl, Eb, CL, IM_NONE);
SHIFT_GROUP(group2_ev_cl, Ev, CL, IM_NONE);

/* /1 is an undocumented TEST. */
static const struct x86_opcode group3_eb[8] = {
	OP(alu_and, Eb, Ib, IM_B, F_CMP), OP(alu_and, Eb, Ib, IM_B, F_CMP),
	OP(alu_not, Eb, 0, 0, F_LOCK),	  OP(alu_neg, Eb, 0, 0, F_LOCK),
	OP(muldiv_mul, 0, Eb, 0, 0),	  OP(muldiv_imul, 0, Eb, 0, 0),
	OP(muldiv_div, 0, Eb, 0, 0),	  OP(muldiv_idiv, 0, Eb, 0, 0),
};

static const struct x86_opcode group3_ev[8] = {
	OP(alu_and, Ev, Iv, IM_Z, F_CMP), OP(alu_and, Ev, Iv, IM_Z, F_CMP),
	OP(alu_not, Ev, 0, 0, F_LOCK),	  OP(alu_neg, Ev, 0, 0, F_LOCK),
	OP(muldiv_mul, 0, Ev, 0, 0),	  OP(muldiv_imul, 0, Ev, 0, 0),
	OP(muldiv_div, 0, Ev, 0, 0),	  OP(muldiv_idiv, 0, Ev, 0, 0),
};

static const struct x86_opcode group4[8] = {
	OP(alu_inc, Eb, 0, 0, F_LOCK), OP(alu_dec, Eb, 0, 0, F_LOCK), UD, UD, UD, UD, UD, UD,
};

static const struct x86_opcode group5[8] = {
	OP(alu_inc, Ev, 0, 0, F_LOCK),
	OP(alu_dec, Ev, 0, 0, F_LOCK),
	OP(control_call_rm, 0, Ev, 0, F_BRANCH),
	OP(far_call_mem, 0, 0, 0, F_MEM),
	OP(control_jmp_rm, 0, Ev, 0, F_BRANCH),
	OP(far_jmp_mem, 0, 0, 0, F_MEM),
	OP(stack_push, 0, Ev, 0, F_DEF64),
	UD,
};

static const struct x86_opcode group11_eb[8] = {
	OP(alu_mov, Eb, Ib, IM_B, F_MOV), UD, UD, UD, UD, UD, UD, NONE, /* XABORT */
};

static const struct x86_opcode group11_ev[8] = {
	OP(alu_mov, Ev, Iv, IM_Z, F_MOV), UD, UD, UD, UD, UD, UD, NONE, /* XBEGIN */
};

/* MOV from and to segment registers: ES, CS, SS, DS, FS, GS; CS cannot be loaded. */
#define MOV_FROM OP(segment_mov_from, 0, 0, 0, 0)
#define MOV_TO	 OP(segment_mov_to, 0, Ew, 0, 0)

static const struct x86_opcode segment_from[8] = {
	MOV_FROM, MOV_FROM, MOV_FROM, MOV_FROM, MOV_FROM, MOV_FROM, UD, UD,
};

static const struct x86_opcode segment_to[8] = {
	MOV_TO, UD, MOV_TO, MOV_TO, MOV_TO, MOV_TO, UD, UD,
};

/* The six forms of a two-operand instruction at b to b+5. */
#define ALU(b, f, lock, keep)                                                              \
	[(b) + 0] = OP(f, Eb, Gb, 0, M | (lock) | (keep)),                                 \
	[(b) + 1] = OP(f, Ev, Gv, 0, M | (lock) | (keep)),                                 \
	[(b) + 2] = OP(f, Gb, Eb, 0, M | (keep)),                                          \
	[(b) + 3] = OP(f, Gv, Ev, 0, M | (keep)),                                          \
	[(b) + 4] = OP(f, AL, Ib, IM_B, keep),                                             \
	[(b) + 5] = OP(f, rAX, Iv, IM_Z, keep)

#define TIMES8(b, e)                                                                       \
	[(b) + 0] = e, [(b) + 1] = e, [(b) + 2] = e, [(b) + 3] = e,                        \
	[(b) + 4] = e, [(b) + 5] = e, [(b) + 6] = e, [(b) + 7] = e

#define INC_ENTRY  OP(alu_inc, Zv, 0, 0, F_REX)
#define DEC_ENTRY  OP(alu_dec, Zv, 0, 0, F_REX)
#define PUSH_ENTRY OP(stack_push, 0, Zv, 0, F_DEF64)
#define POP_ENTRY  OP(stack_pop_reg, Zv, 0, 0, F_MOV | F_DEF64)
#define JCC_ENTRY  OP(control_jcc, 0, 0, IM_B, F_BRANCH)
#define XCHG_ENTRY OP(alu_xchg, Zv, rAX, 0, 0)
#define MOVB_ENTRY OP(alu_mov, Zb, Ib, IM_B, F_MOV)
#define MOVV_ENTRY OP(alu_mov, Zv, Iv, IM_V, F_MOV)
#define X87_ENTRY  { { .fn = NULL }, F_MODRM, 0, 0, 0 }
#define GROUPMOD(tab) { { .sub = tab }, F_MODRM | F_GROUPMOD, 0, 0, 0 }
#define X87_NONE   { { .fn = NULL }, 0, 0, 0, 0 }
#define X87_LOAD   OP(x87_load, 0, 0, 0, 0)
#define X87_STORE  OP(x87_store, 0, 0, 0, 0)
#define X87_REGS   X87_NONE, X87_NONE, X87_NONE, X87_NONE, X87_NONE, X87_NONE, X87_NONE, X87_NONE

static const struct x86_opcode x87_d9[16] = {
	X87_LOAD, X87_NONE, X87_STORE, X87_STORE, X87_NONE, X87_NONE, X87_NONE, X87_NONE, X87_REGS,
};

static const struct x86_opcode x87_db[16] = {
	X87_LOAD, X87_STORE, X87_STORE, X87_STORE, X87_NONE, X87_LOAD, X87_NONE, X87_STORE, X87_REGS,
};

static const struct x86_opcode x87_dd[16] = {
	X87_LOAD, X87_STORE, X87_STORE, X87_STORE, X87_NONE, X87_NONE, X87_NONE, X87_NONE, X87_REGS,
};

static const struct x86_opcode x87_df[16] = {
	X87_LOAD, X87_STORE, X87_STORE, X87_STORE, X87_NONE, X87_LOAD, X87_NONE, X87_STORE, X87_REGS,
};

const struct x86_opcode x86_opcodes_one[256] = {
	ALU(0x00, alu_add, F_LOCK, 0),
	ALU(0x08, alu_or, F_LOCK, 0),
	ALU(0x10, alu_adc, F_LOCK, 0),
	ALU(0x18, alu_sbb, F_LOCK, 0),
	ALU(0x20, alu_and, F_LOCK, 0),
	ALU(0x28, alu_sub, F_LOCK, 0),
	ALU(0x30, alu_xor, F_LOCK, 0),
	ALU(0x38, alu_sub, 0, F_CMP),
	[0x06] = OP(stack_push_seg, 0, 0, 0, F_NO64),
	[0x07] = OP(stack_pop_seg, 0, 0, 0, F_NO64),
	[0x0e] = OP(stack_push_seg, 0, 0, 0, F_NO64),
	[0x0f] = OP(control_ud, 0, 0, 0, F_ESCAPE),
	[0x16] = OP(stack_push_seg, 0, 0, 0, F_NO64),
	[0x17] = OP(stack_pop_seg, 0, 0, 0, F_NO64),
	[0x1e] = OP(stack_push_seg, 0, 0, 0, F_NO64),
	[0x1f] = OP(stack_pop_seg, 0, 0, 0, F_NO64),
	[0x26] = PREFIX,
	[0x27] = OP(bcd_daa, 0, 0, 0, F_NO64),
	[0x2e] = PREFIX,
	[0x2f] = OP(bcd_das, 0, 0, 0, F_NO64),
	[0x36] = PREFIX,
	[0x37] = OP(bcd_aaa, 0, 0, 0, F_NO64),
	[0x3e] = PREFIX,
	[0x3f] = OP(bcd_aas, 0, 0, 0, F_NO64),
	TIMES8(0x40, INC_ENTRY),
	TIMES8(0x48, DEC_ENTRY),
	TIMES8(0x50, PUSH_ENTRY),
	TIMES8(0x58, POP_ENTRY),
	[0x60] = OP(stack_pusha, 0, 0, 0, F_NO64),
	[0x61] = OP(stack_popa, 0, 0, 0, F_NO64),
	[0x62] = OP(control_bound, 0, 0, 0, M | F_NO64 | F_MEM | F_ESCAPE), /* or EVEX */
	[0x63] = OP(alu_movsxd, 0, 0, 0, M),
	[0x64] = PREFIX,
	[0x65] = PREFIX,
	[0x66] = PREFIX,
	[0x67] = PREFIX,
	[0x68] = OP(stack_push_imm, 0, 0, IM_Z, F_DEF64),
	[0x69] = OP(muldiv_imul3, Gv, Ev, IM_Z, M | F_MOV),
	[0x6a] = OP(stack_push_imm, 0, 0, IM_B, F_DEF64),
	[0x6b] = OP(muldiv_imul3, Gv, Ev, IM_B, M | F_MOV),
	[0x6c] = OP(string_ins, 0, 0, 0, 0),
	[0x6d] = OP(string_ins, 0, 0, 0, 0),
	[0x6e] = OP(string_outs, 0, 0, 0, 0),
	[0x6f] = OP(string_outs, 0, 0, 0, 0),
	TIMES8(0x70, JCC_ENTRY),
	TIMES8(0x78, JCC_ENTRY),
	[0x80] = GROUP(group1_eb_ib),
	[0x81] = GROUP(group1_ev_iz),
	[0x82] = GROUP(group1_82),
	[0x83] = GROUP(group1_ev_ib),
	[0x84] = OP(alu_and, Eb, Gb, 0, M | F_CMP),
	[0x85] = OP(alu_and, Ev, Gv, 0, M | F_CMP),
	[0x86] = OP(alu_xchg, Eb, Gb, 0, M | F_LOCK | F_XLOCK),
	[0x87] = OP(alu_xchg, Ev, Gv, 0, M | F_LOCK | F_XLOCK),
	[0x88] = OP(alu_mov, Eb, Gb, 0, M | F_MOV),
	[0x89] = OP(alu_mov, Ev, Gv, 0, M | F_MOV),
	[0x8a] = OP(alu_mov, Gb, Eb, 0, M | F_MOV),
	[0x8b] = OP(alu_mov, Gv, Ev, 0, M | F_MOV),
	[0x8c] = GROUP(segment_from),
	[0x8d] = OP(alu_lea, Gv, 0, 0, M | F_MOV | F_MEM),
	[0x8e] = GROUP(segment_to),
	[0x8f] = GROUP(group1a),
	[0x90] = OP(alu_nop_xchg, Zv, rAX, 0, 0),
	[0x91] = XCHG_ENTRY,
	[0x92] = XCHG_ENTRY,
	[0x93] = XCHG_ENTRY,
	[0x94] = XCHG_ENTRY,
	[0x95] = XCHG_ENTRY,
	[0x96] = XCHG_ENTRY,
	[0x97] = XCHG_ENTRY,
	[0x98] = OP(alu_cbw, rAX, 0, 0, 0),
	[0x99] = OP(alu_cwd, 0, rAX, 0, 0),
	[0x9a] = OP(far_call_imm, 0, 0, IM_FAR, F_NO64),
	[0x9b] = OP(system_wait, 0, 0, 0, 0),
	[0x9c] = OP(flags_pushf, 0, 0, 0, F_DEF64),
	[0x9d] = OP(flags_popf, 0, 0, 0, F_DEF64),
	[0x9e] = OP(flags_sahf, 0, 0, 0, 0),
	[0x9f] = OP(flags_lahf, 0, 0, 0, 0),
	[0xa0] = OP(alu_mov, AL, Ob, IM_MOFFS, F_MOV),
	[0xa1] = OP(alu_mov, rAX, Ov, IM_MOFFS, F_MOV),
	[0xa2] = OP(alu_mov, Ob, AL, IM_MOFFS, F_MOV),
	[0xa3] = OP(alu_mov, Ov, rAX, IM_MOFFS, F_MOV),
	[0xa4] = OP(string_movs, 0, 0, 0, 0),
	[0xa5] = OP(string_movs, 0, 0, 0, 0),
	[0xa6] = OP(string_cmps, 0, 0, 0, 0),
	[0xa7] = OP(string_cmps, 0, 0, 0, 0),
	[0xa8] = OP(alu_and, AL, Ib, IM_B, F_CMP),
	[0xa9] = OP(alu_and, rAX, Iv, IM_Z, F_CMP),
	[0xaa] = OP(string_stos, 0, 0, 0, 0),
	[0xab] = OP(string_stos, 0, 0, 0, 0),
	[0xac] = OP(string_lods, 0, 0, 0, 0),
	[0xad] = OP(string_lods, 0, 0, 0, 0),
	[0xae] = OP(string_scas, 0, 0, 0, 0),
	[0xaf] = OP(string_scas, 0, 0, 0, 0),
	TIMES8(0xb0, MOVB_ENTRY),
	TIMES8(0xb8, MOVV_ENTRY),
	[0xc0] = GROUP(group2_eb_ib),
	[0xc1] = GROUP(group2_ev_ib),
	[0xc2] = OP(control_ret, 0, 0, IM_W, F_BRANCH),
	[0xc3] = OP(control_ret, 0, 0, 0, F_BRANCH),
	[0xc4] = OP(segment_load_far_pointer, 0, 0, 0, M | F_NO64 | F_MEM | F_ESCAPE),
	[0xc5] = OP(segment_load_far_pointer, 0, 0, 0, M | F_NO64 | F_MEM | F_ESCAPE),
	[0xc6] = GROUP(group11_eb),
	[0xc7] = GROUP(group11_ev),
	[0xc8] = OP(stack_enter, 0, 0, IM_ENTER, F_DEF64),
	[0xc9] = OP(stack_leave, 0, 0, 0, F_DEF64),
	[0xca] = OP(far_ret, 0, 0, IM_W, 0),
	[0xcb] = OP(far_ret, 0, 0, 0, 0),
	[0xcc] = OP(control_int3, 0, 0, 0, 0),
	[0xcd] = OP(control_int, 0, 0, IM_UB, 0),
	[0xce] = OP(control_into, 0, 0, 0, F_NO64),
	[0xcf] = OP(far_iret, 0, 0, 0, 0),
	[0xd0] = GROUP(group2_eb_1),
	[0xd1] = GROUP(group2_ev_1),
	[0xd2] = GROUP(group2_eb_cl),
	[0xd3] = GROUP(group2_ev_cl),
	[0xd4] = OP(bcd_aam, 0, 0, IM_UB, F_NO64),
	[0xd5] = OP(bcd_aad, 0, 0, IM_UB, F_NO64),
	[0xd6] = OP(flags_salc, 0, 0, 0, F_NO64),
	[0xd7] = OP(alu_xlat, 0, 0, 0, 0),
	[0xd8] = X87_ENTRY,
	[0xd9] = GROUPMOD(x87_d9),
	[0xda] = X87_ENTRY,
	[0xdb] = GROUPMOD(x87_db),
	[0xdc] = X87_ENTRY,
	[0xdd] = GROUPMOD(x87_dd),
	[0xde] = X87_ENTRY,
	[0xdf] = GROUPMOD(x87_df),
	[0xe0] = OP(control_loop, 0, 0, IM_B, F_BRANCH),
	[0xe1] = OP(control_loop, 0, 0, IM_B, F_BRANCH),
	[0xe2] = OP(control_loop, 0, 0, IM_B, F_BRANCH),
	[0xe3] = OP(control_jcxz, 0, 0, IM_B, F_BRANCH),
	[0xe4] = OP(io_in, 0, 0, IM_UB, 0),
	[0xe5] = OP(io_in, 0, 0, IM_UB, 0),
	[0xe6] = OP(io_out, 0, 0, IM_UB, 0),
	[0xe7] = OP(io_out, 0, 0, IM_UB, 0),
	[0xe8] = OP(control_call, 0, 0, IM_Z, F_BRANCH),
	[0xe9] = OP(control_jmp, 0, 0, IM_Z, F_BRANCH),
	[0xea] = OP(far_jmp_imm, 0, 0, IM_FAR, F_NO64),
	[0xeb] = OP(control_jmp, 0, 0, IM_B, F_BRANCH),
	[0xec] = OP(io_in, 0, 0, 0, 0),
	[0xed] = OP(io_in, 0, 0, 0, 0),
	[0xee] = OP(io_out, 0, 0, 0, 0),
	[0xef] = OP(io_out, 0, 0, 0, 0),
	[0xf0] = PREFIX,
	[0xf1] = OP(control_icebp, 0, 0, 0, 0),
	[0xf2] = PREFIX,
	[0xf3] = PREFIX,
	[0xf4] = OP(system_hlt, 0, 0, 0, F_PRIV),
	[0xf5] = OP(flags_cmc, 0, 0, 0, 0),
	[0xf6] = GROUP(group3_eb),
	[0xf7] = GROUP(group3_ev),
	[0xf8] = OP(flags_clc, 0, 0, 0, 0),
	[0xf9] = OP(flags_stc, 0, 0, 0, 0),
	[0xfa] = OP(flags_cli, 0, 0, 0, 0),
	[0xfb] = OP(flags_sti, 0, 0, 0, 0),
	[0xfc] = OP(flags_cld, 0, 0, 0, 0),
	[0xfd] = OP(flags_std, 0, 0, 0, 0),
	[0xfe] = GROUP(group4),
	[0xff] = GROUP(group5),
};
/* clang-format on */
