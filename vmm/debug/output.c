/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What waits for the serial line and the screen. A line of 115,200 baud takes 80 us for a character, so text is queued and goes
 * out in pieces that a UART takes without waiting; only while the host starts or ends, and with the option sync_console, does
 * text wait for the line. Each source has its share of the queue: guests the least, so that their text holds up neither
 * domain 0's nor the hypervisor's.
 *
 * All functions are called with the console's lock held, or when the host dies.
 */
#include "console.h"

#define QUEUE_SIZE  65536U
#define PIECE_MAX   512U /* characters that go out at once, where the UART takes them at once */
#define PIECE_CELLS 64U	 /* of the screen: a cell of a framebuffer is 128 dots */

static char queue[QUEUE_SIZE];
static uint32_t queue_start, queue_end; /* running counts */
static uint32_t lost;			/* characters that found no room */
static bool serial_up, screen_up, screen_waits, drawing;

/* How far the queue may be filled by this source: 16 KiB are 1.4 s of a line of 115,200 baud. */
static const uint32_t share[] = {
	[OUTPUT_LOG] = QUEUE_SIZE,
	[OUTPUT_DOM0] = 16384,
	[OUTPUT_GUEST] = 8192,
};

void output_devices(bool serial, bool screen)
{
	serial_up = serial;
	screen_up = screen;
}

static uint32_t room(enum output_from from)
{
	uint32_t used = queue_end - queue_start;

	return used < share[from] ? share[from] - used : 0;
}

static void put(const char *buf, size_t len)
{
	if (serial_up)
		for (size_t i = 0; i < len; i++)
			queue[queue_end++ % QUEUE_SIZE] = buf[i];
	if (screen_up) {
		screen_write(buf, len);
		screen_waits = true;
	}
}

/* Says where characters are missing on the line, once there is room for it. */
static void tell_lost(void)
{
	char text[80];
	int n;

	if (!lost || room(OUTPUT_LOG) < 2 * sizeof(text))
		return;
	n = snprintf(text, sizeof(text), "(%u characters are only in the log: xl dmesg)\n", lost);
	lost = 0;
	put(text, (size_t)n);
}

void output_text(enum output_from from, const char *buf, size_t len)
{
	if (room(from) < len) {
		lost += (uint32_t)len;
		return;
	}
	tell_lost();
	put(buf, len);
}

size_t output_some(enum output_from from, const char *buf, size_t len)
{
	size_t n = serial_up ? min(len, (size_t)room(from)) : len;

	put(buf, n);
	return n;
}

/* Adjacent bytes from the queue's start. */
static size_t first_run(void)
{
	uint32_t at = queue_start % QUEUE_SIZE;

	return min(queue_end - queue_start, QUEUE_SIZE - at);
}

/* What goes wrong in here ends in a panic, which is then told on the line alone. */
static void draw(unsigned int cells)
{
	if (!screen_waits || drawing)
		return;
	drawing = true;
	screen_waits = screen_draw(cells);
	drawing = false;
}

bool output_piece(void)
{
	size_t left = PIECE_MAX, n;

	while (left && queue_start != queue_end) {
		n = serial_send(&queue[queue_start % QUEUE_SIZE], min(first_run(), left));
		if (!n)
			break;
		queue_start += (uint32_t)n;
		left -= n;
	}
	draw(PIECE_CELLS);
	return queue_start != queue_end || screen_waits;
}

void output_all(void)
{
	size_t n;

	while (queue_start != queue_end) {
		n = first_run();
		serial_write(&queue[queue_start % QUEUE_SIZE], n);
		queue_start += (uint32_t)n;
	}
	draw(~0U);
}
