// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whole transfers on the primary master disk and the secondary master CD (ATA/ATAPI-4, SFF 8038i
 * for the bus master): registers, wait, data. The first 64 KiB and the last sector of the disk are
 * written, so it must be a scratch image.
 */
#include "bench.h"

#define DISK 0x1f0
#define CD   0x170
#define N    8

static u8 space[2 * 65536], *buffer; /* 64 KiB that cross no such boundary */
static u32 prd[4] __attribute__((aligned(16)));
static u32 last_sector;
static u16 bus_master; /* of the primary channel; 0: none */

static u8 wait_ready(u16 base)
{
	u8 s;

	do
		s = inb(base + 0x206);
	while (s & 0x80);
	return s;
}

static bool wait_data(u16 base)
{
	u8 s = wait_ready(base);

	return (s & 9) == 8;
}

static bool identify(u16 base, u8 command)
{
	u16 words[256];
	ulong d = (ulong)words, c = 256;

	outb(base + 0x206, 2); /* no interrupts */
	outb(base + 6, 0xa0);
	outb(base + 7, command);
	if (inb(base + 7) == 0xff || !wait_data(base))
		return false;
	asm volatile("rep insw" : "+D"(d), "+c"(c), "=m"(words) : "d"(base));
	last_sector = words[60] + (words[61] << 16) - 1;
	return true;
}

static void disk_command(u8 command, u32 lba, u8 count)
{
	outb(DISK + 2, count);
	outb(DISK + 3, lba);
	outb(DISK + 4, lba >> 8);
	outb(DISK + 5, lba >> 16);
	outb(DISK + 6, 0xe0 | (lba >> 24 & 15));
	outb(DISK + 7, command);
}

static void pio_data(bool words)
{
	ulong d = (ulong)buffer, c = words ? 256 : 128;

	if (!wait_data(DISK))
		return;
	if (words)
		asm volatile("rep insw" : "+D"(d), "+c"(c) : "d"(DISK) : "memory");
	else
		asm volatile("rep insl" : "+D"(d), "+c"(c) : "d"(DISK) : "memory");
}

static void pio_read(bool words)
{
	disk_command(0x20, 0, 1);
	pio_data(words);
}

static void pio_write(void)
{
	ulong s = (ulong)buffer, c = 256;

	disk_command(0x30, last_sector, 1);
	if (!wait_data(DISK))
		return;
	asm volatile("rep outsw" : "+S"(s), "+c"(c) : "d"(DISK) : "memory");
	wait_ready(DISK);
}

static void dma_start(u16 bm, u32 bytes)
{
	prd[0] = (ulong)buffer;
	prd[1] = 0x80000000 | (bytes & 0xffff);
	outl(bm + 4, (ulong)prd);
	outb(bm + 2, 6);
	outb(bm, 8);
}

static void dma_run(u16 bm, u16 base)
{
	outb(bm, 9);
	while (inb(bm + 2) & 1)
		cpu_pause();
	outb(bm, 0);
	wait_ready(base);
}

static void dma_read(void)
{
	dma_start(bus_master, 65536);
	disk_command(0xc8, 0, 128);
	dma_run(bus_master, DISK);
}

/* A row counts only if its bytes arrived. */
static void arrived(const char *row, bool ok)
{
	if (!ok)
		print("BENCH-VOID %s\n", row);
}

static void fill(u8 seed)
{
	unsigned int i;

	for (i = 0; i < 65536; i++)
		buffer[i] = (u8)(seed + i * 7 + (i >> 8));
}

static bool filled(u8 seed, unsigned int bytes)
{
	unsigned int i;

	for (i = 0; i < bytes; i++)
		if (buffer[i] != (u8)(seed + i * 7 + (i >> 8)))
			return false;
	return true;
}

static void dma_write(void)
{
	dma_start(bus_master, 65536);
	outb(bus_master + 2, 6);
	disk_command(0xca, 0, 128);
	outb(bus_master, 1);
	while (inb(bus_master + 2) & 1)
		cpu_pause();
	outb(bus_master, 0);
	wait_ready(DISK);
}

/* What is read was written with another seed before; what is written is read back. */
static void disk_rows(void)
{
	if (bus_master) {
		fill(1);
		dma_write();
		memset(buffer, 0, 65536);
		BENCH("dma_read_64k", N, dma_read());
		arrived("dma_read_64k", filled(1, 65536));
	}
	fill(2);
	BENCH("pio_write_outsw", N, pio_write());
	memset(buffer, 0, 512);
	disk_command(0x20, last_sector, 1);
	pio_data(true);
	arrived("pio_write_outsw", filled(2, 512));
	BENCH("pio_read_insw", N, pio_read(true));
	memset(buffer, 0, 512);
	pio_read(true);
	arrived("pio_read_insw", !bus_master || filled(1, 512));
	memset(buffer, 0, 512);
	BENCH("pio_read_insl", N, pio_read(false));
	arrived("pio_read_insl", !bus_master || filled(1, 512));
}

/* READ(10) of blocks from block 16. */
static void cd_packet(u8 features, u8 blocks)
{
	u8 packet[12] = { 0x28, 0, 0, 0, 0, 16, 0, 0, blocks };
	ulong s = (ulong)packet, c = 6;

	outb(CD + 1, features);
	outb(CD + 4, 2048 & 0xff);
	outb(CD + 5, 2048 >> 8);
	outb(CD + 6, 0xa0);
	outb(CD + 7, 0xa0);
	if (!wait_data(CD))
		return;
	asm volatile("rep outsw" : "+S"(s), "+c"(c) : "d"(CD) : "memory");
}

static void cd_pio(void)
{
	ulong d = (ulong)buffer, c = 1024;

	cd_packet(0, 1);
	if (!wait_data(CD))
		return;
	asm volatile("rep insw" : "+D"(d), "+c"(c) : "d"(CD) : "memory");
	wait_ready(CD);
}

static void cd_dma(void)
{
	dma_start(bus_master + 8, 32768);
	cd_packet(1, 16);
	dma_run(bus_master + 8, CD);
}

void bench_disk(void)
{
	u32 ide = pci_find(8, 0xffff0000, 0x01010000);

	if (ide == ~0u)
		return;
	buffer = (u8 *)(((ulong)space + 0xffff) & ~0xfffful);
	bus_master = pci_read(ide, 0x20) & 0xfffc;
	pci_write(ide, 4, (pci_read(ide, 4) & 0xffff) | 5);
	if (identify(DISK, 0xec)) {
		disk_rows();
	} else {
		print("# no primary disk\n");
	}
	if (!identify(CD, 0xa1)) {
		print("# no secondary CD\n");
		return;
	}
	BENCH("atapi_pio_2k", N, cd_pio());
	arrived("atapi_pio_2k", !memcmp(buffer + 1, "CD001", 5));
	memset(buffer, 0, 8);
	if (bus_master)
		BENCH("atapi_dma_32k", N, cd_dma());
	arrived("atapi_dma_32k", !memcmp(buffer + 1, "CD001", 5));
}
