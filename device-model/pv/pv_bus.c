/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices in xenstore and their states, the same for every kind of back end. See pv_bus.h. */
#include "pv/pv_bus.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/util.h"
#include "pv/pv.h"
#include "pv/pv_guest.h"

/*
 * A guest that was migrated connects to its new back ends before those that it left are gone, which have its images
 * for so long.
 */
#define BUSY_TRIES 10u
#define BUSY_NS	   500000000ull

static void state_set(struct pv_dev *d, enum xenbus_state state)
{
	d->state = state;
	xenbus_write(d->back, "state", "%d", state);
}

static void dev_disconnect(struct pv_dev *d)
{
	loop_cancel(&d->disconnect);
	dm_timer_cancel(&d->again);
	if (d->connected)
		d->kind->disconnect(d);
	d->connected = false;
	if (d->port)
		pv_guest_unbind(d->pv->guest, d->port);
	d->port = 0;
}

static void disconnect_broken(void *opaque)
{
	struct pv_dev *d = opaque;

	dev_disconnect(d);
	state_set(d, XENBUS_CLOSING);
}

void pv_bus_broken(struct pv_dev *d, const char *why)
{
	log_guest("%s %s of domain %u is disconnected: %s", d->kind->what, d->name, d->pv->domid,
		  why);
	loop_defer(&d->disconnect);
}

int pv_bus_bind(struct pv_dev *d)
{
	uint32_t port =
		xenbus_read_number(d->front, "event-channel", PV_NO_NUMBER - 1, PV_NO_NUMBER);
	int rc = port == PV_NO_NUMBER ? -EINVAL : pv_guest_bind(d->pv->guest, port);

	if (rc < 0)
		return rc;
	d->port = (uint32_t)rc;
	return 0;
}

static void event(void *opaque, uint32_t port)
{
	const struct pv *pv = opaque;
	struct pv_dev *d;

	for (d = pv->devices; d; d = d->next)
		if (d->connected && d->port == port)
			d->kind->event(d);
}

static void dev_offer(struct pv_dev *d)
{
	state_set(d, d->kind->offer(d) ? XENBUS_CLOSED : XENBUS_INIT_WAIT);
}

static void dev_free(struct pv_dev *d)
{
	dev_disconnect(d);
	if (d->front_state)
		xenbus_unwatch(d->front_state);
	d->kind->end(d);
	free(d->name);
	free(d->back);
	free(d->front);
	free(d->front_state);
	free(d);
}

static void connect_again(void *opaque);

static struct pv_dev *dev_new(struct pv *pv, const struct pv_kind *kind, const char *folder,
			      const char *name)
{
	struct pv_dev *d = xzalloc(sizeof(*d));

	d->pv = pv;
	d->kind = kind;
	d->name = xstrdup(name);
	d->back = xasprintf("%s/%s", folder, name);
	loop_call_init(&d->disconnect, disconnect_broken, d);
	dm_timer_init(&d->again, DM_CLOCK_HOST, connect_again, d);
	d->front = xenbus_read(d->back, "frontend");
	/* Written by the toolstack in one transaction with the rest. */
	if (!d->front || !kind->begin(d)) {
		dev_free(d);
		return NULL;
	}
	d->front_state = xasprintf("%s/state", d->front);
	d->front_was = xenbus_read_number(d->front, "state", XENBUS_CLOSED, XENBUS_UNKNOWN);
	xenbus_watch(d->front_state);
	d->next = pv->devices;
	pv->devices = d;
	dev_offer(d);
	return d;
}

static void dev_close(struct pv_dev *d, enum xenbus_state state)
{
	dev_disconnect(d);
	if (d->state != state)
		state_set(d, state);
}

static void dev_connect(struct pv_dev *d)
{
	int rc;

	d->connected = true;
	rc = d->kind->connect(d);
	if (rc == -EBUSY && d->tries++ < BUSY_TRIES) {
		dev_disconnect(d);
		dm_timer_set_ns(&d->again, clock_host_ns() + BUSY_NS);
		return;
	}
	d->tries = 0;
	if (!rc) {
		state_set(d, XENBUS_CONNECTED);
		d->kind->event(d); /* what came before the event channel was bound */
		return;
	}
	log_guest("%s %s of domain %u does not connect: %s", d->kind->what, d->name, d->pv->domid,
		  strerror(-rc)); /* as often as the guest likes */
	dev_close(d, XENBUS_CLOSING);
}

/* Where the two sides stand decides what comes next. */
static void dev_step(struct pv_dev *d)
{
	uint32_t front = xenbus_read_number(d->front, "state", XENBUS_CLOSED, XENBUS_UNKNOWN);
	uint32_t shown = xenbus_read_number(d->back, "state", XENBUS_CLOSED, XENBUS_UNKNOWN);
	bool online = xenbus_read_number(d->back, "online", 1, 0), moved = front != d->front_was;

	d->front_was = front;
	/* The toolstack takes the device away: when the guest is done with it, or never had it. */
	if (shown == XENBUS_CLOSING && d->state != XENBUS_CLOSING) {
		if (!d->connected || front >= XENBUS_CLOSING || front == XENBUS_UNKNOWN) {
			dev_disconnect(d);
			state_set(d, XENBUS_CLOSED);
		}
		return;
	}
	if (!d->connected && d->state == XENBUS_INIT_WAIT && d->kind->stale && d->kind->stale(d))
		dev_offer(d);
	if (front == XENBUS_CLOSING && d->state < XENBUS_CLOSING) {
		dev_close(d, XENBUS_CLOSING);
	} else if ((front == XENBUS_CLOSED || front == XENBUS_UNKNOWN) &&
		   d->state != XENBUS_CLOSED && (d->state != XENBUS_INIT_WAIT || !online)) {
		dev_close(d, XENBUS_CLOSED);
	} else if (front == XENBUS_INITIALISING && moved && d->state >= XENBUS_CLOSING && online) {
		dev_offer(d); /* once: our own writes bring us here, too */
	} else if ((front == XENBUS_INITIALISED || front == XENBUS_CONNECTED) &&
		   d->state == XENBUS_INIT_WAIT && !d->again.armed) {
		dev_connect(d);
	}
}

static void connect_again(void *opaque)
{
	dev_step(opaque);
}

static struct pv_dev *dev_find(const struct pv *pv, const struct pv_kind *kind, const char *name)
{
	struct pv_dev *d = pv->devices;

	while (d && (d->kind != kind || strcmp(d->name, name)))
		d = d->next;
	return d;
}

static void look_for(struct pv *pv, const struct pv_kind *kind)
{
	char *folder = xasprintf("backend/%s/%u", kind->name, pv->domid);
	unsigned int n = 0, i;
	char **names = xenbus_list(folder, &n);
	struct pv_dev *d;

	for (i = 0; names && i < n; i++) {
		d = dev_find(pv, kind, names[i]);
		if (!d)
			d = dev_new(pv, kind, folder, names[i]);
		if (d)
			d->seen = true;
	}
	free(names);
	free(folder);
}

/* Something changed in xenstore: there are few devices, so all are looked at. */
static void changed(void *opaque)
{
	struct pv *pv = opaque;
	const struct pv_kind *const *k;
	struct pv_dev *d, **p;

	for (d = pv->devices; d; d = d->next)
		d->seen = false;
	for (k = pv->kinds; *k; k++)
		look_for(pv, *k);
	for (p = &pv->devices; (d = *p);) {
		if (d->seen) {
			dev_step(d);
			p = &d->next;
			continue;
		}
		*p = d->next;
		dev_free(d);
	}
}

/* Watch the kind's folder, and say that there is somebody to serve it (libxl looks). */
static int announce(const struct pv *pv, const struct pv_kind *kind)
{
	char *folder = xasprintf("backend/%s/%u", kind->name, pv->domid);
	char *backends = xasprintf("device-model/%u/backends", pv->domid);
	int rc = xenbus_watch(folder) ? 0 : -errno;

	xenbus_write(backends, kind->name, "%s", "");
	free(folder);
	free(backends);
	return rc;
}

int pv_bus_start(struct pv *pv)
{
	const struct pv_kind *const *k;
	int rc;

	pv->guest = pv_guest_open(pv->domid, event, pv);
	if (!pv->guest)
		return -ENODEV;
	rc = xenbus_open(changed, pv);
	for (k = pv->kinds; !rc && *k; k++)
		rc = announce(pv, *k);
	if (rc)
		log_error("back ends: xenstore: %s", strerror(-rc));
	else
		changed(pv);
	return rc;
}

void pv_bus_stop(struct pv *pv)
{
	while (pv->devices) {
		struct pv_dev *d = pv->devices;

		pv->devices = d->next;
		dev_free(d);
	}
	xenbus_close();
}
