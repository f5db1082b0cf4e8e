/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The USB tablet, mouse and keyboard: queues of what the user did, and the class requests (HID 1.11,
 * 7.2 and appendix F). See usb_hid.h.
 *
 * A device takes the user's input from the moment the guest configures it, and gives it back to the
 * PS/2 devices when it is reset. The tablet goes before the mouse.
 */
#include "hw/usb_hid.h"

#include <errno.h>
#include <string.h>

#include "core/input.h"
#include "core/machine.h"
#include "core/timer.h"
#include "core/util.h"

#define QUEUE		16u
#define KEYS		6u
#define MAX_MOTION	100000 /* accumulated */
#define KEY_ROLLOVER	0x01
#define FIRST_MODIFIER	0xe0
#define IDLE_UNIT_NS	(4 * NS_PER_MS)
#define PROTOCOL_BOOT	0
#define PROTOCOL_REPORT 1
#define BUTTONS_WHEEL	(INPUT_BUTTON_WHEEL_UP | INPUT_BUTTON_WHEEL_DOWN)

enum hid_request {
	HID_GET_REPORT = 1,
	HID_GET_IDLE = 2,
	HID_GET_PROTOCOL = 3,
	HID_SET_REPORT = 9,
	HID_SET_IDLE = 10,
	HID_SET_PROTOCOL = 11,
};

/* A tablet's position or a mouse's motion, or a key. */
struct event {
	int32_t x, y, wheel;
	uint8_t buttons;
	uint8_t usage;
	bool down;
};

struct hid {
	struct machine *m;
	struct usb_device usb;
	struct usb_class class;
	const struct usb_hid_data *data;
	enum usb_hid_kind kind;
	struct input_device input;
	bool active;

	struct event queue[QUEUE];
	uint8_t head, count;
	unsigned int input_buttons; /* as last told */
	struct event now;	    /* what the last report said */
	uint8_t modifiers, keys[KEYS + 1], nr_keys;
	uint8_t protocol, idle, leds;
	uint64_t reported_ns;
};

static struct hid *hid_of(struct usb_device *d)
{
	return d->opaque;
}

static struct event *queue_last(struct hid *h)
{
	return h->count ? &h->queue[(h->head + h->count - 1u) % QUEUE] : NULL;
}

/* A place at the end; the last one again when there is no room. */
static struct event *queue_add(struct hid *h)
{
	struct event *last = queue_last(h), *e;

	if (h->count == QUEUE)
		return last;
	e = &h->queue[(h->head + h->count++) % QUEUE];
	*e = last ? *last : h->now;
	e->wheel = 0;
	if (h->kind == USB_HID_MOUSE)
		e->x = e->y = 0;
	return e;
}

static uint8_t button_bits(unsigned int buttons)
{
	return (uint8_t)((buttons & INPUT_BUTTON_LEFT ? 1 : 0) |
			 (buttons & INPUT_BUTTON_RIGHT ? 2 : 0) |
			 (buttons & INPUT_BUTTON_MIDDLE ? 4 : 0));
}

/* Motion adds up in one event as long as the buttons stay as they are. */
static struct event *pointer_event(struct hid *h, unsigned int buttons)
{
	unsigned int pressed = buttons & ~h->input_buttons;
	uint8_t bits = button_bits(buttons);
	struct event *e = queue_last(h);

	if (!e || e->buttons != bits || pressed & BUTTONS_WHEEL)
		e = queue_add(h);
	e->buttons = bits;
	if (pressed & INPUT_BUTTON_WHEEL_UP)
		e->wheel++;
	if (pressed & INPUT_BUTTON_WHEEL_DOWN)
		e->wheel--;
	h->input_buttons = buttons;
	return e;
}

static void pointer_abs(void *opaque, int x, int y, unsigned int buttons)
{
	struct hid *h = opaque;
	struct event *e = pointer_event(h, buttons);

	e->x = x;
	e->y = y;
	usb_wakeup(&h->usb);
}

static int32_t add(int32_t a, int32_t b)
{
	int32_t sum = a + MIN(MAX(b, -MAX_MOTION), MAX_MOTION);

	return MIN(MAX(sum, -MAX_MOTION), MAX_MOTION);
}

static void pointer_rel(void *opaque, int dx, int dy, unsigned int buttons)
{
	struct hid *h = opaque;
	struct event *e = pointer_event(h, buttons);

	e->x = add(e->x, dx);
	e->y = add(e->y, dy);
	usb_wakeup(&h->usb);
}

/* --- keyboard --- */

static void key_apply(struct hid *h, uint8_t usage, bool down)
{
	uint8_t bit = (uint8_t)(1u << (usage & 7));
	unsigned int i;

	if (usage >= FIRST_MODIFIER) {
		h->modifiers = down ? h->modifiers | bit : h->modifiers & ~bit;
		return;
	}
	for (i = 0; i < h->nr_keys && h->keys[i] != usage; i++)
		;
	if (down && i == h->nr_keys && h->nr_keys < ARRAY_SIZE(h->keys))
		h->keys[h->nr_keys++] = usage;
	else if (!down && i < h->nr_keys)
		memmove(h->keys + i, h->keys + i + 1, --h->nr_keys - i);
}

static void queue_pop(struct hid *h)
{
	h->now = h->queue[h->head];
	h->head = (uint8_t)((h->head + 1u) % QUEUE);
	h->count--;
	if (h->kind == USB_HID_KEYBOARD)
		key_apply(h, h->now.usage, h->now.down);
}

static bool key_ready(void *opaque)
{
	return ((const struct hid *)opaque)->count < QUEUE;
}

static void key(void *opaque, unsigned int code, bool down)
{
	struct hid *h = opaque;
	uint8_t usage = usb_hid_usage(code);
	struct event *e;

	if (!usage)
		return;
	e = queue_add(h);
	e->usage = usage;
	e->down = down;
	/* Where this one takes the place of a key that was reported, in a frame, the guest is awake. */
	if (h->count < QUEUE)
		usb_wakeup(&h->usb);
}

/* --- reports --- */

static int32_t take(int32_t *v, int32_t limit)
{
	int32_t n = MIN(MAX(*v, -limit), limit);

	*v -= n;
	return n;
}

static int tablet_report(struct hid *h, uint8_t *out)
{
	out[0] = h->now.buttons;
	put_le16(out + 1, (uint16_t)h->now.x);
	put_le16(out + 3, (uint16_t)h->now.y);
	out[5] = (uint8_t)take(&h->now.wheel, 127);
	return 6;
}

static int mouse_report(struct hid *h, uint8_t *out)
{
	out[0] = h->now.buttons;
	out[1] = (uint8_t)take(&h->now.x, 127);
	out[2] = (uint8_t)take(&h->now.y, 127);
	out[3] = (uint8_t)take(&h->now.wheel, 127);
	return h->protocol == PROTOCOL_BOOT ? 3 : 4;
}

static int keyboard_report(struct hid *h, uint8_t *out)
{
	memset(out, 0, 8);
	out[0] = h->modifiers;
	if (h->nr_keys > KEYS)
		memset(out + 2, KEY_ROLLOVER, KEYS);
	else
		memcpy(out + 2, h->keys, h->nr_keys);
	return 8;
}

static int build_report(struct hid *h, uint8_t *out)
{
	switch (h->kind) {
	case USB_HID_TABLET:
		return tablet_report(h, out);
	case USB_HID_MOUSE:
		return mouse_report(h, out);
	default:
		return keyboard_report(h, out);
	}
}

/* Motion beyond a report's range is not lost: it stays for the next one. */
static bool motion_left(const struct hid *h)
{
	return h->now.wheel || (h->kind == USB_HID_MOUSE && (h->now.x || h->now.y));
}

/* A full queue has room for a key again then. */
static void next_event(struct hid *h)
{
	queue_pop(h);
	if (h->kind == USB_HID_KEYBOARD)
		input_keyboard_ready(&h->m->input);
}

static int hid_report(struct usb_device *d, uint8_t *out)
{
	struct hid *h = hid_of(d);
	bool idle_over = h->idle && clock_ns() - h->reported_ns >= h->idle * IDLE_UNIT_NS;

	if (!motion_left(h)) {
		if (!h->count && !idle_over)
			return USB_NAK;
		if (h->count)
			next_event(h);
	}
	h->reported_ns = clock_ns();
	return build_report(h, out);
}

/* --- requests --- */

static void set_leds(struct hid *h, uint8_t leds)
{
	/* HID: num, caps, scroll; here: scroll, num, caps. */
	h->leds = leds & 7;
	input_set_leds(&h->m->input, (unsigned int)((leds & 4) >> 2 | (leds & 3) << 1));
}

static int get_descriptor(struct hid *h, const struct usb_setup *s, uint8_t *data)
{
	if (s->value >> 8 == USB_DESC_REPORT) {
		memcpy(data, h->data->report, h->data->report_len);
		return (int)h->data->report_len;
	}
	if (s->value >> 8 != USB_DESC_HID)
		return USB_STALL;
	memcpy(data, h->data->class.config + 18, 9);
	return 9;
}

static int get_request(struct hid *h, const struct usb_setup *s, uint8_t *data)
{
	switch (s->request) {
	case HID_GET_REPORT:
		return build_report(h, data);
	case HID_GET_IDLE:
		data[0] = h->idle;
		return 1;
	case HID_GET_PROTOCOL:
		data[0] = h->protocol;
		return h->kind == USB_HID_TABLET ? USB_STALL : 1;
	default:
		return USB_STALL;
	}
}

static int set_request(struct hid *h, const struct usb_setup *s, const uint8_t *data)
{
	switch (s->request) {
	case HID_SET_REPORT:
		if (h->kind != USB_HID_KEYBOARD)
			return USB_STALL;
		if (s->length)
			set_leds(h, data[0]);
		return 0;
	case HID_SET_IDLE:
		h->idle = s->value >> 8;
		h->reported_ns = clock_ns();
		return 0;
	case HID_SET_PROTOCOL:
		if (h->kind == USB_HID_TABLET)
			return USB_STALL;
		h->protocol = s->value & 1;
		return 0;
	default:
		return USB_STALL;
	}
}

static int hid_control(struct usb_device *d, const struct usb_setup *s, uint8_t *data)
{
	struct hid *h = hid_of(d);

	if (!(s->type & USB_TYPE_KIND))
		return s->request == USB_GET_DESCRIPTOR ? get_descriptor(h, s, data) : USB_STALL;
	if ((s->type & USB_TYPE_RECIPIENT) != USB_TO_INTERFACE)
		return USB_STALL;
	return s->type & USB_TYPE_IN ? get_request(h, s, data) : set_request(h, s, data);
}

static void activate(struct hid *h, bool yes)
{
	struct input *in = &h->m->input;
	struct input_device *tablet = in->devices;

	if (h->active == yes)
		return;
	h->active = yes;
	if (!yes) {
		input_unregister(in, &h->input);
		return;
	}
	input_register(in, &h->input);
	while (tablet && tablet->pointer_abs != pointer_abs)
		tablet = tablet->next;
	if (tablet && h->kind == USB_HID_MOUSE) {
		input_unregister(in, tablet);
		input_register(in, tablet);
	}
}

static bool hid_waits(struct usb_device *d)
{
	return hid_of(d)->count;
}

static void hid_configured(struct usb_device *d, bool yes)
{
	struct hid *h = hid_of(d);

	h->head = h->count = h->nr_keys = h->modifiers = 0;
	h->input_buttons = 0;
	h->now = (struct event){ 0 };
	h->idle = 0;
	h->protocol = PROTOCOL_REPORT;
	activate(h, yes);
}

/* --- state --- */

static void clamp_motion(int32_t *v)
{
	*v = MIN(MAX(*v, -MAX_MOTION), MAX_MOTION);
}

static void event_clamp(struct event *e)
{
	clamp_motion(&e->x);
	clamp_motion(&e->y);
	clamp_motion(&e->wheel);
}

/* The queue is saved from its head on. */
static void hid_refresh(void *obj)
{
	struct hid *h = obj;
	struct event queue[QUEUE];
	unsigned int i;

	for (i = 0; i < QUEUE; i++)
		queue[i] = h->queue[(h->head + i) % QUEUE];
	memcpy(h->queue, queue, sizeof(queue));
	h->head = 0;
}

static int hid_loaded(void *obj, uint32_t version)
{
	struct hid *h = obj;
	unsigned int i;

	if (h->usb.data_pos > h->usb.data_len)
		return -EINVAL;
	activate(h, h->usb.configuration);
	for (i = 0; i < h->count; i++)
		event_clamp(&h->queue[i]);
	event_clamp(&h->now);
	h->input_buttons = 0;
	h->reported_ns = clock_ns();
	if (h->active && h->kind == USB_HID_KEYBOARD)
		set_leds(h, h->leds);
	return 0;
}

static size_t hid_queued(const void *obj)
{
	return ((const struct hid *)obj)->count;
}

static const struct save_field event_fields[] = {
	SAVE(struct event, x),
	SAVE(struct event, y),
	SAVE(struct event, wheel),
	SAVE(struct event, buttons, .mask = 7),
	SAVE(struct event, usage),
	SAVE(struct event, down),
	SAVE_END,
};

static const struct save_field hid_fields[] = {
	SAVE_PART(struct hid, usb, usb_fields),
	SAVE(struct hid, count, .max = QUEUE),
	SAVE_PARTS(struct hid, queue, event_fields, .present = hid_queued),
	SAVE_PART(struct hid, now, event_fields),
	SAVE(struct hid, modifiers),
	SAVE_ARRAY(struct hid, keys),
	SAVE(struct hid, nr_keys, .max = KEYS + 1),
	SAVE(struct hid, protocol, .mask = 1),
	SAVE(struct hid, idle),
	SAVE(struct hid, leds, .mask = 7),
	SAVE_END,
};

static const struct save_ops hid_save_ops = { "usb-hid", 1, hid_fields, hid_refresh, hid_loaded };

struct usb_device *usb_hid_create(struct machine *m, enum usb_hid_kind kind)
{
	struct hid *h = xzalloc(sizeof(*h));

	h->m = m;
	h->kind = kind;
	h->data = &usb_hid_data[kind];
	h->class = h->data->class;
	h->class.control = hid_control;
	h->class.report = hid_report;
	h->class.waits = hid_waits;
	h->class.configured = hid_configured;
	h->usb.class = &h->class;
	h->usb.opaque = h;
	h->input.name = h->data->name;
	h->input.opaque = h;
	h->input.pointer_abs = kind == USB_HID_TABLET ? pointer_abs : NULL;
	h->input.pointer_rel = kind == USB_HID_MOUSE ? pointer_rel : NULL;
	h->input.key = kind == USB_HID_KEYBOARD ? key : NULL;
	h->input.key_ready = key_ready;
	save_register(m, &hid_save_ops, kind, h);
	return &h->usb;
}
