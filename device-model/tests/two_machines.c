// SPDX-License-Identifier: GPL-2.0-or-later
/* Two machines in one process: nothing that happens to one is seen in the other. For `make check`. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/bus.h"
#include "core/chardev.h"
#include "core/dma.h"
#include "core/loop.h"
#include "core/machine.h"
#include "core/options.h"
#include "core/pci.h"
#include "core/save.h"
#include "core/util.h"
#include "core/vmm.h"
#include "net/net.h"

#define VGA_DEVFN PCI_DEVFN(3, 0)

static unsigned int failed;

#define CHECK(what)                                                                  \
	do {                                                                         \
		if (!(what)) {                                                       \
			fprintf(stderr, "two_machines.c:%d: %s\n", __LINE__, #what); \
			failed++;                                                    \
		}                                                                    \
	} while (0)

static struct options options[2];
static struct machine a, b;

static void create(struct machine *m, struct options *o, const char *image)
{
	char *disk = xasprintf("file=%s,if=ide,index=0,format=raw", image);
	char *args[] = { (char *)"two",
			 (char *)"-qtest",
			 (char *)"stdio",
			 (char *)"-m",
			 (char *)"16",
			 (char *)"-serial",
			 (char *)"null",
			 (char *)"-device",
			 (char *)"VGA,vgamem_mb=2",
			 (char *)"-usb",
			 (char *)"-usbdevice",
			 (char *)"tablet",
			 (char *)"-drive",
			 disk,
			 (char *)"-netdev",
			 (char *)"user,id=n",
			 (char *)"-device",
			 (char *)"rtl8139,netdev=n,romfile=",
			 (char *)"-drive",
			 (char *)"if=floppy,index=1" };

	options_parse(o, (int)ARRAY_SIZE(args), args);
	if (machine_init(m, o, &vmm_qtest)) {
		fprintf(stderr, "two_machines: a machine does not start\n");
		exit(1);
	}
}

static uint64_t in(struct machine *m, uint32_t port)
{
	return pio_read(m, port, 1);
}

static void test_registers(void)
{
	static const struct {
		uint16_t port;
		uint8_t value;
	} writes[] = { { 0x70, 0x20 }, { 0x71, 0x5a }, { 0x3ff, 0xa5 }, { 0x81, 0x33 },
		       { 0x92, 2 },    { 0x3c8, 7 },   { 0x1f2, 0x44 } };
	size_t i;

	pio_write(&b, 0x70, 0x20, 1);
	for (i = 0; i < ARRAY_SIZE(writes); i++)
		pio_write(&a, writes[i].port, writes[i].value, 1);
	for (i = 1; i < ARRAY_SIZE(writes); i++) {
		CHECK(in(&a, writes[i].port) == writes[i].value);
		CHECK(in(&b, writes[i].port) != writes[i].value);
	}
}

static void test_memory(void)
{
	uint32_t value = 0x12345678, other = 1;

	dma_write(&a, 0x1000, &value, sizeof(value));
	dma_read(&b, 0x1000, &other, sizeof(other));
	CHECK(!other);
	pci_config_write(&a, VGA_DEVFN, 0x10, 0xe0000000, 4);
	pci_config_write(&a, VGA_DEVFN, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
	CHECK(!(pci_config_read(&b, VGA_DEVFN, 0x10, 4) & ~0xfu));
	/* A state goes to a machine whose memory is where it was. */
	pci_config_write(&b, VGA_DEVFN, 0x10, 0xe0000000, 4);
	pci_config_write(&b, VGA_DEVFN, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
	CHECK(a.vram_next == b.vram_next && a.nr_vrams == b.nr_vrams);
}

static void test_input(void)
{
	while (in(&a, 0x64) & 1)
		in(&a, 0x60);
	while (in(&b, 0x64) & 1)
		in(&b, 0x60);
	input_key(&a.input, 0x1e, true);
	CHECK((in(&a, 0x64) & 1) && !(in(&b, 0x64) & 1));
	CHECK(a.input.keys_down[0x1e] && !b.input.keys_down[0x1e]);
}

static void test_back_ends(void)
{
	CHECK(net_find(&a, "n") && net_find(&b, "n") && net_find(&a, "n") != net_find(&b, "n"));
	CHECK(chardev_next(&a, NULL) && !chardev_next(&a, chardev_next(&a, NULL)));
	CHECK(chardev_next(&a, NULL) != chardev_next(&b, NULL));
	CHECK(a.ide != b.ide && a.fdc != b.fdc && a.isa_dma != b.isa_dma);
}

/* A becomes B, and nothing of A changes. */
static void test_state(void)
{
	int fd = memfd_create("state", MFD_CLOEXEC);

	pio_write(&a, 0x3ff, 0x11, 1);
	CHECK(!save_machine(&a, fd));
	pio_write(&a, 0x3ff, 0x22, 1);
	lseek(fd, 0, SEEK_SET);
	CHECK(!save_read_file(&b, fd) && !save_load_machine(&b));
	CHECK(in(&b, 0x3ff) == 0x11 && in(&a, 0x3ff) == 0x22);
	CHECK(in(&b, 0x71) == 0x5a);
	close(fd);
}

static void test_reset(void)
{
	machine_reset(&b);
	CHECK(!in(&b, 0x81) && in(&a, 0x81) == 0x33);
}

int main(int argc, char **argv)
{
	char image[2][32] = { "/tmp/two-machines-XXXXXX", "/tmp/two-machines-XXXXXX" };
	unsigned int i;

	loop_init();
	for (i = 0; i < 2; i++) {
		int fd = mkstemp(image[i]);

		if (fd < 0 || ftruncate(fd, 1440 * 1024))
			return 1;
		close(fd);
		create(i ? &b : &a, &options[i], image[i]);
		unlink(image[i]);
	}
	test_registers();
	test_memory();
	test_input();
	test_back_ends();
	test_state();
	test_reset();
	printf("two_machines: %s\n", failed ? "failed" : "passed");
	return failed ? 1 : 0;
}
