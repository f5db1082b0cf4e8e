/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A host file or block device under an image format: whole transfers, locks, stable storage, holes.
 * A failed fdatasync is remembered: Linux drops the pages that it could not write, so a later success
 * would mean nothing for the earlier data.
 */
#ifndef DM_BLOCK_FILE_H
#define DM_BLOCK_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Who opens images, with the flags and results of open(2), and locks them as image_lock() and image_unlock(). */
struct block_file_keeper {
	int (*open)(const char *name, int flags);
	int (*lock)(int fd, bool grows);
	int (*unlock)(int fd);
	/* The guest has all its images now: nothing is unlocked until it goes. May be NULL. */
	void (*taken)(void);
};

struct block_file {
	const struct block_file_keeper *keeper;
	int fd;
	char *name;
	bool regular, read_only;
	bool in_memory; /* on tmpfs, whose reads never wait but do not know RWF_NOWAIT */
	uint64_t size;	/* end of file as far as known; grows with writes */
	dev_t dev;	/* identity, to find cycles */
	ino_t ino;
	int sync_error;
};

/* This process itself. */
extern const struct block_file_keeper block_file_no_keeper;

/* fd -1: open name, by k, which the file goes on to use. Takes fd over, also on failure. NULL with errno, after logging why. */
struct block_file *block_file_open(const struct block_file_keeper *k, const char *name, int fd,
				   bool read_only);
/*
 * Keep writers off, and, unless f is read-only, whoever needs it unchanged: other device models, QEMU, qemu-img,
 * qemu-nbd. As image_lock(), after logging what is in the way. The lock goes away with the file.
 */
int block_file_lock(struct block_file *f, bool grows);
/* The lock is anybody's again: 0, or -errno after a line in the log, and perhaps it is not. */
int block_file_unlock(struct block_file *f);
/* Somebody else may have written: see how long it is now. 0 or -errno. */
int block_file_refresh(struct block_file *f);
void block_file_close(struct block_file *f);

/* All return 0 or -errno. What lies after the end of the file reads as zero. */
int block_file_read(struct block_file *f, uint64_t offset, void *buf, size_t len);
/* All of it from the page cache, without waiting for the disk, or -EAGAIN. */
int block_file_read_cached(struct block_file *f, uint64_t offset, void *buf, size_t len);
int block_file_write(struct block_file *f, uint64_t offset, const void *buf, size_t len);
int block_file_sync(struct block_file *f);
/* Give the range back to the host; reads as zero afterwards. -EOPNOTSUPP where that cannot be. */
int block_file_punch(struct block_file *f, uint64_t offset, uint64_t len);

#endif
