// SPDX-License-Identifier: GPL-2.0-or-later
/* Local APIC (xAPIC and x2APIC: SDM vol. 3 ch. 10), IO-APIC (82093AA) and 8259 access. */
#include "payload.h"

bool lapic_x2(void)
{
	return (rdmsr(MSR_APIC_BASE) & 0xc00) == 0xc00;
}

u32 lapic_read(u32 reg)
{
	if (lapic_x2())
		return rdmsr(MSR_X2APIC(reg));
	return mmio_read(APIC_DEFAULT_BASE + reg);
}

void lapic_write(u32 reg, u32 value)
{
	if (lapic_x2())
		wrmsr(MSR_X2APIC(reg), value);
	else
		mmio_write(APIC_DEFAULT_BASE + reg, value);
}

void lapic_enable(void)
{
	if (!(rdmsr(MSR_APIC_BASE) & 0x800))
		wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | 0x800);
	lapic_write(APIC_SPIV, 0x1ff);
	lapic_write(APIC_TPR, 0);
	lapic_write(APIC_LVTT, 1u << 16);
	lapic_write(APIC_TMICT, 0);
}

u32 lapic_id(void)
{
	u32 v = lapic_read(APIC_ID);

	return lapic_x2() ? v : v >> 24;
}

void lapic_eoi(void)
{
	lapic_write(APIC_EOI, 0);
}

void lapic_ipi(u32 apic_id, u32 icr_low)
{
	if (lapic_x2()) {
		wrmsr(MSR_X2APIC(APIC_ICR), (u64)apic_id << 32 | icr_low);
		return;
	}
	lapic_write(APIC_ICR2, apic_id << 24);
	lapic_write(APIC_ICR, icr_low);
	while (lapic_read(APIC_ICR) & (1u << 12))
		cpu_pause();
}

void lapic_self(u8 vector)
{
	lapic_ipi(0, 0x44000 | vector);
}

bool lapic_irr(u8 vector)
{
	return lapic_read(APIC_IRR + vector / 32 * 16) >> (vector % 32) & 1;
}

bool lapic_isr(u8 vector)
{
	return lapic_read(APIC_ISR + vector / 32 * 16) >> (vector % 32) & 1;
}

void pic_mask(u16 mask)
{
	if (!plat.has_pic)
		return;
	outb(0x21, mask);
	outb(0xa1, mask >> 8);
}

/* Edge triggered, normal EOI, 8086 mode; all inputs masked. */
void pic_init(u8 master_base, u8 slave_base)
{
	if (!plat.has_pic)
		return;
	outb(0x20, 0x11);
	outb(0xa0, 0x11);
	outb(0x21, master_base);
	outb(0xa1, slave_base);
	outb(0x21, 4);
	outb(0xa1, 2);
	outb(0x21, 1);
	outb(0xa1, 1);
	pic_mask(0xffff);
}

void pic_eoi(u8 irq)
{
	if (irq >= 8)
		outb(0xa0, 0x20);
	outb(0x20, 0x20);
}

u32 ioapic_read(u8 reg)
{
	mmio_write(plat.ioapic_paddr, reg);
	return mmio_read(plat.ioapic_paddr + 0x10);
}

void ioapic_write(u8 reg, u32 value)
{
	mmio_write(plat.ioapic_paddr, reg);
	mmio_write(plat.ioapic_paddr + 0x10, value);
}

void ioapic_set(u8 pin, u64 rte)
{
	ioapic_write(0x10 + pin * 2, IOAPIC_MASKED);
	ioapic_write(0x11 + pin * 2, rte >> 32);
	ioapic_write(0x10 + pin * 2, rte);
}

u64 ioapic_get(u8 pin)
{
	return (u64)ioapic_read(0x11 + pin * 2) << 32 | ioapic_read(0x10 + pin * 2);
}
