/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Extended state, switched eagerly and whole. XSAVE images are in the standard (not compacted)
 * format, because that is what save records hold (SDM 1, 13.4). The host's XCR0 always has every
 * bit, a guest's is loaded only around the guest by the vendor's entry path.
 */
#include "cpu.h"
#include "mm.h"

#define FCW_RESET    0x37f
#define MXCSR_RESET  0x1f80
#define FCW_OFFSET   0
#define MXCSR_OFFSET 24

int fpu_init(struct vcpu_fpu *f)
{
	BUG_ON(host_cpu.xsave_size < 512);
	/*
	 * blocks of the small heap are aligned to their size's power of two, larger ones to a
	 * page
	 */
	f->area = xzalloc_bytes(host_cpu.xsave_size);
	if (!f->area)
		return -ENOMEM;
	fpu_reset(f);
	return 0;
}

void fpu_free(struct vcpu_fpu *f)
{
	xfree(f->area);
	f->area = NULL;
}

void fpu_reset(struct vcpu_fpu *f)
{
	memset(f->area, 0, host_cpu.xsave_size);
	*(uint16_t *)((char *)f->area + FCW_OFFSET) = FCW_RESET;
	*(uint32_t *)((char *)f->area + MXCSR_OFFSET) = MXCSR_RESET;
	f->xcr0 = 1;
	f->xcr0_accum = 1;
}

void fpu_save(struct vcpu_fpu *f)
{
	uint32_t lo = (uint32_t)host_cpu.xcr0_mask, hi = (uint32_t)(host_cpu.xcr0_mask >> 32);

	if (host_cpu.xsave)
		__asm__ volatile("xsave64 (%0)" ::"r"(f->area), "a"(lo), "d"(hi) : "memory");
	else
		__asm__ volatile("fxsave64 (%0)" ::"r"(f->area) : "memory");
}

void fpu_restore(const struct vcpu_fpu *f)
{
	uint32_t lo = (uint32_t)host_cpu.xcr0_mask, hi = (uint32_t)(host_cpu.xcr0_mask >> 32);

	if (host_cpu.xsave)
		__asm__ volatile("xrstor64 (%0)" ::"r"(f->area), "a"(lo), "d"(hi) : "memory");
	else
		__asm__ volatile("fxrstor64 (%0)" ::"r"(f->area) : "memory");
}
