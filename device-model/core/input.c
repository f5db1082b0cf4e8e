/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routing of keys and pointer events to the guest's newest input device of a kind. See input.h. */
#include "core/input.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "core/timer.h"
#include "core/util.h"

#define KEY_MESSAGE 8u /* a user interface adds at most so many events for one key */
#define ALIVE_NS    (5 * NS_PER_SEC)

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

void input_keyboard_ready(struct input *in)
{
	while (in->count) {
		const struct input_device *d = find_keyboard(in);
		struct input_key_event e = in->queue[in->head];

		if (d && d->key_ready && !d->key_ready(d->opaque))
			return;
		in->head = (in->head + 1) % INPUT_QUEUE;
		in->count--;
		in->taken_ns = clock_host_ns();
		if (d)
			d->key(d->opaque, e.code, e.down);
	}
}

/* Each key that is down has a place for its release. */
static unsigned int room(const struct input *in)
{
	return INPUT_QUEUE - in->count - in->nr_down;
}

static void append(struct input *in, unsigned int code, bool down)
{
	in->queue[(in->head + in->count++) % INPUT_QUEUE] =
		(struct input_key_event){ (uint16_t)code, down };
}

void input_key(struct input *in, unsigned int code, bool down)
{
	bool held;

	if (code >= INPUT_MAX_CODE)
		return;
	held = in->keys_down[code];
	if (down ? (held ? in->count : room(in) < 2) : !held)
		return;
	in->nr_down += (unsigned int)down - (unsigned int)held;
	in->keys_down[code] = down;
	append(in, code, down);
	input_keyboard_ready(in);
}

bool input_keys_wait(const struct input *in)
{
	return room(in) < 2 * KEY_MESSAGE && clock_host_ns() - in->taken_ns < ALIVE_NS;
}

void input_reset(struct input *in)
{
	in->count = 0;
}

/* ---- state ---- */

static size_t queued(const void *obj)
{
	return ((const struct input *)obj)->count;
}

static const struct save_field event_fields[] = {
	SAVE(struct input_key_event, code, .max = INPUT_MAX_CODE - 1),
	SAVE(struct input_key_event, down),
	SAVE_END,
};

const struct save_field input_fields[] = {
	SAVE(struct input, count, .max = INPUT_QUEUE),
	SAVE_PARTS(struct input, queue, event_fields, .present = queued),
	SAVE_ARRAY(struct input, keys_down, .mask = 1),
	SAVE_END,
};

void input_refresh(struct input *in)
{
	struct input_key_event old[INPUT_QUEUE];
	unsigned int i;

	memcpy(old, in->queue, sizeof(old));
	for (i = 0; i < INPUT_QUEUE; i++)
		in->queue[i] = old[(in->head + i) % INPUT_QUEUE];
	in->head = 0;
}

int input_loaded(struct input *in)
{
	unsigned int code;

	in->nr_down = 0;
	for (code = 0; code < INPUT_MAX_CODE; code++) {
		if (!in->keys_down[code])
			continue;
		if (in->count == INPUT_QUEUE)
			return -EINVAL;
		append(in, code, false);
		in->keys_down[code] = 0;
	}
	return 0;
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
