/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where hvmloader finds and puts things in the guest's address space.
 *
 * The fixed points are the Xen 4.17 HVM ABI's (what libxl, the device model and SeaBIOS expect);
 * the rest is our choice inside the areas that ABI reserves. All values are guest-physical
 * addresses.
 */
#ifndef HVMLOADER_LAYOUT_H
#define HVMLOADER_LAYOUT_H

#define PAGE_BYTES 0x1000u
#define PAGE_BITS  12

/* Below 1 MiB. */
#define BIOS_INFO_ADDR	    0x00001000u /* SeaBIOS looks for its info block here */
#define BIOS_INFO_BYTES	    0x00001000u
#define TRAMPOLINE_ADDR	    0x00007c00u /* real-mode hand-over code */
#define SCRATCH_ADDR	    0x00010000u /* tables that SeaBIOS copies to its F segment */
#define SCRATCH_BYTES	    0x00010000u
#define HYPERCALL_PAGE_ADDR 0x00080000u
#define VGA_HOLE_ADDR	    0x000a0000u
#define VGA_HOLE_END	    0x000c0000u
#define ONE_MIB		    0x00100000u

/* PCI windows. */
#define PCI_MEM_START_DEFAULT 0xf0000000u
#define PCI_MEM_START_LOWEST  0x80000000u
#define PCI_MEM_END	      0xfc000000u
#define PCI_IO_START	      0xc000u
#define PCI_IO_END	      0x10000u

/* The reserved area that ends at 4 GiB. */
#define ACPI_INFO_ADDR	    0xfc000000u
#define ACPI_ARENA_ADDR	    0xfc001000u
#define ACPI_ARENA_END	    0xfc100000u
#define RESERVED_ARENA_ADDR 0xfc100000u
#define RESERVED_ARENA_END  0xfdff0000u
#define SHARED_INFO_ADDR    0xfdfff000u

/* Devices of the VMM. */
#define IOAPIC_ADDR 0xfec00000u
#define HPET_ADDR   0xfed00000u
#define LAPIC_ADDR  0xfee00000u

/* ACPI fixed hardware of the PIIX4 after HVM_PARAM_ACPI_IOPORTS_LOCATION = 1. */
#define PM1A_EVT_PORT	  0xb000u
#define PM1A_CNT_PORT	  0xb004u
#define PM_TMR_PORT	  0xb008u
#define GPE0_PORT	  0xafe0u
#define SMI_CMD_PORT	  0xb2u
#define ACPI_ENABLE_VALUE 0xf1u
#define SCI_IRQ		  9u

/* ISA interrupts that PCI links use: 5, 10, 11. */
#define PCI_ISA_IRQ_MASK 0x0c20u

/* Wiring of PCI interrupt pins, pin = 0 for INTA. */
#define PCI_INTX_LINK(dev, pin) (((dev) + (pin)) & 3u)
#define PCI_INTX_GSI(dev, pin)	(16u + ((4u * (dev) + (dev) / 8u + (pin)) & 31u))

#endif
