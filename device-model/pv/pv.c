/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which back ends a process serves. See pv.h. */
#include "pv/pv.h"

#include <stddef.h>

#include "pv/pv_bus.h"

static const struct pv_kind *const kinds_with_picture[] = { &pv_disk_kind, &pv_kbd_kind,
							    &pv_fb_kind, NULL };
static const struct pv_kind *const kinds_without[] = { &pv_disk_kind, &pv_kbd_kind, NULL };

int pv_start(unsigned int domid, struct display *display, struct input *input)
{
	pv_kbd_set_user(display, input);
	pv_fb_set_display(display);
	return pv_bus_start(domid, display ? kinds_with_picture : kinds_without);
}

void pv_stop(void)
{
	pv_bus_stop();
}
