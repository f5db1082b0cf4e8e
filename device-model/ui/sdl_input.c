// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Keys and pointer of the SDL window, in its thread. SDL's scancodes are USB HID usages (Keyboard
 * page) and say which key it was, whatever the host's layout, so no keymap is needed.
 *
 * A relative guest mouse needs the pointer: a click or Ctrl+Alt+G captures it, Ctrl+Alt+G lets it
 * go. With an absolute one the pointer is free and Ctrl+Alt+G captures the keyboard only.
 */
#include <string.h>

#include "core/input.h"
#include "core/util.h"
#include "hw/usb_hid.h"
#include "ui/sdl_priv.h"

#define CODE_LEFT_CTRL 0x1du
#define CODE_LEFT_ALT  0x38u
#define CODE_SYSRQ     0x54u

static uint16_t codes[SDL_NUM_SCANCODES];

void sdl_input_init(void)
{
	unsigned int code;

	/* Where two codes are one key, the later is the one without modifiers. */
	for (code = 1; code <= INPUT_KEY_PAUSE; code++)
		codes[usb_hid_usage(code)] = (uint16_t)code;
	codes[SDL_SCANCODE_UNKNOWN] = 0;
	codes[SDL_SCANCODE_NONUSHASH] = codes[SDL_SCANCODE_BACKSLASH];
	codes[SDL_SCANCODE_SYSREQ] = CODE_SYSRQ;
}

/* ---- keyboard ---- */

static void release_all(struct sdl_window *w)
{
	memset(w->down, 0, sizeof(w->down));
	w->buttons = 0;
	sdl_post((struct sdl_record){ .kind = SDL_RECORD_RELEASE });
}

/* Ctrl+Alt and one of these is for the window. The guest saw the modifiers: let go of them. */
static bool hot_key(struct sdl_window *w, SDL_Scancode key)
{
	if (!w->down[CODE_LEFT_CTRL] || !w->down[CODE_LEFT_ALT])
		return false;
	if (key != SDL_SCANCODE_G && key != SDL_SCANCODE_F && key != SDL_SCANCODE_U)
		return false;
	release_all(w);
	if (key == SDL_SCANCODE_G)
		sdl_input_grab(w, !w->grabbed);
	else if (key == SDL_SCANCODE_F)
		sdl_window_toggle_fullscreen(w);
	else
		sdl_window_natural_size(w);
	return true;
}

static void key_event(struct sdl_window *w, const SDL_KeyboardEvent *e)
{
	bool down = e->type == SDL_KEYDOWN;
	unsigned int code;

	if ((unsigned int)e->keysym.scancode >= ARRAY_SIZE(codes))
		return;
	code = codes[e->keysym.scancode];
	if (!code || (!down && !w->down[code]))
		return;
	if (down && !e->repeat && hot_key(w, e->keysym.scancode))
		return;
	/* The rest of a hot key's repetitions: the key is not down for the guest. */
	if (down && e->repeat && !w->down[code])
		return;
	w->down[code] = down;
	sdl_post((struct sdl_record){ .kind = SDL_RECORD_KEY, .a = (int)code, .b = down });
}

/* ---- pointer ---- */

void sdl_input_grab(struct sdl_window *w, bool grab)
{
	w->grabbed = grab;
	sdl.SetRelativeMouseMode(grab && !w->absolute);
	sdl.SetWindowKeyboardGrab(w->window, grab);
	sdl_window_title(w);
}

void sdl_input_mode(struct sdl_window *w)
{
	if (w->grabbed)
		sdl_input_grab(w, false);
	/* An absolute guest pointer is drawn by the guest, where ours is. */
	sdl.ShowCursor(w->absolute ? SDL_DISABLE : SDL_ENABLE);
}

void sdl_input_focus_lost(struct sdl_window *w)
{
	if (w->grabbed)
		sdl_input_grab(w, false);
	release_all(w);
}

static int scale(int value, int size)
{
	if (size < 2)
		return 0;
	return (int)((int64_t)MIN(MAX(value, 0), size - 1) * INPUT_ABS_MAX / (size - 1));
}

static void post_position(const struct sdl_window *w, int x, int y, unsigned int buttons)
{
	sdl_post((struct sdl_record){ .kind = SDL_RECORD_ABS,
				      .a = scale(x - w->shown.x, w->shown.w),
				      .b = scale(y - w->shown.y, w->shown.h),
				      .buttons = buttons });
}

static void post_motion(int dx, int dy, unsigned int buttons)
{
	sdl_post((struct sdl_record){
		.kind = SDL_RECORD_REL, .a = dx, .b = dy, .buttons = buttons });
}

static void motion_event(struct sdl_window *w, const SDL_MouseMotionEvent *e)
{
	w->last_x = e->x;
	w->last_y = e->y;
	if (w->absolute)
		post_position(w, e->x, e->y, w->buttons);
	else if (w->grabbed)
		post_motion(e->xrel, e->yrel, w->buttons);
}

static unsigned int button_bit(unsigned int button)
{
	return button == SDL_BUTTON_LEFT     ? INPUT_BUTTON_LEFT
	       : button == SDL_BUTTON_MIDDLE ? INPUT_BUTTON_MIDDLE
	       : button == SDL_BUTTON_RIGHT  ? INPUT_BUTTON_RIGHT
					     : 0;
}

static void button_event(struct sdl_window *w, const SDL_MouseButtonEvent *e)
{
	unsigned int bit = button_bit(e->button);
	bool down = e->type == SDL_MOUSEBUTTONDOWN;

	if (!w->absolute && !w->grabbed) {
		if (down && bit == INPUT_BUTTON_LEFT) {
			sdl_input_grab(w, true);
			w->swallow_release = true;
		}
		return;
	}
	if (!down && bit == INPUT_BUTTON_LEFT && w->swallow_release) {
		w->swallow_release = false;
		return;
	}
	w->buttons = down ? w->buttons | bit : w->buttons & ~bit;
	if (w->absolute)
		post_position(w, e->x, e->y, w->buttons);
	else
		post_motion(0, 0, w->buttons);
}

static void wheel_event(struct sdl_window *w, const SDL_MouseWheelEvent *e)
{
	unsigned int bit = e->y > 0 ? INPUT_BUTTON_WHEEL_UP : INPUT_BUTTON_WHEEL_DOWN;
	int notches = MIN(e->y < 0 ? -e->y : e->y, 8);

	for (; notches > 0 && (w->absolute || w->grabbed); notches--) {
		if (w->absolute) {
			post_position(w, w->last_x, w->last_y, w->buttons | bit);
			post_position(w, w->last_x, w->last_y, w->buttons);
		} else {
			post_motion(0, 0, w->buttons | bit);
			post_motion(0, 0, w->buttons);
		}
	}
}

bool sdl_input_event(struct sdl_window *w, const SDL_Event *e)
{
	switch (e->type) {
	case SDL_KEYDOWN:
	case SDL_KEYUP:
		key_event(w, &e->key);
		return true;
	case SDL_MOUSEMOTION:
		motion_event(w, &e->motion);
		return true;
	case SDL_MOUSEBUTTONDOWN:
	case SDL_MOUSEBUTTONUP:
		button_event(w, &e->button);
		return true;
	case SDL_MOUSEWHEEL:
		wheel_event(w, &e->wheel);
		return true;
	default:
		return false;
	}
}
