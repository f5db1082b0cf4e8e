/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the emulator's files share: table entries, the state of one emulation, and the helpers that
 * handlers are written with. Not for users of the emulator: they include x86_emulate.h.
 */
#ifndef PLINTH_EMULATE_INTERNAL_H
#define PLINTH_EMULATE_INTERNAL_H

#include "lib/x86_msr.h"
#include "x86_emulate.h"

#define EM_LIKELY(x)	 __builtin_expect(!!(x), 1)
#define EM_UNLIKELY(x)	 __builtin_expect(!!(x), 0)
#define em_copy(d, s, n) __builtin_memcpy(d, s, n)
#define em_zero(d, n)	 __builtin_memset(d, 0, n)

#define FL_ARITH                                                                         \
	(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | X86_EFLAGS_ZF | X86_EFLAGS_SF | \
	 X86_EFLAGS_OF)

/* Table entries: what an opcode's operands are, what is legal, who does it. */
enum operand_kind {
	K_NONE,
	K_RM,	 /* ModRM register or memory */
	K_REG,	 /* ModRM.reg */
	K_OPREG, /* low three bits of the opcode, with REX.B */
	K_ACC,	 /* rAX */
	K_CL,
	K_ONE,
	K_IMM,
	K_MOFFS,
};

enum operand_size {
	S_B,
	S_W,
	S_D,
	S_Q,
	S_V, /* 2, 4 or 8: operand size */
	S_Y, /* 8 with REX.W, else 4 */
};

#define OPND(kind, size) ((kind) << 4 | (size))

enum imm_kind {
	IM_NONE,
	IM_B,	  /* 8 bits, sign-extended */
	IM_UB,	  /* 8 bits */
	IM_W,	  /* 16 bits */
	IM_Z,	  /* 16 or 32 bits, sign-extended */
	IM_V,	  /* 16, 32 or 64 bits */
	IM_FAR,	  /* offset 16 or 32 bits, then selector */
	IM_ENTER, /* 16 bits, then 8 bits (into .sel) */
	IM_MOFFS, /* address size: becomes the effective address */
};

#define F_MODRM	   (1U << 0)
#define F_LOCK	   (1U << 1) /* LOCK allowed when the destination is memory */
#define F_MOV	   (1U << 2) /* destination is not read */
#define F_CMP	   (1U << 3) /* destination is not written */
#define F_NO64	   (1U << 4)
#define F_ONLY64   (1U << 5)
#define F_DEF64	   (1U << 6)  /* 64-bit operand size is the default in 64-bit code */
#define F_BRANCH   (1U << 7)  /* near branch: as F_DEF64, and Intel ignores 66 in 64-bit code */
#define F_PRIV	   (1U << 8)  /* CPL 0 */
#define F_PROT	   (1U << 9)  /* #UD in real and VM86 mode */
#define F_MEM	   (1U << 10) /* #UD unless ModRM names memory */
#define F_REG	   (1U << 11) /* #UD unless ModRM names a register */
#define F_MODREG   (1U << 12) /* ModRM.mod is ignored, always a register */
#define F_GROUP	   (1U << 13) /* sub[ModRM.reg] */
#define F_GROUPMOD (1U << 14) /* sub[ModRM.reg], +8 when mod = 3 */
#define F_GROUPRM  (1U << 15) /* sub[ModRM.rm] */
#define F_PFX	   (1U << 16) /* sub[none, 66, F3, F2] */
#define F_PREFIX   (1U << 17)
#define F_REX	   (1U << 18) /* a REX prefix in 64-bit code */
#define F_ESCAPE   (1U << 19) /* 0F, or VEX when it is one */
#define F_UNDEF	   (1U << 20) /* #UD */
#define F_VEX	   (1U << 21) /* also with a VEX prefix, 128 bits */
#define F_VEXL	   (1U << 22) /* also 256 bits */
#define F_XLOCK	   (1U << 23) /* memory destination is locked without a prefix (XCHG) */
#define F_NOLOCKUD (1U << 24) /* the handler judges LOCK (MOV CR) */
#define F_VEXMEM   (1U << 25) /* VEX only with a memory operand; the other form has three operands */
#define F_VEX3	   (1U << 26) /* the VEX form has a first operand of its own, in vvvv */
#define F_VEXL2	   (1U << 27) /* 256 bits only with AVX2 */
#define F_INDIRECT (F_GROUP | F_GROUPMOD | F_GROUPRM | F_PFX)

struct x86_emul;
typedef int x86_handler(struct x86_emul *s);

struct x86_opcode {
	union {
		x86_handler *fn; /* NULL: exists, but is not emulated */
		const struct x86_opcode *sub;
	};
	uint32_t flags;
	uint8_t dst, src; /* OPND() */
	uint8_t imm;	  /* enum imm_kind */
};

extern const struct x86_opcode x86_opcodes_one[256];
extern const struct x86_opcode x86_opcodes_0f[256];
extern const struct x86_opcode x86_opcodes_0f38[256];

enum { OPK_NONE, OPK_REG, OPK_MEM, OPK_IMM };

struct x86_operand {
	uint8_t kind, bytes, reg;
	uint64_t lin; /* OPK_MEM: checked linear address */
	uint64_t orig, val;
};

struct x86_emul {
	struct x86_emulate_ctxt *ctxt;
	const struct x86_emulate_ops *ops;
	struct x86_regs *regs;
	struct x86_insn insn;
	struct x86_operand dst, src;
	/* Become architectural when the instruction retires. */
	uint64_t rip, rflags, rsp;
	bool rsp_dirty;
	bool far_code64;     /* the next instruction is 64-bit code, whatever this one is */
	bool trap_by_new_tf; /* a single step by the flags that it leaves, not those it found */
	uint8_t defer_bytes, defer_reg; /* a second register result (XCHG, XADD, CMPXCHG) */
	uint64_t defer_val;
};

static inline bool em_mode64(const struct x86_emulate_ctxt *ctxt)
{
	return ctxt->code_bits == 64;
}

static inline bool em_protected(const struct x86_emulate_ctxt *ctxt)
{
	return ctxt->mode >= X86_MODE_PROT;
}

static inline bool em_long_mode(const struct x86_emulate_ctxt *ctxt)
{
	return ctxt->mode == X86_MODE_LONG;
}

/* Is that code of 64 bits? */
static inline bool em_code64(const struct x86_emulate_ctxt *ctxt, const struct x86_segment *cs)
{
	return em_long_mode(ctxt) && cs->attr & X86_ATTR_L;
}

static inline uint64_t em_mask(unsigned int bytes)
{
	return ~0ULL >> (64 - 8 * bytes);
}

static inline int64_t em_sext(uint64_t v, unsigned int bytes)
{
	unsigned int shift = 64 - 8 * bytes;

	return (int64_t)(v << shift) >> shift;
}

static inline uint64_t em_sign_bit(unsigned int bytes)
{
	return 1ULL << (8 * bytes - 1);
}

static inline bool em_canonical(const struct x86_emulate_ctxt *ctxt, uint64_t va)
{
	unsigned int shift = 64 - (ctxt->va_bits ? ctxt->va_bits : 48);

	return (uint64_t)((int64_t)(va << shift) >> shift) == va;
}

/* A byte register 4-7 without REX is AH, CH, DH, BH. */
static inline uint64_t em_reg_read(const struct x86_emul *s, unsigned int reg, unsigned int bytes)
{
	if (bytes == 1 && reg >= 4 && reg < 8 && !s->insn.rex)
		return (s->regs->gpr[reg - 4] >> 8) & 0xff;
	return s->regs->gpr[reg] & em_mask(bytes);
}

static inline void em_merge(uint64_t *reg, uint64_t val, unsigned int bytes)
{
	if (bytes >= 4)
		*reg = val & em_mask(bytes);
	else
		*reg = (*reg & ~em_mask(bytes)) | (val & em_mask(bytes));
}

static inline void em_reg_write(struct x86_emul *s, unsigned int reg, uint64_t val,
				unsigned int bytes)
{
	uint64_t *r;

	if (bytes == 1 && reg >= 4 && reg < 8 && !s->insn.rex) {
		r = &s->regs->gpr[reg - 4];
		*r = (*r & ~0xff00ULL) | (val & 0xff) << 8;
		return;
	}
	em_merge(&s->regs->gpr[reg], val, bytes);
}

/* Exceptions; all return X86EMUL_EXCEPTION. */
static inline int em_ud(struct x86_emul *s)
{
	return x86_emulate_exception(s->ctxt, X86_EXC_UD, false, 0);
}

static inline int em_fault(struct x86_emul *s, unsigned int vector, uint32_t error_code)
{
	return x86_emulate_exception(s->ctxt, vector, s->ctxt->mode != X86_MODE_REAL, error_code);
}

static inline int em_gp(struct x86_emul *s)
{
	return em_fault(s, X86_EXC_GP, 0);
}

/* ea.c: segmentation and memory. `acc` is X86_ACC_*. */
int em_linear(struct x86_emul *s, enum x86_seg seg, uint64_t off, uint64_t bytes, unsigned int acc,
	      uint64_t *lin);
int em_segment(struct x86_emul *s, enum x86_seg seg, struct x86_segment *out);
int em_read(struct x86_emul *s, enum x86_seg seg, uint64_t off, void *buf, unsigned int bytes,
	    unsigned int acc);
int em_write(struct x86_emul *s, enum x86_seg seg, uint64_t off, const void *buf,
	     unsigned int bytes, unsigned int acc);
int em_read_val(struct x86_emul *s, enum x86_seg seg, uint64_t off, uint64_t *val,
		unsigned int bytes);
int em_push(struct x86_emul *s, uint64_t val, unsigned int bytes);
int em_pop(struct x86_emul *s, uint64_t *val, unsigned int bytes);
void em_rsp_set(struct x86_emul *s, uint64_t rsp);
void em_rsp_commit(struct x86_emul *s);
int em_branch(struct x86_emul *s, uint64_t target);
int em_write_locked(struct x86_emul *s, const void *old, const void *val, unsigned int bytes,
		    bool lock);

/* emulate.c */
int em_cr(struct x86_emul *s, unsigned int cr, uint64_t *val);

/* Descriptors, SDM vol. 3A 3.4.5 and 5.8.3. */
#define DESC_TYPE(d)	((unsigned int)((d) >> 40) & 15)
#define DESC_ACCESSED	(1ULL << 40)
#define DESC_BUSY	(1ULL << 41)
#define DESC_CONFORMING (1ULL << 42)
#define DESC_S		(1ULL << 44)
#define DESC_DPL(d)	((unsigned int)((d) >> 45) & 3)
#define DESC_P		(1ULL << 47)
#define DESC_L		(1ULL << 53)
#define DESC_DB		(1ULL << 54)
#define DESC_G		(1ULL << 55)

/* segment.c */
enum seg_load {
	SEG_LOAD_DATA,
	SEG_LOAD_JMP,
	SEG_LOAD_CALL,
	SEG_LOAD_GATE,
	SEG_LOAD_RET,
	SEG_LOAD_IRET
};
int segment_load(struct x86_emul *s, enum x86_seg seg, uint16_t sel, enum seg_load how,
		 struct x86_segment *out);
int segment_load_cs(struct x86_emul *s, uint16_t sel, uint64_t ip, enum seg_load how,
		    struct x86_segment *out);
/* SS for code at that level. */
int segment_load_ss(struct x86_emul *s, uint16_t sel, unsigned int cpl, struct x86_segment *out);
/* Is the instruction pointer one in this code? */
int segment_check_ip(struct x86_emul *s, const struct x86_segment *cs, uint64_t ip);
/* A data segment that code at that level must not have goes. */
int segment_hide(struct x86_emul *s, enum x86_seg seg, unsigned int cpl);
int segment_load_register(struct x86_emul *s, enum x86_seg seg, uint16_t sel);
int segment_read_descriptor(struct x86_emul *s, uint16_t sel, uint64_t desc[2], uint64_t *lin,
			    unsigned int vector);
void segment_unpack(uint16_t sel, uint64_t desc, struct x86_segment *out);

/* gate.c: a far transfer whose selector does not name code */
int gate_jmp(struct x86_emul *s, uint16_t sel);
int gate_call(struct x86_emul *s, uint16_t sel);

/* io.c */
int io_check(struct x86_emul *s, uint16_t port, unsigned int bytes);

/* flags.c */
bool em_condition(uint64_t rflags, unsigned int cc);
uint64_t em_flags_szp(uint64_t val, unsigned int bytes);
void em_set_flags(struct x86_emul *s, uint64_t mask, uint64_t val);

#endif
