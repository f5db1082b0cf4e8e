/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The instructions of vmm/cpu/fpu.c, apart so that a test can put a model of a processor in their place. */
#ifndef PLINTH_FPU_HW_H
#define PLINTH_FPU_HW_H

#include "cpu.h"
#include "trap.h"

/* XCR0; not on a CPU without XSAVE. */
static inline uint64_t hw_get_xcr0(void)
{
	return xgetbv0();
}

static inline void hw_set_xcr0(uint64_t xcr0)
{
	xsetbv0(xcr0);
}

/* What XCR0 has of all states goes into the area; without XSAVE, x87 and SSE. */
static inline void hw_fpu_save(void *area)
{
	if (host_cpu.xsave)
		__asm__ volatile("xsave64 (%0)" ::"r"(area), "a"(~0U), "d"(~0U) : "memory");
	else
		__asm__ volatile("fxsave64 (%0)" ::"r"(area) : "memory");
}

/* Of the area nothing but PKRU's state (9) changes, and its bit in XSTATE_BV; XCR0 has it. */
static inline void hw_fpu_save_pkru(void *area)
{
	__asm__ volatile("xsave64 (%0)" ::"r"(area), "a"(1U << 9), "d"(0) : "memory");
}

/* False: it faulted, and the registers are as they were. */
static inline bool hw_fpu_restore(const void *area)
{
	bool failed = true;

	if (host_cpu.xsave)
		__asm__ volatile("1: xrstor64 (%1)\n\tmovb $0, %0\n2:\n" EXTABLE(1b, 2b)
				 : "+q"(failed)
				 : "r"(area), "a"(~0U), "d"(~0U)
				 : "memory");
	else
		__asm__ volatile("1: fxrstor64 (%1)\n\tmovb $0, %0\n2:\n" EXTABLE(1b, 2b)
				 : "+q"(failed)
				 : "r"(area)
				 : "memory");
	return !failed;
}

/*
 * AMD's FXRSTOR and XRSTOR leave the x87 instruction and data pointers of the last user in place when
 * no exception is pending (APM 2, 11.4.4.3): overwrite them with our own before they can be read.
 */
static inline void hw_clear_x87_pointers(void)
{
	static const int32_t zero;

	__asm__ volatile("fnclex; emms; fildl %0" ::"m"(zero));
}

/* Offset of state component n in an image of the standard format (SDM 1, 13.4.3). */
static inline unsigned int hw_xstate_offset(unsigned int n)
{
	uint32_t size, offset, c, d;

	cpuid_count(0xd, n, &size, &offset, &c, &d);
	return offset;
}

#endif
