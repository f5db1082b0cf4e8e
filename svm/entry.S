/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * World switch of AMD-V: APM volume 2, 15.5. RAX, RSP, RIP and RFLAGS travel in the VMCB.
 *
 * void svm_enter(struct x86_regs *regs [rdi], uint64_t vmcb_pa [rsi], uint64_t host_vmcb_pa [rdx])
 *
 * Interrupts are off (IF = 0). CLGI keeps NMIs off while the guest's FS, GS, TR and LDTR are loaded; STGI
 * comes after the host's are back. A physical interrupt stays pending until the run loop's window, but
 * must make VMRUN exit: host IF is what counts then (V_INTR_MASKING), so it is set under GIF = 0.
 */
#include "world_switch.h"

	.text
	.globl	svm_enter
	.type	svm_enter, @function
svm_enter:
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	push	%rdx
	push	%rsi
	push	%rdi
	clgi
	sti
	mov	%rsi, %rax
	vmload	%rax

	load_guest_registers
	vmrun	%rax
	.globl	svm_behind_vmrun
svm_behind_vmrun:

	/* RAX and RSP are the host's again. */
	store_guest_registers

	vmsave	%rax
	mov	16(%rsp), %rax
	vmload	%rax
	cli
	stgi
	add	$24, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	ret
	.size	svm_enter, . - svm_enter
	.section .note.GNU-stack, "", @progbits
