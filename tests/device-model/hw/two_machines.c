// SPDX-License-Identifier: GPL-2.0-or-later
/* Two machines in one process: nothing that happens to one is seen in the other. For `make check`. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "block/block.h"
#include "check.h"
#include "core/bus.h"
#include "core/chardev.h"
#include "core/dma.h"
#include "core/loop.h"
#include "core/machine.h"
#include "core/options.h"
#include "core/pci.h"
#include "core/qmp.h"
#include "core/save.h"
#include "core/util.h"
#include "core/vmm.h"
#include "hw/ide.h"
#include "net/net.h"

#define VGA_DEVFN PCI_DEVFN(3, 0)

static struct options options[2];
static struct machine a, b;

static void monitor_name(char *path, size_t size, const char *image)
{
	snprintf(path, size, "%.40s.qmp", image);
}

static void create(struct machine *m, struct options *o, const char *image)
{
	char *monitor = xasprintf("socket,id=q,path=%s.qmp,server=on,wait=off", image);
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
			 (char *)"if=floppy,index=1",
			 (char *)"-chardev",
			 monitor,
			 (char *)"-mon",
			 (char *)"chardev=q,mode=control" };

	options_parse(o, (int)ARRAY_SIZE(args), args);
	if (machine_init(m, o, &vmm_qtest) || qmp_init(m) || block_take_images(m->disks)) {
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

static uint64_t told_gfn;
static size_t told_pages;

static int note_modified(struct machine *m, uint64_t gfn, size_t nr_pages)
{
	told_gfn = gfn;
	told_pages += nr_pages;
	return 0;
}

static size_t told(uint64_t gpa, size_t len)
{
	static const uint8_t zero[8192];

	told_pages = 0;
	dma_write(&a, gpa, zero, len);
	return told_pages;
}

/* The VMM is told of writes while it asks for them, or always where it mirrors the guest's page tables. */
static void test_told_writes(void)
{
	const struct vmm_ops *before = a.vmm;
	struct vmm_ops ops = *before;

	ops.modified = note_modified;
	a.vmm = &ops;
	CHECK(!told(0x1000, 8));
	dma_set_global_dirty_log(&a, 1);
	CHECK(told(0x1000, 8) == 1 && told_gfn == 1);
	dma_tell_writes(&a);
	dma_set_global_dirty_log(&a, 0);
	CHECK(told(0x1ffc, 8) == 2 && told_gfn == 1);
	CHECK(told(0x2000, 8192) == 2 && told_gfn == 2);
	CHECK(!told(0x2000, 0));
	told_pages = 0;
	dma_set(&a, 0x3fff, 0, 1);
	CHECK(told_pages == 1 && told_gfn == 3);
	dma_mark_dirty(&a, 0x5000, 1);
	CHECK(told_pages == 1);
	a.vmm = before;
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
	CHECK(a.disks != b.disks && a.ide != b.ide && a.fdc != b.fdc && a.isa_dma != b.isa_dma);
}

/* What one gives away is its own only. */
static void test_images(const char *of_a, const char *of_b)
{
	struct block_params p = { .file = of_b, .fd = -1 };
	struct block *blk;
	uint8_t byte;

	CHECK(!block_read_sync(a.ide->channel[0].drive[0].blk, 0, &byte, 1));
	CHECK(!block_give_images(a.disks));
	CHECK(block_read_sync(a.ide->channel[0].drive[0].blk, 0, &byte, 1) == -EBUSY);
	CHECK(!block_open(a.disks, &p));
	p.file = of_a;
	blk = block_open(b.disks, &p);
	CHECK(blk && block_take_images(a.disks));
	block_close(blk);
	CHECK(!block_take_images(a.disks));
}

/* A client of the machine's monitor that has said its first words. */
static int client_new(const char *image)
{
	static const char hello[] = "{\"execute\": \"qmp_capabilities\"}";
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), i;
	char buf[4096];

	monitor_name(sa.sun_path, sizeof(sa.sun_path), image);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) ||
	    send(fd, hello, strlen(hello), 0) < 0)
		return -1;
	for (i = 0; i < 10; i++)
		loop_turn(false);
	return recv(fd, buf, sizeof(buf), 0) > 0 ? fd : -1;
}

static bool hears(int fd, const char *word)
{
	char buf[4096];
	ssize_t n = recv(fd, buf, sizeof(buf) - 1, 0);

	buf[MAX(n, 0)] = 0;
	return n > 0 && strstr(buf, word);
}

static void test_monitors(const char *of_a, const char *of_b)
{
	int one = client_new(of_a), other = client_new(of_b);

	CHECK(one >= 0 && other >= 0);
	qmp_event(&a, "ONE", NULL);
	CHECK(hears(one, "ONE") && !hears(other, "ONE"));
	qmp_event(&b, "OTHER", NULL);
	CHECK(hears(other, "OTHER") && !hears(one, "OTHER"));
	close(one);
	close(other);
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
	}
	test_registers();
	test_memory();
	test_told_writes();
	test_input();
	test_back_ends();
	test_images(image[0], image[1]);
	test_monitors(image[0], image[1]);
	test_state();
	test_reset();
	for (i = 0; i < 2; i++) {
		char path[64];

		monitor_name(path, sizeof(path), image[i]);
		unlink(path);
		unlink(image[i]);
	}
	return check_report("two_machines");
}
