/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Back ends in xenstore: for every kind a folder, backend/KIND/DOMID, in it the devices that the
 * toolstack wants, and the dance of states with their front ends (xen/io/xenbus.h). A kind says what it
 * offers and how it connects; everything here runs in the main loop.
 */
#ifndef DM_PV_PV_BUS_H
#define DM_PV_PV_BUS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/loop.h"
#include "core/timer.h"
#include "pv/xenbus.h"

#define PV_NO_NUMBER UINT32_MAX

struct pv;
struct pv_kind;

struct pv_dev {
	struct pv *pv;
	const struct pv_kind *kind;
	char *name;	    /* in its folder: "0", "51712" */
	char *back, *front; /* paths; what is below front is the guest's */
	char *front_state;
	enum xenbus_state state; /* ours */
	bool seen, connected;
	uint32_t front_was; /* the front end's state when it was last looked at */
	uint32_t port;	    /* our event channel, 0: none */
	struct loop_call disconnect;
	struct dm_timer again; /* connect() once more */
	unsigned int tries;    /* so often that it was busy */
	void *priv;	       /* the kind's */
	struct pv_dev *next;
};

struct pv_kind {
	const char *name; /* of the folder */
	const char *what; /* in messages */
	/* Read the toolstack's keys. False: not (yet) complete; asked again when something changes. */
	bool (*begin)(struct pv_dev *d);
	/* Write what a front end wants to know before it connects. An error closes the device. */
	int (*offer)(struct pv_dev *d);
	/*
	 * The front end has written its keys. disconnect follows in any case, also after an error. -EBUSY: what is needed
	 * may be free soon, and it is tried again.
	 */
	int (*connect)(struct pv_dev *d);
	void (*event)(struct pv_dev *d);
	void (*disconnect)(struct pv_dev *d);
	void (*end)(struct pv_dev *d);
	/* Optional: not connected, and something in xenstore changed. True: it has to be offered anew. */
	bool (*stale)(struct pv_dev *d);
};

/* kinds[] ends with NULL. Finds what is there already before it returns. 0 or -errno (logged). */
int pv_bus_start(struct pv *pv);
void pv_bus_stop(struct pv *pv);
/* For connect: bind the event channel that the front end names. 0 or -errno. */
int pv_bus_bind(struct pv_dev *d);
/* The front end broke the rules of its ring: it is disconnected, soon, not from within this call. */
void pv_bus_broken(struct pv_dev *d, const char *why);

#endif
