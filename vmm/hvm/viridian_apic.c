/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Microsoft's interface to the local APIC: registers that guests use often as MSRs, and the assist page, by whose bit 0
 * an interrupt says that it needs no EOI. TLFS, chapter 10. The guest clears the bit where it would write EOI, and writes EOI only if
 * it was clear. Here the interrupt stays in service meanwhile; whoever wants to deliver another one looks at the bit first.
 */
#include "guest_access.h"
#include "hvm_ops.h"
#include "viridian.h"
#include "internal.h"

#define MSR_EOI	   0x40000070U
#define MSR_TPR	   0x40000072U
#define MSR_ASSIST 0x40000073U
#define ENABLED	   BIT(0)
#define NO_EOI	   BIT(0)

int viridian_apic_read(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	struct vlapic *a = v->hvm.vlapic;

	switch (msr) {
	case MSR_HV_ICR:
		*value = (uint64_t)vlapic_read(a, APIC_ICR2) << 32 | vlapic_read(a, APIC_ICR);
		return 0;
	case MSR_TPR:
		*value = vlapic_tpr(a);
		return 0;
	case MSR_ASSIST:
		*value = v->hvm.vp_assist;
		return 0;
	default:
		return -EINVAL;
	}
}

/* The flags are zeros in a new page; the rest of it is for what is not offered. What ended by the old one has ended. */
static int write_assist(struct vcpu *v, uint64_t value)
{
	uint32_t flags = 0;

	if (v->hvm.no_eoi)
		viridian_settle(v);
	if ((value & ENABLED) &&
	    guest_phys_write(v->domain, _gpa(value & PAGE_MASK), &flags, sizeof(flags)))
		return -EINVAL;
	v->hvm.vp_assist = value;
	v->hvm.no_eoi = false;
	return 0;
}

int viridian_apic_write(struct vcpu *v, uint32_t msr, uint64_t value)
{
	struct vlapic *a = v->hvm.vlapic;

	switch (msr) {
	case MSR_EOI:
		vlapic_write(a, APIC_EOI, 0);
		return 0;
	case MSR_HV_ICR:
		vlapic_write(a, APIC_ICR2, (uint32_t)(value >> 32));
		vlapic_write(a, APIC_ICR, (uint32_t)value);
		return 0;
	case MSR_TPR:
		if (value > 0xff)
			return -EINVAL;
		vlapic_write(a, APIC_TPR, (uint32_t)value);
		return 0;
	case MSR_ASSIST:
		return write_assist(v, value);
	default:
		return -EINVAL;
	}
}

static gpa_t flags_of(const struct vcpu *v)
{
	return _gpa(v->hvm.vp_assist & PAGE_MASK);
}

/* The flags with the bit as it is to be. 0 or -EFAULT: the guest has given the page away. */
static int set_flag(struct vcpu *v, bool set)
{
	uint32_t flags;

	if (guest_phys_read(v->domain, flags_of(v), &flags, sizeof(flags)))
		return -EFAULT;
	flags = set ? flags | NO_EOI : flags & ~(uint32_t)NO_EOI;
	return guest_phys_write(v->domain, flags_of(v), &flags, sizeof(flags));
}

/*
 * It must be the only one in service, and nothing may wait behind it: the EOI would bring that. The IO-APIC hears of the EOI
 * of a level-triggered one.
 */
void viridian_assist(struct vcpu *v, uint8_t vector)
{
	struct vlapic *a = v->hvm.vlapic;

	if (!(viridian_mask(v->domain) & HVMPV_apic_assist))
		return;
	v->hvm.no_eoi = vlapic_alone(a, vector) && !set_flag(v, true);
}

static void settle(struct vcpu *v, bool eoi_wanted)
{
	struct vlapic *a = v->hvm.vlapic;
	uint32_t flags;

	if (guest_phys_read(v->domain, flags_of(v), &flags, sizeof(flags))) {
		v->hvm.no_eoi = false;
	} else if (!(flags & NO_EOI)) {
		v->hvm.no_eoi = false;
		vlapic_write(a, APIC_EOI, 0);
	} else if (eoi_wanted) {
		v->hvm.no_eoi = set_flag(v, false);
	}
}

/* What waits behind it is brought by its EOI. */
void viridian_settle(struct vcpu *v)
{
	settle(v, vlapic_highest(v->hvm.vlapic, APIC_IRR) >= 0);
}

void viridian_withdraw(struct vcpu *v)
{
	settle(v, true);
}
