/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the privileged part reaches of Xen: xenstore as domain 0 has it, and grants of one domain. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <xengnttab.h>
#include <xenstore.h>

#include "core/keeper_priv.h"
#include "core/log.h"
#include "core/loop.h"

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

static struct xs_handle *xs;
static xengnttab_handle *gnttab;
static void (*changed_cb)(void);

static void xs_readable(void *opaque, uint32_t events)
{
	char **watch;
	bool any = false;

	while ((watch = xs_check_watch(xs))) {
		free(watch);
		any = true;
	}
	if (any)
		changed_cb();
}

int keeper_xen_start(void (*changed)(void))
{
	changed_cb = changed;
	gnttab = xengnttab_open(NULL, 0);
	xs = xs_open(0);
	if (!xs) {
		log_error("cannot reach xenstore: %s; is xenstored running?", strerror(errno));
		return -errno;
	}
	return loop_add_fd(xs_fileno(xs), EPOLLIN, xs_readable, NULL);
}

char *keeper_xen_read(const char *path)
{
	return xs ? xs_read(xs, XBT_NULL, path, NULL) : NULL;
}

char **keeper_xen_list(const char *path, unsigned int *n)
{
	return xs ? xs_directory(xs, XBT_NULL, path, n) : NULL;
}

bool keeper_xen_write(const char *path, const char *value)
{
	return xs && xs_write(xs, XBT_NULL, path, value, (unsigned int)strlen(value));
}

bool keeper_xen_watch(const char *path, bool on)
{
	return xs && (on ? xs_watch(xs, path, path) : xs_unwatch(xs, path, path));
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
	xengnttab_grant_copy_segment_t segs[KEEPER_PIECES];
	unsigned int i;

	memset(segs, 0, sizeof(segs));
	for (i = 0; i < n; i++) {
		union xengnttab_copy_ptr guest = { .foreign = { .ref = p[i].ref,
								.offset = p[i].offset,
								.domid = (uint16_t)domid } };
		union xengnttab_copy_ptr own = { .virt = window + i * KEEPER_PIECE_SIZE };

		segs[i].source = to_guest ? own : guest;
		segs[i].dest = to_guest ? guest : own;
		segs[i].len = p[i].len;
		segs[i].flags = to_guest ? GNTCOPY_dest_gref : GNTCOPY_source_gref;
	}
	if (!gnttab)
		return -ENODEV;
	if (xengnttab_grant_copy(gnttab, n, segs))
		return -errno;
	for (i = 0; i < n; i++)
		if (segs[i].status != GNTST_okay)
			return -EFAULT;
	return 0;
}
