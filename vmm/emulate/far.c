// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Far CALL, JMP, RET and IRET: real mode, VM86, and protected mode (SDM vol. 2, operation sections;
 * vol. 3A 5.8.1, 5.8.6, 6.12). Call gates are in gate.c. Task switches and IRET to VM86 are X86EMUL_UNHANDLEABLE
 * before anything was changed.
 */
#include "internal.h"
#include "handlers.h"

static int set_cs(struct x86_emul *s, const struct x86_segment *cs, uint64_t ip)
{
	if (!s->ops->write_segment)
		return X86EMUL_UNHANDLEABLE;
	s->rip = ip;
	return s->ops->write_segment(X86_SEG_CS, cs, s->ctxt);
}

/* CS is loaded, and ip not looked at yet. */
static int go_to(struct x86_emul *s, const struct x86_segment *cs, uint64_t ip)
{
	int rc = segment_check_ip(s, cs, ip);

	return rc == X86EMUL_OKAY ? set_cs(s, cs, ip) : rc;
}

static int far_jmp(struct x86_emul *s, uint16_t sel, uint64_t ip)
{
	struct x86_segment cs;
	int rc = segment_load_cs(s, sel, ip, SEG_LOAD_JMP, &cs);

	if (rc == X86EMUL_UNHANDLEABLE && em_protected(s->ctxt))
		return gate_jmp(s, sel);
	return rc == X86EMUL_OKAY ? set_cs(s, &cs, ip) : rc;
}

static int far_call(struct x86_emul *s, uint16_t sel, uint64_t ip)
{
	unsigned int bytes = s->insn.op_bytes;
	struct x86_segment cs, old;
	int rc = em_segment(s, X86_SEG_CS, &old);

	if (rc == X86EMUL_OKAY)
		rc = segment_load_cs(s, sel, ip, SEG_LOAD_CALL, &cs);
	if (rc == X86EMUL_UNHANDLEABLE && em_protected(s->ctxt))
		return gate_call(s, sel);
	if (rc == X86EMUL_OKAY)
		rc = em_push(s, old.sel, bytes);
	if (rc == X86EMUL_OKAY)
		rc = em_push(s, s->rip, bytes);
	return rc == X86EMUL_OKAY ? set_cs(s, &cs, ip) : rc;
}

int far_jmp_imm(struct x86_emul *s)
{
	return far_jmp(s, s->insn.sel, s->insn.imm);
}

int far_call_imm(struct x86_emul *s)
{
	return far_call(s, s->insn.sel, s->insn.imm);
}

/* m16:16, m16:32, m16:64 (Intel; AMD ignores REX.W here). */
static int read_pointer(struct x86_emul *s, uint16_t *sel, uint64_t *ip)
{
	unsigned int bytes = s->insn.op_bytes;
	uint64_t lin;
	int rc;

	if (bytes == 8 && s->ctxt->vendor == X86_VENDOR_AMD)
		bytes = s->insn.op_bytes = 4;
	*ip = 0;
	rc = em_linear(s, s->insn.seg, s->insn.ea, bytes + 2, 0, &lin);
	if (rc == X86EMUL_OKAY)
		rc = em_read(s, s->insn.seg, s->insn.ea, ip, bytes, 0);
	if (rc == X86EMUL_OKAY)
		rc = em_read(s, s->insn.seg, (s->insn.ea + bytes) & em_mask(s->insn.ad_bytes), sel,
			     2, 0);
	return rc;
}

int far_jmp_mem(struct x86_emul *s)
{
	uint16_t sel;
	uint64_t ip;
	int rc = read_pointer(s, &sel, &ip);

	return rc == X86EMUL_OKAY ? far_jmp(s, sel, ip) : rc;
}

int far_call_mem(struct x86_emul *s)
{
	uint16_t sel;
	uint64_t ip;
	int rc = read_pointer(s, &sel, &ip);

	return rc == X86EMUL_OKAY ? far_call(s, sel, ip) : rc;
}

/* As much of rSP as the new stack's pointer has; the rest stays. */
static void set_outer_rsp(struct x86_emul *s, const struct x86_segment *cs,
			  const struct x86_segment *ss, uint64_t rsp)
{
	unsigned int bytes = ss->attr & X86_ATTR_DB ? 4 : 2;

	em_merge(&s->regs->gpr[X86_RSP], rsp, em_code64(s->ctxt, cs) ? 8 : bytes);
	s->rsp_dirty = false;
}

/*
 * CS is loaded; SS:rSP of its level are on the stack. The checks come before the first change. released: bytes that RETF
 * takes off both stacks.
 */
static int return_with_stack(struct x86_emul *s, const struct x86_segment *cs, uint64_t ip,
			     uint64_t released)
{
	static const enum x86_seg data[] = { X86_SEG_ES, X86_SEG_DS, X86_SEG_FS, X86_SEG_GS };
	unsigned int cpl = cs->sel & 3;
	struct x86_segment ss;
	uint64_t rsp, sel;
	int rc = em_pop(s, &rsp, s->insn.op_bytes);

	if (rc == X86EMUL_OKAY)
		rc = em_pop(s, &sel, s->insn.op_bytes);
	if (rc == X86EMUL_OKAY)
		rc = (sel & 0xfffc) || em_code64(s->ctxt, cs)
			     ? segment_load_ss(s, (uint16_t)sel, cpl, &ss)
			     : em_gp(s);
	if (rc == X86EMUL_OKAY)
		rc = go_to(s, cs, ip);
	if (rc == X86EMUL_OKAY)
		rc = s->ops->write_segment(X86_SEG_SS, &ss, s->ctxt);
	for (unsigned int i = 0; rc == X86EMUL_OKAY && i < 4 && cpl > s->ctxt->cpl; i++)
		rc = segment_hide(s, data[i], cpl);
	if (rc == X86EMUL_OKAY)
		set_outer_rsp(s, cs, &ss, rsp + released);
	return rc;
}

static bool is_outer(const struct x86_emul *s, const struct x86_segment *cs)
{
	return em_protected(s->ctxt) && (cs->sel & 3) > s->ctxt->cpl;
}

/* RETF and RETF imm16. */
int far_ret(struct x86_emul *s)
{
	unsigned int bytes = s->insn.op_bytes;
	struct x86_segment cs;
	uint64_t ip, sel;
	int rc = em_pop(s, &ip, bytes);

	if (rc == X86EMUL_OKAY)
		rc = em_pop(s, &sel, bytes);
	if (rc == X86EMUL_OKAY)
		rc = segment_load(s, X86_SEG_CS, (uint16_t)sel, SEG_LOAD_RET, &cs);
	if (rc != X86EMUL_OKAY)
		return rc;
	if (s->insn.imm)
		em_rsp_set(s, s->rsp + s->insn.imm);
	if (is_outer(s, &cs))
		return return_with_stack(s, &cs, ip, s->insn.imm);
	return go_to(s, &cs, ip);
}

static int iret_protected(struct x86_emul *s, uint16_t sel, uint64_t ip, uint64_t fl)
{
	uint64_t mask = flags_writable(s, s->insn.op_bytes);
	struct x86_segment cs;
	int rc;

	if (s->insn.op_bytes > 2 && !s->ctxt->cpl && s->ctxt->mode == X86_MODE_PROT) {
		if (fl & X86_EFLAGS_VM)
			return X86EMUL_UNHANDLEABLE;
		mask |= X86_EFLAGS_VIF | X86_EFLAGS_VIP;
	}
	if (s->insn.op_bytes > 2)
		mask |= X86_EFLAGS_RF;
	rc = segment_load(s, X86_SEG_CS, sel, SEG_LOAD_IRET, &cs);
	if (rc != X86EMUL_OKAY)
		return rc;
	/* 64-bit code has SS:RSP there at any level. */
	rc = em_mode64(s->ctxt) || is_outer(s, &cs) ? return_with_stack(s, &cs, ip, 0)
						    : go_to(s, &cs, ip);
	if (rc == X86EMUL_OKAY)
		em_set_flags(s, mask, fl);
	return rc;
}

/* Real mode, and VM86 with IOPL 3 (less is the monitor's business: #GP, or VME's, unhandled). */
static int iret_real(struct x86_emul *s, uint16_t sel, uint64_t ip, uint64_t fl)
{
	struct x86_segment cs;
	int rc = segment_load_cs(s, sel, ip, SEG_LOAD_IRET, &cs);

	if (rc != X86EMUL_OKAY)
		return rc;
	em_set_flags(
		s, flags_writable(s, s->insn.op_bytes) | (s->insn.op_bytes > 2 ? X86_EFLAGS_RF : 0),
		fl);
	return set_cs(s, &cs, ip);
}

static int iret_vm86_allowed(struct x86_emul *s)
{
	uint64_t cr4;
	int rc;

	if (s->ctxt->mode != X86_MODE_VM86 ||
	    (s->regs->rflags & X86_EFLAGS_IOPL) == X86_EFLAGS_IOPL)
		return X86EMUL_OKAY;
	rc = em_cr(s, 4, &cr4);
	if (rc != X86EMUL_OKAY)
		return rc;
	return cr4 & X86_CR4_VME ? X86EMUL_UNHANDLEABLE : em_gp(s);
}

int far_iret(struct x86_emul *s)
{
	unsigned int bytes = s->insn.op_bytes;
	uint64_t ip, sel, fl;
	int rc = iret_vm86_allowed(s);

	if (rc != X86EMUL_OKAY)
		return rc;
	if (em_protected(s->ctxt) && s->regs->rflags & X86_EFLAGS_NT)
		return em_long_mode(s->ctxt) ? em_gp(s) : X86EMUL_UNHANDLEABLE;
	rc = em_pop(s, &ip, bytes);
	if (rc == X86EMUL_OKAY)
		rc = em_pop(s, &sel, bytes);
	if (rc == X86EMUL_OKAY)
		rc = em_pop(s, &fl, bytes);
	if (rc != X86EMUL_OKAY)
		return rc;
	if (em_protected(s->ctxt))
		rc = iret_protected(s, (uint16_t)sel, ip, fl);
	else
		rc = iret_real(s, (uint16_t)sel, ip, fl);
	if (rc == X86EMUL_OKAY)
		s->ctxt->retire.unblock_nmi = true;
	return rc;
}
