/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A small JSON parser and writer. See json.h. */
#include "core/json.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/util.h"

#define JSON_MAX_DEPTH 16

struct parser {
	const char *p, *end;
	unsigned int depth;
};

static struct json *parse_value(struct parser *s);

static void skip_space(struct parser *s)
{
	while (s->p < s->end && strchr(" \t\r\n", *s->p) && *s->p)
		s->p++;
}

static bool take(struct parser *s, char c)
{
	skip_space(s);
	if (s->p >= s->end || *s->p != c)
		return false;
	s->p++;
	return true;
}

void json_free(struct json *j)
{
	while (j) {
		struct json *next = j->next;

		json_free(j->child);
		free(j->string);
		free(j->key);
		free(j);
		j = next;
	}
}

static struct json *new_value(enum json_type type)
{
	struct json *j = xzalloc(sizeof(*j));

	j->type = type;
	return j;
}

static size_t utf8_put(char *out, unsigned int c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	out[0] = (char)(0xe0 | c >> 12);
	out[1] = (char)(0x80 | (c >> 6 & 0x3f));
	out[2] = (char)(0x80 | (c & 0x3f));
	return 3;
}

/* After the backslash. Returns bytes written to out, 0 for nonsense. */
static size_t parse_escape(struct parser *s, char *out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at;
	char hex[5] = "", *end;
	unsigned int code;

	if (s->p >= s->end)
		return 0;
	at = *s->p ? strchr(from, *s->p) : NULL;
	if (at) {
		s->p++;
		*out = to[at - from];
		return 1;
	}
	if (*s->p != 'u' || s->end - s->p < 5)
		return 0;
	memcpy(hex, s->p + 1, 4);
	code = (unsigned int)strtoul(hex, &end, 16);
	if (*end || !code)
		return 0;
	s->p += 5;
	return utf8_put(out, code);
}

static char *parse_string(struct parser *s)
{
	size_t n = 0;
	char *out;

	if (!take(s, '"'))
		return NULL;
	out = xzalloc((size_t)(s->end - s->p) + 4);
	while (s->p < s->end && *s->p != '"') {
		size_t got;

		if ((unsigned char)*s->p < 0x20)
			break;
		if (*s->p != '\\') {
			out[n++] = *s->p++;
			continue;
		}
		s->p++;
		got = parse_escape(s, out + n);
		if (!got)
			break;
		n += got;
	}
	if (s->p < s->end && *s->p == '"') {
		s->p++;
		return out;
	}
	free(out);
	return NULL;
}

static struct json *parse_number(struct parser *s)
{
	char text[32];
	size_t n = 0;
	struct json *j;
	char *end;

	while (s->p < s->end && n < sizeof(text) - 1 && *s->p &&
	       (isdigit((unsigned char)*s->p) || strchr("+-.eE", *s->p)))
		text[n++] = *s->p++;
	text[n] = 0;
	j = new_value(JSON_NUMBER);
	j->number = strtoll(text, &end, 10);
	if (end == text) {
		json_free(j);
		return NULL;
	}
	return j;
}

static struct json *parse_word(struct parser *s)
{
	static const struct {
		const char *word;
		enum json_type type;
		bool boolean;
	} words[] = { { "true", JSON_BOOL, true },
		      { "false", JSON_BOOL, false },
		      { "null", JSON_NULL, false } };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		size_t len = strlen(words[i].word);
		struct json *j;

		if ((size_t)(s->end - s->p) < len || memcmp(s->p, words[i].word, len))
			continue;
		s->p += len;
		j = new_value(words[i].type);
		j->boolean = words[i].boolean;
		return j;
	}
	return NULL;
}

static struct json *parse_member(struct parser *s, bool is_object)
{
	char *key = NULL;
	struct json *j;

	if (is_object) {
		key = parse_string(s);
		if (!key || !take(s, ':')) {
			free(key);
			return NULL;
		}
	}
	j = parse_value(s);
	if (j)
		j->key = key;
	else
		free(key);
	return j;
}

static struct json *parse_container(struct parser *s, bool is_object)
{
	struct json *j = new_value(is_object ? JSON_OBJECT : JSON_ARRAY), **tail = &j->child;
	char close = is_object ? '}' : ']';

	s->p++;
	if (take(s, close))
		return j;
	if (++s->depth > JSON_MAX_DEPTH)
		goto bad;
	do {
		*tail = parse_member(s, is_object);
		if (!*tail)
			goto bad;
		tail = &(*tail)->next;
	} while (take(s, ','));
	s->depth--;
	if (take(s, close))
		return j;
bad:
	json_free(j);
	return NULL;
}

static struct json *parse_value(struct parser *s)
{
	struct json *j;

	skip_space(s);
	if (s->p >= s->end)
		return NULL;
	if (*s->p == '{' || *s->p == '[')
		return parse_container(s, *s->p == '{');
	if (*s->p == '-' || isdigit((unsigned char)*s->p))
		return parse_number(s);
	if (*s->p != '"')
		return parse_word(s);
	j = new_value(JSON_STRING);
	j->string = parse_string(s);
	if (j->string)
		return j;
	json_free(j);
	return NULL;
}

struct json *json_parse(const char *text, size_t len, size_t *used)
{
	struct parser s = { text, text + len, 0 };
	struct json *j = parse_value(&s);

	*used = (size_t)(s.p - text);
	return j;
}

const struct json *json_get(const struct json *j, const char *key)
{
	const struct json *c = j && j->type == JSON_OBJECT ? j->child : NULL;

	while (c && strcmp(c->key, key))
		c = c->next;
	return c;
}

const char *json_str(const struct json *j, const char *key, const char *fallback)
{
	const struct json *c = json_get(j, key);

	return c && c->type == JSON_STRING ? c->string : fallback;
}

int64_t json_int(const struct json *j, const char *key, int64_t fallback)
{
	const struct json *c = json_get(j, key);

	return c && c->type == JSON_NUMBER ? c->number : fallback;
}

bool json_bool(const struct json *j, const char *key, bool fallback)
{
	const struct json *c = json_get(j, key);

	return c && c->type == JSON_BOOL ? c->boolean : fallback;
}

long json_object_length(const char *text, size_t len)
{
	bool in_string = false;
	long depth = 0;
	size_t i = 0;

	while (i < len && isspace((unsigned char)text[i]))
		i++;
	if (i < len && text[i] != '{')
		return -1;
	for (; i < len; i++) {
		char c = text[i];

		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			depth++;
		} else if ((c == '}' || c == ']') && --depth == 0) {
			return (long)i + 1;
		}
	}
	return 0;
}

static void put(struct json_out *o, const char *s, size_t len)
{
	if (o->len + len + 1 > o->cap) {
		o->cap = (o->len + len) * 2 + 256;
		o->text = xrealloc(o->text, o->cap);
	}
	memcpy(o->text + o->len, s, len);
	o->len += len;
	o->text[o->len] = 0;
}

static void put_string(struct json_out *o, const char *s)
{
	put(o, "\"", 1);
	for (; *s; s++) {
		char esc[8];

		if (*s == '"' || *s == '\\')
			snprintf(esc, sizeof(esc), "\\%c", *s);
		else if ((unsigned char)*s < 0x20)
			snprintf(esc, sizeof(esc), "\\u%04x", *s);
		else
			snprintf(esc, sizeof(esc), "%c", *s);
		put(o, esc, strlen(esc));
	}
	put(o, "\"", 1);
}

static void put_key(struct json_out *o, const char *key)
{
	if (o->need_comma)
		put(o, ", ", 2);
	o->need_comma = true;
	if (!key)
		return;
	put_string(o, key);
	put(o, ": ", 2);
}

void jout_open(struct json_out *o, const char *key, char bracket)
{
	put_key(o, key);
	put(o, &bracket, 1);
	o->need_comma = false;
}

void jout_close(struct json_out *o, char bracket)
{
	put(o, &bracket, 1);
	o->need_comma = true;
}

void jout_str(struct json_out *o, const char *key, const char *value)
{
	put_key(o, key);
	put_string(o, value);
}

void jout_int(struct json_out *o, const char *key, int64_t value)
{
	char text[24];

	put_key(o, key);
	snprintf(text, sizeof(text), "%" PRId64, value);
	put(o, text, strlen(text));
}

void jout_bool(struct json_out *o, const char *key, bool value)
{
	put_key(o, key);
	put(o, value ? "true" : "false", value ? 4 : 5);
}

void jout_value(struct json_out *o, const char *key, const struct json *value)
{
	const struct json *c;

	switch (value->type) {
	case JSON_BOOL:
		jout_bool(o, key, value->boolean);
		break;
	case JSON_NUMBER:
		jout_int(o, key, value->number);
		break;
	case JSON_STRING:
		jout_str(o, key, value->string);
		break;
	case JSON_ARRAY:
	case JSON_OBJECT:
		jout_open(o, key, value->type == JSON_ARRAY ? '[' : '{');
		for (c = value->child; c; c = c->next)
			jout_value(o, c->key, c);
		jout_close(o, value->type == JSON_ARRAY ? ']' : '}');
		break;
	default:
		put_key(o, key);
		put(o, "null", 4);
	}
}

void jout_free(struct json_out *o)
{
	free(o->text);
	*o = (struct json_out){ 0 };
}
