/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which back ends a process serves. See pv.h. */
#include "pv/pv.h"

#include <stddef.h>

#include "pv/pv_bus.h"

static const struct pv_kind *const kinds_with_picture[] = { &pv_disk_kind, &pv_kbd_kind,
							    &pv_fb_kind, NULL };
static const struct pv_kind *const kinds_without[] = { &pv_disk_kind, &pv_kbd_kind, NULL };

int pv_start(struct pv *pv)
{
	pv->kinds = pv->display ? kinds_with_picture : kinds_without;
	return pv_bus_start(pv);
}

void pv_stop(struct pv *pv)
{
	pv_bus_stop(pv);
}
