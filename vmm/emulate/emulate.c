// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The driver of one emulation: decode, read operands, run the handler, write results, retire.
 * Nothing becomes architectural before every callback has succeeded, which makes an instruction
 * restartable (see x86_emulate.h); handlers work on the pending state in struct x86_emul.
 */
#include "internal.h"
#include "handlers.h"

int x86_emulate_exception(struct x86_emulate_ctxt *ctxt, unsigned int vector, bool has_error_code,
			  uint32_t error_code)
{
	ctxt->event = (struct x86_event){
		.vector = vector,
		.type = X86_EVENT_HW_EXC,
		.has_error_code = has_error_code && ctxt->mode != X86_MODE_REAL && vector < 32 &&
				  ((1U << vector) & 0x00227d00U), /* 8, 10-14, 17, 21 */
		.error_code = error_code,
	};
	return X86EMUL_EXCEPTION;
}

int x86_emulate_page_fault(struct x86_emulate_ctxt *ctxt, uint32_t error_code, uint64_t cr2)
{
	x86_emulate_exception(ctxt, X86_EXC_PF, true, error_code);
	ctxt->event.cr2 = cr2;
	return X86EMUL_EXCEPTION;
}

int em_cr(struct x86_emul *s, unsigned int cr, uint64_t *val)
{
	return s->ops->read_cr ? s->ops->read_cr(cr, val, s->ctxt) : X86EMUL_UNHANDLEABLE;
}

static inline unsigned int operand_bytes(const struct x86_emul *s, unsigned int size)
{
	if (EM_LIKELY(size == S_V))
		return s->insn.op_bytes;
	if (size == S_Y)
		return s->insn.rex & X86_REX_W ? 8 : 4;
	return 1U << size; /* S_B, S_W, S_D, S_Q */
}

static inline int operand_memory(struct x86_emul *s, struct x86_operand *o, unsigned int acc,
				 bool read)
{
	int rc = em_linear(s, s->insn.seg, s->insn.ea, o->bytes, acc, &o->lin);

	o->kind = OPK_MEM;
	if (EM_UNLIKELY(rc != X86EMUL_OKAY) || !read)
		return rc;
	if (!s->ops->read)
		return X86EMUL_UNHANDLEABLE;
	o->orig = 0;
	return s->ops->read(o->lin, &o->orig, o->bytes, acc, s->ctxt);
}

static inline int operand_register(const struct x86_emul *s, struct x86_operand *o,
				   unsigned int reg, bool read)
{
	o->kind = OPK_REG;
	o->reg = reg;
	if (read)
		o->orig = em_reg_read(s, reg, o->bytes);
	return X86EMUL_OKAY;
}

/* The kinds that are neither ModRM nor an immediate. */
static __attribute__((noinline)) int operand_get_other(struct x86_emul *s, struct x86_operand *o,
						       unsigned int kind, unsigned int acc,
						       bool read)
{
	switch (kind) {
	case K_ACC:
		return operand_register(s, o, X86_RAX, read);
	case K_OPREG:
		return operand_register(s, o, (s->insn.opcode & 7) | (s->insn.rex & X86_REX_B) << 3,
					read);
	case K_MOFFS:
		return operand_memory(s, o, acc, read);
	case K_CL:
		o->kind = OPK_IMM;
		o->orig = s->regs->gpr[X86_RCX] & 0xff;
		return X86EMUL_OKAY;
	default: /* K_ONE */
		o->kind = OPK_IMM;
		o->orig = 1;
		return X86EMUL_OKAY;
	}
}

/* Finds an operand and reads its value into orig and val. */
static inline int operand_get(struct x86_emul *s, struct x86_operand *o, unsigned int spec,
			      unsigned int acc, bool read)
{
	unsigned int kind = spec >> 4;
	int rc = X86EMUL_OKAY;

	o->bytes = operand_bytes(s, spec & 15);
	o->orig = 0;
	if (kind == K_REG || (kind == K_RM && !s->insn.is_mem)) {
		rc = operand_register(s, o, kind == K_REG ? s->insn.reg : s->insn.rm, read);
	} else if (kind == K_RM) {
		rc = operand_memory(s, o, acc, read);
	} else if (kind == K_IMM) {
		o->kind = OPK_IMM;
		o->orig = s->insn.imm & em_mask(o->bytes);
	} else {
		rc = operand_get_other(s, o, kind, acc, read);
	}
	o->val = o->orig;
	return rc;
}

static inline int operands_get(struct x86_emul *s)
{
	const struct x86_opcode *op = s->insn.op;
	unsigned int acc = 0;
	int rc;

	s->dst.kind = OPK_NONE;
	if (op->src) {
		rc = operand_get(s, &s->src, op->src, 0, true);
		if (EM_UNLIKELY(rc != X86EMUL_OKAY))
			return rc;
	}
	if (!op->dst)
		return X86EMUL_OKAY;
	if (!(op->flags & F_CMP))
		acc = op->flags & F_MOV ? X86_ACC_WRITE : X86_ACC_WRITE | X86_ACC_RMW;
	return operand_get(s, &s->dst, op->dst, acc, !(op->flags & F_MOV));
}

static inline int memory_put(struct x86_emul *s)
{
	bool lock = s->insn.prefixes & X86_PFX_LOCK || s->insn.op->flags & F_XLOCK;

	return em_write_locked(s, &s->dst.orig, &s->dst.val, s->dst.bytes, lock);
}

/* The register results, after everything that can fail. */
static void em_retire_operands(struct x86_emul *s)
{
	em_rsp_commit(s);
	if (s->dst.kind == OPK_REG && !(s->insn.op->flags & F_CMP))
		em_reg_write(s, s->dst.reg, s->dst.val, s->dst.bytes);
	if (s->defer_bytes)
		em_reg_write(s, s->defer_reg, s->defer_val, s->defer_bytes);
}

static inline void retire(struct x86_emul *s)
{
	struct x86_regs *regs = s->regs;

	em_retire_operands(s);
	if (EM_UNLIKELY((s->trap_by_new_tf ? s->rflags : regs->rflags) & X86_EFLAGS_TF))
		s->ctxt->retire.singlestep = true;
	regs->rip = em_mode64(s->ctxt) || s->far_code64 ? s->rip : (uint32_t)s->rip;
	regs->rflags = s->rflags;
	if (EM_LIKELY(s->insn.op->fn != far_iret)) /* which takes RF from the stack */
		regs->rflags &= ~(uint64_t)X86_EFLAGS_RF;
}

int x86_emulate(struct x86_emulate_ctxt *ctxt, const struct x86_emulate_ops *ops)
{
	struct x86_emul s;
	int rc;

	s.ctxt = ctxt;
	s.ops = ops;
	s.regs = ctxt->regs;
	ctxt->retire = (struct x86_retire){ 0 };
	rc = x86_decode(ctxt, ops, &s.insn);
	if (EM_UNLIKELY(rc != X86EMUL_OKAY))
		return rc;
	if (EM_UNLIKELY(s.insn.op->flags & F_PRIV) && ctxt->cpl)
		return em_gp(&s);
	s.rip = s.regs->rip + s.insn.len;
	s.rflags = s.regs->rflags;
	s.rsp = s.regs->gpr[X86_RSP];
	s.rsp_dirty = false;
	s.far_code64 = false;
	s.trap_by_new_tf = false;
	s.defer_bytes = 0;
	rc = operands_get(&s);
	if (EM_UNLIKELY(rc != X86EMUL_OKAY))
		return rc;
	for (;;) {
		rc = s.insn.op->fn(&s);
		if (EM_UNLIKELY(rc != X86EMUL_OKAY))
			return rc;
		if (s.dst.kind != OPK_MEM || s.insn.op->flags & F_CMP)
			break;
		rc = memory_put(&s);
		if (EM_LIKELY(rc == X86EMUL_OKAY))
			break;
		if (rc != X86EMUL_CMPXCHG_FAILED)
			return rc;
		/* Somebody else wrote the locked operand: again from its new value. */
		s.dst.val = s.dst.orig;
		s.rflags = s.regs->rflags;
		s.defer_bytes = 0;
	}
	retire(&s);
	return X86EMUL_OKAY;
}
