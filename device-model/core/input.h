/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the user interfaces to the guest's input devices. Keys are PC/AT set-1 make codes; extended
 * ones (E0 prefix) carry INPUT_EXT; Pause is INPUT_KEY_PAUSE, Print Screen is 0x37|INPUT_EXT. The
 * device does the rest (set 2, E1 sequences). The newest registered device of a kind is active.
 *
 * Keys wait in a queue until the guest has taken those before them: none is lost while there is room,
 * and the release of a key that was pressed always has some.
 */
#ifndef DM_CORE_INPUT_H
#define DM_CORE_INPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/save.h"

#define INPUT_EXT	0x80u
#define INPUT_KEY_PAUSE 0x100u

enum input_button {
	INPUT_BUTTON_LEFT = 1,
	INPUT_BUTTON_MIDDLE = 2,
	INPUT_BUTTON_RIGHT = 4,
	INPUT_BUTTON_WHEEL_UP = 8, /* a press is one notch */
	INPUT_BUTTON_WHEEL_DOWN = 16,
};

#define INPUT_ABS_MAX 0x7fff

struct input_device {
	const char *name;
	void *opaque;
	/* Any of these may be NULL. */
	void (*key)(void *opaque, unsigned int code, bool down);
	/* Can it take a key now? It calls input_keyboard_ready() when it can again. NULL: always. */
	bool (*key_ready)(void *opaque);
	void (*pointer_rel)(void *opaque, int dx, int dy, unsigned int buttons);
	/* x and y 0..INPUT_ABS_MAX over the surface. */
	void (*pointer_abs)(void *opaque, int x, int y, unsigned int buttons);
	struct input_device *next;
};

#define INPUT_MAX_CODE 0x101u
#define INPUT_QUEUE    1024u /* keys pressed and released, as many as QEMU keeps */

struct input_key_event {
	uint16_t code;
	bool down;
};

/* A machine's. */
struct input {
	struct input_device *devices; /* the newest first */
	uint8_t keys_down[INPUT_MAX_CODE];
	unsigned int nr_down; /* of them */
	struct input_key_event queue[INPUT_QUEUE];
	unsigned int head, count;
	uint64_t taken_ns; /* when a device took a key last, by the host's clock */
	unsigned int buttons_down, leds;
	int last_x, last_y;
	void (*mode_cb)(void *opaque, bool absolute);
	void *mode_opaque;
};

void input_register(struct input *in, struct input_device *dev);
void input_unregister(struct input *in, struct input_device *dev);

/*
 * From a user interface. Keys held down when a client goes away: input_release_all. Not told to the guest: a
 * press without room, the release of a key that is not down, and a repetition behind keys that wait.
 */
void input_key(struct input *in, unsigned int code, bool down);
/* Hold keys back: there is no room for them, but the guest is making some. */
bool input_keys_wait(const struct input *in);
/* From a keyboard: it can take keys again. */
void input_keyboard_ready(struct input *in);
/*
 * Saved state, by the controller that every machine has: what waits, from the head on, and what is down. Nobody holds
 * a key where it is loaded, so all go up behind what waits. 0 or -EINVAL.
 */
extern const struct save_field input_fields[];
void input_refresh(struct input *in);
int input_loaded(struct input *in);
/* Nothing of before a reset is for the guest that starts. */
void input_reset(struct input *in);
void input_pointer_rel(struct input *in, int dx, int dy, unsigned int buttons);
void input_pointer_abs(struct input *in, int x, int y, unsigned int buttons);
/* True when an absolute device is active: a user interface then sends positions, not motion. */
bool input_is_absolute(const struct input *in);
void input_release_all(struct input *in);

/* Scroll, num, caps lock as bits 0-2, from the active keyboard. */
void input_set_leds(struct input *in, unsigned int leds);
unsigned int input_leds(const struct input *in);
/* Called when the active pointer changes between absolute and relative. */
void input_on_mode(struct input *in, void (*cb)(void *opaque, bool absolute), void *opaque);

#endif
