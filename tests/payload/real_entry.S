/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From 32-bit protected mode to real mode and back, for one BIOS interrupt or one small routine.
 * The code between the labels is copied to REAL_BASE (0x6000); its data block lies at 0x6e00: eax
 * ebx ecx edx esi edi ebp (0-27), ds 28, es 30, eflags 32, vector 36, saved esp 40, IDT pointer
 * of real mode 48, of protected mode 56, GDT pointer 64.
 */
#ifndef __x86_64__
#define AT(x) (0x6000 + (x) - real_code)
#define DATA 0x6e00
	.text
	.globl real_code, real_code_end
	.balign 16
real_code:
	.code32
	pushal
	movl	%esp, DATA + 40
	lidt	DATA + 48
	ljmp	$0x40, $AT(1f)
	.code16
1:	movw	$0x48, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	%ax, %fs
	movw	%ax, %gs
	movl	%cr0, %eax
	andl	$0x7ffffffe, %eax
	movl	%eax, %cr0
	ljmp	$0, $AT(2f)
2:	xorw	%ax, %ax
	movw	%ax, %ss
	movw	%ax, %ds
	movw	%ax, %fs
	movw	%ax, %gs
	movl	$0x5ff0, %esp
	movb	DATA + 36, %al
	movb	%al, AT(3f) + 1
	movw	DATA + 30, %es
	movl	DATA + 4, %ebx
	movl	DATA + 8, %ecx
	movl	DATA + 12, %edx
	movl	DATA + 16, %esi
	movl	DATA + 20, %edi
	movl	DATA + 24, %ebp
	pushl	DATA + 0
	movw	DATA + 28, %ds
	popl	%eax
	sti
	jmp	3f
3:	int	$0
	cli
	pushfl
	pushw	%ds
	pushl	%eax
	xorw	%ax, %ax
	movw	%ax, %ds
	popl	DATA + 0
	popw	DATA + 28
	popl	DATA + 32
	movl	%ebx, DATA + 4
	movl	%ecx, DATA + 8
	movl	%edx, DATA + 12
	movl	%esi, DATA + 16
	movl	%edi, DATA + 20
	movl	%ebp, DATA + 24
	movw	%es, DATA + 30
	lgdtl	DATA + 64
	movl	%cr0, %eax
	orl	$1, %eax
	movl	%eax, %cr0
	ljmpl	$0x08, $AT(4f)
	.code32
4:	movl	$0x10, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %fs
	movl	%eax, %gs
	movl	%eax, %ss
	movl	DATA + 40, %esp
	lidt	DATA + 56
	popal
	ret
real_code_end:

/*
 * Real-mode routines that tests install as interrupt handlers; all position independent,
 * end with iret.
 */
	.code16
	.globl real_unreal, real_unreal_end, real_arith, real_arith_end
/*
 * Unreal mode: load FS with a 4 GiB limit in protected mode, use it in real mode. esi =
 * address; eax = what is there.
 */
real_unreal:
	cli
	lgdtl	0x6e40
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	movw	$0x10, %bx
	movw	%bx, %fs
	andb	$0xfe, %al
	movl	%eax, %cr0
	xorw	%bx, %bx
	movw	%bx, %fs		/* base 0 again, the limit stays */
	movl	%fs:(%esi), %eax
	iret
real_unreal_end:
/*
 * Sums and string moves with segments: ecx bytes from ds:si to es:di with REP, eax = their
 * sum.
 */
real_arith:
	pushw	%cx
	cld
	rep movsb
	popw	%cx
	subw	%cx, %di
	xorl	%eax, %eax
	xorl	%ebx, %ebx
1:	movb	%es:(%di), %bl
	addl	%ebx, %eax
	incw	%di
	loop	1b
	aam	$16
	aad	$16
	iret
real_arith_end:
#endif
	.section .note.GNU-stack, "", @progbits
