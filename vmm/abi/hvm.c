/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HYPERVISOR_hvm_op (xen/hvm/hvm_op.h) and the parameters of HVM domains (xen/hvm/params.h). Who may
 * set and read a parameter stands in one table; what a new value does is in hvm/params.c.
 */
#include "command.h"
#include "hvm_context.h"
#include "hvm_params.h"
#include "hvm_ops.h"
#include "vlapic.h"
#include <xen/hvm/hvm_op.h>

#define P_TOOL_SET  BIT(0) /* dom0 may set it for a domain */
#define P_GUEST_SET BIT(1) /* the domain itself may */
#define P_GUEST_GET BIT(2) /* the domain itself may read it (dom0 always may) */
#define P_ONCE	    BIT(3) /* once non-zero it stays */

static const uint8_t param_rules[HVM_NR_PARAMS] = {
	[HVM_PARAM_CALLBACK_IRQ] = P_TOOL_SET | P_GUEST_SET | P_GUEST_GET,
	[HVM_PARAM_STORE_PFN] = P_TOOL_SET | P_GUEST_GET,
	[HVM_PARAM_STORE_EVTCHN] = P_TOOL_SET | P_GUEST_GET,
	[HVM_PARAM_PAE_ENABLED] = P_TOOL_SET,
	[HVM_PARAM_IOREQ_PFN] = P_TOOL_SET,
	[HVM_PARAM_BUFIOREQ_PFN] = P_TOOL_SET,
	[HVM_PARAM_VIRIDIAN] = P_TOOL_SET | P_ONCE,
	[HVM_PARAM_TIMER_MODE] = P_TOOL_SET,
	[HVM_PARAM_HPET_ENABLED] = P_TOOL_SET,
	[HVM_PARAM_IDENT_PT] = P_TOOL_SET,
	[HVM_PARAM_ACPI_S_STATE] = P_TOOL_SET,
	[HVM_PARAM_VM86_TSS] = P_TOOL_SET | P_GUEST_SET | P_GUEST_GET,
	[HVM_PARAM_VPT_ALIGN] = P_TOOL_SET,
	[HVM_PARAM_CONSOLE_PFN] = P_TOOL_SET | P_GUEST_GET,
	[HVM_PARAM_CONSOLE_EVTCHN] = P_TOOL_SET | P_GUEST_GET,
	[HVM_PARAM_ACPI_IOPORTS_LOCATION] = P_TOOL_SET | P_GUEST_SET | P_GUEST_GET,
	[HVM_PARAM_NESTEDHVM] = P_TOOL_SET,
	[HVM_PARAM_PAGING_RING_PFN] = P_TOOL_SET,
	[HVM_PARAM_MONITOR_RING_PFN] = P_TOOL_SET,
	[HVM_PARAM_SHARING_RING_PFN] = P_TOOL_SET,
	[HVM_PARAM_TRIPLE_FAULT_REASON] = P_TOOL_SET,
	[HVM_PARAM_IOREQ_SERVER_PFN] = P_TOOL_SET | P_ONCE,
	[HVM_PARAM_NR_IOREQ_SERVER_PAGES] = P_TOOL_SET | P_ONCE,
	[HVM_PARAM_VM_GENERATION_ID_ADDR] = P_TOOL_SET | P_GUEST_SET | P_GUEST_GET,
	[HVM_PARAM_ALTP2M] = P_TOOL_SET | P_GUEST_GET | P_ONCE,
	[HVM_PARAM_X87_FIP_WIDTH] = P_TOOL_SET,
	[HVM_PARAM_VM86_TSS_SIZED] = P_TOOL_SET | P_GUEST_SET | P_GUEST_GET,
	[HVM_PARAM_MCA_CAP] = P_TOOL_SET | P_ONCE,
};

static const char *param_value_wrong(uint32_t index, uint64_t value)
{
	switch (index) {
	case HVM_PARAM_TIMER_MODE:
		return value > HVMPTM_one_missed_tick_pending ? "timer_mode is 0 to 3" : NULL;
	case HVM_PARAM_TRIPLE_FAULT_REASON:
		return value > SHUTDOWN_MAX ? "a reason is 0 to 5" : NULL;
	case HVM_PARAM_NR_IOREQ_SERVER_PAGES:
		return !value || value > 8 ? "there are 1 to 8 pages" : NULL;
	case HVM_PARAM_X87_FIP_WIDTH:
		return value != 0 && value != 4 && value != 8 ? "a width is 0, 4 or 8" : NULL;
	case HVM_PARAM_ACPI_IOPORTS_LOCATION:
		return value > 1 ? "a location is 0 or 1" : NULL;
	case HVM_PARAM_ACPI_S_STATE:
		return value != 0 && value != 3 ? "a sleep state is 0 or 3" : NULL;
	case HVM_PARAM_VIRIDIAN:
		return viridian_unknown(value);
	default:
		return NULL;
	}
}

/* What Plinth has not: the parameter says that it is asked for. */
static const char *param_missing(uint32_t index, uint64_t value)
{
	if (!value)
		return NULL;
	switch (index) {
	case HVM_PARAM_VIRIDIAN:
		return viridian_missing(value);
	case HVM_PARAM_NESTEDHVM:
		return "virtualization in a guest is not there: take nestedhvm=1 out of the "
		       "configuration";
	case HVM_PARAM_ALTP2M:
		return "alternate maps are not there: take altp2m= out of the configuration";
	default:
		return NULL;
	}
}

static long param_value_ok(uint32_t index, uint64_t value)
{
	const char *missing = param_missing(index, value), *wrong = param_value_wrong(index, value);

	if (wrong)
		return refuse(-EINVAL, "parameter %u, value %#lx: %s", index, value, wrong);
	return missing ? refuse(-EOPNOTSUPP, "%s", missing) : 0;
}

/* With d->lock, so that the value and what it does are those of one caller. */
static int param_apply(struct domain *d, uint32_t index, uint64_t value)
{
	uint64_t old = d->hvm.params[index];

	if ((param_rules[index] & P_ONCE) && old && old != value)
		return -EEXIST;
	return hvm_param_write(d, index, value);
}

/* Finds the domain; the number is wrong for whomever it is. */
static long param_begin(struct call *c)
{
	const struct xen_hvm_param *p = c->arg;
	long rc = call_about(c, domain_get_for_op(p->domid), p->domid);

	if (p->index >= HVM_NR_PARAMS)
		return refuse(-EINVAL, "parameter %u: numbers end at %u", p->index,
			      (unsigned int)HVM_NR_PARAMS - 1);
	return rc;
}

static long op_set_param(struct call *c)
{
	const struct xen_hvm_param *p = c->arg;
	long rc = param_begin(c);
	struct domain *d = c->d;
	uint8_t rules;

	if (rc)
		return rc;
	rules = param_rules[p->index];
	if (!rules)
		return refuse(-EINVAL, "parameter %u: domains have none of that number", p->index);
	if (!(rules & (abi_privileged() ? P_TOOL_SET : P_GUEST_SET)))
		return refuse(-EPERM, "parameter %u: it is for the tools to set", p->index);
	rc = param_value_ok(p->index, p->value);
	if (!rc && p->index == HVM_PARAM_ACPI_S_STATE)
		rc = hvm_param_s_state(d, p->value);
	if (rc)
		return rc;
	if (p->index == HVM_PARAM_CALLBACK_IRQ)
		hvm_latch_shinfo_size(d);
	spin_lock(&d->lock);
	rc = param_apply(d, p->index, p->value);
	spin_unlock(&d->lock);
	return rc;
}

static long op_get_param(struct call *c)
{
	struct xen_hvm_param *p = c->arg;
	long rc = param_begin(c);

	if (rc)
		return rc;
	if (!abi_privileged() && !(param_rules[p->index] & P_GUEST_GET))
		return refuse(-EPERM, "parameter %u: it is for the tools to read", p->index);
	spin_lock(&c->d->lock);
	p->value = c->d->hvm.params[p->index];
	spin_unlock(&c->d->lock);
	return 0;
}

/* All of the domain's own TLBs. */
static long op_flush_tlbs(struct call *c)
{
	if (c->a[1])
		return -EINVAL;
	p2m_flush(c->v->domain);
	return 0;
}

static long op_get_mem_type(struct call *c)
{
	struct xen_hvm_get_mem_type *a = c->arg;
	enum p2m_type t = p2m_get(c->d, _gfn(a->pfn)).type;

	if (t == P2M_IOREQ_SERVER)
		a->mem_type = HVMMEM_ioreq_server;
	else if (t == P2M_RAM_RO || t == P2M_GRANT_RO)
		a->mem_type = HVMMEM_ram_ro;
	else if (p2m_has_page(t) || t == P2M_POD)
		a->mem_type = HVMMEM_ram_rw;
	else
		a->mem_type = HVMMEM_mmio_dm;
	return 0;
}

static long op_set_evtchn_upcall_vector(struct call *c)
{
	const struct xen_hvm_evtchn_upcall_vector *a = c->arg;
	struct domain *d = c->v->domain;
	struct vcpu *v = domain_vcpu(d, a->vcpu);

	if (!v)
		return -ENOENT;
	if (a->vector < 0x10)
		return -EINVAL;
	spin_lock(&d->lock);
	WRITE_ONCE(v->upcall_vector, a->vector);
	spin_unlock(&d->lock);
	/* What was pending came without this vector. */
	if (evtchn_upcall_pending(v))
		vlapic_set_irq(v->hvm.vlapic, a->vector, false);
	return 0;
}

DOES(op_get_time, xen_hvm_get_time, a->now = now_ns())

#define CMD(n, type, flags, takes) [HVMOP_##n] = COMMAND(#n, op_##n, type, flags, takes)
#define NO(n, err, takes)	   [HVMOP_##n] = ANSWER(#n, err, 0, takes)

static const struct abi_command commands[] = {
	CMD(set_param, xen_hvm_param, CONTROLS,
	    "a parameter that the caller may set, with a value that it takes"),
	CMD(get_param, xen_hvm_param, CONTROLS | COPYBACK, "a parameter that the caller may read"),
	[HVMOP_flush_tlbs] = PLAIN("flush_tlbs", op_flush_tlbs, 0, "no argument"),
	NO(pagetable_dying, 0, "nothing"), /* nested paging: nothing is cached */
	CMD(get_time, xen_hvm_get_time, OUTPUT, "nothing"),
	NO(xentrace, -ENOSYS, "Xen's trace buffers are not there"),
	NO(set_mem_access, -ENOSYS, NO_MONITOR),
	NO(get_mem_access, -ENOSYS, NO_MONITOR),
	CMD(get_mem_type, xen_hvm_get_mem_type, TARGET | CONTROLS | COPYBACK,
	    "the caller, or for dom0 any domain"),
	CMD(set_evtchn_upcall_vector, xen_hvm_evtchn_upcall_vector, 0, "a vector from 16 on"),
	NO(guest_request_vm_event, 0, "nothing"),
};

const struct abi_family hvm_family = {
	.name = "hvm_op",
	.commands = commands,
	.nr = ARRAY_SIZE(commands),
	.other = ANSWER(NULL, -ENOSYS, 0, NO_SUCH_COMMAND),
};

long abi_hvm_op(struct call *c)
{
	return call_command(c, &hvm_family, (uint32_t)c->a[0], c->a[1]);
}
