// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The same random scripts of port accesses on our devices and on QEMU's, which is stopped at time
 * zero (qtest): every byte read must agree. Edges come from QEMU's keyboard controller. Left out is
 * what QEMU simplifies: OUT of PIT modes 2 and 4, modes 1 and 5, what the master remembers of a
 * slave's request that was withdrawn, and special mask mode, in which QEMU's unspecific EOI clears
 * masked bits too.
 */
#include "devices.h"

static uint64_t seed;

static unsigned int rnd(unsigned int n)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned int)(seed >> 33) % n;
}

static void out(uint16_t port, uint8_t v)
{
	board_out(port, 1, v);
	qtest_outb(port, v);
}

static bool same(uint16_t port, uint8_t mask, const char *what)
{
	uint8_t a = (uint8_t)board_in(port, 1) & mask, b = qtest_inb(port) & mask;

	if (a != b)
		say("%s, port %#x: ours %#x, QEMU's %#x\n", what, port, a, b);
	CHECK(a == b);
	return a == b;
}

static void pit_load(unsigned int ch, unsigned int mode, unsigned int rw, unsigned int count)
{
	out(0x43, (uint8_t)(ch << 6 | rw << 4 | mode << 1));
	if (rw & 1)
		out((uint16_t)(0x40 + ch), (uint8_t)count);
	if (rw & 2)
		out((uint16_t)(0x40 + ch), (uint8_t)(count >> 8));
}

static bool pit_script(void)
{
	static const uint8_t modes[] = { 0, 2, 3, 4 };
	bool ok = true;

	out(0x61, 1);
	for (unsigned int i = 0; i < 300 && ok; i++) {
		unsigned int ch = rnd(2) * 2, rw = 1 + rnd(3), mode = modes[rnd(4)];
		uint16_t port = (uint16_t)(0x40 + ch);

		pit_load(ch, mode, rw, 2 * (2 + rnd(30000)));
		for (unsigned int k = 0; k < 6 && ok; k++) {
			switch (rnd(3)) {
			case 0:
				out(0x43, (uint8_t)(ch << 6));
				ok = same(port, 0xff, "latched count") &&
				     (rw != 3 || same(port, 0xff, "latched count"));
				break;
			case 1: /* read back status, and count */
				out(0x43, (uint8_t)(0xc0 | 2 << ch));
				ok = same(port, mode == 0 || mode == 3 ? 0xff : 0x7f, "status") &&
				     same(port, 0xff, "count") &&
				     (rw != 3 || same(port, 0xff, "count"));
				break;
			default:
				ok = same(port, 0xff, "live count") &&
				     (rw != 3 || same(port, 0xff, "live count"));
				if (ch == 2 && mode != 2 && mode != 4)
					ok = ok && same(0x61, 0x23, "port 61");
				break;
			}
		}
	}
	return ok;
}

static void rtc_index(uint8_t i)
{
	out(0x70, i);
}

static bool rtc_script(void)
{
	static const uint8_t formats[] = { 0x02, 0x00 };
	bool ok = true;

	for (unsigned int i = 0; i < 30 && ok; i++) {
		if (i % 15 == 0) { /* set a date in another form */
			uint8_t b = formats[i / 15];
			bool bin = b & 4;

			rtc_index(11), out(0x71, 0x80 | b);
			rtc_index(0), out(0x71, bin ? 30 : 0x30);
			rtc_index(2), out(0x71, bin ? 58 : 0x58);
			rtc_index(4), out(0x71, b & 2 ? (bin ? 23 : 0x23) : bin ? 0x8b : 0x91);
			rtc_index(7), out(0x71, bin ? 28 : 0x28);
			rtc_index(8), out(0x71, 2);
			rtc_index(9), out(0x71, bin ? 24 : 0x24);
			rtc_index(11), out(0x71, b);
		}
		for (uint8_t r = 0; r < 10 && ok; r++) {
			if (r == 1 || r == 3 || r == 5 || r == 6)
				continue; /* alarms; the day of the week is whatever was set */
			rtc_index(r);
			ok = same(0x71, 0xff, "RTC register");
		}
	}
	return ok;
}

static void pic_start(uint16_t base, uint8_t vector, uint8_t cascade)
{
	out(base, 0x11);
	out(base + 1, vector);
	out(base + 1, cascade);
	out(base + 1, 1);
}

/* An edge on IRQ 1 or 12: a byte through the output buffer, taken before the next. */
static void edge(bool aux)
{
	qtest_inb(0x60);
	qtest_outb(0x64, aux ? 0xd3 : 0xd2);
	qtest_outb(0x60, 0x55);
	for (unsigned int level = 0; level < 2; level++)
		hvm_isa_irq_set(&board, aux ? 12 : 1, level);
}

/* Polls acknowledge. */
static bool pic_script(bool slave)
{
	uint16_t base = slave ? 0xa0 : 0x20;
	bool ok = true;

	pic_start(0x20, 0x20, 4);
	pic_start(0xa0, 0x28, 2);
	qtest_outb(0x64, 0x60);
	qtest_outb(0x60, 0x03); /* interrupts of keyboard and mouse on */
	for (unsigned int i = 0; i < 2000 && ok; i++) {
		switch (rnd(8)) {
		case 0:
			out(base + 1, (uint8_t)rnd(256));
			break;
		case 1:
			out(base, (uint8_t)(rnd(8) << 5 | rnd(8)));
			break;
		case 2:
			out(base, (uint8_t)(0x08 | rnd(4)));
			break;
		case 3:
			edge(slave);
			break;
		case 4:
			out(base, 0x0c);
			ok = same(base, 0xff, "poll");
			break;
		case 5:
			ok = same(base + 1, 0xff, "mask");
			break;
		default:
			ok = same(base, 0xff, "IRR or ISR");
			break;
		}
	}
	return ok;
}

bool test_qemu(void)
{
	for (seed = 1; seed < 4; seed++) {
		uint64_t s = seed;

		if (!qtest_start())
			return false;
		board_reset();
		if (!pit_script() || !pic_script(false) || !pic_script(true) || !rtc_script())
			say("script %lu differs\n", s);
		qtest_stop();
		seed = s;
	}
	return true;
}
