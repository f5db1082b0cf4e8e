/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The processor that runs the test, and what a comparison with it may not look at: one table of rules, each
 * with the place in a manual that leaves the case open (open.c). What the vendors' manuals define differently
 * is no rule here: the emulator follows the vendor that it is told.
 */
#ifndef TESTS_EMULATE_OPEN_H
#define TESTS_EMULATE_OPEN_H

#include <stdbool.h>
#include <stdint.h>

#include "vmm/emulate/x86_emulate.h"

struct native_cpu {
	bool amd;      /* AMD or Hygon; all others follow Intel's manual */
	bool emulated; /* QEMU's TCG: no judge */
	bool lahf64;   /* LAHF and SAHF in 64-bit code */
	bool ymm;      /* this kernel lets programs use YMM registers */
	bool sse3, sse41;
	uint8_t va_bits;   /* 48 or 57, as this kernel has it */
	uint32_t features; /* X86_FEAT_* that CPUID offers */
};

/* Asks CPUID, and the kernel for the width of addresses. */
void native_cpu_detect(struct native_cpu *cpu);

/* One instruction, and what the emulator made of it. */
struct open_case {
	const struct native_cpu *cpu;
	const struct x86_insn *insn;
	const struct x86_regs *before;
	unsigned int code_bits;
	int rc;		      /* of x86_emulate() */
	unsigned int vector;  /* of its exception */
	uint64_t flags_after; /* by the emulator */
};

/* Nothing is compared, and the instruction is not executed; `c` before emulation: rc and below are not read. */
bool open_not_compared(const struct open_case *c);
/* RFLAGS that are open. */
uint64_t open_flags(const struct open_case *c);
/* The register that ModRM.reg names is open. */
bool open_register(const struct open_case *c);
/* It faults for certain, by #SS or by another exception. */
bool open_fault(const struct open_case *c);

#endif
