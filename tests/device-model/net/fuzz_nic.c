// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer on a network card behind the real buses: the input is a list of register accesses, guest
 * memory contents, frames from the wire, steps of the clock, saves and restores. Registers are chosen
 * from the card's own, so that whole transfers happen. FUZZ_CARD is the beginning of its name.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/bus.h"
#include "core/dma.h"
#include "core/loop.h"
#include "core/machine.h"
#include "core/options.h"
#include "core/pci.h"
#include "core/save.h"
#include "core/timer.h"
#include "core/util.h"
#include "core/vmm.h"
#include "net/net.h"

#define FUZZ_IO	   0xc100
#define FUZZ_DEVFN PCI_DEVFN(4, 0)
#define MAX_STEPS  2000

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz_card {
	const char *device;
	void (*prepare)(void);
	unsigned int registers;
};

static struct machine machine;
static struct options options;

struct bytes {
	const uint8_t *p;
	size_t left;
};

static uint64_t take(struct bytes *in, unsigned int bytes)
{
	uint64_t v = 0;

	while (bytes--) {
		v = v << 8 | (in->left ? *in->p++ : 0);
		in->left -= in->left != 0;
	}
	return v;
}

static void out(unsigned int reg, uint32_t v, unsigned int size)
{
	pio_write(&machine, FUZZ_IO + reg, v, size);
}

/* Both modes on, rings and buffers in the first 64 KiB, which the input fills. */
static void prepare_rtl8139(void)
{
	static const uint8_t ring_regs[] = { 0x20, 0x28, 0xe4 };
	unsigned int i;

	out(0x37, 0x10, 1);
	for (i = 0; i < ARRAY_SIZE(ring_regs); i++) {
		out(ring_regs[i], 0x1000 * (i + 1), 4);
		out(ring_regs[i] + 4u, 0, 4);
	}
	out(0x30, 0x8000, 4);
	out(0x37, 0x0c, 1);
	out(0x44, 0x1f, 4);
}

static void prepare_ne2k(void)
{
	static const uint8_t setup[][2] = { { 0x0, 0x21 }, { 0xe, 0x49 }, { 0xc, 0x1f },
					    { 0x1, 0x46 }, { 0x2, 0x80 }, { 0x3, 0x46 },
					    { 0x0, 0x61 }, { 0x7, 0x47 }, { 0x0, 0x22 } };
	unsigned int i;

	pio_read(&machine, FUZZ_IO + 0x1f, 1);
	for (i = 0; i < ARRAY_SIZE(setup); i++)
		out(setup[i][0], setup[i][1], 1);
}

/* For tools that look at this file alone. */
#ifndef FUZZ_CARD
#define FUZZ_CARD "rtl8139"
#endif

static const struct fuzz_card cards[] = { { "rtl8139", prepare_rtl8139, 256 },
					  { "ne2k_pci", prepare_ne2k, 32 } };
static const struct fuzz_card *card;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char *args[] = { (char *)"plinth-dm",
			 (char *)"-qtest",
			 (char *)"stdio",
			 (char *)"-m",
			 (char *)"4",
			 (char *)"-device",
			 NULL };

	for (card = cards; strncmp(card->device, FUZZ_CARD, strlen(FUZZ_CARD)); card++)
		;
	args[6] = xasprintf("%s,addr=04,romfile=,mac=00:16:3e:01:02:03,id=card", card->device);
	options_parse(&options, ARRAY_SIZE(args), args);
	loop_init();
	if (machine_init(&machine, &options, &vmm_qtest))
		abort();
	machine_set_running(&machine, true);
	return 0;
}

static void receive(struct bytes *in)
{
	uint8_t frame[2048] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	size_t len = take(in, 2) % sizeof(frame), i;

	for (i = take(in, 1) & 1 ? 0 : 12; i < 64; i++)
		frame[i] = (uint8_t)take(in, 1);
	net_deliver(net_find(&machine, "card"), frame, len);
}

static void fill_memory(struct bytes *in)
{
	uint8_t bytes[64];
	size_t len = take(in, 1) % sizeof(bytes), i;
	uint64_t at = take(in, 2);

	for (i = 0; i < len; i++)
		bytes[i] = (uint8_t)take(in, 1);
	dma_write(&machine, at, bytes, len);
}

/* A descriptor that makes sense but for its input. */
static void fill_descriptor(struct bytes *in)
{
	uint8_t raw[16];
	uint64_t ring = 0x1000 * (1 + take(in, 1) % 3), index = take(in, 1) % 64;

	put_le32(raw, (uint32_t)take(in, 4) | 1u << 31);
	put_le32(raw + 4, (uint32_t)take(in, 3));
	put_le32(raw + 8, (uint32_t)take(in, 2));
	put_le32(raw + 12, 0);
	dma_write(&machine, ring + index * sizeof(raw), raw, sizeof(raw));
}

static void save_and_restore(struct bytes *in)
{
	int fd = memfd_create("state", 0);
	uint8_t byte = (uint8_t)take(in, 1);
	off_t at = (off_t)take(in, 2), size;

	if (fd < 0 || save_machine(&machine, fd))
		abort();
	size = lseek(fd, 0, SEEK_END);
	/* Damage is refused or harmless. */
	if (at && at < size && pwrite(fd, &byte, 1, at) != 1)
		abort();
	lseek(fd, 0, SEEK_SET);
	if (!save_read_file(&machine, fd))
		save_load_machine(&machine);
	close(fd);
}

static void block(struct bytes *in)
{
	uint8_t buf[512];

	if (take(in, 1) & 1)
		pio_read_block(&machine, FUZZ_IO + 0x10, buf, 2, sizeof(buf) / 2);
	else
		pio_write_block(&machine, FUZZ_IO + 0x10, memset(buf, 0x5a, sizeof(buf)), 2,
				sizeof(buf) / 2);
}

static void step(struct bytes *in)
{
	uint8_t what = (uint8_t)take(in, 1);
	unsigned int size = 1u << (what >> 4 & 3) % 3;
	unsigned int reg = (unsigned int)take(in, 1) % card->registers;

	switch (what & 15) {
	case 0:
		pio_read(&machine, FUZZ_IO + reg, size);
		break;
	case 1:
		receive(in);
		break;
	case 2:
		fill_memory(in);
		break;
	case 3:
	case 4:
		fill_descriptor(in);
		break;
	case 5:
		clock_virtual_step((int64_t)take(in, 3));
		break;
	case 6:
		loop_turn(false);
		break;
	case 7:
		card->prepare();
		break;
	case 8:
		save_and_restore(in);
		break;
	case 9:
		block(in);
		break;
	case 10:
		net_set_link(net_find(&machine, "card"), reg & 1);
		break;
	default:
		out(reg, (uint32_t)take(in, size), size);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = { data, size };
	unsigned int i;

	machine_reset(&machine);
	pci_config_write(&machine, FUZZ_DEVFN, PCI_BASE_ADDRESS_0, FUZZ_IO, 4);
	pci_config_write(&machine, FUZZ_DEVFN, PCI_COMMAND, 7, 2);
	card->prepare();
	net_set_link(net_find(&machine, "card"), true);
	for (i = 0; in.left && i < MAX_STEPS; i++)
		step(&in);
	loop_turn(false);
	return 0;
}
