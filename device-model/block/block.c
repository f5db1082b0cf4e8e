/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Raw images behind a small thread pool, with flush as a barrier per image. See block.h. */
#include "block/block.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/log.h"
#include "core/util.h"

#define BLOCK_THREADS 3

struct block {
	int fd;
	char *file;
	uint64_t size;
	bool read_only, write_through;
	unsigned int in_flight; /* main thread: submitted, callback not run */
	struct block_stats stats;
	/* Under pool_lock: */
	unsigned int running;
	bool flushing;
};

static pthread_mutex_t pool_lock = PTHREAD_MUTEX_INITIALIZER; /* guards the queue */
static pthread_cond_t pool_work = PTHREAD_COND_INITIALIZER;
static struct block_req *queue_head;
static bool pool_started;
static unsigned int total_in_flight; /* main thread */

static int image_size(int fd, const char *file, uint64_t *size)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (S_ISBLK(st.st_mode))
		return ioctl(fd, BLKGETSIZE64, size) ? -errno : 0;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	*size = (uint64_t)st.st_size;
	return 0;
}

/* Another writer would destroy the guest's file system; the lock goes away with the process. */
static int image_lock(int fd, const char *file, bool read_only)
{
	struct flock lock = {
		.l_type = read_only ? F_RDLCK : F_WRLCK,
		.l_whence = SEEK_SET,
		.l_len = 1,
	};

	if (!fcntl(fd, F_OFD_SETLK, &lock))
		return 0;
	if (errno != EAGAIN && errno != EACCES)
		return 0; /* a file system without locks */
	log_error("%s is in use by another device model; stop the other guest first", file);
	return -EBUSY;
}

static bool is_qcow2(int fd)
{
	uint8_t magic[4];

	return pread(fd, magic, sizeof(magic), 0) == sizeof(magic) && get_be32(magic) == 0x514649fb;
}

static int image_open(const struct block_params *p)
{
	int fd = p->fd;

	if (fd < 0)
		fd = open(p->file, (p->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	log_error("cannot open the image %s%s: %s", p->file, p->read_only ? "" : " for writing",
		  strerror(errno));
	return -1;
}

static int format_check(const struct block_params *p, int fd)
{
	if (p->format && strcmp(p->format, "raw")) {
		log_error("%s: format %s is not supported; convert it with \"qemu-img convert -O "
			  "raw\"",
			  p->file, p->format);
		return -EINVAL;
	}
	if (!p->format && is_qcow2(fd))
		log_warn("%s looks like qcow2 and is used as raw", p->file);
	return 0;
}

struct block *block_open(const struct block_params *p)
{
	int fd = image_open(p), rc;
	struct block *b;
	uint64_t size = 0;

	if (fd < 0)
		return NULL;
	rc = format_check(p, fd);
	if (!rc)
		rc = image_lock(fd, p->file, p->read_only);
	if (!rc) {
		rc = image_size(fd, p->file, &size);
		if (rc)
			log_error("%s is no disk image: %s (a file or a block device is needed)",
				  p->file, strerror(-rc));
	}
	if (rc) {
		close(fd);
		return NULL;
	}
	b = xzalloc(sizeof(*b));
	b->fd = fd;
	b->file = xstrdup(p->file);
	b->size = (size + BLOCK_SECTOR - 1) & ~(uint64_t)(BLOCK_SECTOR - 1);
	b->read_only = p->read_only;
	b->write_through = p->write_through;
	return b;
}

void block_close(struct block *b)
{
	if (!b)
		return;
	while (b->in_flight)
		loop_wait_calls();
	close(b->fd);
	free(b->file);
	free(b);
}

uint64_t block_size(const struct block *b)
{
	return b->size;
}

bool block_read_only(const struct block *b)
{
	return b->read_only;
}

const char *block_file(const struct block *b)
{
	return b->file;
}

const struct block_stats *block_get_stats(const struct block *b)
{
	return &b->stats;
}

/* What lies after the end of a file whose size is no multiple of a sector reads as zero. */
static int read_full(int fd, uint8_t *buf, size_t len, uint64_t offset)
{
	while (len) {
		ssize_t n = pread(fd, buf, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n) {
			memset(buf, 0, len);
			return 0;
		}
		buf += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static int write_full(int fd, const uint8_t *buf, size_t len, uint64_t offset)
{
	while (len) {
		ssize_t n = pwrite(fd, buf, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -ENOSPC;
		buf += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static int request_run(const struct block_req *req)
{
	struct block *b = req->b;
	int rc;

	switch (req->op) {
	case BLOCK_READ:
		return read_full(b->fd, req->buf, req->len, req->offset);
	case BLOCK_WRITE:
		rc = write_full(b->fd, req->buf, req->len, req->offset);
		if (!rc && b->write_through)
			rc = fdatasync(b->fd) ? -errno : 0;
		return rc;
	default:
		return b->read_only ? 0 : (fdatasync(b->fd) ? -errno : 0);
	}
}

/*
 * The first request that may run: not behind a flush of its image, and a flush only when nothing
 * before it is left. Called with the lock held; unlinks it.
 */
static struct block_req *queue_take(void)
{
	struct block_req **p, *req, *prev;

	for (p = &queue_head; (req = *p); p = &req->next) {
		bool blocked = req->b->flushing || (req->op == BLOCK_FLUSH && req->b->running);

		for (prev = queue_head; prev != req && !blocked; prev = prev->next)
			blocked = prev->b == req->b &&
				  (prev->op == BLOCK_FLUSH || req->op == BLOCK_FLUSH);
		if (blocked)
			continue;
		*p = req->next;
		req->b->running++;
		req->b->flushing = req->op == BLOCK_FLUSH;
		return req;
	}
	return NULL;
}

static void *pool_thread(void *arg)
{
	pthread_mutex_lock(&pool_lock);
	for (;;) {
		struct block_req *req = queue_take();

		if (!req) {
			pthread_cond_wait(&pool_work, &pool_lock);
			continue;
		}
		pthread_mutex_unlock(&pool_lock);
		req->err = request_run(req);
		pthread_mutex_lock(&pool_lock);
		req->b->running--;
		if (req->op == BLOCK_FLUSH)
			req->b->flushing = false;
		pthread_cond_broadcast(&pool_work);
		loop_defer_from_thread(&req->call);
	}
	return NULL;
}

static void pool_start(void)
{
	pthread_t t;
	int i;

	pool_started = true;
	for (i = 0; i < BLOCK_THREADS; i++)
		if (pthread_create(&t, NULL, pool_thread, NULL) || pthread_detach(t))
			log_fatal("cannot start a disk thread: %s", strerror(errno));
}

static void request_done(void *opaque)
{
	struct block_req *req = opaque;
	struct block *b = req->b;

	req->busy = false;
	b->in_flight--;
	total_in_flight--;
	if (req->err && req->err != -EINVAL)
		log_guest("%s: %s at byte %llu failed: %s", b->file,
			  req->op == BLOCK_READ	   ? "reading"
			  : req->op == BLOCK_WRITE ? "writing"
						   : "flushing",
			  (unsigned long long)req->offset, strerror(-req->err));
	req->done(req, req->err);
}

static int request_check(const struct block_req *req)
{
	const struct block *b = req->b;

	if (req->op == BLOCK_FLUSH)
		return 0;
	if (req->offset > b->size || req->len > b->size - req->offset)
		return -EINVAL;
	return req->op == BLOCK_WRITE && b->read_only ? -EROFS : 0;
}

static void stats_count(struct block_stats *s, const struct block_req *req)
{
	s->rd_ops += req->op == BLOCK_READ;
	s->wr_ops += req->op == BLOCK_WRITE;
	s->flush_ops += req->op == BLOCK_FLUSH;
	s->rd_bytes += req->op == BLOCK_READ ? req->len : 0;
	s->wr_bytes += req->op == BLOCK_WRITE ? req->len : 0;
}

void block_submit(struct block_req *req)
{
	struct block_req **p = &queue_head;

	loop_call_init(&req->call, request_done, req);
	req->busy = true;
	req->b->in_flight++;
	total_in_flight++;
	req->next = NULL;
	req->err = request_check(req);
	if (req->err) {
		loop_defer(&req->call);
		return;
	}
	stats_count(&req->b->stats, req);
	log_trace(TRACE_BLOCK, "block %s op %d offset %llu len %zu", req->b->file, req->op,
		  (unsigned long long)req->offset, req->len);
	if (!pool_started)
		pool_start();
	pthread_mutex_lock(&pool_lock);
	while (*p)
		p = &(*p)->next;
	*p = req;
	pthread_cond_signal(&pool_work);
	pthread_mutex_unlock(&pool_lock);
}

int block_read_sync(struct block *b, uint64_t offset, void *buf, size_t len)
{
	if (offset > b->size || len > b->size - offset)
		return -EINVAL;
	return read_full(b->fd, buf, len, offset);
}

void block_drain_all(void)
{
	while (total_in_flight)
		loop_wait_calls();
}
