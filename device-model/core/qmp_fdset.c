/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptor sets of the monitor: libxl passes open files to a confined device model this way. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/keeper.h"
#include "core/machine.h"
#include "core/qmp.h"
#include "core/qmp_priv.h"
#include "core/util.h"

#define FDSET_MAX 32

struct fdset_entry {
	bool used;
	int64_t set;
	int fd;
	char *opaque;
};

static int64_t fdset_free_id(const struct fdset_entry *entries)
{
	int64_t id = 0;
	size_t i;

	for (i = 0; i < FDSET_MAX; i++)
		if (entries[i].used && entries[i].set >= id)
			id = entries[i].set + 1;
	return id;
}

static void entry_drop(struct fdset_entry *e)
{
	close(e->fd);
	free(e->opaque);
	*e = (struct fdset_entry){ 0 };
}

static enum keeper_mode mode_of(int flags)
{
	if (flags & O_CREAT)
		return KEEPER_CREATE;
	return (flags & O_ACCMODE) == O_RDONLY ? KEEPER_READ : KEEPER_READ_WRITE;
}

int qmp_open_path(struct machine *m, const char *path, int flags)
{
	const struct fdset_entry *entries = m->fdsets;
	long long id;
	size_t i;
	int fd;

	if (sscanf(path, "/dev/fdset/%lld", &id) != 1) {
		if (keeper_sealed())
			return keeper_open(path, mode_of(flags));
		fd = open(path, flags | O_CLOEXEC, 0666);
		if (fd < 0)
			return -errno;
		return fd;
	}
	for (i = 0; entries && i < FDSET_MAX; i++) {
		int mode;

		if (!entries[i].used || entries[i].set != id)
			continue;
		mode = fcntl(entries[i].fd, F_GETFL) & O_ACCMODE;
		if (mode != O_RDWR && mode != (flags & O_ACCMODE))
			continue;
		fd = fcntl(entries[i].fd, F_DUPFD_CLOEXEC, 0);
		return fd < 0 ? -errno : fd;
	}
	return -ENOENT;
}

const char *qmp_open_reason(int rc)
{
	return rc == -ETIMEDOUT ? "its file system does not answer" : strerror(-rc);
}

static void cmd_add_fd(struct machine *m, const struct json *args, struct qmp_reply *r)
{
	int fd = qmp_take_fd(m);
	int64_t set = json_int(args, "fdset-id", -1);
	struct fdset_entry *entries, *e;

	if (!m->fdsets)
		m->fdsets = xzalloc(FDSET_MAX * sizeof(*m->fdsets));
	e = entries = m->fdsets;
	while (e < entries + FDSET_MAX && e->used)
		e++;
	if (fd < 0 || e == entries + FDSET_MAX) {
		if (fd >= 0)
			close(fd);
		qmp_error(r, fd < 0 ? "No file descriptor supplied via SCM_RIGHTS"
				    : "Too many file descriptors");
		return;
	}
	*e = (struct fdset_entry){ true, set >= 0 ? set : fdset_free_id(entries), fd,
				   xstrdup(json_str(args, "opaque", "")) };
	qmp_return_open(r, '{');
	jout_int(r->out, "fdset-id", e->set);
	jout_int(r->out, "fd", fd);
	qmp_return_close(r, '}');
}
QMP_COMMAND(add_fd, "add-fd", cmd_add_fd);

static void cmd_remove_fd(struct machine *m, const struct json *args, struct qmp_reply *r)
{
	int64_t set = json_int(args, "fdset-id", -1), fd = json_int(args, "fd", -1);
	struct fdset_entry *entries = m->fdsets;
	bool found = false;
	size_t i;

	for (i = 0; entries && i < FDSET_MAX; i++) {
		if (!entries[i].used || entries[i].set != set || (fd >= 0 && entries[i].fd != fd))
			continue;
		entry_drop(&entries[i]);
		found = true;
	}
	if (!found)
		qmp_error(r, "File descriptor named 'fdset-id:%lld' not found", (long long)set);
}
QMP_COMMAND(remove_fd, "remove-fd", cmd_remove_fd);

static bool fdset_first(const struct fdset_entry *entries, size_t i)
{
	size_t j;

	for (j = 0; j < i; j++)
		if (entries[j].used && entries[j].set == entries[i].set)
			return false;
	return entries[i].used;
}

static void cmd_query_fdsets(struct machine *m, const struct json *args, struct qmp_reply *r)
{
	const struct fdset_entry *entries = m->fdsets;
	size_t i, j;

	qmp_return_open(r, '[');
	for (i = 0; entries && i < FDSET_MAX; i++) {
		if (!fdset_first(entries, i))
			continue;
		jout_open(r->out, NULL, '{');
		jout_int(r->out, "fdset-id", entries[i].set);
		jout_open(r->out, "fds", '[');
		for (j = i; j < FDSET_MAX; j++) {
			if (!entries[j].used || entries[j].set != entries[i].set)
				continue;
			jout_open(r->out, NULL, '{');
			jout_int(r->out, "fd", entries[j].fd);
			jout_str(r->out, "opaque", entries[j].opaque);
			jout_close(r->out, '}');
		}
		jout_close(r->out, ']');
		jout_close(r->out, '}');
	}
	qmp_return_close(r, ']');
}
QMP_COMMAND(query_fdsets, "query-fdsets", cmd_query_fdsets);
