// SPDX-License-Identifier: GPL-2.0-or-later
/* The local APIC's timer: SDM volume 3, 11.5.4; and what it costs when nobody takes, or can take, its interrupts. */
#include "devices.h"
#include "vlapic.h"
#include "vmm/hvm/internal.h"

#define MS	 1000000ULL
#define MASKED	 0x10000U
#define PERIODIC 0x20000U
#define DEADLINE 0x40000U
#define VECTOR	 0x50

static struct vlapic *lapic(void)
{
	return board_cpu.hvm.vlapic;
}

static void write(unsigned int reg, uint32_t v)
{
	vlapic_write(lapic(), reg, v);
}

/* Enabled, a count of nanoseconds. */
static void start(uint32_t lvtt, uint32_t count)
{
	board_reset();
	write(APIC_SPIV, 0x1ff);
	write(APIC_TDCR, 0xb);
	write(APIC_LVTT, lvtt);
	write(APIC_TMICT, count);
}

static unsigned int wakeups_of(uint64_t ns)
{
	board_wakeups = 0;
	board_step(ns);
	return board_wakeups;
}

static void periodic(void)
{
	unsigned int n = 0;

	start(PERIODIC | VECTOR, 1000000);
	for (unsigned int i = 0; i < 100; i++) {
		board_step(MS);
		n += board_take(VECTOR);
	}
	CHECK_EQ(n, 100);
	board_step(MS / 4);
	CHECK_EQ(vlapic_read(lapic(), APIC_TMCCT), 750000);
	/* Shorter than the least. */
	start(PERIODIC | VECTOR, 1);
	n = 0;
	board_wakeups = 0;
	for (unsigned int i = 0; i < 10000; i++) {
		board_step(MS / 100);
		n += board_take(VECTOR);
	}
	CHECK(n >= 999 && n <= 1000);
	CHECK(board_wakeups <= 1000);
}

static void periodic_masked(void)
{
	start(MASKED | PERIODIC | VECTOR, 20000);
	CHECK_EQ(wakeups_of(1000 * MS + 5000), 0);
	CHECK_EQ(board_armed(), 0);
	CHECK_EQ(vlapic_read(lapic(), APIC_TMCCT), 15000);
	/* Unmasked it goes on in its grid, and nothing is made up for. */
	start(MASKED | PERIODIC | VECTOR, 1000000);
	board_step(10 * MS + 600000);
	write(APIC_LVTT, PERIODIC | VECTOR);
	CHECK_EQ(board_take(VECTOR), 0);
	board_step(399999);
	CHECK_EQ(board_take(VECTOR), 0);
	board_step(1);
	CHECK_EQ(board_take(VECTOR), 1);
	board_step(MS);
	CHECK_EQ(board_take(VECTOR), 1);
	write(APIC_LVTT, MASKED | PERIODIC | VECTOR);
	CHECK_EQ(wakeups_of(1000 * MS), 0);
	/* Switched off by software all entries are masked. */
	write(APIC_LVTT, PERIODIC | VECTOR);
	CHECK_EQ(board_armed(), 1);
	write(APIC_SPIV, 0xff);
	CHECK_EQ(board_armed(), 0);
	CHECK_EQ(vlapic_read(lapic(), APIC_LVTT) & MASKED, MASKED);
}

static void periodic_not_taken(void)
{
	unsigned int n = 0;

	start(PERIODIC | VECTOR, 20000);
	CHECK(wakeups_of(1000 * MS) <= 130);
	/* Late by no more than it was held up, and then every tick again. */
	CHECK_EQ(board_take(VECTOR), 1);
	board_step(10 * MS);
	CHECK_EQ(board_take(VECTOR), 1);
	for (unsigned int i = 0; i < 300; i++) {
		board_step(MS / 10);
		n += board_take(VECTOR);
	}
	CHECK(n >= 200);
	/* A short stretch with interrupts off costs no more than itself. */
	board_step(MS);
	CHECK_EQ(board_take(VECTOR), 1);
	board_step(MS);
	CHECK_EQ(board_take(VECTOR), 1);
	/* A vector that cannot be delivered. */
	start(PERIODIC | 5, 20000);
	CHECK(wakeups_of(1000 * MS) <= 130);
}

static void one_shot(void)
{
	start(VECTOR, 1000000);
	board_step(MS - 1);
	CHECK_EQ(board_take(VECTOR), 0);
	board_step(1);
	CHECK_EQ(board_take(VECTOR), 1);
	CHECK_EQ(vlapic_read(lapic(), APIC_TMCCT), 0);
	CHECK_EQ(wakeups_of(1000 * MS), 0);
	/* It expires while masked: no interrupt, and none afterwards. */
	start(MASKED | VECTOR, 1000000);
	CHECK_EQ(wakeups_of(2 * MS), 0);
	CHECK_EQ(vlapic_read(lapic(), APIC_TMCCT), 0);
	write(APIC_LVTT, VECTOR);
	CHECK_EQ(wakeups_of(100 * MS), 0);
	CHECK_EQ(board_take(VECTOR), 0);
	/* Unmasked in time; masked and unmasked again. */
	start(MASKED | VECTOR, 1000000);
	board_step(MS / 4);
	write(APIC_LVTT, VECTOR);
	board_step(MS / 4);
	write(APIC_LVTT, MASKED | VECTOR);
	CHECK_EQ(vlapic_read(lapic(), APIC_TMCCT), 500000);
	write(APIC_LVTT, VECTOR);
	board_step(MS / 2 - 1);
	CHECK_EQ(board_take(VECTOR), 0);
	board_step(1);
	CHECK_EQ(board_take(VECTOR), 1);
}

static void changes(void)
{
	/* Another vector, and another mode, while it runs. */
	start(VECTOR, 1000000);
	board_step(MS / 2);
	write(APIC_LVTT, VECTOR + 1);
	write(APIC_LVTT, PERIODIC | (VECTOR + 1));
	board_step(MS / 2);
	CHECK_EQ(board_take(VECTOR + 1), 1);
	board_step(MS);
	CHECK_EQ(board_take(VECTOR + 1), 1);
	/* From periodic, masked, to one-shot: the count goes on from the last tick. */
	start(MASKED | PERIODIC | VECTOR, 1000000);
	board_step(10 * MS + 250000);
	write(APIC_LVTT, VECTOR);
	CHECK_EQ(vlapic_read(lapic(), APIC_TMCCT), 750000);
	board_step(750000);
	CHECK_EQ(board_take(VECTOR), 1);
	CHECK_EQ(wakeups_of(100 * MS), 0);
	/* The divisor begins it anew, masked or not. */
	start(MASKED | VECTOR, 1000000);
	board_step(MS / 2);
	write(APIC_TDCR, 0); /* by 2 */
	write(APIC_LVTT, VECTOR);
	board_step(2 * MS - 1);
	CHECK_EQ(board_take(VECTOR), 0);
	board_step(1);
	CHECK_EQ(board_take(VECTOR), 1);
	/* A count of 0 stops it. */
	start(PERIODIC | VECTOR, 1000000);
	write(APIC_TMICT, 0);
	CHECK_EQ(wakeups_of(100 * MS), 0);
}

static uint64_t deadline(void)
{
	uint64_t v = ~0ULL;

	CHECK(!vlapic_rdmsr(lapic(), MSR_TSC_DEADLINE, &v));
	return v;
}

static void deadlines(void)
{
	start(DEADLINE | VECTOR, 0);
	board_step(MS);
	vlapic_wrmsr(lapic(), MSR_TSC_DEADLINE, 3 * MS);
	board_step(2 * MS - 1);
	CHECK_EQ(deadline(), 3 * MS);
	CHECK_EQ(board_take(VECTOR), 0);
	board_step(1);
	CHECK_EQ(board_take(VECTOR), 1);
	CHECK_EQ(deadline(), 0);
	/* Masked. */
	write(APIC_LVTT, MASKED | DEADLINE | VECTOR);
	vlapic_wrmsr(lapic(), MSR_TSC_DEADLINE, 5 * MS);
	CHECK_EQ(board_armed(), 0);
	CHECK_EQ(deadline(), 5 * MS);
	CHECK_EQ(wakeups_of(10 * MS), 0);
	CHECK_EQ(deadline(), 0);
	write(APIC_LVTT, DEADLINE | VECTOR);
	CHECK_EQ(wakeups_of(10 * MS), 0);
	/* Unmasked in time. */
	write(APIC_LVTT, MASKED | DEADLINE | VECTOR);
	vlapic_wrmsr(lapic(), MSR_TSC_DEADLINE, 30 * MS);
	write(APIC_LVTT, DEADLINE | VECTOR);
	board_step(20 * MS);
	CHECK_EQ(board_take(VECTOR), 1);
	/* Leaving the mode disarms. */
	vlapic_wrmsr(lapic(), MSR_TSC_DEADLINE, 90 * MS);
	write(APIC_LVTT, PERIODIC | VECTOR);
	CHECK_EQ(wakeups_of(100 * MS), 0);
}

/* 11.5.4: eight divisors; the current count is read-only, a new initial count begins anew. */
static void divisors(void)
{
	static const uint8_t shift[16] = { 1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7, 0, 5, 6, 7, 0 };

	for (unsigned int code = 0; code < 16; code++) {
		start(VECTOR, 0);
		write(APIC_TDCR, code);
		write(APIC_TMICT, 1000);
		board_step(250ULL << shift[code]);
		CHECK_EQ(vlapic_read(lapic(), APIC_TMCCT), 750);
		write(APIC_TMCCT, 5);
		CHECK_EQ(vlapic_read(lapic(), APIC_TMCCT), 750);
		write(APIC_TMICT, 1000);
		board_step((1000ULL << shift[code]) - 1);
		CHECK_EQ(board_take(VECTOR), 0);
		CHECK_EQ(vlapic_read(lapic(), APIC_TMICT), 1000);
		board_step(1);
		CHECK_EQ(board_take(VECTOR), 1);
	}
	/* The largest count: 4.29 s times 128. */
	start(VECTOR, 0);
	write(APIC_TDCR, 10);
	write(APIC_TMICT, ~0U);
	board_step(0xffffffffULL << 7 >> 1);
	CHECK_EQ(vlapic_read(lapic(), APIC_TMCCT), 0x80000000);
	board_step(0xffffffffULL << 6);
	CHECK_EQ(board_take(VECTOR), 1);
}

/* A tick that was not taken for long is looked for rarely; a one-shot that begins then is not late. */
static void rare_then_one_shot(void)
{
	start(PERIODIC | VECTOR, 3000000);
	board_step(1000 * MS + 500000);
	write(APIC_LVTT, VECTOR);
	CHECK_EQ(board_take(VECTOR), 1);
	board_step(3 * MS);
	CHECK_EQ(board_take(VECTOR), 1);
	CHECK_EQ(wakeups_of(100 * MS), 0);
}

/* 11.5.4.1: each mode's registers are nothing in the other; zero disarms, and the past is now. */
static void deadline_registers(void)
{
	start(VECTOR, 0);
	vlapic_wrmsr(lapic(), MSR_TSC_DEADLINE, 5 * MS);
	CHECK_EQ(deadline(), 0);
	CHECK_EQ(wakeups_of(10 * MS), 0);
	write(APIC_TMICT, 1000000);
	write(APIC_LVTT, DEADLINE | VECTOR);
	CHECK_EQ(vlapic_read(lapic(), APIC_TMCCT), 0);
	write(APIC_TMICT, 1000000);
	CHECK_EQ(vlapic_read(lapic(), APIC_TMCCT), 0);
	CHECK_EQ(wakeups_of(10 * MS), 0);
	vlapic_wrmsr(lapic(), MSR_TSC_DEADLINE, 1);
	board_step(1);
	CHECK_EQ(board_take(VECTOR), 1);
	CHECK_EQ(deadline(), 0);
	vlapic_wrmsr(lapic(), MSR_TSC_DEADLINE, 100 * MS);
	vlapic_wrmsr(lapic(), MSR_TSC_DEADLINE, 0);
	CHECK_EQ(wakeups_of(1000 * MS), 0);
}

void test_lapic_timer(void)
{
	divisors();
	rare_then_one_shot();
	deadline_registers();
	periodic();
	periodic_masked();
	periodic_not_taken();
	one_shot();
	changes();
	deadlines();
}
