/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Both vendors' world switches: the general registers of struct x86_regs, without RAX, which SVM keeps in the
 * VMCB, and RSP. For assembly files only: not C. %rdi points to the struct.
 */
/* clang-format off */

/* Loads all, %rdi last. Changes no flags. */
.macro load_guest_registers
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
.endm

/* Stores all and leaves the pointer in %rdi. It is the last thing on the stack. Uses %rcx. */
.macro store_guest_registers
	push	%rdi
	mov	8(%rsp), %rdi
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
.endm
