// SPDX-License-Identifier: GPL-2.0-or-later
/* The en-us keymap of a 105-key PC keyboard; key numbers are those of IBM's scan code set 1. */
#include <rfb/keysym.h>

#include "core/input.h"
#include "core/util.h"
#include "ui/keymap.h"

/* A run of keys with consecutive codes: what they give without and with shift. */
struct run {
	uint8_t first;
	const char *plain, *shifted;
};

static const struct run runs[] = {
	{ 0x02, "1234567890-=", "!@#$%^&*()_+" },
	{ 0x10, "qwertyuiop[]", "QWERTYUIOP{}" },
	{ 0x1e, "asdfghjkl;'`", "ASDFGHJKL:\"~" },
	{ 0x2b, "\\zxcvbnm,./", "|ZXCVBNM<>?" },
	{ 0x39, " ", " " },
};

static const struct keymap_entry keys[] = {
	{ XK_Escape, 0x01, 0 },
	{ XK_BackSpace, 0x0e, 0 },
	{ XK_Tab, 0x0f, 0 },
	{ 0xfe20, 0x0f, KEYMAP_SHIFT }, /* ISO_Left_Tab */
	{ XK_Return, 0x1c, 0 },
	{ XK_Linefeed, 0x1c, 0 },
	{ XK_Control_L, 0x1d, 0 },
	{ XK_Control_R, 0x1d | INPUT_EXT, 0 },
	{ XK_Shift_L, 0x2a, 0 },
	{ XK_Shift_R, 0x36, 0 },
	{ XK_Alt_L, 0x38, 0 },
	{ XK_Alt_R, 0x38 | INPUT_EXT, 0 },
	{ XK_Meta_L, 0x38, 0 },
	{ XK_Meta_R, 0x38 | INPUT_EXT, 0 },
	{ XK_Mode_switch, 0x38 | INPUT_EXT, 0 },
	{ 0xfe03, 0x38 | INPUT_EXT, 0 }, /* ISO_Level3_Shift */
	{ XK_Super_L, 0x5b | INPUT_EXT, 0 },
	{ XK_Super_R, 0x5c | INPUT_EXT, 0 },
	{ XK_Menu, 0x5d | INPUT_EXT, 0 },
	{ XK_Caps_Lock, 0x3a, 0 },
	{ XK_Num_Lock, 0x45, 0 },
	{ XK_Scroll_Lock, 0x46, 0 },
	{ XK_Print, 0x37 | INPUT_EXT, 0 },
	{ XK_Sys_Req, 0x54, 0 },
	{ XK_Pause, INPUT_KEY_PAUSE, 0 },
	{ XK_Break, INPUT_KEY_PAUSE, 0 },
	{ XK_F1, 0x3b, 0 },
	{ XK_F2, 0x3c, 0 },
	{ XK_F3, 0x3d, 0 },
	{ XK_F4, 0x3e, 0 },
	{ XK_F5, 0x3f, 0 },
	{ XK_F6, 0x40, 0 },
	{ XK_F7, 0x41, 0 },
	{ XK_F8, 0x42, 0 },
	{ XK_F9, 0x43, 0 },
	{ XK_F10, 0x44, 0 },
	{ XK_F11, 0x57, 0 },
	{ XK_F12, 0x58, 0 },
	{ XK_Home, 0x47 | INPUT_EXT, 0 },
	{ XK_Up, 0x48 | INPUT_EXT, 0 },
	{ XK_Prior, 0x49 | INPUT_EXT, 0 },
	{ XK_Left, 0x4b | INPUT_EXT, 0 },
	{ XK_Right, 0x4d | INPUT_EXT, 0 },
	{ XK_End, 0x4f | INPUT_EXT, 0 },
	{ XK_Down, 0x50 | INPUT_EXT, 0 },
	{ XK_Next, 0x51 | INPUT_EXT, 0 },
	{ XK_Insert, 0x52 | INPUT_EXT, 0 },
	{ XK_Delete, 0x53 | INPUT_EXT, 0 },
	{ XK_KP_Enter, 0x1c | INPUT_EXT, 0 },
	{ XK_KP_Divide, 0x35 | INPUT_EXT, 0 },
	{ XK_KP_Multiply, 0x37, 0 },
	{ XK_KP_Subtract, 0x4a, 0 },
	{ XK_KP_Add, 0x4e, 0 },
	{ XK_KP_Equal, 0x59, 0 },
	{ XK_KP_Home, 0x47, 0 },
	{ XK_KP_Up, 0x48, 0 },
	{ XK_KP_Prior, 0x49, 0 },
	{ XK_KP_Left, 0x4b, 0 },
	{ XK_KP_Begin, 0x4c, 0 },
	{ XK_KP_Right, 0x4d, 0 },
	{ XK_KP_End, 0x4f, 0 },
	{ XK_KP_Down, 0x50, 0 },
	{ XK_KP_Next, 0x51, 0 },
	{ XK_KP_Insert, 0x52, 0 },
	{ XK_KP_Delete, 0x53, 0 },
	{ XK_KP_7, 0x47, KEYMAP_NUMLOCK },
	{ XK_KP_8, 0x48, KEYMAP_NUMLOCK },
	{ XK_KP_9, 0x49, KEYMAP_NUMLOCK },
	{ XK_KP_4, 0x4b, KEYMAP_NUMLOCK },
	{ XK_KP_5, 0x4c, KEYMAP_NUMLOCK },
	{ XK_KP_6, 0x4d, KEYMAP_NUMLOCK },
	{ XK_KP_1, 0x4f, KEYMAP_NUMLOCK },
	{ XK_KP_2, 0x50, KEYMAP_NUMLOCK },
	{ XK_KP_3, 0x51, KEYMAP_NUMLOCK },
	{ XK_KP_0, 0x52, KEYMAP_NUMLOCK },
	{ XK_KP_Decimal, 0x53, KEYMAP_NUMLOCK },
	{ XK_KP_Separator, 0x53, KEYMAP_NUMLOCK },
};

void keymap_add_builtin(struct keymap *k)
{
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(runs); i++)
		for (j = 0; runs[i].plain[j]; j++) {
			unsigned int code = runs[i].first + (unsigned int)j;

			keymap_add(k, (uint8_t)runs[i].plain[j], code, 0);
			if (runs[i].shifted[j] != runs[i].plain[j])
				keymap_add(k, (uint8_t)runs[i].shifted[j], code, KEYMAP_SHIFT);
		}
	for (i = 0; i < ARRAY_SIZE(keys); i++)
		keymap_add(k, keys[i].keysym, keys[i].code, keys[i].flags);
}
