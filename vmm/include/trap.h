/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exceptions and interrupts of the VMM itself (vmm/cpu/entry.S, trap.c). */
#ifndef PLINTH_TRAP_H
#define PLINTH_TRAP_H

#include "types.h"

/* Pushed by entry.S in this order, highest address last. */
struct trap_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rdi, rsi, rbp, rbx, rdx, rcx, rax;
	uint64_t vector, error;
	uint64_t rip, cs, rflags, rsp, ss;
};

#define VMM_CS	  0x08
#define VMM_DS	  0x10
#define VMM_TSS	  0x20 /* two entries */

#define IST_NMI	  1
#define IST_FATAL 2 /* #DF and #MC */

struct tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3;
	uint16_t iomap;
} __packed;

struct cpu;
/* Fill the IDT; BSP, once. */
void idt_init(void);
/* Load GDT, TSS and IDT of this CPU. */
void desc_init_cpu(struct cpu *c);
/*
 * An instruction at `from` may fault: then go on at `to`. For inline assembly:
 *   "1: insn\n2:\n" EXTABLE(1b, 2b)
 */
#define EXTABLE(from, to) \
	".pushsection .extable, \"a\"\n\t.balign 8\n\t.quad " #from ", " #to "\n\t.popsection\n"

/* Called by entry.S. */
void trap_entry(struct trap_frame *f);
/* A physical interrupt (vector from 0x20) that the CPU has acknowledged, at rip. Interrupts are off. */
void trap_interrupt(uint8_t vector, uint64_t rip);

#endif
