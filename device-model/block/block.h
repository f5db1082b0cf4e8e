/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disk images, raw or qcow2, served by a pool of threads. A request carries the device's own buffer
 * (never guest memory: mapped guest pages refuse O_DIRECT and registered buffers); its callback runs
 * in the main loop. A flush begins after everything submitted before it and ends with the data on
 * stable storage (fdatasync). The formats are behind driver.h.
 */
#ifndef DM_BLOCK_BLOCK_H
#define DM_BLOCK_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/loop.h"

struct block;
struct block_file_keeper;
struct block_host;

#define BLOCK_SECTOR 512u

/* What to do when the host cannot read or write (werror=, rerror=). */
enum block_on_error {
	BLOCK_ERROR_DEFAULT, /* reads: report; writes: as ENOSPC */
	BLOCK_ERROR_REPORT,  /* the guest sees it */
	BLOCK_ERROR_IGNORE,
	BLOCK_ERROR_ENOSPC, /* stop when the host is full, else report */
	BLOCK_ERROR_STOP,   /* stop the guest, try again when it continues */
};

struct block_params {
	const char *id; /* for the monitor, may be NULL */
	const char *file;
	const char *format; /* "raw" (or NULL), "qcow2" */
	bool read_only;
	bool write_through; /* each write is on stable storage when it completes */
	bool unlocked;	    /* only to look at its size: others may write to it */
	bool discard;	    /* discarded space goes back to the host; else discards do nothing */
	enum block_on_error on_read_error, on_write_error;
	int fd; /* -1, or open already (file is then only its name); taken over */
};

/* BLOCK_DISCARD has no buffer; afterwards the range reads as anything, mostly zero. */
enum block_op { BLOCK_READ, BLOCK_WRITE, BLOCK_FLUSH, BLOCK_DISCARD };

struct block_req {
	struct block *b;
	enum block_op op;
	uint64_t offset; /* bytes */
	void *buf;
	size_t len;
	/* err: 0 or -errno. The request may be reused or freed by it. */
	void (*done)(struct block_req *req, int err);
	void *opaque;
	/* Private to the block layer. */
	int err;
	bool busy;
	struct loop_call call;
	struct block_req *next;
};

struct block_stats {
	uint64_t rd_bytes, wr_bytes, rd_ops, wr_ops, flush_ops;
};

/* All images of one guest, and the threads that serve them. Threads begin with the first request that needs one. */
struct block_host *block_host_new(void);
/* Whom to ask for files and locks from now on; before that, this process itself. */
void block_set_keeper(struct block_host *h, const struct block_file_keeper *k);
/* NULL after logging why, with errno: EBUSY or ETXTBSY when somebody else has it (image_lock.h). */
struct block *block_open(struct block_host *h, const struct block_params *p);
/* Waits for what is in flight. NULL is allowed. */
void block_close(struct block *b);
uint64_t block_size(const struct block *b); /* bytes, a multiple of 512 */
bool block_read_only(const struct block *b);
bool block_discards(const struct block *b);
const char *block_format(const struct block *b);
const char *block_file(const struct block *b);
const struct block_stats *block_get_stats(const struct block *b);

/* Start req; offset and len must lie inside the image (else it fails with -EINVAL by callback). */
void block_submit(struct block_req *req);
/* Read now, in this thread, for start-up probing (partition table). 0 or -errno; -EBUSY: it is another process's. */
int block_read_sync(struct block *b, uint64_t offset, void *buf, size_t len);
/* Something of some image is in flight. */
bool block_busy(const struct block_host *h);
/* Run deferred calls until nothing of any image is in flight, but for what block_stopped() counts. */
void block_drain_all(struct block_host *h);
/*
 * A guest that moves to another process takes its images along. All of them are given away with nothing held back, or
 * taken (again): those are to be stopped already, or not to run yet. 0 or -errno after logging why; what has not been
 * given or taken then is tried again by the next call.
 */
int block_give_images(struct block_host *h);
int block_take_images(struct block_host *h);
/* Images that are opened from now on are another process's until block_take_images(). */
void block_await_images(struct block_host *h);
/* Close every image that is still open, at the end of the process. */
void block_close_all(struct block_host *h);

/*
 * Requests that failed under BLOCK_ERROR_STOP wait, without their callback, until block_retry(). The
 * handler (of which there is one) is told of every failure and stops the guest when stop is true;
 * without a handler no image ever stops.
 */
struct block_failure {
	const char *id, *file, *operation;
	int err;
	bool stop, ignored;
};

void block_on_failure(struct block_host *h,
		      void (*handler)(void *opaque, const struct block_failure *f), void *opaque);
unsigned int block_stopped(const struct block_host *h);
void block_retry(struct block_host *h);

#endif
