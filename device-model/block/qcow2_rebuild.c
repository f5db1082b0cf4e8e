/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reference counts made anew from the tables, for an image whose last writer kept them only in memory
 * (lazy_refcounts, "dirty" bit) and did not end in order. The bit is cleared last, so that an
 * interrupted repair starts again.
 */
#include <errno.h>
#include <stdlib.h>

#include "block/qcow2.h"
#include "core/log.h"
#include "core/util.h"

#define MAX_CLUSTERS	   (64ull << 20)
#define MAX_ENTRIES	   (1ull << 30) /* of L2 tables, looked at */
#define SNAPSHOT_HEADER	   40u
#define MAX_SNAPSHOT_TABLE (64u << 20)

struct counts {
	struct qcow2 *s;
	uint32_t *count;
	uint64_t nr;
	uint64_t entries; /* looked at so far */
};

static int bad(struct counts *c, const char *what)
{
	log_error("%s: %s is damaged; repair the image with \"qemu-img check -r all\"",
		  c->s->file->name, what);
	return -EINVAL;
}

static int count_range(struct counts *c, uint64_t offset, uint64_t len)
{
	uint64_t first = offset >> c->s->cluster_bits, last;

	if (!len)
		return 0;
	if (offset > (uint64_t)INT64_MAX || len > (uint64_t)INT64_MAX)
		return bad(c, "a table");
	last = (offset + len - 1) >> c->s->cluster_bits;
	if (last >= c->nr)
		return bad(c, "a table");
	for (; first <= last; first++)
		c->count[first]++;
	return 0;
}

static int count_entry(struct counts *c, uint64_t entry)
{
	uint64_t offset = entry & QCOW2_OFFSET_MASK;
	uint32_t len = c->s->cluster_size;

	if (entry & QCOW2_COMPRESSED)
		qcow2_compressed_place(c->s, entry, &offset, &len);
	else if (!offset)
		return 0;
	else if (offset & (c->s->cluster_size - 1))
		return bad(c, "an L2 table");
	return count_range(c, offset, len);
}

static int count_l2(struct counts *c, uint64_t l1_entry)
{
	uint64_t offset = l1_entry & QCOW2_OFFSET_MASK;
	struct qcow2_table *t;
	uint32_t i;
	int rc;

	if (!offset)
		return 0;
	if (!qcow2_range_ok(c->s, offset, c->s->cluster_size))
		return bad(c, "an L1 table");
	c->entries += c->s->l2_entries;
	if (c->entries > MAX_ENTRIES)
		return bad(c, "(or too large) an L1 table");
	rc = count_range(c, offset, c->s->cluster_size);
	if (!rc)
		rc = qcow2_cache_get(c->s, &c->s->l2, offset, &t);
	for (i = 0; i < c->s->l2_entries && !rc; i++)
		rc = count_entry(c, qcow2_l2_entry(t, i));
	return rc;
}

static int count_l1(struct counts *c, uint64_t offset, const uint64_t *l1, uint32_t size)
{
	uint32_t i;
	int rc = count_range(c, offset, (uint64_t)size * 8);

	for (i = 0; i < size && !rc; i++)
		rc = count_l2(c, l1[i]);
	return rc;
}

/* qcow2.txt, "Snapshots": entries of varying length. Sets *len to this one's. */
static int count_snapshot(struct counts *c, uint64_t at, uint64_t *len)
{
	uint8_t h[SNAPSHOT_HEADER];
	uint64_t *l1;
	uint32_t size;
	int rc;

	if (block_file_read(c->s->file, at, h, sizeof(h)))
		return bad(c, "the list of snapshots");
	*len = SNAPSHOT_HEADER + (uint64_t)get_be32(h + 36) + get_be16(h + 12) + get_be16(h + 14);
	*len = (*len + 7) & ~7ull;
	size = get_be32(h + 8);
	if (*len > MAX_SNAPSHOT_TABLE || (uint64_t)size * 8 > 32u << 20)
		return bad(c, "the list of snapshots");
	if (!size)
		return 0;
	l1 = qcow2_read_u64(c->s, get_be64(h), size, "L1 table of a snapshot");
	rc = l1 ? count_l1(c, get_be64(h), l1, size) : -EINVAL;
	free(l1);
	return rc;
}

static int count_snapshots(struct counts *c)
{
	uint64_t at = c->s->snapshots_offset, len;
	uint32_t i;
	int rc = 0;

	if (!c->s->nr_snapshots)
		return 0;
	if (!qcow2_range_ok(c->s, at, 1))
		return bad(c, "the list of snapshots");
	for (i = 0; i < c->s->nr_snapshots && !rc; i++) {
		rc = count_snapshot(c, at, &len);
		at += rc ? 0 : len;
		if (at - c->s->snapshots_offset > MAX_SNAPSHOT_TABLE)
			rc = bad(c, "the list of snapshots");
	}
	return rc ? rc : count_range(c, c->s->snapshots_offset, at - c->s->snapshots_offset);
}

static int count_all(struct counts *c)
{
	struct qcow2 *s = c->s;
	uint32_t i;
	int rc = count_range(c, 0, s->cluster_size);

	if (!rc)
		rc = count_range(c, s->reftable_offset, (uint64_t)s->reftable_entries * 8);
	for (i = 0; i < s->reftable_entries && !rc; i++)
		if (s->reftable[i] & ~511ull)
			rc = count_range(c, s->reftable[i] & ~511ull, s->cluster_size);
	for (i = 0; i < s->reftable_entries && !rc; i++)
		if (s->reftable[i] & ~511ull &&
		    c->count[(s->reftable[i] & ~511ull) >> s->cluster_bits] != 1)
			rc = bad(c, "the refcount table");
	if (!rc)
		rc = count_l1(c, s->l1_offset, s->l1, s->l1_size);
	return rc ? rc : count_snapshots(c);
}

static int store(struct counts *c)
{
	struct qcow2 *s = c->s;
	uint64_t i, value;
	int rc;

	/* First what counts and is not there, so that blocks which are added below find their place. */
	for (i = c->nr; i >> s->block_bits < s->reftable_entries; i++) {
		if (!(s->reftable[i >> s->block_bits] & ~511ull)) {
			i |= (1ull << s->block_bits) - 1;
			continue;
		}
		rc = qcow2_refcount_get(s, i, &value);
		if (!rc && value)
			rc = qcow2_refcount_set(s, i, 0);
		if (rc)
			return rc;
	}
	for (i = 0; i < c->nr; i++) {
		if (c->count[i] > qcow2_refcount_max(s))
			return bad(c, "an L2 table");
		rc = qcow2_refcount_get(s, i, &value);
		if (!rc && value != c->count[i])
			rc = qcow2_refcount_set(s, i, c->count[i]);
		if (rc)
			return rc;
	}
	return 0;
}

int qcow2_rebuild(struct qcow2 *s)
{
	uint64_t mask = s->cluster_size - 1;
	struct counts c = { .s = s, .nr = ((s->file->size + mask) & ~mask) >> s->cluster_bits };
	int rc;

	log_info("%s was not closed in order; its reference counts are made anew", s->file->name);
	if (c.nr > MAX_CLUSTERS) {
		log_error("%s is too large for that; run \"qemu-img check -r all\" first",
			  s->file->name);
		return -EFBIG;
	}
	s->end = MAX(s->end, c.nr << s->cluster_bits);
	c.count = xzalloc(c.nr * sizeof(*c.count));
	rc = count_all(&c);
	if (!rc)
		rc = store(&c);
	free(c.count);
	if (!rc)
		rc = qcow2_cache_write(s, &s->blocks, false);
	if (!rc)
		rc = block_file_sync(s->file);
	if (!rc)
		rc = qcow2_header_set(s, QCOW2_H_INCOMPATIBLE, s->incompatible & ~QCOW2_DIRTY);
	if (!rc)
		s->incompatible &= ~(uint64_t)QCOW2_DIRTY;
	return rc;
}
