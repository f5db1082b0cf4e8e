// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Virtual processor identifiers, and flushes. A VPID belongs to a vCPU for its life. Translations
 * are tagged by VPID and EPT pointer on each CPU: what has to go is noted and done before the next
 * entry, and a vCPU that comes to another CPU, where older ones of its may be left, starts clean.
 * SDM volume 3, 28.3.
 */
#include "vmx.h"

#define NR_VPIDS       4096U

#define INV_SINGLE     1U
#define INV_ALL	       2U

#define EPTP_WB	       6ULL
#define EPTP_AD	       BIT(6)
#define EPTP_LEVELS(n) ((uint64_t)((n)-1) << 3)

static uint8_t used[NR_VPIDS / 8] = { 1 }; /* 0 is the VMM's own */

/* Out of identifiers: entries and exits then flush by themselves. */
void vpid_alloc(struct vmx_vcpu *vv)
{
	if (!vmx_controls.vpid)
		return;
	for (uint16_t i = 1; i < NR_VPIDS; i++) {
		if (test_and_set_bit(i, used))
			continue;
		vv->vpid = i;
		return;
	}
}

void vpid_free(struct vmx_vcpu *vv)
{
	if (vv->vpid)
		clear_bit(vv->vpid, used);
	vv->vpid = 0;
}

/* Tables in write-back memory, four levels (28.2.6, 24.6.11). */
uint64_t vmx_eptp(const struct domain *d)
{
	return mfn_to_maddr(page_to_mfn(d->p2m.root)).v | EPTP_WB | EPTP_LEVELS(4) |
	       (vmx_controls.ept_dirty ? EPTP_AD : 0);
}

static void inv(bool ept, uint64_t type, uint64_t first, uint64_t second)
{
	uint64_t descriptor[2] = { first, second };
	bool failed;

	if (ept)
		__asm__ volatile("invept %1, %2; setbe %0"
				 : "=q"(failed)
				 : "m"(descriptor), "r"(type)
				 : "cc", "memory");
	else
		__asm__ volatile("invvpid %1, %2; setbe %0"
				 : "=q"(failed)
				 : "m"(descriptor), "r"(type)
				 : "cc", "memory");
	BUG_ON(failed);
}

void vmx_invept_all(void)
{
	if (vmx_caps.ept_vpid & EPT_CAP_INVEPT_ALL)
		inv(true, INV_ALL, 0, 0);
	if (vmx_controls.vpid && (vmx_caps.ept_vpid & VPID_CAP_INVVPID_ALL))
		inv(false, INV_ALL, 0, 0);
}

static void flush_linear(const struct vmx_vcpu *vv)
{
	if (vv->vpid)
		inv(false, vmx_controls.invvpid_single ? INV_SINGLE : INV_ALL, vv->vpid, 0);
}

static void flush_ept(const struct vmx_vcpu *vv)
{
	inv(true, vmx_controls.invept_single ? INV_SINGLE : INV_ALL, vmx_eptp(vv->vcpu->domain), 0);
}

void vmx_flush_pending(struct vmx_vcpu *vv)
{
	if (unlikely(vv->tlb_cpu != cpu_id())) {
		vv->tlb_cpu = cpu_id();
		vv->flush_linear = vv->flush_ept = true;
	}
	if (vv->flush_linear)
		flush_linear(vv);
	if (vv->flush_ept && vmx_on_ept(vv))
		flush_ept(vv);
	vv->flush_linear = vv->flush_ept = false;
}

void vmx_flush_vcpu(struct vcpu *v)
{
	vmx_vcpu(v)->flush_linear = true;
	vmx_vcpu(v)->flush_ept = true;
}
