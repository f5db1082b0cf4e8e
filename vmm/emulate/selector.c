// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Instructions that examine a selector without loading it: LAR, LSL, VERR, VERW, ARPL
 * (SDM vol. 3A 5.10, vol. 2 operation sections). A descriptor that may not be seen clears ZF.
 */
#include "internal.h"
#include "handlers.h"

#define VISIBLE_LAR	 0x1a3eU /* system types 1-5, 9, 11, 12 (SDM vol. 2 table 3-53) */
#define VISIBLE_LAR_LONG 0x1a04U
#define VISIBLE_LSL	 0x0a0eU
#define VISIBLE_LSL_LONG 0x0a04U

static int set_zf(struct x86_emul *s, bool zf)
{
	em_set_flags(s, X86_EFLAGS_ZF, zf ? X86_EFLAGS_ZF : 0);
	return X86EMUL_OKAY;
}

/*
 * Reads the descriptor of the selector in src. *visible is false for null, out of table, or more
 * privileged than CPL and RPL; system_types is a bit mask of acceptable system descriptor types.
 */
static int examine(struct x86_emul *s, uint32_t system_types, uint64_t *desc, bool *visible)
{
	uint16_t sel = (uint16_t)s->src.val;
	uint64_t d[2], lin;
	unsigned int type, dpl;
	int rc;

	*visible = false;
	if (!(sel & ~3))
		return X86EMUL_OKAY;
	s->ctxt->event.vector = 0;
	rc = segment_read_descriptor(s, sel, d, &lin, X86_EXC_GP);
	if (rc == X86EMUL_EXCEPTION && s->ctxt->event.vector == X86_EXC_GP)
		return X86EMUL_OKAY;
	if (rc != X86EMUL_OKAY)
		return rc;
	*desc = d[0];
	type = DESC_TYPE(d[0]);
	dpl = DESC_DPL(d[0]);
	if (!(d[0] & DESC_S))
		*visible = (system_types >> type) & 1;
	else
		*visible = true;
	if ((d[0] & DESC_S) && (type & 0xc) == 0xc) /* conforming code: any privilege */
		return X86EMUL_OKAY;
	if (dpl < s->ctxt->cpl || dpl < (sel & 3U))
		*visible = false;
	return X86EMUL_OKAY;
}

int selector_lar(struct x86_emul *s)
{
	bool long_mode = em_long_mode(s->ctxt), visible;
	uint64_t desc = 0;
	int rc = examine(s, long_mode ? VISIBLE_LAR_LONG : VISIBLE_LAR, &desc, &visible);

	if (rc != X86EMUL_OKAY)
		return rc;
	if (visible) {
		s->defer_bytes = s->insn.op_bytes;
		s->defer_reg = s->insn.reg;
		s->defer_val = (desc >> 32) & 0x00f0ff00;
	}
	return set_zf(s, visible);
}

int selector_lsl(struct x86_emul *s)
{
	bool long_mode = em_long_mode(s->ctxt), visible;
	struct x86_segment sr;
	uint64_t desc = 0;
	int rc = examine(s, long_mode ? VISIBLE_LSL_LONG : VISIBLE_LSL, &desc, &visible);

	if (rc != X86EMUL_OKAY)
		return rc;
	if (visible) {
		segment_unpack(0, desc, &sr);
		s->defer_bytes = s->insn.op_bytes;
		s->defer_reg = s->insn.reg;
		s->defer_val = sr.limit;
	}
	return set_zf(s, visible);
}

static int verify(struct x86_emul *s, bool write)
{
	bool visible;
	uint64_t desc = 0;
	unsigned int type;
	int rc = examine(s, 0, &desc, &visible);

	if (rc != X86EMUL_OKAY)
		return rc;
	type = DESC_TYPE(desc);
	if (write)
		visible = visible && (type & 0xa) == 2;
	else
		visible = visible && (type & 0xa) != 8;
	return set_zf(s, visible);
}

int selector_verr(struct x86_emul *s)
{
	return verify(s, false);
}

int selector_verw(struct x86_emul *s)
{
	return verify(s, true);
}

/*
 * ARPL is opcode 63 outside 64-bit code; the table's operands are MOVSXD's, so this finds its own.
 */
int selector_arpl(struct x86_emul *s)
{
	unsigned int rpl = s->regs->gpr[s->insn.reg] & 3;
	uint64_t val;
	bool raise;
	int rc;

	if (!em_protected(s->ctxt))
		return em_ud(s);
	if (s->insn.is_mem) {
		uint16_t word;

		rc = em_read(s, s->insn.seg, s->insn.ea, &word, 2, X86_ACC_RMW);
		if (rc != X86EMUL_OKAY)
			return rc;
		val = word;
	} else {
		val = s->regs->gpr[s->insn.rm] & 0xffff;
	}
	raise = (val & 3) < rpl;
	if (raise)
		val = (val & ~3ULL) | rpl;
	if (raise && s->insn.is_mem) {
		rc = em_write(s, s->insn.seg, s->insn.ea, &val, 2, X86_ACC_RMW);
		if (rc != X86EMUL_OKAY)
			return rc;
	} else if (raise) {
		s->defer_bytes = 2;
		s->defer_reg = s->insn.rm;
		s->defer_val = val;
	}
	return set_zf(s, raise);
}
