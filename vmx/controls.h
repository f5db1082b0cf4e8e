/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a CPU's VMX capability registers allow, and the controls made from them. Pure: the same
 * source runs in a host test. SDM volume 3, appendix A.
 */
#ifndef PLINTH_VMX_CONTROLS_H
#define PLINTH_VMX_CONTROLS_H

#include "lib/x86_bits.h"
#include "types.h"
#include "vmcs.h"

/* The capability registers as read; allowed settings have must-be-one low and may-be-one high. */
struct vmx_cap_msrs {
	uint64_t basic;	       /* IA32_VMX_BASIC */
	uint64_t pin, proc;    /* the TRUE_ ones where basic says that they exist */
	uint64_t exit, entry;  /* likewise */
	uint64_t proc2;	       /* 0 without secondary controls */
	uint64_t ept_vpid;     /* 0 without EPT and VPID */
	uint64_t cr0_fixed[2]; /* must be one, may be one */
	uint64_t cr4_fixed[2];
};

#define VMX_BASIC_TRUE		BIT(55)
#define VMX_BASIC_ANY_ERROR	BIT(56) /* exceptions are injected with or without a code */
#define VMX_BASIC_REVISION(b)	((uint32_t)(b)&0x7fffffff)
#define VMX_BASIC_SIZE(b)	((uint32_t)((b) >> 32) & 0x1fff)
#define VMX_BASIC_ADDR_32	BIT(48)
#define VMX_BASIC_MEMTYPE(b)	((uint32_t)((b) >> 50) & 0xf)

#define EPT_CAP_EXEC_ONLY	BIT(0)
#define EPT_CAP_4_LEVELS	BIT(6)
#define EPT_CAP_WB		BIT(14)
#define EPT_CAP_2M		BIT(16)
#define EPT_CAP_1G		BIT(17)
#define EPT_CAP_INVEPT		BIT(20)
#define EPT_CAP_AD		BIT(21)
#define EPT_CAP_INVEPT_SINGLE	BIT(25)
#define EPT_CAP_INVEPT_ALL	BIT(26)
#define VPID_CAP_INVVPID	BIT(32)
#define VPID_CAP_INVVPID_SINGLE BIT(41)
#define VPID_CAP_INVVPID_ALL	BIT(42)

struct vmx_controls {
	uint32_t pin, proc, proc2, exit, entry;
	/* Of the guest's hardware CR0 and CR4; vmx_cr0_must(). */
	uint64_t cr0_must, cr0_may, cr4_must, cr4_may;
	unsigned int max_leaf_level; /* of EPT: 1 4 KiB, 2 2 MiB, 3 1 GiB */
	const char *no_ept;	     /* what keeps the CPU from nested paging, NULL = nothing */
	bool ept, load_efer, load_pat;
	bool unrestricted, vpid, tpr_shadow, apic_access, apic_registers, vintr_delivery;
	bool x2apic, posted, preemption_timer;
	bool invept_single, invvpid_single, ept_dirty;
};

/* Bits of CR0 that an entry wants set: unrestricted guests are free in two of them (23.8). */
static inline uint64_t vmx_cr0_must(const struct vmx_controls *c, bool unrestricted)
{
	return unrestricted ? c->cr0_must & ~(X86_CR0_PE | X86_CR0_PG) : c->cr0_must;
}

/* NULL, or what the CPU lacks that there is no way around. */
const char *vmx_controls_compute(const struct vmx_cap_msrs *m, struct vmx_controls *out);

/* Which rule of SDM volume 3, 26.3 the guest state that `read` gives most likely breaks (check.c). */
typedef uint64_t (*vmcs_reader)(enum vmcs_field field);
const char *vmx_broken_rule_in(vmcs_reader read, const struct vmx_controls *c,
			       unsigned int phys_bits);
/* Which rule of 26.2.1 the controls and the event to inject break (check_controls.c). */
const char *vmx_broken_control_in(vmcs_reader read, const struct vmx_cap_msrs *caps,
				  unsigned int phys_bits);

#endif
