/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saved state as a file: a header, one record per registered device, an end record. See save.h. The
 * format is ours; a stream of qemu-xen is recognised and refused by name.
 */
#include "core/save.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/ahead.h"
#include "core/bus_priv.h"
#include "core/log.h"
#include "core/machine.h"
#include "core/util.h"

#define SAVE_MAGIC	0x4d4448544e494c50ull /* "PLINTHDM" in memory order */
#define SAVE_FORMAT	1
#define SAVE_NAME_MAX	32
#define SAVE_RECORD_MAX (64u << 20)
#define QEMU_MAGIC	0x4d564551u /* "QEVM" */

struct save_handler {
	const struct save_ops *ops;
	unsigned int instance;
	void *opaque;
	bool loaded;
	struct save_handler *next;
};

struct record_header {
	char name[SAVE_NAME_MAX]; /* empty: end of the file */
	uint32_t instance, version, len;
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

void save_register(struct machine *m, const struct save_ops *ops, unsigned int instance,
		   void *opaque)
{
	struct save_handler *h = xzalloc(sizeof(*h)), **p = &m->save->handlers;

	*h = (struct save_handler){ .ops = ops, .instance = instance, .opaque = opaque };
	while (*p)
		p = &(*p)->next;
	*p = h;
}

void save_unregister(struct machine *m, void *opaque)
{
	struct save_handler **p = &m->save->handlers, *h;

	while ((h = *p)) {
		if (h->opaque != opaque) {
			p = &h->next;
			continue;
		}
		*p = h->next;
		free(h);
	}
}

void save_bytes(struct save_buf *b, const void *p, size_t len)
{
	if (b->len + len > b->cap) {
		b->cap = (b->len + len) * 2 + 256;
		b->data = xrealloc(b->data, b->cap);
	}
	memcpy(b->data + b->len, p, len);
	b->len += len;
}

void save_u8(struct save_buf *b, uint8_t v)
{
	save_bytes(b, &v, sizeof(v));
}

void save_u16(struct save_buf *b, uint16_t v)
{
	save_bytes(b, &v, sizeof(v));
}

void save_u32(struct save_buf *b, uint32_t v)
{
	save_bytes(b, &v, sizeof(v));
}

void save_u64(struct save_buf *b, uint64_t v)
{
	save_bytes(b, &v, sizeof(v));
}

void save_bool(struct save_buf *b, bool v)
{
	save_u8(b, v);
}

void load_bytes(struct save_buf *b, void *p, size_t len)
{
	if (b->error || len > b->len - b->pos) {
		b->error = true;
		memset(p, 0, len);
		return;
	}
	memcpy(p, b->data + b->pos, len);
	b->pos += len;
}

uint8_t load_u8(struct save_buf *b)
{
	uint8_t v;

	load_bytes(b, &v, sizeof(v));
	return v;
}

uint16_t load_u16(struct save_buf *b)
{
	uint16_t v;

	load_bytes(b, &v, sizeof(v));
	return v;
}

uint32_t load_u32(struct save_buf *b)
{
	uint32_t v;

	load_bytes(b, &v, sizeof(v));
	return v;
}

uint64_t load_u64(struct save_buf *b)
{
	uint64_t v;

	load_bytes(b, &v, sizeof(v));
	return v;
}

bool load_bool(struct save_buf *b)
{
	return load_u8(b) != 0;
}

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

int save_machine(struct machine *m, int fd)
{
	struct record_header end = { .name = "" };
	struct save_buf all = { 0 };
	struct save_handler *h;
	int rc;

	ahead_settle(m);
	save_u64(&all, SAVE_MAGIC);
	save_u32(&all, SAVE_FORMAT);
	for (h = m->save->handlers; h; h = h->next) {
		struct record_header rec = { .instance = h->instance, .version = h->ops->version };
		struct save_buf b = { 0 };

		h->ops->save(h->opaque, &b);
		strncpy(rec.name, h->ops->name, sizeof(rec.name) - 1);
		rec.len = (uint32_t)b.len;
		save_bytes(&all, &rec, sizeof(rec));
		if (b.len)
			save_bytes(&all, b.data, b.len);
		free(b.data);
	}
	save_bytes(&all, &end, sizeof(end));
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

static int record_load(struct machine *m, struct save_record *rec)
{
	const struct record_header *hd = &rec->header;
	struct save_handler *h = handler_find(m, hd);
	struct save_buf *b = &rec->buf;
	int rc;

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
	b->pos = 0;
	rc = h->ops->load(h->opaque, b, hd->version);
	if (rc || b->error || b->pos != b->len) {
		log_error("restore: the state of %s.%u is %s", hd->name, hd->instance,
			  rc	     ? "impossible"
			  : b->error ? "too short"
				     : "too long");
		return -EINVAL;
	}
	h->loaded = true;
	return 0;
}

static int header_load(int fd)
{
	uint64_t magic;
	uint32_t format;

	if (read_all(fd, &magic, sizeof(magic)) || read_all(fd, &format, sizeof(format))) {
		log_error("restore: the saved device state is empty or cut off");
		return -EINVAL;
	}
	if ((uint32_t)magic == QEMU_MAGIC) {
		log_error("restore: this state was saved by qemu-xen, which must also restore it");
		return -EINVAL;
	}
	if (magic != SAVE_MAGIC || format != SAVE_FORMAT) {
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

/* One record of the file. 1: that was the end record. */
static int record_read(struct machine *m, int fd, struct save_record ***tail)
{
	struct save_record *rec = xzalloc(sizeof(*rec));
	struct record_header *hd = &rec->header;
	int rc = read_all(fd, hd, sizeof(*hd));

	if (!rc && (hd->len > SAVE_RECORD_MAX || hd->name[SAVE_NAME_MAX - 1]))
		rc = -EINVAL;
	if (!rc && !hd->name[0])
		rc = 1;
	if (rc) {
		free(rec);
		return rc;
	}
	rec->buf.data = xzalloc(hd->len);
	rec->buf.len = hd->len;
	**tail = rec;
	*tail = &rec->next;
	return read_all(fd, rec->buf.data, rec->buf.len);
}

int save_read_file(struct machine *m, int fd)
{
	struct save_record **tail = &m->save->records;
	int rc = header_load(fd);

	if (rc)
		return rc;
	while (!rc)
		rc = record_read(m, fd, &tail);
	if (rc == 1)
		return 0;
	log_error("restore: the saved device state is damaged or cut off");
	return -EINVAL;
}

bool save_peek(struct machine *m, const char *name, unsigned int instance, struct save_buf *b)
{
	struct save_record *rec;

	for (rec = m->save->records; rec; rec = rec->next) {
		if (strcmp(rec->header.name, name) || rec->header.instance != instance)
			continue;
		*b = rec->buf;
		b->pos = 0;
		return true;
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
