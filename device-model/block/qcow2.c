/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qcow2 images as a driver of the block layer: open, backing file, commit, close. See qcow2.h. */
#include "block/qcow2.h"

#include <errno.h>
#include <stdlib.h>

#include "core/log.h"
#include "core/util.h"

#define L2_CACHE_BYTES	  (4u << 20)
#define BLOCK_CACHE_BYTES (1u << 20)

int qcow2_broken(struct qcow2 *s, const char *what, uint64_t offset)
{
	uint8_t field[8];

	log_guest("%s: the qcow2 image is damaged: %s at 0x%llx; run \"qemu-img check\"",
		  s->file->name, what, (unsigned long long)offset);
	if (s->broken || s->img->read_only)
		return -EIO;
	s->broken = true;
	s->incompatible |= QCOW2_CORRUPT;
	put_be64(field, s->incompatible);
	if (s->version >= 3 &&
	    block_file_write(s->file, QCOW2_H_INCOMPATIBLE, field, sizeof(field)))
		log_guest("%s: cannot mark the image corrupt", s->file->name);
	return -EIO;
}

uint64_t *qcow2_read_u64(struct qcow2 *s, uint64_t offset, uint32_t count, const char *what)
{
	uint64_t *v;
	uint32_t i;

	if (!qcow2_range_ok(s, offset, (uint64_t)count * 8)) {
		log_error("%s: the qcow2 %s at 0x%llx is not in the file", s->file->name, what,
			  (unsigned long long)offset);
		return NULL;
	}
	v = xzalloc((size_t)count * 8 + 8);
	if (block_file_read(s->file, offset, v, (size_t)count * 8)) {
		log_error("%s: cannot read the qcow2 %s", s->file->name, what);
		free(v);
		return NULL;
	}
	for (i = 0; i < count; i++)
		v[i] = get_be64(&v[i]);
	return v;
}

int qcow2_header_set(struct qcow2 *s, unsigned int at, uint64_t value)
{
	uint8_t field[8];
	int rc;

	put_be64(field, value);
	rc = block_file_write(s->file, at, field, sizeof(field));
	return rc ? rc : block_file_sync(s->file);
}

bool qcow2_range_ok(const struct qcow2 *s, uint64_t offset, uint64_t len)
{
	uint64_t mask = s->cluster_size - 1, size = (s->file->size + mask) & ~mask;
	uint64_t limit = MAX(s->end, size);

	return offset && !(offset & mask) && offset <= limit && len <= limit - offset;
}

static bool meets(uint64_t a, uint64_t a_len, uint64_t b, uint64_t b_len)
{
	return a < b + b_len && b < a + a_len;
}

static bool meets_cache(const struct qcow2 *s, const struct qcow2_cache *c, uint64_t offset,
			uint64_t len)
{
	unsigned int i;

	for (i = 0; i < c->nr; i++)
		if (c->tables[i].offset && meets(offset, len, c->tables[i].offset, s->cluster_size))
			return true;
	return false;
}

bool qcow2_overlaps(const struct qcow2 *s, uint64_t offset, uint64_t len)
{
	return meets(offset, len, 0, s->cluster_size) ||
	       meets(offset, len, s->l1_offset, (uint64_t)s->l1_size * 8) ||
	       meets(offset, len, s->reftable_offset, (uint64_t)s->reftable_entries * 8) ||
	       meets_cache(s, &s->l2, offset, len) || meets_cache(s, &s->blocks, offset, len);
}

/* --- what is on disk --- */

static int l1_write(struct qcow2 *s)
{
	uint32_t n = s->l1_dirty_to - s->l1_dirty_from, i;
	uint8_t *raw;
	int rc;

	if (!n)
		return 0;
	raw = xzalloc((size_t)n * 8);
	for (i = 0; i < n; i++)
		put_be64(raw + (size_t)i * 8, s->l1[s->l1_dirty_from + i]);
	rc = block_file_write(s->file, s->l1_offset + (uint64_t)s->l1_dirty_from * 8, raw,
			      (size_t)n * 8);
	if (!rc)
		s->l1_dirty_from = s->l1_dirty_to = 0;
	free(raw);
	return rc;
}

int qcow2_commit(struct qcow2 *s)
{
	unsigned int i;
	int rc = s->broken ? -EIO : 0;

	if (!rc)
		rc = qcow2_cache_write(s, &s->blocks, false);
	if (!rc)
		rc = qcow2_cache_write(s, &s->l2, true);
	if (!rc)
		rc = block_file_sync(s->file);
	if (rc)
		return rc;
	for (i = 0; i < s->l2.nr; i++)
		s->l2.tables[i].is_new = false;
	rc = qcow2_cache_write(s, &s->l2, false);
	if (!rc)
		rc = l1_write(s);
	if (!rc)
		rc = block_file_sync(s->file);
	if (!rc)
		rc = qcow2_free_now(s);
	if (!rc)
		s->changed = false;
	return rc;
}

/* --- opening and closing --- */

/* The name of a backing file is relative to the image that gives it. NULL after logging why. */
static char *backing_path(const struct qcow2 *s)
{
	const char *name = s->backing_name, *own = s->file->name, *slash = strrchr(own, '/');

	if (!strncmp(name, "file:", 5))
		name += 5;
	if (strcspn(name, ":") < strcspn(name, "/")) {
		log_error("%s: the backing file \"%s\" is not a local file", own, name);
		return NULL;
	}
	if (*name == '/' || !slash)
		return xstrdup(name);
	return xasprintf("%.*s/%s", (int)(slash - own), own, name);
}

/*
 * A backing file without a declared format is raw. One that then begins like qcow2 is either a careless
 * image, or a raw disk whose guest wrote a header that names any file of the host: refused.
 */
static int backing_undeclared(const struct qcow2 *s, const char *path)
{
	struct block_file *f = block_file_open(s->file->keeper, path, -1, true);
	bool ambiguous = f && block_file_is_qcow2(f);

	block_file_close(f);
	if (ambiguous)
		log_error("%s does not say which format its backing file has; if it is qcow2: "
			  "\"qemu-img rebase -u -b %s -F qcow2 %s\"",
			  s->file->name, path, s->file->name);
	return f && !ambiguous ? 0 : -EINVAL;
}

static int backing_open(struct qcow2 *s)
{
	struct block_image_params p = {
		.fd = -1, .read_only = true, .above = s->img, .keeper = s->file->keeper
	};
	char *path;
	int rc = 0;

	if (!s->backing_name || !*s->backing_name)
		return 0;
	path = backing_path(s);
	if (!path)
		return -EINVAL;
	p.file = path;
	p.format = s->backing_format ? s->backing_format : "raw";
	if (!s->backing_format)
		rc = backing_undeclared(s, path);
	if (!rc)
		s->backing = block_image_open(&p);
	free(path);
	return s->backing ? 0 : -EINVAL;
}

static unsigned int clamp_tables(uint32_t bytes, unsigned int bits, unsigned int max)
{
	unsigned int n = bytes >> bits;

	return n < 4 ? 4 : n > max ? max : n;
}

static int tables_read(struct qcow2 *s)
{
	uint64_t mask = s->cluster_size - 1;

	s->end = s->file->regular ? (s->file->size + mask) & ~mask : 0;
	s->l1 = s->l1_size ? qcow2_read_u64(s, s->l1_offset, s->l1_size, "L1 table") : xzalloc(8);
	if (!s->l1)
		return -EINVAL;
	s->reftable = qcow2_read_u64(s, s->reftable_offset, s->reftable_entries, "refcount table");
	if (!s->reftable)
		return -EINVAL;
	qcow2_cache_init(&s->l2, clamp_tables(L2_CACHE_BYTES, s->cluster_bits, 128));
	qcow2_cache_init(&s->blocks, clamp_tables(BLOCK_CACHE_BYTES, s->cluster_bits, 64));
	s->bounce = xzalloc(s->cluster_size);
	s->inflated = xzalloc(s->cluster_size);
	return s->file->regular || s->img->read_only ? 0 : qcow2_refcount_find_end(s);
}

/* Before the first write: features of other programs that our writes would make wrong. */
static int prepare_writing(struct qcow2 *s)
{
	int rc = 0;

	if (s->autoclear)
		rc = qcow2_header_set(s, QCOW2_H_AUTOCLEAR, 0);
	if (!rc && s->incompatible & QCOW2_DIRTY)
		rc = qcow2_rebuild(s);
	return rc;
}

static void qcow2_free_all(struct qcow2 *s)
{
	block_image_close(s->backing);
	qcow2_cache_free(&s->l2);
	qcow2_cache_free(&s->blocks);
	pthread_mutex_destroy(&s->lock);
	free(s->backing_name);
	free(s->backing_format);
	free(s->l1);
	free(s->reftable);
	free(s->frees);
	free(s->bounce);
	free(s->inflated);
	free(s);
}

/* With this backing file, or, for NULL, the one that the header names. */
static int open_with(struct block_image *img, struct block_image *backing)
{
	struct qcow2 *s = xzalloc(sizeof(*s));
	int rc;

	s->img = img;
	s->file = img->file;
	s->backing = backing;
	pthread_mutex_init(&s->lock, NULL);
	rc = qcow2_header_read(s);
	if (!rc)
		rc = tables_read(s);
	if (!rc && !backing)
		rc = backing_open(s);
	if (!rc && !img->read_only)
		rc = prepare_writing(s);
	if (rc) {
		qcow2_free_all(s);
		return rc;
	}
	if (s->nr_snapshots)
		log_info("%s: %u internal snapshots are kept", s->file->name, s->nr_snapshots);
	img->state = s;
	return 0;
}

static int qcow2_open(struct block_image *img)
{
	return open_with(img, NULL);
}

static int qcow2_settle(struct block_image *img)
{
	struct qcow2 *s = img->state;
	int rc = 0;

	if (s->changed)
		rc = qcow2_commit(s);
	if (!rc && !img->read_only && !s->broken)
		rc = qcow2_cache_write(s, &s->blocks, false);
	return rc ? rc : block_file_sync(s->file);
}

static void qcow2_close(struct block_image *img)
{
	struct qcow2 *s = img->state;
	int rc = s ? qcow2_settle(img) : 0;

	if (rc)
		log_error("%s: the last changes could not be written: %s", s->file->name,
			  strerror(-rc));
	if (s)
		qcow2_free_all(s);
}

/* The backing file, which nobody writes to, stays open: a confined process could not open it again. */
static int qcow2_reread(struct block_image *img)
{
	struct qcow2 *s = img->state;
	struct block_image *backing;

	if (!s)
		return -EIO; /* an earlier try failed */
	backing = s->backing;
	s->backing = NULL;
	qcow2_free_all(s);
	img->state = NULL;
	return open_with(img, backing);
}

/* --- requests --- */

static int qcow2_read(struct block_image *img, uint64_t offset, void *buf, size_t len)
{
	struct qcow2 *s = img->state;
	int rc;

	pthread_mutex_lock(&s->lock);
	rc = qcow2_read_locked(s, offset, buf, len);
	pthread_mutex_unlock(&s->lock);
	return rc;
}

static int qcow2_write(struct block_image *img, uint64_t offset, const void *buf, size_t len)
{
	struct qcow2 *s = img->state;
	int rc;

	pthread_mutex_lock(&s->lock);
	rc = s->broken ? -EIO : qcow2_write_locked(s, offset, buf, len);
	pthread_mutex_unlock(&s->lock);
	return rc;
}

static int qcow2_discard(struct block_image *img, uint64_t offset, uint64_t len)
{
	struct qcow2 *s = img->state;
	int rc;

	if (!img->discard)
		return 0;
	pthread_mutex_lock(&s->lock);
	rc = s->broken ? -EIO : qcow2_discard_locked(s, offset, len);
	pthread_mutex_unlock(&s->lock);
	return rc;
}

static int qcow2_flush(struct block_image *img)
{
	struct qcow2 *s = img->state;
	int rc;

	pthread_mutex_lock(&s->lock);
	rc = s->changed ? qcow2_commit(s) : block_file_sync(s->file);
	pthread_mutex_unlock(&s->lock);
	return rc;
}

const struct block_driver qcow2_driver = {
	.name = "qcow2",
	.grows = true,
	.open = qcow2_open,
	.close = qcow2_close,
	.read = qcow2_read,
	.write = qcow2_write,
	.discard = qcow2_discard,
	.flush = qcow2_flush,
	.settle = qcow2_settle,
	.reread = qcow2_reread,
};
