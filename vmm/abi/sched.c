/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HYPERVISOR_sched_op (xen/sched.h) and set_timer_op. */
#include "command.h"
#include "hvm_ops.h"
#include "sched.h"
#include "vmm/domain/domain.h"
#include <xen/sched.h>

#define POLL_PORTS_MAX 128U

DOES(op_yield, vcpu, sched_yield())

static long op_block(struct call *c)
{
	vcpu_info(c->v)->evtchn_upcall_mask = 0;
	vcpu_block(c->v, VPF_BLOCKED);
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
static long op_poll(struct call *c)
{
	const struct sched_poll *p = c->arg;
	uint64_t ports_la = guest_handle_la(p->ports);
	evtchn_port_t one = 0;
	struct vcpu *v = c->v;
	int rc;

	if (p->nr_ports > POLL_PORTS_MAX)
		return -EINVAL;
	if (p->nr_ports == 1 && copy_from_guest_la(&one, ports_la, sizeof(one)))
		return -EFAULT;
	WRITE_ONCE(v->poll_port, p->nr_ports == 1 ? (int)one : -1);
	__atomic_fetch_or(&v->pause_flags, VPF_BLOCKED | VPF_POLL, __ATOMIC_SEQ_CST);
	rc = poll_check(v->domain, ports_la, p->nr_ports);
	if (rc || (hvm_must_wake(v) && !hvm_interrupt_blocked(v))) {
		__atomic_fetch_and(&v->pause_flags, ~(uint32_t)(VPF_BLOCKED | VPF_POLL),
				   __ATOMIC_SEQ_CST);
		return rc < 0 ? rc : 0;
	}
	if (p->timeout)
		timer_set(&v->poll_timer, p->timeout);
	sched_vcpu_update(v);
	return 0;
}

DOES(op_remote_shutdown, sched_remote_shutdown, domain_shutdown(c->d, a->reason))
DOES(op_shutdown, sched_shutdown, domain_shutdown(c->v->domain, a->reason))
DOES(op_shutdown_code, sched_shutdown, domain_shutdown_code(c->v->domain, a->reason))
ARM(op_watchdog, sched_watchdog, time_watchdog(c->v->domain, a->id, a->timeout))

#define CMD(n, type, flags) [SCHEDOP_##n] = COMMAND(#n, op_##n, type, flags, NULL)

static const struct abi_command commands[] = {
	[SCHEDOP_yield] = PLAIN("yield", op_yield, 0, NULL),
	[SCHEDOP_block] = PLAIN("block", op_block, 0, NULL),
	[SCHEDOP_poll] = { "poll", NULL, op_poll, "liq", sizeof(struct sched_poll), 0, 0, 0 },
	CMD(shutdown, sched_shutdown, 0),
	CMD(remote_shutdown, sched_remote_shutdown, TARGET | PRIVILEGED),
	CMD(shutdown_code, sched_shutdown, 0),
	CMD(watchdog, sched_watchdog, 0),
};

static const struct abi_family sched_family = {
	.name = "sched_op",
	.commands = commands,
	.nr = ARRAY_SIZE(commands),
	.other = ANSWER(NULL, -ENOSYS, 0, NULL),
};

long abi_sched_op(struct call *c)
{
	return call_command(c, &sched_family, (uint32_t)c->a[0], c->a[1]);
}

/* Old kernels' one-shot timer; absolute system time, 0 = off. 32-bit callers pass it in two halves. */
long abi_set_timer_op(struct call *c)
{
	uint64_t t = c->a[0];

	if (c->compat)
		t = (uint32_t)c->a[0] | c->a[1] << 32;
	if (t)
		timer_set(&c->v->singleshot, t);
	else
		timer_stop(&c->v->singleshot);
	return 0;
}
