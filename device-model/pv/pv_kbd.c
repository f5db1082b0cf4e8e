/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Paravirtual keyboards and pointers ("vkbd"): an input device like others while a front end is connected.
 * In the process beside an HVM guest's device model what users type comes over the link (pv_link.c).
 */
#include <errno.h>
#include <stdlib.h>

#include "core/display.h"
#include "core/input.h"
#include "core/util.h"
#include "pv/kbdif.h"
#include "pv/pv.h"
#include "pv/pv_bus.h"
#include "pv/pv_guest.h"

struct pv_kbd {
	struct kbdif kbd;
	struct input_device input;
	bool registered, granted;
	void *page;
	const struct display *picture; /* of ours: positions are its pixels */
};

static void kbd_notify(void *opaque)
{
	struct pv_dev *d = opaque;

	pv_guest_notify(d->pv->guest, d->port);
}

static bool on_key_ready(void *opaque)
{
	return kbdif_ready(&((const struct pv_kbd *)opaque)->kbd);
}

static void on_key(void *opaque, unsigned int code, bool down)
{
	struct pv_kbd *s = opaque;

	kbdif_key(&s->kbd, code, down);
}

static void on_relative(void *opaque, int dx, int dy, unsigned int buttons)
{
	struct pv_kbd *s = opaque;

	kbdif_relative(&s->kbd, dx, dy, buttons);
}

static void on_absolute(void *opaque, int x, int y, unsigned int buttons)
{
	struct pv_kbd *s = opaque;

	if (s->picture) {
		s->kbd.width = s->picture->width;
		s->kbd.height = s->picture->height;
	}
	kbdif_absolute(&s->kbd, x, y, buttons);
}

static void kbd_event(struct pv_dev *d)
{
	struct pv_kbd *s = d->priv;

	kbdif_poll(&s->kbd);
	input_keyboard_ready(d->pv->input);
}

static bool kbd_begin(struct pv_dev *d)
{
	struct pv_kbd *s = xzalloc(sizeof(*s));

	s->picture = d->pv->display;
	d->priv = s;
	return true;
}

static void kbd_end(struct pv_dev *d)
{
	free(d->priv);
	d->priv = NULL;
}

static void size_offer(struct pv_dev *d, const char *key)
{
	if (xenbus_read_number(d->back, key, INT32_MAX, 0) == 0)
		xenbus_write(d->back, key, "%d", INPUT_ABS_MAX + 1);
}

static int kbd_offer(struct pv_dev *d)
{
	xenbus_write(d->back, "feature-abs-pointer", "1");
	xenbus_write(d->back, "feature-raw-pointer", "1");
	/* Without a picture beside it the range of positions is ours to choose. */
	if (!d->pv->display) {
		size_offer(d, "width");
		size_offer(d, "height");
	}
	return 0;
}

static int page_map(struct pv_dev *d)
{
	struct pv_kbd *s = d->priv;
	uint32_t ref = xenbus_read_number(d->front, "page-gref", PV_NO_NUMBER - 1, PV_NO_NUMBER);
	uint64_t gfn = xenbus_read_number(d->front, "page-ref", PV_NO_NUMBER - 1, PV_NO_NUMBER);

	s->granted = ref != PV_NO_NUMBER;
	if (s->granted)
		s->page = pv_guest_map_grants(d->pv->guest, &ref, 1);
	else if (gfn != PV_NO_NUMBER)
		s->page = pv_guest_map_pages(d->pv->guest, &gfn, 1, true);
	else
		return -EINVAL;
	return s->page ? 0 : -errno;
}

static int kbd_connect(struct pv_dev *d)
{
	struct pv_kbd *s = d->priv;
	bool absolute = xenbus_read_number(d->front, "request-abs-pointer", 1, 0);
	bool raw = xenbus_read_number(d->front, "request-raw-pointer", 1, 0);
	int rc = page_map(d);

	if (!rc)
		rc = pv_bus_bind(d);
	if (rc)
		return rc;
	kbdif_init(&s->kbd, s->page, absolute, raw, kbd_notify, d);
	if (!s->picture) {
		s->kbd.width = (int32_t)xenbus_read_number(d->back, "width", INT32_MAX, 1);
		s->kbd.height = (int32_t)xenbus_read_number(d->back, "height", INT32_MAX, 1);
	}
	s->input = (struct input_device){
		.name = "xenkbd",
		.opaque = s,
		.key = on_key,
		.key_ready = on_key_ready,
		.pointer_rel = absolute ? NULL : on_relative,
		.pointer_abs = absolute ? on_absolute : NULL,
	};
	input_register(d->pv->input, &s->input);
	s->registered = true;
	pv_link_announce(d->pv->link, true, absolute);
	return 0;
}

static void kbd_disconnect(struct pv_dev *d)
{
	struct pv_kbd *s = d->priv;

	if (s->registered) {
		input_unregister(d->pv->input, &s->input);
		pv_link_announce(d->pv->link, false, false);
	}
	s->registered = false;
	if (s->page && s->granted)
		pv_guest_unmap_grants(d->pv->guest, s->page, 1);
	else if (s->page)
		pv_guest_unmap_pages(d->pv->guest, s->page, 1);
	s->page = NULL;
}

const struct pv_kind pv_kbd_kind = {
	.name = "vkbd",
	.what = "keyboard",
	.begin = kbd_begin,
	.offer = kbd_offer,
	.connect = kbd_connect,
	.event = kbd_event,
	.disconnect = kbd_disconnect,
	.end = kbd_end,
};
