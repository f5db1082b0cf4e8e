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

struct block_host;
struct display;
struct input;
struct options;
struct pv_dev;
struct pv_guest;
struct pv_kind;
struct pv_link;

extern const struct pv_kind pv_disk_kind, pv_kbd_kind, pv_fb_kind;

/* The back ends of one domain. */
struct pv {
	unsigned int domid;
	struct block_host *disks;
	struct display *display; /* where a framebuffer is shown; NULL: none is served */
	struct input *input;	 /* of the users */
	struct pv_link *link;	 /* to a device model's process; NULL: there is none */
	/* Their own: */
	struct pv_guest *guest;
	const struct pv_kind *const *kinds;
	struct pv_dev *devices;
	struct pv_dev *shown; /* the framebuffer that has the display */
};

/* Serve the domain from the main loop. 0 or -errno after logging why. One in a process: xenstore has one listener. */
int pv_start(struct pv *pv);
/* Disconnect everything. */
void pv_stop(struct pv *pv);

/*
 * The process beside an HVM guest's device model: fork it, before anything is open and before any thread.
 * Its number or -errno here; there it does not return. The rest is for the device model's process:
 */
pid_t pv_process_start(const struct options *o, struct pv_link **link);
/* Pass input on while a front end takes it; wait until the back ends watch xenstore. 0 or -errno (logged). */
int pv_process_ready(struct pv_link *l, struct input *input);
/* Let it end, with its images closed. */
void pv_process_stop(struct pv_link *l);

/* In the other process: a front end takes input now, or no more. Nothing to tell with -xen-attach. */
void pv_link_announce(struct pv_link *l, bool connected, bool absolute);

#endif
