/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pausing, blocking and waking. A vCPU runs only while none of its pause flags is set and no pause is
 * counted against it or its domain (vcpu_runnable). Whoever changes one of these calls
 * sched_vcpu_update(), which acts on what it finds; so the order of changes does not matter.
 */
#include "domain.h"
#include "hvm_ops.h"

static void wait_stopped(const struct vcpu *v)
{
	BUG_ON(v == current_vcpu());
	while (__atomic_load_n(&v->running, __ATOMIC_ACQUIRE)) {
		smp_poll_calls();
		cpu_relax();
	}
}

void vcpu_pause_nosync(struct vcpu *v)
{
	__atomic_fetch_add(&v->pause_count, 1, __ATOMIC_SEQ_CST);
	sched_vcpu_update(v);
}

void vcpu_pause(struct vcpu *v)
{
	vcpu_pause_nosync(v);
	wait_stopped(v);
}

void vcpu_unpause(struct vcpu *v)
{
	if (!__atomic_sub_fetch(&v->pause_count, 1, __ATOMIC_SEQ_CST))
		sched_vcpu_update(v);
}

void domain_pause_nosync(struct domain *d)
{
	struct vcpu *v;

	__atomic_fetch_add(&d->pause_count, 1, __ATOMIC_SEQ_CST);
	for_each_vcpu(d, v)
		sched_vcpu_update(v);
}

void domain_pause(struct domain *d)
{
	struct vcpu *v;

	domain_pause_nosync(d);
	for_each_vcpu(d, v)
		wait_stopped(v);
}

void domain_unpause(struct domain *d)
{
	struct vcpu *v;

	if (__atomic_sub_fetch(&d->pause_count, 1, __ATOMIC_SEQ_CST))
		return;
	for_each_vcpu(d, v)
		sched_vcpu_update(v);
}

void vcpu_attention(struct vcpu *v, uint32_t bits)
{
	__atomic_fetch_or(&v->attention, bits, __ATOMIC_SEQ_CST);
}

static void wake(struct vcpu *v, uint32_t attention, void (*notify)(unsigned int cpu))
{
	uint32_t ends = VPF_BLOCKED | VPF_POLL | VPF_DONATES, old;

	if (attention & (VCPU_ATT_NMI | VCPU_ATT_INIT))
		ends |= VPF_DEAF;
	vcpu_attention(v, attention);
	old = __atomic_fetch_and(&v->pause_flags, ~ends, __ATOMIC_SEQ_CST);
	if (old & ends & ~(uint32_t)VPF_POLL)
		sched_vcpu_update(v);
	else if (__atomic_load_n(&v->running, __ATOMIC_SEQ_CST) && v != current_vcpu())
		notify(READ_ONCE(v->cpu));
}

void vcpu_wake(struct vcpu *v, uint32_t attention)
{
	wake(v, attention, cpu_kick);
}

void vcpu_wake_posted(struct vcpu *v)
{
	wake(v, VCPU_ATT_IRQ, hvm_ops->post_notify);
}

void vcpu_block(struct vcpu *v, uint32_t pause_flag)
{
	__atomic_fetch_or(&v->pause_flags, pause_flag, __ATOMIC_SEQ_CST);
	/* What came before the flag was set could not clear it: look once more. */
	if ((pause_flag & VPF_BLOCKED) && !(pause_flag & VPF_POLL) && guest_ops->must_wake(v)) {
		__atomic_fetch_and(&v->pause_flags, ~pause_flag, __ATOMIC_SEQ_CST);
		return;
	}
	sched_vcpu_update(v);
}
