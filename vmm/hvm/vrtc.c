// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The real-time clock: registers 0-13 of the CMOS at ports 0x70/0x71. Higher indices are memory and
 * belong to the device model. MC146818A datasheet. The date is the domain's wall clock; a guest
 * that sets it moves its time offset. While the divider is held in reset the clock stands, and its first
 * update comes half a second after. Interrupt flags are computed when someone looks; a host timer
 * runs only for enabled interrupts.
 *
 * Periodic ticks that come while the last one is unread are owed, at most OWED_MAX of them, and
 * paid back at twice the rate: guests that count them (Windows) keep their time.
 * HVM_PARAM_TIMER_MODE 2 turns that off.
 */
#include "vmm/domain/domain.h"
#include "pc_private.h"
#include "units.h"

#define PORT_INDEX 0x70

enum {
	R_SEC,
	R_SEC_ALARM,
	R_MIN,
	R_MIN_ALARM,
	R_HOUR,
	R_HOUR_ALARM,
	R_WDAY,
	R_MDAY,
	R_MONTH,
	R_YEAR,
	R_A,
	R_B,
	R_C,
	R_D
};

#define A_UIP	       0x80
#define A_DV	       0x70
#define A_DV_RUN       0x20
#define A_DV_RESET     0x60 /* and 0x70 */
#define B_SET	       0x80
#define B_PIE	       0x40
#define B_AIE	       0x20
#define B_UIE	       0x10
#define B_BINARY       0x04
#define B_24H	       0x02
#define C_IRQF	       0x80
#define C_PF	       0x40
#define C_AF	       0x20
#define C_UF	       0x10
#define D_VALID	       0x80
#define ALARM_ANY      0xc0 /* both top bits: every value matches */
#define HOUR_PM	       0x80

#define UIP_NS	       (244 * NS_PER_US) /* before the update */
#define DAY_S	       86400U
#define OWED_MAX       1024U /* one second at the usual highest rate */
#define STOOD_STILL_NS (2 * NS_PER_SEC)

struct vrtc {
	struct domain *domain;
	struct hvm_hw_rtc hw;
	uint64_t phase_ns; /* by which its seconds come before the wall clock's; below one second */
	uint64_t last_ns;  /* RTC time up to which the flags are computed */
	uint64_t shown_s;  /* second whose date is in hw.cmos_data */
	unsigned int owed; /* periodic ticks not yet delivered */
	struct timer timer;
};

static uint8_t reg(const struct vrtc *r, unsigned int i)
{
	return r->hw.cmos_data[i];
}

/* The domain's wall clock in nanoseconds since 1970. */
static uint64_t rtc_now(const struct vrtc *r)
{
	return now_ns() + READ_ONCE(r->domain->wc_ns) + r->phase_ns;
}

static bool in_reset(uint8_t a)
{
	return (a & A_DV_RESET) == A_DV_RESET;
}

/* The registers keep what they hold. */
static bool stands(const struct vrtc *r)
{
	return reg(r, R_B) & B_SET || in_reset(reg(r, R_A));
}

static uint8_t encode(const struct vrtc *r, unsigned int v)
{
	return (uint8_t)(reg(r, R_B) & B_BINARY ? v : v / 10 << 4 | v % 10);
}

static unsigned int decode(const struct vrtc *r, uint8_t v)
{
	return reg(r, R_B) & B_BINARY ? v : (v >> 4) * 10U + (v & 15);
}

static uint8_t encode_hour(const struct vrtc *r, unsigned int h)
{
	if (reg(r, R_B) & B_24H)
		return encode(r, h);
	return encode(r, h % 12 ? h % 12 : 12) | (h >= 12 ? HOUR_PM : 0);
}

static unsigned int decode_hour(const struct vrtc *r, uint8_t v)
{
	unsigned int h;

	if (reg(r, R_B) & B_24H)
		return decode(r, v);
	h = decode(r, v & 0x7f) % 12;
	return v & HOUR_PM ? h + 12 : h;
}

/*
 * Year, month 1-12 and day of a number of days since 1970: Fliegel and Van Flandern's way, years
 * from March.
 */
static void civil_from_days(uint64_t days, unsigned int *year, unsigned int *month,
			    unsigned int *day)
{
	uint32_t z = (uint32_t)days + 719468, era = z / 146097, doe = z % 146097;
	uint32_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	uint32_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;

	*day = doy - (153 * mp + 2) / 5 + 1;
	*month = mp < 10 ? mp + 3 : mp - 9;
	*year = era * 400 + yoe + (*month <= 2);
}

/* Put the date of RTC time `now` into the registers, unless the clock stands. */
static void show(struct vrtc *r, uint64_t now)
{
	uint64_t s = now / NS_PER_SEC;
	unsigned int year, month, day, tod = (unsigned int)(s % DAY_S);
	uint8_t *c = r->hw.cmos_data;

	if (s == r->shown_s || stands(r))
		return;
	r->shown_s = s;
	civil_from_days(s / DAY_S, &year, &month, &day);
	c[R_SEC] = encode(r, tod % 60);
	c[R_MIN] = encode(r, tod / 60 % 60);
	c[R_HOUR] = encode_hour(r, tod / 3600);
	c[R_WDAY] = encode(r, (unsigned int)((s / DAY_S + 4) % 7) + 1);
	c[R_MDAY] = encode(r, day);
	c[R_MONTH] = encode(r, month);
	c[R_YEAR] = encode(r, year % 100);
}

/* Seconds since 1970 that the registers show; the century is that of the years 1970-2069. */
static uint64_t shown_time(const struct vrtc *r)
{
	unsigned int year = decode(r, reg(r, R_YEAR)) % 100, month = decode(r, reg(r, R_MONTH));
	unsigned int day = decode(r, reg(r, R_MDAY));

	month = month < 1 ? 1 : min(month, 12U);
	day = day < 1 ? 1 : min(day, 31U);
	return days_from_civil(year + (year < 70 ? 2000 : 1900), month, day) * DAY_S +
	       decode_hour(r, reg(r, R_HOUR)) * 3600 + decode(r, reg(r, R_MIN)) * 60 +
	       decode(r, reg(r, R_SEC));
}

/* Period of the periodic interrupt; 0 = none. Datasheet table 5, 32.768 kHz time base. */
static uint64_t period_ns(const struct vrtc *r)
{
	unsigned int rate = reg(r, R_A) & 15;

	if (!rate || (reg(r, R_A) & A_DV) != A_DV_RUN)
		return 0;
	if (rate < 3)
		rate += 7;
	return (NS_PER_SEC << (rate - 1)) / 32768;
}

static bool alarm_field(uint8_t alarm, unsigned int want, unsigned int have)
{
	return (alarm & ALARM_ANY) == ALARM_ANY || want == have;
}

/* The first second after s at which the alarm fires, within a day; 0 = none. */
static uint64_t next_alarm(const struct vrtc *r, uint64_t s)
{
	uint8_t as = reg(r, R_SEC_ALARM), am = reg(r, R_MIN_ALARM), ah = reg(r, R_HOUR_ALARM);
	unsigned int ds = decode(r, as), dm = decode(r, am), dh = decode_hour(r, ah);
	uint64_t t = s + 1, end = s + DAY_S;

	if (((as & ALARM_ANY) != ALARM_ANY && ds > 59) ||
	    ((am & ALARM_ANY) != ALARM_ANY && dm > 59) ||
	    ((ah & ALARM_ANY) != ALARM_ANY && dh > 23))
		return 0;
	while (t <= end) {
		unsigned int tod = (unsigned int)(t % DAY_S);

		if (!alarm_field(ah, dh, tod / 3600))
			t += 3600 - tod % 3600;
		else if (!alarm_field(am, dm, tod / 60 % 60))
			t += 60 - tod % 60;
		else if (!alarm_field(as, ds, tod % 60))
			t += ds > tod % 60 ? ds - tod % 60 : 60 - tod % 60;
		else
			return t;
	}
	return 0;
}

/*
 * Set the flags of everything that happened up to now. Returns whether IRQ 8 is asserted. Lock
 * held.
 */
static bool catch_up(struct vrtc *r, uint64_t now)
{
	uint64_t period = period_ns(r), old_s = r->last_ns / NS_PER_SEC, s = now / NS_PER_SEC,
		 passed;
	uint8_t *c = &r->hw.cmos_data[R_C], b = reg(r, R_B);

	/* The wall clock was set, or the domain stood still for long: nothing is owed for that. */
	if (now - r->last_ns > STOOD_STILL_NS) {
		old_s = s - 1;
		r->last_ns = now - period;
	}
	if (period) {
		passed = now / period - r->last_ns / period;
		if (passed && (*c & C_PF) && (b & B_PIE))
			r->owed += (unsigned int)min(passed, (uint64_t)OWED_MAX);
		else if (passed > 1 && (b & B_PIE))
			r->owed += (unsigned int)min(passed - 1, (uint64_t)OWED_MAX);
		r->owed = min(r->owed, OWED_MAX);
		if (passed)
			*c |= C_PF;
	}
	if (s > old_s && !stands(r)) {
		uint64_t alarm = next_alarm(r, old_s);

		*c |= C_UF;
		if (alarm && alarm <= s)
			*c |= C_AF;
	}
	r->last_ns = now;
	if (*c & b & (C_PF | C_AF | C_UF))
		*c |= C_IRQF;
	return *c & C_IRQF;
}

static bool pays_back(const struct vrtc *r)
{
	return r->owed && READ_ONCE(r->domain->hvm.params[HVM_PARAM_TIMER_MODE]) !=
				  HVMPTM_no_missed_ticks_pending;
}

/*
 * The next moment at which an enabled flag that is clear may be set. Lock held, after catch_up().
 */
static void arm(struct vrtc *r, uint64_t now)
{
	uint64_t at = PC_NEVER, period = period_ns(r), alarm;
	uint8_t b = stands(r) ? reg(r, R_B) & B_PIE : reg(r, R_B), c = reg(r, R_C);

	/* While a flag is set its next event needs no timer: catch_up() counts what was missed. */
	if (period && (b & B_PIE) && !(c & C_PF)) {
		if (pays_back(r))
			period /= 2;
		at = now + period - now % period;
	}
	if ((b & B_UIE) && !(c & C_UF))
		at = min(at, now - now % NS_PER_SEC + NS_PER_SEC);
	if ((b & B_AIE) && !(c & C_AF)) {
		alarm = next_alarm(r, now / NS_PER_SEC);
		if (alarm)
			at = min(at, alarm * NS_PER_SEC);
	}
	if (at != PC_NEVER)
		at -= now - now_ns();
	pc_timer_set(r->domain, &r->timer, at);
}

static bool asserted(struct domain *d)
{
	bool level;

	spin_lock(&d->hvm.time_lock);
	level = reg(d->hvm.vrtc, R_C) & C_IRQF;
	spin_unlock(&d->hvm.time_lock);
	return level;
}

/* Whoever moves the wire last looks once more, so it ends right whatever ran at the same time. */
static void update_line(struct domain *d)
{
	bool level = asserted(d), set;

	if (vhpet_legacy(d))
		return;
	do {
		set = level;
		hvm_isa_irq_set(d, 8, set);
		level = asserted(d);
	} while (level != set);
}

static void timer_fn(void *data)
{
	struct vrtc *r = data;
	struct domain *d = r->domain;
	uint64_t now;
	bool irq;

	spin_lock(&d->hvm.time_lock);
	now = rtc_now(r);
	irq = catch_up(r, now);
	if (!irq && pays_back(r) && (reg(r, R_B) & B_PIE)) {
		r->owed--;
		r->hw.cmos_data[R_C] |= C_PF | C_IRQF;
		irq = true;
	}
	arm(r, now);
	spin_unlock(&d->hvm.time_lock);
	if (irq)
		update_line(d);
}

/*
 * The guest's clock moves by delta seconds: its offset, its wall clock, and the tools (through the
 * device model).
 */
static void move_clock(struct domain *d, int64_t delta)
{
	ioreq_t p = { .type = IOREQ_TYPE_TIMEOFFSET,
		      .size = 8,
		      .count = 1,
		      .dir = IOREQ_WRITE,
		      .data = (uint64_t)delta };

	if (!delta)
		return;
	spin_lock(&d->lock);
	d->time_offset_s += delta;
	time_update_wallclock(d);
	spin_unlock(&d->lock);
	ioreq_send_buffered(d, &p);
}

/* A time register was written, or the clock goes on: the seconds by which the clock moves. Lock held. */
static int64_t set_time(struct vrtc *r, uint64_t now)
{
	uint64_t want = shown_time(r);
	int64_t delta = (int64_t)(want - now / NS_PER_SEC);

	r->shown_s = want;
	r->last_ns = now + (uint64_t)delta * NS_PER_SEC;
	return delta;
}

/* The divider leaves its reset: the next second begins half a second from now. Lock held. */
static int64_t restart(struct vrtc *r)
{
	uint64_t ahead = NS_PER_SEC + NS_PER_SEC / 2 - rtc_now(r) % NS_PER_SEC;

	r->phase_ns = (r->phase_ns + ahead) % NS_PER_SEC;
	r->last_ns = rtc_now(r);
	return stands(r) ? 0 : set_time(r, r->last_ns);
}

/* Lock held. */
static int64_t write_divider(struct vrtc *r, uint8_t v, uint64_t now)
{
	uint8_t *a = &r->hw.cmos_data[R_A], old = *a;

	show(r, now); /* if it goes on to stand, it stands at this */
	*a = v & (uint8_t)~A_UIP;
	r->owed = 0;
	return in_reset(old) && !in_reset(v) ? restart(r) : 0;
}

/* Lock held. The result: by how many seconds the guest moves its clock. */
static int64_t write_reg(struct vrtc *r, unsigned int i, uint8_t v, uint64_t now)
{
	uint8_t *c = r->hw.cmos_data, old_b = c[R_B];

	switch (i) {
	case R_SEC_ALARM:
	case R_MIN_ALARM:
	case R_HOUR_ALARM:
		c[i] = v;
		return 0;
	case R_A:
		return write_divider(r, v, now);
	case R_B:
		if (v & B_SET) {
			show(r, now);
			v &= (uint8_t)~B_UIE; /* SET clears it */
		}
		if ((v & B_PIE) != (old_b & B_PIE))
			r->owed = 0;
		c[R_B] = v;
		if ((old_b & B_SET) && !stands(r))
			return set_time(r, now);
		if ((v ^ old_b) & (B_BINARY | B_24H))
			r->shown_s = 0; /* shown anew in the other form */
		return 0;
	case R_C:
	case R_D:
		return 0;
	default:
		show(r, now);
		c[i] = v;
		if (stands(r) || i == R_WDAY)
			return 0;
		return set_time(r, now);
	}
}

/* Lock held. *ack: reading register C dropped the interrupt. */
static uint8_t read_reg(struct vrtc *r, unsigned int i, uint64_t now, bool *ack)
{
	uint8_t v;

	switch (i) {
	case R_A:
		if (!stands(r) && now % NS_PER_SEC >= NS_PER_SEC - UIP_NS)
			return reg(r, R_A) | A_UIP;
		return reg(r, R_A);
	case R_C:
		catch_up(r, now);
		v = reg(r, R_C);
		r->hw.cmos_data[R_C] = 0;
		*ack = v & C_IRQF;
		arm(r, now);
		return v;
	case R_D:
		return D_VALID;
	case R_SEC_ALARM:
	case R_MIN_ALARM:
	case R_HOUR_ALARM:
	case R_B:
		return reg(r, i);
	default:
		show(r, now);
		return reg(r, i);
	}
}

static void write_data(struct domain *d, struct vrtc *r, unsigned int i, uint8_t v)
{
	int64_t delta;
	uint64_t now;

	spin_lock(&d->hvm.time_lock);
	now = rtc_now(r);
	catch_up(r, now);
	delta = write_reg(r, i, v, now);
	catch_up(r, rtc_now(r) + (uint64_t)delta * NS_PER_SEC);
	spin_unlock(&d->hvm.time_lock);
	move_clock(d, delta);
	spin_lock(&d->hvm.time_lock);
	arm(r, rtc_now(r));
	spin_unlock(&d->hvm.time_lock);
	update_line(d);
}

static enum io_result vrtc_read(struct vcpu *v, void *opaque, uint64_t offset, unsigned int size,
				uint64_t *val)
{
	struct vrtc *r = opaque;
	struct domain *d = v->domain;
	unsigned int index = READ_ONCE(r->hw.cmos_index);
	bool ack = false;

	if (size != 1 || (offset && index >= RTC_CMOS_SIZE))
		return IO_PASS;
	if (!offset) {
		*val = 0xff; /* the index */
		return IO_DONE;
	}
	spin_lock(&d->hvm.time_lock);
	*val = read_reg(r, index, rtc_now(r), &ack);
	spin_unlock(&d->hvm.time_lock);
	if (ack)
		update_line(d);
	return IO_DONE;
}

static enum io_result vrtc_write(struct vcpu *v, void *opaque, uint64_t offset, unsigned int size,
				 uint64_t val)
{
	struct vrtc *r = opaque;
	unsigned int index = READ_ONCE(r->hw.cmos_index);

	if (size != 1)
		return IO_PASS;
	if (!offset) {
		index = val & 0x7f; /* bit 7 is the NMI mask */
		WRITE_ONCE(r->hw.cmos_index, (uint8_t)index);
	}
	if (index >= RTC_CMOS_SIZE)
		return IO_PASS;
	if (offset)
		write_data(v->domain, r, index, (uint8_t)val);
	return IO_DONE;
}

static const struct io_range vrtc_ports = { IO_PORTS, PORT_INDEX, 2, vrtc_read, vrtc_write };

static int vrtc_init(struct domain *d)
{
	struct vrtc *r = xzalloc(struct vrtc);

	if (!r)
		return -ENOMEM;
	d->hvm.vrtc = r;
	r->domain = d;
	r->hw.cmos_data[R_A] = A_DV_RUN | 6; /* 976.562 us */
	r->hw.cmos_data[R_B] = B_24H;
	r->hw.cmos_data[R_D] = D_VALID;
	timer_init(&r->timer, timer_fn, r, 0);
	return io_register(d, &vrtc_ports, r);
}

static void vrtc_stop(struct domain *d)
{
	if (d->hvm.vrtc)
		timer_stop(&d->hvm.vrtc->timer);
}

static void vrtc_fini(struct domain *d)
{
	vrtc_stop(d);
	xfree(d->hvm.vrtc);
	d->hvm.vrtc = NULL;
}

static int rtc_save(const struct hvm_instance *at, void *buf)
{
	struct domain *d = at->d;
	struct vrtc *r = d->hvm.vrtc;
	struct hvm_hw_rtc *hw = buf;

	spin_lock(&d->hvm.time_lock);
	show(r, rtc_now(r));
	catch_up(r, rtc_now(r));
	*hw = r->hw;
	hw->rtc_offset = d->time_offset_s;
	spin_unlock(&d->hvm.time_lock);
	return sizeof(struct hvm_hw_rtc);
}

static int rtc_load(const struct hvm_instance *at, const void *buf)
{
	struct domain *d = at->d;
	struct vrtc *r = d->hvm.vrtc;
	const struct hvm_hw_rtc *hw = buf;

	if (hw->cmos_index > 0x7f)
		return -EINVAL;
	spin_lock(&d->lock);
	if (!d->time_offset_s) { /* not set by the tools */
		d->time_offset_s = hw->rtc_offset;
		time_update_wallclock(d);
	}
	spin_unlock(&d->lock);
	spin_lock(&d->hvm.time_lock);
	r->hw = *hw;
	r->hw.cmos_data[R_A] &= (uint8_t)~A_UIP;
	r->hw.cmos_data[R_D] = D_VALID;
	r->shown_s = 0;
	r->owed = 0;
	r->last_ns = rtc_now(r);
	arm(r, r->last_ns);
	spin_unlock(&d->hvm.time_lock);
	return 0;
}

static const struct hvm_record records[] = {
	HVM_RECORD(RTC, SAVE_PER_DOMAIN, sizeof(struct hvm_hw_rtc), rtc_save, rtc_load),
};

const struct hvm_unit vrtc_unit = {
	.name = "RTC",
	.needs = UNIT_PC,
	.init = vrtc_init,
	.stop = vrtc_stop,
	.fini = vrtc_fini,
	UNIT_SAVES(records),
};
