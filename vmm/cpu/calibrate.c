/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The TSC's frequency, measured against the best clock there is: HPET, else the ACPI PM timer,
 * else the 8254. Each reading of the reference is bracketed by two TSC reads and the tightest of
 * several is taken, so that a host which loses the CPU in between (an emulator under load) does
 * not spoil it.
 */
#include "internal.h"

#define MEASURE_NS   (50 * NS_PER_MS)
#define SAMPLE_TRIES 32

#define HPET_PERIOD  0x04
#define HPET_CONFIG  0x10
#define HPET_COUNTER 0xf0
#define PM_TIMER_HZ  3579545ULL
#define PIT_HZ	     1193182ULL

struct sample {
	uint64_t tsc;
	uint64_t ref;
};

struct reference {
	const char *name;
	uint64_t (*read)(void);
	uint64_t mask; /* of the counter's width */
	uint64_t hz_num, hz_den;
};

static volatile uint32_t *hpet;

static uint64_t read_hpet(void)
{
	return hpet[HPET_COUNTER / 4];
}

static uint64_t read_pm_timer(void)
{
	return inl(acpi_facts.pm_tmr) & 0xffffff;
}

/* Channel 2, counting down from 65536; the value is turned so that it rises. */
static uint64_t read_pit(void)
{
	uint8_t lo;

	outb(0x43, 0x80); /* latch channel 2 */
	lo = inb(0x42);
	return (0U - (unsigned int)(lo | inb(0x42) << 8)) & 0xffff;
}

static struct sample take_sample(const struct reference *r)
{
	uint64_t best = ~0ULL, t0, t1, ref;
	struct sample s = { 0, 0 };

	for (unsigned int i = 0; i < SAMPLE_TRIES; i++) {
		t0 = rdtsc();
		ref = r->read();
		t1 = rdtsc();
		if (t1 - t0 < best) {
			best = t1 - t0;
			s = (struct sample){ t0 + (t1 - t0) / 2, ref & r->mask };
		}
	}
	return s;
}

/* 0 = this clock does not count. */
static uint64_t measure(const struct reference *r)
{
	uint64_t want = muldiv64(MEASURE_NS, r->hz_num, r->hz_den * NS_PER_SEC);
	struct sample a = take_sample(r), b;
	uint64_t ref, last = a.ref, moved = 0, spins = 0;

	while (moved < want) {
		ref = r->read() & r->mask;
		moved += (ref - last) & r->mask;
		last = ref;
		if (!moved && ++spins > 100000)
			return 0;
	}
	b = take_sample(r);
	moved += (b.ref - last) & r->mask;
	/* take_sample's best reading may lie before its last; both ends are self-consistent */
	return muldiv64(b.tsc - a.tsc, r->hz_num, moved * r->hz_den);
}

static bool hpet_reference(struct reference *r)
{
	uint64_t period;

	if (!acpi_facts.hpet_addr)
		return false;
	hpet = ioremap(_maddr(acpi_facts.hpet_addr), 0x400);
	if (!hpet)
		return false;
	period = hpet[HPET_PERIOD / 4]; /* femtoseconds */
	if (period < 100000 || period > 100000000)
		return false;
	if (!(hpet[HPET_CONFIG / 4] & 1))
		hpet[HPET_CONFIG / 4] |= 1;
	/* 10^15 / period, kept as a fraction that fits 64 bits */
	*r = (struct reference){ "HPET", read_hpet, 0xffffffff, 1000000000000ULL, period / 1000 };
	if (period % 1000)
		*r = (struct reference){ "HPET", read_hpet, 0xffffffff,
					 1000000000000000ULL / period, 1 };
	return true;
}

static bool pm_reference(struct reference *r)
{
	if (!acpi_facts.pm_tmr)
		return false;
	*r = (struct reference){ "PM timer", read_pm_timer, 0xffffff, PM_TIMER_HZ, 1 };
	return true;
}

static bool pit_reference(struct reference *r)
{
	outb(0x61, (inb(0x61) & 0xfd) | 1); /* gate on, speaker off */
	outb(0x43, 0xb4);		    /* channel 2, both bytes, mode 2 */
	outb(0x42, 0);
	outb(0x42, 0);
	*r = (struct reference){ "PIT", read_pit, 0xffff, PIT_HZ, 1 };
	return true;
}

/* Two measurements that agree to 0.02 %, or the median of five. */
static uint64_t measure_stable(const struct reference *r)
{
	uint64_t v[5], t;

	for (unsigned int i = 0; i < ARRAY_SIZE(v); i++) {
		v[i] = measure(r);
		if (!v[i])
			return 0;
		for (unsigned int j = 0; j < i; j++)
			if (max(v[i], v[j]) - min(v[i], v[j]) < v[i] / 5000)
				return (v[i] + v[j]) / 2;
	}
	printk(LOG_WARN "TSC: measurements against the %s disagree; time may drift\n", r->name);
	for (unsigned int i = 1; i < ARRAY_SIZE(v); i++)
		for (unsigned int j = i; j > 0 && v[j] < v[j - 1]; j--) {
			t = v[j];
			v[j] = v[j - 1];
			v[j - 1] = t;
		}
	return v[2];
}

uint64_t tsc_measure_hz(const char **source)
{
	static bool (*const refs[])(struct reference *) = { hpet_reference, pm_reference,
							    pit_reference };
	struct reference r;
	uint64_t hz;

	for (unsigned int i = 0; i < ARRAY_SIZE(refs); i++) {
		if (!refs[i](&r))
			continue;
		hz = measure_stable(&r);
		*source = r.name;
		if (hz)
			return hz;
		printk(LOG_WARN "TSC: the %s does not count\n", r.name);
	}
	panic("No clock to measure the TSC against");
}
