/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ports, timers, watchdogs and the time area, as xen/event_channel.h, vcpu.h and sched.h promise them. */
#include "cases.h"
#include <xen/domctl.h>
#include <xen/event_channel.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

#define A	  DOMID_A
#define MAX_PORT  255U /* machine.c's guests */
#define XEN_ETIME (-62)

static long evtchn(domid_t id, unsigned int cmd, void *arg, size_t size)
{
	return call_op(id, __HYPERVISOR_event_channel_op, cmd, arg, size);
}

static long vcpu_op(unsigned int cmd, void *arg, size_t size)
{
	memcpy(guest_page(A, ARG_GFN), arg, size);
	return call_as(A, 0, __HYPERVISOR_vcpu_op, cmd, 0, ARG, 0);
}

static unsigned int bind_virq_timer(void)
{
	struct evtchn_bind_virq b = { .virq = VIRQ_TIMER, .vcpu = 0 };

	EXPECT(evtchn(A, EVTCHNOP_bind_virq, &b, sizeof(b)), == 0);
	return b.port;
}

/* Was the port raised since the last question? (2-level form) */
static bool take(unsigned int port)
{
	return test_and_clear_bit(port, dom(A)->shared_info->evtchn_pending);
}

CASE(ports_end_at_the_limit)
{
	struct evtchn_alloc_unbound a = { .dom = DOMID_SELF, .remote_dom = 0 };
	struct evtchn_close c;
	unsigned int n = 0;
	long rc;

	while (!(rc = evtchn(A, EVTCHNOP_alloc_unbound, &a, sizeof(a))))
		EXPECT(++n, <= MAX_PORT);
	EXPECT(rc, == -ENOSPC);
	EXPECT(n, == MAX_PORT); /* port 0 is none */
	c.port = 77;
	EXPECT(evtchn(A, EVTCHNOP_close, &c, sizeof(c)), == 0);
	EXPECT(evtchn(A, EVTCHNOP_close, &c, sizeof(c)), == -EINVAL);
	EXPECT(evtchn(A, EVTCHNOP_alloc_unbound, &a, sizeof(a)), == 0);
	EXPECT(a.port, == 77);
	EXPECT(evtchn(A, EVTCHNOP_alloc_unbound, &a, sizeof(a)), == -ENOSPC);
}

CASE(ports_are_taken_from_a_guest_that_goes)
{
	struct evtchn_alloc_unbound a = { .dom = A, .remote_dom = DOMID_B };
	struct evtchn_bind_interdomain b = { .remote_dom = A };
	struct evtchn_status s = { .dom = DOMID_SELF };

	EXPECT(evtchn(0, EVTCHNOP_alloc_unbound, &a, sizeof(a)), == 0);
	b.remote_port = a.port;
	EXPECT(evtchn(DOMID_VICTIM, EVTCHNOP_bind_interdomain, &b, sizeof(b)), == -EINVAL);
	EXPECT(evtchn(DOMID_B, EVTCHNOP_bind_interdomain, &b, sizeof(b)), == 0);
	EXPECT(evtchn(DOMID_B, EVTCHNOP_bind_interdomain, &b, sizeof(b)), == -EINVAL);
	machine_kill(dom(A));
	s.port = b.local_port;
	EXPECT(evtchn(DOMID_B, EVTCHNOP_status, &s, sizeof(s)), == 0);
	EXPECT(s.status, == EVTCHNSTAT_unbound);
}

CASE(singleshot_timer)
{
	struct vcpu_set_singleshot_timer t = { .timeout_abs_ns = fake_now_ns + 10 * NS_PER_MS };
	unsigned int port = bind_virq_timer();

	EXPECT(vcpu_op(VCPUOP_set_singleshot_timer, &t, sizeof(t)), == 0);
	machine_pass(9 * NS_PER_MS);
	EXPECT(take(port), == 0);
	machine_pass(2 * NS_PER_MS);
	EXPECT(take(port), == 1);
	machine_pass(50 * NS_PER_MS);
	EXPECT(take(port), == 0);
	/* A time that is over: at once, or refused if so asked. */
	EXPECT(vcpu_op(VCPUOP_set_singleshot_timer, &t, sizeof(t)), == 0);
	machine_pass(1);
	EXPECT(take(port), == 1);
	t.flags = VCPU_SSHOTTMR_future;
	EXPECT(vcpu_op(VCPUOP_set_singleshot_timer, &t, sizeof(t)), == XEN_ETIME);
	machine_pass(NS_PER_MS);
	EXPECT(take(port), == 0);
	t.timeout_abs_ns = fake_now_ns + 10 * NS_PER_MS;
	EXPECT(vcpu_op(VCPUOP_set_singleshot_timer, &t, sizeof(t)), == 0);
	EXPECT(vcpu_op(VCPUOP_stop_singleshot_timer, &t, sizeof(t)), == 0);
	machine_pass(50 * NS_PER_MS);
	EXPECT(take(port), == 0);
}

CASE(singleshot_timer_is_the_callers_own)
{
	struct vcpu_set_singleshot_timer t = { .timeout_abs_ns = fake_now_ns + 10 * NS_PER_MS };
	unsigned int port = bind_virq_timer();

	EXPECT(vcpu_op(VCPUOP_set_singleshot_timer, &t, sizeof(t)), == 0);
	EXPECT(call_as(A, 1, __HYPERVISOR_vcpu_op, VCPUOP_set_singleshot_timer, 0, ARG, 0),
	       == -EINVAL);
	EXPECT(call_as(A, 1, __HYPERVISOR_vcpu_op, VCPUOP_stop_singleshot_timer, 0, 0, 0),
	       == -EINVAL);
	machine_pass(20 * NS_PER_MS);
	EXPECT(take(port), == 1);
}

CASE(set_timer_op)
{
	unsigned int port = bind_virq_timer();

	EXPECT(call_as(A, 0, __HYPERVISOR_set_timer_op, fake_now_ns + 5 * NS_PER_MS, 0, 0, 0),
	       == 0);
	machine_pass(6 * NS_PER_MS);
	EXPECT(take(port), == 1);
	EXPECT(call_as(A, 0, __HYPERVISOR_set_timer_op, fake_now_ns + 5 * NS_PER_MS, 0, 0, 0),
	       == 0);
	EXPECT(call_as(A, 0, __HYPERVISOR_set_timer_op, 0, 0, 0, 0), == 0);
	machine_pass(50 * NS_PER_MS);
	EXPECT(take(port), == 0);
}

/* How often the VMM sees to the timer in a second; the guest takes each tick, or none. */
static unsigned int periodic_work(bool takes, unsigned int port)
{
	const struct timer *timer = &domain_vcpu(dom(A), 0)->periodic;
	unsigned int n = 0;

	for (unsigned int ms = 0; ms < 1000; ms++) {
		uint64_t before = timer->expires_ns;

		machine_pass(NS_PER_MS);
		n += timer->expires_ns != before;
		if (takes)
			take(port);
	}
	return n;
}

CASE(periodic_timer_that_nobody_takes)
{
	struct vcpu_set_periodic_timer t = { .period_ns = NS_PER_MS };
	unsigned int port = bind_virq_timer();

	EXPECT(vcpu_op(VCPUOP_set_periodic_timer, &t, sizeof(t)), == 0);
	EXPECT(periodic_work(true, port), >= 990);
	EXPECT(periodic_work(false, port), <= 120);
	take(port);
	EXPECT(periodic_work(true, port), >= 980);
	/* Masked. */
	set_bit(port, dom(A)->shared_info->evtchn_mask);
	EXPECT(periodic_work(true, port), <= 120);
}

CASE(periodic_timer)
{
	struct vcpu_set_periodic_timer t = { .period_ns = 10 * NS_PER_MS };
	unsigned int port = bind_virq_timer(), n = 0;

	EXPECT(vcpu_op(VCPUOP_set_periodic_timer, &t, sizeof(t)), == 0);
	for (unsigned int ms = 0; ms < 205; ms++) {
		machine_pass(NS_PER_MS);
		n += take(port);
	}
	EXPECT(n, == 20);
	EXPECT(vcpu_op(VCPUOP_stop_periodic_timer, &t, sizeof(t)), == 0);
	machine_pass(NS_PER_SEC);
	EXPECT(take(port), == 0);
	t.period_ns = NS_PER_MS - 1;
	EXPECT(vcpu_op(VCPUOP_set_periodic_timer, &t, sizeof(t)), == -EINVAL);
	t.period_ns = ~0ULL;
	EXPECT(vcpu_op(VCPUOP_set_periodic_timer, &t, sizeof(t)), == -EINVAL);
}

static long watchdog(uint32_t id, uint32_t timeout)
{
	struct sched_watchdog w = { .id = id, .timeout = timeout };

	return call_op(A, __HYPERVISOR_sched_op, SCHEDOP_watchdog, &w, sizeof(w));
}

CASE(watchdogs)
{
	EXPECT(watchdog(0, 10), == 1);
	EXPECT(watchdog(0, 30), == 2);
	EXPECT(watchdog(0, 10), == -ENOSPC);
	EXPECT(watchdog(3, 10), == -EINVAL);
	machine_pass(8 * NS_PER_SEC);
	EXPECT(watchdog(1, 10), == 0); /* fed */
	machine_pass(8 * NS_PER_SEC);
	EXPECT(watchdog(1, 0), == 0); /* stopped */
	EXPECT(watchdog(1, 10), == -EINVAL);
	machine_pass(13 * NS_PER_SEC);
	EXPECT(dom(A)->shutting_down, == 0);
	machine_pass(2 * NS_PER_SEC);
	EXPECT(dom(A)->shutting_down, == 1);
	EXPECT(dom(A)->shutdown_code, == SHUTDOWN_watchdog);
}

CASE(poll_has_a_limit_and_an_end)
{
	struct sched_poll p = { .nr_ports = 129 };
	struct vcpu *v = domain_vcpu(dom(A), 0);

	guest_handle_set(p.ports, LIST);
	EXPECT(call_op(A, __HYPERVISOR_sched_op, SCHEDOP_poll, &p, sizeof(p)), == -EINVAL);
	p.nr_ports = 0;
	p.timeout = fake_now_ns + 5 * NS_PER_MS;
	EXPECT(call_op(A, __HYPERVISOR_sched_op, SCHEDOP_poll, &p, sizeof(p)), == 0);
	EXPECT(vcpu_runnable(v), == 0);
	machine_pass(4 * NS_PER_MS);
	EXPECT(vcpu_runnable(v), == 0);
	machine_pass(2 * NS_PER_MS);
	EXPECT(vcpu_runnable(v), == 1);
}

CASE(time_area)
{
	struct vcpu_time_info *t = guest_page(A, SCRATCH_GFN);
	uint64_t where = LIST, then;

	EXPECT(vcpu_op(VCPUOP_register_vcpu_time_memory_area, &where, sizeof(where)), == 0);
	EXPECT(t->version & 1, == 0);
	EXPECT(t->tsc_to_system_mul, != 0);
	EXPECT(fake_now_ns - t->system_time, <= 10 * (long)NS_PER_US);
	then = t->system_time;
	machine_pass(2 * NS_PER_SEC); /* the record is written again when half a second old */
	EXPECT(call_as(A, 0, __HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0, 0), == 0);
	EXPECT(t->system_time - then, >= (long)NS_PER_SEC);
	where = LIST + 4;
	EXPECT(vcpu_op(VCPUOP_register_vcpu_time_memory_area, &where, sizeof(where)), == -EINVAL);
	where = LIST + PAGE_SIZE - 8;
	EXPECT(vcpu_op(VCPUOP_register_vcpu_time_memory_area, &where, sizeof(where)), == -EINVAL);
	EXPECT(call_as(A, 1, __HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_time_memory_area, 0, ARG,
		       0),
	       == -EINVAL);
}

CASE(trigger)
{
	struct xen_domctl op = { .cmd = XEN_DOMCTL_sendtrigger,
				 .interface_version = XEN_DOMCTL_INTERFACE_VERSION,
				 .domain = A };
	void *at = guest_page(0, ARG_GFN);

	op.u.sendtrigger.trigger = XEN_DOMCTL_SENDTRIGGER_NMI;
	op.u.sendtrigger.vcpu = 1;
	memcpy(at, &op, sizeof(op));
	EXPECT(call_as(0, 0, __HYPERVISOR_domctl, ARG, 0, 0, 0), == 0);
	EXPECT(domain_vcpu(dom(A), 1)->hvm.nmi_pending, == 1);
	op.u.sendtrigger.vcpu = 2;
	memcpy(at, &op, sizeof(op));
	EXPECT(call_as(0, 0, __HYPERVISOR_domctl, ARG, 0, 0, 0), == -ESRCH);
	/* A PVH guest has no power button; an HVM guest has. */
	op.u.sendtrigger.trigger = XEN_DOMCTL_SENDTRIGGER_POWER;
	memcpy(at, &op, sizeof(op));
	EXPECT(call_as(0, 0, __HYPERVISOR_domctl, ARG, 0, 0, 0), == -EINVAL);
	op.domain = DOMID_B;
	memcpy(at, &op, sizeof(op));
	EXPECT(call_as(0, 0, __HYPERVISOR_domctl, ARG, 0, 0, 0), == 0);
	/* And a guest may not do it to another one. */
	memcpy(guest_page(A, ARG_GFN), &op, sizeof(op));
	EXPECT(call_as(A, 0, __HYPERVISOR_domctl, ARG, 0, 0, 0), == -EPERM);
}
