/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routing of keys and pointer events to the guest's newest input device of a kind. See input.h. */
#include "core/input.h"

#include <stddef.h>

#include "core/util.h"

#define INPUT_MAX_CODE 0x101u

static struct input_device *devices;
static uint8_t keys_down[INPUT_MAX_CODE];
static unsigned int buttons_down, leds;
static int last_x, last_y;
static void (*leds_cb)(void *opaque, unsigned int leds);
static void *leds_opaque;
static void (*mode_cb)(void *opaque, bool absolute);
static void *mode_opaque;

static struct input_device *find_keyboard(void)
{
	struct input_device *d = devices;

	while (d && !d->key)
		d = d->next;
	return d;
}

static struct input_device *find_pointer(void)
{
	struct input_device *d = devices;

	while (d && !d->pointer_rel && !d->pointer_abs)
		d = d->next;
	return d;
}

bool input_is_absolute(void)
{
	struct input_device *d = find_pointer();

	return d && d->pointer_abs;
}

static void mode_check(bool before)
{
	bool after = input_is_absolute();

	if (before != after && mode_cb)
		mode_cb(mode_opaque, after);
}

void input_register(struct input_device *dev)
{
	bool before = input_is_absolute();

	dev->next = devices;
	devices = dev;
	mode_check(before);
}

void input_unregister(struct input_device *dev)
{
	struct input_device **p = &devices;
	bool before = input_is_absolute();

	while (*p && *p != dev)
		p = &(*p)->next;
	if (*p)
		*p = dev->next;
	mode_check(before);
}

void input_key(unsigned int code, bool down)
{
	struct input_device *d = find_keyboard();

	if (code >= INPUT_MAX_CODE)
		return;
	keys_down[code] = down;
	if (d)
		d->key(d->opaque, code, down);
}

void input_pointer_rel(int dx, int dy, unsigned int buttons)
{
	struct input_device *d = find_pointer();

	buttons_down = buttons;
	if (d && d->pointer_rel)
		d->pointer_rel(d->opaque, dx, dy, buttons);
}

void input_pointer_abs(int x, int y, unsigned int buttons)
{
	struct input_device *d = find_pointer();

	buttons_down = buttons;
	last_x = MIN(MAX(x, 0), INPUT_ABS_MAX);
	last_y = MIN(MAX(y, 0), INPUT_ABS_MAX);
	if (d && d->pointer_abs)
		d->pointer_abs(d->opaque, last_x, last_y, buttons);
}

void input_release_all(void)
{
	unsigned int code;

	for (code = 0; code < INPUT_MAX_CODE; code++)
		if (keys_down[code])
			input_key(code, false);
	if (!buttons_down)
		return;
	if (input_is_absolute())
		input_pointer_abs(last_x, last_y, 0);
	else
		input_pointer_rel(0, 0, 0);
}

void input_set_leds(unsigned int new_leds)
{
	leds = new_leds;
	if (leds_cb)
		leds_cb(leds_opaque, leds);
}

unsigned int input_leds(void)
{
	return leds;
}

void input_on_leds(void (*cb)(void *opaque, unsigned int leds), void *opaque)
{
	leds_cb = cb;
	leds_opaque = opaque;
}

void input_on_mode(void (*cb)(void *opaque, bool absolute), void *opaque)
{
	mode_cb = cb;
	mode_opaque = opaque;
}
