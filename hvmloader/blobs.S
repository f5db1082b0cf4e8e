/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The compiled AML tables (from asl/), as struct acpi_blob of acpi.h. The assembler finds the files
 * in the build directory. 32-bit pointers in the loader, 64-bit ones in the host tests.
 */
#ifdef __x86_64__
#define POINTER .quad
#else
#define POINTER .long
#endif

	.macro	blob name
	.section .rodata
	.balign	8
1:	.incbin "\name\().aml"
2:	.balign	8
	.globl	blob_\name
blob_\name:
	POINTER	1b
	.long	2b - 1b
	.balign	8
	.endm

	blob	dsdt
	blob	ssdt_s3
	blob	ssdt_s4
	blob	ssdt_slate
	blob	ssdt_cpus16
	blob	ssdt_cpus128

	.section .note.GNU-stack, "", @progbits
