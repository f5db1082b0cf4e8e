/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer on the paravirtual back ends: the input's bytes are what a front end does, in xenstore, in its
 * shared pages and by events, with a disk, a keyboard and a framebuffer to do it to.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "block/block.h"
#include "core/display.h"
#include "core/input.h"
#include "core/loop.h"
#include "core/util.h"
#include "pv/pv.h"
#include "device-model/fuzz/bytes.h"
#include "device-model/pv/fake_xen.h"

#define MAX_STEPS 300
/* Where the pages of the front ends are: rings, then what they point to. */
#define RING_PAGES 8u

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const backs[] = { "backend/qdisk/7/51712", "backend/vkbd/7/0",
				     "backend/vfb/7/0" };
static const char *const fronts[] = { "/local/domain/7/device/vbd/51712",
				      "/local/domain/7/device/vkbd/0",
				      "/local/domain/7/device/vfb/0" };
static struct display display;
static struct input user;
static struct pv pv = { .domid = FAKE_DOMID, .display = &display, .input = &user };
static char *image;
static struct bytes in;

static void on_update(void *opaque, int x, int y, int width, int height)
{
	if (x < 0 || y < 0 || x + width > display.width || y + height > display.height)
		abort();
}

static void on_resize(void *opaque, pixman_image_t *surface, int width, int height)
{
}

static struct display_listener listener = { .resize = on_resize, .update = on_update };

static void key_write(unsigned int dev, const char *key, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", fronts[dev], key);
	fake_write(path, "%s", value);
}

static void front_key(void)
{
	static const char *const names[] = { "state",
					     "ring-ref",
					     "ring-page-order",
					     "event-channel",
					     "page-gref",
					     "page-ref",
					     "protocol",
					     "request-abs-pointer",
					     "request-raw-pointer",
					     "feature-update",
					     "ring-ref0",
					     "ring-ref1" };
	uint8_t what = take(&in), v = take(&in);
	char value[16];

	snprintf(value, sizeof(value), what & 0x80 ? "-%u" : "%u", (unsigned int)v);
	if ((what >> 2 & 31) == 6)
		strcpy(value, v & 1 ? "x86_32-abi" : "x86_64-abi");
	key_write((what & 3) % 3, names[(what >> 2 & 31) % ARRAY_SIZE(names)], value);
	fake_settle();
}

static void poke(void)
{
	uint8_t what = take(&in);
	uint8_t *p = fake_page(what % RING_PAGES) + ((take(&in) | take(&in) << 8) & 0xffc);
	unsigned int n = what >> 5;

	for (; n && p < fake_page(RING_PAGES) - 4; n--, p += 4)
		put_le32(p, take32(&in));
}

/* What Linux' drivers would do first, so that the rings are reached. */
static void good_front(void)
{
	unsigned int dev = take(&in) % 3;
	char value[16];
	unsigned int i;

	memset(fake_page(dev), 0, FAKE_PAGE);
	snprintf(value, sizeof(value), "%u", FAKE_REF + dev);
	key_write(dev, dev ? "page-gref" : "ring-ref", value);
	snprintf(value, sizeof(value), "%u", dev);
	key_write(dev, "page-ref", value);
	snprintf(value, sizeof(value), "%u", 10 + dev);
	key_write(dev, "event-channel", value);
	if (dev == 2) {
		put_le32(fake_page(2) + 16, 64);
		put_le32(fake_page(2) + 20, 48);
		put_le32(fake_page(2) + 24, 256);
		put_le32(fake_page(2) + 28, 64 * 48 * 4);
		fake_page(2)[32] = 32;
		store_le(fake_page(2) + 40, 4, 8);
		for (i = 0; i < 512; i++)
			store_le(fake_page(4) + (size_t)i * 8, 5 + i % 3, 8);
	}
	key_write(dev, "state", "1");
	fake_settle();
	key_write(dev, "state", "3");
	fake_settle();
}

/* A request with fields that are mostly in range. */
static void disk_request(void)
{
	uint8_t *ring = fake_page(0), *r;
	uint32_t prod = get_le32(ring);

	r = ring + 64 + (size_t)(prod & 31) * 112;
	memset(r, 0, 112);
	r[0] = take(&in) % 8;
	r[1] = take(&in) % 13;
	store_le(r + 8, prod, 8);
	store_le(r + 16, take(&in), 8);
	put_le32(r + 24, FAKE_REF + take(&in));
	r[28] = take(&in) & 7;
	r[29] = take(&in) & 7;
	put_le32(r + 32, FAKE_REF + take(&in));
	r[36] = take(&in) & 7;
	put_le32(ring, prod + 1);
	fake_event(10);
	fake_settle();
}

static void input(void)
{
	uint8_t what = take(&in);

	if (what & 1)
		input_key(&user, take(&in) | (what & 2 ? 0x100u : 0), what & 4);
	else if (input_is_absolute(&user))
		input_pointer_abs(&user, (int16_t)take32(&in), (int16_t)take32(&in), what >> 3);
	else
		input_pointer_rel(&user, (int8_t)take(&in), (int8_t)take(&in), what >> 3);
}

static void show(void)
{
	if (display.source)
		display.source->refresh(display.source_opaque);
}

static void toolstack(unsigned int dev)
{
	char path[128];

	key_write(dev, "state", "1");
	snprintf(path, sizeof(path), "%s/online", backs[dev]);
	fake_write(path, "1");
	if (!dev) {
		snprintf(path, sizeof(path), "%s/params", backs[dev]);
		fake_write(path, "aio:%s", image);
		snprintf(path, sizeof(path), "%s/mode", backs[dev]);
		fake_write(path, "w");
	}
	snprintf(path, sizeof(path), "%s/state", backs[dev]);
	fake_write(path, "1");
	snprintf(path, sizeof(path), "%s/frontend", backs[dev]);
	fake_write(path, "%s", fronts[dev]);
}

static void step(void)
{
	uint8_t what = take(&in);

	switch (what & 15) {
	case 0:
	case 1:
		front_key();
		break;
	case 2:
	case 3:
	case 4:
		good_front();
		break;
	case 5:
	case 6:
	case 7:
		poke();
		break;
	case 8:
	case 9:
		disk_request();
		break;
	case 10:
		show();
		break;
	case 11:
	case 12:
		input();
		break;
	default:
		fake_event(10 + what % 3);
		fake_settle();
	}
}

static void image_remove(void)
{
	unlink(image);
}

/* With the first input: AFL++ forks the processes that run inputs after LLVMFuzzerInitialize(). */
static void start_once(void)
{
	const char *tmp = getenv("TMPDIR");
	int fd;

	if (image)
		return;
	image = xasprintf("%s/fuzz-pv-XXXXXX", tmp ? tmp : "/tmp");
	fd = mkstemp(image);
	if (fd < 0 || ftruncate(fd, 64 * 1024))
		abort();
	close(fd);
	fake_init();
	loop_init();
	display_init(&display, NULL);
	display_add_listener(&display, &listener);
	pv.disks = block_host_new();
	if (pv_start(&pv))
		abort();
	atexit(image_remove);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int steps = 0, i;

	start_once();
	in = (struct bytes){ data, size };
	memset(fake_page(0), 0, RING_PAGES * FAKE_PAGE);
	for (i = 0; i < ARRAY_SIZE(backs); i++)
		toolstack(i);
	fake_settle();
	while (in.left && steps++ < MAX_STEPS)
		step();
	show();
	for (i = 0; i < ARRAY_SIZE(backs); i++) {
		fake_remove(backs[i]);
		fake_remove(fronts[i]);
	}
	fake_settle();
	input_release_all(&user);
	if (fake_mapped() || fake_bound())
		abort();
	return 0;
}
