/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer: the input is a script of 16 requests of 6 bytes, and an image. Whatever the image says, no
 * sanitizer may complain and no request may hang. What is read says nothing here: clusters of such an
 * image may be each other.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "block/driver.h"
#include "core/log.h"
#include "core/util.h"

#define SCRIPT_OPS 16
#define OP_SIZE	   6
#define MAX_LEN	   (192u << 10)

enum { OP_READ, OP_WRITE, OP_DISCARD, OP_FLUSH, OP_REWRITE, OP_KINDS };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In the place of core/log.c: damaged images are the rule here. */
void log_error(const char *fmt, ...)
{
}

void log_warn(const char *fmt, ...)
{
}

void log_info(const char *fmt, ...)
{
}

void log_guest(const char *fmt, ...)
{
}

void log_fatal(const char *fmt, ...)
{
	abort();
}

static uint8_t buf[MAX_LEN];

/* A chain of backing files that is as long as allowed, so that the image cannot name a host file. */
static const struct block_image *long_chain(void)
{
	static struct block_file files[BLOCK_MAX_CHAIN];
	static struct block_image chain[BLOCK_MAX_CHAIN];
	unsigned int i;

	for (i = 0; i < BLOCK_MAX_CHAIN - 1; i++)
		chain[i] = (struct block_image){
			.file = &files[i],
			.above = i ? &chain[i - 1] : NULL,
		};
	return &chain[BLOCK_MAX_CHAIN - 2];
}

/* op, offset (of 24 bits, in sectors), length (of 8 bits, in units of 1.5 sectors), value */
static void request(struct block_image *img, const uint8_t *op)
{
	uint64_t sectors = img->size / 512;
	uint64_t offset = (op[1] | (uint64_t)op[2] << 8 | (uint64_t)op[3] << 16) % sectors * 512;
	size_t len = MIN((op[4] + 1u) * 768u & ~511u, MAX_LEN);

	len = MIN(MAX(len, 512u), img->size - offset);
	switch (op[0] % OP_KINDS) {
	case OP_READ:
		img->drv->read(img, offset, buf, len);
		break;
	case OP_WRITE:
	case OP_REWRITE:
		memset(buf, op[5], len);
		img->drv->write(img, offset, buf, len);
		break;
	case OP_DISCARD:
		img->drv->discard(img, offset,
				  MIN((uint64_t)len << (op[5] & 15), img->size - offset));
		break;
	case OP_FLUSH:
		img->drv->flush(img);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *image = data + SCRIPT_OPS * OP_SIZE;
	struct block_image_params p = { .file = "image", .format = "qcow2", .discard = true };
	struct block_image *img;
	unsigned int i;

	if (size < SCRIPT_OPS * OP_SIZE + 104)
		return 0;
	size -= SCRIPT_OPS * OP_SIZE;
	p.fd = memfd_create("image", 0);
	/* Some more, so that tables may lie behind the part that varies. */
	if (p.fd < 0 || write(p.fd, image, size) != (ssize_t)size ||
	    ftruncate(p.fd, (off_t)((size + 0xffff) & ~0xffffull)))
		abort();
	p.read_only = data[0] >= 240;
	p.above = long_chain();
	p.keeper = &block_file_no_keeper;
	img = block_image_open(&p);
	if (!img)
		return 0;
	for (i = 0; i < SCRIPT_OPS && img->size; i++)
		request(img, data + i * OP_SIZE);
	block_image_close(img);
	return 0;
}
