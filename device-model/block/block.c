/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests of devices: a small thread pool, with flush as a barrier per image, and what happens when
 * the host cannot read or write. See block.h.
 */
#include "block/block.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "block/driver.h"
#include "core/log.h"
#include "core/util.h"

#define BLOCK_THREADS 3

struct block {
	struct block_host *host;
	struct block_image *img;
	char *id;
	bool write_through;
	bool format_said, checked; /* that it is raw */
	enum block_on_error on_read_error, on_write_error;
	unsigned int in_flight; /* main thread: submitted, callback not run */
	struct block_stats stats;
	struct block *next;
	/* Under the host's lock: */
	unsigned int running;
	bool flushing;
};

struct block_host {
	pthread_mutex_t lock; /* guards the queue */
	pthread_cond_t work;
	struct block_req *queue_head;
	/* Main thread: */
	bool pool_started;
	unsigned int in_flight;
	bool awaiting; /* what is opened is another process's still */
	struct block *blocks;
	struct block_req *stopped_head; /* failed, to be tried again */
	void (*failure_handler)(void *opaque, const struct block_failure *f);
	void *failure_opaque;
	struct block_file_keeper keeper;
};

/*
 * A guest that is given the bytes of another format sees no disk in them, and spoils the image by its first write. 0, or
 * -EINVAL where nobody said that it is to be so. What another process may still write to is looked at later.
 */
static int raw_check(struct block *b)
{
	struct block_image *img = b->img;
	const char *looks;

	if (img->resting || b->checked || img->drv != &raw_driver)
		return 0;
	looks = block_file_format(img->file);
	if (looks && !b->format_said) {
		log_error(
			"%s is a %s image, not a raw one: %s, or say format=raw if the guest is to see its bytes",
			block_file(b), looks,
			!strcmp(looks, "qcow2") ? "say format=qcow2"
						: "\"qemu-img convert -O qcow2\" makes one of it");
		return -EINVAL;
	}
	if (looks)
		log_warn("%s begins as a %s image and is used as raw, as the configuration says",
			 block_file(b), looks);
	b->checked = true;
	return 0;
}

struct block_host *block_host_new(void)
{
	struct block_host *h = xzalloc(sizeof(*h));

	h->keeper = block_file_no_keeper;
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->work, NULL);
	return h;
}

void block_set_keeper(struct block_host *h, const struct block_file_keeper *k)
{
	h->keeper = *k; /* files that are open have its place */
}

struct block *block_open(struct block_host *h, const struct block_params *p)
{
	struct block_image_params ip = {
		.file = p->file,
		.format = p->format ? p->format : "raw",
		.fd = p->fd,
		.read_only = p->read_only,
		.discard = p->discard && !p->read_only,
		.unlocked = p->unlocked,
		.resting = h->awaiting,
		.keeper = &h->keeper,
	};
	struct block_image *img = block_image_open(&ip);
	struct block *b;

	if (!img)
		return NULL;
	b = xzalloc(sizeof(*b));
	*b = (struct block){
		.host = h,
		.img = img,
		.id = xstrdup(p->id ? p->id : ""),
		.write_through = p->write_through,
		.format_said = p->format,
		.on_read_error = p->on_read_error,
		.on_write_error = p->on_write_error,
		.next = h->blocks,
	};
	h->blocks = b;
	if (!raw_check(b))
		return b;
	block_close(b);
	errno = EINVAL;
	return NULL;
}

/* Requests that waited for another try end with their error. */
static void stopped_fail(struct block *b)
{
	struct block_req **p = &b->host->stopped_head, *req;

	while ((req = *p)) {
		if (req->b != b) {
			p = &req->next;
			continue;
		}
		*p = req->next;
		req->busy = false;
		req->done(req, req->err);
		p = &b->host->stopped_head; /* the callback may have changed the list */
	}
}

void block_close(struct block *b)
{
	struct block **p;

	if (!b)
		return;
	stopped_fail(b);
	while (b->in_flight) {
		loop_wait_calls();
		stopped_fail(b);
	}
	for (p = &b->host->blocks; *p != b; p = &(*p)->next)
		;
	*p = b->next;
	block_image_close(b->img);
	free(b->id);
	free(b);
}

void block_close_all(struct block_host *h)
{
	while (h->blocks)
		block_close(h->blocks);
}

uint64_t block_size(const struct block *b)
{
	return b->img->size;
}

bool block_read_only(const struct block *b)
{
	return b->img->read_only;
}

bool block_discards(const struct block *b)
{
	return b->img->discard;
}

const char *block_format(const struct block *b)
{
	return b->img->drv->name;
}

const char *block_file(const struct block *b)
{
	return b->img->file->name;
}

const struct block_stats *block_get_stats(const struct block *b)
{
	return &b->stats;
}

static int request_run(const struct block_req *req)
{
	struct block_image *img = req->b->img;
	int rc;

	switch (req->op) {
	case BLOCK_READ:
		return img->drv->read(img, req->offset, req->buf, req->len);
	case BLOCK_WRITE:
		rc = img->drv->write(img, req->offset, req->buf, req->len);
		return rc || !req->b->write_through ? rc : img->drv->flush(img);
	case BLOCK_DISCARD:
		return img->drv->discard(img, req->offset, req->len);
	default:
		return img->read_only ? 0 : img->drv->flush(img);
	}
}

/*
 * The first request that may run: not behind a flush of its image, and a flush only when nothing
 * before it is left. Called with the lock held; unlinks it.
 */
static struct block_req *queue_take(struct block_host *h)
{
	struct block_req **p, *req, *prev;

	for (p = &h->queue_head; (req = *p); p = &req->next) {
		bool blocked = req->b->flushing || (req->op == BLOCK_FLUSH && req->b->running);

		for (prev = h->queue_head; prev != req && !blocked; prev = prev->next)
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
	struct block_host *h = arg;

	pthread_mutex_lock(&h->lock);
	for (;;) {
		struct block_req *req = queue_take(h);

		if (!req) {
			pthread_cond_wait(&h->work, &h->lock);
			continue;
		}
		pthread_mutex_unlock(&h->lock);
		req->err = request_run(req);
		pthread_mutex_lock(&h->lock);
		req->b->running--;
		if (req->op == BLOCK_FLUSH)
			req->b->flushing = false;
		pthread_cond_broadcast(&h->work);
		loop_defer_from_thread(&req->call);
	}
	return NULL;
}

static void pool_start(struct block_host *h)
{
	pthread_t t;
	int i;

	h->pool_started = true;
	for (i = 0; i < BLOCK_THREADS; i++)
		if (pthread_create(&t, NULL, pool_thread, h) || pthread_detach(t))
			log_fatal("cannot start a disk thread: %s", strerror(errno));
}

static const char *const operations[] = {
	[BLOCK_READ] = "reading",
	[BLOCK_WRITE] = "writing",
	[BLOCK_FLUSH] = "flushing",
	[BLOCK_DISCARD] = "discarding",
};

static enum block_on_error failure_policy(const struct block_req *req)
{
	const struct block *b = req->b;
	enum block_on_error p = req->op == BLOCK_READ ? b->on_read_error : b->on_write_error;

	if (p == BLOCK_ERROR_DEFAULT)
		p = req->op == BLOCK_READ ? BLOCK_ERROR_REPORT : BLOCK_ERROR_ENOSPC;
	if (p == BLOCK_ERROR_ENOSPC)
		p = req->err == -ENOSPC || req->err == -EDQUOT ? BLOCK_ERROR_STOP
							       : BLOCK_ERROR_REPORT;
	return p == BLOCK_ERROR_STOP && !b->host->failure_handler ? BLOCK_ERROR_REPORT : p;
}

/* The host failed. True: the request waits for another try. */
static bool request_failed(struct block_req *req)
{
	struct block_host *h = req->b->host;
	enum block_on_error policy = failure_policy(req);
	struct block_failure f = {
		.id = req->b->id,
		.file = block_file(req->b),
		.operation = req->op == BLOCK_READ ? "read" : "write",
		.err = req->err,
		.stop = policy == BLOCK_ERROR_STOP,
		.ignored = policy == BLOCK_ERROR_IGNORE,
	};

	log_guest("%s: %s at byte %llu failed: %s%s", f.file, operations[req->op],
		  (unsigned long long)req->offset, strerror(-req->err),
		  f.stop ? "; the guest stops. Make room, then \"xl unpause\"" : "");
	if (f.ignored)
		req->err = 0;
	if (f.stop) {
		req->next = h->stopped_head;
		h->stopped_head = req;
	}
	if (h->failure_handler)
		h->failure_handler(h->failure_opaque, &f);
	return f.stop;
}

static void request_done(void *opaque)
{
	struct block_req *req = opaque;

	req->b->in_flight--;
	req->b->host->in_flight--;
	if (req->err && req->err != -EINVAL && req->err != -EROFS && request_failed(req))
		return;
	req->busy = false;
	req->done(req, req->err);
}

static int request_check(const struct block_req *req)
{
	const struct block_image *img = req->b->img;

	if (img->resting)
		return -EBUSY;
	if (req->op == BLOCK_FLUSH)
		return 0;
	if (req->offset > img->size || req->len > img->size - req->offset)
		return -EINVAL;
	return req->op != BLOCK_READ && img->read_only ? -EROFS : 0;
}

static void stats_count(struct block_stats *s, const struct block_req *req)
{
	s->rd_ops += req->op == BLOCK_READ;
	s->wr_ops += req->op == BLOCK_WRITE;
	s->flush_ops += req->op == BLOCK_FLUSH;
	s->rd_bytes += req->op == BLOCK_READ ? req->len : 0;
	s->wr_bytes += req->op == BLOCK_WRITE ? req->len : 0;
}

/* What lies in the host's page cache needs no thread: waking one costs more than the copy. */
static bool read_cached(const struct block_req *req)
{
	struct block_image *img = req->b->img;

	return req->op == BLOCK_READ && img->drv->read_cached &&
	       !img->drv->read_cached(img, req->offset, req->buf, req->len);
}

/* The same for a write that is durable at once and cannot overtake another. Failures are the thread's to find. */
static bool write_cached(const struct block_req *req)
{
	struct block_image *img = req->b->img;

	return req->op == BLOCK_WRITE && img->drv->write_cached && !req->b->in_flight &&
	       !img->drv->write_cached(img, req->offset, req->buf, req->len);
}

static void request_queue(struct block_req *req)
{
	struct block_host *h = req->b->host;
	struct block_req **p = &h->queue_head;
	bool done;

	req->err = request_check(req);
	done = req->err || read_cached(req) || write_cached(req);
	req->b->in_flight++;
	h->in_flight++;
	req->next = NULL;
	if (done) {
		loop_defer(&req->call);
		return;
	}
	if (!h->pool_started)
		pool_start(h);
	pthread_mutex_lock(&h->lock);
	while (*p)
		p = &(*p)->next;
	*p = req;
	pthread_cond_signal(&h->work);
	pthread_mutex_unlock(&h->lock);
}

void block_submit(struct block_req *req)
{
	loop_call_init(&req->call, request_done, req);
	req->busy = true;
	if (!request_check(req))
		stats_count(&req->b->stats, req);
	log_trace(TRACE_BLOCK, "block %s op %d offset %llu len %zu", block_file(req->b), req->op,
		  (unsigned long long)req->offset, req->len);
	request_queue(req);
}

void block_on_failure(struct block_host *h,
		      void (*handler)(void *opaque, const struct block_failure *f), void *opaque)
{
	h->failure_handler = handler;
	h->failure_opaque = opaque;
}

unsigned int block_stopped(const struct block_host *h)
{
	const struct block_req *req;
	unsigned int n = 0;

	for (req = h->stopped_head; req; req = req->next)
		n++;
	return n;
}

void block_retry(struct block_host *h)
{
	struct block_req *req, *next;

	req = h->stopped_head;
	h->stopped_head = NULL;
	for (; req; req = next) {
		next = req->next;
		request_queue(req);
	}
}

int block_read_sync(struct block *b, uint64_t offset, void *buf, size_t len)
{
	if (b->img->resting)
		return -EBUSY;
	if (offset > b->img->size || len > b->img->size - offset)
		return -EINVAL;
	return b->img->drv->read(b->img, offset, buf, len);
}

bool block_busy(const struct block_host *h)
{
	return h->in_flight > 0;
}

void block_drain_all(struct block_host *h)
{
	while (h->in_flight)
		loop_wait_calls();
}

static int image_take(struct block *b)
{
	int rc = block_image_wake(b->img);

	return rc ? rc : raw_check(b);
}

static int image_give(struct block *b)
{
	return block_image_rest(b->img);
}

static int for_all_blocks(struct block_host *h, int (*function)(struct block *b))
{
	struct block *b;
	int rc = 0, err;

	for (b = h->blocks; b; b = b->next) {
		err = function(b);
		rc = rc ? rc : err;
	}
	return rc;
}

void block_await_images(struct block_host *h)
{
	h->awaiting = true;
}

int block_give_images(struct block_host *h)
{
	block_drain_all(h);
	return for_all_blocks(h, image_give);
}

int block_take_images(struct block_host *h)
{
	int rc = for_all_blocks(h, image_take);

	if (rc) {
		for_all_blocks(h, image_give); /* all or none: the other end may want them */
		return rc;
	}
	h->awaiting = false;
	if (h->keeper.taken)
		h->keeper.taken();
	return 0;
}
