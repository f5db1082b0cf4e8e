/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copies of L2 tables and refcount blocks in memory: a fixed number, the longest unused goes first. A
 * refcount block and a new L2 table may be written at any time, an L2 table in use only in the order
 * that qcow2.h says.
 */
#include <errno.h>
#include <stdlib.h>

#include "block/qcow2.h"
#include "core/util.h"

#define SECTOR 512u

void qcow2_cache_init(struct qcow2_cache *c, unsigned int nr)
{
	c->nr = nr;
	c->tables = xzalloc(nr * sizeof(*c->tables));
}

void qcow2_cache_free(struct qcow2_cache *c)
{
	unsigned int i;

	for (i = 0; i < c->nr; i++)
		free(c->tables[i].data);
	free(c->tables);
}

static bool is_dirty(const struct qcow2_table *t)
{
	return t->offset && t->dirty_to > t->dirty_from;
}

static int table_write(struct qcow2 *s, struct qcow2_table *t)
{
	uint32_t from = t->dirty_from & ~(SECTOR - 1),
		 to = (t->dirty_to + SECTOR - 1) & ~(SECTOR - 1);
	int rc;

	if (!is_dirty(t))
		return 0;
	rc = block_file_write(s->file, t->offset + from, t->data + from, to - from);
	if (!rc)
		t->dirty_from = t->dirty_to = 0;
	return rc;
}

int qcow2_cache_write(struct qcow2 *s, struct qcow2_cache *c, bool only_new)
{
	unsigned int i;
	int rc = 0;

	for (i = 0; i < c->nr && !rc; i++)
		if (!only_new || c->tables[i].is_new)
			rc = table_write(s, &c->tables[i]);
	return rc;
}

void qcow2_table_dirty(struct qcow2_table *t, uint32_t from, uint32_t to)
{
	if (!is_dirty(t)) {
		t->dirty_from = from;
		t->dirty_to = to;
		return;
	}
	t->dirty_from = MIN(t->dirty_from, from);
	t->dirty_to = MAX(t->dirty_to, to);
}

/* A slot whose contents are on disk, the longest unused one. */
static int slot_take(struct qcow2 *s, struct qcow2_cache *c, struct qcow2_table **out)
{
	struct qcow2_table *t = &c->tables[0];
	unsigned int i;
	int rc = 0;

	for (i = 1; i < c->nr && t->offset; i++)
		if (!c->tables[i].offset || c->tables[i].used < t->used)
			t = &c->tables[i];
	if (is_dirty(t) && c == &s->l2 && !t->is_new)
		rc = qcow2_commit(s);
	else if (is_dirty(t))
		rc = table_write(s, t);
	if (rc)
		return rc;
	if (!t->data)
		t->data = xzalloc(s->cluster_size);
	t->offset = 0;
	t->dirty_from = t->dirty_to = 0;
	t->is_new = false;
	*out = t;
	return 0;
}

int qcow2_cache_get(struct qcow2 *s, struct qcow2_cache *c, uint64_t offset,
		    struct qcow2_table **out)
{
	struct qcow2_table *t;
	unsigned int i;
	int rc;

	for (i = 0; i < c->nr; i++)
		if (c->tables[i].offset == offset)
			break;
	if (i < c->nr) {
		t = &c->tables[i];
	} else {
		rc = slot_take(s, c, &t);
		if (!rc)
			rc = block_file_read(s->file, offset, t->data, s->cluster_size);
		if (rc)
			return rc;
		t->offset = offset;
	}
	t->used = ++c->clock;
	*out = t;
	return 0;
}

int qcow2_cache_new(struct qcow2 *s, struct qcow2_cache *c, uint64_t offset,
		    struct qcow2_table **out)
{
	int rc = slot_take(s, c, out);

	if (rc)
		return rc;
	memset((*out)->data, 0, s->cluster_size);
	(*out)->offset = offset;
	(*out)->used = ++c->clock;
	qcow2_table_dirty(*out, 0, s->cluster_size);
	return 0;
}

void qcow2_cache_forget(struct qcow2_cache *c, uint64_t offset)
{
	unsigned int i;

	for (i = 0; i < c->nr; i++) {
		if (c->tables[i].offset != offset)
			continue;
		c->tables[i].offset = 0;
		c->tables[i].dirty_from = c->tables[i].dirty_to = 0;
		c->tables[i].is_new = false;
	}
}
