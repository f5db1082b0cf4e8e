/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What device models may ask for, and how much of it (xen/hvm/dm_op.h). */
#include "cases.h"
#include <xen/hvm/dm_op.h>

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
