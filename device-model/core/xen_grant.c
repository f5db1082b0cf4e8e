/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See xen_grant.h. */
#include "core/xen_grant.h"

#include <errno.h>
#include <string.h>
#include <xengnttab.h>

int xen_grant_copy(struct xengntdev_handle *h, unsigned int domid, const struct grant_piece *p,
		   unsigned int n, bool to_guest)
{
	xengnttab_grant_copy_segment_t segs[XEN_GRANT_PIECES];
	unsigned int i;

	if (n > XEN_GRANT_PIECES)
		return -EINVAL;
	memset(segs, 0, sizeof(segs));
	for (i = 0; i < n; i++) {
		union xengnttab_copy_ptr guest = { .foreign = { .ref = p[i].ref,
								.offset = p[i].offset,
								.domid = (uint16_t)domid } };
		union xengnttab_copy_ptr own = { .virt = p[i].data };

		segs[i].source = to_guest ? own : guest;
		segs[i].dest = to_guest ? guest : own;
		segs[i].len = p[i].len;
		segs[i].flags = to_guest ? GNTCOPY_dest_gref : GNTCOPY_source_gref;
	}
	if (xengnttab_grant_copy(h, n, segs))
		return -errno;
	for (i = 0; i < n; i++)
		if (segs[i].status != GNTST_okay)
			return -EFAULT;
	return 0;
}
