/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The back ends "qdisk" of a domain: xenstore's states (xen/io/blkif.h), ring, event channel, image. The
 * image is opened for use only when the front end connects, because until then the emulated disk of the
 * same guest may have it. See pv.h.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <xen/grant_table.h>
#include <xenevtchn.h>
#include <xengnttab.h>

#include "core/log.h"
#include "core/loop.h"
#include "core/util.h"
#include "pv/blkif.h"
#include "pv/pv.h"
#include "pv/xenbus.h"

#define NO_NUMBER      UINT32_MAX
#define MAX_RING_PAGES (1u << BLKIF_MAX_RING_ORDER)
#define INFO_CDROM     1
#define INFO_REMOVABLE 2
#define INFO_READ_ONLY 4
#define COPY_BATCH     64

struct pv_disk {
	char *name; /* virtual device number */
	char *back, *front, *front_state;
	char *file, *format;
	bool read_only, discard, seen;
	enum xenbus_state state;
	struct block *blk;
	struct blkif *ring;
	void *ring_pages;
	unsigned int nr_ring_pages;
	evtchn_port_t port;
	struct loop_call disconnect;
	struct pv_disk *next;
};

static unsigned int domid;
static char *folder;
static xengnttab_handle *gnttab;
static xenevtchn_handle *evtchn;
static struct pv_disk *disks;

static void state_set(struct pv_disk *d, enum xenbus_state state)
{
	d->state = state;
	xenbus_write(d->back, "state", "%d", state);
}

/* --- the ring's surroundings --- */

static int copy_batch(const struct blkif_piece *p, unsigned int n, bool to_guest)
{
	xengnttab_grant_copy_segment_t segs[COPY_BATCH];
	unsigned int i;

	memset(segs, 0, sizeof(segs));
	for (i = 0; i < n; i++) {
		union xengnttab_copy_ptr guest = { .foreign = {
							   .ref = p[i].ref,
							   .offset = p[i].offset,
							   .domid = (uint16_t)domid,
						   } };
		union xengnttab_copy_ptr own = { .virt = p[i].data };

		segs[i].source = to_guest ? own : guest;
		segs[i].dest = to_guest ? guest : own;
		segs[i].len = p[i].len;
		segs[i].flags = to_guest ? GNTCOPY_dest_gref : GNTCOPY_source_gref;
	}
	if (xengnttab_grant_copy(gnttab, n, segs))
		return -errno;
	for (i = 0; i < n; i++)
		if (segs[i].status != GNTST_okay)
			return -EFAULT;
	return 0;
}

static int ring_copy(void *opaque, const struct blkif_piece *p, unsigned int n, bool to_guest)
{
	int rc = 0;

	while (n && !rc) {
		unsigned int now = MIN(n, COPY_BATCH);

		rc = copy_batch(p, now, to_guest);
		p += now;
		n -= now;
	}
	return rc;
}

static void ring_notify(void *opaque)
{
	struct pv_disk *d = opaque;

	xenevtchn_notify(evtchn, d->port);
}

static void disk_disconnect(struct pv_disk *d);

static void disconnect_broken(void *opaque)
{
	struct pv_disk *d = opaque;

	disk_disconnect(d);
	state_set(d, XENBUS_CLOSING);
}

/* Called from within the ring's code: it ends later. */
static void ring_broken(void *opaque, const char *why)
{
	struct pv_disk *d = opaque;

	log_guest("disk %s of domain %u is disconnected: %s", d->name, domid, why);
	loop_defer(&d->disconnect);
}

static const struct blkif_ops ring_ops = { ring_copy, ring_notify, ring_broken };

static void event(void *opaque, uint32_t events)
{
	xenevtchn_port_or_error_t port = xenevtchn_pending(evtchn);
	struct pv_disk *d;

	if (port < 0)
		return;
	xenevtchn_unmask(evtchn, (evtchn_port_t)port);
	for (d = disks; d; d = d->next)
		if (d->ring && d->port == (evtchn_port_t)port)
			blkif_poll(d->ring);
}

/* --- a disk's life --- */

/* "aio:FILE", "qcow2:FILE" */
static bool params_parse(struct pv_disk *d)
{
	char *params = xenbus_read(d->back, "params"), *colon = params ? strchr(params, ':') : NULL;
	bool ok = colon && colon[1];

	if (ok) {
		*colon = 0;
		d->format = xstrdup(!strcmp(params, "aio") ? "raw" : params);
		d->file = xstrdup(colon + 1);
	}
	free(params);
	return ok;
}

static struct block *image_open(const struct pv_disk *d, bool probe)
{
	struct block_params p = {
		.id = d->name,
		.file = d->file,
		.format = d->format,
		.read_only = d->read_only || probe,
		.unlocked = probe,
		.discard = d->discard,
		.fd = -1,
	};

	return block_open(&p);
}

/* What the front end wants to know before it connects. */
static void disk_offer(struct pv_disk *d)
{
	char *type = xenbus_read(d->back, "device-type");
	bool cdrom = type && !strcmp(type, "cdrom");
	struct block *blk = image_open(d, true);

	free(type);
	if (!blk) {
		state_set(d, XENBUS_CLOSED);
		return;
	}
	xenbus_write(d->back, "feature-flush-cache", "1");
	xenbus_write(d->back, "feature-max-indirect-segments", "%u", BLKIF_MAX_INDIRECT);
	xenbus_write(d->back, "max-ring-page-order", "%u", BLKIF_MAX_RING_ORDER);
	if (d->discard) {
		xenbus_write(d->back, "feature-discard", "1");
		xenbus_write(d->back, "discard-granularity", "%u", BLKIF_SECTOR);
		xenbus_write(d->back, "discard-alignment", "0");
	}
	xenbus_write(d->back, "info", "%d",
		     (cdrom ? INFO_CDROM | INFO_REMOVABLE : 0) |
			     (d->read_only ? INFO_READ_ONLY : 0));
	xenbus_write(d->back, "sector-size", "%u", BLKIF_SECTOR);
	xenbus_write(d->back, "sectors", "%llu",
		     (unsigned long long)(block_size(blk) / BLKIF_SECTOR));
	block_close(blk);
	state_set(d, XENBUS_INIT_WAIT);
}

static int ring_map(struct pv_disk *d)
{
	uint32_t order = xenbus_read_number(d->front, "ring-page-order", BLKIF_MAX_RING_ORDER, 0);
	uint32_t refs[MAX_RING_PAGES], i;
	char key[24];

	d->nr_ring_pages = 1u << order;
	refs[0] = xenbus_read_number(d->front, "ring-ref", NO_NUMBER - 1, NO_NUMBER);
	for (i = 0; i < d->nr_ring_pages && (order || refs[0] == NO_NUMBER); i++) {
		snprintf(key, sizeof(key), "ring-ref%u", i);
		refs[i] = xenbus_read_number(d->front, key, NO_NUMBER - 1, NO_NUMBER);
		if (refs[i] == NO_NUMBER)
			return -EINVAL;
	}
	d->ring_pages = xengnttab_map_domain_grant_refs(gnttab, d->nr_ring_pages, domid, refs,
							PROT_READ | PROT_WRITE);
	return d->ring_pages ? 0 : -errno;
}

static int disk_connect(struct pv_disk *d)
{
	uint32_t port = xenbus_read_number(d->front, "event-channel", NO_NUMBER - 1, NO_NUMBER);
	char *protocol = xenbus_read(d->front, "protocol");
	bool is_32 = protocol && !strcmp(protocol, "x86_32-abi");
	xenevtchn_port_or_error_t local;
	int rc = port == NO_NUMBER ? -EINVAL : 0;

	free(protocol);
	if (!rc)
		rc = ring_map(d);
	if (rc)
		return rc;
	local = xenevtchn_bind_interdomain(evtchn, domid, port);
	if (local < 0)
		return -errno;
	d->port = (evtchn_port_t)local;
	d->blk = image_open(d, false);
	if (!d->blk)
		return -EIO;
	d->ring = blkif_new(d->ring_pages, (size_t)d->nr_ring_pages * BLKIF_PAGE,
			    is_32 ? BLKIF_LAYOUT_32 : BLKIF_LAYOUT_64, d->blk, &ring_ops, d);
	state_set(d, XENBUS_CONNECTED);
	blkif_poll(d->ring);
	return 0;
}

static void disk_disconnect(struct pv_disk *d)
{
	loop_cancel(&d->disconnect);
	blkif_free(d->ring);
	d->ring = NULL;
	block_close(d->blk);
	d->blk = NULL;
	if (d->port)
		xenevtchn_unbind(evtchn, d->port);
	d->port = 0;
	if (d->ring_pages)
		xengnttab_unmap(gnttab, d->ring_pages, d->nr_ring_pages);
	d->ring_pages = NULL;
}

static void disk_free(struct pv_disk *d)
{
	disk_disconnect(d);
	if (d->front_state)
		xenbus_unwatch(d->front_state);
	free(d->name);
	free(d->back);
	free(d->front);
	free(d->front_state);
	free(d->file);
	free(d->format);
	free(d);
}

static struct pv_disk *disk_new(const char *name)
{
	struct pv_disk *d = xzalloc(sizeof(*d));
	char *mode;

	d->name = xstrdup(name);
	d->back = xasprintf("%s/%s", folder, name);
	loop_call_init(&d->disconnect, disconnect_broken, d);
	d->front = xenbus_read(d->back, "frontend");
	mode = xenbus_read(d->back, "mode");
	d->read_only = !mode || *mode != 'w';
	d->discard = !d->read_only && xenbus_read_number(d->back, "discard-enable", 1, 0);
	free(mode);
	/* Written by the toolstack in one transaction with the rest; an empty CD drive has no file. */
	if (!d->front || !params_parse(d)) {
		disk_free(d);
		return NULL;
	}
	d->front_state = xasprintf("%s/state", d->front);
	xenbus_watch(d->front_state);
	d->next = disks;
	disks = d;
	disk_offer(d);
	return d;
}

static void disk_close(struct pv_disk *d, enum xenbus_state state)
{
	disk_disconnect(d);
	if (d->state != state)
		state_set(d, state);
}

/* Where the two sides stand decides what comes next. */
static void disk_step(struct pv_disk *d)
{
	uint32_t front = xenbus_read_number(d->front, "state", XENBUS_CLOSED, XENBUS_UNKNOWN);
	uint32_t shown = xenbus_read_number(d->back, "state", XENBUS_CLOSED, XENBUS_UNKNOWN);
	bool online = xenbus_read_number(d->back, "online", 1, 0);
	int rc;

	/* The toolstack takes the disk away: when the guest is done with it, or never had it. */
	if (shown == XENBUS_CLOSING && d->state != XENBUS_CLOSING && d->state != XENBUS_CLOSED) {
		if (!d->ring)
			disk_close(d, XENBUS_CLOSED);
		return;
	}
	if (front == XENBUS_CLOSING && d->state < XENBUS_CLOSING) {
		disk_close(d, XENBUS_CLOSING);
	} else if ((front == XENBUS_CLOSED || front == XENBUS_UNKNOWN) &&
		   d->state != XENBUS_CLOSED && (d->state != XENBUS_INIT_WAIT || !online)) {
		disk_close(d, XENBUS_CLOSED);
	} else if (front == XENBUS_INITIALISING && d->state >= XENBUS_CLOSING && online) {
		disk_offer(d);
	} else if ((front == XENBUS_INITIALISED || front == XENBUS_CONNECTED) &&
		   d->state == XENBUS_INIT_WAIT) {
		rc = disk_connect(d);
		if (!rc)
			return;
		log_error("disk %s of domain %u does not connect: %s", d->name, domid,
			  strerror(-rc));
		disk_close(d, XENBUS_CLOSING);
	}
}

static struct pv_disk *disk_find(const char *name)
{
	struct pv_disk *d = disks;

	while (d && strcmp(d->name, name))
		d = d->next;
	return d;
}

/* Something changed in xenstore: there are few disks, so all are looked at. */
static void changed(void)
{
	unsigned int n = 0, i;
	char **names = xenbus_list(folder, &n);
	struct pv_disk *d, **p;

	for (d = disks; d; d = d->next)
		d->seen = false;
	for (i = 0; names && i < n; i++) {
		d = disk_find(names[i]);
		if (!d)
			d = disk_new(names[i]);
		if (d)
			d->seen = true;
	}
	free(names);
	for (p = &disks; (d = *p);) {
		if (d->seen) {
			disk_step(d);
			p = &d->next;
			continue;
		}
		*p = d->next;
		disk_free(d);
	}
}

int pv_start(unsigned int dom)
{
	int rc;

	domid = dom;
	folder = xasprintf("backend/qdisk/%u", dom);
	gnttab = xengnttab_open(NULL, 0);
	evtchn = xenevtchn_open(NULL, 0);
	if (!gnttab || !evtchn) {
		log_error("back ends: no access to grants or event channels: %s", strerror(errno));
		return -ENODEV;
	}
	rc = xenbus_open(changed);
	if (!rc)
		rc = loop_add_fd(xenevtchn_fd(evtchn), EPOLLIN, event, NULL);
	/* The watch reports once at the start: disks that are there already are found by it. */
	if (!rc && !xenbus_watch(folder))
		rc = -errno;
	if (rc)
		log_error("back ends: xenstore: %s", strerror(-rc));
	return rc;
}

void pv_stop(void)
{
	while (disks) {
		struct pv_disk *d = disks;

		disks = d->next;
		disk_free(d);
	}
	xenbus_close();
}
