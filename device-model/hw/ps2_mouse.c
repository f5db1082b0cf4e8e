// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The PS/2 mouse: standard three buttons, the IntelliMouse wheel (id 3) and five buttons (id 4);
 * stream, remote and wrap modes. The sample rate is kept but does not slow reports down: a report
 * waits only for room. See ps2.h.
 */
#include "hw/ps2.h"

#include <string.h>

#include "core/input.h"
#include "core/util.h"

#define ACK	    0xfa
#define NAK	    0xfe
#define BAT_OK	    0xaa

#define MAX_QUEUED  32u	   /* bytes: older motion than this adds up instead of lagging behind */
#define MAX_PENDING 100000 /* accumulated motion */

enum {
	CMD_SCALING_1 = 0xe6,
	CMD_SCALING_2 = 0xe7,
	CMD_RESOLUTION = 0xe8,
	CMD_STATUS = 0xe9,
	CMD_STREAM = 0xea,
	CMD_READ = 0xeb,
	CMD_UNWRAP = 0xec,
	CMD_WRAP = 0xee,
	CMD_REMOTE = 0xf0,
	CMD_IDENTIFY = 0xf2,
	CMD_RATE = 0xf3,
	CMD_ENABLE = 0xf4,
	CMD_DISABLE = 0xf5,
	CMD_DEFAULTS = 0xf6,
	CMD_RESEND = 0xfe,
	CMD_RESET = 0xff,
};

static void put(struct ps2_mouse *m, uint8_t byte)
{
	ps2_queue_put(&m->out, byte);
}

static void defaults(struct ps2_mouse *m)
{
	m->rate = 100;
	m->resolution = 2;
	m->scaling2 = m->reporting = m->wrap = false;
	m->mode = PS2_MOUSE_STREAM;
	m->pending = 0;
}

void ps2_mouse_reset(struct ps2_mouse *m)
{
	memset(m, 0, sizeof(*m));
	defaults(m);
}

/* Stream mode's 2:1 scaling (the table of the reference; remote mode reports motion as it is). */
static int scaled(const struct ps2_mouse *m, int v)
{
	static const int8_t table[6] = { 0, 1, 1, 3, 6, 9 };
	int a = v < 0 ? -v : v;

	if (!m->scaling2 || m->mode != PS2_MOUSE_STREAM)
		return v;
	a = a < 6 ? table[a] : 2 * a;
	return v < 0 ? -a : a;
}

static int take(int32_t *v, int limit)
{
	int n = MIN(MAX(*v, -limit - 1), limit);

	*v -= n;
	return n;
}

static void put_report(struct ps2_mouse *m)
{
	int dx = scaled(m, take(&m->dx, m->scaling2 ? 127 : 255));
	int dy = scaled(m, take(&m->dy, m->scaling2 ? 127 : 255));
	int dz;

	dx = MIN(MAX(dx, -256), 255);
	dy = MIN(MAX(dy, -256), 255);
	put(m, (uint8_t)((m->buttons & 7) | 0x08 | (dx < 0 ? 0x10 : 0) | (dy < 0 ? 0x20 : 0)));
	put(m, (uint8_t)dx);
	put(m, (uint8_t)dy);
	if (m->id == 3) {
		dz = take(&m->dz, 127);
		put(m, (uint8_t)dz);
	} else if (m->id == 4) {
		dz = take(&m->dz, 7);
		put(m, (uint8_t)((dz & 0x0f) | (m->buttons & 0x18) << 1));
	} else {
		m->dz = 0;
	}
	m->sent_buttons = m->buttons;
}

static bool has_news(const struct ps2_mouse *m)
{
	return m->dx || m->dy || (m->dz && m->id) || m->buttons != m->sent_buttons;
}

void ps2_mouse_poll(struct ps2_mouse *m)
{
	while (m->reporting && m->mode == PS2_MOUSE_STREAM && !m->wrap && has_news(m) &&
	       m->out.count < MAX_QUEUED)
		put_report(m);
}

void ps2_mouse_move(struct ps2_mouse *m, int dx, int dy, unsigned int buttons)
{
	unsigned int pressed = buttons & ~m->input_buttons;

	m->input_buttons = buttons;
	m->buttons = (buttons & INPUT_BUTTON_LEFT ? 1 : 0) |
		     (buttons & INPUT_BUTTON_RIGHT ? 2 : 0) |
		     (buttons & INPUT_BUTTON_MIDDLE ? 4 : 0);
	if (!m->reporting && m->mode == PS2_MOUSE_STREAM)
		return;
	m->dx = MIN(MAX(m->dx + MIN(MAX(dx, -MAX_PENDING), MAX_PENDING), -MAX_PENDING),
		    MAX_PENDING);
	m->dy = MIN(MAX(m->dy - MIN(MAX(dy, -MAX_PENDING), MAX_PENDING), -MAX_PENDING),
		    MAX_PENDING);
	if (pressed & INPUT_BUTTON_WHEEL_UP)
		m->dz = MAX(m->dz - 1, -127);
	if (pressed & INPUT_BUTTON_WHEEL_DOWN)
		m->dz = MIN(m->dz + 1, 127);
	ps2_mouse_poll(m);
}

static void put_status(struct ps2_mouse *m)
{
	uint8_t b = m->buttons;

	put(m, ACK);
	put(m, (uint8_t)((b & 1) << 2 | (b & 4) >> 1 | (b & 2) >> 1 | (m->scaling2 ? 0x10 : 0) |
			 (m->reporting ? 0x20 : 0) | (m->mode == PS2_MOUSE_REMOTE ? 0x40 : 0)));
	put(m, m->resolution);
	put(m, m->rate);
}

/* 200, 100, 80 turns the wheel on; 200, 200, 80 also the further buttons. */
static void set_rate(struct ps2_mouse *m, uint8_t rate)
{
	if (m->rates[0] == 200 && m->rates[1] == 100 && rate == 80)
		m->id = 3;
	else if (m->rates[0] == 200 && m->rates[1] == 200 && rate == 80)
		m->id = 4;
	m->rates[0] = m->rates[1];
	m->rates[1] = rate;
	m->rate = rate;
}

static void argument(struct ps2_mouse *m, uint8_t byte)
{
	if (m->pending == CMD_RATE)
		set_rate(m, byte);
	else
		m->resolution = byte & 3;
	m->pending = 0;
	put(m, ACK);
}

static void clear_motion(struct ps2_mouse *m)
{
	m->dx = m->dy = m->dz = 0;
}

/* The commands that are only acknowledged. */
static bool command_simple(struct ps2_mouse *m, uint8_t byte)
{
	switch (byte) {
	case CMD_SCALING_1:
	case CMD_SCALING_2:
		m->scaling2 = byte == CMD_SCALING_2;
		return true;
	case CMD_STREAM:
	case CMD_REMOTE:
		m->mode = byte == CMD_STREAM ? PS2_MOUSE_STREAM : PS2_MOUSE_REMOTE;
		clear_motion(m);
		return true;
	case CMD_UNWRAP:
	case CMD_WRAP:
		m->wrap = byte == CMD_WRAP;
		return true;
	case CMD_RATE:
	case CMD_RESOLUTION:
		m->pending = byte;
		return true;
	case CMD_ENABLE:
	case CMD_DISABLE:
		m->reporting = byte == CMD_ENABLE;
		clear_motion(m);
		return true;
	case CMD_DEFAULTS:
		defaults(m);
		return true;
	}
	return false;
}

void ps2_mouse_write(struct ps2_mouse *m, uint8_t byte)
{
	if (m->wrap && byte != CMD_RESET && byte != CMD_UNWRAP) {
		put(m, byte);
		return;
	}
	if (m->pending) {
		argument(m, byte);
		return;
	}
	if (command_simple(m, byte)) {
		put(m, ACK);
		return;
	}
	switch (byte) {
	case CMD_STATUS:
		put_status(m);
		break;
	case CMD_READ:
		put(m, ACK);
		put_report(m);
		break;
	case CMD_IDENTIFY:
		put(m, ACK);
		put(m, m->id);
		break;
	case CMD_RESEND:
		put(m, m->last);
		break;
	case CMD_RESET:
		ps2_mouse_reset(m);
		put(m, ACK);
		put(m, BAT_OK);
		put(m, m->id);
		break;
	default:
		put(m, NAK);
	}
}
