/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loading MTRRs (Intel SDM volume 3, 12.11.7 and 12.11.8; AMD APM volume 2, 7.7). The default type
 * is write-back; fixed ranges make the VGA window uncached.
 */
#include "mtrr.h"
#include "io.h"

#define MSR_MTRRCAP	  0xfe
#define MSR_MTRR_PHYSBASE 0x200
#define MSR_MTRR_DEF_TYPE 0x2ff
#define DEF_TYPE_WB	  6u
#define DEF_TYPE_FIXED	  0x400u
#define DEF_TYPE_ENABLE	  0x800u
#define ALL_WB		  UINT64_C(0x0606060606060606)
#define CPUID1_EDX_MTRR	  (1u << 12)
#define MTRRCAP_FIXED	  0x100u

static const struct {
	uint16_t msr;
	uint64_t types;
} fixed[] = {
	{ 0x250, ALL_WB }, /* 00000-7ffff */
	{ 0x258, ALL_WB }, /* 80000-9ffff */
	{ 0x259, 0 },	   /* a0000-bffff */
	{ 0x268, ALL_WB }, { 0x269, ALL_WB }, { 0x26a, ALL_WB }, { 0x26b, ALL_WB },
	{ 0x26c, ALL_WB }, { 0x26d, ALL_WB }, { 0x26e, ALL_WB }, { 0x26f, ALL_WB },
};

unsigned int mtrr_phys_bits(void)
{
	unsigned int bits = 36;

	if (cpuid_count(0x80000000, 0).eax >= 0x80000008)
		bits = cpuid_count(0x80000008, 0).eax & 0xff;
	return bits >= 32 && bits <= 52 ? bits : 36;
}

uint32_t mtrr_variable_count(void)
{
	uint32_t nr;

	if (!(cpuid_count(1, 0).edx & CPUID1_EDX_MTRR))
		return 0;
	nr = (uint32_t)rdmsr(MSR_MTRRCAP) & 0xff;
	return nr < MTRR_VARIABLE_MAX ? nr : MTRR_VARIABLE_MAX;
}

void mtrr_load(const struct mtrr_plan *p)
{
	uint64_t def = DEF_TYPE_WB | DEF_TYPE_ENABLE;
	uint32_t nr = mtrr_variable_count(), cr0;

	if (!nr)
		return;
	/* Caches off and empty while types change; paging is off, so there is no TLB to flush. */
	asm volatile("mov %%cr0, %0" : "=r"(cr0));
	asm volatile("mov %0, %%cr0; wbinvd" : : "r"(cr0 | 0x40000000u) : "memory");
	wrmsr(MSR_MTRR_DEF_TYPE, DEF_TYPE_WB);
	if (rdmsr(MSR_MTRRCAP) & MTRRCAP_FIXED) {
		for (unsigned int i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
			wrmsr(fixed[i].msr, fixed[i].types);
		def |= DEF_TYPE_FIXED;
	}
	for (uint32_t i = 0; i < nr; i++) {
		int used = i < p->nr;

		wrmsr(MSR_MTRR_PHYSBASE + 2 * i, used ? p->range[i].base : 0);
		wrmsr(MSR_MTRR_PHYSBASE + 2 * i + 1, used ? p->range[i].mask : 0);
	}
	wrmsr(MSR_MTRR_DEF_TYPE, def);
	/* Caches on, whatever the VMM started this processor with. */
	asm volatile("wbinvd; mov %0, %%cr0" : : "r"(cr0 & ~0x60000000u) : "memory");
}
