// SPDX-License-Identifier: GPL-2.0-or-later
/* PIT, RTC, PM timer and HPET against their datasheets, with known answers. */
#include "devices.h"

#define MS 1000000ULL

static unsigned int irq0_count(void)
{
	unsigned int n = 0;

	board_out(0x20, 1, 0x0c); /* poll */
	if (board_in(0x20, 1) & 0x80) {
		n++;
		board_out(0x20, 1, 0x20);
	}
	return n;
}

void test_pit(void)
{
	unsigned int ticks = 0;

	board_reset();
	CHECK_EQ(board_armed(), 0); /* nothing programmed, nothing runs */
	board_out(0x43, 1, 0x34);
	board_out(0x40, 1, 11932 & 0xff);
	CHECK_EQ(board_armed(), 0);
	board_out(0x40, 1, 11932 >> 8);
	for (unsigned int i = 0; i < 100; i++) {
		board_step(10 * MS);
		ticks += irq0_count();
	}
	CHECK(ticks >= 99 && ticks <= 100);
	/* Not taken: merged into one. */
	board_step(1000 * MS);
	CHECK_EQ(irq0_count() + irq0_count(), 1);
	/* Mode 0 fires once, and its wire falls with the next count. */
	board_out(0x43, 1, 0x30);
	board_out(0x40, 1, 0xff);
	board_out(0x40, 1, 0);
	CHECK_EQ(irq0_count(), 0);
	board_step(MS);
	CHECK_EQ(irq0_count(), 1);
	board_step(1000 * MS);
	CHECK_EQ(irq0_count(), 0);
	CHECK_EQ(board_armed(), 0);
	/* The shortest period does not become a storm. */
	board_out(0x43, 1, 0x14);
	board_out(0x40, 1, 1);
	board_step(MS);
	CHECK_EQ(irq0_count(), 1);
	/* BCD. */
	board_out(0x43, 1, 0xb5);
	board_out(0x61, 1, 1);
	board_out(0x42, 1, 0);
	board_out(0x42, 1, 0x10);
	board_step(100 * 838 + 50);
	board_out(0x43, 1, 0x80);
	CHECK_EQ(board_in(0x42, 1) | board_in(0x42, 1) << 8, 0x900);
	/* The gate freezes mode 0; output in port 61. */
	board_out(0x61, 1, 0);
	board_out(0x43, 1, 0xb0);
	board_out(0x42, 1, 0xe8);
	board_out(0x42, 1, 3);
	board_step(10 * MS);
	CHECK_EQ(board_in(0x61, 1) & 0x20, 0);
	board_out(0x61, 1, 1);
	board_step(900 * 1000);
	CHECK_EQ(board_in(0x61, 1) & 0x23, 0x21);
}

#define TICK(n) ((n)*1000000000ULL / 1193182 + 1)

/* Both bytes of a count. */
static void pit_count(unsigned int ch, unsigned int count)
{
	board_out(0x40 + ch, 1, count & 0xff);
	board_out(0x40 + ch, 1, count >> 8);
}

/* And the control word before it, for channel 2. */
static void pit2(uint8_t mode, unsigned int count)
{
	board_out(0x43, 1, 0xb0 | mode << 1);
	pit_count(2, count);
}

static unsigned int pit2_count(void)
{
	unsigned int low;

	board_out(0x43, 1, 0x80);
	low = board_in(0x42, 1);
	return low | board_in(0x42, 1) << 8;
}

static unsigned int pit2_status(void)
{
	board_out(0x43, 1, 0xe8);
	return board_in(0x42, 1);
}

static bool pit2_out(void)
{
	return board_in(0x61, 1) & 0x20;
}

/* 8254 datasheet, "counter latch command", "read-back command": a new control word ends what was latched. */
static void pit_latches(void)
{
	board_reset();
	board_out(0x61, 1, 1);
	pit2(0, 0x1234);
	board_out(0x43, 1, 0xc8); /* status and count */
	pit2(2, 0x5678);
	CHECK_EQ(board_in(0x42, 1), 0x78);
	CHECK_EQ(board_in(0x42, 1), 0x56);
	/* The null count: set by a control word, cleared by the count; OUT is low in mode 0, else high. */
	board_out(0x43, 1, 0xb0);
	CHECK_EQ(pit2_status(), 0x70);
	board_out(0x43, 1, 0xb6);
	CHECK_EQ(pit2_status(), 0xf6);
	pit2(3, 100);
	CHECK_EQ(pit2_status(), 0xb6);
	/* The first byte of a count stops mode 0 and takes OUT down. */
	pit2(0, 100);
	board_step(TICK(200));
	CHECK(pit2_out());
	board_out(0x42, 1, 50);
	CHECK(!pit2_out());
	board_step(TICK(200));
	CHECK(!pit2_out());
	board_out(0x42, 1, 0);
	board_step(TICK(51));
	CHECK(pit2_out());
}

/* Modes 1 and 5: OUT is high and nothing counts until the gate rises; a new count waits for the next trigger. */
static void pit_triggers(void)
{
	board_reset();
	pit2(1, 1000);
	CHECK(pit2_out());
	CHECK_EQ(pit2_status(), 0xf2);
	board_step(TICK(5000));
	CHECK(pit2_out());
	board_out(0x61, 1, 1);
	CHECK(!pit2_out());
	CHECK_EQ(pit2_status(), 0x32);
	board_step(TICK(500));
	CHECK_EQ(pit2_count(), 500);
	board_out(0x61, 1, 0); /* its level says nothing */
	board_out(0x42, 1, 100);
	board_out(0x42, 1, 0);
	CHECK_EQ(pit2_count(), 500);
	board_step(TICK(400));
	CHECK(!pit2_out());
	board_step(TICK(100));
	CHECK(pit2_out());
	board_out(0x61, 1, 1);
	CHECK(!pit2_out());
	board_step(TICK(100));
	CHECK(pit2_out());
	/* Triggered again before its end it lasts longer. */
	board_out(0x61, 1, 0);
	board_out(0x61, 1, 1);
	board_step(TICK(60));
	board_out(0x61, 1, 0);
	board_out(0x61, 1, 1);
	board_step(TICK(60));
	CHECK(!pit2_out());
	/* Mode 5 strobes for one tick. */
	board_out(0x61, 1, 0);
	pit2(5, 1000);
	board_step(1001 * 839);
	CHECK(pit2_out());
	board_out(0x61, 1, 1);
	board_step(TICK(1000));
	CHECK(!pit2_out());
	board_step(839);
	CHECK(pit2_out());
}

/* Mode 3 of 5: 4 2 0 while OUT is high, 4 2 while it is low. */
static void pit_odd_square(void)
{
	static const unsigned int counts[] = { 4, 2, 0, 4, 2 };

	for (unsigned int i = 0; i < 15; i++) {
		board_reset();
		board_out(0x61, 1, 1);
		pit2(3, 5);
		board_step(i ? TICK(i) : 0);
		CHECK_EQ(pit2_count(), counts[i % 5]);
		CHECK_EQ(pit2_out(), i % 5 < 3);
	}
}

/* Modes 2 and 3: a count written while one runs is loaded at the end of the period, or in mode 3 of its half. */
static void pit_reloads(void)
{
	board_reset();
	board_out(0x61, 1, 1);
	pit2(2, 1000);
	board_step(TICK(300));
	pit_count(2, 100);
	CHECK_EQ(pit2_status(), 0xf4); /* null count */
	CHECK_EQ(pit2_count(), 700);
	board_step(TICK(690));
	CHECK_EQ(pit2_count(), 10);
	board_step(TICK(10));
	CHECK_EQ(pit2_status(), 0xb4);
	CHECK_EQ(pit2_count(), 100);
	board_step(TICK(150));
	CHECK_EQ(pit2_count(), 50);
	/* A trigger loads it at once. */
	pit_count(2, 1000);
	board_out(0x61, 1, 0);
	board_out(0x61, 1, 1);
	CHECK_EQ(pit2_count(), 1000);
	/* Mode 3, in its first half and in its second. */
	pit2(3, 1000);
	board_step(TICK(100));
	pit_count(2, 200);
	board_step(TICK(399));
	CHECK(pit2_out());
	board_step(TICK(2));
	CHECK(!pit2_out());
	board_step(TICK(98));
	CHECK(!pit2_out());
	board_step(TICK(2));
	CHECK(pit2_out());
	board_step(TICK(150));
	pit_count(2, 1000);
	CHECK(!pit2_out());
	board_step(TICK(50));
	CHECK(pit2_out());
	board_step(TICK(497));
	CHECK(pit2_out());
	board_step(TICK(5));
	CHECK(!pit2_out());
}

/* The same on channel 0: its interrupts, whether somebody looks in between or not. */
static void pit_reload_irq(void)
{
	board_reset();
	board_out(0x43, 1, 0x34);
	pit_count(0, 11932);
	board_step(4 * MS);
	pit_count(0, 23864);
	board_step(5 * MS + MS / 2);
	CHECK_EQ(irq0_count(), 0);
	board_step(MS);
	CHECK_EQ(irq0_count(), 1);
	board_step(19 * MS);
	CHECK_EQ(irq0_count(), 0);
	board_step(MS);
	CHECK_EQ(irq0_count(), 1);
	/* Mode 3 rises at the end of the new count's second half. */
	board_out(0x43, 1, 0x36);
	pit_count(0, 11932);
	board_step(4 * MS);
	pit_count(0, 23864);
	board_step(10 * MS);
	CHECK_EQ(irq0_count(), 0);
	board_step(2 * MS);
	CHECK_EQ(irq0_count(), 1);
	board_step(18 * MS);
	CHECK_EQ(irq0_count(), 0);
	board_step(2 * MS);
	CHECK_EQ(irq0_count(), 1);
}

/* A count for channel 0 while it runs leaves the period alone, however often it comes. */
static void pit_reload_storm(void)
{
	unsigned int ticks = 0;

	board_reset();
	board_step(10 * MS);
	board_out(0x43, 1, 0x14);
	board_out(0x40, 1, 200); /* 168 us */
	for (unsigned int i = 0; i < 200; i++) {
		board_step(MS / 20);
		board_out(0x40, 1, 200);
		ticks += irq0_count();
	}
	CHECK(ticks >= 58 && ticks <= 60);
	/* One that is written when an edge is due, before the timer has run. */
	board_out(0x43, 1, 0x14);
	board_out(0x40, 1, 200);
	irq0_count();
	board_late(MS / 5);
	board_out(0x40, 1, 250);
	board_step(0);
	CHECK_EQ(irq0_count(), 1);
}

/* Two CPUs do not agree on the time to the nanosecond: no time has passed then, and nothing overflows. */
static void pit_clock_behind(void)
{
	static const uint64_t back[] = { 1, 1000, MS };

	for (unsigned int i = 0; i < 6; i++) {
		board_reset();
		board_step(10 * MS);
		board_out(0x43, 1, i & 1 ? 0x16 : 0x14);
		board_out(0x40, 1, 200);
		board_back(back[i / 2]);
		CHECK_EQ(board_in(0x40, 1), 200);
		board_out(0x40, 1, 100);
		CHECK_EQ(board_in(0x40, 1), 200);
		board_out(0x61, 1, 1);
		pit2(2 + (i & 1), 1000);
		board_back(back[i / 2]);
		CHECK_EQ(pit2_count(), 1000);
		CHECK(pit2_out());
		board_step(2 * back[i / 2] + MS);
		CHECK_EQ(irq0_count(), 1);
	}
}

void test_pit_details(void)
{
	pit_clock_behind();
	pit_reload_storm();
	pit_reloads();
	pit_reload_irq();
	pit_latches();
	pit_triggers();
	pit_odd_square();
}

static uint8_t cmos(uint8_t i)
{
	CHECK(board_out(0x70, 1, i) == IO_DONE);
	return (uint8_t)board_in(0x71, 1);
}

static void cmos_set(uint8_t i, uint8_t v)
{
	board_out(0x70, 1, i);
	board_out(0x71, 1, v);
}

static void rtc_catch_up(void)
{
	unsigned int ticks = 0;

	cmos_set(11, 0x42);
	cmos(12);
	for (unsigned int i = 0; i < 512; i++) { /* half a second in small steps: about 512 ticks */
		board_step(MS);
		ticks += !!(cmos(12) & 0x40);
	}
	CHECK(ticks >= 495 && ticks <= 512);
	board_step(300 * MS); /* held up: about 307 ticks owed */
	for (unsigned int i = 0; i < 2000; i++) {
		board_step(MS / 4);
		ticks += !!(cmos(12) & 0x40);
	}
	CHECK(ticks >= 1341 && ticks <= 1344); /* none is lost: 1.312 s at 1024 Hz */
	cmos_set(11, 0x02);
	CHECK_EQ(board_armed(), 0);
}

void test_rtc(void)
{
	board_reset();
	/* 1700000000 = Tuesday 2023-11-14 22:13:20. */
	CHECK_EQ(cmos(0), 0x20);
	CHECK_EQ(cmos(2), 0x13);
	CHECK_EQ(cmos(4), 0x22);
	CHECK_EQ(cmos(6), 3);
	CHECK_EQ(cmos(7), 0x14);
	CHECK_EQ(cmos(8), 0x11);
	CHECK_EQ(cmos(9), 0x23);
	CHECK_EQ(cmos(13), 0x80);
	cmos_set(11, 0x04); /* binary, 12 hours */
	CHECK_EQ(cmos(4), 0x8a);
	cmos_set(11, 0x02);
	/* Indices from 14 are the device model's. */
	CHECK(board_out(0x70, 1, 0x8e) == IO_PASS);
	CHECK(board_out(0x71, 1, 1) == IO_PASS);
	CHECK_EQ(board_in(0x71, 1), ~0U);
	/* Update in progress for 244 us before the second. */
	board_step(999800000);
	CHECK_EQ(cmos(10) & 0x80, 0x80);
	board_step(200000);
	CHECK_EQ(cmos(10) & 0x80, 0);
	CHECK_EQ(cmos(0), 0x21);
	/* Alarm and update flags without interrupts. */
	cmos(12);
	cmos_set(1, 0x25), cmos_set(3, 0xff), cmos_set(5, 0xc0);
	board_step(3000 * MS);
	CHECK_EQ(cmos(12) & 0x30, 0x10);
	board_step(1000 * MS);
	CHECK_EQ(cmos(12) & 0x30, 0x30);
	/* Alarm interrupt: IRQ 8 until register C is read. */
	cmos_set(1, 0x28);
	cmos_set(11, 0x22);
	board_step(2000 * MS);
	CHECK_EQ(board.hvm.irq->isa, 0);
	board_step(1100 * MS);
	CHECK_EQ(board.hvm.irq->isa, 0x100);
	CHECK_EQ(cmos(12) & 0xb0, 0xb0);
	CHECK_EQ(board.hvm.irq->isa, 0);
	cmos_set(11, 0x02);
	/* Setting the time moves the offset and tells the device model. */
	cmos_set(9, 0x24);
	CHECK_EQ(board_timeoffset_calls, 1);
	CHECK_EQ((uint64_t)board_timeoffset, 366 * 86400);
	CHECK_EQ((uint64_t)board.time_offset_s, 366 * 86400);
	cmos_set(11, 0x82);
	cmos_set(4, 0x01);
	cmos_set(2, 0x02);
	board_step(5000 * MS);
	CHECK_EQ(cmos(2), 2);
	CHECK_EQ(board_timeoffset_calls, 1);
	cmos_set(11, 0x02);
	CHECK_EQ(board_timeoffset_calls, 2);
	CHECK_EQ(cmos(4), 1);
	rtc_catch_up();
}

/* MC146818A datasheet, register A: divider reset. */
void test_rtc_divider(void)
{
	board_reset();
	board_step(300 * MS);
	cmos(12);
	cmos_set(10, 0x76);
	board_step(5300 * MS);
	CHECK_EQ(cmos(0), 0x20); /* the clock stands */
	CHECK_EQ(cmos(12), 0);
	CHECK_EQ(cmos(10), 0x76);
	cmos_set(0, 0x40);
	CHECK_EQ(board_timeoffset_calls, 0);
	cmos_set(10, 0x26);
	CHECK_EQ(cmos(0), 0x40);
	/* Its first update comes half a second later, and then one a second, whenever the host's second begins. */
	board_step(499 * MS);
	CHECK_EQ(cmos(0), 0x40);
	CHECK_EQ(cmos(12) & 0x10, 0);
	board_step(800000);
	CHECK_EQ(cmos(10) & 0x80, 0x80);
	board_step(300000);
	CHECK_EQ(cmos(0), 0x41);
	CHECK_EQ(cmos(12) & 0x10, 0x10);
	board_step(999 * MS);
	CHECK_EQ(cmos(0), 0x41);
	board_step(MS);
	CHECK_EQ(cmos(0), 0x42);
	/* As Linux sets it: SET, reset, SET off, run. */
	cmos_set(11, 0x82);
	cmos_set(10, 0x76);
	cmos_set(0, 0x10);
	cmos_set(11, 0x02);
	board_step(2000 * MS);
	CHECK_EQ(cmos(0), 0x10);
	cmos_set(10, 0x26);
	board_step(499 * MS);
	CHECK_EQ(cmos(0), 0x10);
	board_step(2 * MS);
	CHECK_EQ(cmos(0), 0x11);
	/* The update interrupt is on the new grid. */
	cmos(12);
	cmos_set(11, 0x12);
	board_step(990 * MS);
	CHECK_EQ(board.hvm.irq->isa, 0);
	board_step(10 * MS);
	CHECK_EQ(board.hvm.irq->isa, 0x100);
}

/* ACPI 6.4, 4.8.3.1 and 4.8.3.3, from 600 s on with TMR_STS set and enabled. */
static void pm_status(void)
{
	/* Zeroes and other bits' ones leave it; the timer is read-only, at any size and place. */
	board_out(0xb000, 2, 0xfffe);
	CHECK_EQ(board_in(0xb000, 2), 1);
	CHECK_EQ(board.hvm.irq->gsi_count[9], 1);
	board_out(0xb008, 4, 0);
	board_out(0xb00a, 2, 0);
	CHECK_EQ(board_in(0xb00b, 1), 0x80);
	CHECK_EQ(board_in(0xb00a, 2) >> 8, 0x80);
	CHECK_EQ(board_in(0xb009, 2), board_in(0xb008, 4) >> 8 & 0xffff);
	board_out(0xb000, 1, 1);
	CHECK_EQ(board_in(0xb000, 4), 0x1010000);
	CHECK_EQ(board.hvm.irq->gsi_count[9], 0);
	/* The top bit goes back to zero at 1199.86 s: a change as well. */
	board_step(598000 * MS);
	CHECK_EQ(board.hvm.irq->gsi_count[9], 0);
	board_step(2000 * MS);
	CHECK_EQ(board.hvm.irq->gsi_count[9], 1);
	CHECK(board_in(0xb008, 4) < 10 * 3579545);
	/* The status follows without being enabled; enabling it late interrupts at once. */
	board_out(0xb002, 2, 0);
	board_out(0xb000, 2, 1);
	CHECK_EQ(board_armed(), 0);
	board_step(600000 * MS);
	CHECK_EQ(board.hvm.irq->gsi_count[9], 0);
	CHECK_EQ(board_in(0xb000, 2), 1);
	board_out(0xb002, 2, 1);
	CHECK_EQ(board.hvm.irq->gsi_count[9], 1);
	/* Two changes that nobody saw are one. */
	board_out(0xb000, 2, 1);
	board_out(0xb002, 2, 0);
	board_step(1200000 * MS);
	CHECK_EQ(board_in(0xb000, 2), 1);
	board_out(0xb000, 2, 1);
	CHECK_EQ(board_in(0xb000, 2), 0);
}

void test_pm(void)
{
	board_reset();
	board_step(1000 * MS);
	CHECK_EQ(board_in(0x1f48, 4), 3579545);
	CHECK_EQ(board_in(0xb008, 4), ~0U);
	CHECK(!pmtimer_change_ioport(&board, 1) && pmtimer_change_ioport(&board, 2) == -EINVAL);
	CHECK_EQ(board_in(0xb008, 4), 3579545);
	CHECK_EQ(board_in(0xb009, 1), 3579545 >> 8 & 0xff);
	CHECK_EQ(board_in(0x1f48, 4), ~0U);
	/* Power button: SCI when enabled, level until acknowledged. */
	pmtimer_power_button(&board);
	CHECK_EQ(board_in(0xb000, 2), 0x100);
	CHECK_EQ(board.hvm.irq->gsi_count[9], 0);
	board_out(0xb002, 2, 0x120);
	CHECK_EQ(board.hvm.irq->gsi_count[9], 1);
	board_out(0xb000, 2, 0x100);
	CHECK_EQ(board.hvm.irq->gsi_count[9], 0);
	/* Top bit of the timer: 2^31 ticks are 599.93 s. */
	CHECK_EQ(board_armed(), 0);
	board_out(0xb002, 1, 1);
	CHECK_EQ(board_armed(), 1);
	board_step(598000 * MS);
	CHECK_EQ(board.hvm.irq->gsi_count[9], 0);
	board_step(2000 * MS);
	CHECK_EQ(board.hvm.irq->gsi_count[9], 1);
	CHECK_EQ(board_in(0xb000, 4) & 1, 1);
	pm_status();
}

#define HPET   0xfed00000ULL
#define IOAPIC 0xfec00000ULL

static void hpet_periodic(void)
{
	/* Timer 0 by legacy replacement every 10 ms, 32 bits. */
	board_reset();
	board_write(HPET + 0x100, 4, 0x14c);
	board_write(HPET + 0x108, 4, 625000);
	board_write(HPET + 0x108, 4, 625000);
	board_write(HPET + 0x10, 4, 3);
	for (unsigned int i = 1; i <= 50; i++) {
		board_step(10 * MS);
		CHECK_EQ(irq0_count(), 1);
	}
	/* The PIT is cut off. */
	board_write(HPET + 0x100, 4, 0);
	board_out(0x43, 1, 0x34);
	board_out(0x40, 1, 0);
	board_out(0x40, 1, 1);
	board_step(1000 * MS);
	CHECK_EQ(irq0_count(), 0);
}

/* A 64-bit periodic timer by 4-byte writes: accumulator and period have halves of their own. */
static void hpet_halves(void)
{
	board_reset();
	board_write(HPET + 0x10, 4, 1);
	board_write(HPET + 0x140, 4, 20 << 9 | 0x4e);
	board_write(HPET + 0x14c, 4, 0);
	board_write(HPET + 0x140, 4, 20 << 9 | 0x4e);
	board_write(HPET + 0x148, 4, 1000000);
	CHECK_EQ(board_read(HPET + 0x148, 8), 1000000);
	board_write(HPET + 0x148, 4, 62500);
	board_write(HPET + 0x14c, 4, 0);
	CHECK_EQ(board_read(HPET + 0x148, 8), 1000000); /* these were the period */
	board_step(16 * MS);
	CHECK_EQ(board_read(HPET + 0x20, 4), 4);
	CHECK_EQ(board_read(HPET + 0x148, 8), 1062500);
	/* In 32 bits the upper half is not there. */
	board_write(HPET + 0x140, 4, 20 << 9 | 0x100);
	board_write(HPET + 0x148, 8, 0x500000009);
	CHECK_EQ(board_read(HPET + 0x148, 8), 9);
}

void test_hpet(void)
{
	board_reset();
	CHECK_EQ(board_read(HPET, 8) >> 32, 16000000);
	CHECK_EQ(board_read(HPET, 4), 0x8086a201);
	CHECK_EQ(board_read(HPET + 0xf0, 8), 0);
	board_step(MS);
	CHECK_EQ(board_read(HPET + 0xf0, 8), 0); /* stopped */
	board_write(HPET + 0x10, 8, 1);
	board_step(16 * MS);
	CHECK_EQ(board_read(HPET + 0xf0, 8), 1000000);
	CHECK_EQ(board_read(HPET + 0xf4, 4), 0);
	/* One-shot, level, on GSI 20. */
	board_write(HPET + 0x140, 4, 20 << 9 | 6);
	CHECK_EQ(board_read(HPET + 0x140, 4), 20 << 9 | 0x36);
	CHECK_EQ(board_armed(), 0 + 1);
	board_write(HPET + 0x148, 8, 2000000);
	board_step(15 * MS);
	CHECK_EQ(board.hvm.irq->gsi_count[20], 0);
	board_step(2 * MS);
	CHECK_EQ(board.hvm.irq->gsi_count[20], 1);
	CHECK_EQ(board_read(HPET + 0x20, 8), 4);
	board_write(HPET + 0x20, 4, 4);
	CHECK_EQ(board.hvm.irq->gsi_count[20], 0);
	/* Writing the configuration again does not fire it again. */
	board_write(HPET + 0x140, 4, 20 << 9 | 6);
	board_step(100 * MS);
	CHECK_EQ(board.hvm.irq->gsi_count[20], 0);
	/* A comparator just missed fires at once. */
	board_write(HPET + 0x148, 8, board_read(HPET + 0xf0, 8) - 100);
	board_step(1);
	CHECK_EQ(board.hvm.irq->gsi_count[20], 1);
	hpet_periodic();
	hpet_halves();
	board.hvm.params[HVM_PARAM_HPET_ENABLED] = 0;
	CHECK_EQ(board_read(HPET, 8), ~0ULL);
}

static void redirect(unsigned int pin, uint32_t low)
{
	board_write(IOAPIC, 4, 0x10 + pin * 2);
	board_write(IOAPIC + 0x10, 4, low);
}

static unsigned int wakeups_of(uint64_t ns)
{
	board_wakeups = 0;
	board_step(ns);
	return board_wakeups;
}

/* The PIT at its highest rate, with IRQ 0 masked in both controllers, or not acknowledged: no work for the VMM. */
static void pit_unseen(void)
{
	board_reset();
	board_out(0x21, 1, 0xff);
	board_out(0x43, 1, 0x34);
	board_out(0x40, 1, 119);
	board_out(0x40, 1, 0);
	CHECK(wakeups_of(1000 * MS) <= 3);
	CHECK_EQ(board_armed(), 0);
	/* The edge that waits comes at once when it is unmasked, and the others on the grid of 119 ticks. */
	board_out(0x21, 1, 0xfe);
	CHECK_EQ(irq0_count(), 1);
	CHECK_EQ(board_armed(), 1);
	for (unsigned int i = 0; i < 50; i++) {
		board_step(MS / 10);
		CHECK(irq0_count() <= 1);
	}
	/* Interrupts off for a second, then on. */
	CHECK(wakeups_of(1000 * MS) <= 3);
	CHECK_EQ(irq0_count(), 1);
	CHECK(wakeups_of(MS) >= 1);
	/* By the IO-APIC each edge is a message. */
	board_out(0x21, 1, 0xff);
	redirect(2, 0x41);
	memset(board_vectors, 0, sizeof(board_vectors));
	CHECK(wakeups_of(100 * MS) <= 1001);
	CHECK(board_vectors[0x41] >= 900);
	redirect(2, 0x10041);
	CHECK(wakeups_of(1000 * MS) <= 3);
	/* A count written while nobody listens starts nothing that goes on. */
	board_out(0x40, 1, 119);
	board_out(0x40, 1, 0);
	CHECK(wakeups_of(1000 * MS) <= 3);
	/* A control word stops it for good, whoever listens then. */
	board_out(0x43, 1, 0x34);
	board_out(0x21, 1, 0xfe);
	redirect(2, 0x41);
	irq0_count();
	CHECK_EQ(wakeups_of(1000 * MS), 0);
}

static void hpet_start(uint32_t config, uint32_t period)
{
	board_reset();
	board_write(HPET + 0x140, 4, config | 0x4c);
	board_write(HPET + 0x148, 4, period);
	board_write(HPET + 0x148, 4, period);
	board_write(HPET + 0x10, 4, 1);
}

static void hpet_unseen(void)
{
	uint64_t cmp;

	/* Edges to a masked input of the IO-APIC; 32 bits wide, and asleep for longer than they last. */
	hpet_start(20 << 9 | 0x100, 62500);
	CHECK(wakeups_of(110000 * MS) <= 2);
	cmp = board_read(HPET + 0x148, 8) - board_read(HPET + 0xf0, 8);
	CHECK((uint32_t)cmp <= 62500); /* the register shows the next one */
	redirect(20, 0x55);
	board_step(MS);
	CHECK_EQ(board_vectors[0x55], 1);
	board_step(100 * MS);
	CHECK_EQ(board_vectors[0x55], 101);
	redirect(20, 0x10055);
	CHECK(wakeups_of(1000 * MS) <= 2);
	/* Level: nothing more can happen until the status bit is cleared. */
	hpet_start(21 << 9 | 0x102, 62500);
	CHECK(wakeups_of(1000 * MS) <= 2);
	CHECK_EQ(board.hvm.irq->gsi_count[21], 1);
	board_write(HPET + 0x20, 4, 4);
	CHECK_EQ(board.hvm.irq->gsi_count[21], 0);
	board_step(MS);
	CHECK_EQ(board.hvm.irq->gsi_count[21], 1);
	/* Legacy replacement: neither PIT nor HPET work for a masked IRQ 0. */
	board_reset();
	board_out(0x21, 1, 0xff);
	board_out(0x43, 1, 0x34);
	board_out(0x40, 1, 119);
	board_out(0x40, 1, 0);
	board_write(HPET + 0x100, 4, 0x14c);
	board_write(HPET + 0x108, 4, 62500);
	board_write(HPET + 0x108, 4, 62500);
	board_write(HPET + 0x10, 4, 3);
	CHECK(wakeups_of(1000 * MS) <= 5);
	board_out(0x21, 1, 0xfe);
	for (unsigned int i = 0; i < 20; i++) {
		CHECK_EQ(irq0_count(), 1);
		board_step(MS);
	}
	/* The PIT is there again when legacy replacement ends. */
	board_write(HPET + 0x10, 4, 0);
	irq0_count();
	board_step(MS);
	CHECK_EQ(irq0_count(), 1);
}

static void rtc_unseen(void)
{
	board_reset();
	cmos_set(10, 0x23); /* 8192 Hz */
	cmos_set(11, 0x42);
	CHECK(wakeups_of(1000 * MS) <= 2);
}

/* Timers at their highest rates that nobody listens to. */
void test_unseen(void)
{
	pit_unseen();
	hpet_unseen();
	rtc_unseen();
}
