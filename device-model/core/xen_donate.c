/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What goes beyond Xen's interface (plinth_dm_op.h): writes that may be posted, and donation. Instead of sleeping
 * until the guest's next request, the main thread gives its CPU to the guest's vCPU, by a call to the hypervisor
 * that its kernel has no part in. So a request costs two switches of vCPUs. Only while nothing else could become
 * ready without an interrupt of this kernel: not with block requests in flight, whose threads need the CPU
 * themselves. Xen does not know the operation; then the event channels of xen_ioreq.c serve alone.
 */
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <x86intrin.h>

#include "block/block.h"
#include "core/log.h"
#include "core/loop.h"
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

/* First letters of the vendor's name. */
#define SIGNATURE_HYGON 0x6f677948u

/* The kernel's interface of /dev/xen/privcmd (its header wants others that are not installed). */
struct privcmd_dm_op_buf {
	void *uptr;
	size_t size;
};
struct privcmd_dm_op {
	domid_t dom;
	uint16_t num;
	const struct privcmd_dm_op_buf *ubufs;
};
#define IOCTL_PRIVCMD_DM_OP _IOC(_IOC_NONE, 'P', 5, sizeof(struct privcmd_dm_op))

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

/* VMMCALL on AMD's CPUs and their like, else VMCALL. Only where the hypervisor said that it takes user calls. */
static bool vendor_is_amd(void)
{
	unsigned int a, b, c, d;

	return __get_cpuid(0, &a, &b, &c, &d) && (b == signature_AMD_ebx || b == SIGNATURE_HYGON);
}

static int user_call(const struct xen_vmm *x, uint64_t nr, uint64_t arg, const void *page)
{
	uint64_t rc = nr;

	if (x->has_vmmcall)
		__asm__ volatile("vmmcall" : "+a"(rc) : "D"(arg), "S"(page) : "memory");
	else
		__asm__ volatile("vmcall" : "+a"(rc) : "D"(arg), "S"(page) : "memory");
	return (int)rc;
}

static int donate(const struct xen_vmm *x, unsigned int answered)
{
	uint64_t arg = PLINTH_USER_ARG(x->domid, x->server, x->last_vcpu, answered);

	return user_call(x, PLINTH_USER_DONATE, arg, NULL);
}

/* Serve what is in the slots. The answer for the last one found goes with the next donation. */
static bool serve_slots(struct machine *m, uint16_t *answered)
{
	struct xen_vmm *x = xen_vmm(m);
	unsigned int i;
	bool found = false;

	for (i = 0; i < x->nr_vcpus; i++) {
		if (!xen_ioreq_serve_slot(m, i))
			continue;
		if (found)
			xen_ioreq_notify(m, *answered);
		*answered = (uint16_t)i;
		found = true;
	}
	if (!found) /* a request would have come after them */
		xen_ioreq_serve_buffered(m);
	return found;
}

/* Whether the loop has to do something itself. Deferred calls are short, and the guest's answer waits. */
static bool loop_wanted(const struct machine *m, uint64_t *looked)
{
	loop_run_calls();
	if (block_busy(m->disks) || loop_has_calls() || loop_quitting())
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
	uint16_t answered = PLINTH_NO_ANSWER;
	uint64_t looked = __rdtsc();
	unsigned int round;
	int rc = 0;

	for (round = 0; !rc && round < DONATE_ROUNDS && x->serving; round++) {
		if (serve_slots(m, &answered))
			x->last_vcpu = answered;
		else if (round)
			break;
		if (loop_wanted(m, &looked) || !x->serving)
			break;
		rc = donate(x, answered);
		answered = PLINTH_NO_ANSWER;
	}
	if (answered != PLINTH_NO_ANSWER)
		xen_ioreq_notify(m, answered);
	if (rc && rc != -EBUSY) {
		log_trace(TRACE_IOREQ, "no donation: %s", strerror(-rc));
		loop_set_idle(NULL, NULL);
	}
	return !rc && round;
}

/* 0: this process may donate from now on. */
static int attach(struct xen_vmm *x)
{
	struct plinth_dm_op_user_calls op = {
		.op = PLINTH_DMOP_user_calls,
		.server = x->server,
	};

	if (dm_op(x, &op, sizeof(op)))
		return -errno;
	x->has_vmmcall = vendor_is_amd();
	return user_call(x, PLINTH_USER_ATTACH, PLINTH_USER_ARG(x->domid, x->server, 0, 0),
			 x->shared);
}

void xen_donate_start(struct machine *m)
{
	struct xen_vmm *x = xen_vmm(m);
	int rc = x->privcmd_fd < 0 ? -ENODEV : attach(x);

	if (x->privcmd_fd >= 0)
		close(x->privcmd_fd); /* it is good for every domain */
	x->privcmd_fd = -1;
	if (rc)
		log_trace(TRACE_IOREQ, "no donation: %s", strerror(-rc));
	else
		loop_set_idle(donate_while_idle, m);
}
