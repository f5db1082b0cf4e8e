// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Keys and pointer of a VNC client to the guest's keyboard and mouse. A client sends keysyms; where
 * the guest's modifiers do not give that keysym (a program that sends "A" without Shift, Caps Lock
 * or Num Lock out of step), the missing modifier is pressed around the key.
 */
#include <rfb/keysym.h>
#include <string.h>

#include "core/input.h"
#include "core/util.h"
#include "ui/vnc_priv.h"

#define CODE_LEFT_SHIFT	 0x2au
#define CODE_RIGHT_SHIFT 0x36u
#define CODE_ALTGR	 (0x38u | INPUT_EXT)
#define CODE_CTRL	 0x1du
#define CODE_ALT	 0x38u
#define CODE_NUM_LOCK	 0x45u
#define LED_NUM		 0x02u
#define LED_CAPS	 0x04u
#define RELATIVE_ZERO	 0x7fff /* of the pointer mode extension */

void vnc_input_init(struct vnc_input *in, struct input *to)
{
	memset(in, 0, sizeof(*in));
	in->to = to;
	in->last_x = in->last_y = -1;
}

void vnc_input_code(struct vnc_input *in, unsigned int code, bool down)
{
	if (!code || code >= ARRAY_SIZE(in->down) || (!down && !in->down[code]))
		return;
	in->down[code] = down;
	input_key(in->to, code, down);
}

static bool shift_held(const struct vnc_input *in)
{
	return in->down[CODE_LEFT_SHIFT] || in->down[CODE_RIGHT_SHIFT];
}

static void tap(struct vnc_input *in, unsigned int code)
{
	input_key(in->to, code, true);
	input_key(in->to, code, false);
}

static bool is_letter(uint32_t keysym)
{
	return (keysym >= 'a' && keysym <= 'z') || (keysym >= 'A' && keysym <= 'Z');
}

/* Ctrl and Alt combinations go through as they are: shortcuts are about keys, not characters. */
static bool is_shortcut(const struct vnc_input *in)
{
	return in->down[CODE_CTRL] || in->down[CODE_CTRL | INPUT_EXT] || in->down[CODE_ALT];
}

static bool needs_shift(const struct vnc_input *in, const struct keymap_entry *e)
{
	bool want = e->flags & KEYMAP_SHIFT;

	if (shift_held(in) || is_shortcut(in))
		return false;
	if (is_letter(e->keysym) && (input_leds(in->to) & LED_CAPS))
		want = !want;
	return want;
}

static void key_down(struct vnc_input *in, const struct keymap_entry *e)
{
	bool keypad = e->keysym >= XK_KP_Home && e->keysym <= XK_KP_9 && e->code >= 0x47 &&
		      e->code <= 0x53 && e->code != 0x4a && e->code != 0x4e;
	bool shift = needs_shift(in, e);
	bool altgr = (e->flags & KEYMAP_ALTGR) && !in->down[CODE_ALTGR] && !is_shortcut(in);

	/* With Shift the keypad's two meanings swap: the client's Num Lock cannot be told then. */
	if (keypad && !shift_held(in) &&
	    !(e->flags & KEYMAP_NUMLOCK) != !(input_leds(in->to) & LED_NUM))
		tap(in, CODE_NUM_LOCK);
	if (shift)
		input_key(in->to, CODE_LEFT_SHIFT, true);
	if (altgr)
		input_key(in->to, CODE_ALTGR, true);
	vnc_input_code(in, e->code, true);
	if (altgr)
		input_key(in->to, CODE_ALTGR, false);
	if (shift)
		input_key(in->to, CODE_LEFT_SHIFT, false);
}

void vnc_input_key(struct vnc_input *in, const struct keymap *map, uint32_t keysym, bool down)
{
	unsigned int held =
		(shift_held(in) ? KEYMAP_SHIFT : 0) | (in->down[CODE_ALTGR] ? KEYMAP_ALTGR : 0);
	const struct keymap_entry *e = keymap_find(map, keysym, held);

	if (!e)
		return;
	if (down)
		key_down(in, e);
	else
		vnc_input_code(in, e->code, false);
}

static int scale(int value, int size)
{
	if (size < 2)
		return 0;
	return (int)((int64_t)MIN(MAX(value, 0), size - 1) * INPUT_ABS_MAX / (size - 1));
}

void vnc_input_pointer(struct vnc_input *in, unsigned int buttons, int x, int y, int width,
		       int height)
{
	buttons &= INPUT_BUTTON_LEFT | INPUT_BUTTON_MIDDLE | INPUT_BUTTON_RIGHT |
		   INPUT_BUTTON_WHEEL_UP | INPUT_BUTTON_WHEEL_DOWN;
	if (input_is_absolute(in->to)) {
		input_pointer_abs(in->to, scale(x, width), scale(y, height), buttons);
	} else if (in->relative) {
		input_pointer_rel(in->to, x - RELATIVE_ZERO, y - RELATIVE_ZERO, buttons);
	} else if (in->last_x < 0) {
		input_pointer_rel(in->to, 0, 0, buttons);
	} else {
		input_pointer_rel(in->to, x - in->last_x, y - in->last_y, buttons);
	}
	in->last_x = x;
	in->last_y = y;
	in->buttons = buttons;
}

void vnc_input_release(struct vnc_input *in)
{
	unsigned int code;

	for (code = 0; code < ARRAY_SIZE(in->down); code++)
		if (in->down[code])
			vnc_input_code(in, code, false);
	if (in->buttons && !input_is_absolute(in->to))
		input_pointer_rel(in->to, 0, 0, 0);
	in->buttons = 0;
}
