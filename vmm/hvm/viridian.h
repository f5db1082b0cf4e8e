/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Microsoft's interface of hypervisors (Hypervisor Top Level Functional Specification, "TLFS"), for guests whose
 * HVM_PARAM_VIRIDIAN has it: between its files and those that have CPUID, MSRs, hypercalls and the local APIC.
 */
#ifndef PLINTH_VIRIDIAN_H
#define PLINTH_VIRIDIAN_H

#include "domain.h"

/* What the guest is offered: HVMPV_*, 0 = nothing. */
static inline uint64_t viridian_mask(const struct domain *d)
{
	return READ_ONCE(d->hvm.params[HVM_PARAM_VIRIDIAN]);
}

/* Leaves from 0x40000000 on, which are zeros yet. */
void viridian_cpuid(struct vcpu *v, uint32_t leaf, uint32_t out[4]);

#define MSR_HV_FIRST	0x40000000U
#define MSR_HV_LAST	0x400001ffU
#define MSR_HV_OS_ID	0x40000000U
#define MSR_HV_ICR	0x40000071U
#define MSR_HV_APIC	0x40000070U /* EOI, ICR, TPR and the assist page */
#define MSR_HV_APIC_END 0x40000073U
/* As struct msr_range has it. */
int viridian_rdmsr(struct vcpu *v, uint32_t msr, uint64_t *value);
int viridian_wrmsr(struct vcpu *v, uint32_t msr, uint64_t value);

/* A call from the page that the guest has asked for, which sets bit 31 of EAX; Xen's numbers have it clear. */
#define VIRIDIAN_CALL BIT(31)
static inline bool viridian_is_call(const struct vcpu *v)
{
	return (v->regs.gpr[X86_RAX] & VIRIDIAN_CALL) && viridian_mask(v->domain);
}
void viridian_call(struct vcpu *v, unsigned int insn_len);
/* Writes the page of code of such calls. */
void viridian_page_fill(struct domain *d, void *page);

/* viridian_apic.c: these registers, once the partition's rights are known. 0 or -EINVAL. */
int viridian_apic_read(struct vcpu *v, uint32_t msr, uint64_t *value);
int viridian_apic_write(struct vcpu *v, uint32_t msr, uint64_t value);
/* Own vCPU: this vector goes to the guest now. It may be told that the vector needs no EOI. */
void viridian_assist(struct vcpu *v, uint8_t vector);
/* INIT or a new partition: the page is the guest's own again. */
static inline void viridian_forget(struct vcpu *v)
{
	v->hvm.vp_assist = 0;
	v->hvm.no_eoi = false;
}
/* Own vCPU, v->hvm.no_eoi is set: has the guest ended that interrupt? No lock of the order of P2M or above is held. */
void viridian_settle(struct vcpu *v);
/* Paused: the guest is to write EOI for the interrupt that its page says needs none, unless it has ended it already. */
void viridian_withdraw(struct vcpu *v);

#endif
