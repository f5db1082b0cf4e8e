/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * At hand-over from firmware every interrupt source is silenced: both 8259s and all IO-APIC
 * entries. From then on dom0 programs the IO-APICs itself and the 8259s stay masked for ever.
 */
#include "vmm/cpu/cpu.h"

#define PIC1_CMD	  0x20
#define PIC1_DATA	  0x21
#define PIC2_CMD	  0xa0
#define PIC2_DATA	  0xa1

#define IOAPIC_VERSION	  1
#define IOAPIC_RTE_LOW(n) (0x10 + 2 * (n))
#define RTE_MASKED	  BIT(16)
#define RTE_DELIVERY_SMI  (2U << 8)
#define RTE_DELIVERY	  (7U << 8)

/* Vectors out of dom0's way, all lines masked, automatic EOI so that nothing stays in service. */
static void mask_pics(void)
{
	outb(PIC1_DATA, 0xff);
	outb(PIC2_DATA, 0xff);
	outb(PIC1_CMD, 0x11);
	outb(PIC2_CMD, 0x11);
	outb(PIC1_DATA, 0xe0);
	outb(PIC2_DATA, 0xe8);
	outb(PIC1_DATA, 0x04);
	outb(PIC2_DATA, 0x02);
	outb(PIC1_DATA, 0x03);
	outb(PIC2_DATA, 0x03);
	outb(PIC1_DATA, 0xff);
	outb(PIC2_DATA, 0xff);
}

static uint32_t ioapic_read(volatile uint32_t *io, unsigned int reg)
{
	io[0] = reg;
	return io[4];
}

static void ioapic_write(volatile uint32_t *io, unsigned int reg, uint32_t v)
{
	io[0] = reg;
	io[4] = v;
}

static void mask_ioapic(uint64_t addr)
{
	volatile uint32_t *io = ioremap(_maddr(addr), 0x20);
	unsigned int pins, pin;
	uint32_t low;

	if (!io)
		panic("No memory to map the IO-APIC at %#lx", addr);
	pins = ((ioapic_read(io, IOAPIC_VERSION) >> 16) & 0xff) + 1;
	for (pin = 0; pin < pins; pin++) {
		low = ioapic_read(io, IOAPIC_RTE_LOW(pin));
		if ((low & RTE_DELIVERY) == RTE_DELIVERY_SMI && !(low & RTE_MASKED))
			continue;
		ioapic_write(io, IOAPIC_RTE_LOW(pin), low | RTE_MASKED);
		ioapic_write(io, IOAPIC_RTE_LOW(pin), RTE_MASKED);
		ioapic_write(io, IOAPIC_RTE_LOW(pin) + 1, 0);
	}
}

void handover_mask_interrupts(void)
{
	mask_pics();
	for (unsigned int i = 0; i < acpi_facts.nr_ioapics; i++)
		mask_ioapic(acpi_facts.ioapic[i].addr);
}
