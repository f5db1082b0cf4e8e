/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * L1 and L2 tables (qcow2.txt, "Cluster mapping"). A table that a snapshot shares has no COPIED bit in
 * the entry that points to it and is copied before it changes.
 */
#include <errno.h>

#include "block/qcow2.h"
#include "core/util.h"

uint32_t qcow2_l2_index(const struct qcow2 *s, uint64_t guest)
{
	return (uint32_t)(guest >> s->cluster_bits) & (s->l2_entries - 1);
}

static uint32_t l1_index(const struct qcow2 *s, uint64_t guest)
{
	return (uint32_t)((guest >> s->cluster_bits) / s->l2_entries);
}

uint64_t qcow2_l2_entry(const struct qcow2_table *t, uint32_t index)
{
	return get_be64(t->data + (size_t)index * 8);
}

void qcow2_l2_set(struct qcow2 *s, struct qcow2_table *t, uint32_t index, uint64_t entry)
{
	put_be64(t->data + (size_t)index * 8, entry);
	qcow2_table_dirty(t, index * 8, index * 8 + 8);
	s->changed = true;
}

static int l2_load(struct qcow2 *s, uint64_t l1_entry, struct qcow2_table **t)
{
	uint64_t offset = l1_entry & QCOW2_OFFSET_MASK;

	if (!qcow2_range_ok(s, offset, s->cluster_size))
		return qcow2_broken(s, "an L2 table", offset);
	return qcow2_cache_get(s, &s->l2, offset, t);
}

int qcow2_l2_get(struct qcow2 *s, uint64_t guest, struct qcow2_table **t)
{
	uint64_t entry = s->l1[l1_index(s, guest)];

	*t = NULL;
	return entry & QCOW2_OFFSET_MASK ? l2_load(s, entry, t) : 0;
}

/* The old table's contents are in data, or there is none. */
static int l2_make(struct qcow2 *s, uint32_t index, struct qcow2_table **t)
{
	uint64_t old = s->l1[index] & QCOW2_OFFSET_MASK, offset, got;
	struct qcow2_table *from = NULL;
	int rc = qcow2_alloc(s, 1, &offset, &got);

	if (rc)
		return rc;
	rc = qcow2_cache_new(s, &s->l2, offset, t);
	if (!rc && old) {
		rc = l2_load(s, old, &from);
		if (!rc && from)
			memcpy((*t)->data, from->data, s->cluster_size);
	}
	if (rc) {
		qcow2_cache_forget(&s->l2, offset);
		qcow2_alloc_undo(s, offset, 1);
		return rc;
	}
	(*t)->is_new = true;
	if (s->l1_dirty_from == s->l1_dirty_to)
		s->l1_dirty_from = s->l1_dirty_to = index;
	s->l1_dirty_from = MIN(s->l1_dirty_from, index);
	s->l1_dirty_to = MAX(s->l1_dirty_to, index + 1);
	s->l1[index] = offset | QCOW2_COPIED;
	s->changed = true;
	return old ? qcow2_free_later(s, old, 1) : 0;
}

int qcow2_l2_get_write(struct qcow2 *s, uint64_t guest, struct qcow2_table **t)
{
	uint32_t index = l1_index(s, guest);
	uint64_t entry = s->l1[index];

	if (entry & QCOW2_COPIED && entry & QCOW2_OFFSET_MASK)
		return l2_load(s, entry, t);
	return l2_make(s, index, t);
}

void qcow2_compressed_place(const struct qcow2 *s, uint64_t entry, uint64_t *offset, uint32_t *len)
{
	unsigned int x = 62 - (s->cluster_bits - 8);
	uint64_t sectors = (entry >> x & ((1ull << (s->cluster_bits - 8)) - 1)) + 1;

	*offset = entry & ((1ull << x) - 1);
	*len = (uint32_t)(sectors * 512 - (*offset & 511));
}

int qcow2_entry_free(struct qcow2 *s, uint64_t entry)
{
	uint64_t offset = entry & QCOW2_OFFSET_MASK, first, last;
	uint32_t len;

	if (!(entry & QCOW2_COMPRESSED))
		return offset ? qcow2_free_later(s, offset, 1) : 0;
	qcow2_compressed_place(s, entry, &offset, &len);
	first = offset >> s->cluster_bits;
	last = (offset + len - 1) >> s->cluster_bits;
	return qcow2_free_later(s, first << s->cluster_bits, last - first + 1);
}
