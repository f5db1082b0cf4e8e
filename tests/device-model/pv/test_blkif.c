/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The back end's ring against a front end made of the macros and structures of Xen's public headers: data
 * both ways, all operations, both layouts, full rings, and a front end that breaks every rule.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xen/xen.h>
#include <xen/grant_table.h>
#include <xen/io/blkif.h>

#include "core/util.h"
#include "pv/blkif.h"
#include "check.h"

/* What ring.h leaves to its user. */
#define mb()	      __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define rmb()	      __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define wmb()	      __atomic_thread_fence(__ATOMIC_RELEASE)

#define NR_PAGES      64u
#define DISK_SECTORS  4096u
#define XEN_PAGE_SIZE 4096

static uint8_t pages[NR_PAGES][BLKIF_PAGE] __attribute__((aligned(4096)));
static uint8_t ring_memory[4 * BLKIF_PAGE] __attribute__((aligned(4096)));
static unsigned int notified;
static const char *broken_why;
static blkif_front_ring_t front;
static struct block *blk;
static int disk_fd;
static uint8_t answered_op;

/* Grant references 100.. are the pages; others do not exist. */
static int copy(void *opaque, const struct grant_piece *p, unsigned int n, bool to_guest)
{
	for (; n; n--, p++) {
		if (p->ref < 100 || p->ref >= 100 + NR_PAGES)
			return -EFAULT;
		if (p->offset + p->len > BLKIF_PAGE)
			abort();
		if (to_guest)
			memcpy(pages[p->ref - 100] + p->offset, p->data, p->len);
		else
			memcpy(p->data, pages[p->ref - 100] + p->offset, p->len);
	}
	return 0;
}

static void notify(void *opaque)
{
	notified++;
}

static void broken(void *opaque, const char *why)
{
	broken_why = why;
}

static const struct blkif_ops ops = { copy, notify, broken };

static struct blkif *connect(unsigned int nr_pages)
{
	blkif_sring_t *sring = (blkif_sring_t *)ring_memory;

	memset(ring_memory, 0, sizeof(ring_memory));
	SHARED_RING_INIT(sring);
	FRONT_RING_INIT(&front, sring, nr_pages * BLKIF_PAGE);
	broken_why = NULL;
	notified = 0;
	return blkif_new(ring_memory, nr_pages * BLKIF_PAGE, BLKIF_LAYOUT_64, blk, &ops, NULL);
}

static blkif_request_t *next_request(uint8_t op, uint64_t id, uint64_t sector)
{
	blkif_request_t *r = RING_GET_REQUEST(&front, front.req_prod_pvt);

	front.req_prod_pvt++;
	memset(r, 0, sizeof(*r));
	r->operation = op;
	r->id = id;
	r->sector_number = sector;
	return r;
}

static void segment(struct blkif_request_segment *s, uint32_t page, unsigned int first,
		    unsigned int last)
{
	s->gref = 100 + page;
	s->first_sect = (uint8_t)first;
	s->last_sect = (uint8_t)last;
}

static int push(struct blkif *b)
{
	int event;

	RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&front, event);
	if (event)
		blkif_poll(b);
	return event;
}

/* Wait for one answer; its status. */
static int response(uint64_t *id)
{
	const blkif_response_t *r;
	int status;

	while (!RING_HAS_UNCONSUMED_RESPONSES(&front))
		loop_wait_calls();
	r = RING_GET_RESPONSE(&front, front.rsp_cons);
	*id = r->id;
	status = r->status;
	answered_op = r->operation;
	front.rsp_cons++;
	return status;
}

static int one(struct blkif *b, uint64_t want_id)
{
	uint64_t id;
	int status;

	push(b);
	status = response(&id);
	CHECK(id == want_id);
	return status;
}

static void fill(unsigned int page, unsigned int seed)
{
	unsigned int i;

	for (i = 0; i < BLKIF_PAGE; i++)
		pages[page][i] = (uint8_t)(i * 7 + seed + i / 512);
}

static void test_data(void)
{
	struct blkif *b = connect(1);
	uint8_t on_disk[BLKIF_PAGE];
	blkif_request_t *r;

	fill(0, 1);
	fill(1, 2);
	r = next_request(BLKIF_OP_WRITE, 11, 100);
	r->nr_segments = 2;
	segment(&r->seg[0], 0, 0, 7);
	segment(&r->seg[1], 1, 3, 4);
	CHECK(one(b, 11) == BLKIF_RSP_OKAY);
	CHECK(pread(disk_fd, on_disk, BLKIF_PAGE, 100 * 512) == BLKIF_PAGE);
	CHECK(!memcmp(on_disk, pages[0], BLKIF_PAGE));
	CHECK(pread(disk_fd, on_disk, 1024, 108 * 512) == 1024);
	CHECK(!memcmp(on_disk, pages[1] + 3 * 512, 1024));

	memset(pages[2], 0xee, BLKIF_PAGE);
	r = next_request(BLKIF_OP_READ, 12, 101);
	r->nr_segments = 1;
	segment(&r->seg[0], 2, 5, 6);
	CHECK(one(b, 12) == BLKIF_RSP_OKAY);
	CHECK(!memcmp(pages[2] + 5 * 512, pages[0] + 512, 1024));
	CHECK(pages[2][5 * 512 - 1] == 0xee && pages[2][7 * 512] == 0xee);

	next_request(BLKIF_OP_FLUSH_DISKCACHE, 13, 0);
	CHECK(one(b, 13) == BLKIF_RSP_OKAY);
	r = next_request(BLKIF_OP_FLUSH_DISKCACHE, 14, 200);
	r->nr_segments = 1;
	segment(&r->seg[0], 1, 0, 7);
	CHECK(one(b, 14) == BLKIF_RSP_OKAY);
	CHECK(pread(disk_fd, on_disk, BLKIF_PAGE, 200 * 512) == BLKIF_PAGE);
	CHECK(!memcmp(on_disk, pages[1], BLKIF_PAGE));
	CHECK(notified > 0 && !broken_why);
	blkif_free(b);
}

static void test_discard(void)
{
	struct blkif *b = connect(1);
	blkif_request_discard_t *d = (void *)next_request(BLKIF_OP_DISCARD, 1, 100);
	uint8_t on_disk[BLKIF_PAGE];

	d->nr_sectors = 8;
	CHECK(one(b, 1) == BLKIF_RSP_OKAY);
	CHECK(pread(disk_fd, on_disk, BLKIF_PAGE, 100 * 512) == BLKIF_PAGE);
	CHECK(!on_disk[0] && !memcmp(on_disk, on_disk + 1, BLKIF_PAGE - 1));
	d = (void *)next_request(BLKIF_OP_DISCARD, 2, DISK_SECTORS - 1);
	d->nr_sectors = 2;
	CHECK(one(b, 2) == BLKIF_RSP_ERROR);
	d = (void *)next_request(BLKIF_OP_DISCARD, 3, 0);
	d->nr_sectors = ~0ull;
	CHECK(one(b, 3) == BLKIF_RSP_ERROR);
	d = (void *)next_request(BLKIF_OP_DISCARD, 4, 0);
	d->nr_sectors = 1;
	d->flag = BLKIF_DISCARD_SECURE;
	CHECK(one(b, 4) == BLKIF_RSP_EOPNOTSUPP);
	blkif_free(b);
}

static void test_indirect(void)
{
	struct blkif *b = connect(1);
	struct blkif_request_segment *table = (void *)pages[60];
	unsigned int i, op;

	for (i = 0; i < 40; i++)
		fill(i, i + 50);
	for (op = BLKIF_OP_WRITE + 1; op-- > 0;) {
		blkif_request_indirect_t *r = (void *)next_request(BLKIF_OP_INDIRECT, op, 0);

		/* The request's fields beyond the common ones are set anew. */
		memset(r, 0, sizeof(*r));
		r->operation = BLKIF_OP_INDIRECT;
		r->indirect_op = (uint8_t)op;
		r->id = op;
		r->nr_segments = 40;
		r->sector_number = 1000;
		r->indirect_grefs[0] = 160;
		for (i = 0; i < 40; i++)
			segment(&table[i], op == BLKIF_OP_WRITE ? i : 39 - i, 0, 7);
		CHECK(one(b, op) == BLKIF_RSP_OKAY && answered_op == op);
	}
	for (i = 0; i < 40; i++)
		CHECK(pages[i][0] == (uint8_t)(39 - i + 50));
	blkif_free(b);
}

/* Numbers that make no sense are errors of the request, and the ring goes on. */
static void test_bad_requests(void)
{
	struct blkif *b = connect(1);
	blkif_request_indirect_t *in;
	blkif_request_t *r;
	uint64_t id = 1;
	unsigned int n;

	for (n = 0; n < 8; n++) {
		r = next_request(n & 1 ? BLKIF_OP_WRITE : BLKIF_OP_READ, id, 0);
		r->nr_segments = 1;
		segment(&r->seg[0], 0, 0, 7);
		if (n / 2 == 0)
			segment(&r->seg[0], 0, 5, 4);
		else if (n / 2 == 1)
			segment(&r->seg[0], 0, 0, 8);
		else if (n / 2 == 2)
			r->nr_segments = 12;
		else
			r->sector_number = DISK_SECTORS - 7;
		CHECK(one(b, id++) == BLKIF_RSP_ERROR);
	}
	r = next_request(BLKIF_OP_READ, id, ~0ull);
	r->nr_segments = 1;
	CHECK(one(b, id++) == BLKIF_RSP_ERROR);
	next_request(BLKIF_OP_READ, id, 0); /* no segment */
	CHECK(one(b, id++) == BLKIF_RSP_ERROR);
	r = next_request(BLKIF_OP_WRITE, id, 0);
	r->nr_segments = 1;
	segment(&r->seg[0], 5000, 0, 7); /* no such grant */
	CHECK(one(b, id++) == BLKIF_RSP_ERROR);
	next_request(99, id, 0);
	CHECK(one(b, id++) == BLKIF_RSP_EOPNOTSUPP);
	for (n = 0; n < 3; n++) {
		in = (void *)next_request(BLKIF_OP_INDIRECT, id, 0);
		memset(in, 0, sizeof(*in));
		in->operation = BLKIF_OP_INDIRECT;
		in->id = id;
		in->nr_segments = n == 0 ? 0 : n == 1 ? 257 : 1;
		in->indirect_op = n == 2 ? BLKIF_OP_INDIRECT : BLKIF_OP_READ;
		in->indirect_grefs[0] = 160;
		CHECK(one(b, id++) == BLKIF_RSP_ERROR);
	}
	r = next_request(BLKIF_OP_READ, id, 0);
	r->nr_segments = 1;
	segment(&r->seg[0], 0, 0, 0);
	CHECK(one(b, id) == BLKIF_RSP_OKAY);
	CHECK(!broken_why);
	blkif_free(b);
}

/* More requests than may be in flight: all are answered, each once. */
static void test_full_ring(unsigned int nr_pages)
{
	struct blkif *b = connect(nr_pages);
	unsigned int size = RING_SIZE(&front), round, i;
	uint8_t seen[256];
	uint64_t id;

	CHECK(size == (nr_pages == 1 ? 32 : 128));
	for (round = 0; round < 5; round++) {
		memset(seen, 0, sizeof(seen));
		for (i = 0; i < size; i++) {
			blkif_request_t *r =
				next_request(i & 1 ? BLKIF_OP_WRITE : BLKIF_OP_READ, i, i * 8);

			r->nr_segments = 1;
			segment(&r->seg[0], i % 32, 0, 7);
		}
		push(b);
		for (i = 0; i < size; i++) {
			CHECK(response(&id) == BLKIF_RSP_OKAY && id < size && !seen[id]++);
			/* What a front end does before it sleeps. */
			front.sring->rsp_event = front.rsp_cons + 1;
		}
	}
	CHECK(!broken_why);
	blkif_free(b);
}

static void test_producer_runs_away(void)
{
	static const uint32_t jumps[] = { 33, 1000, 0x80000000, 0xffffffff };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(jumps); i++) {
		struct blkif *b = connect(1);

		front.sring->req_prod = jumps[i];
		blkif_poll(b);
		CHECK(broken_why != NULL);
		CHECK(front.sring->rsp_prod == 0);
		front.sring->req_prod = 1;
		blkif_poll(b);
		CHECK(front.sring->rsp_prod == 0);
		blkif_free(b);
	}
}

/* The other fields of the ring are the front end's to write nonsense to; ours do not follow. */
static void test_scribbled_ring(void)
{
	struct blkif *b = connect(1);
	blkif_request_t *r;
	unsigned int i;

	for (i = 0; i < 50; i++) {
		uint64_t id;

		r = next_request(BLKIF_OP_READ, i, 0);
		r->nr_segments = 1;
		segment(&r->seg[0], 0, 0, 7);
		RING_PUSH_REQUESTS(&front);
		front.sring->rsp_prod = 77777;
		front.sring->req_event = 4242;
		front.sring->rsp_event = 1u << 31;
		blkif_poll(b);
		while (front.sring->rsp_prod != i + 1)
			loop_wait_calls();
		CHECK(response(&id) == BLKIF_RSP_OKAY && id == i);
	}
	CHECK(!broken_why);
	blkif_free(b);
}

/* The layout of 32-bit front ends: 8-byte fields are aligned to 4. */
static void test_layout_32(void)
{
	struct blkif *b;
	uint8_t *r = ring_memory + 64;
	uint32_t *head = (uint32_t *)ring_memory;

	blkif_free(connect(1));
	b = blkif_new(ring_memory, BLKIF_PAGE, BLKIF_LAYOUT_32, blk, &ops, NULL);
	fill(3, 9);
	r[0] = BLKIF_OP_WRITE;
	r[1] = 1;
	store_le(r + 4, 0x1122334455667788, 8);
	store_le(r + 12, 300, 8);
	put_le32(r + 20, 103);
	r[24] = 0;
	r[25] = 7;
	head[0] = 1;
	blkif_poll(b);
	while (!head[2])
		loop_wait_calls();
	CHECK(load_le(r, 8) == 0x1122334455667788 && r[8] == BLKIF_OP_WRITE && !get_le16(r + 10));
	CHECK(pread(disk_fd, pages[4], BLKIF_PAGE, 300 * 512) == BLKIF_PAGE);
	CHECK(!memcmp(pages[3], pages[4], BLKIF_PAGE));
	blkif_free(b);
}

int main(void)
{
	struct block_params p = { .file = "disk", .format = "raw", .discard = true };

	disk_fd = memfd_create("disk", 0);
	if (disk_fd < 0 || ftruncate(disk_fd, DISK_SECTORS * 512))
		return 1;
	loop_init();
	p.fd = dup(disk_fd);
	blk = block_open(block_host_new(), &p);
	if (!blk)
		return 1;
	test_data();
	test_discard();
	test_indirect();
	test_bad_requests();
	test_full_ring(1);
	test_full_ring(4);
	test_producer_runs_away();
	test_scribbled_ring();
	test_layout_32();
	block_close(blk);
	return check_report("check-dm-pv");
}
