/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HYPERVISOR_hvm_op (xen/hvm/hvm_op.h) and the parameters of HVM domains (xen/hvm/params.h). Who may
 * set and read a parameter stands in one table; what a new value does, in one function.
 */
#include "handlers.h"
#include "hvm_ops.h"
#include "refuse.h"
#include "vlapic.h"
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>

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
	default:
		return NULL;
	}
}

/* What Plinth has not: the parameter says that it is asked for. */
static const char *param_missing(uint32_t index)
{
	switch (index) {
	case HVM_PARAM_VIRIDIAN:
		return "Hyper-V's interface is not there: take viridian= out of the configuration";
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
	const char *missing = param_missing(index), *wrong = param_value_wrong(index, value);

	if (missing && value)
		return refuse(-EOPNOTSUPP, "%s", missing);
	return wrong ? refuse(-EINVAL, "parameter %u, value %#lx: %s", index, value, wrong) : 0;
}

/*
 * Sleep state: S3 stops the guest, S0 starts it again at its reset vector's resume path. No lock: it waits for the
 * vCPUs. Of two callers at once one has the pause that S0 ends.
 */
static int set_s_state(struct domain *d, uint64_t value)
{
	struct vcpu *v = domain_vcpu(d, 0);

	if (d == current_domain() || (value != 0 && value != 3))
		return -EINVAL;
	if (value == 3) {
		domain_pause(d);
		if (__atomic_exchange_n(&d->hvm.is_s3_suspended, true, __ATOMIC_SEQ_CST))
			domain_unpause(d);
	} else if (__atomic_exchange_n(&d->hvm.is_s3_suspended, false, __ATOMIC_SEQ_CST)) {
		if (v)
			hvm_vcpu_reset_init(v);
		domain_unpause(d);
	}
	return 0;
}

static int param_effect(struct domain *d, uint32_t index, uint64_t value)
{
	switch (index) {
	case HVM_PARAM_CALLBACK_IRQ:
		/* Linux sets line 1 to be taken for enlightened, where a PVH domain has no lines. */
		if (!d->hvm.irq && value >> 56 != HVM_PARAM_CALLBACK_TYPE_VECTOR)
			return 0;
		return hvm_set_callback_irq(d, value);
	case HVM_PARAM_ACPI_IOPORTS_LOCATION:
		return d->hvm.pmtimer ? pmtimer_change_ioport(d, (unsigned int)value) : 0;
	default:
		return 0;
	}
}

/* vCPUs with an upcall pending that had no way to them before. */
static void wake_pending(struct domain *d)
{
	struct vcpu *v;

	for_each_vcpu(d, v)
		if (evtchn_upcall_pending(v))
			vcpu_wake(v, VCPU_ATT_EVENT);
}

/* With d->lock, so that the value and what it does are those of one caller. */
static int param_apply(struct domain *d, uint32_t index, uint64_t value)
{
	uint64_t old = d->hvm.params[index];
	int rc;

	if ((param_rules[index] & P_ONCE) && old && old != value)
		return -EEXIST;
	rc = param_effect(d, index, value);
	if (!rc)
		WRITE_ONCE(d->hvm.params[index], value);
	if (!rc && index == HVM_PARAM_CALLBACK_IRQ)
		wake_pending(d);
	return rc;
}

static long param_set(struct domain *d, uint32_t index, uint64_t value)
{
	bool own = d == current_domain();
	uint8_t rules = param_rules[index];
	long rc;

	if (!rules)
		return refuse(-EINVAL, "parameter %u: domains have none of that number", index);
	if (!(rules & (own && !d->is_dom0 ? P_GUEST_SET : P_TOOL_SET)))
		return refuse(-EPERM, "parameter %u: it is for the tools to set", index);
	rc = param_value_ok(index, value);
	if (!rc && index == HVM_PARAM_ACPI_S_STATE)
		rc = set_s_state(d, value);
	if (rc)
		return rc;
	if (index == HVM_PARAM_CALLBACK_IRQ)
		hvm_latch_shinfo_size(d);
	spin_lock(&d->lock);
	rc = param_apply(d, index, value);
	spin_unlock(&d->lock);
	return rc;
}

static long param_get(struct domain *d, uint32_t index, uint64_t *value)
{
	if (d == current_domain() && !d->is_dom0 && !(param_rules[index] & P_GUEST_GET))
		return refuse(-EPERM, "parameter %u: it is for the tools to read", index);
	spin_lock(&d->lock);
	*value = d->hvm.params[index];
	spin_unlock(&d->lock);
	return 0;
}

static long op_param(uint64_t la, bool set)
{
	struct xen_hvm_param a;
	struct domain *d;
	long rc;

	if (copy_from_guest_la(&a, la, sizeof(a)))
		return -EFAULT;
	refusal_about(a.domid);
	if (a.index >= HVM_NR_PARAMS)
		return refuse(-EINVAL, "parameter %u: numbers end at %u", a.index,
			      (unsigned int)HVM_NR_PARAMS - 1);
	d = domain_get_for_op(a.domid);
	if (!d)
		return -ESRCH;
	if (!abi_may_control(d))
		rc = -EPERM;
	else
		rc = set ? param_set(d, a.index, a.value) : param_get(d, a.index, &a.value);
	domain_put(d);
	if (!rc && !set && copy_to_guest_la(la, &a, sizeof(a)))
		return -EFAULT;
	return rc;
}

/* All of the domain's own TLBs. */
static long op_flush_tlbs(struct domain *d, uint64_t la)
{
	if (la)
		return -EINVAL;
	p2m_flush(d);
	return 0;
}

static long op_get_mem_type(uint64_t la)
{
	struct xen_hvm_get_mem_type a;
	struct p2m_entry e;
	struct domain *d;

	if (copy_from_guest_la(&a, la, sizeof(a)))
		return -EFAULT;
	d = domain_get_for_op(a.domid);
	if (!d)
		return -ESRCH;
	if (!abi_may_control(d)) {
		domain_put(d);
		return -EPERM;
	}
	e = p2m_get(d, _gfn(a.pfn));
	if (e.type == P2M_IOREQ_SERVER)
		a.mem_type = HVMMEM_ioreq_server;
	else if (e.type == P2M_RAM_RO || e.type == P2M_GRANT_RO)
		a.mem_type = HVMMEM_ram_ro;
	else if (p2m_has_page(e.type) || e.type == P2M_POD)
		a.mem_type = HVMMEM_ram_rw;
	else
		a.mem_type = HVMMEM_mmio_dm;
	domain_put(d);
	return copy_to_guest_la(la, &a, sizeof(a));
}

static long op_set_upcall_vector(struct domain *d, uint64_t la)
{
	struct xen_hvm_evtchn_upcall_vector a;
	struct vcpu *v;

	if (copy_from_guest_la(&a, la, sizeof(a)))
		return -EFAULT;
	v = domain_vcpu(d, a.vcpu);
	if (!v)
		return -ENOENT;
	if (a.vector < 0x10)
		return -EINVAL;
	spin_lock(&d->lock);
	WRITE_ONCE(v->upcall_vector, a.vector);
	spin_unlock(&d->lock);
	/* What was pending came without this vector. */
	if (evtchn_upcall_pending(v))
		vlapic_set_irq(v->hvm.vlapic, a.vector, false);
	return 0;
}

static long op_get_time(uint64_t la)
{
	struct xen_hvm_get_time a = { .now = now_ns() };

	return copy_to_guest_la(la, &a, sizeof(a));
}

static long hvm_one(struct vcpu *v, uint32_t cmd, uint64_t la)
{
	switch (cmd) {
	case HVMOP_set_param:
		return op_param(la, true);
	case HVMOP_get_param:
		return op_param(la, false);
	case HVMOP_flush_tlbs:
		return op_flush_tlbs(v->domain, la);
	case HVMOP_pagetable_dying:
		return 0; /* nested paging: nothing is cached */
	case HVMOP_get_time:
		return op_get_time(la);
	case HVMOP_get_mem_type:
		return op_get_mem_type(la);
	case HVMOP_set_evtchn_upcall_vector:
		return op_set_upcall_vector(v->domain, la);
	case HVMOP_guest_request_vm_event:
		return 0;
	default:
		return -ENOSYS;
	}
}

long abi_hvm_op(struct vcpu *v, const struct hypercall_args *args)
{
	uint32_t cmd = (uint32_t)args->a[0];

	refusal_begin(&hvm_family, cmd, DOMID_INVALID);
	return refusal_end(hvm_one(v, cmd, args->a[1]), NULL, 0);
}
