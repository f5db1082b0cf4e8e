// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Short path for plain loads and stores to device memory: when nested paging reports an access, the
 * hardware has already done segmentation and the guest's page walk, so only the register, the size
 * and the direction are missing. Everything else goes through x86_emulate().
 */
#include "internal.h"
#include "handlers.h"

static unsigned int mmio_bytes(const struct x86_insn *insn, unsigned int spec)
{
	unsigned int size = spec & 15;

	if (size == S_V)
		return insn->op_bytes;
	if (size == S_Y)
		return insn->rex & X86_REX_W ? 8 : 4;
	return 1U << size;
}

static unsigned int mmio_reg(const struct x86_insn *insn, unsigned int spec)
{
	return spec >> 4 == K_REG ? insn->reg : X86_RAX;
}

static bool high_byte(const struct x86_insn *insn, unsigned int reg, unsigned int bytes)
{
	return bytes == 1 && reg >= 4 && reg < 8 && !insn->rex;
}

static bool is_memory(unsigned int spec)
{
	return spec >> 4 == K_RM || spec >> 4 == K_MOFFS;
}

int x86_mmio_begin(struct x86_emulate_ctxt *ctxt, const struct x86_emulate_ops *ops, uint64_t gpa,
		   struct x86_mmio *a)
{
	const uint64_t *gpr = ctxt->regs->gpr;
	const struct x86_opcode *op;
	struct x86_insn insn;
	unsigned int reg;
	int rc = x86_decode(ctxt, ops, &insn);

	if (EM_UNLIKELY(rc != X86EMUL_OKAY))
		return rc;
	op = insn.op;
	if ((op->fn != alu_mov && op->fn != alu_movsx) || !insn.is_mem ||
	    ctxt->regs->rflags & (FL_TF | FL_RF))
		return X86EMUL_UNHANDLEABLE;
	a->write = is_memory(op->dst);
	a->sign_extend = op->fn == alu_movsx;
	a->bytes = mmio_bytes(&insn, a->write ? op->dst : op->src);
	if ((gpa & (a->bytes - 1U)) || ((gpa ^ insn.ea) & 0xfff))
		return X86EMUL_UNHANDLEABLE;
	reg = mmio_reg(&insn, a->write ? op->src : op->dst);
	a->val = 0;
	if (a->write) {
		if (op->src >> 4 == K_IMM)
			a->val = insn.imm;
		else if (high_byte(&insn, reg, a->bytes))
			a->val = gpr[reg - 4] >> 8;
		else
			a->val = gpr[reg];
		a->val &= em_mask(a->bytes);
		return X86EMUL_OKAY;
	}
	a->reg_bytes = mmio_bytes(&insn, op->dst);
	a->reg_high = high_byte(&insn, reg, a->reg_bytes);
	a->reg = a->reg_high ? reg - 4 : reg;
	return X86EMUL_OKAY;
}

void x86_mmio_end(struct x86_emulate_ctxt *ctxt, const struct x86_mmio *a, uint64_t val)
{
	struct x86_regs *regs = ctxt->regs;

	if (!a->write) {
		uint64_t *r = &regs->gpr[a->reg];

		val &= em_mask(a->bytes);
		if (a->sign_extend)
			val = (uint64_t)em_sext(val, a->bytes);
		if (a->reg_high)
			*r = (*r & ~0xff00ULL) | val << 8;
		else
			em_merge(r, val, a->reg_bytes);
	}
	ctxt->retire = (struct x86_retire){ 0 };
	regs->rip += ctxt->insn_len;
	if (!em_mode64(ctxt))
		regs->rip = (uint32_t)regs->rip;
}
