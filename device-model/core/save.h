/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saved device state: named, versioned records {device, instance, version, bytes}. A record that is
 * unknown, missing, too new, short or too long fails the restore with a message that names it.
 * Integers are little-endian.
 */
#ifndef DM_CORE_SAVE_H
#define DM_CORE_SAVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct machine;

struct save_buf {
	uint8_t *data;
	size_t len, cap, pos;
	bool error; /* sticky: read past the end */
};

struct save_ops {
	const char *name; /* at most 31 characters */
	uint32_t version;
	void (*save)(void *opaque, struct save_buf *b);
	/* version <= ops->version. 0, or -EINVAL for state no device can be in. */
	int (*load)(void *opaque, struct save_buf *b, uint32_t version);
};

/* instance tells equal devices apart. */
void save_register(struct machine *m, const struct save_ops *ops, unsigned int instance,
		   void *opaque);
void save_unregister(struct machine *m, void *opaque);

void save_u8(struct save_buf *b, uint8_t v);
void save_u16(struct save_buf *b, uint16_t v);
void save_u32(struct save_buf *b, uint32_t v);
void save_u64(struct save_buf *b, uint64_t v);
void save_bool(struct save_buf *b, bool v);
void save_bytes(struct save_buf *b, const void *p, size_t len);
uint8_t load_u8(struct save_buf *b);
uint16_t load_u16(struct save_buf *b);
uint32_t load_u32(struct save_buf *b);
uint64_t load_u64(struct save_buf *b);
bool load_bool(struct save_buf *b);
void load_bytes(struct save_buf *b, void *p, size_t len);

/* The whole machine to a file descriptor. 0 or -errno (logged). */
int save_machine(struct machine *m, int fd);
/*
 * Restore in two steps: read and check the file's frame before any device exists (a device may then
 * peek at its own record), load the records into the devices when all exist.
 */
int save_read_file(struct machine *m, int fd);
/* A record of the file that save_read_file read: fills b for load_*; false when there is none. */
bool save_peek(struct machine *m, const char *name, unsigned int instance, struct save_buf *b);
int save_load_machine(struct machine *m);

#endif
