/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What device models may ask for, and how much of it (xen/hvm/dm_op.h). */
#include "cases.h"
#include <xen/hvm/dm_op.h>
#include "public/plinth_dm_op.h"
#include "vmm/hvm/ioreq_private.h"

#define B	    DOMID_B /* the HVM guest */
#define SERVERS_MAX 8
#define RANGES_MAX  256

/* One operation on `about` as `caller`; the structure is copied in and out. */
static long dm_op(domid_t caller, domid_t about, struct xen_dm_op *op)
{
	struct xen_dm_op_buf buf = { .size = sizeof(*op) };
	void *at = guest_page(caller, SCRATCH_GFN);
	long rc;

	guest_handle_set(buf.h, LIST);
	memcpy(guest_page(caller, ARG_GFN), &buf, sizeof(buf));
	memcpy(at, op, sizeof(*op));
	rc = call_as(caller, 0, __HYPERVISOR_dm_op, about, 1, ARG, 0);
	memcpy(op, at, sizeof(*op));
	return rc;
}

static long create(domid_t caller, domid_t about, ioservid_t *id)
{
	struct xen_dm_op op = { .op = XEN_DMOP_create_ioreq_server };
	long rc = dm_op(caller, about, &op);

	*id = op.u.create_ioreq_server.id;
	return rc;
}

static long destroy(ioservid_t id)
{
	struct xen_dm_op op = { .op = XEN_DMOP_destroy_ioreq_server };

	op.u.destroy_ioreq_server.id = id;
	return dm_op(0, B, &op);
}

static long claim(ioservid_t id, uint32_t type, uint64_t start, uint64_t end)
{
	struct xen_dm_op op = { .op = XEN_DMOP_map_io_range_to_ioreq_server };

	op.u.map_io_range_to_ioreq_server.id = id;
	op.u.map_io_range_to_ioreq_server.type = type;
	op.u.map_io_range_to_ioreq_server.start = start;
	op.u.map_io_range_to_ioreq_server.end = end;
	return dm_op(0, B, &op);
}

CASE(ioreq_servers_end_at_the_limit)
{
	ioservid_t id[SERVERS_MAX], none;

	EXPECT(create(DOMID_A, B, &none), == -EPERM);
	EXPECT(create(0, DOMID_A, &none), == -EINVAL); /* a PVH guest has no devices */
	for (unsigned int i = 0; i < SERVERS_MAX; i++)
		EXPECT(create(0, B, &id[i]), == 0);
	EXPECT(create(0, B, &none), == -ENOSPC);
	EXPECT(destroy(id[3]), == 0);
	EXPECT(destroy(id[3]), < 0);
	EXPECT(create(0, B, &none), == 0);
	EXPECT(none, == id[3]);
}

CASE(ioreq_ranges_end_at_the_limit)
{
	ioservid_t id, other;
	unsigned int n;

	EXPECT(create(0, B, &id), == 0);
	EXPECT(create(0, B, &other), == 0);
	for (n = 0; n < RANGES_MAX; n++)
		EXPECT(claim(id, XEN_DMOP_IO_RANGE_PORT, 0x1000 + 4 * n, 0x1003 + 4 * n), == 0);
	EXPECT(claim(id, XEN_DMOP_IO_RANGE_PORT, 0x5000, 0x5003), == -ENOSPC);
	EXPECT(claim(id, XEN_DMOP_IO_RANGE_MEMORY, 0xf0000000, 0xf0000fff), == 0);
	/* Overlap is refused inside one server only. */
	EXPECT(claim(id, XEN_DMOP_IO_RANGE_MEMORY, 0xf0000800, 0xf0001fff), == -EEXIST);
	EXPECT(claim(other, XEN_DMOP_IO_RANGE_MEMORY, 0xf0000800, 0xf0001fff), == 0);
	EXPECT(claim(id, XEN_DMOP_IO_RANGE_MEMORY, 0xf0003000, 0xf0002fff), == -EINVAL);
	EXPECT(claim(id, 3, 0, 0), == -EINVAL);
}

/* --- the look-up of servers, beside one that goes over all ranges ------------------------------------- */

#define MAP_RANGES 24U
#define MAP_SIZE   40U
#define MAP_TURNS  20000U

struct claimed {
	struct ioreq_range r; /* numbers below MAP_SIZE, counted from `base` */
	unsigned int server;
	bool used;
};

static unsigned int map_number(unsigned int n)
{
	static uint64_t seed = 1;

	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned int)(seed >> 33) % n;
}

/* The servers whose ranges hold each address from `first` to `last`. */
static uint8_t claimed_by(const struct claimed *c, uint64_t first, uint64_t last)
{
	uint8_t all = 0xff;

	for (uint64_t at = first; at <= last; at++) {
		uint8_t here = 0;

		for (unsigned int i = 0; i < MAP_RANGES; i++)
			if (c[i].used && c[i].r.start <= at && at <= c[i].r.end)
				here |= (uint8_t)BIT(c[i].server);
		all &= here;
	}
	return all;
}

static bool meets_its_own(const struct claimed *c, const struct claimed *n)
{
	for (unsigned int i = 0; i < MAP_RANGES; i++)
		if (c[i].used && c[i].server == n->server && c[i].r.start <= n->r.end &&
		    n->r.start <= c[i].r.end)
			return true;
	return false;
}

static struct ioreq_range moved(const struct ioreq_range *r, uint64_t base)
{
	return (struct ioreq_range){ base + r->start, base + r->end };
}

/* Claims one range or gives one back, at random. */
static void change_map(struct ioreq_map *m, struct claimed *c, uint64_t base)
{
	struct claimed *slot = &c[map_number(MAP_RANGES)], n = { .used = true };
	struct ioreq_range r = moved(&slot->r, base);
	unsigned int nr = 0;

	if (slot->used) {
		ioreq_map_release(m, &r, slot->server);
		slot->used = false;
		return;
	}
	n.server = map_number(3) * 3;
	n.r.start = map_number(MAP_SIZE);
	n.r.end = min(n.r.start + map_number(12), MAP_SIZE - 1UL);
	if (meets_its_own(c, &n))
		return;
	for (unsigned int i = 0; i < MAP_RANGES; i++)
		nr += c[i].used;
	r = moved(&n.r, base);
	EXPECT(ioreq_map_claim(m, nr, &r, n.server), == 0);
	*slot = n;
}

static void compare_maps(uint64_t base)
{
	struct claimed c[MAP_RANGES] = { 0 };
	struct ioreq_map m = { 0 };

	for (unsigned int turn = 0; turn < MAP_TURNS; turn++) {
		uint64_t first = map_number(MAP_SIZE),
			 last = min(first + map_number(8), MAP_SIZE - 1UL);

		change_map(&m, c, base);
		EXPECT(ioreq_map_servers(&m, base + first, base + last),
		       == claimed_by(c, first, last));
		EXPECT(m.row[m.now].nr <= 2 * MAP_RANGES, == 1);
	}
	/* All of one server's at once, as when it ends. */
	ioreq_map_release(&m, &(struct ioreq_range){ 0, ~0ULL }, 3);
	for (unsigned int i = 0; i < MAP_RANGES; i++)
		c[i].used &= c[i].server != 3;
	for (uint64_t at = 0; at < MAP_SIZE; at++)
		EXPECT(ioreq_map_servers(&m, base + at, base + at), == claimed_by(c, at, at));
	ioreq_map_free(&m);
}

CASE(ioreq_look_up)
{
	compare_maps(0);
	compare_maps(0x1000);
	compare_maps(~0ULL - (MAP_SIZE - 1));
}

/* What the guest's IN gets from what the device model left, or -1 for a request. */
static int64_t take(const struct ioreq_server *srv, uint32_t port, unsigned int size)
{
	ioreq_t p = {
		.type = IOREQ_TYPE_PIO, .dir = IOREQ_READ, .addr = port, .size = size, .count = 1
	};
	uint64_t val;

	return ioreq_take_ahead(domain_vcpu(dom(B), 0), srv, &p, &val) ? (int64_t)val : -1;
}

CASE(reads_ahead_come_in_order_and_no_further)
{
	ioservid_t id;
	struct ioreq_server *srv;
	struct plinth_read_ahead *a;

	EXPECT(create(0, B, &id), == 0);
	srv = &dom(B)->hvm.ioreq->server[id];
	a = (void *)((uint8_t *)page_to_virt(srv->page) + PLINTH_AHEAD_OFFSET);
	EXPECT(take(srv, 0x310, 2), == -1);
	memcpy(a->data, "\x44\x33\x22\x11", 4);
	a->state = PLINTH_AHEAD_STATE(2, 2, 0x310, 7);
	EXPECT(take(srv, 0x310, 1), == -1);
	EXPECT(take(srv, 0x312, 2), == -1);
	EXPECT(take(srv, 0x310, 2), == 0x1122);
	EXPECT(a->state, == PLINTH_AHEAD_STATE(1, 2, 0x310, 7));
	EXPECT(take(srv, 0x310, 2), == 0x3344);
	EXPECT(take(srv, 0x310, 2), == -1);
	EXPECT(PLINTH_AHEAD_LEFT(a->state), == 0);
	/* More than there is room for, as a hostile device model says. */
	a->state = PLINTH_AHEAD_STATE(PLINTH_AHEAD_BYTES / 4 + 1, 4, 0x310, 8);
	EXPECT(take(srv, 0x310, 4), == -1);
}

CASE(reads_ahead_wait_for_posted_writes)
{
	struct xen_dm_op op = { .op = XEN_DMOP_create_ioreq_server };
	struct plinth_read_ahead *a;
	struct ioreq_server *srv;
	buffered_iopage_t *ring;

	op.u.create_ioreq_server.handle_bufioreq = HVM_IOREQSRV_BUFIOREQ_ATOMIC;
	EXPECT(dm_op(0, B, &op), == 0);
	srv = &dom(B)->hvm.ioreq->server[op.u.create_ioreq_server.id];
	a = (void *)((uint8_t *)page_to_virt(srv->page) + PLINTH_AHEAD_OFFSET);
	ring = page_to_virt(srv->buf_page);
	a->data[0] = 0x55;
	a->state = PLINTH_AHEAD_STATE(1, 1, 0x310, 1);
	ring->write_pointer++;
	EXPECT(take(srv, 0x310, 1), == -1);
	ring->read_pointer++;
	EXPECT(take(srv, 0x310, 1), == 0x55);
}
