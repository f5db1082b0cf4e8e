// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What to inject before an entry. In order: an event that is already waiting, NMI, the event channel
 * callback by vector, the PIC through LVT0, the local APIC. What cannot be taken now gets a window.
 */
#include <xen/hvm/params.h>
#include "event.h"
#include "vmm/hvm/hvm.h"
#include "internal.h"

/* HVM_PARAM_CALLBACK_IRQ type 2: a vector on every vCPU, not through the local APIC. 0 = none. */
static uint8_t callback_vector(const struct domain *d)
{
	uint64_t via = READ_ONCE(d->hvm.params[HVM_PARAM_CALLBACK_IRQ]);

	return via >> 56 == HVM_PARAM_CALLBACK_TYPE_VECTOR ? (uint8_t)via : 0;
}

static bool callback_due(struct vcpu *v)
{
	return callback_vector(v->domain) && !READ_ONCE(v->upcall_vector) &&
	       READ_ONCE(vcpu_info(v)->evtchn_upcall_pending);
}

static bool pic_due(struct vcpu *v)
{
	struct domain *d = v->domain;

	return d->hvm.vpic && vpic_output(d) &&
	       (vlapic_accepts_pic(v->hvm.vlapic) || vioapic_extint(d, v->hvm.vlapic));
}

bool hvm_intr_pending(struct vcpu *v)
{
	return READ_ONCE(v->hvm.nmi_pending) || callback_due(v) ||
	       vlapic_pending(v->hvm.vlapic) >= 0 || pic_due(v);
}

void hvm_send_nmi(struct vcpu *v)
{
	WRITE_ONCE(v->hvm.nmi_pending, true);
	vcpu_wake(v, VCPU_ATT_NMI);
}

bool hvm_must_wake(struct vcpu *v)
{
	if (v->id == 0)
		hvm_callback_update(v->domain);
	return hvm_intr_pending(v);
}

static void queue(struct vcpu *v, enum hvm_event_type type, uint8_t vector)
{
	v->hvm.event = (struct hvm_event){ .type = type, .vector = vector };
}

/* True when an NMI was queued or blocks everything else. */
static bool assist_nmi(struct vcpu *v)
{
	if (!READ_ONCE(v->hvm.nmi_pending))
		return false;
	if (hvm_nmi_blocked(v)) {
		hvm_ops->want_nmi_window(v);
		return false;
	}
	WRITE_ONCE(v->hvm.nmi_pending, false);
	queue(v, HVM_EVENT_NMI, X86_EXC_NMI);
	return true;
}

/* Takes what is due into the event; vector: what the local APIC has, or -1. */
static void take(struct vcpu *v, int vector)
{
	if (callback_due(v)) {
		queue(v, HVM_EVENT_EXTINT, callback_vector(v->domain));
	} else if (pic_due(v)) {
		int irq = vpic_ack(v->domain);

		if (irq >= 0)
			queue(v, HVM_EVENT_EXTINT, (uint8_t)irq);
	} else {
		vlapic_ack(v->hvm.vlapic, (uint8_t)vector);
		queue(v, HVM_EVENT_EXTINT, (uint8_t)vector);
		/* It was the highest: nothing else there has more priority. */
		return;
	}
	if (hvm_intr_pending(v))
		hvm_ops->want_interrupt_window(v);
}

void hvm_intr_assist(struct vcpu *v)
{
	bool others;
	int vector;

	if (v->id == 0)
		hvm_callback_update(v->domain);
	if (v->hvm.event.type != HVM_EVENT_NONE) {
		if (hvm_intr_pending(v))
			hvm_ops->want_interrupt_window(v);
		return;
	}
	if (assist_nmi(v))
		return;
	others = callback_due(v) || pic_due(v);
	vector = vlapic_pending(v->hvm.vlapic);
	if (!others && vector < 0 && !READ_ONCE(v->hvm.nmi_pending))
		return;
	if (!others && hvm_ops->delivers_vlapic && hvm_ops->delivers_vlapic(v))
		return;
	if (hvm_interrupt_blocked(v))
		hvm_ops->want_interrupt_window(v);
	else if (others || vector >= 0)
		take(v, vector);
}
