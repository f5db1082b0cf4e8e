/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a starting AP executes: copied to 0x8000, real mode, to the build's mode and ap_main()
 * (smp.c).
 */
	.text
	.code16
	.globl ap_trampoline, ap_trampoline_end, ap_count
ap_trampoline:
	cli
	xorw	%ax, %ax
	movw	%ax, %ds
	lgdtl	0x8000 + (ap_gdt_pointer - ap_trampoline)
	movl	%cr0, %eax
	andl	$0x9fffffff, %eax	/* caches on */
	orl	$1, %eax
	movl	%eax, %cr0
	ljmpl	$0x08, $ap_protected
	.balign 4
ap_gdt_pointer:
	.word	16 * 8 - 1
	.long	gdt
ap_trampoline_end:

	.code32
ap_protected:
	movl	$0x10, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %fs
	movl	%eax, %gs
	movl	%eax, %ss
	movl	$1, %ebx
	lock xaddl %ebx, ap_count	/* this CPU's number */
	cmpl	$16, %ebx
	jae	1f
	movl	%ebx, %eax
	incl	%eax
	shll	$14, %eax
	leal	ap_stacks(%eax), %esp
#ifdef __x86_64__
	call	enter_long_mode
	.code64
	call	ap_main
	.code32
#else
	call	ap_main
#endif
1:	cli
	hlt
	jmp	1b

	.data
	.balign 4
ap_count:
	.long	1
	.section .note.GNU-stack, "", @progbits
