/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first instructions: Multiboot headers, from 32-bit protected mode without paging to 64-bit
 * mode at the linked address. Maps the first 4 GiB at 0 and at DIRECTMAP_VIRT and the first GiB
 * at VMM_VIRT; mm/ replaces these tables (only application processors, cpu/trampoline.S, still pass
 * through them).
 * Multiboot 0.6.96 section 3.1; Multiboot2 2.0 sections 3.1 and 3.2.
 */
#define VMM_VIRT 0xffffffff80000000
#define PA(x)	 ((x) - VMM_VIRT)

#define MB1_MAGIC	0x1badb002
#define MB1_FLAGS	0x00010003	/* modules on pages, memory map, address fields below */
#define MB2_MAGIC	0xe85250d6
#define MB2_ARCH_I386	0

	.section .multiboot, "ax", @progbits
	.balign 8
mb1_header:
	.long	MB1_MAGIC
	.long	MB1_FLAGS
	.long	-(MB1_MAGIC + MB1_FLAGS)
	.long	PA(mb1_header)
	.long	PA(_image_start)
	.long	PA(_data_end)
	.long	PA(_image_end)
	.long	PA(boot_entry)

	.balign 8
mb2_header:
	.long	MB2_MAGIC
	.long	MB2_ARCH_I386
	.long	mb2_end - mb2_header
	.long	-(MB2_MAGIC + MB2_ARCH_I386 + (mb2_end - mb2_header))

	.balign 8		/* information request: memory map (required), the rest optional */
	.short	1, 0
	.long	12
	.long	6
	.balign 8
	.short	1, 1
	.long	40
	.long	1, 2, 3, 8, 12, 14, 15, 20
	.balign 8		/* modules on page boundaries */
	.short	6, 0
	.long	8
	.balign 8		/* console: EGA text is fine, none is required */
	.short	4, 1
	.long	12
	.long	2
	.balign 8		/* framebuffer of any size where there is no text mode (UEFI) */
	.short	5, 1
	.long	20
	.long	0, 0, 0
	.balign 8
	.short	0, 0
	.long	8
mb2_end:

	.section .text.boot, "ax", @progbits
	.code32
	.globl	boot_entry
boot_entry:
	cli
	cld
	mov	%eax, %ebp		/* loader's magic */
	mov	%ebx, %esi		/* loader's information */
	mov	$PA(boot_stack_top), %esp

	pushl	$0
	popfl
	mov	$0x80000000, %eax
	cpuid
	cmp	$0x80000001, %eax
	jb	no_long_mode
	mov	$0x80000001, %eax
	cpuid
	bt	$29, %edx
	jnc	no_long_mode
	mov	%edx, PA(boot_ext_features)
	jmp	build_tables

no_long_mode:
	mov	$PA(no_long_mode_text), %esi
	mov	$0xb8000, %edi
2:	lodsb
	test	%al, %al
	jz	3f
	mov	%al, %bl
	mov	$0x3f8, %dx
	outb	%al, %dx
	mov	%bl, (%edi)
	movb	$0x4f, 1(%edi)
	add	$2, %edi
	jmp	2b
3:	hlt
	jmp	3b
no_long_mode_text:
	.asciz	"Plinth needs a 64-bit processor.\r\n"
	.balign 4

build_tables:
	/* boot_pd[0..2047]: 4 GiB in 2 MiB pages, present, writable, large */
	mov	$PA(boot_pd), %edi
	mov	$0x83, %eax
	mov	$2048, %ecx
4:	mov	%eax, (%edi)
	movl	$0, 4(%edi)
	add	$0x200000, %eax
	add	$8, %edi
	loop	4b

	mov	$PA(boot_pd) + 3, %eax
	mov	$PA(boot_pdpt_low), %edi
	mov	%eax, PA(boot_pdpt_high) + 510 * 8
	mov	$4, %ecx
5:	mov	%eax, (%edi)
	add	$0x1000, %eax
	add	$8, %edi
	loop	5b

	movl	$PA(boot_pdpt_low) + 3, PA(boot_pml4)
	movl	$PA(boot_pdpt_low) + 3, PA(boot_pml4) + 256 * 8
	movl	$PA(boot_pdpt_high) + 3, PA(boot_pml4) + 511 * 8

	movl	$PA(boot_pml4), PA(boot_cr3)
	call	enable_long_mode
	lgdt	PA(boot_gdt_ptr)
	ljmp	$0x08, $PA(boot_enter_long)

	.code64
boot_enter_long:
	movabs	$boot_high, %rax
	jmp	*%rax
boot_high:
	xor	%eax, %eax
	mov	%eax, %ss
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %fs
	mov	%eax, %gs
	mov	$boot_stack_top, %rsp
	mov	%ebp, %edi
	mov	%esi, %esi		/* zero-extend */
	xor	%ebp, %ebp
	call	boot_main
	ud2

	.section .bss.stack, "aw", @nobits
	.balign 32768
	.globl	boot_stack
boot_stack:
	.skip	32768
boot_stack_top:

	.section .bss.page, "aw", @nobits
	.balign 4096
boot_pml4:	.skip 4096
boot_pdpt_low:	.skip 4096
boot_pdpt_high:	.skip 4096
boot_pd:	.skip 4 * 4096

	.section .note.GNU-stack, "", @progbits
