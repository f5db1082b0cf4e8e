/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HYPERVISOR_sched_op (xen/sched.h) and set_timer_op. */
#include "handlers.h"
#include "hvm_ops.h"
#include "sched.h"
#include "../domain/event_private.h"
#include <xen/sched.h>

#define POLL_PORTS_MAX 128U

static long op_block(struct vcpu *v)
{
	vcpu_info(v)->evtchn_upcall_mask = 0;
	vcpu_block(v, VPF_BLOCKED);
	return 0;
}

/* Is one of the ports pending? 1, 0 or -errno. */
static int poll_check(struct domain *d, uint64_t ports_la, unsigned int nr)
{
	evtchn_port_t port;
	int rc;

	for (unsigned int i = 0; i < nr; i++) {
		if (copy_from_guest_la(&port, ports_la + i * sizeof(port), sizeof(port)))
			return -EFAULT;
		rc = evtchn_poll_pending(d, port);
		if (rc)
			return rc;
	}
	return 0;
}

/*
 * The flags go up before the ports are looked at: an event that comes in between clears them again, and
 * then the vCPU does not stop. An interrupt that could be taken at once also ends the wait; an upcall flag
 * that nobody has a callback for (hvmloader) does not.
 */
static long op_poll(struct vcpu *v, uint64_t la)
{
	struct {
		uint32_t ports, nr;
		uint64_t timeout;
	} narrow;
	struct sched_poll wide;
	uint64_t ports_la, timeout;
	unsigned int nr;
	evtchn_port_t one = 0;
	int rc;

	if (hypercall_is_compat()) {
		if (copy_from_guest_la(&narrow, la, sizeof(narrow)))
			return -EFAULT;
		ports_la = narrow.ports;
		nr = narrow.nr;
		timeout = narrow.timeout;
	} else {
		if (copy_from_guest_la(&wide, la, sizeof(wide)))
			return -EFAULT;
		ports_la = guest_handle_la(wide.ports);
		nr = wide.nr_ports;
		timeout = wide.timeout;
	}
	if (nr > POLL_PORTS_MAX)
		return -EINVAL;
	if (nr == 1 && copy_from_guest_la(&one, ports_la, sizeof(one)))
		return -EFAULT;
	WRITE_ONCE(v->poll_port, nr == 1 ? (int)one : -1);
	__atomic_fetch_or(&v->pause_flags, VPF_BLOCKED | VPF_POLL, __ATOMIC_SEQ_CST);
	rc = poll_check(v->domain, ports_la, nr);
	if (rc || (hvm_must_wake(v) && !hvm_interrupt_blocked(v))) {
		__atomic_fetch_and(&v->pause_flags, ~(uint32_t)(VPF_BLOCKED | VPF_POLL),
				   __ATOMIC_SEQ_CST);
		return rc < 0 ? rc : 0;
	}
	if (timeout)
		timer_set(&v->poll_timer, timeout);
	sched_vcpu_update(v);
	return 0;
}

static long op_remote_shutdown(uint64_t la)
{
	struct sched_remote_shutdown r;
	struct domain *d;

	if (!abi_privileged())
		return -EPERM;
	if (copy_from_guest_la(&r, la, sizeof(r)))
		return -EFAULT;
	d = domain_get_for_op(r.domain_id);
	if (!d)
		return -ESRCH;
	domain_shutdown(d, r.reason);
	domain_put(d);
	return 0;
}

static long op_shutdown(struct vcpu *v, uint64_t la, bool only_code)
{
	struct sched_shutdown s;

	if (copy_from_guest_la(&s, la, sizeof(s)))
		return -EFAULT;
	if (!only_code)
		domain_shutdown(v->domain, s.reason);
	else
		domain_shutdown_code(v->domain, s.reason);
	return 0;
}

static long op_watchdog(struct vcpu *v, uint64_t la)
{
	struct sched_watchdog w;

	if (copy_from_guest_la(&w, la, sizeof(w)))
		return -EFAULT;
	return time_watchdog(v->domain, w.id, w.timeout);
}

long abi_sched_op(struct vcpu *v, const struct hypercall_args *args)
{
	uint64_t la = args->a[1];

	switch ((uint32_t)args->a[0]) {
	case SCHEDOP_yield:
		sched_yield();
		return 0;
	case SCHEDOP_block:
		return op_block(v);
	case SCHEDOP_shutdown:
		return op_shutdown(v, la, false);
	case SCHEDOP_poll:
		return op_poll(v, la);
	case SCHEDOP_remote_shutdown:
		return op_remote_shutdown(la);
	case SCHEDOP_shutdown_code:
		return op_shutdown(v, la, true);
	case SCHEDOP_watchdog:
		return op_watchdog(v, la);
	default:
		return -ENOSYS;
	}
}

/* Old kernels' one-shot timer; absolute system time, 0 = off. 32-bit callers pass it in two halves. */
long abi_set_timer_op(struct vcpu *v, const struct hypercall_args *args)
{
	uint64_t t = args->a[0];

	if (hypercall_is_compat())
		t = (uint32_t)args->a[0] | args->a[1] << 32;
	if (t)
		timer_set(&v->singleshot, t);
	else
		timer_stop(&v->singleshot);
	return 0;
}
