// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The high precision event timer at 0xfed00000: a 64-bit counter of 16 ns ticks and three timers,
 * each one-shot or periodic, edge or level, by legacy replacement or its own route. IA-PC HPET
 * specification 1.0a. No FSB (MSI) delivery. Periods that passed unnoticed are dropped, not made up
 * for. HVM_PARAM_HPET_ENABLED switches it on.
 */
#include "irq_private.h"
#include "units.h"
#include "pc_private.h"

#define HPET_BASE   0xfed00000UL
#define HPET_LEN    0x400U
#define TICK_SHIFT  4 /* 16 ns */
#define TICK_FS	    16000000ULL
#define TIMERS	    HPET_TIMER_NUM
#define ROUTES	    0x00f00000ULL /* GSI 20-23 */

#define REG_CAP	    0x000
#define REG_CONFIG  0x010
#define REG_ISR	    0x020
#define REG_COUNTER 0x0f0
#define REG_TIMERS  0x100

#define CFG_ENABLE  BIT(0)
#define CFG_LEGACY  BIT(1)
#define T_LEVEL	    BIT(1)
#define T_ENABLE    BIT(2)
#define T_PERIODIC  BIT(3)
#define T_PER_CAP   BIT(4)
#define T_SIZE_CAP  BIT(5)
#define T_SETVAL    BIT(6)
#define T_32BIT	    BIT(8)
#define T_ROUTE(c)  ((unsigned int)((c) >> 9 & 31))
#define T_WRITABLE  (T_LEVEL | T_ENABLE | T_PERIODIC | T_SETVAL | T_32BIT | 0x3e00)
#define T_CAPS	    (ROUTES << 32 | T_SIZE_CAP | T_PER_CAP)

#define JUST_MISSED \
	0x100000U	  /* ticks (17 ms): a comparator that little in the past fires at once */
#define FAR_TICKS BIT(40) /* look again then (5 hours) */

struct hpet_timer {
	uint64_t config, cmp, period;
	uint64_t due_ns; /* of the next match; PC_NEVER = not armed, or too far away */
	bool fired;	 /* the comparator as it stands has matched */
	bool unseen;	 /* its edges change nothing, or its status is set already: no timer */
	struct timer timer;
	struct vhpet *hpet;
};

struct vhpet {
	struct domain *domain;
	uint64_t config, isr;
	uint64_t base; /* counter while stopped; while enabled: counter - ticks of system time */
	struct hpet_timer t[TIMERS];
};

bool vhpet_legacy(const struct domain *d)
{
	return d->hvm.vhpet && (READ_ONCE(d->hvm.vhpet->config) & (CFG_ENABLE | CFG_LEGACY)) ==
				       (CFG_ENABLE | CFG_LEGACY);
}

static uint64_t counter(const struct vhpet *h)
{
	return h->config & CFG_ENABLE ? (now_ns() >> TICK_SHIFT) + h->base : h->base;
}

static uint64_t width(const struct hpet_timer *t, uint64_t v)
{
	return t->config & T_32BIT ? (uint32_t)v : v;
}

static unsigned int index_of(const struct hpet_timer *t)
{
	return (unsigned int)(t - t->hpet->t);
}

/*
 * Ticks until t fires. A guest that computes "now + a little" and is held up must not wait for a
 * wrap.
 */
static uint64_t ticks_left(const struct hpet_timer *t, uint64_t count)
{
	if (!t->fired && width(t, count - t->cmp) <= JUST_MISSED)
		return 0;
	return width(t, t->cmp - count);
}

static void arm(struct hpet_timer *t, uint64_t at_least_ns)
{
	struct vhpet *h = t->hpet;
	uint64_t left, now = now_ns();

	t->due_ns = PC_NEVER;
	t->unseen = false;
	if (!(h->config & CFG_ENABLE) || !(t->config & T_ENABLE)) {
		pc_timer_set(h->domain, &t->timer, PC_NEVER);
		return;
	}
	left = ticks_left(t, counter(h));
	if (left < FAR_TICKS)
		t->due_ns = now + max(left << TICK_SHIFT, at_least_ns);
	pc_timer_set(h->domain, &t->timer,
		     left < FAR_TICKS ? t->due_ns : now + (FAR_TICKS << TICK_SHIFT));
}

/* Where timer i's interrupts go: ISA lines 0 and 8 by legacy replacement, else its route. */
static int gsi_of(const struct vhpet *h, unsigned int i)
{
	unsigned int route = T_ROUTE(h->t[i].config);

	if ((h->config & CFG_LEGACY) && i < 2)
		return i ? 8 : 2;
	return ROUTES & BIT(route) ? (int)route : -1;
}

/* The level-triggered wire of timer i as its status bit says; -1 = none. */
static bool level_wanted(const struct vhpet *h, unsigned int i)
{
	return (h->config & CFG_ENABLE) &&
	       (h->t[i].config & (T_LEVEL | T_ENABLE)) == (T_LEVEL | T_ENABLE) &&
	       (h->isr & BIT(i)) && gsi_of(h, i) >= 0;
}

static bool wanted(struct domain *d, unsigned int i, unsigned int *gsi)
{
	struct vhpet *h = d->hvm.vhpet;
	bool level;

	spin_lock(&d->hvm.time_lock);
	level = level_wanted(h, i);
	*gsi = level ? (unsigned int)gsi_of(h, i) : 0;
	spin_unlock(&d->hvm.time_lock);
	return level;
}

/* Whoever sets the wire last looks once more, so it ends right whatever ran at the same time. */
static void update_level(struct domain *d, unsigned int i)
{
	unsigned int gsi, gsi_set;
	bool level = wanted(d, i, &gsi), set;

	do {
		set = level;
		gsi_set = gsi;
		hvm_source_set(d, HVM_SOURCE_HPET + i, gsi_set, set);
		level = wanted(d, i, &gsi);
	} while (level != set || gsi != gsi_set);
}

/* An edge of timer i. */
static void pulse(struct domain *d, unsigned int i, int gsi)
{
	unsigned int isa = gsi == 2 ? 0 : gsi == 8 ? 8 : 16;

	if (gsi < 0)
		return;
	if (isa < 16) {
		hvm_isa_irq_set(d, isa, false);
		hvm_isa_irq_set(d, isa, true);
	} else {
		hvm_gsi_set(d, (unsigned int)gsi, true);
		hvm_gsi_set(d, (unsigned int)gsi, false);
	}
	hvm_ticker_unseen(d, HVM_TICKER_HPET + i, (unsigned int)gsi, isa);
}

/* Periods that have passed are dropped; the comparator was at most one of them ahead. */
static void skip_periods(struct hpet_timer *t, uint64_t count)
{
	if (t->period && width(t, t->cmp - count) > t->period)
		t->cmp = width(t, t->cmp + (width(t, count - t->cmp) / t->period + 1) * t->period);
}

/* A periodic timer stops until somebody sees its interrupts again; its comparator moves on then. Lock held. */
static void set_unseen(struct hpet_timer *t, bool unseen)
{
	if (unseen && (t->config & T_PERIODIC) && t->due_ns != PC_NEVER) {
		t->due_ns = PC_NEVER;
		t->unseen = true;
		pc_timer_set(t->hpet->domain, &t->timer, PC_NEVER);
	} else if (!unseen && t->unseen) {
		skip_periods(t, counter(t->hpet));
		arm(t, 0);
	}
}

void vhpet_unseen(struct domain *d, unsigned int i, bool unseen)
{
	spin_lock(&d->hvm.time_lock);
	set_unseen(&d->hvm.vhpet->t[i], unseen);
	spin_unlock(&d->hvm.time_lock);
}

/* The comparator of a periodic timer moves on; that of a one-shot matches again after a wrap. */
static void after_match(struct hpet_timer *t, uint64_t count)
{
	t->fired = !(t->config & T_PERIODIC) || !t->period;
	if (!t->fired)
		t->cmp = width(t, t->cmp + (width(t, count - t->cmp) / t->period + 1) * t->period);
	arm(t, PC_MIN_PERIOD_NS);
	if (t->config & T_LEVEL)
		set_unseen(t, true); /* until its status bit is cleared */
}

static void timer_fn(void *data)
{
	struct hpet_timer *t = data;
	struct vhpet *h = t->hpet;
	struct domain *d = h->domain;
	unsigned int i = index_of(t);
	bool level = false;
	int gsi = -1;

	spin_lock(&d->hvm.time_lock);
	if (now_ns() < t->due_ns) {
		if (t->due_ns == PC_NEVER)
			arm(t, 0); /* it was far away, or just disarmed */
	} else {
		level = t->config & T_LEVEL;
		if (level)
			h->isr |= BIT(i);
		else
			gsi = gsi_of(h, i);
		after_match(t, counter(h));
	}
	spin_unlock(&d->hvm.time_lock);
	if (level)
		update_level(d, i);
	else
		pulse(d, i, gsi);
}

static void write_config(struct vhpet *h, uint64_t v)
{
	uint64_t count = counter(h);

	h->config = v & (CFG_ENABLE | CFG_LEGACY);
	h->base = h->config & CFG_ENABLE ? count - (now_ns() >> TICK_SHIFT) : count;
	for (unsigned int i = 0; i < TIMERS; i++)
		arm(&h->t[i], 0);
}

static void write_counter(struct vhpet *h, uint64_t v)
{
	h->base = h->config & CFG_ENABLE ? v - (now_ns() >> TICK_SHIFT) : v;
	for (unsigned int i = 0; i < TIMERS; i++)
		arm(&h->t[i], 0);
}

static void write_timer_config(struct hpet_timer *t, uint64_t v)
{
	t->config = (t->config & ~(uint64_t)T_WRITABLE) | (v & T_WRITABLE);
	if (t->config & T_32BIT) {
		t->cmp = (uint32_t)t->cmp;
		t->period = (uint32_t)t->period;
	}
	arm(t, 0);
}

/*
 * In periodic mode a write sets the period, and the comparator too if T_SETVAL asks for that:
 * 2.3.9.2.2. The bits in keep stay.
 */
static void write_cmp(struct hpet_timer *t, uint64_t v, uint64_t keep)
{
	if (!(t->config & T_PERIODIC) || (t->config & T_SETVAL))
		t->cmp = width(t, (t->cmp & keep) | v);
	if (t->config & T_PERIODIC)
		t->period = width(t, (t->period & keep) | v);
	t->config &= ~T_SETVAL;
	t->fired = false;
	arm(t, 0);
}

/* Before somebody looks at the comparators: those without a timer have stood still. */
static void show_periods(struct vhpet *h)
{
	for (unsigned int i = 0; i < TIMERS; i++)
		if (h->t[i].unseen)
			skip_periods(&h->t[i], counter(h));
}

static uint64_t read_reg(const struct vhpet *h, unsigned int reg)
{
	unsigned int i = (reg - REG_TIMERS) / 0x20;

	switch (reg) {
	case REG_CAP:
		return TICK_FS << 32 | 0x8086U << 16 | BIT(15) | BIT(13) | (TIMERS - 1) << 8 | 1;
	case REG_CONFIG:
		return h->config;
	case REG_ISR:
		return h->isr;
	case REG_COUNTER:
		return counter(h);
	default:
		if (reg < REG_TIMERS || i >= TIMERS)
			return 0;
		return (reg & 0x18) == 0 ? h->t[i].config : (reg & 0x18) == 8 ? h->t[i].cmp : 0;
	}
}

/* The bits of v that are not in keep are written. */
static void write_reg(struct vhpet *h, unsigned int reg, uint64_t v, uint64_t keep)
{
	unsigned int i = (reg - REG_TIMERS) / 0x20;
	uint64_t whole = (read_reg(h, reg) & keep) | v;

	switch (reg) {
	case REG_CONFIG:
		write_config(h, whole);
		break;
	case REG_ISR:
		h->isr &= ~v; /* a half clears nothing in the other */
		for (i = 0; i < TIMERS; i++)
			if ((v & BIT(i)) && (h->t[i].config & T_LEVEL))
				set_unseen(&h->t[i], false);
		break;
	case REG_COUNTER:
		write_counter(h, whole);
		break;
	default:
		if (reg < REG_TIMERS || i >= TIMERS)
			break;
		if ((reg & 0x18) == 0)
			write_timer_config(&h->t[i], whole);
		else if ((reg & 0x18) == 8)
			write_cmp(&h->t[i], v, keep);
		break;
	}
}

static bool off(const struct vcpu *v)
{
	return !READ_ONCE(v->domain->hvm.params[HVM_PARAM_HPET_ENABLED]);
}

/* Aligned accesses of 4 and 8 bytes are defined; others read parts and write nothing. */
static enum io_result mmio_read(struct vcpu *v, void *opaque, uint64_t offset, unsigned int size,
				uint64_t *val)
{
	struct domain *d = v->domain;
	uint64_t r;

	if (off(v))
		return IO_PASS;
	spin_lock(&d->hvm.time_lock);
	show_periods(opaque);
	r = read_reg(opaque, (unsigned int)offset & ~7U);
	spin_unlock(&d->hvm.time_lock);
	r >>= (offset & 7) * 8;
	*val = size == 8 ? r : r & (BIT(size * 8) - 1);
	return IO_DONE;
}

static enum io_result mmio_write(struct vcpu *v, void *opaque, uint64_t offset, unsigned int size,
				 uint64_t val)
{
	struct domain *d = v->domain;
	unsigned int reg = (unsigned int)offset & ~7U, shift = (offset & 4) * 8;
	uint64_t keep = size == 8 ? 0 : ~(0xffffffffULL << shift);

	if (off(v))
		return IO_PASS;
	if (size < 4 || (offset & (size - 1)))
		return IO_DONE;
	spin_lock(&d->hvm.time_lock);
	show_periods(opaque);
	write_reg(opaque, reg, val << shift & ~keep, keep);
	spin_unlock(&d->hvm.time_lock);
	if (reg != REG_COUNTER)
		for (unsigned int i = 0; i < TIMERS; i++)
			update_level(d, i);
	if (reg == REG_CONFIG && !vhpet_legacy(d))
		vpit_unseen(d, false);
	return IO_DONE;
}

static const struct io_range vhpet_registers = { IO_MEMORY, HPET_BASE, HPET_LEN, mmio_read,
						 mmio_write };

static int vhpet_init(struct domain *d)
{
	struct vhpet *h = xzalloc(struct vhpet);

	if (!h)
		return -ENOMEM;
	h->domain = d;
	for (unsigned int i = 0; i < TIMERS; i++) {
		h->t[i].hpet = h;
		h->t[i].config = T_CAPS;
		h->t[i].cmp = ~0ULL;
		h->t[i].fired = true;
		timer_init(&h->t[i].timer, timer_fn, &h->t[i], 0);
	}
	d->hvm.vhpet = h;
	return io_register(d, &vhpet_registers, h);
}

static void vhpet_stop(struct domain *d)
{
	for (unsigned int i = 0; d->hvm.vhpet && i < TIMERS; i++)
		timer_stop(&d->hvm.vhpet->t[i].timer);
}

static void vhpet_fini(struct domain *d)
{
	vhpet_stop(d);
	xfree(d->hvm.vhpet);
	d->hvm.vhpet = NULL;
}

static int hpet_save(const struct hvm_instance *at, void *buf)
{
	struct domain *d = at->d;
	struct vhpet *h = d->hvm.vhpet;
	struct hvm_hw_hpet *r = buf;

	if (!READ_ONCE(d->hvm.params[HVM_PARAM_HPET_ENABLED]))
		return -ENOENT;
	spin_lock(&d->hvm.time_lock);
	show_periods(h);
	r->capability = read_reg(h, REG_CAP);
	r->config = h->config;
	r->isr = h->isr;
	r->mc64 = counter(h);
	for (unsigned int i = 0; i < TIMERS; i++) {
		r->timers[i].config = h->t[i].config;
		r->timers[i].cmp = h->t[i].cmp;
		r->period[i] = h->t[i].period;
	}
	spin_unlock(&d->hvm.time_lock);
	return sizeof(struct hvm_hw_hpet);
}

static int hpet_load(const struct hvm_instance *at, const void *buf)
{
	struct domain *d = at->d;
	struct vhpet *h = d->hvm.vhpet;
	const struct hvm_hw_hpet *r = buf;

	if (r->capability >> 32 != TICK_FS || (r->config & ~(CFG_ENABLE | CFG_LEGACY)) ||
	    r->isr >> TIMERS)
		return -EINVAL;
	spin_lock(&d->hvm.time_lock);
	h->config = 0;
	h->base = r->mc64;
	h->isr = r->isr;
	for (unsigned int i = 0; i < TIMERS; i++) {
		h->t[i].config = T_CAPS | (r->timers[i].config & T_WRITABLE);
		h->t[i].cmp = width(&h->t[i], r->timers[i].cmp);
		h->t[i].period = width(&h->t[i], r->period[i]);
		h->t[i].fired = !(r->timers[i].config & T_PERIODIC) &&
				width(&h->t[i], r->mc64) >= h->t[i].cmp;
	}
	write_config(h, r->config);
	spin_unlock(&d->hvm.time_lock);
	for (unsigned int i = 0; i < TIMERS; i++)
		update_level(d, i);
	return 0;
}

static const struct hvm_record records[] = {
	HVM_RECORD(HPET, SAVE_PER_DOMAIN, sizeof(struct hvm_hw_hpet), hpet_save, hpet_load),
};

const struct hvm_unit vhpet_unit = {
	.name = "HPET",
	.needs = UNIT_PC,
	.init = vhpet_init,
	.stop = vhpet_stop,
	.fini = vhpet_fini,
	UNIT_SAVES(records),
};
