// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hardware task switches, which both vendors leave to software. SDM volume 3, 7.2 (TSS layouts),
 * 7.3 (order of the steps, table 7-1 for the checks). Faults up to the point of commitment belong
 * to the old task, later ones to the new. Privilege of the gate or TSS descriptor was checked by
 * the processor before it exited.
 */
#include "guest_access.h"
#include "internal.h"

enum { BY_CALL, BY_IRET, BY_JMP, BY_GATE };

#define TSS32_LIMIT_MIN 0x67U
#define TSS16_LIMIT_MIN 0x2bU
#define TYPE_BUSY	BIT(1) /* in a TSS descriptor's type */
#define TYPE_32		BIT(3)
#define NO_EXCEPTION	(-1)
#define DR7_LOCAL	0x155U /* L0-L3 and LE end with the task */

struct tss32 {
	uint32_t link, stacks[6], cr3, eip, eflags, gpr[8];
	uint32_t es, cs, ss, ds, fs, gs, ldt;
	uint16_t trap, iomap;
} __packed;

struct tss16 {
	uint16_t link, stacks[6], ip, flags, gpr[8];
	uint16_t es, cs, ss, ds, ldt;
} __packed;

/* Both in one form; selectors by enum x86_seg's first six. */
struct task {
	uint32_t cr3, eip, eflags, gpr[8];
	uint16_t sel[6], ldt;
	bool is32, trap;
};

struct switch_ctx {
	struct vcpu *v;
	struct x86_segment old_tr, new_tr;
	uint64_t new_desc_la;
};

/* A fault's error code: the selector without RPL. */
static bool fault(struct vcpu *v, uint8_t vector, uint16_t sel)
{
	hvm_inject_exception(v, vector, true, sel & 0xfffc);
	return false;
}

/* System structures are read and written with supervisor rights. False: a fault was injected. */
static bool copy(struct vcpu *v, uint64_t la, void *buf, size_t len, uint32_t access)
{
	struct guest_fault f;
	int rc = guest_linear_copy(v, (uint32_t)la, buf, len, access | PFEC_IMPLICIT, &f);

	if (!rc)
		return true;
	if (rc == -EFAULT)
		hvm_inject_page_fault(v, f.pfec, f.la);
	else
		domain_crash(v->domain, "task switch: no memory at linear address %lx", f.la);
	return false;
}

static void decode_desc(uint64_t raw, uint16_t sel, struct x86_segment *s)
{
	s->sel = sel;
	s->attr = (uint16_t)((raw >> 40 & 0xff) | (raw >> 44 & 0xf00));
	s->base = (raw >> 16 & 0xffffff) | (raw >> 32 & 0xff000000);
	s->limit = (uint32_t)((raw & 0xffff) | (raw >> 32 & 0xf0000));
	if (s->attr & X86_ATTR_G)
		s->limit = s->limit << 12 | 0xfff;
}

/* Where sel's descriptor lies; false = outside its table. */
static bool desc_address(struct vcpu *v, uint16_t sel, uint64_t *la)
{
	const struct x86_segment *table = hvm_seg(v, sel & 4 ? X86_SEG_LDTR : X86_SEG_GDTR);

	if ((sel & 4) && !(table->attr & X86_ATTR_P))
		return false;
	*la = table->base + (sel & 0xfff8);
	return (sel | 7U) <= table->limit;
}

/* The new TSS's descriptor and its checks: 7.3 steps 3-6. */
static bool find_tss(struct switch_ctx *c, uint16_t sel, unsigned int reason)
{
	uint8_t bad = reason == BY_IRET ? X86_EXC_TS : X86_EXC_GP;
	struct vcpu *v = c->v;
	uint64_t raw;
	unsigned int type;

	if ((sel & 4) || !(sel & 0xfff8) || !desc_address(v, sel, &c->new_desc_la))
		return fault(v, bad, sel);
	if (!copy(v, c->new_desc_la, &raw, sizeof(raw), 0))
		return false;
	decode_desc(raw, sel, &c->new_tr);
	type = c->new_tr.attr & 0x1f;
	if ((type & ~(TYPE_32 | TYPE_BUSY)) != 1 || !!(type & TYPE_BUSY) != (reason == BY_IRET))
		return fault(v, bad, sel);
	if (!(c->new_tr.attr & X86_ATTR_P))
		return fault(v, X86_EXC_NP, sel);
	if (c->new_tr.limit < (type & TYPE_32 ? TSS32_LIMIT_MIN : TSS16_LIMIT_MIN))
		return fault(v, X86_EXC_TS, sel);
	return true;
}

static bool read_task(struct switch_ctx *c, struct task *t)
{
	struct tss32 a;
	struct tss16 b;

	t->is32 = c->new_tr.attr & TYPE_32;
	if (t->is32) {
		if (!copy(c->v, c->new_tr.base, &a, sizeof(a), 0))
			return false;
		*t = (struct task){
			.cr3 = a.cr3,
			.eip = a.eip,
			.eflags = a.eflags,
			.ldt = (uint16_t)a.ldt,
			.is32 = true,
			.trap = a.trap & 1,
			.sel = { (uint16_t)a.es, (uint16_t)a.cs, (uint16_t)a.ss, (uint16_t)a.ds,
				 (uint16_t)a.fs, (uint16_t)a.gs },
		};
		memcpy(t->gpr, a.gpr, sizeof(t->gpr));
		return true;
	}
	if (!copy(c->v, c->new_tr.base, &b, sizeof(b), 0))
		return false;
	*t = (struct task){
		.eip = b.ip, .eflags = b.flags, .ldt = b.ldt, .sel = { b.es, b.cs, b.ss, b.ds }
	};
	for (unsigned int i = 0; i < 8; i++)
		t->gpr[i] = 0xffff0000 | b.gpr[i];
	return true;
}

/* Instruction pointer, flags, registers and selectors into the old TSS; its other fields stay. */
static bool save_task(struct switch_ctx *c, uint32_t eip, uint32_t eflags)
{
	struct vcpu *v = c->v;
	uint16_t sel[6];
	struct tss32 a;
	struct tss16 b;

	for (unsigned int i = 0; i < 6; i++)
		sel[i] = hvm_seg(v, (enum x86_seg)i)->sel;
	if (c->old_tr.attr & TYPE_32) {
		a.eip = eip;
		a.eflags = eflags;
		for (unsigned int i = 0; i < 8; i++)
			a.gpr[i] = (uint32_t)v->regs.gpr[i];
		a.es = sel[X86_SEG_ES], a.cs = sel[X86_SEG_CS], a.ss = sel[X86_SEG_SS];
		a.ds = sel[X86_SEG_DS], a.fs = sel[X86_SEG_FS], a.gs = sel[X86_SEG_GS];
		return copy(v, c->old_tr.base + offsetof(struct tss32, eip), &a.eip,
			    offsetof(struct tss32, ldt) - offsetof(struct tss32, eip), PFEC_W);
	}
	b.ip = (uint16_t)eip;
	b.flags = (uint16_t)eflags;
	for (unsigned int i = 0; i < 8; i++)
		b.gpr[i] = (uint16_t)v->regs.gpr[i];
	b.es = sel[X86_SEG_ES], b.cs = sel[X86_SEG_CS], b.ss = sel[X86_SEG_SS],
	b.ds = sel[X86_SEG_DS];
	return copy(v, c->old_tr.base + offsetof(struct tss16, ip), &b.ip,
		    offsetof(struct tss16, ldt) - offsetof(struct tss16, ip), PFEC_W);
}

static bool set_busy(struct vcpu *v, uint64_t desc_la, bool busy)
{
	uint8_t access;

	if (!copy(v, desc_la + 5, &access, 1, 0))
		return false;
	access = (uint8_t)(busy ? access | TYPE_BUSY : access & ~TYPE_BUSY);
	return copy(v, desc_la + 5, &access, 1, PFEC_W);
}

/* Busy bits, back link, the old state: memory up to the point of commitment. */
static bool write_out(struct switch_ctx *c, unsigned int reason, uint32_t eip)
{
	uint32_t eflags = (uint32_t)c->v->regs.rflags;
	uint16_t link = c->old_tr.sel;
	uint64_t old_desc_la;

	if (reason == BY_IRET)
		eflags &= ~(uint32_t)X86_EFLAGS_NT;
	if (!save_task(c, eip, eflags))
		return false;
	if (reason == BY_IRET || reason == BY_JMP)
		if (desc_address(c->v, c->old_tr.sel, &old_desc_la) &&
		    !set_busy(c->v, old_desc_la, false))
			return false;
	if (reason == BY_IRET)
		return true;
	if (reason != BY_JMP && !copy(c->v, c->new_tr.base, &link, sizeof(link), PFEC_W))
		return false;
	return set_busy(c->v, c->new_desc_la, true);
}

static void load_real_segment(struct vcpu *v, enum x86_seg which, uint16_t sel)
{
	struct x86_segment s = {
		.sel = sel, .attr = 0xf3, .limit = 0xffff, .base = (uint64_t)sel << 4
	};

	hvm_set_seg(v, which, &s);
}

/* The exception that loading s into `which` raises at this CPL; NO_EXCEPTION = none. Table 7-1. */
static int segment_fault(enum x86_seg which, const struct x86_segment *s, unsigned int cpl)
{
	unsigned int type = s->attr & 15, dpl = s->attr >> 5 & 3, rpl = s->sel & 3;
	bool code = type & 8, readable = type & 2, conforming = code && (type & 4);

	if (!(s->attr & BIT(4)))
		return X86_EXC_TS;
	if (which == X86_SEG_CS) {
		if (!code || (conforming ? dpl > rpl : dpl != rpl))
			return X86_EXC_TS;
	} else if (which == X86_SEG_SS) {
		if (code || !readable || dpl != cpl ||
		    rpl != cpl) /* bit 1 of a data segment: writable */
			return X86_EXC_TS;
	} else if ((code && !readable) || (!conforming && dpl < max(cpl, rpl))) {
		return X86_EXC_TS;
	}
	if (!(s->attr & X86_ATTR_P))
		return which == X86_SEG_SS ? X86_EXC_SS : X86_EXC_NP;
	return NO_EXCEPTION;
}

static bool load_segment(struct vcpu *v, enum x86_seg which, uint16_t sel, unsigned int cpl)
{
	struct x86_segment s = { .sel = sel };
	uint64_t la, raw;
	uint8_t access;
	int exc;

	if (!(sel & 0xfffc)) {
		if (which == X86_SEG_CS || which == X86_SEG_SS)
			return fault(v, X86_EXC_TS, sel);
		hvm_set_seg(v, which, &s); /* unusable */
		return true;
	}
	if (!desc_address(v, sel, &la))
		return fault(v, X86_EXC_TS, sel);
	if (!copy(v, la, &raw, sizeof(raw), 0))
		return false;
	decode_desc(raw, sel, &s);
	exc = segment_fault(which, &s, cpl);
	if (exc != NO_EXCEPTION)
		return fault(v, (uint8_t)exc, sel);
	if (!(s.attr & 1)) {
		s.attr |= 1;
		access = (uint8_t)s.attr;
		if (!copy(v, la + 5, &access, 1, PFEC_W))
			return false;
	}
	hvm_set_seg(v, which, &s);
	return true;
}

static bool load_ldt(struct vcpu *v, uint16_t sel)
{
	struct x86_segment s = { .sel = sel };
	uint64_t la, raw;

	hvm_set_seg(v, X86_SEG_LDTR, &s);
	if (!(sel & 0xfffc))
		return true;
	if ((sel & 4) || !desc_address(v, sel, &la))
		return fault(v, X86_EXC_TS, sel);
	if (!copy(v, la, &raw, sizeof(raw), 0))
		return false;
	decode_desc(raw, sel, &s);
	if ((s.attr & 0x1f) != 2 || !(s.attr & X86_ATTR_P))
		return fault(v, X86_EXC_TS, sel);
	hvm_set_seg(v, X86_SEG_LDTR, &s);
	return true;
}

/*
 * Everything that cannot fault: the new task runs from here on. Selectors come before their
 * descriptors.
 */
static void commit(struct switch_ctx *c, const struct task *t, unsigned int reason)
{
	struct vcpu *v = c->v;
	struct x86_segment s;

	v->regs.rip = t->eip;
	v->regs.rflags = (t->eflags & X86_EFLAGS_KNOWN) | X86_EFLAGS_MBS;
	if (reason == BY_CALL || reason == BY_GATE)
		v->regs.rflags |= X86_EFLAGS_NT;
	for (unsigned int i = 0; i < 8; i++)
		v->regs.gpr[i] = t->gpr[i];
	c->new_tr.attr |= TYPE_BUSY;
	hvm_set_seg(v, X86_SEG_TR, &c->new_tr);
	for (unsigned int i = 0; i < 6; i++) {
		/* Until the descriptor is loaded, the privilege level is already that of CS. */
		s = *hvm_seg(v, (enum x86_seg)i);
		s.sel = t->sel[i];
		hvm_set_seg(v, (enum x86_seg)i, &s);
	}
	hvm_get_state(v, HVM_DRS);
	v->dr7 &= ~(uint64_t)DR7_LOCAL;
	v->cr0 |= X86_CR0_TS;
	*v->hvm.shadow = 0;
	hvm_set_state(v, HVM_DRS | HVM_CRS);
}

static bool load_segments(struct vcpu *v, const struct task *t)
{
	static const enum x86_seg order[] = { X86_SEG_CS, X86_SEG_SS, X86_SEG_DS,
					      X86_SEG_ES, X86_SEG_FS, X86_SEG_GS };
	unsigned int cpl = t->sel[X86_SEG_CS] & 3;

	if (!load_ldt(v, t->ldt))
		return false;
	for (unsigned int i = 0; i < ARRAY_SIZE(order); i++) {
		if (v->regs.rflags & X86_EFLAGS_VM)
			load_real_segment(v, order[i], t->sel[order[i]]);
		else if (!load_segment(v, order[i], t->sel[order[i]], cpl))
			return false;
	}
	return true;
}

/* The error code of the exception that came through the task gate, on the new task's stack. */
static bool push_error(struct vcpu *v, bool is32, uint32_t code)
{
	unsigned int size = is32 ? 4 : 2;
	struct guest_fault f;
	const struct x86_segment *ss = hvm_seg(v, X86_SEG_SS);
	uint32_t sp, mask;
	int rc;

	mask = ss->attr & X86_ATTR_DB ? 0xffffffff : 0xffff;
	sp = ((uint32_t)v->regs.gpr[X86_RSP] - size) & mask;
	if (ss->attr & 4 ? sp <= ss->limit : sp > ss->limit || size - 1 > ss->limit - sp)
		return fault(v, X86_EXC_SS, 0);
	rc = guest_linear_copy(v, (uint32_t)(ss->base + sp), &code, size, PFEC_W, &f);
	if (rc == -EFAULT)
		hvm_inject_page_fault(v, f.pfec, f.la);
	else if (rc)
		domain_crash(v->domain, "task switch: no stack at linear address %lx", f.la);
	if (rc)
		return false;
	v->regs.gpr[X86_RSP] = (v->regs.gpr[X86_RSP] & ~(uint64_t)mask) | sp;
	return true;
}

void hvm_exit_task_switch(struct vcpu *v, uint16_t selector, unsigned int reason, bool has_error,
			  uint32_t error_code, unsigned int insn_len)
{
	struct switch_ctx c = { .v = v };
	struct task t;

	c.old_tr = *hvm_seg(v, X86_SEG_TR);
	if (!find_tss(&c, selector, reason) || !read_task(&c, &t))
		return;
	if (!write_out(&c, reason, (uint32_t)v->regs.rip + insn_len))
		return;
	commit(&c, &t, reason);
	if (t.is32 && hvm_paging(v) && hvm_set_cr3(v, t.cr3)) {
		fault(v, X86_EXC_TS, c.new_tr.sel);
		return;
	}
	if (!load_segments(v, &t))
		return;
	if (t.eip > hvm_seg(v, X86_SEG_CS)->limit) {
		fault(v, X86_EXC_GP, 0);
		return;
	}
	if (has_error && !push_error(v, t.is32, error_code))
		return;
	if (t.trap)
		hvm_inject_debug(v, X86_DR6_BT);
}
