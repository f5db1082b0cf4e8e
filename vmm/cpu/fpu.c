/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Extended state, switched eagerly and whole. XSAVE images are in the standard (not compacted)
 * format, because that is what save records hold (SDM 1, 13.4). The host's XCR0 always has every
 * bit, a guest's is loaded only around the guest by the vendor's entry path.
 */
#include "cpu.h"
#include "mm.h"
#include "trap.h"

#define FCW_RESET    0x37f
#define MXCSR_RESET  0x1f80
#define FCW_OFFSET   0
#define MXCSR_OFFSET 24

static void set_reset_values(void *area)
{
	*(uint16_t *)((char *)area + FCW_OFFSET) = FCW_RESET;
	*(uint32_t *)((char *)area + MXCSR_OFFSET) = MXCSR_RESET;
}

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
	set_reset_values(f->area);
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

/*
 * AMD's FXRSTOR and XRSTOR leave the x87 instruction and data pointers of the last user in place when
 * no exception is pending (APM 2, 11.4.4.3): overwrite them with our own before they can be read.
 */
static void clear_x87_pointers(void)
{
	static const int32_t zero;

	if (host_cpu.x87_pointers_stay)
		__asm__ volatile("fnclex; emms; fildl %0" ::"m"(zero));
}

static bool try_restore(const struct vcpu_fpu *f)
{
	uint32_t lo = (uint32_t)host_cpu.xcr0_mask, hi = (uint32_t)(host_cpu.xcr0_mask >> 32);
	bool failed = true;

	if (host_cpu.xsave)
		__asm__ volatile("1: xrstor64 (%1)\n\tmovb $0, %0\n2:\n" EXTABLE(1b, 2b)
				 : "+q"(failed)
				 : "r"(f->area), "a"(lo), "d"(hi)
				 : "memory");
	else
		__asm__ volatile("1: fxrstor64 (%1)\n\tmovb $0, %0\n2:\n" EXTABLE(1b, 2b)
				 : "+q"(failed)
				 : "r"(f->area)
				 : "memory");
	return !failed;
}

/* An image that the processor refuses (one that a tool loaded) becomes the reset state. */
void fpu_restore(const struct vcpu_fpu *f)
{
	clear_x87_pointers();
	if (try_restore(f))
		return;
	memset(f->area, 0, host_cpu.xsave_size);
	set_reset_values(f->area);
	BUG_ON(!try_restore(f));
}
