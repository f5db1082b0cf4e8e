/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Into 64-bit mode: the step that every processor takes, with paging on by the boot tables (root in boot_cr3), and the
 * way there of application processors from their start-up IPI.
 */
#define VMM_VIRT 0xffffffff80000000
#define PA(x)	 ((x) - VMM_VIRT)

	.section .text.boot, "ax", @progbits
	.code32
	.globl	enable_long_mode
/* Paging on with the tables at boot_cr3, long mode, NX where there is NX. Clobbers eax, ecx, edx. */
enable_long_mode:
	mov	%cr4, %eax
	or	$0x20, %eax		/* PAE */
	mov	%eax, %cr4
	mov	PA(boot_cr3), %eax
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

	.balign 8
	.globl	boot_gdt_ptr
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

	.globl	boot_ext_features, boot_cr3, ap_boot_cr3, ap_boot_rsp
	.section .data
	.balign 8
boot_ext_features: .long 0, 0	/* CPUID 0x80000001, EDX: the first processor's */
boot_cr3:	.quad 0
ap_boot_cr3:	.quad 0
ap_boot_rsp:	.quad 0

	.section .bss, "aw", @nobits
	.balign 16
ap_boot_stack:	.skip 256
ap_boot_stack_top:

	.section .note.GNU-stack, "", @progbits
