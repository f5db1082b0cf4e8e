/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The xenstore client against a made-up store that lives in its callbacks, well-behaved and
 * hostile.
 */
#include "util.h"
#include "xenstore.h"
#include "tests.h"

#include <stdlib.h>

struct store {
	struct xenstore_domain_interface *ring;
	struct xs_client *client;
	char request[XENSTORE_PAYLOAD_MAX + 64];
	size_t have;
	char written[XENSTORE_PAYLOAD_MAX];
	char reply[3 * (XENSTORE_PAYLOAD_MAX + 64)];
	size_t reply_len, reply_done;
	unsigned int waits;
	enum { GOOD, NOISY, TOO_LONG, WRONG_TYPE, BAD_INDEX, SILENT } mood;
};

static void push(struct store *s, const void *data, size_t len)
{
	memcpy(s->reply + s->reply_len, data, len);
	s->reply_len += len;
}

static void answer(struct store *s, uint32_t type, uint32_t id, const char *data, size_t len)
{
	struct xsd_sockmsg hdr = { .type = type, .req_id = id, .len = (uint32_t)len };

	if (s->mood == TOO_LONG)
		hdr.len = XENSTORE_PAYLOAD_MAX + 1;
	push(s, &hdr, sizeof(hdr));
	push(s, data, len);
}

static void serve(struct store *s)
{
	struct xsd_sockmsg hdr;
	const char *path = s->request + sizeof(hdr);
	static char big[XENSTORE_PAYLOAD_MAX];

	memcpy(&hdr, s->request, sizeof(hdr));
	if (s->mood == NOISY) {
		answer(s, XS_WATCH_EVENT, 0, "path\0token", 11);
		answer(s, XS_READ, hdr.req_id - 1, "stale", 5);
	}
	if (s->mood == WRONG_TYPE) {
		answer(s, XS_DIRECTORY, hdr.req_id, "x", 1);
	} else if (hdr.type == XS_WRITE) {
		memset(s->written, 0, sizeof(s->written));
		memcpy(s->written, path, hdr.len);
		answer(s, XS_WRITE, hdr.req_id, "OK", 3);
	} else if (!strcmp(path, "node")) {
		answer(s, XS_READ, hdr.req_id, "value", 5);
	} else if (!strcmp(path, "empty")) {
		answer(s, XS_READ, hdr.req_id, "", 0);
	} else if (!strcmp(path, "big")) {
		memset(big, 'b', sizeof(big));
		answer(s, XS_READ, hdr.req_id, big, sizeof(big));
	} else if (!strcmp(path, "forbidden")) {
		answer(s, XS_ERROR, hdr.req_id, "EACCES", 7);
	} else {
		answer(s, XS_ERROR, hdr.req_id, "ENOENT", 7);
	}
}

/* Take what is there of the request, serve it when whole, give what fits of the reply. */
static void run_store(struct store *s)
{
	struct xenstore_domain_interface *r = s->ring;
	struct xsd_sockmsg hdr;

	while (r->req_cons != r->req_prod)
		s->request[s->have++] = r->req[MASK_XENSTORE_IDX(r->req_cons++)];
	if (s->have >= sizeof(hdr)) {
		memcpy(&hdr, s->request, sizeof(hdr));
		if (s->have == sizeof(hdr) + hdr.len) {
			s->have = 0;
			serve(s);
		}
	}
	while (s->reply_done < s->reply_len && r->rsp_prod - r->rsp_cons < XENSTORE_RING_SIZE)
		r->rsp[MASK_XENSTORE_IDX(r->rsp_prod++)] = s->reply[s->reply_done++];
	if (s->reply_done == s->reply_len)
		s->reply_done = s->reply_len = 0;
	if (s->mood == BAD_INDEX)
		r->rsp_prod = r->rsp_cons + XENSTORE_RING_SIZE + 1;
}

static void notify(void *ctx)
{
	struct store *s = ctx;

	if (s->mood != SILENT)
		run_store(s);
}

static bool wait_more(void *ctx)
{
	struct store *s = ctx;

	notify(ctx);
	return ++s->waits < 100000 && s->mood != SILENT;
}

static struct store *start(uint32_t first_index)
{
	struct store *s = calloc(1, sizeof(*s));

	s->ring = calloc(1, sizeof(*s->ring));
	s->client = calloc(1, sizeof(*s->client));
	*s->client = (struct xs_client){
		.ring = s->ring,
		.notify = notify,
		.wait = wait_more,
		.ctx = s,
	};
	s->ring->req_cons = s->ring->req_prod = first_index;
	s->ring->rsp_cons = s->ring->rsp_prod = first_index;
	return s;
}

static void stop(struct store *s)
{
	free(s->ring);
	free(s->client);
	free(s);
}

static void good_store(uint32_t first_index)
{
	struct store *s = start(first_index);
	char buf[XENSTORE_PAYLOAD_MAX + 1];

	for (int i = 0; i < 200; i++) {
		CHECK(xs_read(s->client, "node", buf, sizeof(buf)) == 5 && !strcmp(buf, "value"));
		CHECK(xs_read(s->client, "none", buf, sizeof(buf)) == -XS_ENOENT);
	}
	CHECK(xs_read(s->client, "empty", buf, sizeof(buf)) == 0 && !buf[0]);
	CHECK(xs_read(s->client, "forbidden", buf, sizeof(buf)) == -XS_EINVAL);
	CHECK(xs_read(s->client, "node", buf, 5) == -XS_E2BIG);
	CHECK(xs_read(s->client, "big", buf, sizeof(buf)) == XENSTORE_PAYLOAD_MAX);
	CHECK(xs_write(s->client, "a/b", "0xfc001234") == 0);
	CHECK(!memcmp(s->written,
		      "a/b\0"
		      "0xfc001234",
		      15));
	s->mood = NOISY;
	CHECK(xs_read(s->client, "node", buf, sizeof(buf)) == 5 && !strcmp(buf, "value"));
	CHECK(s->client->dropped == 2);
	xs_reset(s->client);
	CHECK(!s->ring->req_prod && !s->ring->req_cons && !s->ring->rsp_prod && !s->ring->rsp_cons);
	stop(s);
}

static void bad_store(int mood)
{
	struct store *s = start(0);
	char buf[64];

	s->mood = mood;
	CHECK(xs_read(s->client, "node", buf, sizeof(buf)) == -XS_EIO);
	stop(s);
}

static void bad_caller(void)
{
	struct store *s = start(0);
	char path[XENSTORE_REL_PATH_MAX + 2], buf[8];

	memset(path, 'p', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	CHECK(xs_read(s->client, path, buf, sizeof(buf)) == -XS_E2BIG);
	stop(s);
}

void test_xenstore(void)
{
	good_store(0);
	good_store(UINT32_MAX - 700);
	bad_store(TOO_LONG);
	bad_store(WRONG_TYPE);
	bad_store(BAD_INDEX);
	bad_store(SILENT);
	bad_caller();
}
