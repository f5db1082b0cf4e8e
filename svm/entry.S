/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * World switch of AMD-V: APM volume 2, 15.5. RAX, RSP, RIP and RFLAGS travel in the VMCB.
 *
 * void svm_enter(struct guest_regs *regs [rdi], uint64_t vmcb_pa [rsi], uint64_t host_vmcb_pa [rdx])
 *
 * Interrupts are off (IF = 0). CLGI keeps NMIs off while the guest's FS, GS, TR and LDTR are loaded; STGI
 * comes after the host's are back. A physical interrupt stays pending until the run loop's window, but
 * must make VMRUN exit: host IF is what counts then (V_INTR_MASKING), so it is set under GIF = 0.
 */
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
	vmrun	%rax

	/* RAX and RSP are the host's again. */
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
