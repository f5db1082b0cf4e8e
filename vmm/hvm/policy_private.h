/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPU policies within vmm/hvm: policy.c, which is pure, for policy_guest.c, and both for exits, MSRs and records. */
#ifndef PLINTH_POLICY_PRIVATE_H
#define PLINTH_POLICY_PRIVATE_H

#include "policy.h"

/* EFER bits that d's CPUID offers. */
uint64_t policy_efer_mask(const struct domain *d);
/* CR4 bits that d's CPUID offers. */
uint64_t policy_cr4_mask(const struct domain *d);
/* The APIC id that CPUID and the vLAPIC of v show. */
uint32_t policy_apic_id(const struct vcpu *v);
/* MSRs that belong to CPUID features, and Xen's (hypercall page). 0, or -EINVAL: not one of these. */
int policy_rdmsr(struct vcpu *v, uint32_t msr, uint64_t *value);
int policy_wrmsr(struct vcpu *v, uint32_t msr, uint64_t value);
/* Number of leaves that serialising p takes; entries are written when out is not NULL. */
unsigned int policy_serialise(const struct cpu_policy *p, xen_cpuid_leaf_t *out);
/* Read nr leaves into p; -ERANGE for one that has no place, named in *bad_leaf, *bad_sub. */
int policy_deserialise(struct cpu_policy *p, const xen_cpuid_leaf_t *in, unsigned int nr,
		       uint32_t *bad_leaf, uint32_t *bad_sub);
/* Does p end where policies can end? What is above max's own limits goes with policy_sanitise(). -EINVAL, leaf named. */
int policy_check(const struct cpu_policy *max, const struct cpu_policy *p, uint32_t *bad_leaf,
		 uint32_t *bad_sub);
/*
 * A policy that was made elsewhere: the name of a feature of p's that max lacks and that its guest would use all the same,
 * or NULL. Then what else it loses of a word of its featureset, and where that is.
 */
const char *policy_needs(const struct cpu_policy *max, const struct cpu_policy *p,
			 uint32_t *bad_leaf, uint32_t *bad_sub);
uint32_t policy_loses(const struct cpu_policy *max, const struct cpu_policy *p, unsigned int word,
		      uint32_t *leaf, const char **reg);
/* MSRs of the policy, as entries; returns their number. */
unsigned int policy_msrs(const struct cpu_policy *p, xen_msr_entry_t *out);
/* Narrow a host policy to what HVM guests may see. */
void policy_derive_hvm(const struct cpu_policy *host, struct cpu_policy *out);
void policy_derive_default(const struct cpu_policy *hvm_max, struct cpu_policy *out);
/* What nested paging alone gives goes: PCID, INVPCID, protection keys. */
void policy_derive_shadow(const struct cpu_policy *nested, struct cpu_policy *out);
void policy_derive_dom0(const struct cpu_policy *host, struct cpu_policy *out);
/* After a change of p: keep features within max, and make the dependent leaves follow. */
void policy_sanitise(const struct cpu_policy *max, struct cpu_policy *p);
/* Whether XSETBV takes this for XCR0 in a guest with this policy: SDM volume 1, 13.3. */
bool policy_xcr0_ok(const struct cpu_policy *p, uint64_t value);
/* Bytes of the XSAVE area for these XCR0 (and, compacted, XSS) bits by p's leaf 0xd. */
uint32_t policy_xsave_size(const struct cpu_policy *p, uint64_t bits, bool compacted);

#endif
