/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a CPU leaves behind for the next guest to read by speculation, how an entry clears it, and how a guest could stop
 * the CPU. Pure: the same source runs in a host test. SDM volume 4, table 2-2 (IA32_ARCH_CAPABILITIES, IA32_FLUSH_CMD).
 */
#ifndef PLINTH_VMX_HAZARDS_H
#define PLINTH_VMX_HAZARDS_H

#include "types.h"

#define FLUSH_CMD_L1D		1U

#define ARCH_CAP_RDCL_NO	BIT(0)
#define ARCH_CAP_SKIP_L1D_FLUSH BIT(3)
#define ARCH_CAP_MDS_NO		BIT(5)
#define ARCH_CAP_PSCHANGE_NO	BIT(6)
#define ARCH_CAP_TAA_NO		BIT(8)
#define ARCH_CAP_SBDR_NO	BIT(13)
#define ARCH_CAP_FBSDP_NO	BIT(14)
#define ARCH_CAP_PSDP_NO	BIT(15)
#define ARCH_CAP_FB_CLEAR	BIT(17)
#define ARCH_CAP_RFDS_NO	BIT(27)
#define ARCH_CAP_RFDS_CLEAR	BIT(28)

/* CPUID leaf 7. */
#define F7_EBX_RTM	 BIT(11)
#define F7_EDX_MD_CLEAR	 BIT(10)
#define F7_EDX_L1D_FLUSH BIT(28)

struct vmx_hazard_facts {
	unsigned int family, model;
	uint32_t f7_ebx, f7_edx;
	uint64_t arch_caps; /* 0 where the CPU has no such register */
};

enum vmx_l1d_flush { L1D_KEEP, L1D_BY_COMMAND, L1D_BY_READING };

struct vmx_hazards {
	enum vmx_l1d_flush
		l1d;	  /* L1TF: nested translations do not protect what is in the L1 cache */
	bool verw;	  /* MDS and its relatives: VERW clears the buffers */
	bool unprotected; /* the CPU leaks by its buffers and has no microcode that clears them */
	bool large_code;  /* a guest can stop the CPU where code is mapped by large pages */
};

/* How this CPU flushes its L1 data cache where it has to. */
enum vmx_l1d_flush vmx_l1d_way(const struct vmx_hazard_facts *f);
void vmx_hazards_compute(const struct vmx_hazard_facts *f, struct vmx_hazards *out);

#endif
