// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hostile=tick: a guest that goes on, and shows when it does not. As a PVH guest it suspends when the tools ask for
 * that in xenstore, which they ask of each PVH guest that is saved or migrated.
 */
#include "payload.h"
#include <xen/xen.h>
#include <xen/event_channel.h>
#include <xen/sched.h>
#include <xen/hvm/params.h>
#include <xen/io/xs_wire.h>

#define POLLS_PER_TICK 5
#define POLL_US	       100000
#define REPLY_US       60000000

/* Ring and port are asked for each time: those of another domain may have taken their places. */
static volatile struct xenstore_domain_interface *store_ring(void)
{
	u64 pfn = xen_hvm_param(HVM_PARAM_STORE_PFN);

	return pfn && pfn < 0x100000 ? (void *)(ulong)(pfn << 12) : NULL;
}

static void store_notify(void)
{
	struct evtchn_send send = { .port = xen_hvm_param(HVM_PARAM_STORE_EVTCHN) };

	hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_send, (ulong)&send, 0, 0, 0);
}

/* Requests here are shorter than a ring that is empty. */
static void store_put(volatile struct xenstore_domain_interface *ring, const void *data, u32 len)
{
	const char *from = data;
	u32 at = ring->req_prod;

	for (; len; len--)
		/* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign): it does not know strlen() */
		ring->req[MASK_XENSTORE_IDX(at++)] = *from++;
	barrier();
	ring->req_prod = at;
}

/* What does not fit into `max` is read and dropped. */
static bool store_get(volatile struct xenstore_domain_interface *ring, void *data, u32 len, u32 max)
{
	u32 k;

	for (k = 0; k < len; k++) {
		if (!WAIT_FOR(ring->rsp_prod != ring->rsp_cons, REPLY_US))
			return false;
		barrier();
		if (k < max)
			((char *)data)[k] = ring->rsp[MASK_XENSTORE_IDX(ring->rsp_cons)];
		barrier();
		ring->rsp_cons++;
	}
	return true;
}

/* The reply to request `id`; what an earlier one left behind is dropped. */
static bool store_reply(volatile struct xenstore_domain_interface *ring, u32 id, char *value,
			u32 max)
{
	struct xsd_sockmsg msg;

	do {
		if (!store_get(ring, &msg, sizeof(msg), sizeof(msg)) ||
		    !store_get(ring, value, msg.len, max - 1))
			return false;
		store_notify();
	} while (msg.req_id != id);
	value[msg.len < max ? msg.len : max - 1] = 0;
	return msg.type != XS_ERROR;
}

/* Reads the node, or writes `write` into it; false when xenstored refuses or does not answer. */
static bool store_node(const char *path, const char *write, char *value, u32 max)
{
	static u32 id;
	volatile struct xenstore_domain_interface *ring = store_ring();
	struct xsd_sockmsg msg = { .type = write ? XS_WRITE : XS_READ, .req_id = ++id };

	if (!ring)
		return false;
	msg.len = strlen(path) + 1 + (write ? strlen(write) : 0);
	store_put(ring, &msg, sizeof(msg));
	store_put(ring, path, strlen(path) + 1);
	if (write)
		store_put(ring, write, strlen(write));
	store_notify();
	return store_reply(ring, id, value, max);
}

static void answer_suspend(void)
{
	char value[16];

	if (!store_node("control/shutdown", NULL, value, sizeof(value)) ||
	    strncmp(value, "suspend", sizeof(value)) ||
	    !store_node("control/shutdown", "", value, sizeof(value)))
		return;
	print("HOSTILE: suspends\n");
	if (xen_shutdown(SHUTDOWN_suspend)) {
		print("HOSTILE: goes on\n");
		return;
	}
	xen_console_init();
	print("HOSTILE: goes on in another domain\n");
}

void hostile_tick(u64 count)
{
	unsigned int k;
	u64 i;

	for (i = 0; i < count; i++) {
		print("HOSTILE: tick %llu\n", i);
		for (k = 0; k < POLLS_PER_TICK; k++) {
			delay_us(POLL_US);
			if (plat.is_xen && !plat.has_com1)
				answer_suspend();
		}
	}
}
