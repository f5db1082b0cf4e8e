/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entry in 32-bit protected mode with paging off, by Multiboot 1 (eax = 0x2badb002, ebx =
 * information) or PVH (ebx = hvm_start_info, note below). Sets up a stack and flat segments, goes
 * to long mode in the 64-bit build (4 GiB identity-mapped in 2 MiB pages, the last GiB uncached)
 * and calls payload_main(magic, info).
 */
#define PVH_MAGIC 0x336ec578

	.section .note.Xen, "a", @note
	.balign 4
	.long 4, 8, 18			/* namesz, descsz, XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.long pvh_entry, 0		/* 8 bytes: QEMU reads a size_t */

	.section .text.start, "ax"
	.code32
	.globl _start, pvh_entry
pvh_entry:
	movl	$PVH_MAGIC, %eax
_start:
	cli
	cld
	movl	$boot_stack_end, %esp
	movl	%eax, %esi
	movl	$bss_start, %edi
	movl	$bss_end, %ecx
	subl	%edi, %ecx
	shrl	$2, %ecx
	xorl	%eax, %eax
	rep stosl
	lgdt	gdt_pointer
	ljmp	$0x08, $1f
1:	movl	$0x10, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %fs
	movl	%eax, %gs
	movl	%eax, %ss

#ifdef __x86_64__
	movl	$boot_pml4, %edi
	movl	$boot_pdpt + 7, (%edi)
	movl	$boot_pdpt, %edi
	movl	$boot_pd + 7, %eax
	movl	$4, %ecx
2:	movl	%eax, (%edi)
	addl	$4096, %eax
	addl	$8, %edi
	loop	2b
	movl	$boot_pd, %edi
	movl	$0x87, %eax
3:	movl	%eax, (%edi)
	addl	$8, %edi
	addl	$0x200000, %eax
	cmpl	$0xc0000087, %eax
	jb	3b
4:	orl	$0x18, %eax		/* PCD and PWT from 3 GiB on */
	movl	%eax, (%edi)
	addl	$8, %edi
	addl	$0x200000, %eax
	jnc	4b
	call	enter_long_mode
	.code64
	xorl	%eax, %eax
	movl	%esi, %edi
	movl	%ebx, %esi
	call	payload_main
	.code32
#else
	pushl	%ebx
	pushl	%esi
	call	payload_main
#endif
5:	cli
	hlt
	jmp	5b

#ifdef __x86_64__
/*
 * Turns long mode on with boot_pml4 and returns in 64-bit code; clobbers eax, ecx, edx.
 * Used by APs too.
 */
	.globl enter_long_mode
enter_long_mode:
	movl	%cr4, %eax
	orl	$0x20, %eax
	movl	%eax, %cr4
	movl	$boot_pml4, %eax
	movl	%eax, %cr3
	movl	$0xc0000080, %ecx
	rdmsr
	orl	$0x100, %eax
	wrmsr
	movl	%cr0, %eax
	orl	$0x80000001, %eax
	movl	%eax, %cr0
	ljmp	$0x18, $6f
	.code64
6:	movl	(%rsp), %eax		/* the 32-bit return address */
	addq	$4, %rsp
	jmp	*%rax
	.code32
#endif

	.data
	.balign 8
gdt_pointer:
	.word	16 * 8 - 1
	.long	gdt, 0

	.balign 8
	.globl gdt
gdt:	.quad	0
	.quad	0x00cf9b000000ffff	/* 0x08 32-bit code */
	.quad	0x00cf93000000ffff	/* 0x10 data */
	.quad	0x00af9b000000ffff	/* 0x18 64-bit code */
#ifdef __x86_64__
	.quad	0x00affb000000ffff	/* 0x20 user code */
#else
	.quad	0x00cffb000000ffff
#endif
	.quad	0x00cff3000000ffff	/* 0x28 user data */
	.quad	0, 0			/* 0x30 TSS */
	.quad	0x00009b000000ffff	/* 0x40 16-bit code, base 0 */
	.quad	0x000093000000ffff	/* 0x48 16-bit data, base 0 */
	.quad	0, 0, 0, 0, 0, 0	/* 0x50 second TSS, 0x60 spare */

	.bss
	.balign 4096
	.globl boot_pml4, boot_stack_end
boot_pml4:
	.skip	4096
boot_pdpt:
	.skip	4096
boot_pd:
	.skip	4 * 4096
boot_stack:
	.skip	4 * 4096
boot_stack_end:
	.section .note.GNU-stack, "", @progbits
