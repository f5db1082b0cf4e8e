/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What goes beyond Xen's interface: writes that may be posted, and donation. Instead of sleeping until the guest's next request, the main thread gives its CPU to the
 * guest's vCPU (vmm/include/public/plinth_dm_op.h), so that a request costs two switches of vCPUs and one
 * system call. Only while nothing else could become ready without an interrupt of this kernel: not with
 * block requests in flight, whose threads need the CPU themselves. Xen does not know the operation; then
 * the event channels of xen_ioreq.c serve alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <x86intrin.h>

#include "block/block.h"
#include "core/confine.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/options.h"
#include "core/xen_priv.h"
#include "plinth_dm_op.h"

/*
 * Requests in a row before descriptors and timers get their turn, and time stamp counts (a tenth of a
 * millisecond at usual clock rates) before they are looked at. 64 requests of a guest that computes between
 * them took 10 ms, and so long waited each answer to a network boot's requests. Leaving costs what donation
 * saves, so it is done only for a reason.
 */
#define DONATE_ROUNDS 64
#define DONATE_TICKS  300000

/* The kernel's interface of /dev/xen/privcmd (its header wants others that are not installed). */
struct privcmd_hypercall {
	uint64_t op;
	uint64_t arg[5];
};
struct privcmd_dm_op_buf {
	void *uptr;
	size_t size;
};
struct privcmd_dm_op {
	domid_t dom;
	uint16_t num;
	const struct privcmd_dm_op_buf *ubufs;
};
#define IOCTL_PRIVCMD_HYPERCALL _IOC(_IOC_NONE, 'P', 0, sizeof(struct privcmd_hypercall))
#define IOCTL_PRIVCMD_DM_OP	_IOC(_IOC_NONE, 'P', 5, sizeof(struct privcmd_dm_op))
#define IOCTL_PRIVCMD_RESTRICT	_IOC(_IOC_NONE, 'P', 6, sizeof(domid_t))

static int dm_op(struct xen_vmm *x, void *op, size_t size)
{
	struct privcmd_dm_op_buf buf = { op, size };
	struct privcmd_dm_op call = { x->domid, 1, &buf };

	return ioctl(x->privcmd_fd, IOCTL_PRIVCMD_DM_OP, &call);
}

void xen_plinth_open(struct machine *m)
{
	xen_vmm(m)->privcmd_fd = open("/dev/xen/privcmd", O_RDWR | O_CLOEXEC);
}

/* Other hypervisors answer an error, and each write waits. */
void xen_post_writes(struct machine *m, uint32_t first, uint32_t last)
{
	struct xen_vmm *x = xen_vmm(m);
	struct plinth_dm_op_post_writes op = {
		.op = PLINTH_DMOP_post_writes,
		.server = x->server,
		.first = (uint16_t)first,
		.last = (uint16_t)last,
	};

	if (x->privcmd_fd >= 0 && dm_op(x, &op, sizeof(op)))
		log_trace(TRACE_IOREQ, "writes to ports 0x%x-0x%x wait: %s", first, last,
			  strerror(errno));
}

static int donate_restricted(struct xen_vmm *x, uint16_t answered)
{
	struct plinth_dm_op_donate op = {
		.op = PLINTH_DMOP_donate,
		.server = x->server,
		.vcpu = x->last_vcpu,
		.answered = answered,
	};

	return dm_op(x, &op, sizeof(op));
}

static int donate(struct machine *m, uint16_t answered)
{
	struct xen_vmm *x = xen_vmm(m);
	struct privcmd_hypercall call = {
		__HYPERVISOR_dm_op,
		{ x->domid, 0, PLINTH_DONATE_ARG(x->server, x->last_vcpu, answered) },
	};
	int rc = confine_restricts(m->opt) ? donate_restricted(x, answered)
					   : ioctl(x->privcmd_fd, IOCTL_PRIVCMD_HYPERCALL, &call);

	return rc ? -errno : 0;
}

/* Serve what is in the slots. The answer for the last one found goes with the next donation. */
static bool serve_slots(struct machine *m, uint16_t *answered)
{
	struct xen_vmm *x = xen_vmm(m);
	unsigned int i;
	bool found = false;

	xen_ioreq_serve_buffered(m);
	for (i = 0; i < x->nr_vcpus; i++) {
		if (!xen_ioreq_serve_slot(m, i))
			continue;
		if (found)
			xen_ioreq_notify(m, *answered);
		*answered = (uint16_t)i;
		found = true;
	}
	return found;
}

/* Whether the loop has to do something itself. Deferred calls are short, and the guest's answer waits. */
static bool loop_wanted(uint64_t *looked)
{
	loop_run_calls();
	if (block_busy() || loop_has_calls() || loop_quitting())
		return true;
	if (__rdtsc() - *looked < DONATE_TICKS)
		return false;
	*looked = __rdtsc();
	return loop_ready();
}

/*
 * The loop is about to sleep. True: look at descriptors and timers once, without sleeping. Requests that
 * came by an event are served first: their vCPU cannot run before.
 */
static bool donate_while_idle(void *opaque)
{
	struct machine *m = opaque;
	struct xen_vmm *x = xen_vmm(m);
	uint16_t answered = PLINTH_DONATE_NO_ANSWER;
	uint64_t looked = __rdtsc();
	unsigned int round;
	int rc = 0;

	for (round = 0; !rc && round < DONATE_ROUNDS && x->serving; round++) {
		if (serve_slots(m, &answered))
			x->last_vcpu = answered;
		else if (round)
			break;
		if (loop_wanted(&looked) || !x->serving)
			break;
		rc = donate(m, answered);
		answered = PLINTH_DONATE_NO_ANSWER;
	}
	if (answered != PLINTH_DONATE_NO_ANSWER)
		xen_ioreq_notify(m, answered);
	if (rc && rc != -EBUSY) {
		log_trace(TRACE_IOREQ, "no donation: %s", strerror(-rc));
		loop_set_idle(NULL, NULL);
	}
	return !rc && round;
}

void xen_donate_start(struct machine *m)
{
	struct xen_vmm *x = xen_vmm(m);

	if (x->privcmd_fd >= 0 && confine_restricts(m->opt) &&
	    ioctl(x->privcmd_fd, IOCTL_PRIVCMD_RESTRICT, &x->domid)) {
		close(x->privcmd_fd); /* good for every domain */
		x->privcmd_fd = -1;
	}
	if (x->privcmd_fd < 0)
		log_trace(TRACE_IOREQ, "no donation: %s", strerror(errno));
	else
		loop_set_idle(donate_while_idle, m);
}
