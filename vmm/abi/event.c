/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HYPERVISOR_event_channel_op: copies the arguments; the work is in domain/event*.c. The structures have
 * the same layout for 32- and 64-bit callers.
 */
#include "handlers.h"
#include "../domain/event_private.h"

union evtchn_args {
	struct evtchn_alloc_unbound alloc_unbound;
	struct evtchn_bind_interdomain bind_interdomain;
	struct evtchn_bind_virq bind_virq;
	struct evtchn_bind_ipi bind_ipi;
	struct evtchn_close close;
	struct evtchn_send send;
	struct evtchn_status status;
	struct evtchn_bind_vcpu bind_vcpu;
	struct evtchn_unmask unmask;
	struct evtchn_reset reset;
	struct evtchn_init_control init_control;
	struct evtchn_expand_array expand_array;
	struct evtchn_set_priority set_priority;
};

static int op_alloc_unbound(struct domain *d, union evtchn_args *a)
{
	(void)d;
	return evtchn_alloc_unbound(&a->alloc_unbound);
}

static int op_bind_interdomain(struct domain *d, union evtchn_args *a)
{
	return evtchn_bind_interdomain(d, &a->bind_interdomain);
}

static int op_bind_virq(struct domain *d, union evtchn_args *a)
{
	return evtchn_bind_virq(d, &a->bind_virq);
}

static int op_bind_ipi(struct domain *d, union evtchn_args *a)
{
	return evtchn_bind_ipi(d, &a->bind_ipi);
}

static int op_close(struct domain *d, union evtchn_args *a)
{
	return evtchn_close_guest(d, a->close.port);
}

static int op_send(struct domain *d, union evtchn_args *a)
{
	return evtchn_send(d, a->send.port);
}

static int op_status(struct domain *d, union evtchn_args *a)
{
	(void)d;
	return evtchn_status(&a->status);
}

static int op_bind_vcpu(struct domain *d, union evtchn_args *a)
{
	return evtchn_bind_vcpu(d, a->bind_vcpu.port, a->bind_vcpu.vcpu);
}

static int op_unmask(struct domain *d, union evtchn_args *a)
{
	return evtchn_unmask(d, a->unmask.port);
}

static int op_reset(struct domain *d, union evtchn_args *a)
{
	struct domain *t = domain_get_for_op(a->reset.dom);
	int rc;

	if (!t)
		return -ESRCH;
	rc = t == d || d->is_dom0 ? evtchn_reset(t) : -EPERM;
	domain_put(t);
	return rc;
}

static int op_init_control(struct domain *d, union evtchn_args *a)
{
	return evtchn_fifo_init_control(d, &a->init_control);
}

static int op_expand_array(struct domain *d, union evtchn_args *a)
{
	return evtchn_fifo_expand_array(d, &a->expand_array);
}

static int op_set_priority(struct domain *d, union evtchn_args *a)
{
	return evtchn_fifo_set_priority(d, &a->set_priority);
}

#define OP(name, type, back) [EVTCHNOP_##name] = { op_##name, sizeof(struct evtchn_##type), back }

static const struct {
	int (*fn)(struct domain *d, union evtchn_args *a);
	uint8_t size;
	bool copyback;
} ops[] = {
	OP(bind_interdomain, bind_interdomain, true),
	OP(bind_virq, bind_virq, true),
	OP(close, close, false),
	OP(send, send, false),
	OP(status, status, true),
	OP(alloc_unbound, alloc_unbound, true),
	OP(bind_ipi, bind_ipi, true),
	OP(bind_vcpu, bind_vcpu, false),
	OP(unmask, unmask, false),
	OP(reset, reset, false),
	OP(init_control, init_control, true),
	OP(expand_array, expand_array, false),
	OP(set_priority, set_priority, false),
};

long abi_event_channel_op(struct vcpu *v, const struct hypercall_args *args)
{
	uint64_t cmd = args->a[0], la = args->a[1];
	union evtchn_args a;
	int rc;

	if (cmd >= ARRAY_SIZE(ops) || !ops[cmd].fn)
		return -ENOSYS; /* pirq: dom0 has its interrupts directly */
	if (copy_from_guest_la(&a, la, ops[cmd].size))
		return -EFAULT;
	rc = ops[cmd].fn(v->domain, &a);
	if (!rc && ops[cmd].copyback && copy_to_guest_la(la, &a, ops[cmd].size))
		return -EFAULT;
	return rc;
}
