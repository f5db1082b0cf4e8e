/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The instruction handlers that the opcode tables name, and what the handlers' files share. A
 * handler returns enum x86_emulate_result; it leaves its result in dst.val, the pending state, or
 * through ops.
 */
#ifndef PLINTH_EMULATE_HANDLERS_H
#define PLINTH_EMULATE_HANDLERS_H

#include "internal.h"

/* alu.c: flags of a - b, for CMPS and SCAS. */
void alu_compare(struct x86_emul *s, uint64_t a, uint64_t b, unsigned int bytes);
/* flags.c: which RFLAGS bits POPF and IRET may write. */
uint64_t flags_writable(const struct x86_emul *s, unsigned int bytes);
/* segment.c: a 16-bit result to memory, or zero-extended to a register. */
int segment_store_word(struct x86_emul *s, uint16_t val);

/* alu.c */
x86_handler alu_add;
x86_handler alu_adc;
x86_handler alu_sub;
x86_handler alu_sbb;
x86_handler alu_and;
x86_handler alu_or;
x86_handler alu_xor;
x86_handler alu_inc;
x86_handler alu_dec;
x86_handler alu_neg;
x86_handler alu_not;
x86_handler alu_mov;
x86_handler alu_movsx;
x86_handler alu_movsxd;
x86_handler alu_lea;
x86_handler alu_xchg;
x86_handler alu_nop_xchg;
x86_handler alu_nop;
x86_handler alu_xadd;
x86_handler alu_cmpxchg;
x86_handler alu_cmpxchg8b;
x86_handler alu_setcc;
x86_handler alu_cmovcc;
x86_handler alu_cbw;
x86_handler alu_cwd;
x86_handler alu_bswap;
x86_handler alu_movbe;
x86_handler alu_movdiri;
x86_handler alu_xlat;

/* shift.c */
x86_handler shift_rol;
x86_handler shift_ror;
x86_handler shift_rcl;
x86_handler shift_rcr;
x86_handler shift_shl;
x86_handler shift_shr;
x86_handler shift_sar;
x86_handler shift_shld;
x86_handler shift_shrd;

/* muldiv.c */
x86_handler muldiv_mul;
x86_handler muldiv_imul;
x86_handler muldiv_imul2;
x86_handler muldiv_imul3;
x86_handler muldiv_div;
x86_handler muldiv_idiv;

/* bits.c */
x86_handler bits_bt;
x86_handler bits_bts;
x86_handler bits_btr;
x86_handler bits_btc;
x86_handler bits_bsf;
x86_handler bits_bsr;
x86_handler bits_tzcnt;
x86_handler bits_lzcnt;
x86_handler bits_popcnt;
x86_handler bits_crc32;

/* bcd.c */
x86_handler bcd_daa;
x86_handler bcd_das;
x86_handler bcd_aaa;
x86_handler bcd_aas;
x86_handler bcd_aam;
x86_handler bcd_aad;

/* flags.c */
x86_handler flags_cmc;
x86_handler flags_clc;
x86_handler flags_stc;
x86_handler flags_cld;
x86_handler flags_std;
x86_handler flags_cli;
x86_handler flags_sti;
x86_handler flags_lahf;
x86_handler flags_sahf;
x86_handler flags_salc;
x86_handler flags_clac;
x86_handler flags_pushf;
x86_handler flags_popf;

/* stack.c */
x86_handler stack_push;
x86_handler stack_push_imm;
x86_handler stack_pop_reg;
x86_handler stack_pop_rm;
x86_handler stack_push_seg;
x86_handler stack_pop_seg;
x86_handler stack_pusha;
x86_handler stack_popa;
x86_handler stack_enter;
x86_handler stack_leave;

/* control.c */
x86_handler control_jcc;
x86_handler control_jmp;
x86_handler control_jmp_rm;
x86_handler control_call;
x86_handler control_call_rm;
x86_handler control_ret;
x86_handler control_loop;
x86_handler control_jcxz;
x86_handler control_int;
x86_handler control_int3;
x86_handler control_into;
x86_handler control_icebp;
x86_handler control_ud;
x86_handler control_bound;

/* far.c */
x86_handler far_jmp_imm;
x86_handler far_call_imm;
x86_handler far_jmp_mem;
x86_handler far_call_mem;
x86_handler far_ret;
x86_handler far_iret;

/* segment.c */
x86_handler segment_mov_to;
x86_handler segment_mov_from;
x86_handler segment_load_far_pointer;
x86_handler segment_lldt;
x86_handler segment_ltr;

/* selector.c */
x86_handler selector_lar;
x86_handler selector_lsl;
x86_handler selector_verr;
x86_handler selector_verw;
x86_handler selector_arpl;

/* string.c */
x86_handler string_movs;
x86_handler string_stos;
x86_handler string_lods;
x86_handler string_cmps;
x86_handler string_scas;
x86_handler string_ins;
x86_handler string_outs;

/* io.c */
x86_handler io_in;
x86_handler io_out;

/* system.c */
x86_handler system_mov_from_cr;
x86_handler system_mov_to_cr;
x86_handler system_mov_from_dr;
x86_handler system_mov_to_dr;
x86_handler system_lmsw;
x86_handler system_smsw;
x86_handler system_clts;
x86_handler system_sgdt;
x86_handler system_sidt;
x86_handler system_lgdt;
x86_handler system_lidt;
x86_handler system_sldt;
x86_handler system_str;
x86_handler system_invlpg;
x86_handler system_invd;
x86_handler system_wbinvd;
x86_handler system_hlt;
x86_handler system_cpuid;
x86_handler system_rdmsr;
x86_handler system_wrmsr;
x86_handler system_rdtsc;
x86_handler system_rdtscp;
x86_handler system_rdpid;
x86_handler system_xgetbv;
x86_handler system_xsetbv;
x86_handler system_swapgs;
x86_handler system_fsgsbase;
x86_handler system_vmcall;
x86_handler system_vmmcall;
x86_handler system_prefetch;
x86_handler system_wait;

/* syscall.c */
x86_handler system_syscall;
x86_handler system_sysret;
x86_handler system_sysenter;
x86_handler system_sysexit;

/* sse.c */
x86_handler sse_load;
x86_handler sse_load_aligned;
x86_handler sse_store;
x86_handler sse_store_aligned;
x86_handler sse_movss_load;
x86_handler sse_movss_store;
x86_handler sse_movsd_load;
x86_handler sse_movsd_store;
x86_handler sse_movq_load;
x86_handler sse_movq_store;
x86_handler sse_half_load;
x86_handler sse_half_store;
x86_handler sse_movd_load;
x86_handler sse_movd_store;
x86_handler sse_mmx_load;
x86_handler sse_mmx_store;

/* x87.c */
x86_handler x87_load;
x86_handler x87_store;

/* sse_packed.c */
x86_handler sse_packed;
x86_handler sse_logic;

#endif
