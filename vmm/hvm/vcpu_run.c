// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The guest half of the run loop: what has to be looked at before an entry, the entry, and loading
 * and unloading a vCPU. Deferred work of the CPU itself is in vmm/sched/run.c. Also the table of what lower rooms
 * ask of a guest's processor.
 */
#include "boot.h"
#include "debug.h"
#include "domain.h"
#include "internal.h"
#include "event.h"
#include "predictions.h"

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
		hvm_set_state(v, HVM_DRS | HVM_CR2 | HVM_CRS);
	}
	if (att & VCPU_ATT_ROOT) {
		clear_attention(v, VCPU_ATT_ROOT);
		hvm_set_state(v, HVM_CRS);
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

/*
 * An entry lets physical interrupts in, which wait for the window then. But not one whose event exits while it is delivered
 * or right behind it (a breakpoint on the stack: #DB for ever), and not an instruction that is emulated in place of an
 * entry. So the window opens after every so many passes, whatever the guest does.
 */
#define PASSES_TO_WINDOW 64U

/* Only deferred work puts another vCPU on this CPU: until there is some, v goes on. */
void vcpu_resume(struct vcpu *v)
{
	const struct cpu *cpu = this_cpu();

	for (;;) {
		if (unlikely(v->attention) && !serve_attention(v)) {
			/* Others can have it so each time, by INIT for ever: no entry would come. */
			this_cpu_raise(SOFTIRQ_IRQ_WINDOW);
			return;
		}
		if (unlikely(cpu->softirq))
			return;
		if (unlikely(++v->exits % PASSES_TO_WINDOW == 0))
			this_cpu_raise(SOFTIRQ_IRQ_WINDOW);
		hvm_ops->run(v);
	}
}

static void switch_from(struct vcpu *prev)
{
	if (prev->domain->is_idle)
		return;
	hvm_ops->switch_from(prev);
	fpu_save(&prev->fpu);
}

static void switch_to(struct vcpu *next)
{
	int rc;

	if (next->domain->is_idle)
		return;
	predictions_turn_to(next->domain->serial);
	rc = fpu_restore(&next->fpu);
	hvm_ops->switch_to(next);
	vcpu_switched_time(next);
	vcpu_attention(next, VCPU_ATT_IRQ);
	if (unlikely(rc))
		domain_crash(next->domain,
			     "vCPU %u: the processor refuses its x87 and vector state", next->id);
}

static void upcall(struct vcpu *v, uint8_t vector)
{
	vlapic_set_irq(v->hvm.vlapic, vector, false);
}

const struct guest_ops hvm_guest_ops = {
	.must_wake = hvm_must_wake,
	.intr_pending = hvm_intr_pending,
	.switch_from = switch_from,
	.switch_to = switch_to,
	.upcall = upcall,
	.dump = vcpu_dump,
};
