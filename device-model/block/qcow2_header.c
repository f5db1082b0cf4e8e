/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The header of a qcow2 image and its extensions (qcow2.txt, "Header", "Feature name table"). Nothing
 * else is believed to be in range because it was checked here, but sizes of tables are.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "block/qcow2.h"
#include "core/log.h"
#include "core/util.h"

#define HEADER_V2	   72u
#define HEADER_V3	   104u
#define MAX_L1_BYTES	   (32u << 20)
#define MAX_REFTABLE_BYTES (8u << 20)
#define MAX_SNAPSHOTS	   65536u
#define MAX_BACKING_NAME   1023u

enum extension {
	EXT_END = 0,
	EXT_BACKING_FORMAT = 0xe2792aca,
	EXT_FEATURE_NAMES = 0x6803f857,
};

struct header {
	uint8_t *data; /* the first cluster */
	uint32_t len;  /* of the fixed part */
};

static int refuse(const struct qcow2 *s, const char *why)
{
	log_error("%s: %s", s->file->name, why);
	return -EINVAL;
}

static uint32_t compression_type(const struct header *h)
{
	return h->len > 104 ? h->data[104] : 0;
}

static void backing_format(struct qcow2 *s, const uint8_t *text, uint32_t len)
{
	free(s->backing_format);
	s->backing_format = xasprintf("%.*s", (int)MIN(len, 15), (const char *)text);
}

/* Say which features of the image we lack, by the names that the image gives them. */
static void name_unknown(struct qcow2 *s, const uint8_t *names, uint32_t len, uint64_t unknown)
{
	uint32_t i;

	for (i = 0; names && i + 48 <= len; i += 48) {
		if (names[i] || names[i + 1] >= 64 || !(unknown >> names[i + 1] & 1))
			continue;
		log_error("%s needs the qcow2 feature \"%.46s\", which is not supported",
			  s->file->name, (const char *)names + i + 2);
		unknown &= ~(1ull << names[i + 1]);
	}
	if (unknown)
		log_error("%s needs qcow2 features that are not supported (bits 0x%llx)",
			  s->file->name, (unsigned long long)unknown);
}

static int features_check(struct qcow2 *s, const struct header *h, const uint8_t *names,
			  uint32_t names_len)
{
	uint64_t unknown = s->incompatible & ~0x1full;

	if (unknown) {
		name_unknown(s, names, names_len, unknown);
		return -ENOTSUP;
	}
	if (get_be32(h->data + 32))
		return refuse(s, "encrypted images are not supported; decrypt it with \"qemu-img "
				 "convert\"");
	if (s->incompatible & QCOW2_DATA_FILE)
		return refuse(s, "external data files are not supported; use \"qemu-img convert -O "
				 "qcow2\"");
	if (s->incompatible & QCOW2_EXTENDED_L2)
		return refuse(s, "extended L2 entries are not supported; use \"qemu-img convert -O "
				 "qcow2 -o extended_l2=off\"");
	if (s->incompatible & QCOW2_COMPRESSION && compression_type(h))
		return refuse(s, "compression other than zlib is not supported; use \"qemu-img "
				 "convert -O qcow2 -o compression_type=zlib\"");
	if (s->incompatible & QCOW2_CORRUPT && !s->img->read_only)
		return refuse(s, "the image is marked corrupt; repair it with \"qemu-img check -r "
				 "all\", or use it read-only");
	return 0;
}

/* Extensions lie between the header and the backing file's name, inside the first cluster. */
static int extensions_read(struct qcow2 *s, const struct header *h, uint32_t end)
{
	const uint8_t *names = NULL;
	uint32_t at = h->len, names_len = 0;

	while (at + 8 <= end) {
		uint32_t type = get_be32(h->data + at), len = get_be32(h->data + at + 4);

		at += 8;
		if (type == EXT_END)
			break;
		if (len > end - at)
			return refuse(s, "a qcow2 header extension is longer than the header");
		if (type == EXT_BACKING_FORMAT)
			backing_format(s, h->data + at, len);
		if (type == EXT_FEATURE_NAMES) {
			names = h->data + at;
			names_len = len;
		}
		at += MIN((len + 7) & ~7u, end - at);
	}
	return features_check(s, h, names, names_len);
}

static int names_read(struct qcow2 *s, const struct header *h)
{
	uint64_t at = get_be64(h->data + 8);
	uint32_t len = get_be32(h->data + 16);

	if (!at)
		return extensions_read(s, h, s->cluster_size);
	if (at < h->len || len > MAX_BACKING_NAME || at > s->cluster_size ||
	    len > s->cluster_size - at)
		return refuse(s, "the name of the backing file is not in the header");
	s->backing_name = xasprintf("%.*s", (int)len, (const char *)h->data + at);
	return extensions_read(s, h, (uint32_t)at);
}

static int geometry_check(struct qcow2 *s)
{
	uint64_t per_l1 = (uint64_t)s->cluster_size * s->l2_entries;

	if (s->img->size > (uint64_t)INT64_MAX - per_l1 ||
	    (s->img->size + per_l1 - 1) / per_l1 > s->l1_size)
		return refuse(s, "the qcow2 L1 table is too small for the disk");
	if ((uint64_t)s->l1_size * 8 > MAX_L1_BYTES)
		return refuse(s, "the qcow2 L1 table is larger than 32 MiB");
	if (!s->reftable_entries || (uint64_t)s->reftable_entries * 8 > MAX_REFTABLE_BYTES)
		return refuse(s, "the qcow2 refcount table is empty or larger than 8 MiB");
	if (s->nr_snapshots > MAX_SNAPSHOTS)
		return refuse(s, "more than 65536 snapshots");
	return 0;
}

static int fields_read(struct qcow2 *s, struct header *h)
{
	const uint8_t *d = h->data;
	uint64_t reftable_clusters = get_be32(d + 56);

	s->img->size = (get_be64(d + 24) + 511) & ~511ull;
	s->l1_size = get_be32(d + 36);
	s->l1_offset = get_be64(d + 40);
	s->reftable_offset = get_be64(d + QCOW2_H_REFTABLE);
	s->nr_snapshots = get_be32(d + 60);
	s->snapshots_offset = get_be64(d + 64);
	s->refcount_order = 4;
	h->len = HEADER_V2;
	if (s->version == 3) {
		s->incompatible = get_be64(d + QCOW2_H_INCOMPATIBLE);
		s->autoclear = get_be64(d + QCOW2_H_AUTOCLEAR);
		s->refcount_order = get_be32(d + 96);
		h->len = get_be32(d + 100);
	}
	if (s->version == 3 && (h->len < HEADER_V3 || h->len > s->cluster_size || h->len & 7))
		return refuse(s, "the length of the qcow2 header is wrong");
	if (s->refcount_order > 6)
		return refuse(s, "qcow2 refcounts of more than 64 bits");
	s->block_bits = s->cluster_bits + 3 - s->refcount_order;
	if (reftable_clusters > MAX_REFTABLE_BYTES / 512)
		return refuse(s, "the qcow2 refcount table is larger than 8 MiB");
	s->reftable_entries = (uint32_t)MIN(reftable_clusters << (s->cluster_bits - 3), UINT32_MAX);
	return 0;
}

int qcow2_header_read(struct qcow2 *s)
{
	struct header h = { 0 };
	uint8_t start[24];
	int rc = block_file_read(s->file, 0, start, sizeof(start));

	if (rc)
		return refuse(s, "cannot read the header");
	if (!block_file_is_qcow2(s->file))
		return refuse(s, "this is no qcow2 image; say format=raw if it is a raw one");
	s->version = get_be32(start + 4);
	if (s->version != 2 && s->version != 3)
		return refuse(s, "qcow2 versions other than 2 and 3 are not supported");
	s->cluster_bits = get_be32(start + 20);
	if (s->cluster_bits < 9 || s->cluster_bits > 21)
		return refuse(s, "qcow2 clusters are of 512 bytes to 2 MiB");
	s->cluster_size = 1u << s->cluster_bits;
	s->l2_entries = s->cluster_size / 8;
	h.data = xzalloc(s->cluster_size);
	rc = block_file_read(s->file, 0, h.data, s->cluster_size);
	if (!rc)
		rc = fields_read(s, &h);
	if (!rc)
		rc = names_read(s, &h);
	if (!rc)
		rc = geometry_check(s);
	free(h.data);
	return rc;
}
