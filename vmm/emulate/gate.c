// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Far CALL and JMP through call gates, to the same level and, with the stack that the TSS has for it, to an inner one
 * (SDM vol. 3A 5.8.3-5.8.5, vol. 2 CALL). Task gates and TSSs are X86EMUL_UNHANDLEABLE.
 */
#include "internal.h"
#include "handlers.h"

#define TYPE_GATE16   4U
#define TYPE_GATE     12U
#define TYPE_32BIT    8U		 /* of a TSS */
#define UPPER_TYPE(d) ((d) >> 40 & 0x1f) /* of the second half in long mode */

struct gate {
	struct x86_segment cs;
	uint64_t ip;
	unsigned int bytes; /* of what it pushes */
	unsigned int params;
};

struct inner_stack {
	struct x86_segment ss;
	uint64_t sp;
	unsigned int sp_bytes;
};

static int read_gate(struct x86_emul *s, uint16_t sel, enum seg_load how, struct gate *g)
{
	uint64_t d[2], lin;
	int rc = segment_read_descriptor(s, sel, d, &lin, X86_EXC_GP);
	bool wide;

	if (rc != X86EMUL_OKAY)
		return rc;
	if (!s->ops->write_segment || !s->ops->write)
		return X86EMUL_UNHANDLEABLE;
	wide = DESC_TYPE(d[0]) == TYPE_GATE;
	if ((d[0] & DESC_S) || (!wide && (DESC_TYPE(d[0]) != TYPE_GATE16 || em_long_mode(s->ctxt))))
		return X86EMUL_UNHANDLEABLE;
	if (DESC_DPL(d[0]) < s->ctxt->cpl || DESC_DPL(d[0]) < (sel & 3U) ||
	    (em_long_mode(s->ctxt) && UPPER_TYPE(d[1])))
		return em_fault(s, X86_EXC_GP, sel & ~3U);
	if (!(d[0] & DESC_P))
		return em_fault(s, X86_EXC_NP, sel & ~3U);
	g->ip = (d[0] & 0xffff) | (wide ? d[0] >> 48 << 16 : 0) | (d[1] & 0xffffffff) << 32;
	g->bytes = em_long_mode(s->ctxt) ? 8 : wide ? 4 : 2;
	g->params = em_long_mode(s->ctxt) ? 0 : d[0] >> 32 & 0x1f;
	rc = segment_load(s, X86_SEG_CS, (d[0] >> 16) & 0xfffc, how, &g->cs);
	if (rc == X86EMUL_OKAY && em_long_mode(s->ctxt) && !(g->cs.attr & X86_ATTR_L))
		return em_fault(s, X86_EXC_GP, g->cs.sel & ~3U);
	return rc;
}

/* SS:rSP of a level, as the TSS has them. */
static int read_tss(struct x86_emul *s, unsigned int cpl, uint64_t *ss, uint64_t *sp)
{
	struct x86_segment tr;
	unsigned int bytes, at;
	int rc = em_segment(s, X86_SEG_TR, &tr);

	if (rc != X86EMUL_OKAY)
		return rc;
	bytes = em_long_mode(s->ctxt) ? 8 : tr.attr & TYPE_32BIT ? 4 : 2;
	at = em_long_mode(s->ctxt) ? 4 + 8 * cpl : bytes + 2 * bytes * cpl;
	if (at + bytes + (em_long_mode(s->ctxt) ? 0 : 2) - 1 > tr.limit)
		return em_fault(s, X86_EXC_TS, tr.sel & ~3U);
	*ss = cpl;
	*sp = 0;
	rc = em_read(s, X86_SEG_TR, at, sp, bytes, X86_ACC_SYSTEM);
	if (rc == X86EMUL_OKAY && !em_long_mode(s->ctxt)) {
		*ss = 0;
		rc = em_read(s, X86_SEG_TR, at + bytes, ss, 2, X86_ACC_SYSTEM);
	}
	return rc;
}

/* What is wrong with its selector is the TSS's fault. In long mode SS is null. */
static int inner_stack(struct x86_emul *s, unsigned int cpl, struct inner_stack *st)
{
	uint64_t sel = 0;
	int rc = read_tss(s, cpl, &sel, &st->sp);

	if (rc != X86EMUL_OKAY)
		return rc;
	if (em_long_mode(s->ctxt)) {
		st->ss = (struct x86_segment){ .sel = (uint16_t)sel, .attr = (uint16_t)(cpl << 5) };
		st->sp_bytes = 8;
		return X86EMUL_OKAY;
	}
	s->ctxt->event.vector = 0;
	rc = segment_load_ss(s, (uint16_t)sel, cpl, &st->ss);
	if (rc == X86EMUL_EXCEPTION && s->ctxt->event.vector == X86_EXC_GP)
		s->ctxt->event.vector = X86_EXC_TS;
	st->sp_bytes = st->ss.attr & X86_ATTR_DB ? 4 : 2;
	return rc;
}

/* Does the new stack's segment have these bytes? */
static bool in_stack(const struct inner_stack *st, uint64_t off, unsigned int bytes)
{
	uint64_t last = off + bytes - 1;

	if (st->sp_bytes == 8)
		return true;
	if (st->ss.attr & 4) /* expand-down */
		return off > st->ss.limit && last <= em_mask(st->sp_bytes);
	return last <= st->ss.limit;
}

static int inner_push(struct x86_emul *s, struct inner_stack *st, uint64_t val, unsigned int bytes)
{
	uint64_t off = (st->sp - bytes) & em_mask(st->sp_bytes), lin = st->ss.base + off;
	int rc;

	if (!in_stack(st, off, bytes))
		return em_fault(s, X86_EXC_SS, st->ss.sel & ~3U);
	if (st->sp_bytes == 8 && !em_canonical(s->ctxt, off))
		return em_fault(s, X86_EXC_SS, 0);
	rc = s->ops->write(st->sp_bytes == 8 ? off : (uint32_t)lin, &val, bytes,
			   X86_ACC_WRITE | X86_ACC_SYSTEM, s->ctxt);
	st->sp = off;
	return rc;
}

/* The old SS:rSP, the parameters, the address of return. */
static int fill_inner(struct x86_emul *s, const struct gate *g, const struct x86_segment *old_cs,
		      struct inner_stack *st)
{
	struct x86_segment ss;
	uint64_t val, sp = s->rsp & em_mask(s->ctxt->sp_bits / 8);
	int rc = em_segment(s, X86_SEG_SS, &ss);

	if (rc == X86EMUL_OKAY)
		rc = inner_push(s, st, ss.sel, g->bytes);
	if (rc == X86EMUL_OKAY)
		rc = inner_push(s, st, s->rsp, g->bytes);
	for (unsigned int i = g->params; rc == X86EMUL_OKAY && i-- > 0;) {
		val = 0;
		rc = em_read(s, X86_SEG_SS, (sp + i * g->bytes) & em_mask(s->ctxt->sp_bits / 8),
			     &val, g->bytes, X86_ACC_STACK);
		if (rc == X86EMUL_OKAY)
			rc = inner_push(s, st, val, g->bytes);
	}
	if (rc == X86EMUL_OKAY)
		rc = inner_push(s, st, old_cs->sel, g->bytes);
	return rc == X86EMUL_OKAY ? inner_push(s, st, s->rip, g->bytes) : rc;
}

static int enter(struct x86_emul *s, const struct gate *g)
{
	int rc = segment_check_ip(s, &g->cs, g->ip);

	if (rc != X86EMUL_OKAY)
		return rc;
	s->rip = g->ip;
	s->far_code64 = em_long_mode(s->ctxt);
	return s->ops->write_segment(X86_SEG_CS, &g->cs, s->ctxt);
}

static int call_inner(struct x86_emul *s, const struct gate *g, const struct x86_segment *old_cs)
{
	struct inner_stack st = { 0 };
	int rc = inner_stack(s, g->cs.sel & 3, &st);

	if (rc == X86EMUL_OKAY)
		rc = fill_inner(s, g, old_cs, &st);
	if (rc == X86EMUL_OKAY)
		rc = enter(s, g);
	if (rc == X86EMUL_OKAY)
		rc = s->ops->write_segment(X86_SEG_SS, &st.ss, s->ctxt);
	if (rc == X86EMUL_OKAY)
		em_merge(&s->regs->gpr[X86_RSP], st.sp, st.sp_bytes);
	return rc;
}

int gate_jmp(struct x86_emul *s, uint16_t sel)
{
	struct gate g = { 0 };
	int rc = read_gate(s, sel, SEG_LOAD_JMP, &g);

	return rc == X86EMUL_OKAY ? enter(s, &g) : rc;
}

int gate_call(struct x86_emul *s, uint16_t sel)
{
	struct gate g = { 0 };
	struct x86_segment old;
	int rc = em_segment(s, X86_SEG_CS, &old);

	if (rc == X86EMUL_OKAY)
		rc = read_gate(s, sel, SEG_LOAD_GATE, &g);
	if (rc != X86EMUL_OKAY)
		return rc;
	if ((g.cs.sel & 3U) < s->ctxt->cpl)
		return call_inner(s, &g, &old);
	rc = em_push(s, old.sel, g.bytes);
	if (rc == X86EMUL_OKAY)
		rc = em_push(s, s->rip, g.bytes);
	return rc == X86EMUL_OKAY ? enter(s, &g) : rc;
}
