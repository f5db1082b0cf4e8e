/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Grants, foreign pages and event channels by Xen's stable libraries; grants by the privileged part
 * (core/keeper.h) where there is one. See pv_guest.h.
 */
#include "pv/pv_guest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <xenevtchn.h>
#include <xenforeignmemory.h>
#include <xengnttab.h>

#include "core/keeper.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/util.h"
#include "core/xen_grant.h"

#define COPY_BATCH MIN(KEEPER_PIECES, XEN_GRANT_PIECES)

static unsigned int domid;
static bool by_keeper;
static xengnttab_handle *gnttab; /* NULL: by_keeper */
static xenevtchn_handle *evtchn;
static xenforeignmemory_handle *fmem;
static void (*event_cb)(uint32_t port);

static void readable(void *opaque, uint32_t events)
{
	xenevtchn_port_or_error_t port = xenevtchn_pending(evtchn);

	if (port < 0)
		return;
	xenevtchn_unmask(evtchn, (evtchn_port_t)port);
	event_cb((uint32_t)port);
}

int pv_guest_open(unsigned int dom, void (*event)(uint32_t port))
{
	domid = dom;
	event_cb = event;
	/* No handle of it can be restricted to one domain: the privileged part maps and copies. */
	by_keeper = keeper_active();
	gnttab = by_keeper ? NULL : xengnttab_open(NULL, 0);
	evtchn = xenevtchn_open(NULL, 0);
	fmem = xenforeignmemory_open(NULL, 0);
	if ((!gnttab && !by_keeper) || !evtchn || !fmem) {
		log_error(
			"back ends: no access to grants, event channels or guest memory: %s; are the "
			"xen-gntdev, xen-evtchn and xen-privcmd modules loaded?",
			strerror(errno));
		return -ENODEV;
	}
	return loop_add_fd(xenevtchn_fd(evtchn), EPOLLIN, readable, NULL);
}

void *pv_guest_map_grants(const uint32_t *refs, unsigned int n)
{
	uint32_t copy[1u << BLKIF_MAX_RING_ORDER];

	if (n > ARRAY_SIZE(copy)) {
		errno = EINVAL;
		return NULL;
	}
	if (by_keeper)
		return keeper_map_grants(refs, n);
	memcpy(copy, refs, n * sizeof(*refs));
	return xengnttab_map_domain_grant_refs(gnttab, n, domid, copy, PROT_READ | PROT_WRITE);
}

void pv_guest_unmap_grants(void *p, unsigned int n)
{
	if (by_keeper)
		munmap(p, (size_t)n * DM_PAGE_SIZE);
	else
		xengnttab_unmap(gnttab, p, n);
}

void *pv_guest_map_pages(const uint64_t *gfns, size_t n, bool writable)
{
	xen_pfn_t *list = xzalloc(n * sizeof(*list));
	size_t i;
	void *p;

	for (i = 0; i < n; i++)
		list[i] = gfns[i];
	/* Without a place for single errors the call is all or nothing. */
	p = xenforeignmemory_map(fmem, domid, PROT_READ | (writable ? PROT_WRITE : 0), n, list,
				 NULL);
	free(list);
	return p;
}

void pv_guest_unmap_pages(void *p, size_t n)
{
	xenforeignmemory_unmap(fmem, p, n);
}

/* Through the window that is shared with the privileged part. */
static int copy_by_keeper(const struct grant_piece *p, unsigned int n, bool to_guest)
{
	struct keeper_piece pieces[KEEPER_PIECES];
	uint8_t *window = keeper_window();
	unsigned int i;
	int rc;

	if (!window)
		return -EPIPE;
	for (i = 0; i < n; i++) {
		pieces[i] = (struct keeper_piece){ p[i].ref, p[i].offset, p[i].len };
		if (to_guest)
			memcpy(window + i * KEEPER_PIECE_SIZE, p[i].data, p[i].len);
	}
	rc = keeper_copy(pieces, n, to_guest);
	for (i = 0; i < n && !rc && !to_guest; i++)
		memcpy(p[i].data, window + i * KEEPER_PIECE_SIZE, p[i].len);
	return rc;
}

int pv_guest_copy(const struct grant_piece *p, unsigned int n, bool to_guest)
{
	int rc = 0;

	while (n && !rc) {
		unsigned int now = MIN(n, COPY_BATCH);

		rc = by_keeper ? copy_by_keeper(p, now, to_guest)
			       : xen_grant_copy(gnttab, domid, p, now, to_guest);
		p += now;
		n -= now;
	}
	return rc;
}

int pv_guest_bind(uint32_t remote_port)
{
	xenevtchn_port_or_error_t local = xenevtchn_bind_interdomain(evtchn, domid, remote_port);

	return local < 0 ? -errno : local;
}

void pv_guest_unbind(uint32_t port)
{
	xenevtchn_unbind(evtchn, port);
}

void pv_guest_notify(uint32_t port)
{
	xenevtchn_notify(evtchn, port);
}
