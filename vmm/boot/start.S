/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first instructions: Multiboot headers, from 32-bit protected mode without paging to 64-bit
 * mode at the linked address. Maps the first 4 GiB at 0 and at DIRECTMAP_VIRT and the first GiB
 * at VMM_VIRT; mm/ replaces these tables (only application processors still pass through them).
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

	call	enable_long_mode
	lgdt	PA(boot_gdt_ptr)
	ljmp	$0x08, $PA(boot_enter_long)

/* Paging on with the boot tables, long mode, NX where there is NX. Clobbers eax, ecx, edx. */
enable_long_mode:
	mov	%cr4, %eax
	or	$0x20, %eax		/* PAE */
	mov	%eax, %cr4
	mov	$PA(boot_pml4), %eax
	mov	%eax, %cr3
	mov	$0xc0000080, %ecx	/* EFER */
	rdmsr
	or	$0x100, %eax		/* LME */
	btl	$20, PA(boot_ext_features)
	jnc	6f
	or	$0x800, %eax		/* NXE */
6:	wrmsr
	mov	$0x80010033, %eax	/* PG, WP, NE, ET, MP, PE; caches on */
	mov	%eax, %cr0
	ret

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

	.balign 8
	.globl	boot_gdt
boot_gdt:
	.quad	0
	.quad	0x00af9b000000ffff	/* 0x08: 64-bit code */
	.quad	0x00cf93000000ffff	/* 0x10: data */
	.quad	0x00cf9b000000ffff	/* 0x18: 32-bit code, for the trampoline */
boot_gdt_ptr:
	.short	boot_gdt_ptr - boot_gdt - 1
	.long	PA(boot_gdt)
	.long	0

/*
 * Application processors: copied to a page below 1 MiB, entered in real mode at CS = page >> 4,
 * IP = 0. Everything is addressed relative to CS until protected mode. smpboot.c sets ap_boot_cr3
 * and ap_boot_rsp and starts one processor at a time.
 */
	.code16
	.globl	trampoline_start, trampoline_end
trampoline_start:
	cli
	cld
	mov	%cs, %ax
	mov	%ax, %ds
	lgdtl	trampoline_gdt_ptr - trampoline_start
	mov	$1, %eax
	mov	%eax, %cr0
	ljmpl	$0x18, $PA(ap_protected)
	.balign 8
trampoline_gdt_ptr:
	.short	boot_gdt_ptr - boot_gdt - 1
	.long	PA(boot_gdt)
trampoline_end:

	.code32
ap_protected:
	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	$PA(ap_boot_stack_top), %esp
	call	enable_long_mode
	ljmp	$0x08, $PA(ap_enter_long)

	.code64
ap_enter_long:
	movabs	$ap_high, %rax
	jmp	*%rax
ap_high:
	xor	%eax, %eax
	mov	%eax, %ss
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %fs
	mov	%eax, %gs
	mov	ap_boot_cr3(%rip), %rax
	mov	%cr4, %rcx
	or	$0x80, %rcx		/* PGE only after the switch, see pagetable.c */
	mov	%rax, %cr3
	mov	%rcx, %cr4
	mov	ap_boot_rsp(%rip), %rsp
	xor	%ebp, %ebp
	call	smpboot_ap_main
	ud2

	.globl	boot_ext_features, ap_boot_cr3, ap_boot_rsp
	.section .data
	.balign 8
boot_ext_features: .long 0, 0
ap_boot_cr3:	.quad 0
ap_boot_rsp:	.quad 0

	.section .bss.stack, "aw", @nobits
	.balign 32768
	.globl	boot_stack, boot_stack_top
boot_stack:
	.skip	32768
boot_stack_top:

	.section .bss.page, "aw", @nobits
	.balign 4096
	.globl	boot_pml4
boot_pml4:	.skip 4096
boot_pdpt_low:	.skip 4096
boot_pdpt_high:	.skip 4096
boot_pd:	.skip 4 * 4096
ap_boot_stack:	.skip 256
ap_boot_stack_top:

	.section .note.GNU-stack, "", @progbits
