/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Raw images: the guest's bytes as they are, in a file or on a block device. */
#include <errno.h>

#include "block/block.h"
#include "block/driver.h"
#include "core/util.h"

static int raw_open(struct block_image *img)
{
	img->size = (img->file->size + BLOCK_SECTOR - 1) & ~(uint64_t)(BLOCK_SECTOR - 1);
	return 0;
}

static int raw_read(struct block_image *img, uint64_t offset, void *buf, size_t len)
{
	return block_file_read(img->file, offset, buf, len);
}

static int raw_read_cached(struct block_image *img, uint64_t offset, void *buf, size_t len)
{
	return block_file_read_cached(img->file, offset, buf, len);
}

static bool all_zero(const uint8_t *p, size_t len)
{
	while (len && !*p) {
		p++;
		len--;
	}
	return !len;
}

/*
 * The last sector of a file that does not end with one is written as far as the file goes. Bytes beyond that make the
 * file longer, up to the whole sector, unless they are zero, as which they are read anyway.
 */
static int raw_write(struct block_image *img, uint64_t offset, const void *buf, size_t len)
{
	uint64_t end = __atomic_load_n(&img->file->size, __ATOMIC_RELAXED);
	size_t inside = offset < end ? MIN(len, end - offset) : 0;

	if (all_zero((const uint8_t *)buf + inside, len - inside))
		len = inside;
	else if (!img->file->regular)
		return -EIO;
	return block_file_write(img->file, offset, buf, len);
}

/* What is on tmpfs neither waits for a disk nor ever reaches one. */
static int raw_write_cached(struct block_image *img, uint64_t offset, const void *buf, size_t len)
{
	return img->file->in_memory ? raw_write(img, offset, buf, len) : -EAGAIN;
}

static int raw_discard(struct block_image *img, uint64_t offset, uint64_t len)
{
	int rc = img->discard ? block_file_punch(img->file, offset, len) : 0;

	return rc == -EOPNOTSUPP ? 0 : rc;
}

static int raw_flush(struct block_image *img)
{
	return block_file_sync(img->file);
}

const struct block_driver raw_driver = {
	.name = "raw",
	.open = raw_open,
	.read = raw_read,
	.read_cached = raw_read_cached,
	.write = raw_write,
	.write_cached = raw_write_cached,
	.discard = raw_discard,
	.flush = raw_flush,
	.settle = raw_flush,
	.reread = raw_open,
};
