/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The start of system time (vmm/base/clock.c): the TSC's rate, which must be one on all CPUs, and that they start
 * together (checked as each CPU comes up). Wall clock: the CMOS clock, read once.
 */
#include "internal.h"
#include "spinlock.h"

uint64_t wallclock_sec_at_boot;

void time_init(void)
{
	const char *source = "";
	uint64_t khz = (tsc_measure_hz(&source) + 500) / 1000;

	if (khz < 1000)
		panic("The TSC counts at only %lu kHz", khz);
	clock_start(khz);
	printk(LOG_INFO "TSC: %lu.%03lu MHz by %s%s\n", tsc_khz / 1000, tsc_khz % 1000, source,
	       host_cpu.invariant_tsc ? "" : ", not declared invariant");
}

/* --- the same TSC everywhere? --- */

#define SYNC_ROUNDS 64

static volatile uint32_t sync_turn; /* odd: the AP's turn, even: the BSP's */
static volatile uint64_t sync_ap_tsc;

/*
 * Does some round prove the AP's reading outside the BSP's two? Rounds that agree prove nothing
 * bad.
 */
bool tsc_sync_check_bsp(void)
{
	uint64_t t0, t1;
	bool ok = true;

	for (unsigned int i = 0; i < SYNC_ROUNDS; i++) {
		t0 = rdtsc();
		__atomic_store_n(&sync_turn, 2 * i + 1, __ATOMIC_SEQ_CST);
		while (__atomic_load_n(&sync_turn, __ATOMIC_SEQ_CST) != 2 * i + 2)
			cpu_relax();
		t1 = rdtsc();
		ok &= sync_ap_tsc >= t0 && sync_ap_tsc <= t1;
	}
	__atomic_store_n(&sync_turn, 0, __ATOMIC_SEQ_CST);
	return ok;
}

void tsc_sync_check_ap(void)
{
	for (unsigned int i = 0; i < SYNC_ROUNDS; i++) {
		while (__atomic_load_n(&sync_turn, __ATOMIC_SEQ_CST) != 2 * i + 1)
			cpu_relax();
		sync_ap_tsc = rdtsc();
		__atomic_store_n(&sync_turn, 2 * i + 2, __ATOMIC_SEQ_CST);
	}
}

/* --- wall clock --- */

static uint8_t cmos_read(uint8_t index)
{
	outb(0x70, index);
	return inb(0x71);
}

struct rtc_time {
	uint8_t sec, min, hour, day, month, year;
};

static struct rtc_time rtc_read(void)
{
	return (struct rtc_time){ cmos_read(0), cmos_read(2), cmos_read(4),
				  cmos_read(7), cmos_read(8), cmos_read(9) };
}

/* Outside an update, twice the same. */
static struct rtc_time rtc_read_stable(void)
{
	struct rtc_time a, b = { 0 };

	for (unsigned int tries = 0; tries < 1000; tries++) {
		uint64_t start = now_ns();

		while ((cmos_read(0x0a) & 0x80) && now_ns() - start < 5 * NS_PER_MS)
			cpu_relax();
		a = rtc_read();
		b = rtc_read();
		if (!memcmp(&a, &b, sizeof(a)))
			break;
	}
	return b;
}

static unsigned int bcd(uint8_t v, bool binary)
{
	return binary ? v : (v >> 4) * 10U + (v & 15U);
}

void wallclock_init(void)
{
	struct rtc_time t = rtc_read_stable();
	uint8_t b = cmos_read(0x0b);
	bool binary = b & 4, pm = t.hour & 0x80;
	unsigned int hour = bcd(t.hour & 0x7f, binary), year = bcd(t.year, binary);
	uint64_t sec;

	if (!(b & 2))
		hour = hour % 12 + (pm ? 12 : 0);
	year += year < 80 ? 2000 : 1900;
	sec = days_from_civil(year, bcd(t.month, binary), bcd(t.day, binary)) * 86400 +
	      hour * 3600 + bcd(t.min, binary) * 60 + bcd(t.sec, binary);
	wallclock_sec_at_boot = sec - now_ns() / NS_PER_SEC;
	printk(LOG_INFO "Wall clock: %04u-%02u-%02u %02u:%02u:%02u UTC\n", year,
	       bcd(t.month, binary), bcd(t.day, binary), hour, bcd(t.min, binary),
	       bcd(t.sec, binary));
}
