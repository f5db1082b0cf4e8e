// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Vector moves between registers and memory: what guests use on device memory (MOVQ, MOVD, MOVDQx,
 * MOVxPS, MOVxPD, MOVNTx, their VEX forms, MMX). Registers are reached through read_vec and
 * write_vec. Exceptions: SDM vol. 2, 2.4-2.5 and tables 2-22 ff. Arithmetic is in sse_packed.c.
 */
#include "internal.h"
#include "handlers.h"
#include "sse.h"

int sse_read_vec(struct x86_emul *s, unsigned int reg, void *buf, unsigned int bytes)
{
	return s->ops->read_vec ? s->ops->read_vec(reg, buf, bytes, s->ctxt) : X86EMUL_UNHANDLEABLE;
}

int sse_write_vec(struct x86_emul *s, unsigned int reg, const void *buf, unsigned int bytes)
{
	if (!s->ops->write_vec)
		return X86EMUL_UNHANDLEABLE;
	return s->ops->write_vec(reg, buf, bytes, s->insn.prefixes & X86_PFX_VEX, s->ctxt);
}

int sse_enabled(struct x86_emul *s, bool mmx)
{
	bool vex = s->insn.prefixes & X86_PFX_VEX;
	uint64_t cr0, cr4;
	int rc = em_cr(s, 0, &cr0);

	if (rc == X86EMUL_OKAY)
		rc = em_cr(s, 4, &cr4);
	if (rc != X86EMUL_OKAY)
		return rc;
	if (!(s->ctxt->features & (mmx ? X86_FEAT_MMX : X86_FEAT_SSE)))
		return em_ud(s);
	if (vex ? !(cr4 & X86_CR4_OSXSAVE)
		: (cr0 & X86_CR0_EM || (!mmx && !(cr4 & X86_CR4_OSFXSR))))
		return em_ud(s);
	return cr0 & X86_CR0_TS ? em_fault(s, X86_EXC_NM, 0) : X86EMUL_OKAY;
}

static unsigned int vector_bytes(const struct x86_emul *s)
{
	return s->insn.vex_l ? 32 : 16;
}

/* Misaligned is #GP, also where the address itself would be #SS. */
static int vector_linear(struct x86_emul *s, unsigned int bytes, bool aligned, unsigned int acc,
			 uint64_t *lin)
{
	struct x86_segment ss = { .base = 0 };
	int rc;

	if (aligned && s->insn.seg == X86_SEG_SS) {
		rc = em_mode64(s->ctxt) ? X86EMUL_OKAY : em_segment(s, X86_SEG_SS, &ss);
		if (rc != X86EMUL_OKAY)
			return rc;
		if ((ss.base + s->insn.ea) & (bytes - 1))
			return em_gp(s);
	}
	rc = em_linear(s, s->insn.seg, s->insn.ea, bytes, acc, lin);
	if (rc != X86EMUL_OKAY)
		return rc;
	return aligned && *lin & (bytes - 1) ? em_gp(s) : X86EMUL_OKAY;
}

int sse_read_rm(struct x86_emul *s, void *buf, unsigned int bytes, bool mmx, bool aligned)
{
	uint64_t lin;
	int rc;

	if (!s->insn.is_mem)
		return sse_read_vec(s, mmx ? s->insn.rm & 7 : s->insn.rm, buf, bytes);
	rc = vector_linear(s, bytes, aligned, 0, &lin);
	if (rc != X86EMUL_OKAY)
		return rc;
	return s->ops->read ? s->ops->read(lin, buf, bytes, 0, s->ctxt) : X86EMUL_UNHANDLEABLE;
}

static int write_rm(struct x86_emul *s, const void *buf, unsigned int bytes, bool aligned)
{
	uint64_t lin;
	int rc;

	if (!s->insn.is_mem)
		return sse_write_vec(s, s->insn.rm, buf, bytes);
	rc = vector_linear(s, bytes, aligned, X86_ACC_WRITE, &lin);
	if (rc != X86EMUL_OKAY)
		return rc;
	return s->ops->write ? s->ops->write(lin, buf, bytes, X86_ACC_WRITE, s->ctxt)
			     : X86EMUL_UNHANDLEABLE;
}

static int load(struct x86_emul *s, bool aligned)
{
	uint8_t buf[32];
	int rc = sse_enabled(s, false);

	if (rc == X86EMUL_OKAY)
		rc = sse_read_rm(s, buf, vector_bytes(s), false, aligned);
	return rc == X86EMUL_OKAY ? sse_write_vec(s, s->insn.reg, buf, vector_bytes(s)) : rc;
}

static int store(struct x86_emul *s, bool aligned)
{
	uint8_t buf[32];
	int rc = sse_enabled(s, false);

	if (rc == X86EMUL_OKAY)
		rc = sse_read_vec(s, s->insn.reg, buf, vector_bytes(s));
	return rc == X86EMUL_OKAY ? write_rm(s, buf, vector_bytes(s), aligned) : rc;
}

int sse_load(struct x86_emul *s)
{
	return load(s, false);
}

int sse_load_aligned(struct x86_emul *s)
{
	return load(s, true);
}

int sse_store(struct x86_emul *s)
{
	return store(s, false);
}

int sse_store_aligned(struct x86_emul *s)
{
	return store(s, true);
}

/* MOVSS, MOVSD, MOVQ xmm, r/m: from memory the rest is cleared, between registers it is kept. */
static int load_scalar(struct x86_emul *s, unsigned int bytes, bool merge)
{
	uint8_t old[16], buf[16] = { 0 };
	int rc = sse_enabled(s, false);

	if (rc != X86EMUL_OKAY)
		return rc;
	if (s->insn.is_mem) {
		rc = sse_read_rm(s, buf, bytes, false, false);
	} else {
		rc = sse_read_vec(s, s->insn.rm, old, 16);
		em_copy(buf, old, bytes);
		if (rc == X86EMUL_OKAY && merge) {
			rc = sse_read_vec(s, s->insn.reg, old, 16);
			em_copy(buf + bytes, old + bytes, 16 - bytes);
		}
	}
	return rc == X86EMUL_OKAY ? sse_write_vec(s, s->insn.reg, buf, 16) : rc;
}

static int store_scalar(struct x86_emul *s, unsigned int bytes, bool merge)
{
	uint8_t val[16], buf[16] = { 0 };
	int rc = sse_enabled(s, false);

	if (rc == X86EMUL_OKAY)
		rc = sse_read_vec(s, s->insn.reg, val, 16);
	if (rc != X86EMUL_OKAY)
		return rc;
	if (s->insn.is_mem)
		return write_rm(s, val, bytes, false);
	if (merge)
		rc = sse_read_vec(s, s->insn.rm, buf, 16);
	em_copy(buf, val, bytes);
	return rc == X86EMUL_OKAY ? sse_write_vec(s, s->insn.rm, buf, 16) : rc;
}

int sse_movss_load(struct x86_emul *s)
{
	return load_scalar(s, 4, true);
}

int sse_movss_store(struct x86_emul *s)
{
	return store_scalar(s, 4, true);
}

int sse_movsd_load(struct x86_emul *s)
{
	return load_scalar(s, 8, true);
}

int sse_movsd_store(struct x86_emul *s)
{
	return store_scalar(s, 8, true);
}

int sse_movq_load(struct x86_emul *s)
{
	return load_scalar(s, 8, false);
}

int sse_movq_store(struct x86_emul *s)
{
	return store_scalar(s, 8, false);
}

/* MOVLPS/MOVLPD (12) and MOVHPS/MOVHPD (16); between registers MOVHLPS and MOVLHPS. */
int sse_half_load(struct x86_emul *s)
{
	bool high = s->insn.opcode & 4;
	uint64_t from[2], to[2];
	int rc = sse_enabled(s, false);

	if (rc == X86EMUL_OKAY)
		rc = sse_read_vec(s, s->insn.reg, to, 16);
	if (rc != X86EMUL_OKAY)
		return rc;
	if (s->insn.is_mem) {
		rc = sse_read_rm(s, &to[high], 8, false, false);
	} else {
		rc = sse_read_vec(s, s->insn.rm, from, 16);
		to[high] = from[!high];
	}
	return rc == X86EMUL_OKAY ? sse_write_vec(s, s->insn.reg, to, 16) : rc;
}

int sse_half_store(struct x86_emul *s)
{
	uint64_t val[2];
	int rc = sse_enabled(s, false);

	if (rc == X86EMUL_OKAY)
		rc = sse_read_vec(s, s->insn.reg, val, 16);
	return rc == X86EMUL_OKAY ? write_rm(s, &val[s->insn.opcode >> 2 & 1], 8, false) : rc;
}

/* MOVD and MOVQ between a vector register and r/m32 or r/m64; no 66 prefix means MMX. */
static bool is_mmx(const struct x86_emul *s)
{
	return !(s->insn.prefixes & (X86_PFX_OPSZ | X86_PFX_REP | X86_PFX_REPNE));
}

static unsigned int gpr_bytes(const struct x86_emul *s)
{
	return s->insn.rex & X86_REX_W ? 8 : 4;
}

int sse_movd_load(struct x86_emul *s)
{
	uint64_t val[2] = { 0, 0 };
	bool mmx = is_mmx(s);
	int rc = sse_enabled(s, mmx);

	if (rc != X86EMUL_OKAY)
		return rc;
	if (s->insn.is_mem)
		rc = em_read(s, s->insn.seg, s->insn.ea, val, gpr_bytes(s), 0);
	else
		val[0] = em_reg_read(s, s->insn.rm, gpr_bytes(s));
	if (rc != X86EMUL_OKAY)
		return rc;
	return sse_write_vec(s, mmx ? s->insn.reg & 7 : s->insn.reg, val, mmx ? 8 : 16);
}

int sse_movd_store(struct x86_emul *s)
{
	uint64_t val[2];
	bool mmx = is_mmx(s);
	int rc = sse_enabled(s, mmx);

	if (rc == X86EMUL_OKAY)
		rc = sse_read_vec(s, mmx ? s->insn.reg & 7 : s->insn.reg, val, mmx ? 8 : 16);
	if (rc != X86EMUL_OKAY)
		return rc;
	if (s->insn.is_mem)
		return em_write(s, s->insn.seg, s->insn.ea, val, gpr_bytes(s), 0);
	s->defer_bytes = gpr_bytes(s);
	s->defer_reg = s->insn.rm;
	s->defer_val = val[0];
	return X86EMUL_OKAY;
}

/* MOVQ mm, mm/m64 and back, MOVNTQ. */
int sse_mmx_load(struct x86_emul *s)
{
	uint64_t val;
	int rc = sse_enabled(s, true);

	if (rc != X86EMUL_OKAY)
		return rc;
	if (s->insn.is_mem)
		rc = em_read(s, s->insn.seg, s->insn.ea, &val, 8, 0);
	else
		rc = sse_read_vec(s, s->insn.rm & 7, &val, 8);
	return rc == X86EMUL_OKAY ? sse_write_vec(s, s->insn.reg & 7, &val, 8) : rc;
}

int sse_mmx_store(struct x86_emul *s)
{
	uint64_t val;
	int rc = sse_enabled(s, true);

	if (rc == X86EMUL_OKAY)
		rc = sse_read_vec(s, s->insn.reg & 7, &val, 8);
	if (rc != X86EMUL_OKAY)
		return rc;
	if (s->insn.is_mem)
		return em_write(s, s->insn.seg, s->insn.ea, &val, 8, 0);
	return sse_write_vec(s, s->insn.rm & 7, &val, 8);
}
