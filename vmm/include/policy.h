/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The CPU policy: what CPUID and the MSRs that belong to it tell a domain. Policies are arrays of leaves
 * in the order and with the limits that the toolstack knows (XEN_DOMCTL_set_cpu_policy); derived
 * from the host's, narrowed for HVM guests, then replaced by what the toolstack sends.
 * The table part (policy.c) is pure: it also runs in a host test.
 */
#ifndef PLINTH_POLICY_H
#define PLINTH_POLICY_H

#include "xen_abi.h"
#include "domain.h"

/* Sizes as Xen 4.17 has them: the maxima that a size query answers. */
#define POLICY_NR_BASIC	  (0xdU + 1)
#define POLICY_NR_CACHE	  6U
#define POLICY_NR_FEAT	  3U
#define POLICY_NR_TOPO	  2U
#define POLICY_NR_XSTATE  63U
#define POLICY_NR_EXTD	  (0x21U + 1)
#define POLICY_MAX_LEAVES 0x78U
#define POLICY_MAX_MSRS	  2U
#define POLICY_FEAT_WORDS 19U

struct cpuid_regs {
	uint32_t a, b, c, d;
};

struct cpu_policy {
	struct cpuid_regs basic[POLICY_NR_BASIC];   /* leaves 0..0xd without those below */
	struct cpuid_regs cache[POLICY_NR_CACHE];   /* leaf 4 */
	struct cpuid_regs feat[POLICY_NR_FEAT];	    /* leaf 7 */
	struct cpuid_regs topo[POLICY_NR_TOPO];	    /* leaf 0xb */
	struct cpuid_regs xstate[POLICY_NR_XSTATE]; /* leaf 0xd */
	struct cpuid_regs extd[POLICY_NR_EXTD];	    /* 0x80000000.. */
	uint64_t platform_info;			    /* MSR 0xce */
	uint64_t arch_caps;			    /* MSR 0x10a */
	bool topo_by_vcpu; /* APIC ids are vCPU id * 2, or the id as the loader likes; else the pCPU's own */
};

/* MSR 0xce: CPUID faulting is there; MSR 0x140: CPUID raises #GP but for CPL 0 (SDM volume 4, table 2-2). */

enum policy_index {
	POLICY_RAW,
	POLICY_HOST,
	POLICY_HVM_MAX,
	POLICY_HVM_DEFAULT,
	POLICY_INDEX_COUNT
};

/* One of the host's; all are derived when the first one is asked for, on the BSP, after host_cpu is filled. */
const struct cpu_policy *policy_system(enum policy_index i);
int policy_domain_init(struct domain *d);
void policy_domain_fini(struct domain *d);

/* Replace d's policy by leaves and MSRs from the toolstack (checked); errors name the place. */
struct xen_domctl_cpu_policy;
int policy_set_domain(struct domain *d, struct xen_domctl_cpu_policy *op);

/*
 * Leaves and MSRs of p to the caller, whose arrays are at these linear addresses with room for *nr_leaves and *nr_msrs
 * entries; then the numbers are what there was. An address of 0 asks how many there can be, and the other half is still
 * answered. 0, -ENOMEM, -EFAULT, -ENOBUFS = too little room (leaves are looked at first).
 */
int policy_to_guest(const struct cpu_policy *p, uint64_t leaves_la, uint32_t *nr_leaves,
		    uint64_t msrs_la, uint32_t *nr_msrs);
/* The words of p that XEN_SYSCTL_get_cpu_featureset shows. */
void policy_featureset(const struct cpu_policy *p, uint32_t words[POLICY_FEAT_WORDS]);

#endif
