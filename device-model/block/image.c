/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of image formats, and images opened by it. See driver.h. */
#include <errno.h>
#include <stdlib.h>

#include "block/block.h"
#include "block/driver.h"
#include "core/log.h"
#include "core/util.h"

static const struct block_driver *const drivers[] = { &raw_driver, &qcow2_driver };

/* Names of QEMU that mean raw, among them what libxl says for a stub domain's device. */
static const char *const raw_names[] = { "raw", "host_device", "file" };

static const struct block_driver *driver_find(const char *format)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(raw_names); i++)
		if (!strcmp(format, raw_names[i]))
			return &raw_driver;
	for (i = 0; i < ARRAY_SIZE(drivers); i++)
		if (!strcmp(format, drivers[i]->name))
			return drivers[i];
	return NULL;
}

/* Where the formats that users meet have their marks. */
static const struct {
	const char *name;
	uint32_t offset;
	char mark[9];
} marks[] = {
	{ "qcow2", 0, "QFI\xfb" },
	{ "vmdk", 0, "KDMV" },
	{ "vmdk", 0, "COWD" },
	{ "vmdk", 0, "# Disk D" },
	{ "vdi", 0x40, "\x7f\x10\xda\xbe" },
	{ "vhd", 0, "conectix" },
	{ "vhdx", 0, "vhdxfile" },
};

const char *block_file_format(struct block_file *f)
{
	uint8_t start[0x48];
	size_t i;

	if (block_file_read(f, 0, start, sizeof(start)))
		return NULL;
	for (i = 0; i < ARRAY_SIZE(marks); i++)
		if (!memcmp(start + marks[i].offset, marks[i].mark, strlen(marks[i].mark)))
			return marks[i].name;
	return NULL;
}

bool block_file_is_qcow2(struct block_file *f)
{
	const char *name = block_file_format(f);

	return name && !strcmp(name, "qcow2");
}

static int chain_check(const struct block_image *img)
{
	const struct block_image *up;
	unsigned int depth = 1;

	for (up = img->above; up; up = up->above, depth++) {
		if (up->file->dev == img->file->dev && up->file->ino == img->file->ino) {
			log_error("%s: the backing files form a circle", img->file->name);
			return -ELOOP;
		}
	}
	if (depth <= BLOCK_MAX_CHAIN)
		return 0;
	log_error("%s: more than %d images in a chain of backing files; merge some with "
		  "\"qemu-img rebase\"",
		  img->file->name, BLOCK_MAX_CHAIN);
	return -ELOOP;
}

/* The first write to a raw image's last sector may make that whole. */
static int lock_file(struct block_image *img)
{
	return block_file_lock(img->file, img->drv->grows || img->file->size % BLOCK_SECTOR);
}

static int image_begin(struct block_image *img, bool lock)
{
	bool read_only = img->read_only;
	int rc = chain_check(img);

	if (!rc && lock && !img->resting)
		rc = lock_file(img);
	/* Whose image it is now looks for repairs itself. */
	img->read_only |= img->resting;
	if (!rc)
		rc = img->drv->open(img);
	img->read_only = read_only;
	return rc;
}

struct block_image *block_image_open(const struct block_image_params *p)
{
	const struct block_driver *drv = driver_find(p->format);
	struct block_image *img = xzalloc(sizeof(*img));
	int rc;

	*img = (struct block_image){
		.drv = drv,
		.file = block_file_open(p->keeper, p->file, p->fd, p->read_only),
		.read_only = p->read_only,
		.discard = p->discard,
		.resting = p->resting && !p->read_only,
		.above = p->above,
	};
	if (img->file && !drv)
		log_error("%s: format %s is not supported; convert it with \"qemu-img convert -O "
			  "qcow2\"",
			  p->file, p->format);
	rc = !img->file ? -errno : drv ? image_begin(img, !p->unlocked) : -EINVAL;
	if (rc) {
		block_file_close(img->file);
		free(img);
		errno = -rc;
		return NULL;
	}
	img->above = NULL;
	return img;
}

int block_image_rest(struct block_image *img)
{
	int rc = img->read_only || img->resting ? 0 : img->drv->settle(img);

	if (rc || img->read_only || img->resting)
		return rc;
	rc = block_file_unlock(img->file);
	img->resting = !rc;
	return rc;
}

static int image_reread(struct block_image *img)
{
	uint64_t size = img->size;
	int rc = block_file_refresh(img->file);

	if (!rc)
		rc = img->drv->reread(img);
	if (rc || img->size == size)
		return rc;
	log_error("%s has another size than when the guest came", img->file->name);
	img->size = size; /* that of the guest's disk, also at the next try */
	return -EINVAL;
}

int block_image_wake(struct block_image *img)
{
	int rc;

	if (!img->resting)
		return 0;
	rc = lock_file(img);
	if (rc && rc != -ETIMEDOUT)
		return rc;
	if (!rc)
		rc = image_reread(img);
	img->resting = rc != 0;
	if (rc)
		block_file_unlock(img->file); /* a lock that took too long may still come */
	return rc;
}

void block_image_close(struct block_image *img)
{
	if (!img)
		return;
	img->read_only |= img->resting; /* it is another's to write */
	if (img->drv->close)
		img->drv->close(img);
	block_file_close(img->file);
	free(img);
}

int block_image_read(struct block_image *img, uint64_t offset, void *buf, size_t len)
{
	size_t inside = offset >= img->size ? 0 : MIN(len, img->size - offset);

	memset((uint8_t *)buf + inside, 0, len - inside);
	return inside ? img->drv->read(img, offset, buf, inside) : 0;
}
