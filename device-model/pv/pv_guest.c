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

struct pv_guest {
	unsigned int domid;
	xengnttab_handle *gnttab; /* NULL: the privileged part maps and copies */
	xenevtchn_handle *evtchn;
	xenforeignmemory_handle *fmem;
	void (*event)(void *opaque, uint32_t port);
	void *opaque;
};

static void readable(void *opaque, uint32_t events)
{
	const struct pv_guest *g = opaque;
	xenevtchn_port_or_error_t port = xenevtchn_pending(g->evtchn);

	if (port < 0)
		return;
	xenevtchn_unmask(g->evtchn, (evtchn_port_t)port);
	g->event(g->opaque, (uint32_t)port);
}

struct pv_guest *pv_guest_open(unsigned int domid, void (*event)(void *opaque, uint32_t port),
			       void *opaque)
{
	/* No handle of it can be restricted to one domain: the privileged part maps and copies. */
	bool by_keeper = keeper_active();
	struct pv_guest *g = xzalloc(sizeof(*g));

	*g = (struct pv_guest){ .domid = domid,
				.gnttab = by_keeper ? NULL : xengnttab_open(NULL, 0),
				.evtchn = xenevtchn_open(NULL, 0),
				.fmem = xenforeignmemory_open(NULL, 0),
				.event = event,
				.opaque = opaque };
	if ((g->gnttab || by_keeper) && g->evtchn && g->fmem &&
	    !loop_add_fd(xenevtchn_fd(g->evtchn), EPOLLIN, readable, g))
		return g;
	log_error("back ends: no access to grants, event channels or guest memory: %s; are the "
		  "xen-gntdev, xen-evtchn and xen-privcmd modules loaded?",
		  strerror(errno));
	free(g);
	return NULL;
}

void *pv_guest_map_grants(struct pv_guest *g, const uint32_t *refs, unsigned int n)
{
	uint32_t copy[1u << BLKIF_MAX_RING_ORDER];

	if (n > ARRAY_SIZE(copy)) {
		errno = EINVAL;
		return NULL;
	}
	if (!g->gnttab)
		return keeper_map_grants(refs, n);
	memcpy(copy, refs, n * sizeof(*refs));
	return xengnttab_map_domain_grant_refs(g->gnttab, n, g->domid, copy,
					       PROT_READ | PROT_WRITE);
}

void pv_guest_unmap_grants(struct pv_guest *g, void *p, unsigned int n)
{
	if (!g->gnttab)
		munmap(p, (size_t)n * DM_PAGE_SIZE);
	else
		xengnttab_unmap(g->gnttab, p, n);
}

void *pv_guest_map_pages(struct pv_guest *g, const uint64_t *gfns, size_t n, bool writable)
{
	xen_pfn_t *list = xzalloc(n * sizeof(*list));
	size_t i;
	void *p;

	for (i = 0; i < n; i++)
		list[i] = gfns[i];
	/* Without a place for single errors the call is all or nothing. */
	p = xenforeignmemory_map(g->fmem, g->domid, PROT_READ | (writable ? PROT_WRITE : 0), n,
				 list, NULL);
	free(list);
	return p;
}

void pv_guest_unmap_pages(struct pv_guest *g, void *p, size_t n)
{
	xenforeignmemory_unmap(g->fmem, p, n);
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

int pv_guest_copy(struct pv_guest *g, const struct grant_piece *p, unsigned int n, bool to_guest)
{
	int rc = 0;

	while (n && !rc) {
		unsigned int now = MIN(n, COPY_BATCH);

		rc = g->gnttab ? xen_grant_copy(g->gnttab, g->domid, p, now, to_guest)
			       : copy_by_keeper(p, now, to_guest);
		p += now;
		n -= now;
	}
	return rc;
}

int pv_guest_bind(struct pv_guest *g, uint32_t remote_port)
{
	xenevtchn_port_or_error_t local =
		xenevtchn_bind_interdomain(g->evtchn, g->domid, remote_port);

	return local < 0 ? -errno : local;
}

void pv_guest_unbind(struct pv_guest *g, uint32_t port)
{
	xenevtchn_unbind(g->evtchn, port);
}

void pv_guest_notify(struct pv_guest *g, uint32_t port)
{
	xenevtchn_notify(g->evtchn, port);
}
