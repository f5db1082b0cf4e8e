// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two- and one-operand integer arithmetic and logic, moves, exchanges. Handlers compute
 * dst.val and pending flags from dst.orig and src; emulate.c reads and writes the operands.
 */
#include "internal.h"
#include "handlers.h"

/* Flags of r = a + b + carry, all cut to `bytes`. */
static uint64_t add_flags(uint64_t a, uint64_t b, uint64_t r, unsigned int bytes)
{
	uint64_t sign = em_sign_bit(bytes), fl = em_flags_szp(r, bytes);

	if (((a & b) | ((a | b) & ~r)) & sign)
		fl |= X86_EFLAGS_CF;
	if ((a ^ r) & (b ^ r) & sign)
		fl |= X86_EFLAGS_OF;
	return fl | ((a ^ b ^ r) & X86_EFLAGS_AF);
}

/* Flags of r = a - b - borrow. */
static uint64_t sub_flags(uint64_t a, uint64_t b, uint64_t r, unsigned int bytes)
{
	uint64_t sign = em_sign_bit(bytes), fl = em_flags_szp(r, bytes);

	if (((~a & b) | ((~a | b) & r)) & sign)
		fl |= X86_EFLAGS_CF;
	if ((a ^ b) & (a ^ r) & sign)
		fl |= X86_EFLAGS_OF;
	return fl | ((a ^ b ^ r) & X86_EFLAGS_AF);
}

static void do_add(struct x86_emul *s, uint64_t carry)
{
	uint64_t a = s->dst.val, r = a + s->src.val + carry;

	em_set_flags(s, FL_ARITH, add_flags(a, s->src.val, r, s->dst.bytes));
	s->dst.val = r;
}

static void do_sub(struct x86_emul *s, uint64_t borrow)
{
	uint64_t a = s->dst.val, r = a - s->src.val - borrow;

	em_set_flags(s, FL_ARITH, sub_flags(a, s->src.val, r, s->dst.bytes));
	s->dst.val = r;
}

static int logic(struct x86_emul *s, uint64_t r)
{
	em_set_flags(s, FL_ARITH, em_flags_szp(r, s->dst.bytes));
	s->dst.val = r;
	return X86EMUL_OKAY;
}

int alu_add(struct x86_emul *s)
{
	do_add(s, 0);
	return X86EMUL_OKAY;
}

int alu_adc(struct x86_emul *s)
{
	do_add(s, s->rflags & X86_EFLAGS_CF);
	return X86EMUL_OKAY;
}

int alu_sub(struct x86_emul *s)
{
	do_sub(s, 0);
	return X86EMUL_OKAY;
}

int alu_sbb(struct x86_emul *s)
{
	do_sub(s, s->rflags & X86_EFLAGS_CF);
	return X86EMUL_OKAY;
}

int alu_and(struct x86_emul *s)
{
	return logic(s, s->dst.val & s->src.val);
}

int alu_or(struct x86_emul *s)
{
	return logic(s, s->dst.val | s->src.val);
}

int alu_xor(struct x86_emul *s)
{
	return logic(s, s->dst.val ^ s->src.val);
}

/* The flags of a - b, for CMPS and SCAS. */
void alu_compare(struct x86_emul *s, uint64_t a, uint64_t b, unsigned int bytes)
{
	em_set_flags(s, FL_ARITH, sub_flags(a, b, a - b, bytes));
}

int alu_inc(struct x86_emul *s)
{
	uint64_t cf = s->rflags & X86_EFLAGS_CF;

	s->src.val = 1;
	do_add(s, 0);
	em_set_flags(s, X86_EFLAGS_CF, cf);
	return X86EMUL_OKAY;
}

int alu_dec(struct x86_emul *s)
{
	uint64_t cf = s->rflags & X86_EFLAGS_CF;

	s->src.val = 1;
	do_sub(s, 0);
	em_set_flags(s, X86_EFLAGS_CF, cf);
	return X86EMUL_OKAY;
}

int alu_neg(struct x86_emul *s)
{
	s->src.val = s->dst.val;
	s->dst.val = 0;
	do_sub(s, 0);
	return X86EMUL_OKAY;
}

int alu_not(struct x86_emul *s)
{
	s->dst.val = ~s->dst.val;
	return X86EMUL_OKAY;
}

int alu_mov(struct x86_emul *s)
{
	s->dst.val = s->src.val;
	return X86EMUL_OKAY;
}

int alu_movsx(struct x86_emul *s)
{
	s->dst.val = em_sext(s->src.val, s->src.bytes);
	return X86EMUL_OKAY;
}

/* MOVSXD in 64-bit code; Intel reads 2 bytes with a 16-bit operand size. ARPL elsewhere. */
int alu_movsxd(struct x86_emul *s)
{
	unsigned int bytes = s->insn.op_bytes == 2 && s->ctxt->vendor == X86_VENDOR_INTEL ? 2 : 4;
	uint64_t val;
	int rc;

	if (!em_mode64(s->ctxt))
		return selector_arpl(s);
	if (s->insn.is_mem) {
		rc = em_read_val(s, s->insn.seg, s->insn.ea, &val, bytes);
		if (rc != X86EMUL_OKAY)
			return rc;
	} else {
		val = em_reg_read(s, s->insn.rm, bytes);
	}
	s->defer_bytes = s->insn.op_bytes;
	s->defer_reg = s->insn.reg;
	s->defer_val = em_sext(val, bytes);
	return X86EMUL_OKAY;
}

int alu_lea(struct x86_emul *s)
{
	s->dst.val = s->insn.ea;
	return X86EMUL_OKAY;
}

static void exchange(struct x86_emul *s, uint64_t other)
{
	s->defer_bytes = s->src.bytes;
	s->defer_reg = s->src.reg;
	s->defer_val = other;
}

int alu_xchg(struct x86_emul *s)
{
	exchange(s, s->dst.orig);
	s->dst.val = s->src.val;
	return X86EMUL_OKAY;
}

/*
 * 90 is NOP (PAUSE with F3) unless REX.B makes it XCHG r8, rAX. With both F3 and REX.B, which the manuals
 * leave open, Intel's processors pause and AMD's exchange.
 */
int alu_nop_xchg(struct x86_emul *s)
{
	bool pause = s->insn.prefixes & X86_PFX_REP && s->ctxt->vendor == X86_VENDOR_INTEL;

	if (!(s->insn.rex & X86_REX_B) || pause) {
		s->dst.kind = OPK_NONE;
		return X86EMUL_OKAY;
	}
	return alu_xchg(s);
}

int alu_nop(struct x86_emul *s)
{
	(void)s;
	return X86EMUL_OKAY;
}

/* Source register gets the old destination; when both are the same register the sum stays. */
int alu_xadd(struct x86_emul *s)
{
	uint64_t old = s->dst.orig;

	do_add(s, 0);
	if (s->dst.kind != OPK_REG || s->dst.reg != s->src.reg)
		exchange(s, old);
	return X86EMUL_OKAY;
}

/* The destination is written in either case (SDM: to keep the bus cycle the same). */
int alu_cmpxchg(struct x86_emul *s)
{
	unsigned int bytes = s->dst.bytes;
	uint64_t acc = em_reg_read(s, X86_RAX, bytes), old = s->dst.orig;

	alu_compare(s, acc, old, bytes);
	if (s->rflags & X86_EFLAGS_ZF) {
		s->dst.val = s->src.val;
		return X86EMUL_OKAY;
	}
	s->defer_bytes = bytes;
	s->defer_reg = X86_RAX;
	s->defer_val = old;
	s->dst.val = old;
	if (s->dst.kind == OPK_REG && bytes == 4) /* a register destination is not zero-extended */
		s->dst.kind = OPK_NONE;
	return X86EMUL_OKAY;
}

/* CMPXCHG8B and CMPXCHG16B; SDM: CMPXCHG16B faults when not aligned. */
int alu_cmpxchg8b(struct x86_emul *s)
{
	unsigned int half = s->insn.op_bytes == 8 ? 8 : 4, bytes = 2 * half;
	uint64_t *gpr = s->regs->gpr, mask = em_mask(half), lo, hi;
	union {
		uint32_t d[4];
		uint64_t q[2];
	} old, val;
	bool equal, lock = s->insn.prefixes & X86_PFX_LOCK;
	int rc;

	if (half == 8 && !(s->ctxt->features & X86_FEAT_CX16))
		return em_ud(s);
	rc = em_linear(s, s->insn.seg, s->insn.ea, bytes, X86_ACC_WRITE, &s->dst.lin);
	if (rc != X86EMUL_OKAY)
		return rc;
	if (half == 8 && s->dst.lin & 15)
		return em_gp(s);
	if (!s->ops->read)
		return X86EMUL_UNHANDLEABLE;
	do {
		rc = s->ops->read(s->dst.lin, &old, bytes, X86_ACC_WRITE | X86_ACC_RMW, s->ctxt);
		if (rc != X86EMUL_OKAY)
			return rc;
		lo = half == 8 ? old.q[0] : old.d[0];
		hi = half == 8 ? old.q[1] : old.d[1];
		equal = lo == (gpr[X86_RAX] & mask) && hi == (gpr[X86_RDX] & mask);
		val = old;
		if (equal && half == 8) {
			val.q[0] = gpr[X86_RBX];
			val.q[1] = gpr[X86_RCX];
		} else if (equal) {
			val.d[0] = gpr[X86_RBX];
			val.d[1] = gpr[X86_RCX];
		}
		rc = em_write_locked(s, &old, &val, bytes, lock);
	} while (rc == X86EMUL_CMPXCHG_FAILED);
	if (rc != X86EMUL_OKAY)
		return rc;
	em_set_flags(s, X86_EFLAGS_ZF, equal ? X86_EFLAGS_ZF : 0);
	if (!equal) {
		em_merge(&gpr[X86_RAX], lo, half);
		em_merge(&gpr[X86_RDX], hi, half);
	}
	return X86EMUL_OKAY;
}

/* SETcc */
int alu_setcc(struct x86_emul *s)
{
	s->dst.val = em_condition(s->rflags, s->insn.opcode & 15);
	return X86EMUL_OKAY;
}

/* CMOVcc reads its source in any case, and zero-extends a 32-bit destination in any case. */
int alu_cmovcc(struct x86_emul *s)
{
	if (em_condition(s->rflags, s->insn.opcode & 15))
		s->dst.val = s->src.val;
	return X86EMUL_OKAY;
}

/* CBW, CWDE, CDQE */
int alu_cbw(struct x86_emul *s)
{
	s->dst.val = em_sext(s->dst.orig, s->dst.bytes / 2);
	return X86EMUL_OKAY;
}

/* CWD, CDQ, CQO */
int alu_cwd(struct x86_emul *s)
{
	s->defer_bytes = s->insn.op_bytes;
	s->defer_reg = X86_RDX;
	s->defer_val = s->src.val & em_sign_bit(s->src.bytes) ? ~0ULL : 0;
	return X86EMUL_OKAY;
}

int alu_bswap(struct x86_emul *s)
{
	s->dst.val = s->dst.bytes == 8	 ? __builtin_bswap64(s->dst.orig)
		     : s->dst.bytes == 4 ? __builtin_bswap32(s->dst.orig)
					 : 0; /* undefined; what CPUs do */
	return X86EMUL_OKAY;
}

int alu_movdiri(struct x86_emul *s)
{
	return s->ctxt->features & X86_FEAT_MOVDIRI ? alu_mov(s) : em_ud(s);
}

int alu_movbe(struct x86_emul *s)
{
	if (!(s->ctxt->features & X86_FEAT_MOVBE))
		return em_ud(s);
	s->dst.val = __builtin_bswap64(s->src.val) >> (64 - 8 * s->src.bytes);
	return X86EMUL_OKAY;
}

/* XLAT: AL = [rBX + AL] */
int alu_xlat(struct x86_emul *s)
{
	uint64_t off = (s->regs->gpr[X86_RBX] + (s->regs->gpr[X86_RAX] & 0xff)) &
		       em_mask(s->insn.ad_bytes);

	s->defer_bytes = 1;
	s->defer_reg = X86_RAX;
	return em_read_val(s, s->insn.seg, off, &s->defer_val, 1);
}
