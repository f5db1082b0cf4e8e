/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI bus 0: find functions, size and place their BARs, route interrupts, enable decoding
 * (PCI Local Bus Specification 3.0, section 6.2.5 and 6.1).
 */
#ifndef HVMLOADER_PCI_H
#define HVMLOADER_PCI_H

#include "e820.h"

#include <stdbool.h>
#include <stdint.h>

#define PCI_FUNCTIONS_MAX  256
#define PCI_BARS_MAX	   256

#define PCI_REG_ID	   0x00
#define PCI_REG_COMMAND	   0x04
#define PCI_REG_CLASS	   0x08
#define PCI_REG_HEADER	   0x0e
#define PCI_REG_BAR0	   0x10
#define PCI_REG_ROM	   0x30
#define PCI_REG_BRIDGE_ROM 0x38
#define PCI_REG_INT_LINE   0x3c
#define PCI_REG_INT_PIN	   0x3d

#define PCI_CMD_IO	   0x0001
#define PCI_CMD_MEMORY	   0x0002

/* Configuration access; bytes is 1, 2 or 4 and reg a multiple of it. */
struct pci_ops {
	uint32_t (*read)(void *ctx, unsigned int devfn, unsigned int reg, unsigned int bytes);
	void (*write)(void *ctx, unsigned int devfn, unsigned int reg, unsigned int bytes,
		      uint32_t val);
	void *ctx;
};

enum pci_bar_kind { PCI_BAR_IO, PCI_BAR_MEM, PCI_BAR_ROM };

struct pci_bar {
	uint8_t devfn;
	uint8_t reg; /* configuration offset */
	enum pci_bar_kind kind;
	bool is_64bit;
	bool placed;
	uint32_t flags; /* the read-only low bits */
	uint64_t size;	/* bytes, a power of two */
	uint64_t addr;	/* valid when placed */
};

struct pci_function {
	uint8_t devfn;
	uint8_t int_pin;  /* 0 = none, 1 = INTA ... 4 = INTD */
	uint8_t int_line; /* ISA interrupt, 0 = none */
	uint16_t vendor, device;
	uint16_t class_code; /* base class << 8 | sub-class */
};

struct pci_limits {
	uint64_t low_ram_end;		/* bytes */
	uint64_t mem_start;		/* where the window below 4 GiB begins at best */
	uint64_t high_start;		/* bytes, first free address at or above 4 GiB */
	uint64_t high_end;		/* bytes, limit of the processor's physical addresses */
	const struct e820_range *avoid; /* what the windows must go around */
	uint32_t nr_avoid;
};

struct pci_state {
	uint32_t nr_functions;
	uint32_t nr_bars;
	struct pci_function function[PCI_FUNCTIONS_MAX];
	struct pci_bar bar[PCI_BARS_MAX];
	uint64_t mem_start, mem_end;   /* window below 4 GiB */
	uint64_t high_start, high_end; /* window above 4 GiB, empty when equal */
	uint64_t io_next;	       /* first I/O port still free */
	uint32_t nr_unplaced;
};

/*
 * Fill the list of functions and BARs. Decoding of every function is switched off. Returns 0, or -1
 * when there are more BARs than the table holds.
 */
int pci_scan(struct pci_state *s, const struct pci_ops *ops);

/* Choose addresses. BARs that fit nowhere stay unplaced and are counted. */
void pci_place(struct pci_state *s, const struct pci_limits *lim);

/* Write addresses, interrupt lines and decode enables into the functions. */
void pci_program(struct pci_state *s, const struct pci_ops *ops);

/* What the chipset of the emulated PC needs: PIIX3 links, IDE enable, PIIX4 PM base. */
struct pci_chipset {
	bool isa_bridge;       /* 8086:7000 at 00:01.0 */
	bool power_management; /* 8086:7113 */
};

/* Set the chipset up. What is missing is left to the caller to complain about. */
struct pci_chipset pci_setup_chipset(struct pci_state *s, const struct pci_ops *ops);

/* The ISA interrupt that PIIX3 link 0-3 is routed to. */
uint8_t pci_link_irq(unsigned int link);

#endif
