/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that the privileged part opens. What a back end may open is what xenstore names as a disk of its
 * domain, which it cannot write itself, and the chain of backing files. A chain is read from the images'
 * headers once, when the disk is first seen, which is before any process of the guest's could write to it:
 * a header that comes to name another file later opens nothing. At the guest's next start it would be believed,
 * so the log says when one did, once all of those processes are gone. The image itself is only its user's to mend.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/keeper_priv.h"
#include "core/log.h"
#include "core/options.h"
#include "core/util.h"
#include "core/xen_store.h"

#define MAX_CHAIN    32
#define HEADER_BYTES 65536u
#define QCOW2_MAGIC  0x514649fbu
#define HEADER_V2    72u
#define EXT_BACKING  0xe2792acau /* qcow2.txt, "Header extensions": the backing file's format */

/* What a header says about other files (qcow2.txt, "Header"): these fields, and all behind the header. */
#define H_BACKING	 8u
#define H_BACKING_END	 20u
#define H_CLUSTER_BITS	 20u

#define MIN_CLUSTER_BITS 9

struct image {
	char *path;
	uint8_t *header; /* NULL: nothing to keep */
	size_t header_bytes;
	dev_t dev;
	ino_t ino;
	char *chain[MAX_CHAIN];
	unsigned int nr_chain;
	struct image *next;
};

static struct image *images;

static int open_file(const char *path, enum keeper_mode mode)
{
	static const int flags[] = { O_RDONLY, O_RDWR, O_WRONLY | O_CREAT | O_TRUNC };
	int fd = open(path, flags[mode] | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0666), rc;
	struct stat st;

	if (fd < 0)
		return -errno;
	/* No folder: names could be looked up from its descriptor. No device that takes requests. */
	rc = fstat(fd, &st) ? -errno : 0;
	if (!rc && !S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		rc = -EINVAL;
	if (!rc)
		return fd;
	close(fd);
	return rc;
}

/* ---- the chain of backing files ---- */

static uint32_t header_end(const uint8_t *h)
{
	return get_be32(h + 4) >= 3 ? get_be32(h + 100) : HEADER_V2;
}

/* Whether the header says that the backing file is qcow2, too: else nothing in that file counts. */
static bool backing_is_qcow2(const uint8_t *h, uint32_t end)
{
	uint32_t at = header_end(h);

	while (at < end && end - at >= 8) {
		uint32_t type = get_be32(h + at), len = get_be32(h + at + 4);

		at += 8;
		if (!type || len > end - at)
			return false;
		if (type == EXT_BACKING)
			return len == 5 && !memcmp(h + at, "qcow2", 5);
		at += MIN((len + 7) & ~7u, end - at);
	}
	return false;
}

/* The name is relative to the image's folder. NULL: no local file. */
static char *resolve(const char *image, const char *name)
{
	const char *slash = strrchr(image, '/');

	if (!strncmp(name, "file:", 5))
		name += 5;
	if (!*name || strcspn(name, ":") < strcspn(name, "/"))
		return NULL;
	if (*name == '/' || !slash)
		return xstrdup(name);
	return xasprintf("%.*s/%s", (int)(slash - image), image, name);
}

/* The backing file of an open image or NULL; *qcow2: whether that has the format, too. */
static char *backing_of(int fd, const char *path, bool *qcow2)
{
	uint8_t *h = xzalloc(HEADER_BYTES);
	ssize_t n = pread(fd, h, HEADER_BYTES, 0);
	char *name = NULL, *found = NULL;

	if (n > 104 && get_be32(h) == QCOW2_MAGIC) {
		uint64_t at = get_be64(h + 8);
		uint32_t len = get_be32(h + 16);

		if (at && at < (uint64_t)n && len <= (uint64_t)n - at)
			name = xasprintf("%.*s", (int)len, (const char *)h + at);
		*qcow2 = name && backing_is_qcow2(h, (uint32_t)at);
	}
	if (name)
		found = resolve(path, name);
	free(name);
	free(h);
	return found;
}

/* Calls see() for each backing file below an open image. */
static void chain_walk(int fd, const char *path, void (*see)(void *opaque, const char *path),
		       void *opaque)
{
	char *at = xstrdup(path), *next;
	unsigned int depth;
	bool qcow2 = true;

	fd = dup(fd);
	for (depth = 0; depth < MAX_CHAIN && fd >= 0 && qcow2; depth++) {
		next = backing_of(fd, at, &qcow2);
		if (!next)
			break;
		see(opaque, next);
		close(fd);
		fd = qcow2 ? open_file(next, KEEPER_READ) : -1;
		free(at);
		at = next;
	}
	if (fd >= 0)
		close(fd);
	free(at);
}

/* ---- named by the monitor ---- */

/* Twice: one whose format is not declared is looked at before it is used. */
static void see_named(void *opaque, const char *path)
{
	keeper_name_backing(path);
	keeper_name_backing(path);
}

int keeper_named_open(const char *path, enum keeper_mode mode)
{
	bool is_qcow2;
	int fd;

	if (!keeper_take_named(path, mode, &is_qcow2))
		return -EACCES;
	fd = open_file(path, mode);
	if (fd >= 0 && is_qcow2)
		chain_walk(fd, path, see_named, NULL);
	return fd;
}

/* ---- named by xenstore ---- */

static void see_chain(void *opaque, const char *path)
{
	struct image *i = opaque;

	if (i->nr_chain < MAX_CHAIN)
		i->chain[i->nr_chain++] = xstrdup(path);
}

static void header_remember(struct image *i, int fd)
{
	uint8_t *h = xzalloc(HEADER_BYTES);
	ssize_t n = pread(fd, h, HEADER_BYTES, 0);

	if (n < (1 << MIN_CLUSTER_BITS) || get_be32(h) != QCOW2_MAGIC ||
	    get_be32(h + H_CLUSTER_BITS) < MIN_CLUSTER_BITS || get_be32(h + H_CLUSTER_BITS) > 30) {
		free(h);
		return;
	}
	i->header = h;
	i->header_bytes = MIN((size_t)n, (size_t)1 << get_be32(h + H_CLUSTER_BITS));
}

/* Whether the header says of other files what it said when it was first seen. */
static bool header_is_as_it_was(const struct image *i, const uint8_t *h)
{
	const uint8_t *was = i->header;
	uint32_t end = MIN(header_end(was), i->header_bytes);

	return !memcmp(h + 4, was + 4, 4) &&
	       !memcmp(h + H_BACKING, was + H_BACKING, H_BACKING_END - H_BACKING) &&
	       header_end(h) == header_end(was) &&
	       !memcmp(h + end, was + end, i->header_bytes - end);
}

static void header_check(const struct image *i, int fd)
{
	uint8_t *h = xzalloc(i->header_bytes);

	if (pread(fd, h, i->header_bytes, 0) == (ssize_t)i->header_bytes &&
	    !header_is_as_it_was(i, h))
		log_error("the header of %s came to name other files while the guest ran; look at "
			  "\"qemu-img info --backing-chain\" before it is used again",
			  i->path);
	free(h);
}

void keeper_images_end(void)
{
	const struct image *i;
	struct stat st;
	int fd;

	for (i = images; i; i = i->next) {
		fd = i->header ? open_file(i->path, KEEPER_READ) : -1;
		if (fd < 0)
			continue;
		if (!fstat(fd, &st) && st.st_dev == i->dev && st.st_ino == i->ino)
			header_check(i, fd);
		close(fd);
	}
}

static void forget_chain(struct image *i)
{
	while (i->nr_chain)
		free(i->chain[--i->nr_chain]);
	free(i->header);
	i->header = NULL;
}

/* A file that takes another's place is the administrator's doing: no process of the guest's can make one. */
static void first_seen(int fd, const char *path, bool is_qcow2)
{
	struct image *i = images;
	struct stat st;

	if (fstat(fd, &st))
		return;
	while (i && strcmp(i->path, path))
		i = i->next;
	if (i && i->dev == st.st_dev && i->ino == st.st_ino)
		return;
	if (!i) {
		i = xzalloc(sizeof(*i));
		i->path = xstrdup(path);
		i->next = images;
		images = i;
	}
	forget_chain(i);
	i->dev = st.st_dev;
	i->ino = st.st_ino;
	if (!is_qcow2)
		return;
	header_remember(i, fd);
	chain_walk(fd, path, see_chain, i);
}

void keeper_images_begin(const struct options *o)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(o->drives); i++) {
		const struct opt_drive *d = &o->drives[i];
		bool is_qcow2 =
			d->file && d->format && !strcmp(d->format, "qcow2") && !d->read_only;
		int fd = is_qcow2 ? open_file(d->file, KEEPER_READ) : -1;

		if (fd < 0)
			continue;
		first_seen(fd, d->file, true);
		close(fd);
	}
}

static bool in_a_chain(const char *path)
{
	const struct image *i;
	unsigned int n;

	for (i = images; i; i = i->next)
		for (n = 0; n < i->nr_chain; n++)
			if (!strcmp(i->chain[n], path))
				return true;
	return false;
}

/* Whether a disk's params are "FORMAT:path", and the mode allows it. */
static bool is_disk(const char *folder, const char *disk, const char *path, bool writes,
		    bool *is_qcow2)
{
	char *key = xasprintf("%s/%s/params", folder, disk), *params = xen_store_read(key);
	char *mode_key = xasprintf("%s/%s/mode", folder, disk), *mode = xen_store_read(mode_key);
	const char *colon = params ? strchr(params, ':') : NULL;
	bool found = colon && !strcmp(colon + 1, path) && (!writes || (mode && *mode == 'w'));

	*is_qcow2 = found && !strncmp(params, "qcow2:", 6);
	free(key);
	free(params);
	free(mode_key);
	free(mode);
	return found;
}

static bool is_some_disk(unsigned int domid, const char *path, bool writes, bool *is_qcow2)
{
	char *folder = xasprintf("backend/qdisk/%u", domid), **disks;
	unsigned int n = 0, i;
	bool found = false;

	disks = xen_store_list(folder, &n);
	for (i = 0; disks && i < n && !found; i++)
		found = is_disk(folder, disks[i], path, writes, is_qcow2);
	free(disks);
	free(folder);
	return found;
}

int keeper_image_open(unsigned int domid, const char *path, enum keeper_mode mode)
{
	bool is_qcow2;
	int fd;

	if (mode == KEEPER_CREATE)
		return -EACCES;
	if (!is_some_disk(domid, path, mode == KEEPER_READ_WRITE, &is_qcow2))
		return mode == KEEPER_READ && in_a_chain(path) ? open_file(path, mode) : -EACCES;
	fd = open_file(path, mode);
	if (fd >= 0)
		first_seen(fd, path, is_qcow2);
	return fd;
}
