/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What parameters of HVM domains do (xen/hvm/params.h); who may set which to what is vmm/abi/hvm.c's business. */
#include "hvm_params.h"
#include "event.h"
#include "vmm/hvm/hvm.h"
#include "internal.h"

int hvm_param_s_state(struct domain *d, uint64_t value)
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

int hvm_param_write(struct domain *d, uint32_t index, uint64_t value)
{
	int rc = param_effect(d, index, value);

	if (!rc)
		WRITE_ONCE(d->hvm.params[index], value);
	if (!rc && index == HVM_PARAM_CALLBACK_IRQ)
		wake_pending(d);
	return rc;
}
