/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Multiboot 1 header for GRUB (Multiboot 0.6.96 section 3.1); QEMU's -kernel prefers the PVH
 * note.
 */
	.section .multiboot, "a"
	.balign 4
	.long 0x1badb002
	.long 0x00000003		/* page-aligned modules, memory information */
	.long -(0x1badb002 + 0x00000003)
