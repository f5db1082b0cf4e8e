/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saved state as a file: a header, one record per registered device, an end record. See save.h. The
 * format is ours; a stream of qemu-xen is recognised and refused by name. libxl takes a stream that was cut off for
 * one that ended, and fills up with zeros what is missing of this file, so the end record holds a sum.
 */
#include "core/save.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "core/ahead.h"
#include "core/bus_priv.h"
#include "core/log.h"
#include "core/machine.h"
#include "core/timer.h"
#include "core/util.h"

#define SAVE_MAGIC	 0x4d4448544e494c50ull /* "PLINTHDM" in memory order */
#define SAVE_FORMAT	 2
#define SAVE_FORMAT_BARE 1 /* its end record is empty: nothing tells that it is whole */
#define SAVE_NAME_MAX	 32
#define SAVE_RECORD_MAX	 (64u << 20)
#define QEMU_MAGIC	 0x4d564551u /* "QEVM" */
#define SHOWN_MAX	 64u	     /* elements of an array that are shown */

struct save_buf {
	uint8_t *data;
	size_t len, cap, pos;
};

struct save_handler {
	const struct save_ops *ops;
	unsigned int instance;
	void *obj;
	bool loaded;
	struct save_handler *next;
};

struct record_header {
	char name
		[SAVE_NAME_MAX]; /* empty: end of the file, and the instance is the CRC-32 of all before */
	uint32_t instance, version, len;
};

/* A file that is read. */
struct save_file {
	int fd;
	uint32_t format;
	uint32_t sum; /* of what has been read */
};

struct save_record {
	struct record_header header;
	struct save_buf buf;
	struct save_record *next;
};

struct save_state {
	struct save_handler *handlers; /* in order of registration */
	struct save_record *records;   /* of the file to restore, in its order */
};

void save_init(struct machine *m)
{
	m->save = xzalloc(sizeof(*m->save));
}

void save_register(struct machine *m, const struct save_ops *ops, unsigned int instance, void *obj)
{
	struct save_handler *h = xzalloc(sizeof(*h)), **p = &m->save->handlers;

	*h = (struct save_handler){ .ops = ops, .instance = instance, .obj = obj };
	while (*p)
		p = &(*p)->next;
	*p = h;
}

void save_unregister(struct machine *m, void *obj)
{
	struct save_handler **p = &m->save->handlers, *h;

	while ((h = *p)) {
		if (h->obj != obj) {
			p = &h->next;
			continue;
		}
		*p = h->next;
		free(h);
	}
}

/* ---- fields ---- */

static void put_bytes(struct save_buf *b, const void *p, size_t len)
{
	if (b->len + len > b->cap) {
		b->cap = (b->len + len) * 2 + 256;
		b->data = xrealloc(b->data, b->cap);
	}
	if (len)
		memcpy(b->data + b->len, p, len);
	b->len += len;
}

static uint8_t *elements(const struct save_field *f, void *obj)
{
	uint8_t *at = (uint8_t *)obj + f->offset;

	return f->pointer ? *(uint8_t **)at : at;
}

static size_t element_count(const struct save_field *f, const void *obj)
{
	size_t n = f->present ? f->present(obj) : f->count;

	return MIN(n, f->count);
}

static bool in_version(const struct save_field *f, uint32_t version)
{
	return version >= f->first && (!f->last || version <= f->last);
}

static uint64_t value_get(const struct save_field *f, const void *p)
{
	switch (f->kind) {
	case SAVE_KIND_PRESENT:
		return *(void *const *)p != NULL;
	case SAVE_KIND_AGE:
		return clock_ns() - load_le(p, f->size);
	default:
		return load_le(p, f->size);
	}
}

static void fields_put(struct save_buf *b, const struct save_field *f, void *obj, uint32_t version)
{
	for (; f->name; f++) {
		uint8_t *p = elements(f, obj);
		size_t n = in_version(f, version) ? element_count(f, obj) : 0;

		if (f->width == 1 && f->size == 1) {
			put_bytes(b, p, n);
			continue;
		}
		for (; n; n--, p += f->size) {
			uint64_t v = f->part ? 0 : value_get(f, p);

			if (f->part)
				fields_put(b, f->part, p, version);
			else
				put_bytes(b, &v, f->width);
		}
	}
}

/* One integer of a file into the object; false: it cannot be. */
static bool value_set(const struct save_field *f, void *p, uint64_t v)
{
	if (f->mask)
		v &= f->mask;
	if (f->kind == SAVE_KIND_BOOL)
		v = v != 0;
	if ((f->max && v > f->max) ||
	    ((f->same || f->kind == SAVE_KIND_PRESENT) && v != value_get(f, p)))
		return false;
	if (f->kind == SAVE_KIND_AGE)
		v = clock_ns() - v;
	if (f->kind != SAVE_KIND_PRESENT)
		store_le(p, v, f->size);
	return true;
}

static const char *fields_get(struct save_buf *b, const struct save_field *f, void *obj,
			      uint32_t version);

/* The elements of one field. NULL, or the name of the field that is wrong. */
static const char *field_get(struct save_buf *b, const struct save_field *f, void *obj,
			     uint32_t version)
{
	uint8_t *p = elements(f, obj);
	size_t n = element_count(f, obj);
	const char *bad = NULL;

	if (!f->part && n > (b->len - b->pos) / f->width)
		return f->name;
	for (; n && !bad; n--, p += f->size) {
		if (f->part) {
			bad = fields_get(b, f->part, p, version);
			continue;
		}
		if (!value_set(f, p, load_le(b->data + b->pos, f->width)))
			bad = f->name;
		b->pos += f->width;
	}
	return bad;
}

static const char *fields_get(struct save_buf *b, const struct save_field *f, void *obj,
			      uint32_t version)
{
	const char *bad = NULL;

	for (; f->name && !bad; f++)
		if (in_version(f, version))
			bad = field_get(b, f, obj, version);
	return bad;
}

static void field_show(FILE *out, const struct save_field *f, uint8_t *p, size_t n, const char *in)
{
	size_t i;

	fprintf(out, "  %s%s:", in, f->name);
	for (i = 0; i < MIN(n, SHOWN_MAX); i++)
		fprintf(out, " %" PRIx64, value_get(f, p + i * f->size));
	fprintf(out, "%s\r\n", n > SHOWN_MAX ? " ..." : "");
}

static void fields_show(FILE *out, const struct save_field *f, void *obj, uint32_t version,
			const char *in)
{
	for (; f->name; f++) {
		uint8_t *p = elements(f, obj);
		size_t n = in_version(f, version) ? element_count(f, obj) : 0, i;

		if (!f->part && n)
			field_show(out, f, p, n, in);
		for (i = 0; f->part && i < n; i++) {
			char *name = f->count == 1 ? xasprintf("%s%s.", in, f->name)
						   : xasprintf("%s%s[%zu].", in, f->name, i);

			fields_show(out, f->part, p + i * f->size, version, name);
			free(name);
		}
	}
}

char *save_show(struct machine *m, const char *name)
{
	struct save_handler *h;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		log_fatal("out of memory");
	for (h = m->save->handlers; h; h = h->next) {
		if (strncmp(h->ops->name, name, strlen(name)))
			continue;
		if (h->ops->refresh)
			h->ops->refresh(h->obj);
		fprintf(out, "%s.%u\r\n", h->ops->name, h->instance);
		fields_show(out, h->ops->fields, h->obj, h->ops->version, "");
	}
	fclose(out);
	return text;
}

/* ---- the file ---- */

static int write_all(int fd, const void *buf, size_t len)
{
	const uint8_t *p = buf;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static int read_all(int fd, void *buf, size_t len)
{
	uint8_t *p = buf;

	while (len) {
		ssize_t n = read(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EPIPE;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static uint32_t sum_of(uint32_t before, const void *p, size_t len)
{
	return (uint32_t)crc32_z(before, p, len);
}

static int read_more(struct save_file *f, void *buf, size_t len)
{
	int rc = read_all(f->fd, buf, len);

	if (!rc)
		f->sum = sum_of(f->sum, buf, len);
	return rc;
}

int save_machine(struct machine *m, int fd)
{
	const uint64_t magic = SAVE_MAGIC;
	const uint32_t format = SAVE_FORMAT;
	struct record_header end = { .name = "" };
	struct save_buf all = { 0 };
	struct save_handler *h;
	int rc;

	ahead_settle(m);
	put_bytes(&all, &magic, sizeof(magic));
	put_bytes(&all, &format, sizeof(format));
	for (h = m->save->handlers; h; h = h->next) {
		struct record_header rec = { .instance = h->instance, .version = h->ops->version };
		struct save_buf b = { 0 };

		if (h->ops->refresh)
			h->ops->refresh(h->obj);
		fields_put(&b, h->ops->fields, h->obj, h->ops->version);
		strncpy(rec.name, h->ops->name, sizeof(rec.name) - 1);
		rec.len = (uint32_t)b.len;
		put_bytes(&all, &rec, sizeof(rec));
		put_bytes(&all, b.data, b.len);
		free(b.data);
	}
	end.instance = sum_of(0, all.data, all.len);
	put_bytes(&all, &end, sizeof(end));
	rc = write_all(fd, all.data, all.len);
	free(all.data);
	if (rc)
		log_error("cannot write the device state: %s", strerror(-rc));
	return rc;
}

static struct save_handler *handler_find(struct machine *m, const struct record_header *rec)
{
	struct save_handler *h;

	for (h = m->save->handlers; h; h = h->next)
		if (!strcmp(h->ops->name, rec->name) && h->instance == rec->instance)
			return h;
	return NULL;
}

/* A record into its device. NULL, or what is wrong with it. */
static const char *record_apply(struct save_record *rec, const struct save_ops *ops, void *obj)
{
	struct save_buf *b = &rec->buf;
	const char *bad;

	b->pos = 0;
	if (ops->refresh)
		ops->refresh(obj);
	bad = fields_get(b, ops->fields, obj, rec->header.version);
	if (bad)
		return bad;
	if (b->pos != b->len)
		return "length";
	return ops->loaded && ops->loaded(obj, rec->header.version) ? "combination" : NULL;
}

static int record_load(struct machine *m, struct save_record *rec)
{
	const struct record_header *hd = &rec->header;
	struct save_handler *h = handler_find(m, hd);
	const char *bad;

	if (!h || h->loaded) {
		log_error("restore: device %s.%u %s (was the configuration changed?)", hd->name,
			  hd->instance, h ? "comes twice" : "does not exist here");
		return -EINVAL;
	}
	if (hd->version > h->ops->version) {
		log_error("restore: %s has version %u, this program knows %u (use a newer one)",
			  hd->name, hd->version, h->ops->version);
		return -EINVAL;
	}
	bad = record_apply(rec, h->ops, h->obj);
	if (bad) {
		log_error("restore: the state of %s.%u is impossible or cut off (%s)", hd->name,
			  hd->instance, bad);
		return -EINVAL;
	}
	h->loaded = true;
	return 0;
}

static int header_load(struct save_file *f)
{
	uint64_t magic;

	if (read_more(f, &magic, sizeof(magic)) || read_more(f, &f->format, sizeof(f->format))) {
		log_error("restore: the saved device state is empty or cut off");
		return -EINVAL;
	}
	if ((uint32_t)magic == QEMU_MAGIC) {
		log_error("restore: this state was saved by qemu-xen, which must also restore it");
		return -EINVAL;
	}
	if (magic != SAVE_MAGIC || f->format < SAVE_FORMAT_BARE || f->format > SAVE_FORMAT) {
		log_error("restore: not a state that this device model wrote");
		return -EINVAL;
	}
	return 0;
}

static int missing_check(struct machine *m)
{
	struct save_handler *h;

	for (h = m->save->handlers; h; h = h->next) {
		if (h->loaded)
			continue;
		log_error("restore: the saved state lacks device %s.%u", h->ops->name, h->instance);
		return -EINVAL;
	}
	return 0;
}

/* One record of the file. 1: that was the end record, of a whole file. */
static int record_read(struct save_file *f, struct save_record ***tail)
{
	struct save_record *rec = xzalloc(sizeof(*rec));
	struct record_header *hd = &rec->header;
	uint32_t before = f->sum;
	int rc = read_more(f, hd, sizeof(*hd));

	if (!rc && (hd->len > SAVE_RECORD_MAX || hd->name[SAVE_NAME_MAX - 1]))
		rc = -EINVAL;
	if (!rc && !hd->name[0])
		rc = f->format == SAVE_FORMAT_BARE || hd->instance == before ? 1 : -EINVAL;
	if (rc) {
		free(rec);
		return rc;
	}
	rec->buf.data = xzalloc(hd->len);
	rec->buf.len = hd->len;
	**tail = rec;
	*tail = &rec->next;
	return read_more(f, rec->buf.data, rec->buf.len);
}

int save_read_file(struct machine *m, int fd)
{
	struct save_record **tail = &m->save->records;
	struct save_file f = { .fd = fd };
	int rc = header_load(&f);

	if (rc)
		return rc;
	while (!rc)
		rc = record_read(&f, &tail);
	if (rc == 1)
		return 0;
	log_error("restore: the saved device state is damaged or cut off");
	return -EINVAL;
}

bool save_peek(struct machine *m, const struct save_ops *ops, unsigned int instance, void *obj)
{
	struct save_record *rec;

	for (rec = m->save->records; rec; rec = rec->next) {
		rec->buf.pos = 0;
		if (!strcmp(rec->header.name, ops->name) && rec->header.instance == instance)
			return !fields_get(&rec->buf, ops->fields, obj, rec->header.version);
	}
	return false;
}

int save_load_machine(struct machine *m)
{
	struct save_record *rec, *next;
	int rc = 0;

	for (rec = m->save->records; rec; rec = next) {
		next = rec->next;
		if (!rc)
			rc = record_load(m, rec);
		free(rec->buf.data);
		free(rec);
	}
	m->save->records = NULL;
	return rc ? rc : missing_check(m);
}
