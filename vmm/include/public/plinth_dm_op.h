/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What Plinth has for device models beyond Xen's interface (xen/hvm/dm_op.h): two operations, and reads ahead in
 * the page of request slots. Donation: the calling
 * thread gives its CPU to a vCPU of the guest instead of sleeping until the next request's event, so that
 * a request costs two switches of vCPUs and one system call. Other hypervisors answer an error; the event
 * channels work as ever beside it. docs/ioreq.md, "Donation".
 *
 * Two forms of HYPERVISOR_dm_op: with one buffer that holds struct plinth_dm_op_donate, for processes
 * whose /dev/xen/privcmd is restricted to the guest; and without buffers, argument 2 being
 * PLINTH_DONATE_ARG(...), which spares both kernels the copies.
 */
#ifndef PLINTH_PUBLIC_DM_OP_H
#define PLINTH_PUBLIC_DM_OP_H

#include <stdint.h>

#define PLINTH_DMOP_donate 0x504c0001u

/* No answer goes with this call. */
#define PLINTH_DONATE_NO_ANSWER 0xffffu

/* server: the caller's ioreq server, below 256; vcpu: which one to run; answered: see below. */
#define PLINTH_DONATE_ARG(server, vcpu, answered) \
	(0x504cULL << 48 | (uint64_t)(server) << 32 | (uint64_t)(vcpu) << 16 | (uint64_t)(answered))

/*
 * In place of struct xen_dm_op. answered: the vCPU whose slot now holds an answer (instead of the event),
 * or PLINTH_DONATE_NO_ANSWER.
 * Returns 0 after the vCPU ran, or when something waits for the caller's domain: look at the request
 * slots, the buffered ring and everything else. -EBUSY: the vCPU halts, is paused or runs on another CPU;
 * wait for the events. In both cases the answer has been delivered.
 */
struct plinth_dm_op_donate {
	uint32_t op;
	uint32_t pad;
	uint16_t server, vcpu, answered, reserved;
};

/*
 * Writes to ports first..last, which the server has claimed, may be posted: put into the ring of buffered
 * requests, while the guest goes on. For registers whose contents only a later access to the device can show.
 * The server takes what is in the ring before each synchronous request, so that order is kept; without one it may
 * see the write late. Ends when the range that holds them is given back. 0, -EINVAL, -ENOENT or -ENOSPC.
 */
#define PLINTH_DMOP_post_writes 0x504c0002u

struct plinth_dm_op_post_writes {
	uint32_t op;
	uint32_t pad;
	uint16_t server, first, last, reserved;
};

/*
 * Reads ahead: what the next reads of one port will get, without a request. The second half of the page of request
 * slots holds it, which the slots of guests with at most 64 vCPUs leave free. The device model writes the data,
 * then the state word; the VMM takes items one by one, each by a compare-and-exchange of the word, while the ring of
 * buffered requests is empty; the device model takes the rest back by exchanging the word for 0, before it
 * serves any request. Other hypervisors do not look at it.
 */
#define PLINTH_AHEAD_MAX_VCPUS 64u
#define PLINTH_AHEAD_OFFSET    2048u
#define PLINTH_AHEAD_BYTES     2040u

/* Items left, their size (1, 2 or 4), the port, and a number that is another one each time. */
#define PLINTH_AHEAD_STATE(left, size, port, number)                          \
	((uint64_t)(left) | (uint64_t)(size) << 16 | (uint64_t)(port) << 32 | \
	 (uint64_t)(number) << 48)
#define PLINTH_AHEAD_LEFT(state) ((uint32_t)(state)&0xffffu)
#define PLINTH_AHEAD_WHAT(state) ((state)&0x0000ffff00ff0000u)

struct plinth_read_ahead {
	uint64_t state; /* 0: nothing */
	uint8_t data
		[PLINTH_AHEAD_BYTES]; /* last item first: the next one is item number left - 1 */
};

#endif
