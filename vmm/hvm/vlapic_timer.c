// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The timer of the virtual local APIC: one-shot, periodic and TSC-deadline. The bus clock is 1 GHz, as
 * the Xen ABI's guests measure it to be. SDM volume 3, 11.5.4.
 */
#include "hvm_ops.h"
#include "vlapic.h"
#include "vlapic_private.h"

#define BUS_NS_PER_TICK 1 /* 1 GHz */
#define MODE_ONESHOT	0U
#define MODE_PERIODIC	1U
#define MODE_DEADLINE	2U
#define LVT_MASKED	BIT(16)
/* A guest that asks for more interrupts than this gets no more than this. */
#define MIN_PERIOD_NS 20000ULL

static unsigned int mode_of(uint32_t lvtt)
{
	return lvtt >> 17 & 3;
}

static unsigned int mode(const struct vlapic *a)
{
	return mode_of(vlapic_get(a, APIC_LVTT));
}

static uint64_t divisor(const struct vlapic *a)
{
	uint32_t r = vlapic_get(a, APIC_TDCR);
	unsigned int code = (r & 3) | (r >> 1 & 4);

	return code == 7 ? 1 : 2ULL << code;
}

static void fire(struct vlapic *a)
{
	uint32_t lvtt = vlapic_get(a, APIC_LVTT);

	if (!(lvtt & LVT_MASKED))
		vlapic_set_irq(a, (uint8_t)lvtt, false);
}

/* Keeps to the grid of the start time, so that ticks neither drift nor pile up. */
static void timer_fn(void *data)
{
	struct vlapic *a = data;
	uint64_t now = now_ns();

	spin_lock(&a->lock);
	if (now < a->timer.expires_ns) {
		spin_unlock(&a->lock); /* set anew, or parked, while this waited for the lock */
		return;
	}
	if (a->period_ns) {
		a->timer_last_ns += a->period_ns;
		if (now - a->timer_last_ns > a->period_ns)
			a->timer_last_ns = now - (now - a->timer_last_ns) % a->period_ns;
		timer_set(&a->timer, a->timer_last_ns + a->period_ns);
	}
	a->tsc_deadline = 0;
	spin_unlock(&a->lock);
	fire(a);
}

void vlapic_timer_init(struct vlapic *a)
{
	timer_init(&a->timer, timer_fn, a, a->vcpu->cpu);
}

void vlapic_timer_stop(struct vlapic *a)
{
	timer_stop(&a->timer);
	a->period_ns = 0;
	a->tsc_deadline = 0;
}

/* With the lock held timer_stop() could wait for timer_fn(), which wants the lock. */
static void park(struct vlapic *a)
{
	timer_set(&a->timer, ~0ULL);
}

static void arm(struct vlapic *a)
{
	uint64_t ns = (uint64_t)vlapic_get(a, APIC_TMICT) * divisor(a) * BUS_NS_PER_TICK;

	a->period_ns = 0;
	a->timer_last_ns = now_ns();
	if (!ns) {
		park(a);
		return;
	}
	if (mode(a) == MODE_PERIODIC) {
		ns = max(ns, (uint64_t)MIN_PERIOD_NS);
		a->period_ns = ns;
	}
	if (a->timer.cpu != a->vcpu->cpu)
		timer_migrate(&a->timer, a->vcpu->cpu);
	timer_set(&a->timer, a->timer_last_ns + ns);
}

void vlapic_timer_start(struct vlapic *a, uint32_t initial_count)
{
	if (mode(a) == MODE_DEADLINE)
		return;
	spin_lock(&a->lock);
	vlapic_set(a, APIC_TMICT, initial_count);
	arm(a);
	spin_unlock(&a->lock);
}

void vlapic_timer_divide(struct vlapic *a, uint32_t tdcr)
{
	spin_lock(&a->lock);
	vlapic_set(a, APIC_TDCR, tdcr);
	if (mode(a) != MODE_DEADLINE && timer_armed(&a->timer) && a->timer.expires_ns != ~0ULL)
		arm(a);
	spin_unlock(&a->lock);
}

void vlapic_timer_mode(struct vlapic *a, uint32_t lvtt)
{
	if (mode_of(lvtt) == mode(a))
		return;
	spin_lock(&a->lock);
	/* Going to or from TSC-deadline disarms; between the others the count goes on. */
	if (mode_of(lvtt) == MODE_DEADLINE || mode(a) == MODE_DEADLINE) {
		park(a);
		a->tsc_deadline = 0;
		a->period_ns = 0;
		vlapic_set(a, APIC_TMICT, 0);
	} else {
		uint64_t ns = (uint64_t)vlapic_get(a, APIC_TMICT) * divisor(a) * BUS_NS_PER_TICK;

		a->period_ns =
			mode_of(lvtt) == MODE_PERIODIC ? max(ns, (uint64_t)MIN_PERIOD_NS) : 0;
		if (!ns)
			a->period_ns = 0;
	}
	spin_unlock(&a->lock);
}

uint32_t vlapic_timer_count(struct vlapic *a)
{
	uint64_t initial = vlapic_get(a, APIC_TMICT), passed;

	if (mode(a) == MODE_DEADLINE || !initial)
		return 0;
	passed = (now_ns() - a->timer_last_ns) / (divisor(a) * BUS_NS_PER_TICK);
	if (a->period_ns)
		return (uint32_t)(initial - passed % initial);
	return passed >= initial ? 0 : (uint32_t)(initial - passed);
}

uint64_t vlapic_tsc_deadline(const struct vlapic *a)
{
	return mode(a) == MODE_DEADLINE ? a->tsc_deadline : 0;
}

static uint64_t guest_tsc(const struct vlapic *a)
{
	return rdtsc() + a->vcpu->tsc_offset;
}

void vlapic_set_tsc_deadline(struct vlapic *a, uint64_t deadline)
{
	uint64_t tsc = guest_tsc(a);

	if (mode(a) != MODE_DEADLINE)
		return;
	spin_lock(&a->lock);
	a->tsc_deadline = deadline;
	if (!deadline) {
		park(a);
	} else {
		uint64_t ns = deadline > tsc ? tsc_to_ns(deadline - tsc) : 0;

		if (a->timer.cpu != a->vcpu->cpu)
			timer_migrate(&a->timer, a->vcpu->cpu);
		timer_set(&a->timer, now_ns() + ns);
	}
	spin_unlock(&a->lock);
}

void vlapic_tsc_changed(struct vlapic *a)
{
	if (a->tsc_deadline)
		vlapic_set_tsc_deadline(a, a->tsc_deadline);
}

void vlapic_timer_restore(struct vlapic *a)
{
	uint64_t deadline = a->tsc_deadline, left, total;

	timer_stop(&a->timer);
	a->period_ns = 0;
	if (mode(a) == MODE_DEADLINE) {
		vlapic_set_tsc_deadline(a, deadline);
		return;
	}
	left = (uint64_t)vlapic_get(a, APIC_TMCCT) * divisor(a) * BUS_NS_PER_TICK;
	total = (uint64_t)vlapic_get(a, APIC_TMICT) * divisor(a) * BUS_NS_PER_TICK;
	if (!left || left > total)
		return;
	spin_lock(&a->lock);
	arm(a);
	/* As if it had begun when the rest of the count says. */
	a->timer_last_ns -= total - left;
	timer_set(&a->timer, a->timer_last_ns + total);
	spin_unlock(&a->lock);
}
