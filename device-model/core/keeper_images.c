/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which images a guest may have, and which other files for their sake. What a back end may open is what xenstore
 * names as a disk of its domain, which it cannot write itself, and the chain of backing files. An image that the
 * guest's processes can write to is believed as it was before they could: a header that comes to name another file opens
 * nothing. It is believed anew when it is closed, which its lock shows, and names the same files as before: what it names
 * later is its user's doing. At the guest's next start any header would be believed, so the log says when one was changed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/keeper_files.h"
#include "core/keeper_priv.h"
#include "core/log.h"
#include "core/options.h"
#include "core/util.h"
#include "core/xen_store.h"

/* What was found when the file was last believed. */
struct image {
	char *path;
	struct keeper_file_id id;
	bool is_written; /* a process of the guest's could, since then */
	bool unseen;	 /* and perhaps can without holding its lock */
	uint8_t *header; /* NULL: it said nothing of other files */
	size_t header_bytes;
	char *chain[KEEPER_MAX_CHAIN];
	unsigned int nr_chain;
	struct image *next;
};

static struct image *images;

static void image_forget(struct image *gone)
{
	struct image **p = &images;

	while (*p != gone)
		p = &(*p)->next;
	*p = gone->next;
	while (gone->nr_chain)
		free(gone->chain[--gone->nr_chain]);
	free(gone->header);
	free(gone->path);
	free(gone);
}

static struct image *image_of(struct keeper_file_id id)
{
	struct image *i = images;

	while (i && !keeper_file_same(i->id, id))
		i = i->next;
	return i;
}

static struct image *image_named(const char *path)
{
	struct image *i = images;

	while (i && strcmp(i->path, path))
		i = i->next;
	return i;
}

/* What was found of the file is its truth from now on; it leaves f. */
static struct image *image_believe(struct keeper_file *f)
{
	struct image *i = *f->path ? image_named(f->path) : NULL;

	/*
	 * A file that takes another's place is the administrator's doing: no process of the guest's can make one.
	 * The other one may have gone elsewhere, below this one perhaps.
	 */
	if (i && i->is_written && !keeper_file_same(i->id, f->id))
		*i->path = 0;
	else if (i)
		image_forget(i);
	i = image_of(f->id);
	if (i)
		image_forget(i);
	i = xzalloc(sizeof(*i));
	*i = (struct image){ .path = xstrdup(f->path),
			     .id = f->id,
			     .header = f->header,
			     .header_bytes = f->header_bytes,
			     .nr_chain = f->nr_chain,
			     .next = images };
	memcpy(i->chain, f->chain, sizeof(i->chain));
	f->header = NULL;
	f->nr_chain = 0;
	images = i;
	return i;
}

static bool names_others(const struct keeper_file *f, const struct image *i)
{
	return f->is_qcow2 && !(i->header && keeper_header_same(f, i->header, i->header_bytes));
}

static struct keeper_file *work_new(enum keeper_file_work work, const char *path,
				    enum keeper_mode mode, bool is_qcow2)
{
	struct keeper_file *f = keeper_file_new(work, path, -1);
	struct image *i;

	f->mode = mode;
	f->is_qcow2 = f->grows = is_qcow2;
	for (i = images; i; i = i->next)
		f->nr_distrusted += i->is_written;
	f->distrusted = xzalloc((f->nr_distrusted + 1) * sizeof(*f->distrusted));
	f->nr_distrusted = 0;
	for (i = images; i; i = i->next)
		if (i->is_written)
			f->distrusted[f->nr_distrusted++] = i->id;
	return f;
}

struct keeper_file *keeper_image_work(const char *path, enum keeper_mode mode, bool is_qcow2)
{
	return work_new(KEEPER_FILE_OPEN, path, mode, is_qcow2);
}

/* A command's words hold for its file's backing files, too. */
static void name_chain(char *const *chain, unsigned int n)
{
	/* Twice: one whose format is not declared is looked at before it is used. */
	for (; n; n--, chain++) {
		keeper_name_backing(*chain);
		keeper_name_backing(*chain);
	}
}

void keeper_image_opened(struct keeper_file *f, enum keeper_named by)
{
	struct image *i = image_of(f->id);
	bool writes = f->mode == KEEPER_READ_WRITE;

	if (f->mode == KEEPER_CREATE || by == KEEPER_BY_CHAIN)
		return;
	if (i && i->is_written && names_others(f, i))
		log_error(
			"%s names other backing files than before the guest could write to it: they are not "
			"opened until the guest is started anew; look at \"qemu-img info --backing-chain\" first",
			f->path);
	if (by == KEEPER_BY_COMMAND)
		name_chain(i && i->is_written ? i->chain : f->chain,
			   i && i->is_written ? i->nr_chain : f->nr_chain);
	if (!(i && i->is_written) && (writes || by == KEEPER_BY_STORE))
		i = image_believe(f);
	if (!writes)
		return;
	i->is_written = true;
	i->unseen = i->unseen || !f->locks;
}

void keeper_image_locked(struct keeper_file *f)
{
	int mode = fcntl(f->fd, F_GETFL);
	struct image *i = image_of(f->id);

	if (mode < 0 || (mode & O_ACCMODE) == O_RDONLY || (i && i->is_written))
		return;
	/* It came along with a command, and could be written to before. */
	i = i ? i : image_believe(f);
	i->is_written = i->unseen = true;
}

void keeper_image_unlocked(const struct keeper_file *f)
{
	struct image *i;

	for (i = images; i; i = i->next)
		if (!f || keeper_file_same(i->id, f->id))
			i->unseen = true;
}

/* ---- their end ---- */

static struct keeper_file *image_closing(const char *path)
{
	struct image *i = image_named(path);

	return i && i->is_written && i->header ? work_new(KEEPER_FILE_LOOK, path, KEEPER_READ, true)
					       : NULL;
}

void keeper_disk_closed(struct keeper_file *f)
{
	struct image *i = f->rc ? NULL : image_of(f->id);

	if (i && i->header && !i->unseen && !f->is_written &&
	    keeper_header_same(f, i->header, i->header_bytes))
		image_forget(i);
}

static unsigned int nr_looks;

static void look_ended(void *opaque)
{
	nr_looks--;
}

static void looked_at(struct keeper_file *f, void *opaque)
{
	const struct image *i = f && !f->rc ? image_of(f->id) : NULL;

	if (!f)
		look_ended(NULL);
	if (i && i->header && !keeper_header_same(f, i->header, i->header_bytes))
		log_error("the header of %s came to name other files while the guest ran; look at "
			  "\"qemu-img info --backing-chain\" before it is used again",
			  i->path);
}

/* Those that have to be looked at; an array to be freed. */
static struct keeper_file **closing_all(unsigned int *n)
{
	const struct image *i;
	struct keeper_file **all;

	*n = 0;
	for (i = images; i; i = i->next)
		++*n;
	all = xzalloc((*n + 1) * sizeof(struct keeper_file *));
	*n = 0;
	for (i = images; i; i = i->next) {
		all[*n] = image_closing(i->path);
		*n += all[*n] != NULL;
	}
	return all;
}

void keeper_images_end(void)
{
	unsigned int n, i;
	struct keeper_file **all = closing_all(&n);

	for (i = 0; i < n; i++) {
		while (nr_looks && !keeper_file_room())
			loop_turn(true);
		nr_looks++;
		if (keeper_file_start(all[i], looked_at, look_ended, NULL))
			look_ended(NULL);
	}
	free(all);
	while (nr_looks)
		loop_turn(true);
}

/* ---- what is named ---- */

/* The device model opens it itself, and can write to it. */
static void begin(const char *path, const char *format)
{
	bool is_qcow2 = format && !strcmp(format, "qcow2");
	struct keeper_file *f = work_new(KEEPER_FILE_LOOK, path, KEEPER_READ, is_qcow2);

	keeper_file_run(f);
	if (!f->rc)
		image_believe(f)->is_written = true;
	keeper_file_free(f);
}

void keeper_images_begin(const struct options *o)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(o->drives); i++)
		if (o->drives[i].file && *o->drives[i].file && !o->drives[i].read_only)
			begin(o->drives[i].file, o->drives[i].format);
	for (i = 0; i < ARRAY_SIZE(o->floppies); i++)
		if (o->floppies[i].file && *o->floppies[i].file && !o->floppies[i].read_only)
			begin(o->floppies[i].file, o->floppies[i].format);
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

/* The image's path, and in *is_qcow2 its format, or NULL; to be freed. */
static char *disk_image(const char *disk, bool *is_qcow2)
{
	char *key = xasprintf("%s/params", disk), *params = xen_store_read(key);
	const char *colon = params ? strchr(params, ':') : NULL;
	char *path = colon ? xstrdup(colon + 1) : NULL;

	*is_qcow2 = path && !strncmp(params, "qcow2:", 6);
	free(key);
	free(params);
	return path;
}

/* Whether this is its image, and the mode allows it. */
static bool is_disk(const char *disk, const char *path, bool writes, bool *is_qcow2)
{
	char *image = disk_image(disk, is_qcow2);
	char *mode_key = xasprintf("%s/mode", disk), *mode = xen_store_read(mode_key);
	bool found = image && !strcmp(image, path) && (!writes || (mode && *mode == 'w'));

	free(image);
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
	for (i = 0; disks && i < n && !found; i++) {
		char *disk = xasprintf("%s/%s", folder, disks[i]);

		found = is_disk(disk, path, writes, is_qcow2);
		free(disk);
	}
	free(disks);
	free(folder);
	return found;
}

struct keeper_file *keeper_image_asked(unsigned int domid, const char *path, enum keeper_mode mode,
				       enum keeper_named *by)
{
	struct keeper_file *f;
	bool is_qcow2 = false;

	*by = KEEPER_BY_STORE;
	if (mode == KEEPER_CREATE)
		return NULL;
	if (!is_some_disk(domid, path, mode == KEEPER_READ_WRITE, &is_qcow2)) {
		*by = KEEPER_BY_CHAIN;
		if (mode != KEEPER_READ || !in_a_chain(path))
			return NULL;
	}
	f = keeper_image_work(path, mode, is_qcow2);
	f->locks = mode == KEEPER_READ_WRITE;
	return f;
}

struct keeper_file *keeper_disk_closing(const char *disk)
{
	bool is_qcow2;
	char *path = disk_image(disk, &is_qcow2);
	struct keeper_file *f = path ? image_closing(path) : NULL;

	free(path);
	return f;
}
