/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What Plinth has for device models beyond Xen's interface (xen/hvm/dm_op.h): two operations, calls from user
 * mode, and reads ahead in the page of request slots. Other hypervisors answer an error to the operations;
 * without them the event channels work as ever. docs/ioreq.md.
 */
#ifndef PLINTH_PUBLIC_DM_OP_H
#define PLINTH_PUBLIC_DM_OP_H

#include <stdint.h>

/*
 * User calls may be made for the server from now on, by processes that show that they serve it (below). In place of
 * struct xen_dm_op, like the other one. 0, -EINVAL or -ENOENT.
 */
#define PLINTH_DMOP_user_calls 0x504c0001u

struct plinth_dm_op_user_calls {
	uint32_t op;
	uint32_t pad;
	uint16_t server, reserved[3];
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
 * User calls: VMMCALL, or VMCALL where the CPU's vendor has that, executed by the device model itself in user mode of
 * domain 0, so that its kernel has no part in it. RAX says which call it is and has the result afterwards: 0 or
 * -errno. Other numbers, other domains and other hypervisors raise exceptions: ask by PLINTH_DMOP_user_calls first.
 *
 * Attach: RDI = PLINTH_USER_ARG(domid, server, 0, 0), RSI = where the caller has the server's page of request slots
 * mapped for writing. From then on the caller's address space, and no other, may donate for that server. -EFAULT:
 * no page is there that can be written; -EPERM: it is not that one, or there may be no user calls.
 *
 * Donate: RDI = PLINTH_USER_ARG(domid, server, vcpu, answered). The calling thread gives its CPU to that vCPU of the guest
 * in place of sleeping until the next request's event: it is as if the call took so long. answered: the vCPU whose
 * slot now holds an answer (instead of the event), or PLINTH_NO_ANSWER. 0 after the vCPU ran, or when something
 * waits for the caller's domain: look at the request slots, the buffered ring and everything else. -EBUSY: the vCPU
 * halts, is paused or runs on another CPU; wait for the events. In both cases the answer has been delivered.
 */
#define PLINTH_USER_ATTACH 0x504c0011u
#define PLINTH_USER_DONATE 0x504c0012u
#define PLINTH_NO_ANSWER   0xffffu

#define PLINTH_USER_ARG(domid, server, vcpu, answered)                                 \
	((uint64_t)(domid) << 48 | (uint64_t)(server) << 32 | (uint64_t)(vcpu) << 16 | \
	 (uint64_t)(answered))

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
