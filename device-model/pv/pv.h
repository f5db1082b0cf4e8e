/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Paravirtual back ends of one domain, found in xenstore: disks ("qdisk"), keyboard and pointer ("vkbd"),
 * framebuffer ("vfb"). They need grants and xenstore, so they live in a process that does not emulate
 * devices: one that libxl starts with -xen-attach for a PVH guest, or one that an HVM guest's device
 * model starts beside itself before it confines itself (pv_process.c).
 */
#ifndef DM_PV_PV_H
#define DM_PV_PV_H

#include <stdbool.h>
#include <sys/types.h>

struct display;
struct input;
struct machine;
struct options;
struct pv_kind;

extern const struct pv_kind pv_disk_kind, pv_kbd_kind, pv_fb_kind;

/*
 * Serve the domain from the main loop. display: where a framebuffer is shown, NULL: none is served. 0 or
 * -errno after logging why.
 */
int pv_start(unsigned int domid, struct display *display, struct input *input);
/* Disconnect everything. */
void pv_stop(void);
void pv_kbd_set_user(struct display *d, struct input *in);
void pv_fb_set_display(struct display *d);

/*
 * The process beside an HVM guest's device model: fork it, before anything is open and before any thread.
 * Its number or -errno here; there it does not return. The rest is for the device model's process:
 */
pid_t pv_process_start(const struct options *o);
/* Pass input on while a front end takes it; wait until the back ends watch xenstore. 0 or -errno (logged). */
int pv_process_ready(struct input *input);
/* Let it end, with its images closed. */
void pv_process_stop(void);

/* In the other process: a front end takes input now, or no more. Nothing to tell with -xen-attach. */
void pv_link_announce(bool connected, bool absolute);

#endif
