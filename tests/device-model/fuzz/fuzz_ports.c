// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer and AFL++ on devices behind ports: the whole device model with a memory array in the VMM's place,
 * driven by the input's bytes as port accesses, time, input events, memory contents, media changes,
 * resets, and saved state that comes back damaged. The program's name says which device: here are
 * fuzz-fdc (with ISA DMA) and fuzz-uhci (with the HID devices), the others are in fuzz_devices.c and
 * fuzz_text.c.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "block/block.h"
#include "core/bus.h"
#include "core/dma.h"
#include "core/input.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/machine.h"
#include "core/options.h"
#include "core/pci.h"
#include "core/qmp.h"
#include "core/save.h"
#include "core/timer.h"
#include "core/util.h"
#include "core/vmm.h"
#include "hw/fdc_media.h"
#include "device-model/fuzz/fuzz.h"

#define IMAGE_BYTES (1440 * 1024)
#define UHCI_IO	    0xc100
#define UHCI_DEVFN  PCI_DEVFN(1, 2)
#define FRAME_LIST  0x1000
#define SLOTS	    0x2000 /* 32 transfer descriptors or queue heads, 32 bytes apart */
#define MAX_STEPS   400

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct options options;
struct machine fuzz_machine;
static const struct fuzz_target *target;
static char *folder;

const char *fuzz_path(const char *name)
{
	return xasprintf("%s/%s", folder, name);
}

static void floppy_port(struct bytes *in)
{
	static const uint16_t ports[] = { 0x3f2, 0x3f4, 0x3f5, 0x3f5, 0x3f5, 0x3f7, 0x3f3, 0x81,
					  0x04,	 0x05,	0x08,  0x0a,  0x0b,  0x0c,  0x0d,  0x0f,
					  0xd4,	 0xd6,	0xda,  0xd0,  0x0e,  0x09,  0x87,  0xc4 };
	uint8_t what = take(in);
	uint16_t port = ports[what % ARRAY_SIZE(ports)];

	if (what & 0x80)
		pio_read(&fuzz_machine, port, 1);
	else
		pio_write(&fuzz_machine, port, take(in), 1);
}

/* Whole commands and DMA programs, which single bytes would rarely make. */
static void floppy_command(struct bytes *in)
{
	unsigned int i, n = take(in) % 20;

	for (i = 0; i < n; i++)
		pio_write(&fuzz_machine, 0x3f5, take(in), 1);
}

static void floppy_drain(struct bytes *in)
{
	static uint8_t buf[4096];
	size_t n = take16(in) % sizeof(buf);

	memset(buf, take(in), sizeof(buf));
	if (n & 1)
		pio_read_block(&fuzz_machine, 0x3f5, buf, 1, n);
	else
		pio_write_block(&fuzz_machine, 0x3f5, buf, 1, n);
}

static const char *floppy_image;

static void media(struct bytes *in)
{
	static const char eject[] = "{\"device\": \"floppy0\"}";
	size_t used;
	struct json *args = json_parse(eject, sizeof(eject) - 1, &used);
	struct qmp_reply r = { 0 };

	if (take(in) & 1)
		fdc_monitor_eject(&fuzz_machine, args, &r);
	else
		fdc_monitor_change(&fuzz_machine, args, floppy_image, "raw", &r);
	free(r.error);
	json_free(args);
}

static void usb_port(struct bytes *in)
{
	uint8_t what = take(in);
	unsigned int size = what & 0x40 ? 1 : 2;
	uint16_t port = UHCI_IO + what % 0x14;

	if (what & 0x80)
		pio_read(&fuzz_machine, port, size);
	else
		pio_write(&fuzz_machine, port, take16(in), size);
}

static uint32_t slot(uint8_t n)
{
	return (SLOTS + (n & 0x1f) * 32u) | (n >> 5 & 7);
}

/* A transfer descriptor with mostly plausible fields. */
static void transfer(struct bytes *in)
{
	static const uint8_t pids[] = { 0x69, 0xe1, 0x2d, 0x69, 0x2d, 0x69, 0xe1, 0x00 };
	uint32_t at = SLOTS + (take(in) & 0x1f) * 32u;
	uint8_t b[16], kind = take(in);
	uint32_t length = take(in), address = take(in) & 3;

	if (kind & 0x80)
		length = take16(in) & 0x7ff;
	put_le32(b, slot(take(in)));
	put_le32(b + 4, 0x18800000u | (uint32_t)take(in) << 22 | (kind & 0x40 ? 1u << 29 : 0));
	put_le32(b + 8, length << 21 | (kind & 8 ? 1u << 15 : 0) | address << 8 | pids[kind & 7]);
	put_le32(b + 12, 0x4000u + take(in) * 16u);
	dma_write(&fuzz_machine, at, b, sizeof(b));
}

static void setup_bytes(struct bytes *in)
{
	uint8_t b[8];
	unsigned int i;

	for (i = 0; i < sizeof(b); i++)
		b[i] = take(in);
	dma_write(&fuzz_machine, 0x4000u + take(in) * 16u, b, sizeof(b));
}

static void links(struct bytes *in)
{
	uint32_t at = take(in) & 1 ? FRAME_LIST + (take16(in) & 0x3ff) * 4u
				   : SLOTS + (take(in) & 0x1f) * 32u;
	uint8_t b[8];

	put_le32(b, slot(take(in)));
	put_le32(b + 4, slot(take(in)));
	dma_write(&fuzz_machine, at, b, sizeof(b));
}

static void input_event(struct bytes *in)
{
	uint8_t what = take(in);

	if (what & 1)
		input_key(&fuzz_machine.input, take(in) | (what & 2 ? 0x100u : 0), what & 4);
	else if (what & 2)
		input_pointer_abs(&fuzz_machine.input, take16(in), take16(in), what >> 3);
	else
		input_pointer_rel(&fuzz_machine.input, (int8_t)take(in), (int8_t)take(in),
				  what >> 3);
}

/* State to a file and back, a byte of it changed. A refused state must leave a machine to reset. */
static void save_and_load(struct bytes *in)
{
	int fd = memfd_create("state", 0);
	uint8_t change = take(in), v;
	off_t at = take16(in);

	block_drain_all(fuzz_machine.disks);
	if (fd < 0 || save_machine(&fuzz_machine, fd))
		abort();
	if (change && pread(fd, &v, 1, at) == 1) {
		v ^= change;
		if (pwrite(fd, &v, 1, at) != 1)
			abort();
	}
	lseek(fd, 0, SEEK_SET);
	if (save_read_file(&fuzz_machine, fd) || save_load_machine(&fuzz_machine))
		machine_reset(&fuzz_machine);
	close(fd);
}

static void step(struct bytes *in)
{
	uint8_t what = take(in);

	if (what >= 0xfc)
		save_and_load(in);
	else if (what == 0xfb)
		machine_reset(&fuzz_machine);
	else if (what >= 0xe0)
		clock_virtual_step(take(in) * (int64_t)500000);
	else if (what >= 0xd0)
		block_drain_all(fuzz_machine.disks);
	else
		target->steps[what % target->nr_steps](in);
}

static void floppy_start(void)
{
	floppy_image = fuzz_path("floppy");
}

static void usb_begin(void)
{
	pci_config_write(&fuzz_machine, UHCI_DEVFN, 0x20, UHCI_IO, 4);
	pci_config_write(&fuzz_machine, UHCI_DEVFN, PCI_COMMAND, 5, 2);
	pio_write(&fuzz_machine, UHCI_IO + 8, FRAME_LIST, 4);
	pio_write(&fuzz_machine, UHCI_IO + 0x10, 4, 2);
	pio_write(&fuzz_machine, UHCI_IO + 0x12, 4, 2);
	pio_write(&fuzz_machine, UHCI_IO, 1, 2);
}

static void (*const floppy_steps[])(struct bytes *) = { floppy_port, floppy_command, floppy_command,
							floppy_drain, media };
static void (*const usb_steps[])(struct bytes *) = { usb_port, transfer,    setup_bytes,
						     links,    input_event, transfer };

static const struct fuzz_target fuzz_fdc = {
	.name = "fdc",
	.args = { "-m", "16", "-fda", "DIR/floppy" },
	.start = floppy_start,
	.steps = floppy_steps,
	.nr_steps = ARRAY_SIZE(floppy_steps),
};

static const struct fuzz_target fuzz_uhci = {
	.name = "uhci",
	.args = { "-m", "16", "-usb", "-usbdevice", "tablet", "-usbdevice", "keyboard" },
	.begin = usb_begin,
	.steps = usb_steps,
	.nr_steps = ARRAY_SIZE(usb_steps),
};

static const struct fuzz_target *const targets[] = {
	&fuzz_fdc, &fuzz_uhci,	  &fuzz_ide,   &fuzz_pc,  &fuzz_ps2,	&fuzz_uart, &fuzz_qmp,
	&fuzz_vnc, &fuzz_options, &fuzz_state, &fuzz_vga, &fuzz_vnctls, &fuzz_ws
};

static void start_once(void);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = { data, size };
	unsigned int i;

	start_once();
	if (target->run) {
		target->run(data, size);
		return 0;
	}
	machine_reset(&fuzz_machine);
	if (target->begin)
		target->begin();
	for (i = 0; in.left && i < MAX_STEPS; i++)
		step(&in);
	block_drain_all(fuzz_machine.disks);
	return 0;
}

static void make_image(const char *name)
{
	int fd = open(fuzz_path(name), O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || ftruncate(fd, IMAGE_BYTES))
		abort();
	close(fd);
}

static void remove_folder(void)
{
	static const char *const names[] = { "floppy", "disk", "cd", "qmp", "com1" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		unlink(fuzz_path(names[i]));
	rmdir(folder);
}

static char *argument(const char *arg)
{
	const char *dir = strstr(arg, "DIR");

	return dir ? xasprintf("%.*s%s%s", (int)(dir - arg), arg, folder, dir + 3) : xstrdup(arg);
}

static void parse_arguments(void)
{
	char *args[FUZZ_MAX_ARGS + 3] = { (char *)"fuzz", (char *)"-qtest", (char *)"stdio" };
	int n = 3, i;

	for (i = 0; i < FUZZ_MAX_ARGS && target->args[i]; i++)
		args[n++] = argument(target->args[i]);
	options_parse(&options, n, args);
}

static const struct fuzz_target *target_find(const char *program)
{
	const char *name = strrchr(program, '-');
	size_t i;

	for (i = 0; name && i < ARRAY_SIZE(targets); i++)
		if (!strcmp(targets[i]->name, name + 1))
			return targets[i];
	abort();
}

/* With the first input: AFL++ forks the processes that run inputs after LLVMFuzzerInitialize(). */
static void start_once(void)
{
	const char *tmp = getenv("TMPDIR");

	if (folder)
		return;
	signal(SIGPIPE, SIG_IGN);
	folder = xasprintf("%s/fuzz-dm-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(folder))
		abort();
	atexit(remove_folder);
	make_image("floppy");
	make_image("disk");
	make_image("cd");
	loop_init();
	/* What the guest does wrong would fill the terminal. */
	if (!freopen("/dev/null", "w", stdout))
		abort();
	parse_arguments();
	if (machine_init(&fuzz_machine, &options, &vmm_qtest))
		abort();
	if (target->start)
		target->start();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	target = target_find((*argv)[0]);
	return 0;
}
