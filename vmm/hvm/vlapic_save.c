// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Saved state of a virtual local APIC: LAPIC (what is not a register) and LAPIC_REGS (the page's
 * first KiB, in Intel's layout, with the current count as it stands). xen/hvm/save.h.
 */
#include "hvm_ops.h"
#include "pc_private.h"
#include "units.h"
#include "vlapic.h"
#include "vlapic_private.h"

#define HW_DISABLED 1U
#define SW_DISABLED 2U
#define BASE_BITS   (APIC_DEFAULT_BASE | APIC_BASE_BSP | APIC_BASE_EXTD | APIC_BASE_EN)

static int lapic_save(const struct hvm_instance *at, void *buf)
{
	const struct vcpu *v = at->v;
	struct hvm_hw_lapic *r = buf;
	unsigned int code;

	code = vlapic_get(v->hvm.vlapic, APIC_TDCR);
	code = (code & 3) | (code >> 1 & 4);
	r->apic_base_msr = v->hvm.vlapic->base_msr;
	r->disabled = (vlapic_hw_enabled(v->hvm.vlapic) ? 0 : HW_DISABLED) |
		      (vlapic_sw_enabled(v->hvm.vlapic) ? 0 : SW_DISABLED);
	r->timer_divisor = code == 7 ? 1 : 2U << code;
	r->tdt_msr = vlapic_tsc_deadline(v->hvm.vlapic);
	return sizeof(struct hvm_hw_lapic);
}

static int lapic_load(const struct hvm_instance *at, const void *buf)
{
	struct vcpu *v = at->v;
	const struct hvm_hw_lapic *r = buf;
	struct vlapic *a;

	if ((r->apic_base_msr & ~BASE_BITS) || (r->apic_base_msr & PAGE_MASK) != APIC_DEFAULT_BASE)
		return -EINVAL;
	if ((r->apic_base_msr & APIC_BASE_EXTD) && !(r->apic_base_msr & APIC_BASE_EN))
		return -EINVAL;
	a = v->hvm.vlapic;
	WRITE_ONCE(a->base_msr, r->apic_base_msr);
	a->tsc_deadline = r->tdt_msr;
	vlapic_timer_restore(a);
	vcpu_wake(v, VCPU_ATT_IRQ); /* it may have slept in its state before */
	return 0;
}

static int regs_save(const struct hvm_instance *at, void *buf)
{
	const struct vcpu *v = at->v;
	struct hvm_hw_lapic_regs *r = buf;
	uint32_t count;

	memcpy(r->data, v->hvm.vlapic->regs, sizeof(r->data));
	count = vlapic_timer_count(v->hvm.vlapic);
	memcpy(r->data + APIC_TMCCT, &count, sizeof(count));
	return sizeof(struct hvm_hw_lapic_regs);
}

/* Vectors 0-15 cannot be requested or in service. */
static bool regs_ok(const struct hvm_hw_lapic_regs *r)
{
	uint32_t irr, isr;

	memcpy(&irr, r->data + APIC_IRR, sizeof(irr));
	memcpy(&isr, r->data + APIC_ISR, sizeof(isr));
	return !((irr | isr) & 0xffff);
}

static int regs_load(const struct hvm_instance *at, const void *buf)
{
	struct vcpu *v = at->v;
	const struct hvm_hw_lapic_regs *r = buf;
	struct vlapic *a;
	uint32_t version, word;

	if (!regs_ok(r))
		return -EINVAL;
	a = v->hvm.vlapic;
	version = vlapic_get(a, APIC_LVR);
	/* By words: a timer of the paused domain may look at one. */
	for (unsigned int i = 0; i < sizeof(r->data); i += sizeof(word)) {
		memcpy(&word, r->data + i, sizeof(word));
		vlapic_set(a, i, word);
	}
	vlapic_set(a, APIC_LVR, version); /* ours, with the number of entries that we have */
	vlapic_set(a, APIC_SPIV, vlapic_get(a, APIC_SPIV) & 0x3ff);
	vlapic_set(a, APIC_TDCR, vlapic_get(a, APIC_TDCR) & 0xb);
	WRITE_ONCE(a->irr_maybe, true);
	vlapic_timer_restore(a);
	hvm_set_state(v, HVM_TPR);
	vcpu_wake(v, VCPU_ATT_IRQ); /* it may have slept in its state before */
	return 0;
}

static void stop_timers(struct domain *d)
{
	struct vcpu *v;

	for_each_vcpu(d, v)
		vlapic_timer_stop(v->hvm.vlapic);
}

static const struct hvm_record records[] = {
	HVM_RECORD(LAPIC, SAVE_PER_VCPU, sizeof(struct hvm_hw_lapic), lapic_save, lapic_load),
	HVM_RECORD(LAPIC_REGS, SAVE_PER_VCPU, sizeof(struct hvm_hw_lapic_regs), regs_save,
		   regs_load),
};

const struct hvm_unit vlapic_unit = {
	.name = "local APICs",
	.needs = UNIT_ANY,
	.init = vlapic_mmio_init,
	.stop = stop_timers,
	UNIT_SAVES(records),
};
