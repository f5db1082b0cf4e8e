/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest writes while its writes begin to be logged and are looked at, on a CPU that notes none by itself. */
#include "threads.h"
#include <xen/domctl.h>

#define B      DOMID_B
#define LOOKS  12U
#define MAP_LA 0x40000UL /* of dom0 */

extern const struct p2m_format svm_npt_format;

static long shadow_op(struct vcpu *v, uint32_t op)
{
	struct xen_domctl d = { 0 };

	d.u.shadow_op.op = op;
	d.u.shadow_op.pages = GUEST_RAM;
	guest_handle_set(d.u.shadow_op.dirty_bitmap, MAP_LA);
	return domctl(v, XEN_DOMCTL_shadow_op, B, &d);
}

/* Logging begins, in pieces; then what was written is asked for and cleaned, again and again. */
static bool looks(struct vcpu *v, unsigned int n)
{
	EXPECT(shadow_op(v, n ? XEN_DOMCTL_SHADOW_OP_CLEAN : XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY),
	       <= 0);
	return n < LOOKS;
}

/* What a processor without dirty bits does: the first write of a frame faults, the others are seen by nobody. */
static bool writes(struct vcpu *v, unsigned int n)
{
	gfn_t gfn = _gfn(any(GUEST_RAM));
	struct npt_fault f = { .gpa = gfn_to_gpa(gfn), .write = true };

	(void)n;
	if (p2m_get(v->domain, gfn).type == P2M_RAM_LOGDIRTY)
		p2m_fault(v, &f);
	return true;
}

/* Whatever can be written without a fault will be looked at again. */
static bool all_that_is_writable_is_noted(struct vcpu *v, unsigned int n)
{
	struct domain *d = v->domain;

	(void)n;
	EXPECT(logdirty_is_on(d), == true);
	for (uint64_t g = 0; g < GUEST_RAM; g++)
		if (p2m_get(d, _gfn(g)).type == P2M_RAM_RW)
			EXPECT(d->p2m.dirty[g / 8] >> g % 8 & 1, == 1);
	return false;
}

RACE(log_writes, 40)
{
	static struct p2m_format plain;

	plain = svm_npt_format;
	plain.dirty = 0;
	dom(B)->p2m.fmt = &plain;
	RACE_ACTS({ 0, 0, 0, looks, false }, { B, 0, 1, writes, true }, { B, 1, 2, writes, true });
	RACE_ACTS({ B, 0, 1, all_that_is_writable_is_noted, false });
}
