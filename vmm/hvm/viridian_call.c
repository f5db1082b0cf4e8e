/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Microsoft's hypercalls: the page of code, how arguments come in, and the calls that guests make of their own accord. TLFS,
 * chapter 3 and appendix "hypercall reference".
 */
#include "guest_access.h"
#include "hvm_ops.h"
#include "sched.h"
#include "viridian.h"
#include "internal.h"

enum { FLUSH_SPACE = 2, FLUSH_LIST = 3, LONG_SPIN_WAIT = 8, CLUSTER_IPI = 0xb };
enum {
	SUCCESS = 0,
	INVALID_CODE = 2,
	INVALID_INPUT = 3,
	INVALID_ALIGNMENT = 4,
	INVALID_PARAMETER = 5
};

#define FAST	     BIT(16)
#define REPS(input)  ((uint32_t)((input) >> 32) & 0xfff)
#define START(input) ((uint32_t)((input) >> 48) & 0xfff)
#define IPI_FIRST    0x10U

struct hv_call {
	uint64_t input;	   /* the control word */
	uint64_t param[2]; /* the addresses of input and output, or, of a fast call, the input */
	uint64_t reps;	   /* that are done */
};

/* or $0x80000000, %eax; vmcall or vmmcall; ret; the rest traps. */
void viridian_page_fill(struct domain *d, void *page)
{
	const uint8_t code[] = { 0x0d, 0, 0, 0, 0x80, 0x0f, 0x01, hvm_hypercall_byte(true), 0xc3 };

	(void)d;
	memset(page, 0xcc, PAGE_SIZE);
	memcpy(page, code, sizeof(code));
}

/* Copies the input of a call. */
static unsigned int fetch(struct vcpu *v, const struct hv_call *c, void *to, size_t len)
{
	if (c->input & FAST) {
		if (len > sizeof(c->param))
			return INVALID_INPUT;
		memcpy(to, c->param, len);
		return SUCCESS;
	}
	if (c->param[0] & 7)
		return INVALID_ALIGNMENT;
	return guest_phys_read(v->domain, _gpa(c->param[0]), to, len) ? INVALID_PARAMETER : SUCCESS;
}

/* Whatever is asked for, all translations of all vCPUs go; the caller's own before its next entry. */
static unsigned int flush(struct vcpu *v, struct hv_call *c, bool list)
{
	struct {
		uint64_t space, flags, vps;
	} in;
	unsigned int status = fetch(v, c, &in, sizeof(in));

	if (!(viridian_mask(v->domain) & HVMPV_hcall_remote_tlb_flush))
		return INVALID_CODE;
	if (list ? !REPS(c->input) || START(c->input) >= REPS(c->input) : !!REPS(c->input))
		return INVALID_INPUT;
	if (status)
		return status;
	p2m_flush(v->domain);
	c->reps = REPS(c->input);
	return SUCCESS;
}

static unsigned int cluster_ipi(struct vcpu *v, const struct hv_call *c)
{
	struct {
		uint32_t vector;
		uint8_t level, pad[3];
		uint64_t vps;
	} in;
	unsigned int status = fetch(v, c, &in, sizeof(in));

	if (!(viridian_mask(v->domain) & HVMPV_hcall_ipi))
		return INVALID_CODE;
	if (status)
		return status;
	if (in.vector < IPI_FIRST || in.vector > 0xff || in.level)
		return INVALID_PARAMETER;
	for (; in.vps; in.vps &= in.vps - 1) {
		struct vcpu *to = domain_vcpu(v->domain, (unsigned int)__builtin_ctzll(in.vps));

		if (to && vlapic_enabled(to->hvm.vlapic))
			vlapic_set_irq(to->hvm.vlapic, (uint8_t)in.vector, false);
	}
	return SUCCESS;
}

static unsigned int call(struct vcpu *v, struct hv_call *c)
{
	switch ((uint16_t)c->input) {
	case FLUSH_SPACE:
		return flush(v, c, false);
	case FLUSH_LIST:
		return flush(v, c, true);
	case LONG_SPIN_WAIT:
		sched_yield();
		return SUCCESS;
	case CLUSTER_IPI:
		return cluster_ipi(v, c);
	default:
		return INVALID_CODE;
	}
}

static uint64_t pair(uint64_t high, uint64_t low)
{
	return high << 32 | (uint32_t)low;
}

void viridian_call(struct vcpu *v, unsigned int insn_len)
{
	bool wide = hvm_code64(v);
	uint64_t *r = v->regs.gpr, result;
	struct hv_call c = { 0 };

	if (hvm_cpl(v) || !(v->cr0 & X86_CR0_PE)) {
		hvm_inject_ud(v);
		return;
	}
	if (wide) {
		c.input = r[X86_RCX];
		c.param[0] = r[X86_RDX];
		c.param[1] = r[X86_R8];
	} else {
		c.input = pair(r[X86_RDX], r[X86_RAX] & ~(uint64_t)VIRIDIAN_CALL);
		c.param[0] = pair(r[X86_RBX], r[X86_RCX]);
		c.param[1] = pair(r[X86_RDI], r[X86_RSI]);
	}
	result = call(v, &c) | c.reps << 32;
	r[X86_RAX] = wide ? result : (uint32_t)result;
	if (!wide)
		r[X86_RDX] = result >> 32;
	hvm_advance_rip(v, insn_len);
}
