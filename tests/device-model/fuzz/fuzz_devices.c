// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the fuzzers of IDE and ATAPI (fuzz-ide), of the PC's small parts (fuzz-pc: PCI configuration,
 * power management, CMOS, VGA's and the platform device's ports), of VGA (fuzz-vga), of PS/2 (fuzz-ps2) and of the serial
 * ports (fuzz-uart) do with the input's bytes. The driver is fuzz_ports.c.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/bus.h"
#include "core/dma.h"
#include "core/input.h"
#include "core/loop.h"
#include "core/pci.h"
#include "core/util.h"
#include "device-model/fuzz/fuzz.h"

#define IDE_DEVFN PCI_DEVFN(1, 1)
#define BM_IO	  0xc200
#define PRD_TABLE 0x1000
#define DATA	  0x10000

static void out(uint16_t port, uint32_t v, unsigned int size)
{
	pio_write(&fuzz_machine, port, v, size);
}

/* ---- IDE ---- */

static uint16_t channel_port(uint8_t what)
{
	return what & 0x80 ? 0x170 : 0x1f0;
}

static void ide_port(struct bytes *in)
{
	uint8_t what = take(in);
	uint16_t port = (what & 0x78) == 0x78 ? 0x206 : what & 7;

	port = (uint16_t)(port + channel_port(what));
	if (what & 0x40)
		pio_read(&fuzz_machine, port, what & 7 ? 1 : 2);
	else
		out(port, take16(in), what & 7 ? 1 : 2);
}

/* A whole command with its registers. */
static void ide_command(struct bytes *in)
{
	uint8_t what = take(in);
	uint16_t port = channel_port(what), reg;

	out(port + 6u, (what & 0x10 ? 0xf0 : 0xe0) | (what & 0x40 ? take(in) : 0), 1);
	for (reg = 1; reg < 6; reg++) {
		if (what & 0x20)
			out(port + reg, take(in), 1);
		out(port + reg, take(in) & (reg > 3 ? 0x0f : 0xff), 1);
	}
	out(port + 7u, take(in), 1);
}

/* PACKET with its twelve bytes, and a byte count limit. */
static void ide_packet(struct bytes *in)
{
	unsigned int i;
	uint8_t dma = take(in) & 1;

	out(0x176, 0xa0, 1);
	out(0x171, dma, 1);
	out(0x174, take(in), 1);
	out(0x175, take(in), 1);
	out(0x177, 0xa0, 1);
	for (i = 0; i < 6; i++)
		out(0x170, take16(in), 2);
}

static void ide_data(struct bytes *in)
{
	static uint8_t buf[8192];
	uint8_t what = take(in);
	unsigned int size = what & 0x40 ? 4 : 2;
	size_t n = take16(in) % (sizeof(buf) / size);

	memset(buf, take(in), sizeof(buf));
	if (what & 1)
		pio_read_block(&fuzz_machine, channel_port(what), buf, size, n);
	else
		pio_write_block(&fuzz_machine, channel_port(what), buf, size, n);
}

static void ide_prd(struct bytes *in)
{
	unsigned int i, n = take(in) % 8;
	uint8_t b[8];

	for (i = 0; i < n; i++) {
		uint8_t kind = take(in);

		put_le32(b, kind & 1 ? take32(in) : DATA + take(in) * 512u);
		put_le32(b + 4, take16(in) | (i + 1 == n || kind & 2 ? 1u << 31 : 0));
		dma_write(&fuzz_machine, PRD_TABLE + i * 8, b, sizeof(b));
	}
}

static void ide_bus_master(struct bytes *in)
{
	uint8_t what = take(in);
	uint16_t base = BM_IO + (what & 0x80 ? 8 : 0);

	if (what & 1)
		out(base + 4u, what & 0x40 ? take32(in) : PRD_TABLE, 4);
	if (what & 2)
		out(base + 2u, take(in), 1);
	if (what & 4)
		out(base, what & 8 ? 9 : 1, 1);
	if (what & 0x10)
		out(base, 0, 1);
	pio_read(&fuzz_machine, base + (what & 7), what & 0x20 ? 4 : 1);
}

static void ide_begin(void)
{
	pci_config_write(&fuzz_machine, IDE_DEVFN, 0x20, BM_IO, 4);
	pci_config_write(&fuzz_machine, IDE_DEVFN, PCI_COMMAND, 5, 2);
}

static void (*const ide_steps[])(struct bytes *) = { ide_port, ide_command, ide_packet,
						     ide_data, ide_prd,	    ide_bus_master };

const struct fuzz_target fuzz_ide = {
	.name = "ide",
	.args = { "-m", "16", "-drive", "file=DIR/disk,if=ide,index=0,format=raw,discard=unmap",
		  "-drive", "file=DIR/cd,if=ide,index=2,media=cdrom,format=raw" },
	.begin = ide_begin,
	.steps = ide_steps,
	.nr_steps = ARRAY_SIZE(ide_steps),
};

/* ---- the PC's small parts ---- */

static void pc_config(struct bytes *in)
{
	static const uint8_t devfns[] = { PCI_DEVFN(0, 0), PCI_DEVFN(1, 0), PCI_DEVFN(1, 1),
					  PCI_DEVFN(1, 2), PCI_DEVFN(1, 3), PCI_DEVFN(2, 0),
					  PCI_DEVFN(3, 0), PCI_DEVFN(9, 0) };
	uint8_t what = take(in), devfn = devfns[what & 7], reg = take(in);
	unsigned int size = 1u << (what >> 3 & 3) % 3;

	out(0xcf8, 0x80000000u | (uint32_t)devfn << 8 | (reg & 0xfc), 4);
	if (what & 0x80)
		pio_read(&fuzz_machine, 0xcfcu + (reg & 3), size);
	else
		out((uint16_t)(0xcfc + (reg & 3)), take32(in), size);
}

/* Fixed ports, and those at which firmware puts the movable ones. */
static void pc_port(struct bytes *in)
{
	static const struct {
		uint16_t first, count;
	} ranges[] = {
		{ 0x70, 2 },	{ 0x92, 1 },	{ 0xb2, 2 },	 { 0xcf8, 8 },
		{ 0x10, 16 },	{ 0xafe0, 32 }, { 0xae00, 32 },	 { 0xaf00, 32 },
		{ 0xb000, 64 }, { 0x1ce, 3 },	{ 0x3b0, 0x30 }, { 0xc000, 256 },
		{ 0xe9, 1 },	{ 0x402, 1 },	{ 0x4d0, 2 },	 { 0x1f40, 0x40 },
	};
	uint8_t what = take(in);
	uint16_t port = ranges[what & 15].first;
	unsigned int size = 1u << (what >> 4 & 3) % 3;

	port = (uint16_t)(port + take(in) % ranges[what & 15].count);
	if (what & 0x80)
		pio_read(&fuzz_machine, port, size);
	else
		out(port, take32(in), size);
}

static void pc_memory(struct bytes *in)
{
	static const uint32_t bases[] = { 0xa0000,    0xb8000,	  0xf0000000,
					  0xf1000000, 0xf2000000, 0xc0000 };
	uint8_t what = take(in);
	uint64_t gpa = bases[(what & 7) % ARRAY_SIZE(bases)] + take16(in);
	unsigned int size = 1u << (what >> 3 & 3);

	if (what & 0x80)
		mmio_read(&fuzz_machine, gpa, size);
	else
		mmio_write(&fuzz_machine, gpa, take32(in), size);
}

static void pc_begin(void)
{
	pci_config_write(&fuzz_machine, PCI_DEVFN(1, 3), 0x40, 0xb001, 4);
	pci_config_write(&fuzz_machine, PCI_DEVFN(1, 3), 0x80, 1, 1);
	pci_config_write(&fuzz_machine, PCI_DEVFN(2, 0), 0x10, 0xc000, 4);
	pci_config_write(&fuzz_machine, PCI_DEVFN(2, 0), 0x14, 0xf2000000, 4);
	pci_config_write(&fuzz_machine, PCI_DEVFN(2, 0), PCI_COMMAND, 7, 2);
	pci_config_write(&fuzz_machine, PCI_DEVFN(3, 0), 0x10, 0xf0000000, 4);
	pci_config_write(&fuzz_machine, PCI_DEVFN(3, 0), 0x18, 0xf1000000, 4);
	pci_config_write(&fuzz_machine, PCI_DEVFN(3, 0), PCI_COMMAND, 7, 2);
}

static void (*const pc_steps[])(struct bytes *) = { pc_port, pc_config, pc_port, pc_memory };

const struct fuzz_target fuzz_pc = {
	.name = "pc",
	.args = { "-m", "16", "-device", "VGA,vgamem_mb=2", "-usb", "-debugcon", "null" },
	.begin = pc_begin,
	.steps = pc_steps,
	.nr_steps = ARRAY_SIZE(pc_steps),
};

/* ---- VGA ---- */

#define VGA_DEVFN PCI_DEVFN(3, 0)
#define VGA_LFB	  0xf0000000u
#define VGA_MMIO  0xf1000000u
#define VBE_INDEX 0x1ce

static void vga_port(struct bytes *in)
{
	uint8_t what = take(in);
	uint16_t port = (uint16_t)(0x3b0 + (what & 0x3f) % 0x30);

	if (what & 0x80)
		pio_read(&fuzz_machine, port, what & 0x40 ? 2 : 1);
	else
		out(port, take16(in), what & 0x40 ? 2 : 1);
}

/* An index and its data, as drivers do it. */
static void vga_indexed(struct bytes *in)
{
	static const uint16_t pairs[] = { 0x3c4, 0x3ce, 0x3d4, 0x3b4 };
	uint16_t port = pairs[take(in) & 3];

	out(port, take(in) | (uint32_t)take(in) << 8, 2);
}

static void vga_vbe(struct bytes *in)
{
	uint8_t what = take(in);

	out(VBE_INDEX, what & 15, 2);
	if (what & 0x80)
		pio_read(&fuzz_machine, VBE_INDEX + 1, 2);
	else
		out(VBE_INDEX + 1, what & 0x40 ? take16(in) : take(in) * 8u, 2);
}

static void vga_memory(struct bytes *in)
{
	static uint8_t block[4096];
	uint8_t what = take(in);
	uint64_t gpa = what & 1 ? VGA_LFB + take32(in) % (2u << 20)
				: 0xa0000 + ((uint32_t)take16(in) << 1);
	size_t n = what & 0x20 ? take16(in) % (sizeof(block) / 4) : 1;
	unsigned int size = 1u << (what >> 1 & 3) % 3;

	memset(block, take(in), sizeof(block));
	if (what & 0x40)
		mmio_read_block(&fuzz_machine, gpa, block, size, n);
	else
		mmio_write_block(&fuzz_machine, gpa, block, size, n);
}

static void vga_registers(struct bytes *in)
{
	uint8_t what = take(in);
	uint64_t gpa = VGA_MMIO + take16(in) % 0x1000;

	if (what & 0x80)
		mmio_read(&fuzz_machine, gpa, 1u << (what & 3) % 3);
	else
		mmio_write(&fuzz_machine, gpa, take32(in), 1u << (what & 3) % 3);
}

static void vga_show(struct bytes *in)
{
	struct display *d = &fuzz_machine.display;

	if (take(in) & 1)
		display_invalidate(d);
	d->source->refresh(d->source_opaque);
}

static void vga_begin(void)
{
	pci_config_write(&fuzz_machine, VGA_DEVFN, 0x10, VGA_LFB, 4);
	pci_config_write(&fuzz_machine, VGA_DEVFN, 0x18, VGA_MMIO, 4);
	pci_config_write(&fuzz_machine, VGA_DEVFN, PCI_COMMAND, 7, 2);
}

static void (*const vga_steps[])(struct bytes *) = { vga_port,	   vga_indexed, vga_vbe,
						     vga_memory,   vga_memory,	vga_show,
						     vga_registers };

const struct fuzz_target fuzz_vga = {
	.name = "vga",
	.args = { "-m", "16", "-device", "VGA,vgamem_mb=2" },
	.begin = vga_begin,
	.steps = vga_steps,
	.nr_steps = ARRAY_SIZE(vga_steps),
};

/* ---- PS/2 ---- */

static void ps2_port(struct bytes *in)
{
	uint8_t what = take(in);
	uint16_t port = what & 1 ? 0x64 : 0x60;

	if (what & 2)
		pio_read(&fuzz_machine, port, 1);
	else
		out(port, take(in), 1);
}

/* A byte for the mouse, or an argument for a command of the controller. */
static void ps2_command(struct bytes *in)
{
	out(0x64, take(in), 1);
	out(0x60, take(in), 1);
}

static void ps2_input(struct bytes *in)
{
	uint8_t what = take(in);

	if (what & 1)
		input_key(&fuzz_machine.input, take(in) | (what & 2 ? 0x100u : 0), what & 4);
	else if (what & 2)
		input_pointer_rel(&fuzz_machine.input, (int8_t)take(in), (int8_t)take(in),
				  what >> 3);
	else
		input_release_all(&fuzz_machine.input);
}

static void ps2_read_all(struct bytes *in)
{
	unsigned int i, n = take(in);

	for (i = 0; i < n && pio_read(&fuzz_machine, 0x64, 1) & 1; i++)
		pio_read(&fuzz_machine, 0x60, 1);
}

static void (*const ps2_steps[])(struct bytes *) = { ps2_port, ps2_command, ps2_input, ps2_input,
						     ps2_read_all };

const struct fuzz_target fuzz_ps2 = {
	.name = "ps2",
	.args = { "-m", "16" },
	.steps = ps2_steps,
	.nr_steps = ARRAY_SIZE(ps2_steps),
};

/* ---- serial ports ---- */

static int com1 = -1;

static void uart_port(struct bytes *in)
{
	uint8_t what = take(in);
	uint16_t port = (uint16_t)((what & 0x40 ? 0x2f8 : 0x3f8) + (what & 7));

	if (what & 0x80)
		pio_read(&fuzz_machine, port, 1);
	else
		out(port, take(in), 1);
}

static void uart_host(struct bytes *in)
{
	uint8_t buf[64], what = take(in);
	size_t n = what % sizeof(buf);

	memset(buf, take(in), n);
	if (what & 0x80)
		while (recv(com1, buf, sizeof(buf), MSG_DONTWAIT) > 0)
			;
	else if (n)
		send(com1, buf, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	loop_turn(false);
}

static void uart_start(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	strcpy(sa.sun_path, fuzz_path("com1"));
	com1 = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (com1 < 0 || connect(com1, (struct sockaddr *)&sa, sizeof(sa)))
		abort();
	loop_turn(false);
}

static void (*const uart_steps[])(struct bytes *) = { uart_port, uart_port, uart_host };

const struct fuzz_target fuzz_uart = {
	.name = "uart",
	.args = { "-m", "16", "-serial", "unix:DIR/com1,server,nowait", "-serial", "null" },
	.start = uart_start,
	.steps = uart_steps,
	.nr_steps = ARRAY_SIZE(uart_steps),
};
