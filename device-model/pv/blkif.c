/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ring of a paravirtual disk, seen from the back end. See blkif.h. */
#include "pv/blkif.h"

#include <errno.h>
#include <stdlib.h>

#include "core/log.h"
#include "core/util.h"

enum operation { OP_READ, OP_WRITE, OP_BARRIER, OP_FLUSH, OP_RESERVED, OP_DISCARD, OP_INDIRECT };
enum status { STATUS_OK = 0, STATUS_ERROR = -1, STATUS_UNSUPPORTED = -2 };

/* Offsets in the shared ring (xen/io/ring.h). */
#define RING_REQ_PROD	 0
#define RING_REQ_EVENT	 4
#define RING_RSP_PROD	 8
#define RING_RSP_EVENT	 12
#define RING_HEADER	 64

#define MAX_DIRECT	 11u
#define SECTORS_PER_PAGE (BLKIF_PAGE / BLKIF_SECTOR)
#define SEGMENT_SIZE	 8u
#define SEGMENTS_PER_REF (BLKIF_PAGE / SEGMENT_SIZE)
#define MAX_REQUEST	 112u
#define DISCARD_SECURE	 1

/* A 32-bit guest aligns 64-bit numbers to 4 bytes. */
struct layout {
	unsigned int request, response, id, sector, segments, indirect_refs, discard_count;
};

static const struct layout layouts[] = {
	[BLKIF_LAYOUT_64] = { 112, 16, 8, 16, 24, 28, 24 },
	[BLKIF_LAYOUT_32] = { 108, 12, 4, 12, 20, 24, 20 },
};

struct transfer {
	struct blkif *b;
	struct block_req req;
	uint64_t id, sector;
	uint8_t op; /* to be answered */
	bool write, flush_first;
	unsigned int nr;
	struct grant_piece *pieces;
	uint8_t *data;
	size_t len;
};

struct blkif {
	uint8_t *ring;
	uint32_t entries;
	const struct layout *l;
	struct block *blk;
	const struct blkif_ops *ops;
	void *opaque;
	uint32_t req_cons, rsp_prod; /* ours; the ring's copies are not trusted */
	unsigned int in_flight;
	bool stopped, polling;
};

static uint32_t ring_load(const struct blkif *b, unsigned int at)
{
	return __atomic_load_n((uint32_t *)(b->ring + at), __ATOMIC_SEQ_CST);
}

static void ring_store(struct blkif *b, unsigned int at, uint32_t v)
{
	__atomic_store_n((uint32_t *)(b->ring + at), v, __ATOMIC_SEQ_CST);
}

static uint8_t *ring_entry(const struct blkif *b, uint32_t index)
{
	return b->ring + RING_HEADER + (size_t)(index & (b->entries - 1)) * b->l->request;
}

static void broken(struct blkif *b, const char *why)
{
	b->stopped = true;
	b->ops->broken(b->opaque, why);
}

/* --- answers --- */

static void answer(struct blkif *b, uint64_t id, uint8_t op, enum status status)
{
	uint32_t old = b->rsp_prod, event;
	uint8_t *rsp = ring_entry(b, old);

	if (b->stopped)
		return;
	store_le(rsp, id, 8);
	rsp[8] = op;
	store_le(rsp + 10, (uint16_t)status, 2);
	b->rsp_prod = old + 1;
	ring_store(b, RING_RSP_PROD, b->rsp_prod);
	event = ring_load(b, RING_RSP_EVENT);
	if (b->rsp_prod - event < b->rsp_prod - old)
		b->ops->notify(b->opaque);
}

static void transfer_free(struct transfer *t)
{
	t->b->in_flight--;
	free(t->pieces);
	free(t->data);
	free(t);
}

static void transfer_end(struct transfer *t, int err)
{
	struct blkif *b = t->b;
	enum status status = err == -EOPNOTSUPP ? STATUS_UNSUPPORTED
			     : err		? STATUS_ERROR
						: STATUS_OK;

	answer(b, t->id, t->op, status);
	transfer_free(t);
	/* There may have been no room for more. */
	if (!b->polling)
		blkif_poll(b);
}

static void transfer_submit(struct transfer *t, enum block_op op, uint64_t len,
			    void (*done)(struct block_req *req, int err))
{
	t->req = (struct block_req){
		.b = t->b->blk,
		.op = op,
		.offset = t->sector * BLKIF_SECTOR,
		.buf = t->data,
		.len = len,
		.done = done,
		.opaque = t,
	};
	block_submit(&t->req);
}

static void transfer_done(struct block_req *req, int err)
{
	struct transfer *t = req->opaque;

	if (!err && req->op == BLOCK_READ && !t->b->stopped)
		err = t->b->ops->copy(t->b->opaque, t->pieces, t->nr, true);
	transfer_end(t, err);
}

static void presync_done(struct block_req *req, int err)
{
	struct transfer *t = req->opaque;

	if (err)
		transfer_end(t, err);
	else
		transfer_submit(t, BLOCK_WRITE, t->len, transfer_done);
}

/* --- requests --- */

/* Segments of 8 bytes: reference, first and last sector in the page. False: nonsense. */
static bool pieces_make(struct transfer *t, const uint8_t *segments, unsigned int n)
{
	unsigned int i;
	size_t at = 0;

	t->nr = n;
	t->pieces = xzalloc(n * sizeof(*t->pieces));
	for (i = 0; i < n; i++) {
		const uint8_t *s = segments + (size_t)i * SEGMENT_SIZE;

		if (s[4] > s[5] || s[5] >= SECTORS_PER_PAGE)
			return false;
		t->pieces[i].ref = get_le32(s);
		t->pieces[i].offset = (uint16_t)(s[4] * BLKIF_SECTOR);
		t->pieces[i].len = (uint16_t)((s[5] - s[4] + 1u) * BLKIF_SECTOR);
		t->len += t->pieces[i].len;
	}
	t->data = xzalloc(t->len);
	for (i = 0; i < n; i++) {
		t->pieces[i].data = t->data + at;
		at += t->pieces[i].len;
	}
	return true;
}

static bool place_ok(const struct transfer *t, uint64_t sectors)
{
	uint64_t size = block_size(t->b->blk) / BLKIF_SECTOR;

	return t->sector <= size && sectors <= size - t->sector;
}

static void transfer_start(struct transfer *t, const uint8_t *segments, unsigned int n)
{
	int err = 0;

	if (!pieces_make(t, segments, n) || !place_ok(t, t->len / BLKIF_SECTOR))
		err = -EINVAL;
	if (!err && t->write)
		err = block_read_only(t->b->blk)
			      ? -EROFS
			      : t->b->ops->copy(t->b->opaque, t->pieces, n, false);
	if (err)
		transfer_end(t, err);
	else if (t->flush_first)
		transfer_submit(t, BLOCK_FLUSH, 0, presync_done);
	else
		transfer_submit(t, t->write ? BLOCK_WRITE : BLOCK_READ, t->len, transfer_done);
}

static void direct(struct transfer *t, const uint8_t *r)
{
	unsigned int n = r[1];

	t->write = t->op != OP_READ;
	t->flush_first = t->op == OP_FLUSH;
	if (t->flush_first && !n)
		transfer_submit(t, BLOCK_FLUSH, 0, transfer_done);
	else if (!n || n > MAX_DIRECT)
		transfer_end(t, -EINVAL);
	else
		transfer_start(t, r + t->b->l->segments, n);
}

/* The segments lie in pages of their own; they are copied, once. */
static void indirect(struct transfer *t, const uint8_t *r)
{
	const uint8_t *refs = r + t->b->l->indirect_refs;
	struct grant_piece pages[BLKIF_MAX_INDIRECT / SEGMENTS_PER_REF + 1];
	unsigned int n = get_le16(r + 2), nr_pages = 0, done = 0;
	uint8_t *segments;
	int err;

	if ((r[1] != OP_READ && r[1] != OP_WRITE) || !n || n > BLKIF_MAX_INDIRECT) {
		transfer_end(t, -EINVAL);
		return;
	}
	t->write = r[1] == OP_WRITE;
	t->op = r[1]; /* Linux wants the answer to name what was done */
	segments = xzalloc((size_t)n * SEGMENT_SIZE);
	for (; done < n; done += SEGMENTS_PER_REF, nr_pages++)
		pages[nr_pages] = (struct grant_piece){
			.ref = get_le32(refs + (size_t)nr_pages * 4),
			.len = (uint16_t)(MIN(n - done, SEGMENTS_PER_REF) * SEGMENT_SIZE),
			.data = segments + (size_t)done * SEGMENT_SIZE,
		};
	err = t->b->ops->copy(t->b->opaque, pages, nr_pages, false);
	if (err)
		transfer_end(t, err);
	else
		transfer_start(t, segments, n);
	free(segments);
}

static void discard(struct transfer *t, const uint8_t *r)
{
	uint64_t count = load_le(r + t->b->l->discard_count, 8);

	if (r[1] & DISCARD_SECURE || !block_discards(t->b->blk))
		transfer_end(t, -EOPNOTSUPP);
	else if (!place_ok(t, count))
		transfer_end(t, -EINVAL);
	else
		transfer_submit(t, BLOCK_DISCARD, count * BLKIF_SECTOR, transfer_done);
}

static void request(struct blkif *b, const uint8_t *r)
{
	struct transfer *t = xzalloc(sizeof(*t));

	t->b = b;
	t->op = r[0];
	t->id = load_le(r + b->l->id, 8);
	t->sector = load_le(r + b->l->sector, 8);
	b->in_flight++;
	switch (t->op) {
	case OP_READ:
	case OP_WRITE:
	case OP_FLUSH:
		direct(t, r);
		break;
	case OP_DISCARD:
		discard(t, r);
		break;
	case OP_INDIRECT:
		indirect(t, r);
		break;
	default:
		transfer_end(t, -EOPNOTSUPP);
	}
}

/* Requests until the ring is empty or enough are in flight. At most a ring's worth in one go. */
static void take(struct blkif *b)
{
	uint8_t copy[MAX_REQUEST];
	uint32_t prod = ring_load(b, RING_REQ_PROD), turns = 0;

	while (prod != b->req_cons && b->in_flight < BLKIF_MAX_IN_FLIGHT && turns++ < b->entries) {
		if (prod - b->rsp_prod > b->entries) {
			broken(b, "more requests than the ring has entries");
			return;
		}
		memcpy(copy, ring_entry(b, b->req_cons), b->l->request);
		b->req_cons++;
		request(b, copy);
	}
}

void blkif_poll(struct blkif *b)
{
	uint32_t turns = 0;

	b->polling = true;
	while (!b->stopped && turns++ < b->entries) {
		take(b);
		if (b->in_flight >= BLKIF_MAX_IN_FLIGHT)
			break; /* the end of one of them continues here */
		/* Ask for an event, then look again: a request may have come in between. */
		ring_store(b, RING_REQ_EVENT, b->req_cons + 1);
		if (ring_load(b, RING_REQ_PROD) == b->req_cons)
			break;
	}
	b->polling = false;
}

struct blkif *blkif_new(void *ring, size_t ring_bytes, enum blkif_layout layout, struct block *blk,
			const struct blkif_ops *ops, void *opaque)
{
	struct blkif *b = xzalloc(sizeof(*b));

	*b = (struct blkif){
		.ring = ring,
		.entries = 1,
		.l = &layouts[layout],
		.blk = blk,
		.ops = ops,
		.opaque = opaque,
	};
	while ((size_t)b->entries * 2 * b->l->request <= ring_bytes - RING_HEADER)
		b->entries *= 2;
	return b;
}

void blkif_free(struct blkif *b)
{
	if (!b)
		return;
	b->stopped = true;
	while (b->in_flight)
		loop_wait_calls();
	free(b);
}
