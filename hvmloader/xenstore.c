/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Xenstore client: the wire protocol of xen/io/xs_wire.h over the ring, one request at a time, no
 * transactions. The event channel is the caller's business (notify and wait), so the same source
 * talks to a made-up store in the host tests. The store is not trusted with lengths or indices.
 */
#include "xenstore.h"
#include "util.h"

#define barrier() asm volatile("" : : : "memory")

static uint32_t load(const uint32_t *p)
{
	return *(const volatile uint32_t *)p;
}

static bool ring_write(struct xs_client *c, const void *data, size_t len)
{
	struct xenstore_domain_interface *r = c->ring;
	const char *src = data;

	while (len) {
		uint32_t prod = r->req_prod, used = prod - load(&r->req_cons);

		if (used > XENSTORE_RING_SIZE)
			return false;
		if (used == XENSTORE_RING_SIZE) {
			c->notify(c->ctx);
			if (!c->wait(c->ctx))
				return false;
			continue;
		}
		barrier();
		/* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign): a word, read by bytes */
		r->req[MASK_XENSTORE_IDX(prod)] = *src++;
		barrier();
		r->req_prod = prod + 1;
		len--;
	}
	return true;
}

/* Take len bytes from the ring; a NULL destination throws them away. */
static bool ring_read(struct xs_client *c, void *data, size_t len)
{
	struct xenstore_domain_interface *r = c->ring;
	char *dst = data;

	while (len) {
		uint32_t cons = r->rsp_cons, used = load(&r->rsp_prod) - cons;

		if (used > XENSTORE_RING_SIZE)
			return false;
		if (!used) {
			c->notify(c->ctx);
			if (!c->wait(c->ctx))
				return false;
			continue;
		}
		barrier();
		if (dst)
			*dst++ = r->rsp[MASK_XENSTORE_IDX(cons)];
		barrier();
		r->rsp_cons = cons + 1;
		len--;
	}
	return true;
}

/* Wait for the reply to the last request; its payload lands in c->payload. Length or error. */
static int read_reply(struct xs_client *c, uint32_t type)
{
	struct xsd_sockmsg hdr;

	for (;;) {
		if (!ring_read(c, &hdr, sizeof(hdr)) || hdr.len > XENSTORE_PAYLOAD_MAX)
			return -XS_EIO;
		if (hdr.type != XS_WATCH_EVENT && hdr.req_id == c->last_req_id)
			break;
		c->dropped++;
		if (!ring_read(c, NULL, hdr.len))
			return -XS_EIO;
	}
	if (!ring_read(c, c->payload, hdr.len))
		return -XS_EIO;
	c->payload[hdr.len] = '\0';
	c->notify(c->ctx);
	if (hdr.type == XS_ERROR)
		return strcmp(c->payload, "ENOENT") ? -XS_EINVAL : -XS_ENOENT;
	return hdr.type == type ? (int)hdr.len : -XS_EIO;
}

static int request(struct xs_client *c, uint32_t type, const char *path, const char *value)
{
	size_t path_len = strlen(path) + 1, value_len = value ? strlen(value) : 0;
	struct xsd_sockmsg hdr = { .type = type };

	if (path_len > XENSTORE_REL_PATH_MAX || path_len + value_len > XENSTORE_PAYLOAD_MAX)
		return -XS_E2BIG;
	hdr.req_id = ++c->last_req_id;
	hdr.len = (uint32_t)(path_len + value_len);
	if (!ring_write(c, &hdr, sizeof(hdr)) || !ring_write(c, path, path_len) ||
	    !ring_write(c, value, value_len))
		return -XS_EIO;
	c->notify(c->ctx);
	return read_reply(c, type);
}

int xs_read(struct xs_client *c, const char *path, char *buf, size_t size)
{
	int len = request(c, XS_READ, path, NULL);

	if (len < 0)
		return len;
	if ((size_t)len >= size)
		return -XS_E2BIG;
	memcpy(buf, c->payload, (size_t)len + 1);
	return len;
}

int xs_write(struct xs_client *c, const char *path, const char *value)
{
	int ret = request(c, XS_WRITE, path, value);

	return ret < 0 ? ret : 0;
}

void xs_reset(struct xs_client *c)
{
	struct xenstore_domain_interface *r = c->ring;

	memset(r->req, 0, sizeof(r->req));
	memset(r->rsp, 0, sizeof(r->rsp));
	r->req_cons = 0;
	r->req_prod = 0;
	r->rsp_cons = 0;
	r->rsp_prod = 0;
	barrier();
}
