// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Control registers and EFER: the checks that a CPU makes, then the state. SDM volume 3, 2.5 and 4.1;
 * APM volume 2, 3.1.
 */
#include "hvm_ops.h"
#include "policy.h"

#define CR0_KNOWN                                                                      \
	(X86_CR0_PE | X86_CR0_MP | X86_CR0_EM | X86_CR0_TS | X86_CR0_ET | X86_CR0_NE | \
	 X86_CR0_WP | X86_CR0_AM | X86_CR0_NW | X86_CR0_CD | X86_CR0_PG)

int hvm_set_cr0(struct vcpu *v, uint64_t value)
{
	bool paging_on = (value & X86_CR0_PG) && !(v->cr0 & X86_CR0_PG);

	if (value >> 32 || ((value & X86_CR0_PG) && !(value & X86_CR0_PE)) ||
	    ((value & X86_CR0_NW) && !(value & X86_CR0_CD)))
		return -EINVAL;
	value = (value & CR0_KNOWN) | X86_CR0_ET;
	if (value == v->cr0)
		return 0;
	if (paging_on && (v->efer & X86_EFER_LME)) {
		if (!(v->cr4 & X86_CR4_PAE))
			return -EINVAL;
		v->efer |= X86_EFER_LMA;
	} else if (!(value & X86_CR0_PG)) {
		if (((v->efer & X86_EFER_LMA) && hvm_code64(v)) || (v->cr4 & X86_CR4_PCIDE))
			return -EINVAL;
		v->efer &= ~X86_EFER_LMA;
	}
	v->cr0 = value;
	hvm_ops->cr_changed(v);
	return 0;
}

int hvm_set_cr3(struct vcpu *v, uint64_t value)
{
	if (v->efer & X86_EFER_LMA)
		value &= ~BIT(63);
	if (value >> host_cpu.phys_bits)
		return -EINVAL;
	v->cr3 = value;
	hvm_ops->cr_changed(v);
	return 0;
}

/* Bits that the guest's CPUID does not offer are reserved for it. */
int hvm_set_cr4(struct vcpu *v, uint64_t value)
{
	if (value & ~policy_cr4_mask(v->domain))
		return -EINVAL;
	if ((v->efer & X86_EFER_LMA) && !(value & X86_CR4_PAE))
		return -EINVAL;
	if ((value & X86_CR4_PCIDE) && !(v->cr4 & X86_CR4_PCIDE) &&
	    (!(v->efer & X86_EFER_LMA) || (v->cr3 & 0xfff)))
		return -EINVAL;
	if (value == v->cr4)
		return 0; /* invalidates nothing: SDM volume 3, 4.10.4.1; APM volume 2, 5.5.2 */
	v->cr4 = value;
	hvm_ops->cr_changed(v);
	return 0;
}

int hvm_set_efer(struct vcpu *v, uint64_t value)
{
	if (value & ~policy_efer_mask(v->domain))
		return -EINVAL;
	if (hvm_paging(v) && ((value ^ v->efer) & X86_EFER_LME))
		return -EINVAL;
	v->efer = (value & ~X86_EFER_LMA) | (v->efer & X86_EFER_LMA);
	hvm_ops->cr_changed(v);
	return 0;
}
