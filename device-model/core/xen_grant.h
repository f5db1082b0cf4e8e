/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copies by grant: between pieces of one domain's pages and memory of this process. */
#ifndef DM_CORE_XEN_GRANT_H
#define DM_CORE_XEN_GRANT_H

#include <stdbool.h>
#include <stdint.h>

struct xengntdev_handle; /* libxengnttab's */

#define XEN_GRANT_PIECES 64u /* in one copy */

struct grant_piece {
	uint32_t ref;
	uint16_t offset, len; /* inside of one page */
	uint8_t *data;	      /* ours */
};

/* 0, or -errno when any of them failed. At most XEN_GRANT_PIECES. */
int xen_grant_copy(struct xengntdev_handle *h, unsigned int domid, const struct grant_piece *pieces,
		   unsigned int n, bool to_guest);

#endif
