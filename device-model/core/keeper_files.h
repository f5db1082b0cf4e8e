/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Work with files, in threads of the privileged part: a file system may not answer for a long time, or never, and
 * grants have to be copied meanwhile. A piece of work touches nothing but itself.
 */
#ifndef DM_CORE_KEEPER_FILES_H
#define DM_CORE_KEEPER_FILES_H

#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/keeper.h"
#include "core/loop.h"
#include "core/timer.h"

#define KEEPER_MAX_CHAIN   32
#define KEEPER_FILE_WAIT_S 5u

/* A file, whatever its name. */
struct keeper_file_id {
	dev_t dev;
	ino_t ino;
};

enum keeper_file_work {
	KEEPER_FILE_OPEN, /* and lock it, if it `locks` */
	KEEPER_FILE_LOCK, /* a descriptor that came along */
	KEEPER_FILE_UNLOCK,
	KEEPER_FILE_LOOK, /* what it is, and whether somebody writes to it */
};

struct keeper_file {
	enum keeper_file_work work;
	char *path;
	enum keeper_mode mode;
	bool locks, grows, is_qcow2;
	struct keeper_file_id *
		distrusted; /* the guest could write to these: no other file is looked at for them */
	size_t nr_distrusted;

	int fd, rc; /* rc: of all of it */
	struct keeper_file_id id;
	bool is_written;
	uint8_t *header; /* of qcow2: its first cluster; NULL: it is none */
	size_t header_bytes;
	char *chain[KEEPER_MAX_CHAIN]; /* its backing files */
	unsigned int nr_chain;

	/* Of keeper_file_start(). */
	void (*done)(struct keeper_file *f, void *opaque);
	void (*closed)(void *opaque);
	void *opaque;
	struct loop_call call;
	struct dm_timer limit;
	sem_t used;
	bool late;
};

/* As all begin; path is copied, "" where none is known. fd, or -1, is taken over. */
struct keeper_file *keeper_file_new(enum keeper_file_work work, const char *path, int fd);
/* Do it now, in this thread. */
void keeper_file_run(struct keeper_file *f);
/* Closes what it has open. */
void keeper_file_free(struct keeper_file *f);
/*
 * Do it in a thread. done() runs in the main loop when it is, or with NULL when that took too long; then it
 * happens some time later, and is for nothing. f is not the caller's any more but during that call. After done(f),
 * closed() runs when f's descriptor is closed (NULL: nobody asks). 0 or -errno, and then f is gone.
 */
int keeper_file_start(struct keeper_file *f, void (*done)(struct keeper_file *f, void *opaque),
		      void (*closed)(void *opaque), void *opaque);
/* So many at a time: with more, keeper_file_start() answers -EAGAIN. */
bool keeper_file_room(void);
bool keeper_file_same(struct keeper_file_id a, struct keeper_file_id b);
/* Whether two first clusters of qcow2 say the same of other files: their names, and how long they are. */
bool keeper_header_same(const struct keeper_file *a, const uint8_t *header, size_t bytes);

#endif
