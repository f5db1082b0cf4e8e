/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small xenstore client: one request at a time over the shared ring (xen/io/xs_wire.h).
 */
#ifndef HVMLOADER_XENSTORE_H
#define HVMLOADER_XENSTORE_H

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>

#include <xen/io/xs_wire.h>

struct xs_client {
	struct xenstore_domain_interface *ring;
	/* Tell the store that the ring has changed. */
	void (*notify)(void *ctx);
	/* Wait until the store may have changed the ring. Returns false to give up. */
	bool (*wait)(void *ctx);
	void *ctx;
	uint32_t last_req_id;
	uint32_t dropped; /* watch events and stale replies thrown away */
	char payload[XENSTORE_PAYLOAD_MAX + 1];
};

/*
 * Read a node. The value, NUL-ended, is copied to buf. Returns its length; -XS_ENOENT when there is
 * no such node, -XS_E2BIG when it does not fit, -XS_EIO when the connection is broken or the reply
 * is malformed, -XS_EINVAL for every other refusal by the store.
 */
int xs_read(struct xs_client *c, const char *path, char *buf, size_t size);

/* Write a node. Returns 0 or a negative number as above. */
int xs_write(struct xs_client *c, const char *path, const char *value);

/* Forget everything on the ring, for the guest's own driver to begin afresh. */
void xs_reset(struct xs_client *c);

enum { XS_ENOENT = 2, XS_EIO = 5, XS_E2BIG = 7, XS_EINVAL = 22 };

#endif
