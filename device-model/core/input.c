/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routing of keys and pointer events to the guest's newest input device of a kind. See input.h. */
#include "core/input.h"

#include <stddef.h>

#include "core/util.h"

static struct input_device *find_keyboard(const struct input *in)
{
	struct input_device *d = in->devices;

	while (d && !d->key)
		d = d->next;
	return d;
}

static struct input_device *find_pointer(const struct input *in)
{
	struct input_device *d = in->devices;

	while (d && !d->pointer_rel && !d->pointer_abs)
		d = d->next;
	return d;
}

bool input_is_absolute(const struct input *in)
{
	struct input_device *d = find_pointer(in);

	return d && d->pointer_abs;
}

static void mode_check(struct input *in, bool before)
{
	bool after = input_is_absolute(in);

	if (before != after && in->mode_cb)
		in->mode_cb(in->mode_opaque, after);
}

void input_register(struct input *in, struct input_device *dev)
{
	bool before = input_is_absolute(in);

	dev->next = in->devices;
	in->devices = dev;
	mode_check(in, before);
}

void input_unregister(struct input *in, struct input_device *dev)
{
	struct input_device **p = &in->devices;
	bool before = input_is_absolute(in);

	while (*p && *p != dev)
		p = &(*p)->next;
	if (*p)
		*p = dev->next;
	mode_check(in, before);
}

void input_key(struct input *in, unsigned int code, bool down)
{
	struct input_device *d = find_keyboard(in);

	if (code >= INPUT_MAX_CODE)
		return;
	in->keys_down[code] = down;
	if (d)
		d->key(d->opaque, code, down);
}

void input_pointer_rel(struct input *in, int dx, int dy, unsigned int buttons)
{
	struct input_device *d = find_pointer(in);

	in->buttons_down = buttons;
	if (d && d->pointer_rel)
		d->pointer_rel(d->opaque, dx, dy, buttons);
}

void input_pointer_abs(struct input *in, int x, int y, unsigned int buttons)
{
	struct input_device *d = find_pointer(in);

	in->buttons_down = buttons;
	in->last_x = MIN(MAX(x, 0), INPUT_ABS_MAX);
	in->last_y = MIN(MAX(y, 0), INPUT_ABS_MAX);
	if (d && d->pointer_abs)
		d->pointer_abs(d->opaque, in->last_x, in->last_y, buttons);
}

void input_release_all(struct input *in)
{
	unsigned int code;

	for (code = 0; code < INPUT_MAX_CODE; code++)
		if (in->keys_down[code])
			input_key(in, code, false);
	if (!in->buttons_down)
		return;
	if (input_is_absolute(in))
		input_pointer_abs(in, in->last_x, in->last_y, 0);
	else
		input_pointer_rel(in, 0, 0, 0);
}

void input_set_leds(struct input *in, unsigned int leds)
{
	in->leds = leds;
}

unsigned int input_leds(const struct input *in)
{
	return in->leds;
}

void input_on_mode(struct input *in, void (*cb)(void *opaque, bool absolute), void *opaque)
{
	in->mode_cb = cb;
	in->mode_opaque = opaque;
}
