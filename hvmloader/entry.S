/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entry at the ELF header's e_entry, in the state of a PVH kernel (xen/arch-x86/hvm/start_info.h:
 * 32-bit protected mode, flat segments, paging off, EBX = hvm_start_info), and the way out to the
 * BIOS in real mode. The image must not carry Xen ELF notes: libxenguest takes one with them for a
 * kernel, and only its loader for images without them (HVM-generic) places the firmware module.
 */
#include "layout.h"

#define STACK_BYTES 0x4000

	.code32
	.text
	.globl	_start
_start:
	cld
	cli
	mov	$stack_top, %esp
	push	$0			/* keep the stack 16-byte aligned at the call */
	push	$0
	push	$0
	push	%ebx
	call	main
1:	hlt
	jmp	1b

/*
 * machine_start_bios(): copy the code below to low memory, because a processor without unrestricted
 * guest wants real-mode code below 1 MiB, and run it there.
 */
	.globl	machine_start_bios
machine_start_bios:
	cli
	cld
	mov	$trampoline, %esi
	mov	$TRAMPOLINE_ADDR, %edi
	mov	$(trampoline_end - trampoline), %ecx
	rep	movsb
	mov	$TRAMPOLINE_ADDR, %eax
	jmp	*%eax

#define LOW(x) (TRAMPOLINE_ADDR + (x) - trampoline)

trampoline:
	lgdt	LOW(low_gdt_ptr)
	ljmp	$0x08, $LOW(protected16)
	.code16
protected16:
	mov	$0x10, %ax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %fs
	mov	%ax, %gs
	mov	%ax, %ss
	lidtw	LOW(low_idt_ptr)
	mov	%cr0, %eax
	and	$~1, %eax
	mov	%eax, %cr0
	ljmp	$0, $LOW(real16)
real16:
	xor	%eax, %eax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %fs
	mov	%ax, %gs
	mov	%ax, %ss
	mov	%eax, %ebx
	mov	%eax, %ecx
	mov	%eax, %edx
	mov	%eax, %esi
	mov	%eax, %edi
	mov	%eax, %ebp
	mov	$TRAMPOLINE_ADDR, %esp
	ljmp	$0xf000, $0xfff0
	.balign	8
low_gdt:
	.quad	0
	.quad	0x00009b000000ffff	/* 16-bit code, base 0, 64 KiB */
	.quad	0x000093000000ffff	/* data, base 0, 64 KiB */
low_gdt_ptr:
	.word	low_gdt_ptr - low_gdt - 1
	.long	LOW(low_gdt)
low_idt_ptr:
	.word	0x3ff
	.long	0
trampoline_end:
	.code32

	.bss
	.balign	16
	.skip	STACK_BYTES
stack_top:

	.section .note.GNU-stack, "", @progbits
