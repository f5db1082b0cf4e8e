/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Multiboot 1 header: linked into images for GRUB, left out of those for QEMU's PVH loader. */
	.section .multiboot, "a"
	.balign 4
	.long 0x1badb002
	.long 0x00000003		/* page-aligned modules, memory information */
	.long -(0x1badb002 + 0x00000003)
