// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PUSH, POP and their relatives, ENTER and LEAVE (SDM vol. 2, operation sections; vol. 1, chapter
 * 6). The pending stack pointer s->rsp becomes architectural at retirement.
 */
#include "internal.h"
#include "handlers.h"

int stack_push(struct x86_emul *s)
{
	return em_push(s, s->src.val, s->insn.op_bytes);
}

/* PUSH of an immediate: sign-extended to the operand size by the decoder. */
int stack_push_imm(struct x86_emul *s)
{
	return em_push(s, s->insn.imm, s->insn.op_bytes);
}

int stack_pop_reg(struct x86_emul *s)
{
	return em_pop(s, &s->dst.val, s->insn.op_bytes);
}

/* POP to memory: an address based on rSP uses its value after the pop. */
int stack_pop_rm(struct x86_emul *s)
{
	unsigned int bytes = s->insn.op_bytes;
	uint64_t val, ea = s->insn.ea;
	int rc = em_pop(s, &val, bytes);

	if (rc != X86EMUL_OKAY)
		return rc;
	if (s->insn.is_mem) {
		if (s->insn.base_is_rsp)
			ea = (ea + bytes) & em_mask(s->insn.ad_bytes);
		return em_write(s, s->insn.seg, ea, &val, bytes, 0);
	}
	s->defer_bytes = bytes;
	s->defer_reg = s->insn.rm;
	s->defer_val = val;
	return X86EMUL_OKAY;
}

/* 06 0E 16 1E, 0F A0, 0F A8: the segment register is in bits 3-5 of the opcode. */
static enum x86_seg opcode_segment(const struct x86_emul *s)
{
	return (s->insn.opcode >> 3) & 7;
}

int stack_push_seg(struct x86_emul *s)
{
	struct x86_segment sr;
	int rc = em_segment(s, opcode_segment(s), &sr);

	if (rc != X86EMUL_OKAY)
		return rc;
	return em_push(s, sr.sel, s->insn.op_bytes);
}

int stack_pop_seg(struct x86_emul *s)
{
	enum x86_seg seg = opcode_segment(s);
	uint64_t sel;
	int rc = em_pop(s, &sel, s->insn.op_bytes);

	if (rc != X86EMUL_OKAY)
		return rc;
	rc = segment_load_register(s, seg, (uint16_t)sel);
	if (rc == X86EMUL_OKAY && seg == X86_SEG_SS)
		s->ctxt->retire.mov_ss = true;
	return rc;
}

int stack_pusha(struct x86_emul *s)
{
	unsigned int i;
	int rc;

	for (i = X86_RAX; i <= X86_RDI; i++) {
		rc = em_push(s, s->regs->gpr[i], s->insn.op_bytes);
		if (rc != X86EMUL_OKAY)
			return rc;
	}
	return X86EMUL_OKAY;
}

int stack_popa(struct x86_emul *s)
{
	uint64_t val[8];
	unsigned int i;
	int rc;

	for (i = 8; i-- > 0;) {
		rc = em_pop(s, &val[i], s->insn.op_bytes);
		if (rc != X86EMUL_OKAY)
			return rc;
	}
	for (i = 0; i < 8; i++) {
		if (i != X86_RSP)
			em_merge(&s->regs->gpr[i], val[i], s->insn.op_bytes);
	}
	return X86EMUL_OKAY;
}

int stack_enter(struct x86_emul *s)
{
	unsigned int bytes = s->insn.op_bytes, level = s->insn.sel & 31;
	uint64_t mask = em_mask(s->ctxt->sp_bits / 8), rbp = s->regs->gpr[X86_RBP], frame, val;
	int rc = em_push(s, rbp, bytes);

	if (rc != X86EMUL_OKAY)
		return rc;
	frame = s->rsp;
	if (level) {
		while (--level) {
			rbp = (rbp - bytes) & mask;
			val = 0;
			rc = em_read(s, X86_SEG_SS, rbp, &val, bytes, X86_ACC_STACK);
			if (rc == X86EMUL_OKAY)
				rc = em_push(s, val, bytes);
			if (rc != X86EMUL_OKAY)
				return rc;
		}
		rc = em_push(s, frame, bytes);
		if (rc != X86EMUL_OKAY)
			return rc;
	}
	em_rsp_set(s, s->rsp - s->insn.imm);
	s->defer_bytes = bytes;
	s->defer_reg = X86_RBP;
	s->defer_val = frame;
	/* The new top of stack must be writable (SDM: a page fault there faults ENTER). */
	return em_read(s, X86_SEG_SS, s->rsp, &val, bytes,
		       X86_ACC_WRITE | X86_ACC_RMW | X86_ACC_STACK);
}

int stack_leave(struct x86_emul *s)
{
	em_rsp_set(s, s->regs->gpr[X86_RBP]);
	s->defer_bytes = s->insn.op_bytes;
	s->defer_reg = X86_RBP;
	return em_pop(s, &s->defer_val, s->insn.op_bytes);
}
