// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The timer of the virtual local APIC: one-shot, periodic and TSC-deadline. The bus clock is 1 GHz, as
 * the Xen ABI's guests measure it to be. SDM volume 3, 11.5.4.
 *
 * The host's timer runs only while an expiry can change something: a masked timer counts by the clock, when
 * somebody looks. A periodic one whose last tick the guest has not taken looks less and less often.
 */
#include "internal.h"
#include "vlapic_private.h"

#define MODE_ONESHOT  0U
#define MODE_PERIODIC 1U
#define MODE_DEADLINE 2U
#define LVT_MASKED    BIT(16)
/* A guest that asks for more interrupts than this gets no more than this. */
#define MIN_PERIOD_NS (100 * NS_PER_US)

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

static bool masked(const struct vlapic *a)
{
	return vlapic_get(a, APIC_LVTT) & LVT_MASKED;
}

/* Time of the whole count; 0 = there is none. */
static uint64_t total_ns(const struct vlapic *a)
{
	return (uint64_t)vlapic_get(a, APIC_TMICT) * divisor(a) * BUS_NS_PER_TICK;
}

/* Does it count at this time? A one-shot ends. */
static bool counts(const struct vlapic *a, uint64_t now)
{
	uint64_t total = total_ns(a);

	return total && mode(a) != MODE_DEADLINE &&
	       (a->period_ns || now - a->timer_last_ns < total);
}

/* With the lock held timer_stop() could wait for timer_fn(), which wants the lock. */
static void park(struct vlapic *a)
{
	if (timer_armed(&a->timer) && a->timer.expires_ns != ~0ULL)
		timer_set(&a->timer, ~0ULL);
	else
		a->timer.expires_ns = ~0ULL; /* timer_fn() may be waiting for the lock */
}

/* The host's timer for an expiry at this time, if that could raise an interrupt. */
static void set_host_timer(struct vlapic *a, uint64_t at_ns)
{
	a->untaken_ns = 0;
	if (masked(a)) {
		park(a);
		return;
	}
	if (a->timer.cpu != a->vcpu->cpu)
		timer_migrate(&a->timer, a->vcpu->cpu);
	timer_set(&a->timer, at_ns);
}

/* A periodic count keeps to the grid of its start, so that ticks neither drift nor pile up. */
static void catch_up(struct vlapic *a, uint64_t now)
{
	if (a->period_ns && now - a->timer_last_ns >= a->period_ns)
		a->timer_last_ns = now - (now - a->timer_last_ns) % a->period_ns;
}

/* The next tick that is waited for. */
static void next_tick(struct vlapic *a, uint64_t now, bool taken)
{
	uint64_t wait = tick_wait_ns(&a->untaken_ns, taken, now);

	catch_up(a, now);
	timer_set(&a->timer, a->timer_last_ns + (wait / a->period_ns + 1) * a->period_ns);
}

static void timer_fn(void *data)
{
	struct vlapic *a = data;
	uint64_t now;
	bool taken;

	spin_lock(&a->lock);
	now = now_ns();
	/* Else it was set anew, or parked, while this waited for the lock. */
	if (now >= a->timer.expires_ns && !masked(a)) {
		taken = vlapic_set_irq(a, (uint8_t)vlapic_get(a, APIC_LVTT), false);
		a->tsc_deadline = 0;
		if (a->period_ns)
			next_tick(a, now, taken);
	}
	spin_unlock(&a->lock);
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

/* The count begins, or ends if it is 0. */
static void begin(struct vlapic *a)
{
	uint64_t ns = total_ns(a);

	a->period_ns = 0;
	a->timer_last_ns = now_ns();
	if (!ns) {
		park(a);
		return;
	}
	if (mode(a) == MODE_PERIODIC)
		ns = a->period_ns = max(ns, MIN_PERIOD_NS);
	set_host_timer(a, a->timer_last_ns + ns);
}

void vlapic_timer_start(struct vlapic *a, uint32_t initial_count)
{
	if (mode(a) == MODE_DEADLINE)
		return;
	spin_lock(&a->lock);
	vlapic_set(a, APIC_TMICT, initial_count);
	begin(a);
	spin_unlock(&a->lock);
}

void vlapic_timer_divide(struct vlapic *a, uint32_t tdcr)
{
	bool running;

	spin_lock(&a->lock);
	running = counts(a, now_ns());
	vlapic_set(a, APIC_TDCR, tdcr);
	if (running)
		begin(a);
	spin_unlock(&a->lock);
}

static uint64_t guest_tsc(const struct vlapic *a)
{
	return rdtsc() + a->vcpu->tsc_offset;
}

static void arm_deadline(struct vlapic *a)
{
	uint64_t tsc = guest_tsc(a), deadline = a->tsc_deadline;

	if (deadline)
		set_host_timer(a, now_ns() + (deadline > tsc ? tsc_to_ns(deadline - tsc) : 0));
	else
		park(a);
}

/*
 * For the next expiry, after a change. What expired while the timer was masked raised no interrupt, and raises none
 * afterwards; a periodic one may have been looking rarely.
 */
static void arm_anew(struct vlapic *a, uint64_t now)
{
	if (mode(a) == MODE_DEADLINE) {
		if (a->tsc_deadline <= guest_tsc(a))
			a->tsc_deadline = 0;
		arm_deadline(a);
	} else if (counts(a, now)) {
		set_host_timer(a, a->timer_last_ns + (a->period_ns ? a->period_ns : total_ns(a)));
	}
}

/* Going to or from TSC-deadline disarms; between the others the count goes on. */
static void change_mode(struct vlapic *a, unsigned int from, unsigned int to, uint64_t now)
{
	if (from == MODE_DEADLINE || to == MODE_DEADLINE) {
		park(a);
		a->tsc_deadline = 0;
		a->period_ns = 0;
		vlapic_set(a, APIC_TMICT, 0);
	} else if (to == MODE_PERIODIC && counts(a, now)) {
		a->period_ns = max(total_ns(a), MIN_PERIOD_NS);
	} else {
		a->period_ns = 0;
	}
}

void vlapic_timer_lvt(struct vlapic *a, uint32_t lvtt)
{
	uint32_t old;
	uint64_t now;

	spin_lock(&a->lock);
	old = vlapic_get(a, APIC_LVTT);
	now = now_ns();
	catch_up(a, now);
	if (mode_of(lvtt) != mode_of(old))
		change_mode(a, mode_of(old), mode_of(lvtt), now);
	vlapic_set(a, APIC_LVTT, lvtt);
	if (lvtt & LVT_MASKED)
		park(a);
	else if (old & LVT_MASKED || mode_of(lvtt) != mode_of(old))
		arm_anew(a, now);
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

/* The register is zero once the time has come, whether or not that was to be noticed. */
uint64_t vlapic_tsc_deadline(const struct vlapic *a)
{
	if (mode(a) != MODE_DEADLINE || (masked(a) && a->tsc_deadline <= guest_tsc(a)))
		return 0;
	return a->tsc_deadline;
}

void vlapic_set_tsc_deadline(struct vlapic *a, uint64_t deadline)
{
	if (mode(a) != MODE_DEADLINE)
		return;
	spin_lock(&a->lock);
	a->tsc_deadline = deadline;
	arm_deadline(a);
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
	total = total_ns(a);
	spin_lock(&a->lock);
	a->timer_last_ns = now_ns() - total; /* expired, unless there is something left */
	if (left && left <= total) {
		begin(a);
		/* As if it had begun when the rest of the count says. */
		a->timer_last_ns -= total - left;
		set_host_timer(a, a->timer_last_ns + total);
	}
	spin_unlock(&a->lock);
}
