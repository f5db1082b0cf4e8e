// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Near control transfers and software interrupts (SDM vol. 2: CALL, JMP, Jcc, RET, LOOP, INT n,
 * BOUND). Far transfers and IRET are in far.c.
 */
#include "internal.h"
#include "handlers.h"

int control_jcc(struct x86_emul *s)
{
	if (!em_condition(s->rflags, s->insn.opcode & 15))
		return X86EMUL_OKAY;
	return em_branch(s, s->rip + s->insn.imm);
}

int control_jmp(struct x86_emul *s)
{
	return em_branch(s, s->rip + s->insn.imm);
}

int control_jmp_rm(struct x86_emul *s)
{
	return em_branch(s, s->src.val);
}

static int call_to(struct x86_emul *s, uint64_t target)
{
	uint64_t next = s->rip;
	int rc = em_branch(s, target);

	if (rc != X86EMUL_OKAY)
		return rc;
	return em_push(s, next, s->insn.op_bytes);
}

int control_call(struct x86_emul *s)
{
	return call_to(s, s->rip + s->insn.imm);
}

int control_call_rm(struct x86_emul *s)
{
	return call_to(s, s->src.val);
}

/* RET and RET imm16 (imm is 0 in the first form). */
int control_ret(struct x86_emul *s)
{
	uint64_t target;
	int rc = em_pop(s, &target, s->insn.op_bytes);

	if (rc != X86EMUL_OKAY)
		return rc;
	em_rsp_set(s, s->rsp + s->insn.imm);
	return em_branch(s, target);
}

/* LOOPNE, LOOPE, LOOP: the counter has the address size. */
int control_loop(struct x86_emul *s)
{
	unsigned int bytes = s->insn.ad_bytes, cc = s->insn.opcode & 3;
	uint64_t count = (s->regs->gpr[X86_RCX] - 1) & em_mask(bytes);
	bool taken = count != 0;
	int rc = X86EMUL_OKAY;

	if (cc != 2 && !(s->rflags & X86_EFLAGS_ZF) != !cc)
		taken = false;
	if (taken)
		rc = em_branch(s, s->rip + s->insn.imm);
	s->defer_bytes = bytes;
	s->defer_reg = X86_RCX;
	s->defer_val = count;
	return rc;
}

int control_jcxz(struct x86_emul *s)
{
	if (s->regs->gpr[X86_RCX] & em_mask(s->insn.ad_bytes))
		return X86EMUL_OKAY;
	return em_branch(s, s->rip + s->insn.imm);
}

/* IVT delivery: SDM vol. 3A 20.1.4. Registers of the pending state; the caller retires. */
static int real_interrupt(struct x86_emul *s, unsigned int vector, uint16_t return_ip)
{
	struct x86_segment idtr, cs;
	uint32_t entry;
	int rc = em_segment(s, X86_SEG_IDTR, &idtr);

	if (rc == X86EMUL_OKAY)
		rc = em_segment(s, X86_SEG_CS, &cs);
	if (rc != X86EMUL_OKAY)
		return rc;
	if (vector * 4 + 3 > idtr.limit)
		return em_gp(s);
	rc = em_read(s, X86_SEG_IDTR, vector * 4, &entry, 4, X86_ACC_SYSTEM);
	if (rc == X86EMUL_OKAY)
		rc = em_push(s, s->rflags, 2);
	if (rc == X86EMUL_OKAY)
		rc = em_push(s, cs.sel, 2);
	if (rc == X86EMUL_OKAY)
		rc = em_push(s, return_ip, 2);
	if (rc != X86EMUL_OKAY)
		return rc;
	if (!s->ops->write_segment)
		return X86EMUL_UNHANDLEABLE;
	cs.sel = entry >> 16;
	cs.base = (uint64_t)cs.sel << 4;
	rc = s->ops->write_segment(X86_SEG_CS, &cs, s->ctxt);
	s->rip = (uint16_t)entry;
	s->rflags &= ~(uint64_t)(X86_EFLAGS_IF | X86_EFLAGS_TF | X86_EFLAGS_AC | X86_EFLAGS_RF);
	return rc;
}

/*
 * In real mode the interrupt happens here. In protected mode it is an event for the caller, who
 * injects it with the instruction's length: IDT walks with all their gates are the hardware's work.
 */
static int software_interrupt(struct x86_emul *s, unsigned int vector, unsigned int type)
{
	if (s->ctxt->mode == X86_MODE_REAL)
		return real_interrupt(s, vector, (uint16_t)s->rip);
	s->ctxt->event = (struct x86_event){
		.vector = vector,
		.type = type,
		.insn_len = s->insn.len,
	};
	return X86EMUL_EXCEPTION;
}

int control_int(struct x86_emul *s)
{
	uint64_t cr4;
	int rc;

	if (s->ctxt->mode == X86_MODE_VM86 &&
	    (s->regs->rflags & X86_EFLAGS_IOPL) != X86_EFLAGS_IOPL) {
		rc = em_cr(s, 4, &cr4);
		if (rc != X86EMUL_OKAY)
			return rc;
		if (!(cr4 & X86_CR4_VME))
			return em_gp(s);
	}
	return software_interrupt(s, s->insn.imm & 0xff, X86_EVENT_SW_INT);
}

int control_int3(struct x86_emul *s)
{
	return software_interrupt(s, X86_EXC_BP, X86_EVENT_SW_EXC);
}

int control_into(struct x86_emul *s)
{
	if (!(s->rflags & X86_EFLAGS_OF))
		return X86EMUL_OKAY;
	return software_interrupt(s, X86_EXC_OF, X86_EVENT_SW_EXC);
}

int control_icebp(struct x86_emul *s)
{
	return software_interrupt(s, X86_EXC_DB, X86_EVENT_PRIV_SW_EXC);
}

int control_ud(struct x86_emul *s)
{
	return em_ud(s);
}

int x86_emulate_real_int(struct x86_emulate_ctxt *ctxt, const struct x86_emulate_ops *ops,
			 unsigned int vector, uint16_t return_ip)
{
	struct x86_emul s = {
		.ctxt = ctxt,
		.ops = ops,
		.regs = ctxt->regs,
		.rflags = ctxt->regs->rflags,
		.rsp = ctxt->regs->gpr[X86_RSP],
	};
	int rc;

	if (ctxt->mode != X86_MODE_REAL)
		return X86EMUL_UNHANDLEABLE;
	rc = real_interrupt(&s, vector & 0xff, return_ip);
	if (rc != X86EMUL_OKAY)
		return rc;
	em_rsp_commit(&s);
	ctxt->regs->rip = s.rip;
	ctxt->regs->rflags = s.rflags;
	return X86EMUL_OKAY;
}

/* BOUND: signed, both bounds inclusive; the bounds are beside each other in memory. */
int control_bound(struct x86_emul *s)
{
	unsigned int bytes = s->insn.op_bytes;
	uint64_t both;
	int64_t index, low, high;
	int rc = em_read_val(s, s->insn.seg, s->insn.ea, &both, 2 * bytes);

	if (rc != X86EMUL_OKAY)
		return rc;
	index = em_sext(s->regs->gpr[s->insn.reg], bytes);
	low = em_sext(both, bytes);
	high = em_sext(both >> (8 * bytes), bytes);
	return index < low || index > high ? em_fault(s, X86_EXC_BR, 0) : X86EMUL_OKAY;
}
