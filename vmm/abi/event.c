/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HYPERVISOR_event_channel_op: the work is in domain/event*.c. The structures have the same layout for 32- and 64-bit
 * callers. Operations on pirqs are not there: dom0 has its interrupts directly.
 */
#include "command.h"
#include "vmm/domain/domain.h"

#define CALLER c->v->domain

ARM(op_alloc_unbound, evtchn_alloc_unbound, evtchn_alloc_unbound(a))
ARM(op_bind_interdomain, evtchn_bind_interdomain, evtchn_bind_interdomain(CALLER, a))
ARM(op_bind_virq, evtchn_bind_virq, evtchn_bind_virq(CALLER, a))
ARM(op_bind_ipi, evtchn_bind_ipi, evtchn_bind_ipi(CALLER, a))
ARM(op_close, evtchn_close, evtchn_close_guest(CALLER, a->port))
ARM(op_send, evtchn_send, evtchn_send(CALLER, a->port))
ARM(op_status, evtchn_status, evtchn_status(a))
ARM(op_bind_vcpu, evtchn_bind_vcpu, evtchn_bind_vcpu(CALLER, a->port, a->vcpu))
ARM(op_unmask, evtchn_unmask, evtchn_unmask(CALLER, a->port))
ARM(op_reset, evtchn_reset, evtchn_reset(c->d))
ARM(op_init_control, evtchn_init_control, evtchn_fifo_init_control(CALLER, a))
ARM(op_expand_array, evtchn_expand_array, evtchn_fifo_expand_array(CALLER, a))
ARM(op_set_priority, evtchn_set_priority, evtchn_fifo_set_priority(CALLER, a))

#define CMD(n, flags) [EVTCHNOP_##n] = COMMAND(#n, op_##n, evtchn_##n, flags, NULL)

static const struct abi_command commands[] = {
	CMD(bind_interdomain, COPYBACK),
	CMD(bind_virq, COPYBACK),
	CMD(close, 0),
	CMD(send, 0),
	CMD(status, COPYBACK),
	CMD(alloc_unbound, COPYBACK),
	CMD(bind_ipi, COPYBACK),
	CMD(bind_vcpu, 0),
	CMD(unmask, 0),
	CMD(reset, TARGET | CONTROLS),
	CMD(init_control, COPYBACK),
	CMD(expand_array, 0),
	CMD(set_priority, 0),
};

static const struct abi_family event_family = {
	.name = "event_channel_op",
	.commands = commands,
	.nr = ARRAY_SIZE(commands),
	.other = ANSWER(NULL, -ENOSYS, 0, NULL),
};

long abi_event_channel_op(struct call *c)
{
	return call_command(c, &event_family, (uint32_t)min(c->a[0], (uint64_t)UINT32_MAX),
			    c->a[1]);
}
