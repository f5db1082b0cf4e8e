// SPDX-License-Identifier: GPL-2.0-or-later
/* Access to the PC's timers: 8254, MC146818, ACPI PM timer, HPET; delays by the TSC. */
#include "payload.h"

void pit_program(u8 channel, u8 mode, u16 count)
{
	outb(0x43, channel << 6 | 0x30 | mode << 1);
	outb(0x40 + channel, count);
	outb(0x40 + channel, count >> 8);
}

u16 pit_read(u8 channel)
{
	u8 lo;

	outb(0x43, channel << 6);
	lo = inb(0x40 + channel);
	return lo | inb(0x40 + channel) << 8;
}

u32 pm_timer_read(void)
{
	return inl(plat.pm_timer_port);
}

u32 hpet_read(u32 reg)
{
	return mmio_read(plat.hpet_paddr + reg);
}

void hpet_write(u32 reg, u32 value)
{
	mmio_write(plat.hpet_paddr + reg, value);
}

u8 cmos_read(u8 index)
{
	outb(0x70, index);
	return inb(0x71);
}

void cmos_write(u8 index, u8 value)
{
	outb(0x70, index);
	outb(0x71, value);
}

u64 us_to_tsc(u32 us)
{
	u64 hz = plat.tsc_hz ? plat.tsc_hz : 1000000000;

	return div_u64(hz * us, 1000000);
}

void delay_us(u32 us)
{
	u64 end = rdtsc() + us_to_tsc(us);

	while (rdtsc() < end)
		cpu_pause();
}
