/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What waits for the serial line and the screen. A line of 115,200 baud takes 80 us for a character, so text is queued and goes
 * out in pieces that a UART takes without waiting; only while the host starts or ends, and with the option sync_console, does
 * text wait for the line. Each source has its share of the queue: guests the least, so that their text holds up neither
 * domain 0's nor the hypervisor's.
 *
 * All functions are called with the log's lock held, or when the host dies.
 */
#include "internal.h"
#include "timer.h"

#define QUEUE_SIZE  65536U
#define PIECE_MAX   512U /* characters that go out at once, where the UART takes them at once */
#define PIECE_CELLS 64U	 /* of the screen: a cell of a framebuffer is 128 dots */
#define NOTE_MAX    80U
#define STALL_NS    NS_PER_SEC

static char queue[QUEUE_SIZE];
static uint32_t queue_start, queue_end; /* running counts */
static uint32_t lost;			/* characters that found no room */
static uint64_t waits_since_ns;		/* for the line to take something; 0 = it did */
static bool stalled;			/* it takes nothing any more, until it does */
static bool serial_up, screen_up, screen_waits, drawing;

/* How far the queue may be filled by this source: 16 KiB are 1.4 s of a line of 115,200 baud. */
static const uint32_t share[] = {
	[LOG_HOST] = QUEUE_SIZE,
	[LOG_DOM0] = 16384,
	[LOG_GUEST] = 8192,
};

void output_devices(bool serial, bool screen)
{
	serial_up = serial;
	screen_up = screen;
}

static uint32_t room(enum log_from from)
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

/* Says where characters are missing on the line. */
static void tell_lost(void)
{
	char text[NOTE_MAX];
	int n;

	if (!lost)
		return;
	n = snprintf(text, sizeof(text), "(%u characters are only in the log: xl dmesg)\n", lost);
	lost = 0;
	put(text, (size_t)n);
}

void output_text(enum log_from from, const char *buf, size_t len)
{
	if (room(from) < len + (lost ? NOTE_MAX : 0)) {
		lost += (uint32_t)len;
		return;
	}
	tell_lost();
	put(buf, len);
}

size_t output_some(enum log_from from, const char *buf, size_t len)
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

/*
 * A line that takes nothing for a second, as when whoever reads it has gone, holds nobody up: its text is thrown
 * away, as it comes, until it takes some.
 */
static void look_at_line(bool moved)
{
	uint64_t now = now_ns();

	if (moved || queue_start == queue_end) {
		waits_since_ns = 0;
		stalled = stalled && !moved;
		return;
	}
	if (!waits_since_ns)
		waits_since_ns = now;
	stalled = stalled || now - waits_since_ns > STALL_NS;
	if (!stalled)
		return;
	lost += queue_end - queue_start;
	queue_start = queue_end;
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
	look_at_line(left < PIECE_MAX);
	draw(PIECE_CELLS);
	return queue_start != queue_end || screen_waits;
}

/* When the host dies another CPU may have been at it: what it counts must not make this endless. */
void output_all(void)
{
	uint32_t at;
	size_t n;

	while ((int32_t)(queue_end - queue_start) > 0) {
		n = first_run();
		at = queue_start;
		queue_start += (uint32_t)n;
		serial_write(&queue[at % QUEUE_SIZE], n);
	}
	queue_start = queue_end;
	draw(~0U);
}
