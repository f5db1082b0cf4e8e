/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * World switch of VT-x: SDM volume 3, 26 and 27. RSP, RIP and RFLAGS travel in the VMCS, CR2 and
 * the debug registers are the caller's business.
 *
 * unsigned int vmx_enter(struct guest_regs *regs [rdi], unsigned int flags [esi])
 *
 * Flags: bit 0 launched before, bit 1 clear the CPU's buffers by VERW (its memory form does that, whatever the
 * selector: SDM volume 2, and Intel's "Microarchitectural Data Sampling").
 *
 * Returns 0 after a VM exit; 1 (VMfailInvalid) or 2 (VMfailValid) when the entry was refused.
 * Interrupts are off; a VM exit leaves them so, and whatever is pending physically waits for the
 * run loop's window.
 */
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
	mov	8(%rdi), %rcx
	mov	16(%rdi), %rdx
	mov	24(%rdi), %rbx
	mov	40(%rdi), %rbp
	mov	48(%rdi), %rsi
	mov	64(%rdi), %r8
	mov	72(%rdi), %r9
	mov	80(%rdi), %r10
	mov	88(%rdi), %r11
	mov	96(%rdi), %r12
	mov	104(%rdi), %r13
	mov	112(%rdi), %r14
	mov	120(%rdi), %r15
	mov	56(%rdi), %rdi
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
	push	%rdi
	mov	8(%rsp), %rdi
	mov	%rax, 0(%rdi)
	mov	%rcx, 8(%rdi)
	mov	%rdx, 16(%rdi)
	mov	%rbx, 24(%rdi)
	mov	%rbp, 40(%rdi)
	mov	%rsi, 48(%rdi)
	mov	%r8, 64(%rdi)
	mov	%r9, 72(%rdi)
	mov	%r10, 80(%rdi)
	mov	%r11, 88(%rdi)
	mov	%r12, 96(%rdi)
	mov	%r13, 104(%rdi)
	mov	%r14, 112(%rdi)
	mov	%r15, 120(%rdi)
	pop	%rcx
	mov	%rcx, 56(%rdi)
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
