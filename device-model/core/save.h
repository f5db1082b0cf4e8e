/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saved device state: named, versioned records {device, instance, version, bytes}. A record that is
 * unknown, missing, too new, short or too long fails the restore with a message that names it. What a
 * record holds is one table of fields per device, which saves, loads and shows it. Integers are little-endian.
 */
#ifndef DM_CORE_SAVE_H
#define DM_CORE_SAVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct machine;

enum save_kind {
	SAVE_KIND_INT,
	SAVE_KIND_BOOL,
	SAVE_KIND_AGE,	   /* of a clock_ns() value: saved as the time since then */
	SAVE_KIND_PRESENT, /* a pointer: saved as whether it is NULL */
	SAVE_KIND_PART,	   /* structs with a table of their own */
};

struct save_field {
	const char *name; /* NULL ends a table */
	enum save_kind kind;
	uint32_t offset; /* in the object */
	uint32_t size;	 /* of an element, in memory */
	uint32_t count;	 /* elements */
	uint32_t width;	 /* bytes of an element in the file */
	const struct save_field *part;
	/* Optional. How many of the elements are there; asked after the fields before were loaded. */
	size_t (*present)(const void *obj);
	bool pointer;	    /* the member points to the elements */
	bool same;	    /* the value must be what the machine has already */
	uint8_t first;	    /* version that had it first; 0: it was always there */
	uint8_t last;	    /* version that had it last; 0: it is still there */
	uint64_t mask, max; /* of a loaded value, 0: any. Bits outside the mask are dropped. */
};

#define SAVE_SIZEOF(type, member) sizeof(((type *)0)->member)
/* clang-format off */
#define SAVE_MEMBER(type, member, element, stored, ...)                                            \
	{ .name = #member, .offset = offsetof(type, member), .size = (element), .width = (stored),  \
	  .count = SAVE_SIZEOF(type, member) / (element), __VA_ARGS__ }
/* An integer or bool, with further members of struct save_field; the second is stored with another width. */
#define SAVE(type, member, ...)                                                                    \
	SAVE_MEMBER(type, member, SAVE_SIZEOF(type, member), SAVE_SIZEOF(type, member),             \
		    .kind = _Generic(((type *)0)->member, bool: SAVE_KIND_BOOL, default: SAVE_KIND_INT), \
		    __VA_ARGS__)
#define SAVE_AS(type, member, bytes, ...)                                                          \
	SAVE_MEMBER(type, member, SAVE_SIZEOF(type, member), bytes, __VA_ARGS__)
#define SAVE_ARRAY(type, member, ...)                                                              \
	SAVE_MEMBER(type, member, SAVE_SIZEOF(type, member[0]), SAVE_SIZEOF(type, member[0]),       \
		    __VA_ARGS__)
#define SAVE_BYTES(type, member, length, ...)                                                      \
	{ .name = #member, .offset = offsetof(type, member), .size = 1, .width = 1,                 \
	  .count = UINT32_MAX, .present = (length), __VA_ARGS__ }
#define SAVE_AGE(type, member)                                                                     \
	SAVE_MEMBER(type, member, 8, 8, .kind = SAVE_KIND_AGE)
#define SAVE_PRESENT(type, member)                                                                 \
	SAVE_MEMBER(type, member, sizeof(void *), 1, .kind = SAVE_KIND_PRESENT)
/* A struct, or an array of them. */
#define SAVE_PART(type, member, table)                                                             \
	SAVE_MEMBER(type, member, SAVE_SIZEOF(type, member), 0, .kind = SAVE_KIND_PART, .part = (table))
#define SAVE_PARTS(type, member, table, ...)                                                       \
	SAVE_MEMBER(type, member, SAVE_SIZEOF(type, member[0]), 0, .kind = SAVE_KIND_PART,          \
		    .part = (table), __VA_ARGS__)
/* A struct that the member points to. */
#define SAVE_AT(type, at, table, ...)                                                              \
	{ .name = #at, .kind = SAVE_KIND_PART, .offset = offsetof(type, at), .count = 1,            \
	  .size = SAVE_SIZEOF(type, at[0]), .part = (table), .pointer = true, __VA_ARGS__ }
#define SAVE_END { .name = NULL }
/* clang-format on */

struct save_ops {
	const char *name; /* at most 31 characters */
	uint32_t version; /* of what is written; older ones load */
	const struct save_field *fields;
	/* Optional: bring the fields up to date before they are saved, shown or compared with a file's. */
	void (*refresh)(void *obj);
	/* Optional: check what was loaded and put it to use. 0, or -EINVAL for a state no device can be in. */
	int (*loaded)(void *obj, uint32_t version);
};

/* instance tells equal devices apart. */
void save_register(struct machine *m, const struct save_ops *ops, unsigned int instance, void *obj);
void save_unregister(struct machine *m, void *obj);

/* The whole machine to a file descriptor. 0 or -errno (logged). */
int save_machine(struct machine *m, int fd);
/*
 * Restore in two steps: read and check the file's frame before any device exists (a device may then
 * peek at its own record), load the records into the devices when all exist.
 */
int save_read_file(struct machine *m, int fd);
/* obj as it is in the file that save_read_file read; false when it is not there or makes no sense. */
bool save_peek(struct machine *m, const struct save_ops *ops, unsigned int instance, void *obj);
int save_load_machine(struct machine *m);
/* The state of each device whose name begins with name, as text; malloc'd. */
char *save_show(struct machine *m, const char *name);

#endif
