// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * IN and OUT, and the permission check that INS and OUTS share: IOPL, then the I/O bitmap of the
 * TSS (SDM vol. 1, chapter 19 "Input/Output", 19.5).
 */
#include "internal.h"
#include "handlers.h"

#define TSS_IO_MAP_BASE 0x66

/* The bitmap's two bytes around the port; the second one must be inside the TSS too. */
static int check_bitmap(struct x86_emul *s, uint16_t port, unsigned int bytes)
{
	struct x86_segment tr;
	uint16_t base, map;
	uint32_t off;
	int rc = em_segment(s, X86_SEG_TR, &tr);

	if (rc != X86EMUL_OKAY)
		return rc;
	if (!(tr.attr & X86_ATTR_P) || !(tr.attr & 8) || tr.limit < TSS_IO_MAP_BASE + 1)
		return em_gp(s); /* a 16-bit TSS has no bitmap */
	rc = em_read(s, X86_SEG_TR, TSS_IO_MAP_BASE, &base, 2, X86_ACC_SYSTEM);
	if (rc != X86EMUL_OKAY)
		return rc;
	off = base + port / 8;
	if (off + 1 > tr.limit)
		return em_gp(s);
	rc = em_read(s, X86_SEG_TR, off, &map, 2, X86_ACC_SYSTEM);
	if (rc != X86EMUL_OKAY)
		return rc;
	return (map >> (port & 7)) & ((1U << bytes) - 1) ? em_gp(s) : X86EMUL_OKAY;
}

int io_check(struct x86_emul *s, uint16_t port, unsigned int bytes)
{
	unsigned int iopl = (s->regs->rflags >> 12) & 3;

	if (s->ctxt->mode == X86_MODE_REAL ||
	    (s->ctxt->mode != X86_MODE_VM86 && s->ctxt->cpl <= iopl))
		return X86EMUL_OKAY;
	return check_bitmap(s, port, bytes);
}

/* E4-E7 take an immediate port, EC-EF take DX; odd opcodes the operand size. Checks the rights too. */
static int operands(struct x86_emul *s, uint16_t *port, unsigned int *bytes)
{
	*bytes = 1;
	if (s->insn.opcode & 1)
		*bytes = s->insn.op_bytes == 2 ? 2 : 4;
	*port = (uint16_t)(s->insn.opcode & 8 ? s->regs->gpr[X86_RDX] : s->insn.imm);
	return io_check(s, *port, *bytes);
}

int io_in(struct x86_emul *s)
{
	unsigned int bytes;
	uint32_t val = 0;
	uint16_t port;
	int rc;

	rc = operands(s, &port, &bytes);
	if (rc != X86EMUL_OKAY)
		return rc;
	if (!s->ops->read_io)
		return X86EMUL_UNHANDLEABLE;
	rc = s->ops->read_io(port, bytes, &val, s->ctxt);
	s->defer_bytes = bytes;
	s->defer_reg = X86_RAX;
	s->defer_val = val;
	return rc;
}

int io_out(struct x86_emul *s)
{
	unsigned int bytes;
	uint16_t port;
	int rc;

	rc = operands(s, &port, &bytes);
	if (rc != X86EMUL_OKAY)
		return rc;
	if (!s->ops->write_io)
		return X86EMUL_UNHANDLEABLE;
	return s->ops->write_io(port, bytes, (uint32_t)(s->regs->gpr[X86_RAX] & em_mask(bytes)),
				s->ctxt);
}
