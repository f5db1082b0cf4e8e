/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disks of the kind "qdisk": an image behind a block ring (xen/io/blkif.h). The image is open for as long
 * as a front end is connected, no longer: an HVM guest's emulated twin has it before that, and its lock
 * says so. A CD in an emulated drive may change meanwhile.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/util.h"
#include "pv/blkif.h"
#include "pv/pv.h"
#include "pv/pv_bus.h"
#include "pv/pv_guest.h"

#define MAX_RING_PAGES (1u << BLKIF_MAX_RING_ORDER)
#define MAX_FAILURES   60u
#define INFO_CDROM     1
#define INFO_REMOVABLE 2
#define INFO_READ_ONLY 4

struct pv_disk {
	char *params; /* as in xenstore: "aio:FILE", "qcow2:FILE" */
	char *file, *format;
	bool read_only, discard;
	unsigned int failures; /* to open it, in a row */
	struct block *blk;
	struct blkif *ring;
	void *ring_pages;
	unsigned int nr_ring_pages;
};

/* --- the ring's surroundings --- */

static int ring_copy(void *opaque, const struct grant_piece *p, unsigned int n, bool to_guest)
{
	const struct pv_dev *d = opaque;

	return pv_guest_copy(d->pv->guest, p, n, to_guest);
}

static void ring_notify(void *opaque)
{
	struct pv_dev *d = opaque;

	pv_guest_notify(d->pv->guest, d->port);
}

static void ring_broken(void *opaque, const char *why)
{
	pv_bus_broken(opaque, why);
}

static const struct blkif_ops ring_ops = { ring_copy, ring_notify, ring_broken };

static void disk_event(struct pv_dev *d)
{
	struct pv_disk *s = d->priv;

	blkif_poll(s->ring);
}

/* --- a disk's life --- */

/* False: no file is named; an empty CD drive has none. */
static bool params_read(struct pv_dev *d)
{
	struct pv_disk *s = d->priv;
	char *params = xenbus_read(d->back, "params"), *colon = params ? strchr(params, ':') : NULL;

	free(s->params);
	free(s->file);
	free(s->format);
	s->params = params;
	s->file = s->format = NULL;
	if (!colon || !colon[1])
		return false;
	s->file = xstrdup(colon + 1);
	s->format = strncmp(params, "aio:", 4) ? xstrdup(params) : xstrdup("raw");
	s->format[strcspn(s->format, ":")] = 0;
	return true;
}

static void disk_end(struct pv_dev *d)
{
	struct pv_disk *s = d->priv;

	if (!s)
		return;
	free(s->params);
	free(s->file);
	free(s->format);
	free(s);
	d->priv = NULL;
}

static bool disk_begin(struct pv_dev *d)
{
	struct pv_disk *s = xzalloc(sizeof(*s));
	char *mode = xenbus_read(d->back, "mode");

	d->priv = s;
	s->read_only = !mode || *mode != 'w';
	s->discard = !s->read_only && xenbus_read_number(d->back, "discard-enable", 1, 0);
	free(mode);
	return params_read(d);
}

static bool disk_stale(struct pv_dev *d)
{
	struct pv_disk *s = d->priv;
	char *params = xenbus_read(d->back, "params");
	bool other = params && params[0] && strcmp(params, s->params);

	free(params);
	return other && params_read(d);
}

/* A front end may try as often as it likes; the log of failures has an end. */
static struct block *image_open(struct pv_dev *d, bool probe)
{
	struct pv_disk *s = d->priv;
	struct block *blk;
	struct block_params p = {
		.id = d->name,
		.file = s->file,
		.format = s->format,
		.read_only = s->read_only || probe,
		.unlocked = probe,
		.discard = s->discard,
		.fd = -1,
	};

	blk = s->failures < MAX_FAILURES ? block_open(d->pv->disks, &p) : NULL;
	s->failures = blk ? 0 : s->failures + 1;
	return blk;
}

static int disk_offer(struct pv_dev *d)
{
	const struct pv_disk *s = d->priv;
	char *type = xenbus_read(d->back, "device-type");
	bool cdrom = type && !strcmp(type, "cdrom");
	struct block *blk = image_open(d, true);

	free(type);
	if (!blk)
		return -ENOENT;
	xenbus_write(d->back, "feature-flush-cache", "1");
	xenbus_write(d->back, "feature-max-indirect-segments", "%u", BLKIF_MAX_INDIRECT);
	xenbus_write(d->back, "max-ring-page-order", "%u", BLKIF_MAX_RING_ORDER);
	if (s->discard) {
		xenbus_write(d->back, "feature-discard", "1");
		xenbus_write(d->back, "discard-granularity", "%u", BLKIF_SECTOR);
		xenbus_write(d->back, "discard-alignment", "0");
	}
	xenbus_write(d->back, "info", "%d",
		     (cdrom ? INFO_CDROM | INFO_REMOVABLE : 0) |
			     (s->read_only ? INFO_READ_ONLY : 0));
	xenbus_write(d->back, "sector-size", "%u", BLKIF_SECTOR);
	xenbus_write(d->back, "sectors", "%llu",
		     (unsigned long long)(block_size(blk) / BLKIF_SECTOR));
	block_close(blk);
	return 0;
}

static int ring_map(struct pv_dev *d)
{
	struct pv_disk *s = d->priv;
	uint32_t order = xenbus_read_number(d->front, "ring-page-order", BLKIF_MAX_RING_ORDER, 0);
	uint32_t refs[MAX_RING_PAGES], i;
	char key[24];

	s->nr_ring_pages = 1u << order;
	refs[0] = xenbus_read_number(d->front, "ring-ref", PV_NO_NUMBER - 1, PV_NO_NUMBER);
	for (i = 0; i < s->nr_ring_pages && (order || refs[0] == PV_NO_NUMBER); i++) {
		snprintf(key, sizeof(key), "ring-ref%u", i);
		refs[i] = xenbus_read_number(d->front, key, PV_NO_NUMBER - 1, PV_NO_NUMBER);
		if (refs[i] == PV_NO_NUMBER)
			return -EINVAL;
	}
	s->ring_pages = pv_guest_map_grants(d->pv->guest, refs, s->nr_ring_pages);
	return s->ring_pages ? 0 : -errno;
}

static int disk_connect(struct pv_dev *d)
{
	struct pv_disk *s = d->priv;
	char *protocol = xenbus_read(d->front, "protocol");
	bool is_32 = protocol && !strcmp(protocol, "x86_32-abi");
	int rc;

	free(protocol);
	rc = ring_map(d);
	if (!rc)
		rc = pv_bus_bind(d);
	if (rc)
		return rc;
	s->blk = image_open(d, false);
	if (!s->blk)
		return errno == EBUSY || errno == ETXTBSY ? -EBUSY : -EIO;
	s->ring = blkif_new(s->ring_pages, (size_t)s->nr_ring_pages * BLKIF_PAGE,
			    is_32 ? BLKIF_LAYOUT_32 : BLKIF_LAYOUT_64, s->blk, &ring_ops, d);
	return 0;
}

static void disk_disconnect(struct pv_dev *d)
{
	struct pv_disk *s = d->priv;

	blkif_free(s->ring);
	s->ring = NULL;
	block_close(s->blk);
	s->blk = NULL;
	if (s->ring_pages)
		pv_guest_unmap_grants(d->pv->guest, s->ring_pages, s->nr_ring_pages);
	s->ring_pages = NULL;
}

const struct pv_kind pv_disk_kind = {
	.name = "qdisk",
	.what = "disk",
	.begin = disk_begin,
	.offer = disk_offer,
	.connect = disk_connect,
	.event = disk_event,
	.disconnect = disk_disconnect,
	.end = disk_end,
	.stale = disk_stale,
};
