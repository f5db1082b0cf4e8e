/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the privileged part reaches of Xen beside xenstore (xen_store.h): grants of one domain. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <xengnttab.h>

#include "core/keeper_priv.h"
#include "core/log.h"
#include "core/xen_grant.h"
#include "core/xen_store.h"

/*
 * Pages in a guest's life: some thousand connections. Mappings outlive their descriptors, so they cannot be
 * counted back, and domain 0 has 262,144 for all guests.
 */
#define MAX_MAPPED 65536u

/* The kernel's interface of /dev/xen/gntdev: libxengnttab keeps the descriptor of a mapping to itself. */
struct gntdev_map {
	uint32_t count, pad;
	uint64_t index;
	struct {
		uint32_t domid, ref;
	} refs[KEEPER_MAX_REFS];
};
#define GNTDEV_MAP_SIZE 24 /* of the kernel's structure, which has one reference */
#define GNTDEV_MAP	_IOC(_IOC_NONE, 'G', 0, GNTDEV_MAP_SIZE)

static xengnttab_handle *gnttab;

int keeper_xen_start(void (*changed)(void *opaque))
{
	int rc = xen_store_open(changed, NULL);

	gnttab = xengnttab_open(NULL, 0);
	if (rc)
		log_error("cannot reach xenstore: %s; is xenstored running?", strerror(-rc));
	return rc;
}

int keeper_xen_map(unsigned int domid, const uint32_t *refs, unsigned int n, uint64_t *offset)
{
	static unsigned int mapped;
	struct gntdev_map map = { .count = n };
	unsigned int i;
	int fd, rc;

	if (n > MAX_MAPPED - mapped)
		return -ENOSPC;
	fd = open("/dev/xen/gntdev", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	mapped += n;
	for (i = 0; i < n; i++) {
		map.refs[i].domid = domid;
		map.refs[i].ref = refs[i];
	}
	rc = ioctl(fd, GNTDEV_MAP, &map) ? -errno : 0;
	*offset = map.index;
	if (!rc)
		return fd;
	close(fd);
	return rc;
}

int keeper_xen_copy(unsigned int domid, const struct keeper_piece *p, unsigned int n,
		    uint8_t *window, bool to_guest)
{
	struct grant_piece pieces[KEEPER_PIECES];
	unsigned int i;

	if (!gnttab)
		return -ENODEV;
	for (i = 0; i < n; i++)
		pieces[i] = (struct grant_piece){ p[i].ref, p[i].offset, p[i].len,
						  window + i * KEEPER_PIECE_SIZE };
	return xen_grant_copy(gnttab, domid, pieces, n, to_guest);
}
