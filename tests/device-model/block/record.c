/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Linked around block/file.c (ld --wrap): with BLOCKIO_LOG=FILE in the environment every write, barrier
 * and hole of an image is recorded, so that a script can say what a power failure could have left.
 *   "w" offset length bytes, "s" 0 0, "p" offset length; numbers of 8 bytes, little-endian
 */
#include <stdio.h>
#include <stdlib.h>

#include "block/file.h"

int __real_block_file_write(struct block_file *f, uint64_t offset, const void *buf, size_t len);
int __wrap_block_file_write(struct block_file *f, uint64_t offset, const void *buf, size_t len);
int __real_block_file_sync(struct block_file *f);
int __wrap_block_file_sync(struct block_file *f);
int __real_block_file_punch(struct block_file *f, uint64_t offset, uint64_t len);
int __wrap_block_file_punch(struct block_file *f, uint64_t offset, uint64_t len);

static void record(char what, uint64_t offset, uint64_t len, const void *data)
{
	static FILE *log;
	uint64_t numbers[2] = { offset, len };

	if (!getenv("BLOCKIO_LOG"))
		return;
	if (!log)
		log = fopen(getenv("BLOCKIO_LOG"), "wb");
	fwrite(&what, 1, 1, log);
	fwrite(numbers, 1, sizeof(numbers), log);
	if (data)
		fwrite(data, 1, len, log);
	fflush(log);
}

int __wrap_block_file_write(struct block_file *f, uint64_t offset, const void *buf, size_t len)
{
	record('w', offset, len, buf);
	return __real_block_file_write(f, offset, buf, len);
}

int __wrap_block_file_sync(struct block_file *f)
{
	int rc = __real_block_file_sync(f);

	record('s', 0, 0, NULL);
	return rc;
}

int __wrap_block_file_punch(struct block_file *f, uint64_t offset, uint64_t len)
{
	record('p', offset, len, NULL);
	return __real_block_file_punch(f, offset, len);
}
