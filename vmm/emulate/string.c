// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * String instructions with REP, REPE and REPNE (SDM vol. 2, REP; vol. 1, 7.3.9). Each iteration is
 * architectural when it is done; an instruction with iterations left returns X86EMUL_DONE (see
 * x86_emulate.h). Whole runs go to the bulk callbacks where there are any.
 */
#include "internal.h"
#include "handlers.h"

#define USES_SI	 1U
#define USES_DI	 2U
#define COMPARES 4U
#define PORTS	 8U /* the bulk callback also for one element: it checks memory before the port */

/* A longer run than this would only risk overflow in the arithmetic below. */
#define MAX_RUN (1ULL << 24)

struct string_kind {
	int (*one)(struct x86_emul *s, unsigned int bytes);
	int (*bulk)(struct x86_emul *s, unsigned int bytes, uint64_t *reps);
	unsigned int flags;
};

static unsigned int element_bytes(const struct x86_emul *s)
{
	return s->insn.opcode & 1 ? s->insn.op_bytes : 1;
}

static uint64_t index_reg(const struct x86_emul *s, unsigned int reg)
{
	return s->regs->gpr[reg] & em_mask(s->insn.ad_bytes);
}

static int read_si(struct x86_emul *s, uint64_t *val, unsigned int bytes)
{
	return em_read_val(s, s->insn.seg, index_reg(s, X86_RSI), val, bytes);
}

static int write_di(struct x86_emul *s, const uint64_t *val, unsigned int bytes)
{
	return em_write(s, X86_SEG_ES, index_reg(s, X86_RDI), val, bytes, 0);
}

static void step(struct x86_emul *s, unsigned int reg, uint64_t delta)
{
	em_merge(&s->regs->gpr[reg], s->regs->gpr[reg] + delta, s->insn.ad_bytes);
}

/* `n` elements are done: index registers, and the counter of a repeated instruction. */
static void advance(struct x86_emul *s, unsigned int flags, unsigned int bytes, uint64_t n,
		    bool rep)
{
	uint64_t delta = s->regs->rflags & X86_EFLAGS_DF ? -(n * bytes) : n * bytes;

	if (flags & USES_SI)
		step(s, X86_RSI, delta);
	if (flags & USES_DI)
		step(s, X86_RDI, delta);
	if (rep)
		step(s, X86_RCX, -n);
}

/*
 * Cuts *reps to elements at seg:reg that neither wrap the address size nor leave 32-bit linear
 * space, and translates the first one. False: go item by item (a fault shall hit the right item).
 */
static bool run_linear(struct x86_emul *s, enum x86_seg seg, unsigned int reg, unsigned int bytes,
		       uint64_t *reps, unsigned int acc, uint64_t *lin)
{
	uint64_t off = index_reg(s, reg), mask = em_mask(s->insn.ad_bytes), low = off, n, len;
	bool down = s->regs->rflags & X86_EFLAGS_DF;

	n = down ? off / bytes + 1 : (mask - off) / bytes;
	if (n > MAX_RUN)
		n = MAX_RUN;
	if (*reps > n)
		*reps = n;
	if (!*reps)
		return false;
	len = *reps * bytes;
	if (down)
		low = off - (*reps - 1) * bytes;
	if (em_linear(s, seg, low, len, acc, lin) != X86EMUL_OKAY)
		return false;
	if (!em_mode64(s->ctxt) && *lin + len - 1 > 0xffffffffULL)
		return false;
	*lin += off - low;
	return true;
}

static int movs_one(struct x86_emul *s, unsigned int bytes)
{
	uint64_t val;
	int rc = read_si(s, &val, bytes);

	return rc == X86EMUL_OKAY ? write_di(s, &val, bytes) : rc;
}

static int movs_bulk(struct x86_emul *s, unsigned int bytes, uint64_t *reps)
{
	uint64_t src, dst;

	if (!s->ops->rep_movs || !run_linear(s, s->insn.seg, X86_RSI, bytes, reps, 0, &src) ||
	    !run_linear(s, X86_SEG_ES, X86_RDI, bytes, reps, X86_ACC_WRITE, &dst)) {
		*reps = 0;
		return X86EMUL_UNHANDLEABLE;
	}
	return s->ops->rep_movs(src, dst, bytes, reps, s->ctxt);
}

static int stos_one(struct x86_emul *s, unsigned int bytes)
{
	return write_di(s, &s->regs->gpr[X86_RAX], bytes);
}

static int stos_bulk(struct x86_emul *s, unsigned int bytes, uint64_t *reps)
{
	uint64_t dst;

	if (!s->ops->rep_stos ||
	    !run_linear(s, X86_SEG_ES, X86_RDI, bytes, reps, X86_ACC_WRITE, &dst)) {
		*reps = 0;
		return X86EMUL_UNHANDLEABLE;
	}
	return s->ops->rep_stos(s->regs->gpr[X86_RAX] & em_mask(bytes), dst, bytes, reps, s->ctxt);
}

static int lods_one(struct x86_emul *s, unsigned int bytes)
{
	uint64_t val;
	int rc = read_si(s, &val, bytes);

	if (rc == X86EMUL_OKAY)
		em_merge(&s->regs->gpr[X86_RAX], val, bytes);
	return rc;
}

static int cmps_one(struct x86_emul *s, unsigned int bytes)
{
	uint64_t a, b;
	int rc = read_si(s, &a, bytes);

	if (rc == X86EMUL_OKAY)
		rc = em_read_val(s, X86_SEG_ES, index_reg(s, X86_RDI), &b, bytes);
	if (rc == X86EMUL_OKAY)
		alu_compare(s, a, b, bytes);
	return rc;
}

static int scas_one(struct x86_emul *s, unsigned int bytes)
{
	uint64_t val;
	int rc = em_read_val(s, X86_SEG_ES, index_reg(s, X86_RDI), &val, bytes);

	if (rc == X86EMUL_OKAY)
		alu_compare(s, s->regs->gpr[X86_RAX] & em_mask(bytes), val, bytes);
	return rc;
}

/* The destination's segment is checked before the port is read; its page by the bulk callback. */
static int ins_one(struct x86_emul *s, unsigned int bytes)
{
	uint64_t lin;
	uint32_t val = 0;
	int rc = em_linear(s, X86_SEG_ES, index_reg(s, X86_RDI), bytes, X86_ACC_WRITE, &lin);

	if (rc != X86EMUL_OKAY)
		return rc;
	if (!s->ops->read_io || !s->ops->write)
		return X86EMUL_UNHANDLEABLE;
	rc = s->ops->read_io((uint16_t)s->regs->gpr[X86_RDX], bytes, &val, s->ctxt);
	if (rc != X86EMUL_OKAY)
		return rc;
	return s->ops->write(lin, &val, bytes, X86_ACC_WRITE, s->ctxt);
}

static int ins_bulk(struct x86_emul *s, unsigned int bytes, uint64_t *reps)
{
	uint64_t dst;

	if (!s->ops->rep_ins ||
	    !run_linear(s, X86_SEG_ES, X86_RDI, bytes, reps, X86_ACC_WRITE, &dst)) {
		*reps = 0;
		return X86EMUL_UNHANDLEABLE;
	}
	return s->ops->rep_ins((uint16_t)s->regs->gpr[X86_RDX], dst, bytes, reps, s->ctxt);
}

static int outs_one(struct x86_emul *s, unsigned int bytes)
{
	uint64_t val;
	int rc = read_si(s, &val, bytes);

	if (rc != X86EMUL_OKAY)
		return rc;
	if (!s->ops->write_io)
		return X86EMUL_UNHANDLEABLE;
	return s->ops->write_io((uint16_t)s->regs->gpr[X86_RDX], bytes, (uint32_t)val, s->ctxt);
}

static int outs_bulk(struct x86_emul *s, unsigned int bytes, uint64_t *reps)
{
	uint64_t src;

	if (!s->ops->rep_outs || !run_linear(s, s->insn.seg, X86_RSI, bytes, reps, 0, &src)) {
		*reps = 0;
		return X86EMUL_UNHANDLEABLE;
	}
	return s->ops->rep_outs(src, (uint16_t)s->regs->gpr[X86_RDX], bytes, reps, s->ctxt);
}

static bool is_intel(const struct x86_emul *s)
{
	return s->ctxt->vendor == X86_VENDOR_INTEL;
}

/*
 * Instruction completed this far with elements left: what comes now (a single step, an interrupt) finds RF set
 * on Intel, SDM vol. 3 17.3.1.1.
 */
static int unfinished(struct x86_emul *s)
{
	if (s->regs->rflags & X86_EFLAGS_TF)
		s->ctxt->retire.singlestep = true;
	if (is_intel(s))
		s->regs->rflags |= X86_EFLAGS_RF;
	return X86EMUL_DONE;
}

/* CMPS and SCAS stop when ZF says so: F3 goes on while equal, F2 while not equal. */
static bool compare_stops(const struct x86_emul *s)
{
	bool zf = s->rflags & X86_EFLAGS_ZF;

	return s->insn.prefixes & X86_PFX_REP ? !zf : zf;
}

static int run_items(struct x86_emul *s, const struct string_kind *k, unsigned int bytes, bool rep)
{
	unsigned int i;

	for (i = 1;; i++) {
		int rc = k->one(s, bytes);

		if (rc != X86EMUL_OKAY)
			return rc;
		advance(s, k->flags, bytes, 1, rep);
		if (!rep || !index_reg(s, X86_RCX))
			return X86EMUL_OKAY;
		if (k->flags & COMPARES) {
			if (compare_stops(s))
				return X86EMUL_OKAY;
			/* Intel: flags from before while it is not finished (SDM vol. 2, REP). */
			if (!is_intel(s))
				s->regs->rflags = s->rflags;
		}
		/* The callback may have declined this element of a port's only, as it crosses a page. */
		if (i >= X86_EMULATE_MAX_ITERATIONS || s->regs->rflags & X86_EFLAGS_TF ||
		    !s->ops->commit || (k->flags & PORTS && s->ops->rep_ins))
			return unfinished(s);
		s->ops->commit(s->ctxt);
	}
}

static int run_string(struct x86_emul *s, const struct string_kind *k, unsigned int bytes)
{
	bool rep = s->insn.prefixes & (X86_PFX_REP | X86_PFX_REPNE);
	uint64_t count = rep ? index_reg(s, X86_RCX) : 1, done = count;
	int rc;

	if (!count)
		return X86EMUL_OKAY;
	if (s->regs->rflags & X86_EFLAGS_TF)
		done = 1;
	if (!k->bulk || (done < 2 && !(k->flags & PORTS)))
		return run_items(s, k, bytes, rep);
	rc = k->bulk(s, bytes, &done);
	if (done > count) /* a callback that lies does not corrupt more than its own data */
		done = count;
	if (!done && (rc == X86EMUL_UNHANDLEABLE || rc == X86EMUL_OKAY))
		return run_items(s, k, bytes, rep);
	advance(s, k->flags, bytes, done, rep);
	if (rc != X86EMUL_OKAY)
		return rc;
	return done == count ? X86EMUL_OKAY : unfinished(s);
}

int string_movs(struct x86_emul *s)
{
	static const struct string_kind k = { movs_one, movs_bulk, USES_SI | USES_DI };

	return run_string(s, &k, element_bytes(s));
}

int string_stos(struct x86_emul *s)
{
	static const struct string_kind k = { stos_one, stos_bulk, USES_DI };

	return run_string(s, &k, element_bytes(s));
}

int string_lods(struct x86_emul *s)
{
	static const struct string_kind k = { lods_one, NULL, USES_SI };

	return run_string(s, &k, element_bytes(s));
}

int string_cmps(struct x86_emul *s)
{
	static const struct string_kind k = { cmps_one, NULL, USES_SI | USES_DI | COMPARES };

	return run_string(s, &k, element_bytes(s));
}

int string_scas(struct x86_emul *s)
{
	static const struct string_kind k = { scas_one, NULL, USES_DI | COMPARES };

	return run_string(s, &k, element_bytes(s));
}

static int run_port_string(struct x86_emul *s, const struct string_kind *k)
{
	unsigned int bytes = element_bytes(s);
	int rc;

	if (bytes == 8)
		bytes = 4;
	rc = io_check(s, (uint16_t)s->regs->gpr[X86_RDX], bytes);
	return rc == X86EMUL_OKAY ? run_string(s, k, bytes) : rc;
}

int string_ins(struct x86_emul *s)
{
	static const struct string_kind k = { ins_one, ins_bulk, USES_DI | PORTS };

	return run_port_string(s, &k);
}

int string_outs(struct x86_emul *s)
{
	static const struct string_kind k = { outs_one, outs_bulk, USES_SI | PORTS };

	return run_port_string(s, &k);
}
