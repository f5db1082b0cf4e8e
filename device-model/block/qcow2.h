/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qcow2 images, versions 2 and 3, after QEMU's docs/interop/qcow2.txt. qcow2.c opens and closes,
 * qcow2_header.c reads the header, qcow2_io.c reads, writes and discards, qcow2_l2.c has the tables
 * that map guest clusters, qcow2_refcount.c the allocation of host clusters, qcow2_cache.c the copies
 * of both in memory, qcow2_rebuild.c counts references anew. Not there: encryption, external data
 * files, extended L2 entries, zstd, making or deleting snapshots (qemu-img does it while the guest is
 * off).
 *
 * What is on disk is consistent at any instant, but for clusters counted and not used. The order:
 *   a) counts of clusters taken, new L2 tables, guest data;  fdatasync
 *   b) L2 tables in use, L1;                                 fdatasync
 *   c) counts of clusters given up, which may be taken again only now.
 * qcow2_commit() does it, at a guest's flush and when a cache is full of changes.
 */
#ifndef DM_BLOCK_QCOW2_H
#define DM_BLOCK_QCOW2_H

#include <pthread.h>

#include "block/driver.h"

#define QCOW2_OFFSET_MASK 0x00fffffffffffe00ull
#define QCOW2_COPIED	  (1ull << 63)
#define QCOW2_COMPRESSED  (1ull << 62)
#define QCOW2_ZERO	  1ull

enum qcow2_incompatible {
	QCOW2_DIRTY = 1u << 0,
	QCOW2_CORRUPT = 1u << 1,
	QCOW2_DATA_FILE = 1u << 2,
	QCOW2_COMPRESSION = 1u << 3,
	QCOW2_EXTENDED_L2 = 1u << 4,
};

enum qcow2_header_offset {
	QCOW2_H_REFTABLE = 48,
	QCOW2_H_INCOMPATIBLE = 72,
	QCOW2_H_AUTOCLEAR = 88,
};

/* One L2 table or refcount block in memory. */
struct qcow2_table {
	uint64_t offset; /* in the file; 0: free slot */
	uint64_t used;	 /* clock of the last use */
	uint8_t *data;
	uint32_t dirty_from, dirty_to; /* bytes; equal: clean */
	bool is_new;		       /* an L2 table that no L1 entry on disk points to */
};

struct qcow2_cache {
	struct qcow2_table *tables;
	unsigned int nr;
	uint64_t clock;
};

/* Clusters that the tables in memory gave up and those on disk may still use. */
struct qcow2_free {
	uint64_t offset, clusters;
};

struct qcow2 {
	struct block_image *img;
	struct block_file *file;
	struct block_image *backing;
	char *backing_name, *backing_format;
	pthread_mutex_t lock; /* guards all below; one request at a time */
	unsigned int version, cluster_bits;
	uint32_t cluster_size, l2_entries;
	uint64_t incompatible;
	bool autoclear;
	bool broken; /* found inconsistent: no more writes */

	uint64_t l1_offset;
	uint32_t l1_size;
	uint64_t *l1;			     /* as on disk, in host order */
	uint32_t l1_dirty_from, l1_dirty_to; /* entries */

	unsigned int refcount_order; /* log2 of the bits */
	unsigned int block_bits;     /* log2 of the counts in a refcount block */
	uint64_t reftable_offset;
	uint32_t reftable_entries;
	uint64_t *reftable;
	uint64_t free_hint; /* cluster; none below it is free */
	uint64_t end;	    /* bytes; no cluster at or behind it is in use */

	uint32_t nr_snapshots;
	uint64_t snapshots_offset;

	struct qcow2_cache l2, blocks;
	struct qcow2_free *frees;
	uint32_t nr_frees, max_frees;
	bool changed; /* there is something for qcow2_commit() */

	uint8_t *bounce;	 /* a cluster: old contents around a small write */
	uint8_t *inflated;	 /* a cluster: the last compressed one that was read */
	uint64_t inflated_entry; /* whose it is, 0: none */
};

/* qcow2.c */
/* Log and mark the image corrupt; it takes no more writes. Returns -EIO. */
int qcow2_broken(struct qcow2 *s, const char *what, uint64_t offset);
/* Read a table of big-endian 64-bit numbers at offset; NULL after logging why. */
uint64_t *qcow2_read_u64(struct qcow2 *s, uint64_t offset, uint32_t count, const char *what);
/* Write one header field of 8 bytes, and wait until it is on stable storage. */
int qcow2_header_set(struct qcow2 *s, unsigned int at, uint64_t value);
/* Whether [offset, offset + len) is aligned to clusters and inside the file. */
bool qcow2_range_ok(const struct qcow2 *s, uint64_t offset, uint64_t len);
/* Whether the cluster range holds header, L1, refcount table or a table in memory. */
bool qcow2_overlaps(const struct qcow2 *s, uint64_t offset, uint64_t len);
/* See above. Afterwards nothing of what was written before can be lost. */
int qcow2_commit(struct qcow2 *s);

/* qcow2_header.c */
int qcow2_header_read(struct qcow2 *s);

/* qcow2_cache.c */
void qcow2_cache_init(struct qcow2_cache *c, unsigned int nr);
void qcow2_cache_free(struct qcow2_cache *c);
/* The table at offset, read if need be. */
int qcow2_cache_get(struct qcow2 *s, struct qcow2_cache *c, uint64_t offset,
		    struct qcow2_table **t);
/* A slot for a new table of zeros. */
int qcow2_cache_new(struct qcow2 *s, struct qcow2_cache *c, uint64_t offset,
		    struct qcow2_table **t);
/* Its cluster is no table any more. */
void qcow2_cache_forget(struct qcow2_cache *c, uint64_t offset);
void qcow2_table_dirty(struct qcow2_table *t, uint32_t from, uint32_t to);
int qcow2_cache_write(struct qcow2 *s, struct qcow2_cache *c, bool only_new);

/* qcow2_refcount.c */
int qcow2_refcount_get(struct qcow2 *s, uint64_t cluster, uint64_t *value);
int qcow2_refcount_set(struct qcow2 *s, uint64_t cluster, uint64_t value);
int qcow2_refcount_find_end(struct qcow2 *s);
uint64_t qcow2_refcount_max(const struct qcow2 *s);
/* Take up to n adjacent clusters; got says how many. */
int qcow2_alloc(struct qcow2 *s, uint64_t n, uint64_t *offset, uint64_t *got);
/* Undo an allocation that nothing refers to. */
void qcow2_alloc_undo(struct qcow2 *s, uint64_t offset, uint64_t n);
/* Give up clusters as soon as the tables on disk do not use them. */
int qcow2_free_later(struct qcow2 *s, uint64_t offset, uint64_t clusters);
int qcow2_free_now(struct qcow2 *s);

/* qcow2_l2.c */
/* The L2 table for a guest offset; *t is NULL when there is none. */
int qcow2_l2_get(struct qcow2 *s, uint64_t guest, struct qcow2_table **t);
/* The same for changes: made or copied if need be. */
int qcow2_l2_get_write(struct qcow2 *s, uint64_t guest, struct qcow2_table **t);
uint32_t qcow2_l2_index(const struct qcow2 *s, uint64_t guest);
uint64_t qcow2_l2_entry(const struct qcow2_table *t, uint32_t index);
void qcow2_l2_set(struct qcow2 *s, struct qcow2_table *t, uint32_t index, uint64_t entry);
/* Give up what an L2 entry refers to. */
int qcow2_entry_free(struct qcow2 *s, uint64_t entry);
/* Host bytes of a compressed cluster. */
void qcow2_compressed_place(const struct qcow2 *s, uint64_t entry, uint64_t *offset, uint32_t *len);

/* qcow2_io.c */
int qcow2_read_locked(struct qcow2 *s, uint64_t offset, uint8_t *buf, size_t len);
int qcow2_write_locked(struct qcow2 *s, uint64_t offset, const uint8_t *buf, size_t len);
int qcow2_discard_locked(struct qcow2 *s, uint64_t offset, uint64_t len);

/* qcow2_rebuild.c */
int qcow2_rebuild(struct qcow2 *s);

#endif
