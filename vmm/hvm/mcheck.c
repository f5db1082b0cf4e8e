/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machine checks of guests. Ours have no banks (msr_table.c). Xen gives its guests two, which are quiet; a guest of an image
 * of its has counted them, looks at them from time to time, and ends when one is not there. So the record
 * VMCE_VCPU says how many there are, which is what MCG_CAP does: SDM volume 3, 16.3; APM volume 2, 9.3.
 */
#include "hvm_ops.h"
#include "msr_private.h"
#include "units.h"

#define CAP_BANKS 0xffU
#define CAP_CTL	  BIT(8)  /* MCG_CTL is there */
#define CAP_CMCI  BIT(10) /* MCi_CTL2 */
#define CAP_LMCE  BIT(27) /* MCG_EXT_CTL */
#define BANKS_MAX ((MSR_MC_LAST - MSR_MC0_CTL + 1U) / REGS)
#define REGS	  4U /* of a bank: CTL, STATUS, ADDR, MISC */
#define CTL2_BITS 0x40007fffU

/* The words of the record. */
enum { VMCE_CAPS, VMCE_CTL2, VMCE_EXT_CTL = 3 };
#define CTL2_KEPT 2U /* banks whose MCi_CTL2 it has */

static unsigned int banks(const struct vcpu *v)
{
	return v->hvm.vmce[VMCE_CAPS] & CAP_BANKS;
}

static int load_vmce(const struct hvm_instance *at, const void *buf)
{
	const struct hvm_vmce_vcpu *r = buf;

	if ((r->caps & CAP_BANKS) > BANKS_MAX)
		return -EINVAL;
	memcpy(at->v->hvm.vmce, buf, sizeof(at->v->hvm.vmce));
	return 0;
}

static int save_vmce(const struct hvm_instance *at, void *buf)
{
	memcpy(buf, at->v->hvm.vmce, sizeof(at->v->hvm.vmce));
	return sizeof(struct hvm_vmce_vcpu);
}

int mcheck_read(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	uint64_t *words = v->hvm.vmce, caps = words[VMCE_CAPS];

	*value = 0;
	if (msr - MSR_MC0_CTL < REGS * banks(v)) {
		if (!((msr - MSR_MC0_CTL) % REGS))
			*value = ~0ULL;
	} else if (msr == MSR_MCG_CAP && caps) {
		*value = caps;
	} else if (msr == MSR_MCG_CTL && (caps & CAP_CTL)) {
		*value = ~0ULL;
	} else if (msr == MSR_MCG_EXT_CTL && (caps & CAP_LMCE)) {
		*value = words[VMCE_EXT_CTL];
	} else if (msr - MSR_MC0_CTL2 < banks(v) && (caps & CAP_CMCI)) {
		if (msr - MSR_MC0_CTL2 < CTL2_KEPT)
			*value = words[VMCE_CTL2 + msr - MSR_MC0_CTL2];
	} else {
		return -ENOENT;
	}
	return 0;
}

/* What is enabled changes nothing; what has been reported can only be cleared. */
int mcheck_write(struct vcpu *v, uint32_t msr, uint64_t value)
{
	uint64_t *words = v->hvm.vmce, caps = words[VMCE_CAPS];

	if (msr - MSR_MC0_CTL < REGS * banks(v))
		return (msr - MSR_MC0_CTL) % REGS && value ? -EINVAL : 0;
	if (msr == MSR_MCG_CTL && (caps & CAP_CTL))
		return 0;
	if (msr == MSR_MCG_EXT_CTL && (caps & CAP_LMCE)) {
		if (value > 1)
			return -EINVAL;
		words[VMCE_EXT_CTL] = value;
		return 0;
	}
	if (msr - MSR_MC0_CTL2 < banks(v) && (caps & CAP_CMCI)) {
		if (value & ~(uint64_t)CTL2_BITS)
			return -EINVAL;
		if (msr - MSR_MC0_CTL2 < CTL2_KEPT)
			words[VMCE_CTL2 + msr - MSR_MC0_CTL2] = value;
		return 0;
	}
	return -ENOENT;
}

static const struct hvm_record records[] = {
	HVM_RECORD(VMCE_VCPU, SAVE_PER_VCPU, sizeof(struct hvm_vmce_vcpu), save_vmce, load_vmce),
};

const struct hvm_unit mcheck_unit = {
	.name = "machine checks",
	.needs = UNIT_ANY,
	UNIT_SAVES(records),
};
