/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the confined side may name: files that a monitor command named before, and nodes of xenstore that
 * are its domain's. Pure logic.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/keeper_priv.h"
#include "core/options.h"
#include "core/util.h"

#define MAX_NAMED 32 /* more push out the oldest */

struct named {
	char *path;
	enum keeper_mode mode;
	bool is_qcow2;
};

static struct {
	struct named named[MAX_NAMED];
	unsigned int next;
} names;
/* The guest. */
static struct {
	bool leaves;  /* by a command, and has not got its images again */
	bool is_here; /* it began here, or came and got its images */
} guest;

static void note(const char *path, enum keeper_mode mode, bool is_qcow2)
{
	struct named *n = &names.named[names.next++ % MAX_NAMED];

	free(n->path);
	*n = (struct named){ xstrdup(path), mode, is_qcow2 };
}

void keeper_name_backing(const char *path)
{
	note(path, KEEPER_READ, false);
}

static bool is_floppy(const struct options *o, const char *id)
{
	unsigned int i;

	for (i = 0; id && i < ARRAY_SIZE(o->floppies); i++) {
		char usual[16];

		snprintf(usual, sizeof(usual), "floppy%u", i);
		if (o->floppies[i].present &&
		    !strcmp(id, o->floppies[i].id ? o->floppies[i].id : usual))
			return true;
	}
	return false;
}

/* A diskette may be written; whether it is, the command says, and the device model obeys. */
static void note_medium(const struct options *o, const struct json *args, const char *path)
{
	bool is_qcow2 = !strcmp(json_str(args, "format", json_str(args, "arg", "raw")), "qcow2");

	note(path, KEEPER_READ, is_qcow2);
	if (is_floppy(o, json_str(args, "id", json_str(args, "device", NULL))))
		note(path, KEEPER_READ_WRITE, is_qcow2);
}

void keeper_note_command(const struct options *o, const char *text, size_t len)
{
	size_t used;
	struct json *j = json_parse(text, len, &used);
	const char *what = json_str(j, "execute", "");
	const struct json *args = json_get(j, "arguments");
	const char *file = json_str(args, "filename", NULL);

	if (!strcmp(what, "xen-save-devices-state"))
		guest.leaves = guest.leaves || json_bool(args, "live", false);
	if (!strcmp(what, "change"))
		file = json_str(args, "target", NULL);
	if (file && !strcmp(what, "xen-save-devices-state"))
		note(file, KEEPER_CREATE, false);
	else if (file && (!strcmp(what, "blockdev-change-medium") || !strcmp(what, "change")))
		note_medium(o, args, file);
	json_free(j);
}

bool keeper_may_unlock(const struct options *o)
{
	return guest.leaves || (o->incoming_fd >= 0 && !guest.is_here);
}

void keeper_names_taken(void)
{
	guest.leaves = false;
	guest.is_here = true;
}

bool keeper_take_named(const char *path, enum keeper_mode mode, bool *is_qcow2)
{
	unsigned int i;

	for (i = 0; i < MAX_NAMED; i++) {
		if (!names.named[i].path || names.named[i].mode != mode ||
		    strcmp(names.named[i].path, path))
			continue;
		*is_qcow2 = names.named[i].is_qcow2;
		free(names.named[i].path);
		names.named[i].path = NULL;
		return true;
	}
	return false;
}

/* ---- xenstore ---- */

static const char *const kinds[] = { "qdisk", "vkbd", "vfb" };

/* What follows "backend/KIND/DOMID" or NULL; *kind: which. */
static const char *below_back_end(unsigned int domid, const char *path, size_t *kind)
{
	char folder[40];
	size_t i, n;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		n = (size_t)snprintf(folder, sizeof(folder), "backend/%s/%u", kinds[i], domid);
		*kind = i;
		if (!strncmp(path, folder, n) && (!path[n] || path[n] == '/'))
			return path + n;
	}
	return NULL;
}

bool keeper_may_read(unsigned int domid, const char *path)
{
	char folder[40];
	size_t kind, n;

	n = (size_t)snprintf(folder, sizeof(folder), "/local/domain/%u/device/", domid);
	return below_back_end(domid, path, &kind) || !strncmp(path, folder, n);
}

/* "/DEVICE/KEY" with a key that a back end writes; never one by which the toolstack says what to open. */
static bool is_back_ends_key(const char *path)
{
	static const char *const keys[] = { "state",
					    "feature-flush-cache",
					    "feature-discard",
					    "feature-max-indirect-segments",
					    "feature-resize",
					    "feature-abs-pointer",
					    "feature-raw-pointer",
					    "info",
					    "sectors",
					    "sector-size",
					    "discard-granularity",
					    "discard-alignment",
					    "max-ring-page-order",
					    "request-update",
					    "width",
					    "height" };
	const char *key = path[0] == '/' ? strchr(path + 1, '/') : NULL;
	size_t i;

	if (!key || strchr(key + 1, '/'))
		return false;
	key++;
	for (i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(key, keys[i]))
			return true;
	return false;
}

bool keeper_may_write(unsigned int domid, const char *path)
{
	const char *rest;
	char folder[48];
	size_t kind, n, i;

	rest = below_back_end(domid, path, &kind);
	if (rest)
		return is_back_ends_key(rest);
	n = (size_t)snprintf(folder, sizeof(folder), "device-model/%u/backends/", domid);
	if (strncmp(path, folder, n))
		return false;
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(path + n, kinds[i]))
			return true;
	return false;
}
