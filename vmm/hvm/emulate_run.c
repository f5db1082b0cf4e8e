// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Running the emulator for the current vCPU and acting on what it says: retired, to be injected, waiting for
 * the device model, or beyond it (then the guest gets #UD for an instruction that does not exist, and the
 * domain ends with a reason for one that we lack).
 */
#include "emulate_private.h"
#include "internal.h"
#include "policy.h"

static void set_mode(struct vcpu *v, struct x86_emulate_ctxt *c)
{
	uint16_t cs, ss;

	hvm_get_state(v, HVM_SEG(X86_SEG_CS) | HVM_SEG(X86_SEG_SS));
	cs = v->hvm.seg[X86_SEG_CS].attr;
	ss = v->hvm.seg[X86_SEG_SS].attr;
	if (v->efer & X86_EFER_LMA)
		c->mode = X86_MODE_LONG;
	else if (!(v->cr0 & X86_CR0_PE))
		c->mode = X86_MODE_REAL;
	else
		c->mode = v->regs.rflags & X86_EFLAGS_VM ? X86_MODE_VM86 : X86_MODE_PROT;
	if (c->mode == X86_MODE_LONG && (cs & X86_ATTR_L)) {
		c->code_bits = 64;
		c->sp_bits = 64;
	} else {
		c->code_bits = cs & X86_ATTR_DB ? 32 : 16;
		c->sp_bits = ss & X86_ATTR_DB ? 32 : 16;
	}
	c->cpl = c->mode == X86_MODE_REAL ? 0 : (uint8_t)hvm_cpl(v);
}

/*
 * What the processor has: it executes that for a guest, whatever CPUID shows. What a guest has to switch on in
 * CR4 or XCR0 is kept from it there.
 */
static uint32_t read_features(void)
{
	const struct host_cpu *h = &host_cpu;
	uint32_t f = X86_FEAT_SSE | X86_FEAT_MMX;

	f |= (h->f1_ecx & BIT(13) ? X86_FEAT_CX16 : 0) | (h->f1_ecx & BIT(20) ? X86_FEAT_SSE42 : 0);
	f |= (h->f1_ecx & BIT(22) ? X86_FEAT_MOVBE : 0) |
	     (h->f1_ecx & BIT(23) ? X86_FEAT_POPCNT : 0);
	f |= (h->f1_ecx & BIT(28) ? X86_FEAT_AVX : 0) | (h->xsave ? X86_FEAT_XSAVE : 0);
	f |= (h->f7_ebx & BIT(0) ? X86_FEAT_FSGSBASE : 0) |
	     (h->f7_ebx & BIT(3) ? X86_FEAT_BMI1 : 0);
	f |= h->f7_ebx & BIT(5) ? X86_FEAT_AVX2 : 0;
	f |= (h->f7_ebx & BIT(20) ? X86_FEAT_SMAP : 0) | (h->f7_ecx & BIT(2) ? X86_FEAT_UMIP : 0);
	f |= (h->f7_ecx & BIT(22) ? X86_FEAT_RDPID : 0) |
	     (h->f7_ecx & BIT(27) ? X86_FEAT_MOVDIRI : 0);
	f |= (h->e1_ecx & BIT(5) ? X86_FEAT_LZCNT : 0) |
	     (h->e1_ecx & BIT(4) ? X86_FEAT_CR8_LEGACY : 0);
	return f | (h->e1_edx & BIT(27) ? X86_FEAT_RDTSCP : 0);
}

/* Asked for with each emulated instruction. CPUs are alike, so it does not matter who finds out first. */
static uint32_t features(void)
{
	static uint32_t known;
	uint32_t f = READ_ONCE(known);

	if (!f) {
		f = read_features();
		WRITE_ONCE(known, f);
	}
	return f;
}

void emul_context(struct vcpu *v, struct x86_emulate_ctxt *c)
{
	c->regs = &v->regs;
	c->opaque = v;
	c->vendor = hvm_ops->emulated_vendor;
	c->va_bits = 48;
	c->features = features();
	c->insn_avail = 0;
	c->insn_len = 0;
	memset(&c->retire, 0, sizeof(c->retire));
	set_mode(v, c);
}

static void inject(struct vcpu *v, const struct x86_event *e)
{
	static const enum hvm_event_type types[] = {
		[X86_EVENT_SW_INT] = HVM_EVENT_SWINT,
		[X86_EVENT_PRIV_SW_EXC] = HVM_EVENT_ICEBP,
		[X86_EVENT_SW_EXC] = HVM_EVENT_SWEXC,
	};

	if (e->type == X86_EVENT_HW_EXC) {
		if (e->vector == X86_EXC_PF)
			hvm_inject_page_fault(v, e->error_code, e->cr2);
		else
			hvm_inject_exception(v, e->vector, e->has_error_code, e->error_code);
		return;
	}
	v->hvm.event = (struct hvm_event){ .type = types[e->type],
					   .vector = e->vector,
					   .insn_len = e->insn_len };
}

/* AMD-V has one bit for both, and another meaning for the next. */
static uint64_t mov_ss_shadow(void)
{
	return hvm_ops->emulated_vendor == X86_VENDOR_INTEL ? HVM_SHADOW | HVM_SHADOW_MOV_SS
							    : HVM_SHADOW;
}

static void retired(struct vcpu *v, const struct x86_retire *r)
{
	*v->hvm.shadow = r->mov_ss ? mov_ss_shadow() : r->sti ? HVM_SHADOW : 0;
	if (r->unblock_nmi)
		v->hvm.nmi_masked = false;
	if (r->singlestep)
		hvm_inject_debug(v, X86_DR6_BS);
	if (r->hlt)
		hvm_halt(v);
}

/* Not an instruction that we do: the bytes go into the reason. */
static void unhandleable(struct vcpu *v, const struct x86_emulate_ctxt *c)
{
	const uint8_t *b = c->insn_bytes;

	domain_crash(
		v->domain,
		"vCPU %u: instruction at %lx cannot be emulated: %02x %02x %02x %02x %02x %02x %02x %02x",
		v->id, v->regs.rip, b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]);
}

static void act(struct vcpu *v, struct x86_emulate_ctxt *c, int result)
{
	struct vcpu_io *io = v->hvm.io;

	if (result == X86EMUL_RETRY) {
		io->completion = IO_COMPLETE_EMULATE;
		memcpy(io->insn, c->insn_bytes, sizeof(io->insn));
		io->insn_avail = c->insn_avail;
		return;
	}
	io->nr_records = 0;
	io->insn_avail = 0;
	switch (result) {
	case X86EMUL_OKAY:
	case X86EMUL_DONE:
		retired(v, &c->retire);
		break;
	case X86EMUL_EXCEPTION:
		inject(v, &c->event);
		break;
	default:
		unhandleable(v, c);
		break;
	}
}

static void begin(struct vcpu *v, struct x86_emulate_ctxt *c)
{
	emul_context(v, c);
	v->hvm.io->nr_records = 0;
	v->hvm.io->answer_valid = false;
}

void hvm_emulate(struct vcpu *v, const uint8_t *bytes, unsigned int len)
{
	struct x86_emulate_ctxt c;

	/* What it may write to has to be there; the guest executes the instruction once more. */
	if (unlikely(READ_ONCE(v->domain->p2m.pod.used)) && pod_reserve(v->domain))
		return;
	begin(v, &c);
	if (len) {
		memcpy(c.insn_bytes, bytes, len);
		c.insn_avail = (uint8_t)len;
	}
	act(v, &c, x86_emulate(&c, &hvm_emulate_ops));
}

bool hvm_emulate_try(struct vcpu *v)
{
	struct x86_emulate_ctxt c;
	int result;

	begin(v, &c);
	result = x86_emulate(&c, &hvm_emulate_ops);
	if (result == X86EMUL_UNHANDLEABLE) {
		v->hvm.io->nr_records = 0;
		return false;
	}
	act(v, &c, result);
	return true;
}

/* A fault on the way in replaces the event, as on a processor. */
void hvm_emulate_real_event(struct vcpu *v)
{
	struct hvm_event e = v->hvm.event;
	struct x86_emulate_ctxt c;
	uint64_t return_ip = v->regs.rip;

	v->hvm.event.type = HVM_EVENT_NONE;
	begin(v, &c);
	if (e.type == HVM_EVENT_SWINT || e.type == HVM_EVENT_SWEXC || e.type == HVM_EVENT_ICEBP)
		return_ip += e.insn_len;
	if (e.type == HVM_EVENT_NMI)
		v->hvm.nmi_masked = true;
	act(v, &c, x86_emulate_real_int(&c, &hvm_emulate_ops, e.vector, (uint16_t)return_ip));
}

void hvm_emulate_again(struct vcpu *v)
{
	struct vcpu_io *io = v->hvm.io;
	struct x86_emulate_ctxt c;

	emul_context(v, &c);
	memcpy(c.insn_bytes, io->insn, sizeof(io->insn));
	c.insn_avail = io->insn_avail;
	act(v, &c, x86_emulate(&c, &hvm_emulate_ops));
}
