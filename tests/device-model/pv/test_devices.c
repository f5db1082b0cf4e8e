/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whole back ends against small libraries (fake_xen.c) and front ends made of the structures of Xen's
 * public headers: the dance of states in xenstore, keyboard and pointer, framebuffer, disks; and front
 * ends that break the rules.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xen/xen.h>
#include <xen/grant_table.h>
#include <xen/io/blkif.h>
#include <xen/io/fbif.h>
#include <xen/io/kbdif.h>
#include <xen/io/xenbus.h>

#include "block/block.h"
#include "core/display.h"
#include "core/input.h"
#include "core/util.h"
#include "pv/pv.h"
#include "check.h"
#include "device-model/pv/fake_xen.h"

#define KBD_BACK      "backend/vkbd/7/0"
#define KBD_FRONT     "/local/domain/7/device/vkbd/0"
#define FB_BACK	      "backend/vfb/7/0"
#define FB_FRONT      "/local/domain/7/device/vfb/0"
#define DISK_BACK     "backend/qdisk/7/51712"
#define DISK_FRONT    "/local/domain/7/device/vbd/51712"
#define KBD_PORT      5u
#define FB_PORT	      6u
#define DISK_PORT     7u
#define KBD_PAGE      10u
#define FB_PAGE	      11u
#define FB_DIRS	      12u /* directory pages */
#define FB_PIXELS     32u

#define mb()	      __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define rmb()	      __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define wmb()	      __atomic_thread_fence(__ATOMIC_RELEASE)
#define XEN_PAGE_SIZE 4096

static struct display display;
static struct input input;
static struct pv pv = { .domid = FAKE_DOMID, .display = &display, .input = &input };

static int state_of(const char *back)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/state", back);
	return fake_number(path);
}

static void front_state(const char *front, int state)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/state", front);
	fake_write(path, "%d", state);
	fake_settle();
}

/* What libxl writes for a device. */
static void toolstack(const char *back, const char *front)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/state", front);
	fake_write(path, "%d", XenbusStateInitialising);
	snprintf(path, sizeof(path), "%s/online", back);
	fake_write(path, "1");
	snprintf(path, sizeof(path), "%s/state", back);
	fake_write(path, "%d", XenbusStateInitialising);
	snprintf(path, sizeof(path), "%s/frontend", back);
	fake_write(path, "%s", front);
	fake_settle();
}

/* libxl takes it away: the guest closes, the back end follows, the keys go. */
static void take_away(const char *back, const char *front)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/online", back);
	fake_write(path, "0");
	snprintf(path, sizeof(path), "%s/state", back);
	fake_write(path, "%d", XenbusStateClosing);
	fake_settle();
	front_state(front, XenbusStateClosing);
	front_state(front, XenbusStateClosed);
	CHECK(state_of(back) == XenbusStateClosed);
	fake_remove(back);
	fake_remove(front);
	fake_settle();
}

/* ---- keyboard and pointer ---- */

static struct xenkbd_page *kbd_page(void)
{
	return (struct xenkbd_page *)(void *)fake_page(KBD_PAGE);
}

static bool kbd_take(union xenkbd_in_event *e)
{
	struct xenkbd_page *p = kbd_page();

	if (p->in_cons == p->in_prod)
		return false;
	rmb();
	*e = XENKBD_IN_RING_REF(p, p->in_cons);
	p->in_cons++;
	return true;
}

static void kbd_drain(void)
{
	union xenkbd_in_event e;

	while (kbd_take(&e))
		;
}

static void kbd_connect(bool absolute, bool raw)
{
	memset(fake_page(KBD_PAGE), 0, FAKE_PAGE);
	toolstack(KBD_BACK, KBD_FRONT);
	CHECK(state_of(KBD_BACK) == XenbusStateInitWait);
	CHECK(fake_number(KBD_BACK "/" XENKBD_FIELD_FEAT_ABS_POINTER) == 1);
	CHECK(fake_number(KBD_BACK "/" XENKBD_FIELD_FEAT_RAW_POINTER) == 1);
	if (absolute)
		fake_write(KBD_FRONT "/" XENKBD_FIELD_REQ_ABS_POINTER, "1");
	if (raw)
		fake_write(KBD_FRONT "/" XENKBD_FIELD_REQ_RAW_POINTER, "1");
	fake_write(KBD_FRONT "/" XENKBD_FIELD_RING_GREF, "%u", FAKE_REF + KBD_PAGE);
	fake_write(KBD_FRONT "/" XENKBD_FIELD_EVT_CHANNEL, "%u", KBD_PORT);
	front_state(KBD_FRONT, XenbusStateInitialised);
	CHECK(state_of(KBD_BACK) == XenbusStateConnected);
	front_state(KBD_FRONT, XenbusStateConnected);
	CHECK(state_of(KBD_BACK) == XenbusStateConnected);
}

static void expect_key(uint32_t key, bool down)
{
	union xenkbd_in_event e;

	CHECK(kbd_take(&e) && e.type == XENKBD_TYPE_KEY && e.key.keycode == key &&
	      e.key.pressed == down);
}

static void expect_position(int x, int y, int z)
{
	union xenkbd_in_event e;

	CHECK(kbd_take(&e) && e.type == XENKBD_TYPE_POS && e.pos.abs_x == x && e.pos.abs_y == y &&
	      e.pos.rel_z == z);
}

static void test_keys(void)
{
	/* Set 1 and what linux/input-event-codes.h calls them. */
	static const struct {
		unsigned int code;
		uint32_t key;
	} keys[] = {
		{ 0x01, 1 },   { 0x1e, 30 },  { 0x39, 57 },  { 0x58, 88 },   { 0x9c, 96 },
		{ 0x9d, 97 },  { 0xb8, 100 }, { 0xc8, 103 }, { 0xcb, 105 },  { 0xd3, 111 },
		{ 0xdb, 125 }, { 0xdd, 127 }, { 0xb7, 99 },  { 0x100, 119 }, { 0x73, 89 },
	};
	union xenkbd_in_event e;
	unsigned int i, before;

	kbd_connect(true, false);
	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		before = fake_notified(KBD_PORT);
		input_key(&input, keys[i].code, true);
		input_key(&input, keys[i].code, true); /* a repetition is no event */
		input_key(&input, keys[i].code, false);
		CHECK(fake_notified(KBD_PORT) == before + 2);
		expect_key(keys[i].key, true);
		expect_key(keys[i].key, false);
		CHECK(!kbd_take(&e));
	}
	input_key(&input, 0xff, true); /* no such key */
	input_key(&input, 0x6f, true);
	CHECK(!kbd_take(&e));
	input_release_all(&input);
	kbd_drain();
	take_away(KBD_BACK, KBD_FRONT);
	CHECK(!fake_mapped() && !fake_bound());
}

static void test_pointer(void)
{
	union xenkbd_in_event e;
	int x;

	display_resize(&display, 1001, 501);
	kbd_connect(true, false);
	CHECK(input_is_absolute(&input));
	input_pointer_abs(&input, INPUT_ABS_MAX, INPUT_ABS_MAX, 0);
	expect_position(1000, 500, 0);
	input_pointer_abs(&input, 0, INPUT_ABS_MAX / 2 + 1, INPUT_BUTTON_LEFT);
	expect_position(0, 250, 0);
	expect_key(0x110, true);
	input_pointer_abs(&input, 0, INPUT_ABS_MAX / 2 + 1,
			  INPUT_BUTTON_RIGHT | INPUT_BUTTON_WHEEL_UP);
	expect_position(0, 250, -1);
	expect_key(0x110, false);
	expect_key(0x111, true);
	input_pointer_abs(&input, 0, 0, INPUT_BUTTON_MIDDLE | INPUT_BUTTON_WHEEL_DOWN);
	expect_position(0, 0, 1);
	expect_key(0x111, false);
	expect_key(0x112, true);
	/* Every pixel of a viewer comes out as itself (ui/ rounds down). */
	for (x = 1; x <= 1000; x++) {
		input_pointer_abs(&input, x * INPUT_ABS_MAX / 1000, 0, INPUT_BUTTON_MIDDLE);
		expect_position(x, 0, 0);
	}
	take_away(KBD_BACK, KBD_FRONT);

	kbd_connect(true, true);
	input_pointer_abs(&input, INPUT_ABS_MAX, 77, 0);
	expect_position(INPUT_ABS_MAX, 77, 0);
	take_away(KBD_BACK, KBD_FRONT);

	kbd_connect(false, false);
	CHECK(!input_is_absolute(&input));
	input_pointer_rel(&input, -3, 4, INPUT_BUTTON_WHEEL_DOWN);
	CHECK(kbd_take(&e) && e.type == XENKBD_TYPE_MOTION && e.motion.rel_x == -3 &&
	      e.motion.rel_y == 4 && e.motion.rel_z == 1);
	CHECK(!kbd_take(&e));
	take_away(KBD_BACK, KBD_FRONT);
}

/* A guest that does not read misses motion, but no key, and none is invented. */
static void test_full_ring(void)
{
	bool down[256] = { false };
	union xenkbd_in_event e;
	unsigned int i, keys = 0;

	kbd_connect(false, false);
	for (i = 0; i < 800; i++) {
		input_key(&input, 1 + i % 0x50, i / 0x50 % 2 == 0);
		input_pointer_rel(&input, 1, 0, 0);
	}
	input_key(&input, 0x1e, true);
	CHECK(kbd_page()->in_prod - kbd_page()->in_cons == XENKBD_IN_RING_LEN);
	do {
		while (kbd_take(&e)) {
			if (e.type != XENKBD_TYPE_KEY)
				continue;
			CHECK(e.key.keycode == (keys < 800 ? 1 + keys % 0x50 : 0x1e));
			down[e.key.keycode] = e.key.pressed;
			keys++;
		}
		fake_event(KBD_PORT);
		fake_settle();
	} while (kbd_page()->in_prod != kbd_page()->in_cons);
	for (i = 0; i < ARRAY_SIZE(down); i++)
		CHECK(down[i] == (i == 0x1e));
	CHECK(keys == 801);
	input_key(&input, 0x1e, false);
	take_away(KBD_BACK, KBD_FRONT);
}

/* Indices that make no sense: nothing outside of the ring is written, and nothing else happens. */
static void test_hostile_keyboard(void)
{
	static const uint32_t values[] = { 0, 1, 50, 51, 52, 1u << 31, ~0u, 0xdeadbeef };
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(values); i++) {
		kbd_connect(true, false);
		memset(fake_page(KBD_PAGE), 0x5a, FAKE_PAGE);
		for (k = 0; k < 200; k++) {
			kbd_page()->in_cons = values[i] + k;
			kbd_page()->in_prod = values[k % ARRAY_SIZE(values)];
			input_key(&input, 1 + k % 80, k & 1);
			input_pointer_abs(&input, (int)k, (int)k, k & 7);
			fake_event(KBD_PORT);
			fake_settle();
		}
		for (k = sizeof(struct xenkbd_page); k < XENKBD_IN_RING_OFFS; k++)
			CHECK(fake_page(KBD_PAGE)[k] == 0x5a);
		for (k = XENKBD_OUT_RING_OFFS - 8; k < FAKE_PAGE; k++)
			CHECK(fake_page(KBD_PAGE)[k] == 0x5a);
		input_release_all(&input);
		take_away(KBD_BACK, KBD_FRONT);
	}
}

/* Keys that are missing, or name pages, grants and ports that are not there. */
static void test_bad_keys(void)
{
	static const char *const refs[] = { NULL,	  "",	 "-1",		"99",
					    "4294967295", "1e3", "999999999999" };
	static const char *const ports[] = { NULL, "", "255000", "-5", "x" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(refs) + ARRAY_SIZE(ports); i++) {
		const char *ref = i < ARRAY_SIZE(refs) ? refs[i] : "110";
		const char *port = i < ARRAY_SIZE(refs) ? "5" : ports[i - ARRAY_SIZE(refs)];

		toolstack(KBD_BACK, KBD_FRONT);
		if (ref)
			fake_write(KBD_FRONT "/page-gref", "%s", ref);
		if (port)
			fake_write(KBD_FRONT "/event-channel", "%s", port);
		front_state(KBD_FRONT, XenbusStateInitialised);
		CHECK(state_of(KBD_BACK) == XenbusStateClosing);
		CHECK(!fake_mapped() && !fake_bound());
		input_key(&input, 0x1e, true);
		input_key(&input, 0x1e, false);
		take_away(KBD_BACK, KBD_FRONT);
	}
}

/* ---- framebuffer ---- */

static unsigned int updates;
static int last_x, last_y, last_w, last_h;

static void on_update(void *opaque, int x, int y, int w, int h)
{
	updates++;
	last_x = x;
	last_y = y;
	last_w = w;
	last_h = h;
}

static void on_resize(void *opaque, pixman_image_t *surface, int width, int height)
{
}

static struct display_listener listener = { .resize = on_resize, .update = on_update };

static struct xenfb_page *fb_page(void)
{
	return (struct xenfb_page *)(void *)fake_page(FB_PAGE);
}

static void fb_fill_page(unsigned int width, unsigned int height, unsigned int depth,
			 unsigned int bytes)
{
	struct xenfb_page *p = fb_page();
	unsigned long *dir = (unsigned long *)(void *)fake_page(FB_DIRS);
	unsigned int i;

	memset(p, 0, FAKE_PAGE);
	p->width = (int32_t)width;
	p->height = (int32_t)height;
	p->depth = (uint8_t)depth;
	p->line_length = width * depth / 8;
	p->mem_length = bytes;
	for (i = 0; i < 3; i++)
		p->pd[i] = FB_DIRS + i;
	for (i = 0; i < 3 * 512; i++)
		dir[i] = FB_PIXELS + i;
}

static void fb_front(bool says_what)
{
	toolstack(FB_BACK, FB_FRONT);
	CHECK(state_of(FB_BACK) == XenbusStateInitWait);
	CHECK(fake_number(FB_BACK "/feature-resize") == 1);
	fake_write(FB_FRONT "/page-ref", "%u", FB_PAGE);
	fake_write(FB_FRONT "/event-channel", "%u", FB_PORT);
	fake_write(FB_FRONT "/protocol", "x86_64-abi");
	if (says_what)
		fake_write(FB_FRONT "/feature-update", "1");
	front_state(FB_FRONT, XenbusStateInitialised);
}

static void fb_send(const union xenfb_out_event *e)
{
	struct xenfb_page *p = fb_page();

	XENFB_OUT_RING_REF(p, p->out_prod) = *e;
	wmb();
	p->out_prod++;
	fake_event(FB_PORT);
	fake_settle();
}

static void fb_update(int x, int y, int w, int h)
{
	union xenfb_out_event e = { .update = { XENFB_TYPE_UPDATE, x, y, w, h } };

	fb_send(&e);
}

static void refresh(void)
{
	updates = 0;
	display.source->refresh(display.source_opaque);
}

static uint32_t pixel(int x, int y)
{
	return display_line(&display, y)[x] & 0xffffff;
}

static uint32_t *guest_pixels(unsigned int offset)
{
	return (uint32_t *)(void *)(fake_page(FB_PIXELS) + offset);
}

static void test_framebuffer(void)
{
	unsigned int i;

	fb_fill_page(640, 480, 32, 640 * 480 * 4);
	for (i = 0; i < 640 * 480; i++)
		guest_pixels(0)[i] = i;
	fb_front(true);
	CHECK(state_of(FB_BACK) == XenbusStateConnected);
	CHECK(fake_number(FB_BACK "/request-update") == 1);
	CHECK(display.width == 640 && display.height == 480);
	refresh();
	CHECK(updates == 1 && last_w == 640 && last_h == 480);
	CHECK(pixel(0, 0) == 0 && pixel(639, 479) == 640 * 480 - 1 && pixel(5, 100) == 64005);
	/* Only what it says is copied. */
	guest_pixels(0)[0] = 0x123456;
	guest_pixels(0)[640 * 10 + 20] = 0x654321;
	refresh();
	CHECK(!updates);
	fb_update(20, 10, 1, 1);
	refresh();
	CHECK(updates == 1 && last_x == 20 && last_y == 10 && last_w == 1 && last_h == 1);
	CHECK(pixel(20, 10) == 0x654321 && pixel(0, 0) == 0);
	CHECK(fb_page()->out_cons == 1);
	/* Rectangles that stick out are cut, those outside are nothing. */
	fb_update(-10, -10, 11, 11);
	fb_update(639, 479, 1 << 30, 1 << 30);
	fb_update(640, 0, 5, 5);
	fb_update(0, 0, -5, 5);
	fb_update(INT32_MIN, INT32_MIN, INT32_MAX, INT32_MAX);
	refresh();
	CHECK(updates == 2 && pixel(0, 0) == 0x123456);
	for (i = 0; i < 200; i++)
		fb_update((int)(i % 20 * 30), (int)(i / 20 * 40), 2, 2);
	refresh();
	CHECK(updates >= 1 && updates <= 64);
	take_away(FB_BACK, FB_FRONT);
	CHECK(!display.source && !fake_mapped() && !fake_bound());
}

static void test_resize(void)
{
	union xenfb_out_event e = { .resize = { XENFB_TYPE_RESIZE, 320, 200, 320 * 4, 32, 4096 } };
	unsigned int i;

	fb_fill_page(640, 480, 32, 640 * 480 * 4);
	fb_front(true);
	guest_pixels(4096)[0] = 0xabcdef;
	fb_send(&e);
	CHECK(display.width == 320 && display.height == 200);
	refresh();
	CHECK(last_w == 320 && last_h == 200 && pixel(0, 0) == 0xabcdef);
	/* None of these fits: the picture stays as it is. */
	for (i = 0; i < 9; i++) {
		union xenfb_out_event bad = e;

		switch (i) {
		case 0:
			bad.resize.width = 0;
			break;
		case 1:
			bad.resize.height = -1;
			break;
		case 2:
			bad.resize.width = 100000;
			break;
		case 3:
			bad.resize.stride = 320 * 4 - 4;
			break;
		case 4:
			bad.resize.stride = INT32_MIN;
			break;
		case 5:
			bad.resize.offset = 640 * 480 * 4 - 320 * 200 * 4 + 4;
			break;
		case 6:
			bad.resize.offset = -4;
			break;
		case 7:
			bad.resize.depth = 24;
			break;
		case 8:
			bad.resize.stride = 1 << 24;
			break;
		}
		fb_send(&bad);
		CHECK(display.width == 320 && display.height == 200);
	}
	refresh();
	CHECK(!updates && pixel(0, 0) == 0xabcdef);
	take_away(FB_BACK, FB_FRONT);
}

/* Depths, and a front end that does not say what changed. */
static void test_depths(void)
{
	fb_fill_page(64, 32, 16, 64 * 32 * 2);
	((uint16_t *)guest_pixels(0))[65] = 0xf81f;
	fb_front(false);
	CHECK(!fake_read(FB_BACK "/request-update") || state_of(FB_BACK) == XenbusStateConnected);
	refresh();
	CHECK(pixel(1, 1) == 0xff00ff);
	((uint16_t *)guest_pixels(0))[65] = 0x07e0;
	refresh();
	CHECK(updates == 1 && pixel(1, 1) == 0x00ff00);
	take_away(FB_BACK, FB_FRONT);
	fb_fill_page(64, 32, 8, 64 * 32);
	((uint8_t *)guest_pixels(0))[0] = 0xe0;
	fb_front(false);
	refresh();
	CHECK(pixel(0, 0) == 0xff0000);
	take_away(FB_BACK, FB_FRONT);
}

static void test_hostile_framebuffer(void)
{
	unsigned int i;

	for (i = 0; i < 9; i++) {
		fb_fill_page(640, 480, 32, 640 * 480 * 4);
		switch (i) {
		case 0:
			fb_page()->mem_length = 640 * 480 * 4 - 1;
			break;
		case 1:
			fb_page()->mem_length = ~0u;
			break;
		case 2:
			fb_page()->width = -1;
			break;
		case 3:
			fb_page()->height = 0;
			break;
		case 4:
			fb_page()->line_length = 7;
			break;
		case 5:
			fb_page()->depth = 13;
			break;
		case 6:
			fb_page()->pd[0] = 1ul << 40;
			break;
		case 7:
			((unsigned long *)(void *)fake_page(FB_DIRS))[100] = ~0ul;
			break;
		case 8:
			fb_page()->line_length = 1u << 31;
			break;
		}
		fb_front(true);
		CHECK(state_of(FB_BACK) == XenbusStateClosing);
		CHECK(!fake_mapped() && !fake_bound() && !display.source);
		take_away(FB_BACK, FB_FRONT);
	}
	/* A producer that runs away; then the guest comes again and is served. */
	fb_fill_page(640, 480, 32, 640 * 480 * 4);
	fb_front(true);
	fb_page()->out_prod = XENFB_OUT_RING_LEN + 1;
	fake_event(FB_PORT);
	fake_settle();
	CHECK(state_of(FB_BACK) == XenbusStateClosing && !fake_mapped());
	front_state(FB_FRONT, XenbusStateClosed);
	front_state(FB_FRONT, XenbusStateInitialising);
	CHECK(state_of(FB_BACK) == XenbusStateInitWait);
	fb_fill_page(320, 200, 32, 640 * 480 * 4);
	front_state(FB_FRONT, XenbusStateInitialised);
	CHECK(state_of(FB_BACK) == XenbusStateConnected && display.width == 320);
	take_away(FB_BACK, FB_FRONT);
}

/* ---- disks: only the dance; the ring has test_blkif.c ---- */

static void disk_toolstack(const char *params)
{
	fake_write(DISK_BACK "/params", "%s", params);
	fake_write(DISK_BACK "/mode", "w");
	fake_write(DISK_BACK "/device-type", "disk");
	toolstack(DISK_BACK, DISK_FRONT);
}

static void disk_connect(void)
{
	blkif_sring_t *sring = (blkif_sring_t *)(void *)fake_page(20);

	memset(sring, 0, FAKE_PAGE);
	SHARED_RING_INIT(sring);
	fake_write(DISK_FRONT "/ring-ref", "%u", FAKE_REF + 20);
	fake_write(DISK_FRONT "/event-channel", "%u", DISK_PORT);
	front_state(DISK_FRONT, XenbusStateInitialised);
}

static void test_disk(const char *image, const char *other)
{
	char params[64];
	blkif_sring_t *sring = (blkif_sring_t *)(void *)fake_page(20);
	blkif_front_ring_t front;
	blkif_request_t *r;
	int again;

	snprintf(params, sizeof(params), "aio:%s", image);
	disk_toolstack(params);
	CHECK(state_of(DISK_BACK) == XenbusStateInitWait);
	CHECK(fake_number(DISK_BACK "/sectors") == 2048 && fake_number(DISK_BACK "/info") == 0);
	/* Another medium before anybody connects: it is offered anew. */
	fake_write(DISK_BACK "/params", "aio:%s", other);
	fake_settle();
	CHECK(fake_number(DISK_BACK "/sectors") == 16);
	fake_write(DISK_BACK "/params", "%s", params);
	fake_settle();
	disk_connect();
	CHECK(state_of(DISK_BACK) == XenbusStateConnected);
	FRONT_RING_INIT(&front, sring, FAKE_PAGE);
	memset(fake_page(21), 0x77, FAKE_PAGE);
	r = RING_GET_REQUEST(&front, front.req_prod_pvt++);
	*r = (blkif_request_t){
		.operation = BLKIF_OP_WRITE, .nr_segments = 1, .id = 9, .sector_number = 8
	};
	r->seg[0] = (struct blkif_request_segment){ FAKE_REF + 21, 0, 7 };
	RING_PUSH_REQUESTS(&front);
	fake_event(DISK_PORT);
	while (!RING_HAS_UNCONSUMED_RESPONSES(&front))
		loop_turn(false);
	CHECK(RING_GET_RESPONSE(&front, 0)->status == BLKIF_RSP_OKAY);
	/* The guest restarts its driver, as after kexec. */
	for (again = 0; again < 2; again++) {
		front_state(DISK_FRONT, XenbusStateClosing);
		CHECK(state_of(DISK_BACK) == XenbusStateClosing && !fake_mapped());
		front_state(DISK_FRONT, XenbusStateClosed);
		front_state(DISK_FRONT, XenbusStateInitialising);
		CHECK(state_of(DISK_BACK) == XenbusStateInitWait);
		disk_connect();
		CHECK(state_of(DISK_BACK) == XenbusStateConnected);
	}
	take_away(DISK_BACK, DISK_FRONT);
	CHECK(!fake_mapped() && !fake_bound());
}

static void pass_100_ms(void)
{
	usleep(100000);
	timer_run_expired();
	fake_settle();
}

/* An image that is not there, and one that the emulated disk still has. */
static void test_disk_refused(const char *image)
{
	struct block_params p = { .file = image, .format = "raw", .fd = -1 };
	struct block *emulated;
	unsigned int tries;
	char params[64];

	disk_toolstack("aio:/nonexistent/image");
	CHECK(state_of(DISK_BACK) == XenbusStateClosed);
	fake_settle();
	take_away(DISK_BACK, DISK_FRONT);
	snprintf(params, sizeof(params), "aio:%s", image);
	emulated = block_open(pv.disks, &p);
	disk_toolstack(params);
	CHECK(state_of(DISK_BACK) == XenbusStateInitWait);
	disk_connect();
	for (tries = 0; state_of(DISK_BACK) == XenbusStateInitWait && tries < 100; tries++)
		pass_100_ms();
	CHECK(tries > 20 && state_of(DISK_BACK) == XenbusStateClosing && !fake_mapped());
	/* The disk of a guest that has just come here: what it left has the image for a moment still. */
	front_state(DISK_FRONT, XenbusStateClosed);
	front_state(DISK_FRONT, XenbusStateInitialising);
	disk_connect();
	pass_100_ms();
	CHECK(state_of(DISK_BACK) == XenbusStateInitWait && !fake_mapped());
	block_close(emulated);
	for (tries = 0; state_of(DISK_BACK) == XenbusStateInitWait && tries < 20; tries++)
		pass_100_ms();
	CHECK(state_of(DISK_BACK) == XenbusStateConnected);
	front_state(DISK_FRONT, XenbusStateClosed);
	front_state(DISK_FRONT, XenbusStateInitialising);
	disk_connect();
	CHECK(state_of(DISK_BACK) == XenbusStateConnected);
	take_away(DISK_BACK, DISK_FRONT);
}

int main(int argc, char **argv)
{
	char image[] = "/tmp/test-pv-XXXXXX", other[] = "/tmp/test-pv-XXXXXX";
	int fd = mkstemp(image), fd2 = mkstemp(other);

	if (fd < 0 || fd2 < 0 || ftruncate(fd, 1 << 20) || ftruncate(fd2, 8192))
		return 1;
	close(fd);
	close(fd2);
	fake_init();
	loop_init();
	display_init(&display, NULL);
	display_add_listener(&display, &listener);
	pv.disks = block_host_new();
	if (pv_start(&pv))
		return 1;
	CHECK(fake_read("device-model/7/backends/vkbd") &&
	      fake_read("device-model/7/backends/qdisk"));
	test_keys();
	test_pointer();
	test_full_ring();
	test_hostile_keyboard();
	test_bad_keys();
	test_framebuffer();
	test_resize();
	test_depths();
	test_hostile_framebuffer();
	test_disk(image, other);
	test_disk_refused(image);
	pv_stop(&pv);
	unlink(image);
	unlink(other);
	return check_report("check-dm-pv-devices");
}
