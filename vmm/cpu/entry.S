/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entry points of all 256 vectors: save the registers as struct trap_frame (trap.h), call
 * trap_entry.
 */
	.section .text, "ax", @progbits
	.balign 16
	.globl	trap_stubs
trap_stubs:
	.set	vector, 0
	.rept	256
	.balign 16
	/*
	 * vectors with an error code: 8, 10-14, 17, 21, 29, 30 (SDM 3, table 6-1; APM 2, table
	 * 8-1)
	 */
	.if (vector == 8) || (vector >= 10 && vector <= 14) || (vector == 17) || (vector == 21) || \
		(vector == 29) || (vector == 30)
	.else
	pushq	$0
	.endif
	pushq	$vector
	jmp	trap_common
	.set	vector, vector + 1
	.endr

	.balign 16
trap_common:
	cld
	push	%rax
	push	%rcx
	push	%rdx
	push	%rbx
	push	%rbp
	push	%rsi
	push	%rdi
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	push	17 * 8(%rsp)		/* rip and rbp as a call leaves them: backtraces pass through */
	push	%rbp
	mov	%rsp, %rbp
	lea	16(%rsp), %rdi
	call	trap_entry
	add	$16, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rdi
	pop	%rsi
	pop	%rbp
	pop	%rbx
	pop	%rdx
	pop	%rcx
	pop	%rax
	add	$16, %rsp
	iretq

	/* void reset_stack_and_run(void (*loop)(void)): forget the callers, call loop. */
	.globl	reset_stack_and_run
reset_stack_and_run:
	mov	%rsp, %rax
	and	$-32768, %rax
	add	$32768, %rax
	mov	%rax, %rsp
	xor	%ebp, %ebp
	call	*%rdi
	ud2

	.section .note.GNU-stack, "", @progbits
