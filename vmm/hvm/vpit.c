// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The 8254 interval timer and port 0x61. Counters are computed from the time when they are read;
 * only channel 0 has a host timer, for IRQ 0. Intel 8254 datasheet (modes, read-back), ISA port
 * 61h: PIIX3 2.5.4.
 *
 * Ticks that the guest could not take are merged into one, as on a PC with interrupts off; while IRQ 0 leads
 * nowhere the host timer stops. A count written is loaded at once, but modes 1 and 5 load it with a trigger, and a
 * square wave or rate (modes 3 and 2) that runs loads it when its half or its period ends.
 */
#include "irq_private.h"
#include "units.h"
#include "pc_private.h"

#define PIT_HZ	   1193182ULL
#define PORT_CH0   0x40
#define PORT_MODE  0x43
#define PORT_61	   0x61
#define REFRESH_NS 15085U

/* rw_mode, read_state, write_state, count_latched: as xen/hvm/save.h's users have them. */
enum { RW_LATCH, RW_LSB, RW_MSB, RW_WORD0, RW_WORD1 };

struct vpit {
	struct hvm_hw_pit hw;
	struct domain *domain;
	uint64_t start_ns[3];  /* when the count began */
	uint64_t held[3];      /* ticks passed when the gate went low */
	uint32_t pending[3];   /* count for the next trigger or reload, 0: none was written */
	uint64_t reload_ns[3]; /* when that is, without a trigger */
	bool reload_low[3];    /* OUT goes low then: the end of mode 3's first half */
	bool fresh[3];	       /* a control word came, and no count or trigger after it */
	uint64_t next_ns;      /* next edge of channel 0 */
	uint64_t edge_ns;      /* the last one that the timer made: the next is not much sooner */
	bool unseen;	       /* its edges change nothing: no timer */
	struct timer timer;
};

static uint64_t to_ticks(uint64_t ns)
{
	return muldiv64(ns, PIT_HZ, NS_PER_SEC);
}

/* Rounded up: at that time the ticks have passed. */
static uint64_t to_ns(uint64_t ticks)
{
	return muldiv64(ticks, NS_PER_SEC, PIT_HZ) + 1;
}

/* A rising gate starts them, and its level says nothing. */
static bool triggered(const struct hvm_hw_pit_channel *c)
{
	return c->mode == 1 || c->mode == 5;
}

/* A CPU whose clock is behind the one that wrote the count sees no time passed, not all of it. */
static uint64_t running_ticks(const struct vpit *p, unsigned int ch, uint64_t now)
{
	int64_t ns = (int64_t)(now - p->start_ns[ch]);

	return ns > 0 ? to_ticks((uint64_t)ns) : 0;
}

static uint64_t elapsed(const struct vpit *p, unsigned int ch, uint64_t now)
{
	const struct hvm_hw_pit_channel *c = &p->hw.channels[ch];

	if (p->fresh[ch])
		return 0;
	return c->gate || triggered(c) ? running_ticks(p, ch, now) : p->held[ch];
}

static bool periodic(const struct hvm_hw_pit_channel *c)
{
	return c->mode == 2 || c->mode == 3;
}

/* Mode 3 is high for the longer half. */
static uint32_t high_ticks(uint32_t count)
{
	return (count + 1) / 2;
}

/* What is pending waits for the end of the period, or in mode 3 of its half. */
static void reload_later(struct vpit *p, unsigned int ch, uint64_t now)
{
	const struct hvm_hw_pit_channel *c = &p->hw.channels[ch];
	uint64_t passed = elapsed(p, ch, now);
	uint32_t at = (uint32_t)(passed % c->count);

	p->reload_low[ch] = c->mode == 3 && at < high_ticks(c->count);
	passed += (p->reload_low[ch] ? high_ticks(c->count) : c->count) - at;
	p->reload_ns[ch] = p->start_ns[ch] + to_ns(passed);
}

static void reload(struct vpit *p, uint64_t now)
{
	for (unsigned int ch = 0; ch < 3; ch++) {
		struct hvm_hw_pit_channel *c = &p->hw.channels[ch];

		if (!p->pending[ch] || !periodic(c) || !c->gate || now < p->reload_ns[ch])
			continue;
		c->count = p->pending[ch];
		p->pending[ch] = 0;
		p->start_ns[ch] = p->reload_ns[ch];
		if (p->reload_low[ch])
			p->start_ns[ch] -= to_ns(high_ticks(c->count));
	}
}

/* Whatever looks at the counters or changes them begins so: locked, and as they are at the time that is returned. */
static uint64_t begin(struct vpit *p)
{
	uint64_t now;

	spin_lock(&p->domain->hvm.time_lock);
	now = now_ns();
	reload(p, now);
	return now;
}

static uint16_t to_bcd(uint32_t v)
{
	return (uint16_t)(v % 10 | (v / 10 % 10) << 4 | (v / 100 % 10) << 8 |
			  (v / 1000 % 10) << 12);
}

/* Mode 3 counts down by two, twice in a period; an odd count begins one lower and has its zero in the first half. */
static uint32_t square_counter(uint32_t count, uint64_t passed)
{
	uint32_t at = (uint32_t)(passed % count), half = high_ticks(count);

	return (count & ~1U) - 2 * (at < half ? at : at - half);
}

static uint16_t counter(const struct vpit *p, unsigned int ch, uint64_t now)
{
	const struct hvm_hw_pit_channel *c = &p->hw.channels[ch];
	uint32_t wrap = c->bcd ? 10000 : 65536, v;
	uint64_t d = elapsed(p, ch, now);

	if (c->mode == 2)
		v = c->count - (uint32_t)(d % c->count);
	else if (c->mode == 3)
		v = square_counter(c->count, d);
	else
		v = c->count + wrap - (uint32_t)(d % wrap);
	return c->bcd ? to_bcd(v % wrap) : (uint16_t)v;
}

static bool output(const struct vpit *p, unsigned int ch, uint64_t now)
{
	const struct hvm_hw_pit_channel *c = &p->hw.channels[ch];
	uint64_t d = elapsed(p, ch, now);

	if (p->fresh[ch])
		return c->mode != 0;
	switch (c->mode) {
	case 0:
	case 1:
		return d >= c->count;
	case 2:
		return !c->gate || d % c->count != c->count - 1;
	case 3:
		return !c->gate || d % c->count < high_ticks(c->count);
	default:
		return d != c->count;
	}
}

/* The next rising edge of channel 0 after now, until which reload() was called. */
static uint64_t next_edge(const struct vpit *p, uint64_t now)
{
	const struct hvm_hw_pit_channel *c = &p->hw.channels[0];
	uint64_t at;

	if (triggered(c) || p->fresh[0])
		return PC_NEVER; /* this channel's gate never gives a trigger */
	if (!periodic(c))
		return p->start_ns[0] + to_ns(c->count);
	if (!p->pending[0])
		at = p->start_ns[0] + to_ns((running_ticks(p, 0, now) / c->count + 1) * c->count);
	else if (p->reload_low[0])
		at = p->reload_ns[0] + to_ns(p->pending[0] - high_ticks(p->pending[0]));
	else
		at = p->reload_ns[0];
	return max(at, p->edge_ns + PC_MIN_PERIOD_NS);
}

static void arm(struct vpit *p, uint64_t at_ns)
{
	p->next_ns = at_ns;
	p->unseen = false;
	pc_timer_set(p->domain, &p->timer, at_ns);
}

/* An edge on IRQ 0: the wire stays high until the next one. */
static void pulse(struct domain *d)
{
	if (vhpet_legacy(d)) {
		vpit_unseen(d, true);
		if (!vhpet_legacy(d)) /* until just now */
			vpit_unseen(d, false);
		return;
	}
	hvm_isa_irq_set(d, 0, false);
	hvm_isa_irq_set(d, 0, true);
	hvm_ticker_unseen(d, HVM_TICKER_PIT, hvm_isa_gsi(0), 0);
}

void vpit_unseen(struct domain *d, bool unseen)
{
	struct vpit *p = d->hvm.vpit;
	uint64_t now = begin(p);

	if (unseen && periodic(&p->hw.channels[0]) && p->next_ns != PC_NEVER) {
		arm(p, PC_NEVER);
		p->unseen = true;
	} else if (!unseen && p->unseen) {
		arm(p, next_edge(p, now));
	}
	spin_unlock(&d->hvm.time_lock);
}

static void timer_fn(void *data)
{
	struct vpit *p = data;
	struct domain *d = p->domain;
	uint64_t now = begin(p);
	bool due = now >= p->next_ns;

	if (due) {
		p->edge_ns = now;
		arm(p, periodic(&p->hw.channels[0]) ? next_edge(p, now) : PC_NEVER);
	}
	spin_unlock(&d->hvm.time_lock);
	if (due)
		pulse(d);
}

static void load_count(struct vpit *p, unsigned int ch, uint32_t v, uint64_t now)
{
	struct hvm_hw_pit_channel *c = &p->hw.channels[ch];

	if (c->bcd)
		v = (v & 15) + (v >> 4 & 15) * 10 + (v >> 8 & 15) * 100 + (v >> 12 & 15) * 1000;
	v = v ? v : c->bcd ? 10000 : 65536;
	p->pending[ch] = v;
	if (triggered(c))
		return;
	if (periodic(c) && c->gate && !p->fresh[ch]) {
		reload_later(p, ch, now);
		if (ch == 0 && p->next_ns <= now)
			return; /* an edge is due, and timer_fn() goes on from there */
	} else {
		c->count = v;
		p->pending[ch] = 0;
		p->fresh[ch] = false;
		p->start_ns[ch] = now;
		p->held[ch] = 0;
	}
	if (ch == 0)
		arm(p, next_edge(p, now));
}

static void latch_count(struct vpit *p, unsigned int ch, uint64_t now)
{
	struct hvm_hw_pit_channel *c = &p->hw.channels[ch];

	if (c->count_latched)
		return;
	c->latched_count = counter(p, ch, now);
	c->count_latched = c->rw_mode;
}

/* What was written has not reached the counter. */
static bool null_count(const struct vpit *p, unsigned int ch)
{
	return p->fresh[ch] || p->pending[ch];
}

static void latch_status(struct vpit *p, unsigned int ch, uint64_t now)
{
	struct hvm_hw_pit_channel *c = &p->hw.channels[ch];

	if (c->status_latched)
		return;
	c->status = (uint8_t)(output(p, ch, now) << 7 | null_count(p, ch) << 6 | c->rw_mode << 4 |
			      c->mode << 1 | c->bcd);
	c->status_latched = 1;
}

/* Control word: true when channel 0's output goes low (mode 0). */
static bool write_mode(struct vpit *p, uint8_t v, uint64_t now)
{
	unsigned int ch = v >> 6, access = v >> 4 & 3;
	struct hvm_hw_pit_channel *c = &p->hw.channels[ch];

	if (ch == 3) {
		for (unsigned int i = 0; i < 3; i++) {
			if (!(v & BIT(i + 1)))
				continue;
			if (!(v & BIT(5)))
				latch_count(p, i, now);
			if (!(v & BIT(4)))
				latch_status(p, i, now);
		}
		return false;
	}
	if (access == RW_LATCH) {
		latch_count(p, ch, now);
		return false;
	}
	c->rw_mode = c->read_state = c->write_state = (uint8_t)access;
	c->mode = v >> 1 & 7;
	if (c->mode > 5)
		c->mode -= 4;
	if (c->bcd != (v & 1) && c->count > 10000)
		c->count = 10000;
	c->bcd = v & 1;
	c->count_latched = c->status_latched = 0;
	p->fresh[ch] = true;
	p->pending[ch] = 0;
	if (ch)
		return false;
	arm(p, PC_NEVER); /* until a count is written */
	return c->mode == 0;
}

/* True when channel 0's output goes low. */
static bool write_channel(struct vpit *p, unsigned int ch, uint8_t v, uint64_t now)
{
	struct hvm_hw_pit_channel *c = &p->hw.channels[ch];

	switch (c->write_state) {
	case RW_LSB:
		load_count(p, ch, v, now);
		break;
	case RW_MSB:
		load_count(p, ch, (uint32_t)v << 8, now);
		break;
	case RW_WORD0:
		c->write_latch = v;
		c->write_state = RW_WORD1;
		if (c->mode != 0)
			return false;
		p->fresh[ch] = true; /* the first byte stops mode 0 */
		if (!ch)
			arm(p, PC_NEVER);
		break;
	default:
		load_count(p, ch, c->write_latch | (uint32_t)v << 8, now);
		c->write_state = RW_WORD0;
		break;
	}
	return !ch && c->mode == 0;
}

static uint8_t read_channel(struct vpit *p, unsigned int ch, uint64_t now)
{
	struct hvm_hw_pit_channel *c = &p->hw.channels[ch];
	uint16_t v;

	if (c->status_latched) {
		c->status_latched = 0;
		return c->status;
	}
	if (c->count_latched) {
		unsigned int part = c->count_latched;

		c->count_latched = part == RW_WORD0 ? RW_MSB : RW_LATCH;
		return (uint8_t)(part == RW_MSB ? c->latched_count >> 8 : c->latched_count);
	}
	v = counter(p, ch, now);
	if (c->read_state == RW_WORD0) {
		c->read_state = RW_WORD1;
		return (uint8_t)v;
	}
	if (c->read_state == RW_WORD1)
		c->read_state = RW_WORD0;
	return (uint8_t)(c->read_state == RW_LSB ? v : v >> 8);
}

static enum io_result pit_read(struct vcpu *v, void *opaque, uint64_t offset, unsigned int size,
			       uint64_t *val)
{
	struct vpit *p = opaque;
	uint64_t now;

	(void)v;
	if (size != 1)
		return IO_PASS;
	now = begin(p);
	*val = offset == PORT_MODE - PORT_CH0 ? 0 : read_channel(p, offset & 3, now);
	spin_unlock(&p->domain->hvm.time_lock);
	return IO_DONE;
}

static enum io_result pit_write(struct vcpu *v, void *opaque, uint64_t offset, unsigned int size,
				uint64_t val)
{
	struct vpit *p = opaque;
	uint64_t now;
	bool low;

	if (size != 1)
		return IO_PASS;
	now = begin(p);
	low = offset == PORT_MODE - PORT_CH0 ? write_mode(p, (uint8_t)val, now)
					     : write_channel(p, offset & 3, (uint8_t)val, now);
	spin_unlock(&p->domain->hvm.time_lock);
	if (low && !vhpet_legacy(v->domain))
		hvm_isa_irq_set(v->domain, 0, false);
	return IO_DONE;
}

/* Gate input of channel 2: 8254 datasheet, "gate pin operations". */
static void set_gate(struct vpit *p, unsigned int ch, bool gate, uint64_t now)
{
	struct hvm_hw_pit_channel *c = &p->hw.channels[ch];

	if (c->gate == gate)
		return;
	p->held[ch] = elapsed(p, ch, now);
	c->gate = gate;
	if (!gate || (p->fresh[ch] && !p->pending[ch]))
		return;
	if (p->pending[ch]) {
		c->count = p->pending[ch];
		p->pending[ch] = 0;
		p->fresh[ch] = false;
	}
	if (c->mode == 0 || c->mode == 4)
		p->start_ns[ch] = now - to_ns(p->held[ch]); /* goes on */
	else
		p->start_ns[ch] = now; /* begins anew */
}

static enum io_result speaker_read(struct vcpu *v, void *opaque, uint64_t offset, unsigned int size,
				   uint64_t *val)
{
	struct vpit *p = opaque;
	uint64_t now;

	(void)v, (void)offset;
	if (size != 1)
		return IO_PASS;
	now = begin(p);
	*val = p->hw.channels[2].gate | (uint32_t)p->hw.speaker_data_on << 1 |
	       (now / REFRESH_NS & 1) << 4 | (uint32_t)output(p, 2, now) << 5;
	spin_unlock(&p->domain->hvm.time_lock);
	return IO_DONE;
}

static enum io_result speaker_write(struct vcpu *v, void *opaque, uint64_t offset,
				    unsigned int size, uint64_t val)
{
	struct vpit *p = opaque;
	uint64_t now;

	(void)v, (void)offset;
	if (size != 1)
		return IO_PASS;
	now = begin(p);
	p->hw.speaker_data_on = val >> 1 & 1;
	set_gate(p, 2, val & 1, now);
	spin_unlock(&p->domain->hvm.time_lock);
	return IO_DONE;
}

static const struct io_range pit_ports = { IO_PORTS, PORT_CH0, 4, pit_read, pit_write };
static const struct io_range speaker_port = { IO_PORTS, PORT_61, 1, speaker_read, speaker_write };

/* A channel that was never programmed. */
static void channel_reset(struct hvm_hw_pit_channel *c, unsigned int ch)
{
	*c = (struct hvm_hw_pit_channel){ .mode = 3, .gate = ch != 2, .count = 65536 };
	c->rw_mode = c->read_state = c->write_state = RW_WORD0;
}

static int vpit_init(struct domain *d)
{
	struct vpit *p = xzalloc(struct vpit);
	int rc;

	if (!p)
		return -ENOMEM;
	d->hvm.vpit = p;
	p->domain = d;
	p->next_ns = PC_NEVER;
	timer_init(&p->timer, timer_fn, p, 0);
	for (unsigned int ch = 0; ch < 3; ch++) {
		channel_reset(&p->hw.channels[ch], ch);
		p->start_ns[ch] = now_ns();
	}
	rc = io_register(d, &pit_ports, p);
	return rc ? rc : io_register(d, &speaker_port, p);
}

static void vpit_stop(struct domain *d)
{
	if (d->hvm.vpit)
		timer_stop(&d->hvm.vpit->timer);
}

static void vpit_fini(struct domain *d)
{
	vpit_stop(d);
	xfree(d->hvm.vpit);
	d->hvm.vpit = NULL;
}

static int pit_save(const struct hvm_instance *at, void *buf)
{
	struct domain *d = at->d;
	struct vpit *p = d->hvm.vpit;
	struct hvm_hw_pit *hw = buf;

	spin_lock(&d->hvm.time_lock);
	*hw = p->hw;
	for (unsigned int ch = 0; ch < 3; ch++)
		if (p->pending[ch])
			hw->channels[ch].count = p->pending[ch];
	spin_unlock(&d->hvm.time_lock);
	return sizeof(struct hvm_hw_pit);
}

/* The mode of a channel that has none yet, in an image of Xen's. */
#define XEN_NEVER_SET 0xff

static bool channel_ok(const struct hvm_hw_pit_channel *c)
{
	return c->count && c->count <= (c->bcd ? 10000U : 65536U) && c->mode <= 5 && c->bcd <= 1 &&
	       c->gate <= 1 && c->rw_mode <= RW_WORD0 && c->read_state <= RW_WORD1 &&
	       c->write_state <= RW_WORD1 && c->count_latched <= RW_WORD1 && c->status_latched <= 1;
}

/* The counts begin anew, as Xen does it: the record has no phase. */
static int pit_load(const struct hvm_instance *at, const void *buf)
{
	struct domain *d = at->d;
	struct hvm_hw_pit hw = *(const struct hvm_hw_pit *)buf;
	struct vpit *p = d->hvm.vpit;
	uint64_t now;

	if (hw.speaker_data_on > 1)
		return -EINVAL;
	for (unsigned int ch = 0; ch < 3; ch++) {
		if (hw.channels[ch].mode == XEN_NEVER_SET)
			channel_reset(&hw.channels[ch], ch);
		if (!channel_ok(&hw.channels[ch]))
			return -EINVAL;
	}
	spin_lock(&d->hvm.time_lock);
	now = now_ns();
	p->hw = hw;
	for (unsigned int ch = 0; ch < 3; ch++) {
		p->start_ns[ch] = now;
		p->held[ch] = 0;
		p->fresh[ch] = triggered(&hw.channels[ch]); /* waits for its next trigger */
		p->pending[ch] = p->fresh[ch] ? hw.channels[ch].count : 0;
	}
	arm(p, next_edge(p, now));
	spin_unlock(&d->hvm.time_lock);
	return 0;
}

static const struct hvm_record records[] = {
	HVM_RECORD(PIT, SAVE_PER_DOMAIN, sizeof(struct hvm_hw_pit), pit_save, pit_load),
};

const struct hvm_unit vpit_unit = {
	.name = "PIT",
	.needs = UNIT_PC,
	.init = vpit_init,
	.stop = vpit_stop,
	.fini = vpit_fini,
	UNIT_SAVES(records),
};
