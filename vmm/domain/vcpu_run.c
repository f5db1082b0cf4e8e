// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The guest half of the run loop: what has to be looked at before an entry, the entry, and loading
 * and unloading a vCPU. Deferred work of the CPU itself is in vmm/cpu/run.c.
 */
#include "boot.h"
#include "debug.h"
#include "domain.h"
#include "hvm_ops.h"
#include "event.h"

static bool barriers = true;

COUNTER(prediction_barriers);

static int parse_ibpb(const char *value)
{
	return parse_bool(value, &barriers);
}
BOOT_OPTION(ibpb, "ibpb", parse_ibpb,
	    "forget branch predictions between domains (default: on where the CPU can)");

static void clear_attention(struct vcpu *v, uint32_t bits)
{
	__atomic_fetch_and(&v->attention, ~bits, __ATOMIC_SEQ_CST);
}

/* Serves v->attention. False: the vCPU cannot enter now. */
static bool serve_attention(struct vcpu *v)
{
	uint32_t att = v->attention;

	if (att & VCPU_ATT_INIT) {
		clear_attention(v, VCPU_ATT_INIT);
		if (!hvm_vcpu_serve_init(v))
			return false;
	}
	if (att & VCPU_ATT_FLUSH) {
		clear_attention(v, VCPU_ATT_FLUSH);
		hvm_ops->flush_vcpu(v);
	}
	if (att & VCPU_ATT_STATE) {
		clear_attention(v, VCPU_ATT_STATE);
		hvm_ops->cr_changed(v);
	}
	if (att & VCPU_ATT_IO) {
		clear_attention(v, VCPU_ATT_IO);
		if (!hvm_io_resume(v))
			return false;
	}
	if (att & (VCPU_ATT_IRQ | VCPU_ATT_EVENT | VCPU_ATT_NMI)) {
		clear_attention(v, VCPU_ATT_IRQ | VCPU_ATT_EVENT | VCPU_ATT_NMI);
		hvm_intr_assist(v);
	}
	return true;
}

/* Only deferred work puts another vCPU on this CPU: until there is some, v goes on. */
void vcpu_resume(struct vcpu *v)
{
	const struct cpu *cpu = this_cpu();

	for (;;) {
		if (unlikely(v->attention) && !serve_attention(v))
			return;
		if (unlikely(cpu->softirq))
			return;
		v->exits++;
		hvm_ops->run(v);
	}
}

void vcpu_switch_from(struct vcpu *prev)
{
	if (prev->domain->is_idle)
		return;
	hvm_ops->switch_from(prev);
	/* XSAVE stores only what XCR0 has: the host's has everything. */
	if (host_cpu.xsave) {
		prev->fpu.xcr0 = xgetbv0(); /* not every test bed intercepts XSETBV */
		xsetbv0(host_cpu.xcr0_mask);
	}
	fpu_save(&prev->fpu);
}

/*
 * What one domain taught the branch predictors must not steer what another one executes: Spectre variant 2 (Intel,
 * "Indirect Branch Predictor Barrier"; AMD, "Indirect branch control extension").
 */
static void forget_branches(struct cpu *c, domid_t of)
{
	if (!host_cpu.ibpb || !barriers || c->branches_of == of)
		return;
	c->branches_of = of;
	wrmsr(MSR_PRED_CMD, PRED_CMD_IBPB);
	counter_inc(prediction_barriers);
}

void vcpu_switch_to(struct vcpu *next)
{
	if (next->domain->is_idle)
		return;
	forget_branches(this_cpu(), next->domain->domid);
	fpu_restore(&next->fpu);
	if (host_cpu.xsave)
		xsetbv0(next->fpu.xcr0);
	hvm_ops->switch_to(next);
	vcpu_switched_time(next);
	vcpu_attention(next, VCPU_ATT_IRQ);
}
