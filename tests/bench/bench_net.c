// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One 1514-byte frame sent by an RTL8139 (data sheet rev. 1.4, sections 5.3-5.5): five port
 * accesses.
 */
#include "bench.h"

static u8 frame[2048] __attribute__((aligned(16)));

static void send(u16 io, unsigned int slot)
{
	outl(io + 0x20 + slot * 4, (ulong)frame);
	outl(io + 0x10 + slot * 4, 1514);
	while (!(inl(io + 0x10 + slot * 4) & 0xa000)) /* sent, or on its way out of the FIFO */
		cpu_pause();
	inw(io + 0x3e);
	outw(io + 0x3e, 0xffff);
}

void bench_net(void)
{
	u32 nic = pci_find(0, ~0u, 0x813910ec);
	unsigned int slot = 0;
	u16 io;

	if (nic == ~0u) {
		print("# no RTL8139\n");
		return;
	}
	io = pci_read(nic, 0x10) & 0xfffc;
	pci_write(nic, 4, (pci_read(nic, 4) & 0xffff) | 5);
	outb(io + 0x52, 0);
	outb(io + 0x37, 0x10);
	while (inb(io + 0x37) & 0x10)
		cpu_pause();
	outw(io + 0x3c, 0);
	outb(io + 0x37, 4);
	memset(frame, 0xff, 12);
	frame[12] = 0x88; /* local experimental type */
	frame[13] = 0xb5;
	BENCH("rtl8139_send", 16, send(io, slot); slot = (slot + 1) & 3);
}
