/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Image formats: a table of drivers. Their calls come from the block layer's threads, several at a
 * time; a driver locks its own state. Offsets and lengths lie inside the image.
 */
#ifndef DM_BLOCK_DRIVER_H
#define DM_BLOCK_DRIVER_H

#include "block/file.h"

/* An image and the ones that use it as their backing file. */
#define BLOCK_MAX_CHAIN 16

struct block_image {
	const struct block_driver *drv;
	struct block_file *file;
	uint64_t size; /* bytes, a multiple of 512 */
	bool read_only;
	bool discard; /* give discarded space back to the host */
	bool resting; /* another process may write to the file */
	void *state;
	const struct block_image *above; /* whose backing file this is, while it is being opened */
};

struct block_driver {
	const char *name;
	bool grows; /* writing may make the file longer */
	/* Fills size and state. 0, or -errno after logging why. */
	int (*open)(struct block_image *img);
	void (*close)(struct block_image *img);
	int (*read)(struct block_image *img, uint64_t offset, void *buf, size_t len);
	/* The same if that needs no waiting, from the main thread, or -EAGAIN; may be NULL. */
	int (*read_cached)(struct block_image *img, uint64_t offset, void *buf, size_t len);
	int (*write)(struct block_image *img, uint64_t offset, const void *buf, size_t len);
	/* The same if nothing of it can wait, durability included; from the main thread; may be NULL. */
	int (*write_cached)(struct block_image *img, uint64_t offset, const void *buf, size_t len);
	/* A hint: what lies there need not be kept. */
	int (*discard)(struct block_image *img, uint64_t offset, uint64_t len);
	int (*flush)(struct block_image *img);
	/* Nothing that the driver holds back is left; stronger than flush. */
	int (*settle)(struct block_image *img);
	/* Somebody else may have written: what was read at open is read again. A failure leaves state NULL. */
	int (*reread)(struct block_image *img);
};

extern const struct block_driver raw_driver, qcow2_driver;

struct block_image_params {
	const char *file;
	const char *format;
	int fd; /* -1, or open already; taken over */
	bool read_only, discard, unlocked;
	bool resting; /* it is another process's until block_image_wake(), unless it is read-only */
	const struct block_image *above;
	const struct block_file_keeper *keeper; /* outlives the image */
};

/* NULL with errno, after logging why. */
struct block_image *block_image_open(const struct block_image_params *p);
/*
 * An image that is written to is given to another process, with everything in the file, and taken back. Meanwhile
 * nothing asks for its contents. 0 or -errno; then it is what it was before.
 */
int block_image_rest(struct block_image *img);
int block_image_wake(struct block_image *img);
/* Writes out what the driver holds back. NULL is allowed. */
void block_image_close(struct block_image *img);
/* As the driver's read, but what lies after the end of the image reads as zero. */
int block_image_read(struct block_image *img, uint64_t offset, void *buf, size_t len);
/* The format other than raw that the file begins as, by QEMU's name, or NULL. A guest can write such a beginning. */
const char *block_file_format(struct block_file *f);
/* Whether the file begins as a qcow2 image does. */
bool block_file_is_qcow2(struct block_file *f);

#endif
