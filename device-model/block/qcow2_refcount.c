/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reference counts of host clusters (qcow2.txt, "Host cluster management") and the allocation by them.
 * Widths of 1 to 64 bits. A cluster behind the refcount table, or without a refcount block, is free.
 */
#include <errno.h>
#include <stdlib.h>

#include "block/qcow2.h"
#include "core/log.h"
#include "core/util.h"

#define MAX_COUNTED_BEHIND_END (1u << 20)

static uint64_t count_get(const uint8_t *block, unsigned int order, uint64_t i)
{
	unsigned int bits = 1u << order;

	if (order < 3)
		return block[i * bits / 8] >> (i * bits % 8) & ((1u << bits) - 1);
	switch (order) {
	case 3:
		return block[i];
	case 4:
		return get_be16(block + i * 2);
	case 5:
		return get_be32(block + i * 4);
	default:
		return get_be64(block + i * 8);
	}
}

static void count_set(uint8_t *block, unsigned int order, uint64_t i, uint64_t v)
{
	unsigned int bits = 1u << order, shift = (unsigned int)(i * bits % 8);
	uint8_t mask = (uint8_t)(((1u << (bits & 7)) - 1) << shift);

	switch (order) {
	case 3:
		block[i] = (uint8_t)v;
		break;
	case 4:
		put_be16(block + i * 2, (uint16_t)v);
		break;
	case 5:
		put_be32(block + i * 4, (uint32_t)v);
		break;
	case 6:
		put_be64(block + i * 8, v);
		break;
	default:
		block += i * bits / 8;
		*block = (uint8_t)((*block & ~mask) | (v << shift & mask));
	}
}

uint64_t qcow2_refcount_max(const struct qcow2 *s)
{
	return s->refcount_order == 6 ? UINT64_MAX : (1ull << (1u << s->refcount_order)) - 1;
}

/* The block with a cluster's count; *t is NULL when there is none. */
static int block_get(struct qcow2 *s, uint64_t cluster, struct qcow2_table **t)
{
	uint64_t index = cluster >> s->block_bits, offset;

	*t = NULL;
	if (index >= s->reftable_entries)
		return 0;
	offset = s->reftable[index] & ~511ull;
	if (!offset)
		return 0;
	if (!qcow2_range_ok(s, offset, s->cluster_size))
		return qcow2_broken(s, "a refcount block", offset);
	return qcow2_cache_get(s, &s->blocks, offset, t);
}

int qcow2_refcount_get(struct qcow2 *s, uint64_t cluster, uint64_t *value)
{
	struct qcow2_table *t;
	int rc = block_get(s, cluster, &t);

	*value = !rc && t ? count_get(t->data, s->refcount_order,
				      cluster & ((1ull << s->block_bits) - 1))
			  : 0;
	return rc;
}

static void block_set(struct qcow2 *s, struct qcow2_table *t, uint64_t cluster, uint64_t value)
{
	uint64_t i = cluster & ((1ull << s->block_bits) - 1);
	uint32_t byte = (uint32_t)((i << s->refcount_order) / 8);

	count_set(t->data, s->refcount_order, i, value);
	qcow2_table_dirty(t, byte, byte + MAX(1u, (1u << s->refcount_order) / 8));
}

/* No cluster from s->end on is in use; s->end may lie inside a region of which nothing is counted. */
static uint64_t end_cluster(const struct qcow2 *s)
{
	return s->end >> s->cluster_bits;
}

/* A block that counts itself: at the end, for the clusters there. On disk before it is pointed to. */
static int block_add_at_end(struct qcow2 *s)
{
	uint64_t cluster = end_cluster(s), index = cluster >> s->block_bits;
	uint64_t offset = cluster << s->cluster_bits;
	struct qcow2_table *t;
	uint8_t entry[8];
	int rc;

	rc = qcow2_cache_new(s, &s->blocks, offset, &t);
	if (rc)
		return rc;
	block_set(s, t, cluster, 1);
	s->end = offset + s->cluster_size;
	rc = block_file_write(s->file, offset, t->data, s->cluster_size);
	if (!rc)
		rc = block_file_sync(s->file);
	put_be64(entry, offset);
	if (!rc)
		rc = block_file_write(s->file, s->reftable_offset + index * 8, entry, 8);
	if (rc) {
		t->offset = 0;
		s->end = offset;
		return rc;
	}
	s->reftable[index] = offset;
	return 0;
}

/* A larger refcount table and blocks that count it, behind everything; then the header changes. */
static int table_install(struct qcow2 *s, uint64_t *table, uint32_t entries, uint64_t first,
			 uint64_t nr_blocks)
{
	uint64_t table_clusters = entries / s->l2_entries, i;
	uint64_t offset = (first + nr_blocks) << s->cluster_bits;
	uint8_t *raw = xzalloc((size_t)entries * 8), field[12];
	int rc = 0;

	for (i = 0; i < nr_blocks && !rc; i++) {
		uint64_t c, base = first + (i << s->block_bits);
		uint8_t *block = xzalloc(s->cluster_size);

		for (c = 0; c < 1ull << s->block_bits; c++)
			if (base + c < first + nr_blocks + table_clusters)
				count_set(block, s->refcount_order, c, 1);
		table[(first >> s->block_bits) + i] = (first + i) << s->cluster_bits;
		rc = block_file_write(s->file, (first + i) << s->cluster_bits, block,
				      s->cluster_size);
		free(block);
	}
	for (i = 0; i < entries; i++)
		put_be64(raw + i * 8, table[i]);
	if (!rc)
		rc = block_file_write(s->file, offset, raw, (size_t)entries * 8);
	if (!rc)
		rc = block_file_sync(s->file);
	put_be64(field, offset);
	put_be32(field + 8, (uint32_t)table_clusters);
	if (!rc)
		rc = block_file_write(s->file, QCOW2_H_REFTABLE, field, sizeof(field));
	if (!rc)
		rc = block_file_sync(s->file);
	free(raw);
	return rc;
}

static int table_grow(struct qcow2 *s)
{
	uint64_t per_block = 1ull << s->block_bits, first, nr_blocks, table_clusters, entries, i;
	uint64_t old_offset = s->reftable_offset, old_entries = s->reftable_entries, *table;
	int rc = 0;

	first = MAX(end_cluster(s), old_entries << s->block_bits);
	first = (first + per_block - 1) & ~(per_block - 1);
	entries = (first >> s->block_bits) + old_entries / 2 + 2;
	entries = (entries + s->l2_entries - 1) / s->l2_entries * s->l2_entries;
	table_clusters = entries / s->l2_entries;
	for (nr_blocks = 1; nr_blocks * per_block < nr_blocks + table_clusters; nr_blocks++)
		;
	if (entries * 8 > 8u << 20 || (first >> s->block_bits) + nr_blocks > entries) {
		log_guest("%s: the qcow2 refcount table cannot grow any more", s->file->name);
		return -EFBIG;
	}
	table = xzalloc(entries * 8);
	memcpy(table, s->reftable, old_entries * 8);
	rc = table_install(s, table, (uint32_t)entries, first, nr_blocks);
	if (rc) {
		free(table);
		return rc;
	}
	free(s->reftable);
	s->reftable = table;
	s->reftable_entries = (uint32_t)entries;
	s->reftable_offset = (first + nr_blocks) << s->cluster_bits;
	s->end = (first + nr_blocks + table_clusters) << s->cluster_bits;
	for (i = 0; i < old_entries / s->l2_entries && !rc; i++)
		rc = qcow2_refcount_set(s, (old_offset >> s->cluster_bits) + i, 0);
	return rc;
}

/* A block for other clusters, at the end; its own count is on disk before it is pointed to. */
static int block_add_counted(struct qcow2 *s, uint64_t index)
{
	uint64_t cluster = end_cluster(s), offset = cluster << s->cluster_bits;
	struct qcow2_table *t;
	uint8_t entry[8];
	int rc;

	rc = qcow2_refcount_set(s, cluster, 1);
	if (!rc)
		rc = qcow2_cache_new(s, &s->blocks, offset, &t);
	if (!rc)
		rc = qcow2_cache_write(s, &s->blocks, false);
	if (!rc)
		rc = block_file_sync(s->file);
	put_be64(entry, offset);
	if (!rc)
		rc = block_file_write(s->file, s->reftable_offset + index * 8, entry, 8);
	if (!rc)
		s->reftable[index] = offset;
	return rc;
}

/* Make sure that a count can be stored. Each turn adds what the next one needs, so it ends. */
static int block_ensure(struct qcow2 *s, uint64_t cluster)
{
	uint64_t index = cluster >> s->block_bits, at_end;
	int rc = 0;

	while (!rc) {
		at_end = end_cluster(s) >> s->block_bits;
		if (index < s->reftable_entries && s->reftable[index] & ~511ull)
			return 0;
		if (index >= s->reftable_entries || at_end >= s->reftable_entries)
			rc = table_grow(s);
		else if (!(s->reftable[at_end] & ~511ull))
			rc = block_add_at_end(s);
		else
			rc = block_add_counted(s, index);
	}
	return rc;
}

int qcow2_refcount_set(struct qcow2 *s, uint64_t cluster, uint64_t value)
{
	struct qcow2_table *t;
	int rc = block_get(s, cluster, &t);

	if (!rc && !t && !value)
		return 0;
	if (!rc && !t)
		rc = block_ensure(s, cluster);
	if (!rc && !t)
		rc = block_get(s, cluster, &t);
	if (!rc && !t)
		rc = -EIO; /* the block that was just made is gone */
	if (rc)
		return rc;
	block_set(s, t, cluster, value);
	if (!value)
		s->free_hint = MIN(s->free_hint, cluster);
	else
		s->end = MAX(s->end, (cluster + 1) << s->cluster_bits);
	return 0;
}

/* For a block device, whose size says nothing about the image in it. */
int qcow2_refcount_find_end(struct qcow2 *s)
{
	uint64_t limit = s->file->size >> s->cluster_bits, c, value;
	int rc;

	for (c = MIN(limit, (uint64_t)s->reftable_entries << s->block_bits); c > 0; c--) {
		rc = qcow2_refcount_get(s, c - 1, &value);
		if (rc)
			return rc;
		if (value)
			break;
		/* Nothing counted by an absent block: to its first cluster at once. */
		if (!(s->reftable[(c - 1) >> s->block_bits] & ~511ull))
			c = (((c - 1) >> s->block_bits) << s->block_bits) + 1;
	}
	s->end = c << s->cluster_bits;
	return 0;
}

/* The first free cluster from the hint on. Some behind the end may be counted, after a crash. */
static int free_find(struct qcow2 *s, uint64_t *cluster)
{
	uint64_t c = s->free_hint, value;
	int rc;

	for (;; c++) {
		rc = qcow2_refcount_get(s, c, &value);
		if (rc)
			return rc;
		if (!value)
			break;
		if (c > end_cluster(s) + MAX_COUNTED_BEHIND_END)
			return qcow2_broken(s, "clusters count as used that the file does not have",
					    c << s->cluster_bits);
	}
	*cluster = s->free_hint = c;
	return 0;
}

void qcow2_alloc_undo(struct qcow2 *s, uint64_t offset, uint64_t n)
{
	uint64_t i;

	for (i = 0; i < n; i++)
		if (qcow2_refcount_set(s, (offset >> s->cluster_bits) + i, 0))
			break; /* a cluster is lost, nothing else */
}

/* Count up to n clusters, all of one block, which exists. */
static int run_take(struct qcow2 *s, uint64_t first, uint64_t n, uint64_t *got)
{
	uint64_t i, value = 0;
	int rc = 0;

	n = MIN(n, (1ull << s->block_bits) - (first & ((1ull << s->block_bits) - 1)));
	for (i = 0; i < n; i++) {
		rc = qcow2_refcount_get(s, first + i, &value);
		if (rc || value)
			break;
		rc = qcow2_refcount_set(s, first + i, 1);
		if (rc)
			break;
	}
	*got = i;
	if (s->free_hint == first)
		s->free_hint = first + i;
	return i ? 0 : rc;
}

int qcow2_alloc(struct qcow2 *s, uint64_t n, uint64_t *offset, uint64_t *got)
{
	uint64_t first = 0;
	int rc;

	if (s->broken)
		return -EIO;
	do {
		rc = free_find(s, &first);
		/* A block that this adds may take the cluster itself: then look again. */
		if (!rc)
			rc = block_ensure(s, first);
		if (!rc)
			rc = run_take(s, first, n, got);
		if (rc)
			return rc;
	} while (!*got);
	*offset = first << s->cluster_bits;
	if (!qcow2_overlaps(s, *offset, *got << s->cluster_bits))
		return 0;
	return qcow2_broken(s, "a cluster in use counts as free: the one", *offset);
}

int qcow2_free_later(struct qcow2 *s, uint64_t offset, uint64_t clusters)
{
	struct qcow2_free *last = s->nr_frees ? &s->frees[s->nr_frees - 1] : NULL;

	s->changed = true;
	if (last && last->offset + (last->clusters << s->cluster_bits) == offset) {
		last->clusters += clusters;
		return 0;
	}
	if (!s->frees || s->nr_frees == s->max_frees) {
		s->max_frees = s->max_frees ? s->max_frees * 2 : 64;
		s->frees = xrealloc(s->frees, s->max_frees * sizeof(*s->frees));
	}
	s->frees[s->nr_frees++] = (struct qcow2_free){ offset, clusters };
	return 0;
}

static int cluster_drop(struct qcow2 *s, uint64_t cluster)
{
	uint64_t value;
	int rc = qcow2_refcount_get(s, cluster, &value);

	if (rc)
		return rc;
	if (!value)
		return qcow2_broken(s, "a cluster in use counts as free: the one",
				    cluster << s->cluster_bits);
	rc = qcow2_refcount_set(s, cluster, value - 1);
	if (rc || value > 1)
		return rc;
	qcow2_cache_forget(&s->l2, cluster << s->cluster_bits);
	if (s->img->discard)
		block_file_punch(s->file, cluster << s->cluster_bits, s->cluster_size);
	return 0;
}

int qcow2_free_now(struct qcow2 *s)
{
	int rc = 0;

	while (s->nr_frees && !rc) {
		struct qcow2_free *f = &s->frees[s->nr_frees - 1];

		rc = cluster_drop(s, (f->offset >> s->cluster_bits) + f->clusters - 1);
		if (!rc && !--f->clusters)
			s->nr_frees--;
	}
	return rc;
}
