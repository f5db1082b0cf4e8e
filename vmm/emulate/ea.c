// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From effective to linear addresses, memory and stack accesses, near branch targets.
 * Segment checks: SDM vol. 3A 5.3-5.5 (limit and type), 3.3.7.1 (canonical form); what unusable and
 * expand-down segments mean. Paging is the callbacks' work.
 */
#include "internal.h"

int em_segment(struct x86_emul *s, enum x86_seg seg, struct x86_segment *out)
{
	if (!s->ops->read_segment)
		return X86EMUL_UNHANDLEABLE;
	return s->ops->read_segment(seg, out, s->ctxt);
}

static int address_fault(struct x86_emul *s, enum x86_seg seg)
{
	return em_fault(s, seg == X86_SEG_SS ? X86_EXC_SS : X86_EXC_GP, 0);
}

static inline bool is_system_segment(enum x86_seg seg)
{
	return seg > X86_SEG_GS;
}

static int linear64(struct x86_emul *s, enum x86_seg seg, uint64_t off, uint64_t bytes,
		    uint64_t *lin)
{
	struct x86_segment sr;
	int rc;

	*lin = off;
	if (seg == X86_SEG_FS || seg == X86_SEG_GS || is_system_segment(seg)) {
		rc = em_segment(s, seg, &sr);
		if (rc != X86EMUL_OKAY)
			return rc;
		*lin = sr.base + off;
	}
	if (EM_UNLIKELY(!em_canonical(s->ctxt, *lin) || !em_canonical(s->ctxt, *lin + bytes - 1)))
		return address_fault(s, seg);
	return X86EMUL_OKAY;
}

/* Null, unreadable and unwritable segments, protected mode only. */
static bool segment_type_ok(const struct x86_segment *sr, enum x86_seg seg, unsigned int acc)
{
	if (!(sr->attr & X86_ATTR_P))
		return false;
	if (seg == X86_SEG_CS)
		return !(acc & X86_ACC_WRITE) && (sr->attr & 2);
	if (acc & X86_ACC_WRITE)
		return (sr->attr & 0xa) == 2;
	return (sr->attr & 0xa) != 8;
}

/* True when [off, off + bytes) is outside the segment. */
static bool outside_limit(const struct x86_segment *sr, uint64_t off, uint64_t bytes)
{
	uint64_t last = off + bytes - 1;

	if ((sr->attr & (X86_ATTR_S | 0xc)) == (X86_ATTR_S | 0x4)) { /* expand-down data */
		uint64_t top = sr->attr & X86_ATTR_DB ? 0xffffffffULL : 0xffffULL;

		return off <= sr->limit || last > top;
	}
	return last > sr->limit;
}

/*
 * The linear address of `bytes` bytes at seg:off, or an exception in ctxt->event. System segments
 * (GDTR, LDTR, TR) are limit-checked by their users, who know the right vector.
 */
int em_linear(struct x86_emul *s, enum x86_seg seg, uint64_t off, uint64_t bytes, unsigned int acc,
	      uint64_t *lin)
{
	struct x86_segment sr;
	int rc;

	if (em_mode64(s->ctxt) || (is_system_segment(seg) && em_long_mode(s->ctxt)))
		return linear64(s, seg, off, bytes, lin);
	rc = em_segment(s, seg, &sr);
	if (rc != X86EMUL_OKAY)
		return rc;
	*lin = (uint32_t)(sr.base + off);
	if (is_system_segment(seg))
		return X86EMUL_OKAY;
	if (em_protected(s->ctxt) && !segment_type_ok(&sr, seg, acc))
		return address_fault(s, seg);
	if (EM_UNLIKELY(outside_limit(&sr, off, bytes)))
		return address_fault(s, seg);
	return X86EMUL_OKAY;
}

int em_read(struct x86_emul *s, enum x86_seg seg, uint64_t off, void *buf, unsigned int bytes,
	    unsigned int acc)
{
	uint64_t lin;
	int rc = em_linear(s, seg, off, bytes, acc, &lin);

	if (rc != X86EMUL_OKAY)
		return rc;
	return s->ops->read ? s->ops->read(lin, buf, bytes, acc, s->ctxt) : X86EMUL_UNHANDLEABLE;
}

int em_write(struct x86_emul *s, enum x86_seg seg, uint64_t off, const void *buf,
	     unsigned int bytes, unsigned int acc)
{
	uint64_t lin;
	int rc = em_linear(s, seg, off, bytes, acc | X86_ACC_WRITE, &lin);

	if (rc != X86EMUL_OKAY)
		return rc;
	return s->ops->write ? s->ops->write(lin, buf, bytes, acc | X86_ACC_WRITE, s->ctxt)
			     : X86EMUL_UNHANDLEABLE;
}

int em_read_val(struct x86_emul *s, enum x86_seg seg, uint64_t off, uint64_t *val,
		unsigned int bytes)
{
	*val = 0;
	return em_read(s, seg, off, val, bytes, 0);
}

/* Writes the memory destination, by compare-and-exchange when the instruction is locked. */
int em_write_locked(struct x86_emul *s, const void *old, const void *val, unsigned int bytes,
		    bool lock)
{
	uint64_t expected[2];

	if (lock && s->ops->cmpxchg) {
		int rc;

		em_copy(expected, old, bytes);
		rc = s->ops->cmpxchg(s->dst.lin, expected, val, bytes, s->ctxt);
		if (rc == X86EMUL_CMPXCHG_FAILED && bytes <= 8) {
			s->dst.orig = 0;
			em_copy(&s->dst.orig, expected, bytes);
		}
		return rc;
	}
	if (!s->ops->write)
		return X86EMUL_UNHANDLEABLE;
	return s->ops->write(s->dst.lin, val, bytes,
			     X86_ACC_WRITE | (s->insn.op->flags & F_MOV ? 0 : X86_ACC_RMW),
			     s->ctxt);
}

static uint64_t rsp_mask(const struct x86_emul *s)
{
	return em_mask(s->ctxt->sp_bits / 8);
}

/* The stack pointer of this instruction so far; architectural when it retires. */
void em_rsp_set(struct x86_emul *s, uint64_t rsp)
{
	s->rsp = rsp & rsp_mask(s);
	s->rsp_dirty = true;
}

void em_rsp_commit(struct x86_emul *s)
{
	if (s->rsp_dirty)
		em_merge(&s->regs->gpr[X86_RSP], s->rsp, s->ctxt->sp_bits / 8);
}

int em_push(struct x86_emul *s, uint64_t val, unsigned int bytes)
{
	uint64_t rsp = (s->rsp - bytes) & rsp_mask(s);
	int rc = em_write(s, X86_SEG_SS, rsp, &val, bytes, X86_ACC_STACK);

	if (rc == X86EMUL_OKAY)
		em_rsp_set(s, rsp);
	return rc;
}

int em_pop(struct x86_emul *s, uint64_t *val, unsigned int bytes)
{
	uint64_t rsp = s->rsp & rsp_mask(s);
	int rc;

	*val = 0;
	rc = em_read(s, X86_SEG_SS, rsp, val, bytes, X86_ACC_STACK);
	if (rc == X86EMUL_OKAY)
		em_rsp_set(s, rsp + bytes);
	return rc;
}

/* Near branch: the target is cut to the operand size, then must be canonical or inside CS. */
int em_branch(struct x86_emul *s, uint64_t target)
{
	struct x86_segment cs;
	int rc;

	target &= em_mask(s->insn.op_bytes);
	if (em_mode64(s->ctxt)) {
		if (!em_canonical(s->ctxt, target))
			return em_gp(s);
	} else {
		rc = em_segment(s, X86_SEG_CS, &cs);
		if (rc != X86EMUL_OKAY)
			return rc;
		if (target > cs.limit)
			return em_gp(s);
	}
	s->rip = target;
	return X86EMUL_OKAY;
}
