/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupt stubs of all 256 vectors: each makes the frame of struct regs (payload.h) and calls
 * trap_entry(). Also the setjmp/longjmp pair that gets back from an exception. Leaves gates and
 * policy to trap.c.
 */
	.text
	.globl trap_stubs
	.balign 16
trap_stubs:
	.set	vec, 0
	.rept	256
	.balign 16
	.if	!(vec == 8 || (vec >= 10 && vec <= 14) || vec == 17 || vec == 21 || vec == 29 || vec == 30)
	push	$0
	.endif
	push	$vec
	jmp	trap_common
	.set	vec, vec + 1
	.endr

#ifdef __x86_64__
trap_common:
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
	cld
	mov	%rsp, %rdi
	mov	%rsp, %rbp
	and	$-16, %rsp
	call	trap_entry
	mov	%rbp, %rsp
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

	.globl trap_setjmp, trap_longjmp
trap_setjmp:
	mov	%rbx, 0(%rdi)
	mov	%rbp, 8(%rdi)
	mov	%r12, 16(%rdi)
	mov	%r13, 24(%rdi)
	mov	%r14, 32(%rdi)
	mov	%r15, 40(%rdi)
	lea	8(%rsp), %rax
	mov	%rax, 48(%rdi)
	mov	(%rsp), %rax
	mov	%rax, 56(%rdi)
	xor	%eax, %eax
	ret
trap_longjmp:
	mov	0(%rdi), %rbx
	mov	8(%rdi), %rbp
	mov	16(%rdi), %r12
	mov	24(%rdi), %r13
	mov	32(%rdi), %r14
	mov	40(%rdi), %r15
	mov	48(%rdi), %rsp
	mov	$1, %eax
	jmp	*56(%rdi)
#else
trap_common:
	push	%eax
	push	%ecx
	push	%edx
	push	%ebx
	push	%ebp
	push	%esi
	push	%edi
	cld
	mov	%esp, %ebp
	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	and	$-16, %esp
	sub	$12, %esp
	push	%ebp
	call	trap_entry
	mov	%ebp, %esp
	testl	$0x20000, 44(%esp)	/* from vm86: nothing above the pushed segments to restore */
	jnz	1f
	testl	$3, 40(%esp)
	jz	1f
	mov	$0x2b, %eax
	mov	%eax, %ds
	mov	%eax, %es
1:	pop	%edi
	pop	%esi
	pop	%ebp
	pop	%ebx
	pop	%edx
	pop	%ecx
	pop	%eax
	add	$8, %esp
	iret

	.globl trap_setjmp, trap_longjmp
trap_setjmp:
	mov	4(%esp), %edx
	mov	%ebx, 0(%edx)
	mov	%ebp, 4(%edx)
	mov	%esi, 8(%edx)
	mov	%edi, 12(%edx)
	lea	4(%esp), %eax
	mov	%eax, 16(%edx)
	mov	(%esp), %eax
	mov	%eax, 20(%edx)
	xor	%eax, %eax
	ret
trap_longjmp:
	mov	4(%esp), %edx
	mov	0(%edx), %ebx
	mov	4(%edx), %ebp
	mov	8(%edx), %esi
	mov	12(%edx), %edi
	mov	16(%edx), %esp
	mov	$1, %eax
	jmp	*20(%edx)
#endif
	.section .note.GNU-stack, "", @progbits
