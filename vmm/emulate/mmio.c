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

static uint64_t address_registers(const struct x86_regs *regs, unsigned int base,
				  unsigned int index, unsigned int scale)
{
	uint64_t sum = base < X86_NO_GPR ? regs->gpr[base] : 0;

	return index < X86_NO_GPR ? sum + (regs->gpr[index] << scale) : sum;
}

int x86_mmio_decode(struct x86_emulate_ctxt *ctxt, const struct x86_emulate_ops *ops,
		    struct x86_mmio *m)
{
	const struct x86_opcode *op;
	struct x86_insn insn;
	unsigned int reg;
	int rc = x86_decode(ctxt, ops, &insn);

	if (EM_UNLIKELY(rc != X86EMUL_OKAY))
		return rc;
	op = insn.op;
	if ((op->fn != alu_mov && op->fn != alu_movsx) || !insn.is_mem)
		return X86EMUL_UNHANDLEABLE;
	*m = (struct x86_mmio){
		.write = is_memory(op->dst),
		.len = insn.len,
		.sign_extend = op->fn == alu_movsx,
		.mode64 = em_mode64(ctxt),
		.base = insn.ea_base,
		.index = insn.ea_index,
		.scale = insn.ea_scale,
	};
	m->offset = (insn.ea - address_registers(ctxt->regs, m->base, m->index, m->scale)) & 0xfff;
	m->bytes = (uint8_t)mmio_bytes(&insn, m->write ? op->dst : op->src);
	m->from_imm = m->write && op->src >> 4 == K_IMM;
	if (m->from_imm) {
		m->imm = insn.imm & em_mask(m->bytes);
		return X86EMUL_OKAY;
	}
	reg = mmio_reg(&insn, m->write ? op->src : op->dst);
	m->reg_bytes = m->write ? m->bytes : (uint8_t)mmio_bytes(&insn, op->dst);
	m->reg_high = high_byte(&insn, reg, m->reg_bytes);
	m->reg = (uint8_t)(m->reg_high ? reg - 4 : reg);
	return X86EMUL_OKAY;
}

bool x86_mmio_begin(const struct x86_regs *regs, const struct x86_mmio *m, uint64_t gpa,
		    uint64_t *val)
{
	uint64_t ea = m->offset + address_registers(regs, m->base, m->index, m->scale);

	if ((gpa & (m->bytes - 1U)) || ((gpa ^ ea) & 0xfff) ||
	    (regs->rflags & (X86_EFLAGS_TF | X86_EFLAGS_RF)))
		return false;
	*val = 0;
	if (m->from_imm)
		*val = m->imm;
	else if (m->write)
		*val = regs->gpr[m->reg] >> (m->reg_high ? 8 : 0) & em_mask(m->bytes);
	return true;
}

void x86_mmio_end(struct x86_regs *regs, const struct x86_mmio *m, uint64_t val)
{
	if (!m->write) {
		uint64_t *r = &regs->gpr[m->reg];

		val &= em_mask(m->bytes);
		if (m->sign_extend)
			val = (uint64_t)em_sext(val, m->bytes);
		if (m->reg_high)
			*r = (*r & ~0xff00ULL) | val << 8;
		else
			em_merge(r, val, m->reg_bytes);
	}
	regs->rip += m->len;
	if (!m->mode64)
		regs->rip = (uint32_t)regs->rip;
}
