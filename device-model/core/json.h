/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON (RFC 8259) as the monitor needs it: a parser into a tree with limits on depth and size, and a
 * writer that appends to a buffer. Pure logic.
 */
#ifndef DM_CORE_JSON_H
#define DM_CORE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
	enum json_type type;
	bool boolean;
	int64_t number; /* fractions are cut off */
	char *string;
	char *key;	    /* in an object */
	struct json *child; /* first member or element */
	struct json *next;
};

/* Returns the tree or NULL. *used is set to the bytes consumed. text need not end with a zero. */
struct json *json_parse(const char *text, size_t len, size_t *used);
void json_free(struct json *j);
/* Member of an object or NULL; j may be NULL. */
const struct json *json_get(const struct json *j, const char *key);
/* The member's string, number or boolean, or the fallback when it is missing or of another type. */
const char *json_str(const struct json *j, const char *key, const char *fallback);
int64_t json_int(const struct json *j, const char *key, int64_t fallback);
bool json_bool(const struct json *j, const char *key, bool fallback);

/*
 * Length of the first complete object in text (from its brace to the closing one), 0 when it is not
 * complete yet, -1 when text does not begin with an object. Leading white space counts.
 */
long json_object_length(const char *text, size_t len);

struct json_out {
	char *text;
	size_t len, cap;
	bool need_comma;
};

/* key is NULL inside arrays and for the outermost value. */
void jout_open(struct json_out *o, const char *key, char bracket); /* '{' or '[' */
void jout_close(struct json_out *o, char bracket);
void jout_str(struct json_out *o, const char *key, const char *value);
void jout_int(struct json_out *o, const char *key, int64_t value);
void jout_bool(struct json_out *o, const char *key, bool value);
/* A parsed value again, as it was. */
void jout_value(struct json_out *o, const char *key, const struct json *value);
void jout_free(struct json_out *o);

#endif
