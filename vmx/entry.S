/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * World switch of VT-x: SDM volume 3, 26 and 27. RSP, RIP and RFLAGS travel in the VMCS, CR2 and
 * the debug registers are the caller's business.
 *
 * unsigned int vmx_enter(struct x86_regs *regs [rdi], unsigned int flags [esi])
 *
 * Flags: bit 0 launched before, bit 1 clear the CPU's buffers by VERW (its memory form does that, whatever the
 * selector: SDM volume 2, and Intel's "Microarchitectural Data Sampling").
 *
 * Returns 0 after a VM exit; 1 (VMfailInvalid) or 2 (VMfailValid) when the entry was refused.
 * Interrupts are off; a VM exit leaves them so, and whatever is pending physically waits for the
 * run loop's window.
 */
#include "world_switch.h"

#define HOST_RSP_FIELD 0x6c14

	.text
	.globl	vmx_enter
	.type	vmx_enter, @function
vmx_enter:
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	push	%rdi
	mov	$HOST_RSP_FIELD, %eax
	vmwrite	%rsp, %rax

	test	$2, %sil
	jz	5f
	verw	verw_selector(%rip)
5:	test	$1, %sil		/* nothing below changes the flags before the branch */
	mov	0(%rdi), %rax
	load_guest_registers
	jz	1f
	vmresume
	jmp	2f
1:	vmlaunch
2:	/* Not entered: the guest's registers are as they were. */
	mov	$1, %eax
	jc	3f
	mov	$2, %eax
3:	add	$8, %rsp
	jmp	4f

	.globl	vmx_exit_point
vmx_exit_point:
	store_guest_registers
	mov	%rax, 0(%rdi)
	add	$8, %rsp
	xor	%eax, %eax
4:	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	ret
	.size	vmx_enter, . - vmx_enter
	.section .rodata
verw_selector:
	.word	0
	.section .note.GNU-stack, "", @progbits
