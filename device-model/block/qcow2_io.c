/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's reads, writes and discards. A write goes in place where the cluster belongs to this image
 * alone (COPIED), else to a new cluster, with the old contents around it.
 */
#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

#include "block/qcow2.h"
#include "core/log.h"
#include "core/util.h"

#define MAX_FREES      4096
#define DEFLATE_WINDOW (-12) /* raw, 4 KiB, as the format says */

enum run_kind { RUN_ABSENT, RUN_ZERO, RUN_DATA, RUN_COMPRESSED };

/* Guest bytes from an offset on that lie in one piece. */
struct run {
	enum run_kind kind;
	uint64_t entry; /* of the first cluster */
	uint64_t host;
	uint64_t len;
};

static enum run_kind entry_kind(const struct qcow2 *s, uint64_t entry)
{
	if (entry & QCOW2_COMPRESSED)
		return RUN_COMPRESSED;
	if (s->version >= 3 && entry & QCOW2_ZERO)
		return RUN_ZERO;
	return entry & QCOW2_OFFSET_MASK ? RUN_DATA : RUN_ABSENT;
}

static bool continues(const struct qcow2 *s, const struct run *r, uint64_t entry, uint64_t distance)
{
	return entry_kind(s, entry) == r->kind && r->kind != RUN_COMPRESSED &&
	       (r->kind != RUN_DATA ||
		((entry & QCOW2_OFFSET_MASK) == (r->entry & QCOW2_OFFSET_MASK) + distance &&
		 ((entry ^ r->entry) & QCOW2_COPIED) == 0));
}

/* Where up to len bytes from offset lie, inside one L2 table. */
static int run_find(struct qcow2 *s, uint64_t offset, uint64_t len, struct run *r)
{
	uint32_t index = qcow2_l2_index(s, offset),
		 within = (uint32_t)offset & (s->cluster_size - 1);
	uint64_t distance = s->cluster_size, room = (uint64_t)(s->l2_entries - index)
						    << s->cluster_bits;
	struct qcow2_table *t;
	int rc = qcow2_l2_get(s, offset, &t);

	*r = (struct run){ .kind = RUN_ABSENT, .len = MIN(len, room - within) };
	if (rc || !t)
		return rc;
	r->entry = qcow2_l2_entry(t, index);
	r->kind = entry_kind(s, r->entry);
	r->host = (r->entry & QCOW2_OFFSET_MASK) + within;
	while (distance < within + r->len && continues(s, r, qcow2_l2_entry(t, ++index), distance))
		distance += s->cluster_size;
	r->len = MIN(r->len, distance - within);
	if (r->kind == RUN_DATA && !qcow2_range_ok(s, r->host - within, distance))
		return qcow2_broken(s, "a data cluster", r->host - within);
	return 0;
}

/* --- reading --- */

static int inflate_cluster(struct qcow2 *s, uint8_t *in, uint32_t len)
{
	z_stream z = {
		.next_in = in,
		.avail_in = len,
		.next_out = s->inflated,
		.avail_out = s->cluster_size,
	};
	int rc;

	if (inflateInit2(&z, DEFLATE_WINDOW) != Z_OK)
		return -ENOMEM;
	rc = inflate(&z, Z_FINISH);
	inflateEnd(&z);
	/* The last sector of the input may hold more than this cluster's stream. */
	return (rc == Z_STREAM_END || rc == Z_BUF_ERROR) && !z.avail_out ? 0 : -EIO;
}

static int read_compressed(struct qcow2 *s, uint64_t entry, uint32_t within, uint8_t *buf,
			   size_t len)
{
	uint64_t place;
	uint32_t size;
	uint8_t *in;
	int rc = 0;

	if (s->inflated_entry != entry) {
		s->inflated_entry = 0;
		qcow2_compressed_place(s, entry, &place, &size);
		if (place >= s->file->size)
			return qcow2_broken(s, "a compressed cluster", place);
		in = xzalloc(size);
		rc = block_file_read(s->file, place, in, size);
		if (!rc)
			rc = inflate_cluster(s, in, size);
		free(in);
		if (rc)
			return rc;
		s->inflated_entry = entry;
	}
	memcpy(buf, s->inflated + within, len);
	return 0;
}

static int run_read(struct qcow2 *s, const struct run *r, uint64_t offset, uint8_t *buf)
{
	switch (r->kind) {
	case RUN_DATA:
		return block_file_read(s->file, r->host, buf, r->len);
	case RUN_COMPRESSED:
		return read_compressed(s, r->entry, (uint32_t)offset & (s->cluster_size - 1), buf,
				       r->len);
	case RUN_ABSENT:
		if (s->backing)
			return block_image_read(s->backing, offset, buf, r->len);
		break;
	default:
		break;
	}
	memset(buf, 0, r->len);
	return 0;
}

int qcow2_read_locked(struct qcow2 *s, uint64_t offset, uint8_t *buf, size_t len)
{
	struct run r;
	int rc = 0;

	while (len && !rc) {
		rc = run_find(s, offset, len, &r);
		if (!rc)
			rc = run_read(s, &r, offset, buf);
		offset += r.len;
		buf += r.len;
		len -= r.len;
	}
	return rc;
}

/* --- writing --- */

/*
 * Bytes of a new cluster that the guest does not write now: what it read there before. A new cluster
 * behind the end of a file is zero already.
 */
static int pad_write(struct qcow2 *s, uint64_t host, uint64_t guest, uint32_t len, bool fresh)
{
	uint64_t inside = guest < s->img->size ? MIN(len, s->img->size - guest) : 0;
	struct run r;
	int rc;

	if (!len)
		return 0;
	rc = run_find(s, guest, len, &r);
	if (rc)
		return rc;
	if (fresh && r.len == len && (r.kind == RUN_ZERO || (r.kind == RUN_ABSENT && !s->backing)))
		return 0;
	memset(s->bounce, 0, len);
	rc = qcow2_read_locked(s, guest, s->bounce, inside);
	return rc ? rc : block_file_write(s->file, host, s->bounce, len);
}

/* Clusters from offset's on, up to those of len bytes, that cannot be written in place. */
static uint64_t count_to_allocate(struct qcow2 *s, struct qcow2_table *t, uint64_t offset,
				  size_t len)
{
	uint32_t index = qcow2_l2_index(s, offset),
		 within = (uint32_t)offset & (s->cluster_size - 1);
	uint64_t max = (within + len + s->cluster_size - 1) >> s->cluster_bits, n;

	max = MIN(max, s->l2_entries - index);
	for (n = 0; n < max; n++) {
		uint64_t entry = qcow2_l2_entry(t, index + (uint32_t)n);

		if (entry_kind(s, entry) == RUN_DATA && entry & QCOW2_COPIED)
			break;
	}
	return n;
}

static int fill_new(struct qcow2 *s, uint64_t host, uint64_t bytes, uint64_t offset,
		    const uint8_t *buf, size_t len)
{
	uint32_t head = (uint32_t)offset & (s->cluster_size - 1);
	uint32_t tail = (uint32_t)(bytes - head - len);
	bool fresh = s->file->regular && host >= s->file->size;
	int rc = pad_write(s, host, offset - head, head, fresh);

	if (!rc)
		rc = pad_write(s, host + head + len, offset + len, tail, fresh);
	return rc ? rc : block_file_write(s->file, host + head, buf, len);
}

static int write_new(struct qcow2 *s, uint64_t offset, const uint8_t *buf, size_t len, size_t *done)
{
	uint32_t within = (uint32_t)offset & (s->cluster_size - 1),
		 index = qcow2_l2_index(s, offset);
	uint64_t n, host, got, i;
	struct qcow2_table *t;
	int rc = qcow2_l2_get_write(s, offset, &t);

	if (rc)
		return rc;
	n = count_to_allocate(s, t, offset, len);
	rc = qcow2_alloc(s, n, &host, &got);
	if (rc)
		return rc;
	len = MIN(len, (got << s->cluster_bits) - within);
	rc = fill_new(s, host, got << s->cluster_bits, offset, buf, len);
	if (!rc)
		rc = qcow2_l2_get_write(s, offset, &t);
	if (rc) {
		qcow2_alloc_undo(s, host, got);
		return rc;
	}
	for (i = 0; i < got && !rc; i++) {
		rc = qcow2_entry_free(s, qcow2_l2_entry(t, index + (uint32_t)i));
		qcow2_l2_set(s, t, index + (uint32_t)i,
			     (host + (i << s->cluster_bits)) | QCOW2_COPIED);
	}
	*done = len;
	return rc;
}

static int write_in_place(struct qcow2 *s, const struct run *r, const uint8_t *buf)
{
	uint64_t first = r->host & ~(uint64_t)(s->cluster_size - 1);

	if (qcow2_overlaps(s, first, r->host + r->len - first))
		return qcow2_broken(s, "a data cluster over a table", first);
	return block_file_write(s->file, r->host, buf, r->len);
}

int qcow2_write_locked(struct qcow2 *s, uint64_t offset, const uint8_t *buf, size_t len)
{
	struct run r;
	int rc = 0;

	while (len && !rc) {
		size_t done = 0;

		if (s->nr_frees > MAX_FREES)
			rc = qcow2_commit(s);
		if (!rc)
			rc = run_find(s, offset, len, &r);
		if (rc)
			break;
		/* A table that a snapshot shares has its own COPIED bits clear as well. */
		if (r.kind == RUN_DATA && r.entry & QCOW2_COPIED) {
			rc = write_in_place(s, &r, buf);
			done = r.len;
		} else {
			rc = write_new(s, offset, buf, len, &done);
		}
		offset += done;
		buf += done;
		len -= done;
	}
	return rc;
}

/* --- discarding --- */

/* What a discarded cluster becomes. False: nothing says zero here, it has to stay. */
static bool discarded_entry(const struct qcow2 *s, uint64_t *entry)
{
	*entry = s->version >= 3 ? QCOW2_ZERO : 0;
	return s->version >= 3 || !s->backing;
}

/* Of n whole clusters in one L2 table. */
static int discard_clusters(struct qcow2 *s, uint64_t offset, uint64_t n)
{
	uint32_t index = qcow2_l2_index(s, offset);
	struct qcow2_table *t;
	uint64_t becomes, i;
	int rc;

	rc = qcow2_l2_get(s, offset, &t);
	if (rc || (!t && !s->backing) || !discarded_entry(s, &becomes))
		return rc;
	rc = qcow2_l2_get_write(s, offset, &t);
	for (i = 0; i < n && !rc; i++) {
		uint64_t old = qcow2_l2_entry(t, index + (uint32_t)i);

		if (old == becomes || (!old && !s->backing))
			continue;
		rc = qcow2_entry_free(s, old);
		qcow2_l2_set(s, t, index + (uint32_t)i, becomes);
	}
	return rc;
}

int qcow2_discard_locked(struct qcow2 *s, uint64_t offset, uint64_t len)
{
	uint64_t at = (offset + s->cluster_size - 1) >> s->cluster_bits;
	uint64_t end = (offset + len) >> s->cluster_bits;
	int rc = 0;

	if (offset + len == s->img->size)
		end = (offset + len + s->cluster_size - 1) >> s->cluster_bits;
	while (at < end && !rc) {
		uint64_t n = MIN(end - at, s->l2_entries - at % s->l2_entries);

		if (s->nr_frees > MAX_FREES)
			rc = qcow2_commit(s);
		if (!rc)
			rc = discard_clusters(s, at << s->cluster_bits, n);
		at += n;
	}
	return rc;
}
