/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See keeper_files.h. What is read of images follows qcow2.txt, "Header". */
#include "core/keeper_files.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/image_lock.h"
#include "core/log.h"
#include "core/util.h"

#define MAX_THREADS	 8
#define HEADER_BYTES	 65536u
#define MIN_CLUSTER_BITS 9u
#define QCOW2_MAGIC	 0x514649fbu
#define HEADER_V2	 72u
#define EXT_BACKING	 0xe2792acau /* "Header extensions": the backing file's format */

/* What a header says about other files: these fields, and all behind the header. */
#define H_BACKING      8u
#define H_BACKING_END  20u
#define H_CLUSTER_BITS 20u

static unsigned int nr_threads;

bool keeper_file_same(struct keeper_file_id a, struct keeper_file_id b)
{
	return a.dev == b.dev && a.ino == b.ino;
}

static int open_file(const char *path, enum keeper_mode mode)
{
	static const int flags[] = { O_RDONLY, O_RDWR, O_WRONLY | O_CREAT | O_TRUNC };
	int fd = open(path, flags[mode] | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0666), rc;
	struct stat st;

	if (fd < 0)
		return -errno;
	/* No folder: names could be looked up from its descriptor. No device that takes requests. */
	rc = fstat(fd, &st) ? -errno : 0;
	if (!rc && !S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		rc = -EINVAL;
	if (!rc)
		return fd;
	close(fd);
	return rc;
}

/* ---- headers ---- */

static uint32_t header_end(const uint8_t *h)
{
	return get_be32(h + 4) >= 3 ? get_be32(h + 100) : HEADER_V2;
}

/* The first cluster of an open image, or as much of it as counts; NULL: it is no qcow2. */
static uint8_t *header_read(int fd, size_t *bytes)
{
	uint8_t *h = xzalloc(HEADER_BYTES);
	ssize_t n = pread(fd, h, HEADER_BYTES, 0);
	uint32_t bits = get_be32(h + H_CLUSTER_BITS);

	if (n >= 1 << MIN_CLUSTER_BITS && get_be32(h) == QCOW2_MAGIC && bits >= MIN_CLUSTER_BITS &&
	    bits < 31) {
		*bytes = MIN((size_t)n, (size_t)1 << bits);
		return h;
	}
	free(h);
	return NULL;
}

bool keeper_header_same(const struct keeper_file *a, const uint8_t *was, size_t bytes)
{
	const uint8_t *h = a->header;
	size_t end = MIN(header_end(was), bytes);

	return h && a->header_bytes == bytes && !memcmp(h + 4, was + 4, 4) &&
	       !memcmp(h + H_BACKING, was + H_BACKING, H_BACKING_END - H_BACKING) &&
	       header_end(h) == header_end(was) && !memcmp(h + end, was + end, bytes - end);
}

/* Whether the header says that the backing file is qcow2, too: else nothing in that file counts. */
static bool backing_is_qcow2(const uint8_t *h, uint32_t end)
{
	uint32_t at = header_end(h);

	while (at < end && end - at >= 8) {
		uint32_t type = get_be32(h + at), len = get_be32(h + at + 4);

		at += 8;
		if (!type || len > end - at)
			return false;
		if (type == EXT_BACKING)
			return len == 5 && !memcmp(h + at, "qcow2", 5);
		at += MIN((len + 7) & ~7u, end - at);
	}
	return false;
}

/* The name is relative to the image's folder. NULL: no local file. */
static char *resolve(const char *image, const char *name)
{
	const char *slash = strrchr(image, '/');

	if (!strncmp(name, "file:", 5))
		name += 5;
	if (!*name || strcspn(name, ":") < strcspn(name, "/"))
		return NULL;
	if (*name == '/' || !slash)
		return xstrdup(name);
	return xasprintf("%.*s/%s", (int)(slash - image), image, name);
}

/* The backing file that a header names, or NULL; *qcow2: whether that has the format, too. */
static char *backing_of(const uint8_t *h, size_t bytes, const char *path, bool *qcow2)
{
	uint64_t at = get_be64(h + H_BACKING);
	uint32_t len = get_be32(h + 16);
	char *name, *found;

	if (!at || at >= bytes || len > bytes - at)
		return NULL;
	name = xasprintf("%.*s", (int)len, (const char *)h + at);
	*qcow2 = backing_is_qcow2(h, (uint32_t)at);
	found = resolve(path, name);
	free(name);
	return found;
}

/* -EINVAL: no image, which may be one that came along. */
static int id_of(int fd, struct keeper_file_id *id)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return -EINVAL;
	*id = S_ISBLK(st.st_mode) ? (struct keeper_file_id){ st.st_rdev, 0 }
				  : (struct keeper_file_id){ st.st_dev, st.st_ino };
	return 0;
}

static bool is_distrusted(const struct keeper_file *f, struct keeper_file_id id)
{
	size_t i;

	for (i = 0; i < f->nr_distrusted; i++)
		if (keeper_file_same(f->distrusted[i], id))
			return true;
	return false;
}

/* The header of the backing file at path, if it is to be believed. */
static uint8_t *header_below(const struct keeper_file *f, const char *path, size_t *bytes)
{
	int fd = open_file(path, KEEPER_READ);
	struct keeper_file_id id;
	uint8_t *h = NULL;

	if (fd < 0)
		return NULL;
	if (!id_of(fd, &id) && !is_distrusted(f, id))
		h = header_read(fd, bytes);
	close(fd);
	return h;
}

/* The backing files below, until one is no qcow2. */
static void chain_walk(struct keeper_file *f)
{
	const uint8_t *h = f->header;
	const char *path = f->path;
	uint8_t *below = NULL;
	size_t bytes = f->header_bytes;
	bool qcow2 = true;

	while (h && qcow2 && f->nr_chain < KEEPER_MAX_CHAIN) {
		char *next = backing_of(h, bytes, path, &qcow2);

		if (!next)
			break;
		f->chain[f->nr_chain++] = next;
		free(below);
		below = qcow2 ? header_below(f, next, &bytes) : NULL;
		h = below;
		path = next;
	}
	free(below);
}

/* ---- the work ---- */

static int look(struct keeper_file *f)
{
	int rc = id_of(f->fd, &f->id);

	if (rc)
		return rc;
	if (f->is_qcow2)
		f->header = header_read(f->fd, &f->header_bytes);
	if (!is_distrusted(f, f->id))
		chain_walk(f);
	return 0;
}

static int open_and_look(struct keeper_file *f, enum keeper_mode mode)
{
	int rc;

	f->fd = open_file(f->path, mode);
	if (f->fd < 0)
		return f->fd;
	rc = f->locks ? image_lock(f->fd, f->grows) : 0;
	return rc || mode == KEEPER_CREATE ? rc : look(f);
}

static int look_and_lock(struct keeper_file *f)
{
	int rc = look(f);

	if (!rc && f->work == KEEPER_FILE_LOCK)
		return image_lock(f->fd, f->grows);
	return rc ? rc : image_unlock(f->fd);
}

void keeper_file_run(struct keeper_file *f)
{
	bool given = f->work == KEEPER_FILE_LOCK || f->work == KEEPER_FILE_UNLOCK;

	f->rc = given ? look_and_lock(f) : open_and_look(f, f->mode);
	if (f->work == KEEPER_FILE_LOOK && !f->rc)
		f->is_written = image_is_written(f->fd);
}

struct keeper_file *keeper_file_new(enum keeper_file_work work, const char *path, int fd)
{
	struct keeper_file *f = xzalloc(sizeof(*f));

	*f = (struct keeper_file){ .work = work, .fd = fd, .path = xstrdup(path) };
	return f;
}

void keeper_file_free(struct keeper_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	while (f->nr_chain)
		free(f->chain[--f->nr_chain]);
	free(f->header);
	free(f->distrusted);
	free(f->path);
	free(f);
}

bool keeper_file_room(void)
{
	return nr_threads < MAX_THREADS;
}

static void gone(void *opaque)
{
	struct keeper_file *f = opaque;

	nr_threads--;
	dm_timer_cancel(&f->limit);
	if (!f->late && f->closed)
		f->closed(f->opaque);
	keeper_file_free(f);
}

/* Closing may wait, too, so it is the thread's. */
static void *thread(void *opaque)
{
	struct keeper_file *f = opaque;

	keeper_file_run(f);
	loop_defer_from_thread(&f->call);
	while (sem_wait(&f->used))
		;
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
	loop_call_init(&f->call, gone, f);
	loop_defer_from_thread(&f->call);
	return NULL;
}

static void too_late(void *opaque)
{
	struct keeper_file *f = opaque;

	f->late = true;
	log_error("%s: its file system does not answer for %u seconds",
		  *f->path ? f->path : "a file that came along", KEEPER_FILE_WAIT_S);
	f->done(NULL, f->opaque);
}

/* Its last descriptor cannot be closed, by the same file system: its asker may ask for others. */
static void closes_late(void *opaque)
{
	struct keeper_file *f = opaque;

	f->late = true;
	if (f->closed)
		f->closed(f->opaque);
}

static void limit_start(struct keeper_file *f, void (*over)(void *opaque))
{
	dm_timer_init(&f->limit, DM_CLOCK_HOST, over, f);
	dm_timer_set_ns(&f->limit, clock_host_ns() + KEEPER_FILE_WAIT_S * NS_PER_SEC);
}

static void finished(void *opaque)
{
	struct keeper_file *f = opaque;

	dm_timer_cancel(&f->limit);
	if (!f->late) {
		f->done(f, f->opaque);
		limit_start(f, closes_late);
	}
	sem_post(&f->used);
}

int keeper_file_start(struct keeper_file *f, void (*done)(struct keeper_file *f, void *opaque),
		      void (*closed)(void *opaque), void *opaque)
{
	pthread_t t;
	int rc = keeper_file_room() ? 0 : EAGAIN;

	f->done = done;
	f->closed = closed;
	f->opaque = opaque;
	loop_call_init(&f->call, finished, f);
	sem_init(&f->used, 0, 0);
	if (!rc)
		rc = pthread_create(&t, NULL, thread, f);
	if (rc) {
		keeper_file_free(f);
		return -rc;
	}
	pthread_detach(t);
	nr_threads++;
	limit_start(f, too_late);
	return 0;
}
