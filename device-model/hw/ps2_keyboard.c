// SPDX-License-Identifier: GPL-2.0-or-later
/* The PS/2 keyboard: commands, and keys to scan codes of sets 1, 2 and 3. See ps2.h. */
#include "hw/ps2.h"

#include <string.h>

#include "core/input.h"

#define ACK		 0xfa
#define RESEND		 0xfe
#define BAT_OK		 0xaa
#define RELEASE		 0xf0

#define LONGEST_SEQUENCE 8u /* of a key */
#define ROOM_FOR_ANSWERS 8u /* to a command */

#define MOD_SHIFT	 0x01u
#define MOD_CTRL	 0x02u
#define MOD_ALT		 0x04u

enum {
	CMD_LEDS = 0xed,
	CMD_ECHO = 0xee,
	CMD_SET = 0xf0,
	CMD_IDENTIFY = 0xf2,
	CMD_RATE = 0xf3,
	CMD_ENABLE = 0xf4,
	CMD_DISABLE = 0xf5,
	CMD_DEFAULTS = 0xf6,
	CMD_ALL_FIRST = 0xf7, /* f7-fa: kinds of all keys, set 3 */
	CMD_ALL_LAST = 0xfa,
	CMD_KEY_FIRST = 0xfb, /* fb-fd: kind of one key, set 3 */
	CMD_KEY_LAST = 0xfd,
	CMD_RESEND = 0xfe,
	CMD_RESET = 0xff,
};

static void put(struct ps2_keyboard *k, uint8_t byte)
{
	ps2_queue_put(&k->out, byte);
}

static void set_leds(struct ps2_keyboard *k, uint8_t leds)
{
	k->leds = leds & 7;
	if (k->leds_changed)
		k->leds_changed(k->opaque, k->leds);
}

static void defaults(struct ps2_keyboard *k)
{
	k->set = 2;
	k->rate = 0x2b;
	k->pending = 0;
}

void ps2_keyboard_reset(struct ps2_keyboard *k)
{
	memset(&k->out, 0, sizeof(k->out));
	k->modifiers = 0;
	k->scanning = true;
	k->last = 0;
	defaults(k);
	set_leds(k, 0);
}

static void argument(struct ps2_keyboard *k, uint8_t byte)
{
	uint8_t command = k->pending;

	k->pending = 0;
	switch (command) {
	case CMD_LEDS:
		set_leds(k, byte);
		put(k, ACK);
		break;
	case CMD_RATE:
		k->rate = byte & 0x7f;
		put(k, ACK);
		break;
	case CMD_SET:
		if (byte > 3) {
			put(k, RESEND);
			break;
		}
		put(k, ACK);
		if (byte)
			k->set = byte;
		else
			put(k, k->set);
		break;
	default: /* fb-fd take keys until a command comes */
		put(k, ACK);
		k->pending = command;
	}
}

static void command_simple(struct ps2_keyboard *k, uint8_t byte)
{
	switch (byte) {
	case CMD_ECHO:
		put(k, CMD_ECHO);
		return;
	case CMD_RESEND:
		put(k, k->last);
		return;
	case CMD_IDENTIFY:
		put(k, ACK);
		put(k, 0xab);
		put(k, 0x83);
		return;
	case CMD_RESET:
		ps2_keyboard_reset(k);
		put(k, ACK);
		put(k, BAT_OK);
		return;
	case CMD_ENABLE:
		memset(&k->out, 0, sizeof(k->out));
		k->scanning = true;
		break;
	case CMD_DISABLE:
	case CMD_DEFAULTS:
		defaults(k);
		k->scanning = byte == CMD_DEFAULTS;
		break;
	}
	put(k, ACK);
}

void ps2_keyboard_write(struct ps2_keyboard *k, uint8_t byte)
{
	/* Every command byte aborts a command that waits for its argument. */
	if (k->pending && byte < CMD_LEDS) {
		argument(k, byte);
		return;
	}
	k->pending = 0;
	if (byte == CMD_LEDS || byte == CMD_SET || byte == CMD_RATE ||
	    (byte >= CMD_KEY_FIRST && byte <= CMD_KEY_LAST)) {
		k->pending = byte;
		put(k, ACK);
	} else if (byte == CMD_ECHO || (byte >= CMD_IDENTIFY)) {
		command_simple(k, byte);
	} else {
		put(k, RESEND);
	}
}

static void put_all(struct ps2_keyboard *k, const uint8_t *bytes, size_t len)
{
	while (len--)
		put(k, *bytes++);
}

/* One key of sets 1 or 2, with its E0 prefix. */
static void put_key(struct ps2_keyboard *k, uint8_t code, bool down)
{
	if (code & 0x80)
		put(k, 0xe0);
	if (k->set == 1) {
		put(k, (uint8_t)((code & 0x7f) | (down ? 0 : 0x80)));
		return;
	}
	if (!down)
		put(k, RELEASE);
	put(k, ps2_code_set2(code));
}

/* Pause sends all at its press and nothing at its release; with Ctrl it is Break (E0 46). */
static void put_pause(struct ps2_keyboard *k, bool down)
{
	static const uint8_t set1[] = { 0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5 };
	static const uint8_t set2[] = { 0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77 };

	if (!down)
		return;
	if (k->modifiers & MOD_CTRL) {
		put_key(k, 0x46 | 0x80, true);
		put_key(k, 0x46 | 0x80, false);
	} else if (k->set == 1) {
		put_all(k, set1, sizeof(set1));
	} else {
		put_all(k, set2, sizeof(set2));
	}
}

/* Print Screen is SysRq with Alt, and else comes with a shift of its own unless one is held. */
static void put_print(struct ps2_keyboard *k, bool down)
{
	const uint8_t print = 0x37 | 0x80, shift = 0x2a | 0x80;
	bool fake = !(k->modifiers & (MOD_SHIFT | MOD_CTRL));

	if (k->modifiers & MOD_ALT) {
		put_key(k, 0x54, down);
		return;
	}
	if (fake && down)
		put_key(k, shift, true);
	put_key(k, print, down);
	if (fake && !down)
		put_key(k, shift, false);
}

static void put_set3(struct ps2_keyboard *k, unsigned int code, bool down)
{
	uint8_t byte = code == INPUT_KEY_PAUSE ? 0x62 : ps2_code_set3((uint8_t)code);

	if (!byte)
		return;
	if (!down)
		put(k, RELEASE);
	put(k, byte);
}

static void track_modifiers(struct ps2_keyboard *k, unsigned int code, bool down)
{
	uint8_t bit = 0;

	if (code == 0x2a || code == 0x36)
		bit = MOD_SHIFT;
	else if ((code & 0x7f) == 0x1d)
		bit = MOD_CTRL;
	else if ((code & 0x7f) == 0x38)
		bit = MOD_ALT;
	k->modifiers = down ? k->modifiers | bit : k->modifiers & ~bit;
}

bool ps2_keyboard_ready(const struct ps2_keyboard *k)
{
	return !k->scanning || ps2_queue_room(&k->out) >= LONGEST_SEQUENCE + ROOM_FOR_ANSWERS;
}

void ps2_keyboard_key(struct ps2_keyboard *k, unsigned int code, bool down)
{
	if (code < INPUT_KEY_PAUSE)
		track_modifiers(k, code, down);
	if (!k->scanning)
		return;
	if (k->set == 3)
		put_set3(k, code, down);
	else if (code == INPUT_KEY_PAUSE)
		put_pause(k, down);
	else if (code == (0x37 | INPUT_EXT))
		put_print(k, down);
	else if (k->set == 1 || ps2_code_set2((uint8_t)code))
		put_key(k, (uint8_t)code, down);
}
