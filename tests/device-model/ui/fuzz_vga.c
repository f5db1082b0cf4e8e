// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Random VGA registers, memory accesses and refreshes under AddressSanitizer. Video memory is an
 * exact heap block, so any look outside it is found, and every picture is checked against the size
 * it announced. Usage: fuzz_vga ROUNDS|SECONDSs [SEED]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hw/vga.h"

void *xzalloc(size_t size);
void *xrealloc(void *p, size_t size);

static uint64_t state, now;
static uint32_t *pixels;
static uint32_t surface_width, surface_height;
static unsigned long pictures, pixels_drawn;

void *xzalloc(size_t size)
{
	void *p = calloc(1, size);

	if (!p)
		abort();
	return p;
}

void *xrealloc(void *p, size_t size)
{
	p = realloc(p, size);
	if (!p)
		abort();
	return p;
}

static uint32_t rnd(uint32_t limit)
{
	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(state >> 33) % limit;
}

static uint64_t fake_now(void *opaque)
{
	return now += rnd(100000);
}

static uint32_t *resize(void *opaque, uint32_t width, uint32_t height, uint32_t *stride)
{
	if (!width || !height || width > VGA_MAX_XRES || height > VGA_MAX_YRES)
		abort();
	free(pixels);
	pixels = malloc((size_t)width * height * sizeof(*pixels));
	if (!pixels)
		abort();
	surface_width = width;
	surface_height = height;
	*stride = width;
	return pixels;
}

static void damage(void *opaque, uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
	if (!width || !height || x + width > surface_width || y + height > surface_height)
		abort();
	pixels_drawn += (unsigned long)width * height;
}

static void random_registers(struct vga *v)
{
	static const uint16_t ports[] = { 0x3c0, 0x3c0, 0x3c2, 0x3c4, 0x3c5, 0x3c6,
					  0x3c7, 0x3c8, 0x3c9, 0x3ce, 0x3cf, 0x3d4,
					  0x3d5, 0x3d5, 0x3b4, 0x3b5, 0x3da, 0x3ba };
	uint32_t i, n = rnd(60);

	for (i = 0; i < n; i++) {
		uint16_t port = ports[rnd(sizeof(ports) / sizeof(ports[0]))];

		if (rnd(4))
			vga_port_write(v, port, (uint8_t)rnd(256));
		else
			vga_port_read(v, port);
	}
	/* Keep most pictures visible and the CRTC writable. */
	if (rnd(8)) {
		v->ar_index |= 0x20;
		v->seq[SEQ_CLOCK] &= ~0x20;
		v->crtc[CR_V_SYNC_END] &= 0x7f;
	}
}

static void random_dispi(struct vga *v)
{
	static const uint8_t depths[] = { 4, 8, 15, 16, 24, 32, 0, 255 };
	uint32_t index = rnd(14);
	uint16_t value = (uint16_t)(rnd(2) ? rnd(65536) : rnd(2048));

	if (index == VBE_BPP)
		value = depths[rnd(8)];
	else if (index == VBE_ENABLE)
		value = (uint16_t)(rnd(256) | (rnd(3) ? 1 : 0));
	vga_vbe_write(v, index, value);
	vga_vbe_read(v, rnd(20));
}

static void random_memory(struct vga *v)
{
	uint32_t i, n = rnd(200);

	for (i = 0; i < n; i++) {
		uint32_t at = rnd(VGA_WINDOW_BYTES);

		if (rnd(3))
			vga_mem_write(v, at, (uint8_t)rnd(256));
		else
			vga_mem_read(v, at);
	}
	for (i = 0; i < 8; i++)
		v->vram[rnd(v->vram_bytes)] = (uint8_t)rnd(256);
}

static void round_of(struct vga *v)
{
	uint32_t what = rnd(8);

	if (what < 3)
		random_registers(v);
	else if (what < 5)
		random_dispi(v);
	else if (what < 7)
		random_memory(v);
	else if (!rnd(50))
		vga_reset(v);
	if (!rnd(3)) {
		vga_render(v, now += rnd(1000000000));
		pictures++;
	}
}

static void fuzz(uint32_t vram_bytes, unsigned long rounds)
{
	struct vga *v = xzalloc(sizeof(*v));

	v->vram_bytes = vram_bytes;
	v->vram = xzalloc(vram_bytes);
	v->now_ns = fake_now;
	v->resize = resize;
	v->damage = damage;
	vga_init(v);
	while (rounds--)
		round_of(v);
	vga_free(v);
	free(v->vram);
	free(v);
	free(pixels);
	pixels = NULL;
}

int main(int argc, char **argv)
{
	unsigned long amount = argc > 1 ? strtoul(argv[1], NULL, 0) : 2000;
	bool seconds = argc > 1 && strchr(argv[1], 's');
	time_t end = time(NULL) + (time_t)amount;
	unsigned long runs = 0;

	state = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	do {
		fuzz(256u << 10 << rnd(6), seconds ? 500 : amount);
		runs++;
	} while (seconds && time(NULL) < end);
	printf("fuzz-vga: %lu pictures, %lu pixels, %lu runs\n", pictures, pixels_drawn, runs);
	return 0;
}
