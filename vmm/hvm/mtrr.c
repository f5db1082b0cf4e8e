/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory type range registers: reading, writing with the checks of the SDM (volume 3, 12.11), and
 * the type they give an address. With nested paging the guest's types matter where the hardware
 * cannot combine them itself; that is the p2m formats' business, this file only keeps the
 * registers. dom0 begins with the machine's values, which Linux needs to find before it turns PAT
 * on.
 */
#include "mtrr.h"
#include "hvm_ops.h"

#define DEF_TYPE_FE    BIT(10)
#define DEF_TYPE_E     BIT(11)
#define VAR_MASK_VALID BIT(11)
#define CAP_FIXED      BIT(8)
#define CAP_WC	       BIT(10)
#define TYPE_UC	       0
#define TYPE_WT	       4
#define TYPE_WB	       6

static const uint16_t fixed_msr[MTRR_NR_FIXED] = {
	MSR_MTRR_FIX64K,    MSR_MTRR_FIX16K,	MSR_MTRR_FIX16K + 1, MSR_MTRR_FIX4K,
	MSR_MTRR_FIX4K + 1, MSR_MTRR_FIX4K + 2, MSR_MTRR_FIX4K + 3,  MSR_MTRR_FIX4K + 4,
	MSR_MTRR_FIX4K + 5, MSR_MTRR_FIX4K + 6, MSR_MTRR_FIX4K + 7
};

static void read_host(struct mtrr_state *m)
{
	uint64_t cap;

	if (!(host_cpu.f1_edx & BIT(12)) || rdmsr_safe(MSR_MTRRCAP, &cap))
		return;
	m->cap = (cap & ~0xffULL) | min(cap & 0xff, (uint64_t)MTRR_NR_VAR);
	rdmsr_safe(MSR_MTRR_DEF_TYPE, &m->def_type);
	for (unsigned int i = 0; (cap & CAP_FIXED) && i < MTRR_NR_FIXED; i++)
		rdmsr_safe(fixed_msr[i], &m->fixed[i]);
	for (unsigned int i = 0; i < (m->cap & 0xff); i++) {
		rdmsr_safe(MSR_MTRR_PHYSBASE0 + 2 * i, &m->var[i][0]);
		rdmsr_safe(MSR_MTRR_PHYSBASE0 + 2 * i + 1, &m->var[i][1]);
	}
}

int mtrr_init(struct vcpu *v)
{
	struct mtrr_state *m = xzalloc(struct mtrr_state);

	if (!m)
		return -ENOMEM;
	m->cap = CAP_WC | CAP_FIXED | MTRR_NR_VAR;
	if (v->domain->is_dom0)
		read_host(m);
	v->hvm.mtrr = m;
	return 0;
}

void mtrr_fini(struct vcpu *v)
{
	xfree(v->hvm.mtrr);
	v->hvm.mtrr = NULL;
}

/* The register, NULL when there is none of this number. */
static uint64_t *mtrr_slot(struct mtrr_state *m, uint32_t msr)
{
	uint32_t i = msr - MSR_MTRR_PHYSBASE0;

	if (msr == MSR_MTRR_DEF_TYPE)
		return &m->def_type;
	if (msr == MSR_MTRRCAP)
		return &m->cap;
	if (i < 2 * (m->cap & 0xff))
		return &m->var[i / 2][i % 2];
	for (i = 0; i < MTRR_NR_FIXED; i++)
		if (fixed_msr[i] == msr)
			return &m->fixed[i];
	return NULL;
}

int mtrr_rdmsr(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	uint64_t *slot = mtrr_slot(v->hvm.mtrr, msr);

	if (!slot)
		return -EINVAL;
	*value = *slot;
	return 0;
}

static bool type_ok(uint8_t t)
{
	return t == 0 || t == 1 || (t >= 4 && t <= 6);
}

static bool value_ok(uint32_t msr, uint64_t value)
{
	if (msr == MSR_MTRRCAP)
		return false;
	if (msr == MSR_MTRR_DEF_TYPE)
		return !(value & ~0xcffULL) && type_ok((uint8_t)value);
	if (msr >= MSR_MTRR_FIX64K && msr <= MSR_MTRR_FIX4K + 7) {
		for (unsigned int i = 0; i < 64; i += 8)
			if (!type_ok((uint8_t)(value >> i)))
				return false;
		return true;
	}
	if (value >> host_cpu.phys_bits)
		return false;
	if (msr & 1)
		return !(value & 0x7ff);
	return !(value & 0xf00) && type_ok((uint8_t)value);
}

int mtrr_wrmsr(struct vcpu *v, uint32_t msr, uint64_t value)
{
	uint64_t *slot = mtrr_slot(v->hvm.mtrr, msr);

	if (!slot || !value_ok(msr, value))
		return -EINVAL;
	*slot = value;
	return 0;
}

static uint8_t fixed_type(const struct mtrr_state *m, uint64_t a)
{
	unsigned int i, byte;

	if (a < 0x80000) {
		i = 0;
		byte = (unsigned int)(a >> 16);
	} else if (a < 0xc0000) {
		i = 1 + (unsigned int)((a - 0x80000) >> 17);
		byte = (a >> 14) & 7;
	} else {
		i = 3 + (unsigned int)((a - 0xc0000) >> 15);
		byte = (a >> 12) & 7;
	}
	return (uint8_t)(m->fixed[i] >> (byte * 8));
}

/* Overlaps: UC wins, then WT over WB; anything else is undefined. */
static int combine(int have, uint8_t t)
{
	if (have < 0)
		return t;
	if (have == TYPE_UC || t == TYPE_UC)
		return TYPE_UC;
	if ((have == TYPE_WT && t == TYPE_WB) || (have == TYPE_WB && t == TYPE_WT))
		return TYPE_WT;
	return have;
}

/* Memory type (0 UC, 1 WC, 4 WT, 5 WP, 6 WB) that the MTRRs give a guest-physical address. */
static uint8_t mtrr_type(const struct mtrr_state *m, gpa_t gpa)
{
	int found = -1;

	if (!(m->def_type & DEF_TYPE_E))
		return TYPE_UC;
	if (gpa.v < MIB(1) && (m->def_type & DEF_TYPE_FE))
		return fixed_type(m, gpa.v);
	for (unsigned int i = 0; i < (m->cap & 0xff); i++) {
		uint64_t mask = m->var[i][1] & PAGE_MASK;

		if ((m->var[i][1] & VAR_MASK_VALID) && (gpa.v & mask) == (m->var[i][0] & mask))
			found = combine(found, (uint8_t)m->var[i][0]);
	}
	return found < 0 ? (uint8_t)m->def_type : (uint8_t)found;
}

/* Firmware leaves the same values on every CPU (SDM volume 3, 12.11.8), and nobody changes them. */
uint8_t mtrr_host_type(maddr_t a, uint64_t len)
{
	static struct mtrr_state host;
	static bool known;
	uint8_t type;

	if (!known) {
		read_host(&host);
		known = true;
	}
	if (!host.cap)
		return TYPE_UC;
	type = mtrr_type(&host, _gpa(a.v));
	for (uint64_t done = PAGE_SIZE; done < len; done += PAGE_SIZE)
		if (mtrr_type(&host, _gpa(a.v + done)) != type)
			return TYPE_UC;
	return type;
}
