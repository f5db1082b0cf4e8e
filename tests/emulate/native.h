/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Executes one instruction on the processor itself, in this process, and reports what it did.
 * 64-bit code, 32-bit code (the kernel's compatibility code segment) and 16-bit code (segments of a
 * local descriptor table).
 */
#ifndef TESTS_EMULATE_NATIVE_H
#define TESTS_EMULATE_NATIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "vmm/emulate/x86_emulate.h"

/*
 * All below 2 GiB, so that 32-bit code reaches it. The page before and the page behind the data are
 * mapped without access.
 */
#define NATIVE_CODE	0x20000000UL
#define NATIVE_DATA	0x30001000UL
#define NATIVE_DATA_END 0x30003000UL
#define NATIVE_DATA_LEN (NATIVE_DATA_END - NATIVE_DATA)

struct native_result {
	int signal;	  /* 0: one instruction was executed */
	uint64_t address; /* SIGSEGV with an address */
	struct x86_regs regs;
	uint8_t xmm[16][16];
	struct x86_x87 x87;
};

/* Maps the pages and installs the handlers; false when this system does not let us. */
bool native_setup(void);
/* Segments for 16-bit code: code based at NATIVE_CODE, data and stack at NATIVE_DATA. */
bool native_setup16(void);
/* Starts at regs->rip (in the code page) with these registers; rflags.TF is set by itself. */
void native_run(unsigned int code_bits, const struct x86_regs *regs, const uint8_t xmm[16][16],
		const struct x86_x87 *x87, struct native_result *out);

#endif
