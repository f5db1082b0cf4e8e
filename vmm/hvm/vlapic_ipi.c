// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Messages to virtual local APICs: IPIs, and what IO-APIC and MSI send. Destinations: SDM volume 3,
 * 11.6.2; INIT and SIPI: 8.4.
 */
#include "internal.h"
#include "policy_private.h"
#include "vlapic_private.h"

enum delivery { D_FIXED, D_LOWEST, D_SMI, D_RESERVED, D_NMI, D_INIT, D_SIPI, D_EXTINT };

uint32_t vlapic_id(const struct vlapic *a)
{
	return policy_apic_id(a->vcpu);
}

static bool match_logical(const struct vlapic *a, uint32_t dest)
{
	uint32_t ldr = vlapic_get(a, APIC_LDR);

	if (vlapic_x2apic(a))
		return ldr >> 16 == dest >> 16 && (ldr & dest & 0xffff);
	if (vlapic_get(a, APIC_DFR) >> 28 == 0xf)
		return ldr >> 24 & dest & 0xff;
	return ldr >> 28 == (dest >> 4 & 0xf) && (ldr >> 24 & dest & 0xf);
}

bool vlapic_match_dest(const struct vlapic *a, uint32_t dest, bool logical, bool dest_is_32bit)
{
	uint32_t broadcast = dest_is_32bit ? 0xffffffff : 0xff;

	if (dest == broadcast)
		return true;
	if (!logical)
		return vlapic_id(a) == dest;
	return match_logical(a, dest);
}

static void deliver_one(struct vlapic *a, uint8_t mode, uint8_t vector, bool level)
{
	struct vcpu *v = a->vcpu;

	switch (mode) {
	case D_FIXED:
	case D_LOWEST:
		if (vlapic_enabled(a))
			vlapic_set_irq(a, vector, level);
		break;
	case D_NMI:
		hvm_send_nmi(v);
		break;
	case D_INIT:
		hvm_vcpu_reset_init(v);
		break;
	case D_SIPI:
		hvm_vcpu_startup_ipi(v, vector);
		break;
	default:
		break; /* SMI is the firmware's, ExtINT goes by wire */
	}
}

/* Of the vCPUs that match, the one whose APIC has the least to do; round robin among equals. */
static struct vlapic *lowest_priority(struct domain *d, uint32_t dest, bool logical, bool dest32)
{
	static unsigned int turn;
	struct vlapic *best = NULL;
	unsigned int start = __atomic_fetch_add(&turn, 1, __ATOMIC_RELAXED);

	for (unsigned int i = 0; i < d->max_vcpus; i++) {
		struct vcpu *v = domain_vcpu(d, (start + i) % d->max_vcpus);
		struct vlapic *a = v ? v->hvm.vlapic : NULL;

		if (!a || !vlapic_enabled(a) || !vlapic_match_dest(a, dest, logical, dest32))
			continue;
		if (!best || vlapic_ppr(a) < vlapic_ppr(best))
			best = a;
	}
	return best;
}

void vlapic_deliver(struct domain *d, struct vlapic *source, uint32_t dest, bool logical,
		    bool dest32, uint8_t delivery_mode, uint8_t vector, bool level,
		    uint8_t shorthand)
{
	struct vcpu *v;

	if (delivery_mode == D_LOWEST && !shorthand) {
		struct vlapic *a = lowest_priority(d, dest, logical, dest32);

		if (a)
			deliver_one(a, D_FIXED, vector, level);
		return;
	}
	for_each_vcpu(d, v) {
		struct vlapic *a = v->hvm.vlapic;
		bool self = a == source;
		bool match = shorthand == 0   ? vlapic_match_dest(a, dest, logical, dest32)
			     : shorthand == 1 ? self
			     : shorthand == 2 ? true
					      : !self;

		if (match)
			deliver_one(a, delivery_mode, vector, level);
	}
}

void vlapic_send_ipi(struct vlapic *a, uint32_t icr_low, uint32_t icr_high)
{
	uint8_t mode = icr_low >> 8 & 7, vector = (uint8_t)icr_low;
	bool level = icr_low & BIT(15), assert = icr_low & BIT(14);
	uint32_t dest = vlapic_x2apic(a) ? icr_high : icr_high >> 24;

	/* INIT level de-assert only synchronises arbitration IDs: nothing to do. */
	if (mode == D_INIT && level && !assert)
		return;
	/* It goes out all the same: whom it reaches has an error, too. */
	if ((mode == D_FIXED || mode == D_LOWEST) && vector < VECTOR_LEGAL)
		vlapic_error(a, ESR_SENT_ILLEGAL);
	vlapic_deliver(a->vcpu->domain, a, dest, icr_low & BIT(11), vlapic_x2apic(a), mode, vector,
		       false, icr_low >> 18 & 3);
}
