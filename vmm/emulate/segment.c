// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Segment registers: descriptor tables, the checks of SDM vol. 3A 5.5-5.8, and
 * MOV/LxS/LLDT/LTR/LAR/LSL/VERR/VERW/ARPL. Far transfers (far.c) load CS and an outer level's SS through
 * this. Gates and task switches are X86EMUL_UNHANDLEABLE here; gate.c has call gates.
 */
#include "internal.h"
#include "handlers.h"

#define TYPE_LDT	 2
#define TYPE_TSS16_AVAIL 1
#define TYPE_TSS_AVAIL	 9

void segment_unpack(uint16_t sel, uint64_t desc, struct x86_segment *out)
{
	out->sel = sel;
	out->attr = ((desc >> 40) & 0xff) | ((desc >> 44) & 0xf00);
	out->base = ((desc >> 16) & 0xffffff) | ((desc >> 32) & 0xff000000);
	out->limit = (desc & 0xffff) | ((desc >> 32) & 0xf0000);
	if (desc & DESC_G)
		out->limit = out->limit << 12 | 0xfff;
}

static bool is_null(uint16_t sel)
{
	return !(sel & ~3);
}

/*
 * Reads a descriptor, 16 bytes of it for system descriptors in long mode (desc[1], else 0).
 * Outside its table: `vector` with the selector. *lin is where it is.
 */
int segment_read_descriptor(struct x86_emul *s, uint16_t sel, uint64_t desc[2], uint64_t *lin,
			    unsigned int vector)
{
	enum x86_seg table = sel & 4 ? X86_SEG_LDTR : X86_SEG_GDTR;
	struct x86_segment sr;
	unsigned int off = sel & ~7U;
	int rc = em_segment(s, table, &sr);

	if (rc != X86EMUL_OKAY)
		return rc;
	if ((table == X86_SEG_LDTR && !(sr.attr & X86_ATTR_P)) || off + 7 > sr.limit)
		return em_fault(s, vector, sel & ~3U);
	desc[1] = 0;
	rc = em_linear(s, table, off, 8, 0, lin);
	if (rc == X86EMUL_OKAY)
		rc = em_read(s, table, off, &desc[0], 8, X86_ACC_SYSTEM);
	if (rc != X86EMUL_OKAY || desc[0] & DESC_S || !em_long_mode(s->ctxt))
		return rc;
	if (off + 15 > sr.limit)
		return em_fault(s, vector, sel & ~3U);
	return em_read(s, table, off + 8, &desc[1], 8, X86_ACC_SYSTEM);
}

/* Sets the accessed or busy bit in the table, as the CPU does with a locked cycle. */
static int segment_set_type_bit(struct x86_emul *s, uint64_t lin, uint64_t desc, uint64_t bit)
{
	uint64_t val = desc | bit;

	if (desc & bit)
		return X86EMUL_OKAY;
	while (s->ops->cmpxchg) {
		int rc = s->ops->cmpxchg(lin, &desc, &val, 8, s->ctxt);

		if (rc != X86EMUL_CMPXCHG_FAILED)
			return rc;
		val = desc | bit;
	}
	if (!s->ops->write)
		return X86EMUL_UNHANDLEABLE;
	return s->ops->write(lin, &val, 8, X86_ACC_WRITE | X86_ACC_SYSTEM, s->ctxt);
}

/* Real and VM86 mode: the base follows the selector; real mode keeps limit and attributes. */
static int load_real(struct x86_emul *s, enum x86_seg seg, uint16_t sel, struct x86_segment *out)
{
	int rc = em_segment(s, seg, out);

	out->sel = sel;
	out->base = (uint64_t)sel << 4;
	if (s->ctxt->mode == X86_MODE_VM86) {
		out->limit = 0xffff;
		out->attr = X86_ATTR_P | X86_ATTR_S | 3U << 5 | 3;
	}
	return rc;
}

static int load_null(struct x86_emul *s, enum x86_seg seg, uint16_t sel, unsigned int cpl,
		     struct x86_segment *out)
{
	int rc;

	if (seg == X86_SEG_CS ||
	    (seg == X86_SEG_SS && !(em_mode64(s->ctxt) && cpl < 3 && (sel & 3) == cpl)))
		return em_gp(s);
	rc = em_segment(s, seg, out);
	out->sel = sel;
	out->attr = seg == X86_SEG_SS ? (uint16_t)(cpl << 5) : 0;
	if (s->ctxt->vendor == X86_VENDOR_INTEL) { /* AMD keeps base and limit */
		out->base = 0;
		out->limit = 0;
	}
	return rc;
}

static bool data_ok(const struct x86_emul *s, uint16_t sel, uint64_t desc)
{
	unsigned int type = DESC_TYPE(desc), dpl = DESC_DPL(desc), rpl = sel & 3;

	if (!(desc & DESC_S) || (type & 0xa) == 8) /* system, or code that is not readable */
		return false;
	return (type & 0xc) == 0xc || (dpl >= s->ctxt->cpl && dpl >= rpl);
}

static bool stack_ok(uint16_t sel, unsigned int cpl, uint64_t desc)
{
	return desc & DESC_S && (DESC_TYPE(desc) & 0xa) == 2 && (sel & 3) == cpl &&
	       DESC_DPL(desc) == cpl;
}

/* Code segments for far JMP, CALL, RET and IRET; the last two may go to an outer level. */
static int check_code(struct x86_emul *s, uint16_t sel, uint64_t desc, enum seg_load how)
{
	unsigned int type = DESC_TYPE(desc), dpl = DESC_DPL(desc), rpl = sel & 3;
	bool returning = how == SEG_LOAD_RET || how == SEG_LOAD_IRET;

	if (!(desc & DESC_S)) { /* gates and TSSs; types 0, 2, 8, 10, 13, ... are errors */
		bool gate = (1U << type) & (em_long_mode(s->ctxt) ? 0x1000U : 0x1232U);

		return gate && !returning ? X86EMUL_UNHANDLEABLE
					  : em_fault(s, X86_EXC_GP, sel & ~3U);
	}
	if (!(type & 8))
		return em_fault(s, X86_EXC_GP, sel & ~3U);
	if (returning) {
		if (rpl < s->ctxt->cpl || (type & 4 ? dpl > rpl : dpl != rpl))
			return em_fault(s, X86_EXC_GP, sel & ~3U);
	} else if (how == SEG_LOAD_GATE) { /* CALL: code of an inner level may be reached */
		if (dpl > s->ctxt->cpl)
			return em_fault(s, X86_EXC_GP, sel & ~3U);
	} else if (type & 4 ? dpl > s->ctxt->cpl : rpl > s->ctxt->cpl || dpl != s->ctxt->cpl) {
		return em_fault(s, X86_EXC_GP, sel & ~3U);
	}
	if (em_long_mode(s->ctxt) && desc & DESC_L && desc & DESC_DB)
		return em_fault(s, X86_EXC_GP, sel & ~3U);
	return X86EMUL_OKAY;
}

/*
 * All checks of a load into ES, CS, SS, DS, FS or GS; sets the accessed bit; no register changes.
 * cpl is the level at which SS will be used.
 */
static int load(struct x86_emul *s, enum x86_seg seg, uint16_t sel, enum seg_load how,
		unsigned int cpl, struct x86_segment *out)
{
	uint64_t desc[2] = { 0 }, lin = 0;
	int rc;

	if (!em_protected(s->ctxt))
		return load_real(s, seg, sel, out);
	if (is_null(sel))
		return load_null(s, seg, sel, cpl, out);
	rc = segment_read_descriptor(s, sel, desc, &lin, X86_EXC_GP);
	if (rc != X86EMUL_OKAY)
		return rc;
	if (seg == X86_SEG_CS) {
		rc = check_code(s, sel, desc[0], how);
		if (rc != X86EMUL_OKAY)
			return rc;
		if (how == SEG_LOAD_GATE && !(desc[0] & DESC_CONFORMING))
			sel = (uint16_t)((sel & ~3) | DESC_DPL(desc[0]));
		else if (how != SEG_LOAD_RET && how != SEG_LOAD_IRET)
			sel = (sel & ~3) | s->ctxt->cpl;
	} else if (seg == X86_SEG_SS ? !stack_ok(sel, cpl, desc[0]) : !data_ok(s, sel, desc[0])) {
		return em_fault(s, X86_EXC_GP, sel & ~3U);
	}
	if (!(desc[0] & DESC_P))
		return em_fault(s, seg == X86_SEG_SS ? X86_EXC_SS : X86_EXC_NP, sel & ~3U);
	rc = segment_set_type_bit(s, lin, desc[0], DESC_ACCESSED);
	if (rc == X86EMUL_OKAY)
		segment_unpack(sel, desc[0] | DESC_ACCESSED, out);
	return rc;
}

int segment_load(struct x86_emul *s, enum x86_seg seg, uint16_t sel, enum seg_load how,
		 struct x86_segment *out)
{
	return load(s, seg, sel, how, s->ctxt->cpl, out);
}

int segment_load_ss(struct x86_emul *s, uint16_t sel, unsigned int cpl, struct x86_segment *out)
{
	return load(s, X86_SEG_SS, sel, SEG_LOAD_DATA, cpl, out);
}

int segment_check_ip(struct x86_emul *s, const struct x86_segment *cs, uint64_t ip)
{
	if (em_code64(s->ctxt, cs))
		return em_canonical(s->ctxt, ip) ? X86EMUL_OKAY : em_gp(s);
	return ip <= cs->limit ? X86EMUL_OKAY : em_gp(s);
}

/* CS with the check of the new instruction pointer that goes with it. */
int segment_load_cs(struct x86_emul *s, uint16_t sel, uint64_t ip, enum seg_load how,
		    struct x86_segment *out)
{
	int rc = segment_load(s, X86_SEG_CS, sel, how, out);

	return rc == X86EMUL_OKAY ? segment_check_ip(s, out, ip) : rc;
}

int segment_hide(struct x86_emul *s, enum x86_seg seg, unsigned int cpl)
{
	struct x86_segment sr;
	unsigned int type;
	int rc = em_segment(s, seg, &sr);

	if (rc != X86EMUL_OKAY)
		return rc;
	type = sr.attr & 0xf;
	if (is_null(sr.sel) || (type & 0xc) == 0xc || (sr.attr >> 5 & 3) >= cpl)
		return X86EMUL_OKAY;
	rc = load_null(s, seg, 0, cpl, &sr);
	return rc == X86EMUL_OKAY ? s->ops->write_segment(seg, &sr, s->ctxt) : rc;
}

int segment_load_register(struct x86_emul *s, enum x86_seg seg, uint16_t sel)
{
	struct x86_segment sr;
	int rc = segment_load(s, seg, sel, SEG_LOAD_DATA, &sr);

	if (rc != X86EMUL_OKAY)
		return rc;
	return s->ops->write_segment ? s->ops->write_segment(seg, &sr, s->ctxt)
				     : X86EMUL_UNHANDLEABLE;
}

/* MOV Sreg, r/m16 */
int segment_mov_to(struct x86_emul *s)
{
	enum x86_seg seg = s->insn.reg & 7;
	int rc;

	rc = segment_load_register(s, seg, (uint16_t)s->src.val);
	if (rc == X86EMUL_OKAY && seg == X86_SEG_SS)
		s->ctxt->retire.mov_ss = true;
	return rc;
}

/* MOV r/m, Sreg: 16 bits to memory, the operand size (zero-extended) to a register. */
int segment_mov_from(struct x86_emul *s)
{
	struct x86_segment sr;
	enum x86_seg seg = s->insn.reg & 7;
	int rc;

	rc = em_segment(s, seg, &sr);
	if (rc != X86EMUL_OKAY)
		return rc;
	return segment_store_word(s, sr.sel);
}

/* A 16-bit result to memory, or zero-extended into a register of the operand size. */
int segment_store_word(struct x86_emul *s, uint16_t val)
{
	if (s->insn.is_mem)
		return em_write(s, s->insn.seg, s->insn.ea, &val, 2, 0);
	s->defer_bytes = s->insn.op_bytes;
	s->defer_reg = s->insn.rm;
	s->defer_val = val;
	return X86EMUL_OKAY;
}

/* LES, LDS, LSS, LFS, LGS */
int segment_load_far_pointer(struct x86_emul *s)
{
	static const uint8_t by_low_bits[8] = { X86_SEG_NONE, X86_SEG_NONE, X86_SEG_SS,
						X86_SEG_NONE, X86_SEG_FS,   X86_SEG_GS,
						X86_SEG_NONE, X86_SEG_NONE };
	enum x86_seg seg = by_low_bits[s->insn.opcode & 7];
	unsigned int bytes = s->insn.op_bytes;
	uint64_t off = 0, sel = 0, lin;
	int rc;

	if (s->insn.opcode < 0x100)
		seg = s->insn.opcode == 0xc4 ? X86_SEG_ES : X86_SEG_DS;
	if (bytes == 8 && s->ctxt->vendor == X86_VENDOR_AMD)
		bytes = 4; /* APM: REX.W is ignored */
	rc = em_linear(s, s->insn.seg, s->insn.ea, bytes + 2, 0, &lin);
	if (rc == X86EMUL_OKAY)
		rc = em_read(s, s->insn.seg, s->insn.ea, &off, bytes, 0);
	if (rc == X86EMUL_OKAY)
		rc = em_read(s, s->insn.seg, (s->insn.ea + bytes) & em_mask(s->insn.ad_bytes), &sel,
			     2, 0);
	if (rc == X86EMUL_OKAY)
		rc = segment_load_register(s, seg, (uint16_t)sel);
	s->defer_bytes = bytes;
	s->defer_reg = s->insn.reg;
	s->defer_val = off;
	return rc;
}

/* LLDT and LTR. */
static int load_system(struct x86_emul *s, enum x86_seg seg, uint16_t sel)
{
	uint64_t desc[2] = { 0, 0 }, lin;
	struct x86_segment sr = { .sel = sel };
	unsigned int type;
	bool ok;
	int rc;

	if (!s->ops->write_segment)
		return X86EMUL_UNHANDLEABLE;
	if (is_null(sel))
		return seg == X86_SEG_TR ? em_gp(s) : s->ops->write_segment(seg, &sr, s->ctxt);
	if (sel & 4)
		return em_fault(s, X86_EXC_GP, sel & ~3U);
	rc = segment_read_descriptor(s, sel, desc, &lin, X86_EXC_GP);
	if (rc != X86EMUL_OKAY)
		return rc;
	type = DESC_TYPE(desc[0]);
	if (seg == X86_SEG_LDTR)
		ok = type == TYPE_LDT;
	else
		ok = type == TYPE_TSS_AVAIL || (type == TYPE_TSS16_AVAIL && !em_long_mode(s->ctxt));
	if (desc[0] & DESC_S || !ok)
		return em_fault(s, X86_EXC_GP, sel & ~3U);
	if (!(desc[0] & DESC_P))
		return em_fault(s, X86_EXC_NP, sel & ~3U);
	segment_unpack(sel, desc[0], &sr);
	sr.base |= desc[1] << 32;
	if (em_long_mode(s->ctxt) && !em_canonical(s->ctxt, sr.base))
		return em_fault(s, X86_EXC_GP, sel & ~3U);
	if (seg == X86_SEG_TR) {
		rc = segment_set_type_bit(s, lin, desc[0], DESC_BUSY);
		if (rc != X86EMUL_OKAY)
			return rc;
		sr.attr |= 2;
	}
	return s->ops->write_segment(seg, &sr, s->ctxt);
}

int segment_lldt(struct x86_emul *s)
{
	return load_system(s, X86_SEG_LDTR, (uint16_t)s->src.val);
}

int segment_ltr(struct x86_emul *s)
{
	return load_system(s, X86_SEG_TR, (uint16_t)s->src.val);
}
