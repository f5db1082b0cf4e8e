/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The privileged part's process: requests of the confined side, each judged by who asks and what was named
 * before, and answered at once, or when a file is open (keeper_files.h). What is refused is said in the log, a few times: only a process that
 * was taken over asks for it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/confine.h"
#include "core/keeper_files.h"
#include "core/keeper_priv.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/options.h"
#include "core/util.h"
#include "core/xen_store.h"

#define DEVICE_MODEL (1u << KEEPER_DEVICE_MODEL)
#define BACK_ENDS    (1u << KEEPER_BACK_ENDS)
#define MAX_WATCHES  512u
#define MAX_REFUSALS 20u
#define STATE_CLOSED "6" /* XenbusStateClosed */

static struct {
	const struct options *options;
	unsigned int domid;
	struct keeper_link *links;
	unsigned int nr_links, nr_watches, refusals;
	int window_fd;
	uint8_t *window;
} service = { .window_fd = -1 };

/* ---- requests: the answer goes into the message; a result of -errno, and a descriptor or -1 ---- */

struct answer {
	int result, fd;
	bool refused;		  /* only a process that was taken over asks for it */
	struct keeper_file *file; /* work to be done first */
};

static struct answer is_result(int rc)
{
	return (struct answer){ .result = rc, .fd = -1 };
}

static struct answer is_refused(void)
{
	return (struct answer){ .result = -EACCES, .fd = -1, .refused = true };
}

static struct answer is_fd(int fd)
{
	return fd < 0 ? is_result(fd) : (struct answer){ .fd = fd };
}

static struct answer comes_later(struct keeper_file *f)
{
	return (struct answer){ .fd = -1, .file = f };
}

static struct answer do_monitor(struct keeper_link *l, struct keeper_message *m, int *in)
{
	int fd = *in;

	if (l->sealed)
		return is_refused();
	*in = -1;
	return is_result(fd < 0 ? -EBADF : keeper_monitor_add(service.options, l, fd));
}

static struct answer do_seal(struct keeper_link *l, struct keeper_message *m, int *in)
{
	l->sealed = true;
	return is_result(0);
}

static struct answer do_running(struct keeper_link *l, struct keeper_message *m, int *in)
{
	char path[48];

	snprintf(path, sizeof(path), "device-model/%u/state", service.domid);
	return is_result(xen_store_write(path, "running") ? 0 : -EIO);
}

static struct answer do_open(struct keeper_link *l, struct keeper_message *m, int *in)
{
	struct keeper_file *f = NULL;
	enum keeper_named by = KEEPER_BY_COMMAND;
	bool is_qcow2;

	if (m->arg > KEEPER_CREATE)
		return is_result(-EINVAL);
	if ((l->roles & DEVICE_MODEL) && keeper_take_named(m->path, m->arg, &is_qcow2))
		f = keeper_image_work(m->path, m->arg, is_qcow2);
	else if (l->roles & BACK_ENDS)
		f = keeper_image_asked(service.domid, m->path, m->arg, &by);
	m->offset = by; /* for its end */
	return f ? comes_later(f) : is_refused();
}

static void end_open(struct keeper_message *m, struct keeper_file *f, int *out)
{
	m->result = f ? f->rc : -ETIMEDOUT;
	if (m->result)
		return;
	*out = f->fd;
	keeper_image_opened(f, (enum keeper_named)m->offset);
}

static struct answer do_lock(struct keeper_link *l, struct keeper_message *m, int *in)
{
	struct keeper_file *f;

	if (*in < 0)
		return is_result(-EBADF);
	f = keeper_file_new(KEEPER_FILE_LOCK, "", *in);
	*in = -1;
	f->grows = m->arg & 1;
	return comes_later(f);
}

static void end_lock(struct keeper_message *m, struct keeper_file *f, int *out)
{
	m->result = f ? f->rc : -ETIMEDOUT;
	if (!m->result)
		keeper_image_locked(f);
	else
		keeper_image_unlocked(f); /* a refusal gives up what was held */
}

static struct answer do_unlock(struct keeper_link *l, struct keeper_message *m, int *in)
{
	struct keeper_file *f;

	if (*in < 0)
		return is_result(-EBADF);
	if (!keeper_may_unlock(service.options))
		return is_refused();
	f = keeper_file_new(KEEPER_FILE_UNLOCK, "", *in);
	*in = -1;
	return comes_later(f);
}

static void end_unlock(struct keeper_message *m, struct keeper_file *f, int *out)
{
	m->result = f ? f->rc : -ETIMEDOUT;
	keeper_image_unlocked(f);
}

static struct answer do_taken(struct keeper_link *l, struct keeper_message *m, int *in)
{
	keeper_names_taken();
	return is_result(0);
}

static struct answer do_store_read(struct keeper_link *l, struct keeper_message *m, int *in)
{
	char *value;
	size_t len;

	if (!keeper_may_read(service.domid, m->path))
		return is_refused();
	value = xen_store_read(m->path);
	if (!value)
		return is_result(-ENOENT);
	len = strlen(value);
	if (len < sizeof(m->data))
		memcpy(m->data, value, len + 1);
	free(value);
	return is_result(len < sizeof(m->data) ? 0 : -E2BIG);
}

/* As many names as there is room for: a domain has few devices. */
static struct answer do_store_list(struct keeper_link *l, struct keeper_message *m, int *in)
{
	unsigned int n = 0, i;
	size_t used = 0, len;
	char **names;

	if (!keeper_may_read(service.domid, m->path))
		return is_refused();
	names = xen_store_list(m->path, &n);
	for (i = 0; names && i < n; i++) {
		len = strlen(names[i]) + 1;
		if (len > sizeof(m->data) - used)
			break;
		memcpy(m->data + used, names[i], len);
		used += len;
	}
	free(names);
	return is_result(names ? (int)used : -ENOENT);
}

/* Only the toolstack makes devices: else nodes could be made without end. */
static bool is_device(const char *path)
{
	char *frontend = xasprintf("%.*s/frontend", (int)(strrchr(path, '/') - path), path);
	char *value = xen_store_read(frontend);
	bool found = value || strncmp(path, "backend/", 8);

	free(frontend);
	free(value);
	return found;
}

/* "backend/qdisk/N/M" of its state, to be freed, if it is that which is written; else NULL. */
static char *disk_of_state(const char *path)
{
	const char *key = strrchr(path, '/');

	return !strncmp(path, "backend/qdisk/", 14) && !strcmp(key, "/state")
		       ? xasprintf("%.*s", (int)(key - path), path)
		       : NULL;
}

static struct answer do_store_write(struct keeper_link *l, struct keeper_message *m, int *in)
{
	struct keeper_file *f = NULL;
	char *disk;

	if (!keeper_may_write(service.domid, m->path) || !is_device(m->path))
		return is_refused();
	disk = strcmp(m->data, STATE_CLOSED) ? NULL : disk_of_state(m->path);
	/* Before the toolstack hears of it: then others may have the image. */
	if (disk)
		f = keeper_disk_closing(disk);
	free(disk);
	if (f)
		return comes_later(f);
	return is_result(xen_store_write(m->path, m->data) ? 0 : -EIO);
}

static void end_store_write(struct keeper_message *m, struct keeper_file *f, int *out)
{
	if (f)
		keeper_disk_closed(f);
	m->result = xen_store_write(m->path, m->data) ? 0 : -EIO;
}

static struct answer do_store_watch(struct keeper_link *l, struct keeper_message *m, int *in)
{
	if (!keeper_may_read(service.domid, m->path))
		return is_refused();
	if (service.nr_watches == MAX_WATCHES)
		return is_result(-ENOSPC);
	if (!xen_store_watch(m->path, true))
		return is_result(-EIO);
	service.nr_watches++;
	return is_result(0);
}

static struct answer do_store_unwatch(struct keeper_link *l, struct keeper_message *m, int *in)
{
	if (!keeper_may_read(service.domid, m->path))
		return is_refused();
	if (!service.nr_watches || !xen_store_watch(m->path, false))
		return is_result(-ENOENT);
	service.nr_watches--;
	return is_result(0);
}

static struct answer do_map(struct keeper_link *l, struct keeper_message *m, int *in)
{
	uint32_t refs[KEEPER_MAX_REFS];

	if (!m->arg || m->arg > ARRAY_SIZE(refs))
		return is_result(-EINVAL);
	memcpy(refs, m->refs, m->arg * sizeof(*refs));
	return is_fd(keeper_xen_map(service.domid, refs, m->arg, &m->offset));
}

static struct answer do_window(struct keeper_link *l, struct keeper_message *m, int *in)
{
	int fd = service.window_fd < 0 ? -1 : fcntl(service.window_fd, F_DUPFD_CLOEXEC, 0);

	return is_fd(fd < 0 ? -ENOMEM : fd);
}

static struct answer do_copy(struct keeper_link *l, struct keeper_message *m, int *in)
{
	uint32_t i;

	if (m->arg > KEEPER_PIECES || !service.window)
		return is_result(-EINVAL);
	for (i = 0; i < m->arg; i++)
		if (m->pieces[i].offset > KEEPER_PIECE_SIZE ||
		    m->pieces[i].len > KEEPER_PIECE_SIZE - m->pieces[i].offset)
			return is_result(-EINVAL);
	return is_result(
		keeper_xen_copy(service.domid, m->pieces, m->arg, service.window, m->to_guest));
}

static const struct request {
	const char *what;
	unsigned int roles;
	bool has_path;
	struct answer (*answer)(struct keeper_link *l, struct keeper_message *m, int *in);
	/* Where work with a file came first, which is NULL if that took too long. */
	void (*end)(struct keeper_message *m, struct keeper_file *f, int *out);
} requests[] = {
	[KEEPER_OP_MONITOR] = { "a monitor", DEVICE_MODEL, false, do_monitor, NULL },
	[KEEPER_OP_SEAL] = { "the end of set-up", DEVICE_MODEL | BACK_ENDS, false, do_seal, NULL },
	[KEEPER_OP_RUNNING] = { "to say that it runs", DEVICE_MODEL, false, do_running, NULL },
	[KEEPER_OP_OPEN] = { "to open", DEVICE_MODEL | BACK_ENDS, true, do_open, end_open },
	[KEEPER_OP_STORE_READ] = { "to read in xenstore", BACK_ENDS, true, do_store_read, NULL },
	[KEEPER_OP_STORE_LIST] = { "to list in xenstore", BACK_ENDS, true, do_store_list, NULL },
	[KEEPER_OP_STORE_WRITE] = { "to write in xenstore", BACK_ENDS, true, do_store_write,
				    end_store_write },
	[KEEPER_OP_STORE_WATCH] = { "to watch in xenstore", BACK_ENDS, true, do_store_watch, NULL },
	[KEEPER_OP_STORE_UNWATCH] = { "to forget in xenstore", BACK_ENDS, true, do_store_unwatch,
				      NULL },
	[KEEPER_OP_MAP] = { "to map grants", BACK_ENDS, false, do_map, NULL },
	[KEEPER_OP_WINDOW] = { "the shared window", BACK_ENDS, false, do_window, NULL },
	[KEEPER_OP_COPY] = { "to copy", BACK_ENDS, false, do_copy, NULL },
	[KEEPER_OP_LOCK] = { "to lock", DEVICE_MODEL | BACK_ENDS, false, do_lock, end_lock },
	[KEEPER_OP_UNLOCK] = { "to unlock", DEVICE_MODEL, false, do_unlock, end_unlock },
	[KEEPER_OP_TAKEN] = { "to have its images", DEVICE_MODEL, false, do_taken, NULL },
};

static void say_refused(const struct request *r, char *path)
{
	char *c;

	for (c = path; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	if (service.refusals < MAX_REFUSALS)
		log_error("the privileged part refuses %s%s%s%s",
			  r ? r->what : "what it does not know", *path ? " \"" : "", path,
			  *path ? "\"" : "");
	else if (service.refusals == MAX_REFUSALS)
		log_error("more that the privileged part refuses is not said");
	service.refusals++;
}

/* The answer, or what has to be done first. */
static struct answer request(struct keeper_link *l, struct keeper_message *m, int in)
{
	const struct request *r = m->op < ARRAY_SIZE(requests) ? &requests[m->op] : NULL;
	struct answer a = is_refused();
	char path[KEEPER_PATH_MAX] = "";

	if (r && !r->answer)
		r = NULL;
	if (r && r->has_path) {
		m->path[KEEPER_PATH_MAX - 1] = m->data[KEEPER_DATA_MAX - 1] = 0;
		strcpy(path, m->path);
	}
	if (r && (r->roles & l->roles))
		a = r->answer(l, m, &in);
	if (a.refused)
		say_refused(r, path);
	if (in >= 0)
		close(in);
	m->result = a.result;
	/* cppcheck-suppress returnDanglingLifetime ; a descriptor's number leaves, and no pointer */
	return a;
}

int keeper_answer(struct keeper_link *l, struct keeper_message *m, int in)
{
	struct answer a = request(l, m, in);

	if (!a.file)
		return a.fd;
	keeper_file_run(a.file);
	requests[m->op].end(m, a.file, &a.fd);
	if (a.fd >= 0)
		a.fd = fcntl(a.fd, F_DUPFD_CLOEXEC, 0);
	keeper_file_free(a.file);
	return a.fd;
}

bool keeper_is_back_ends(const struct keeper_link *l)
{
	return l->roles & BACK_ENDS;
}

/* ---- the process ---- */

/* A process whose link ended gets no more; its own end is seen elsewhere (keeper_processes.c). */
static void link_end(struct keeper_link *l)
{
	keeper_monitor_end(l);
	loop_del_fd(l->call_fd);
	loop_del_fd(l->news_fd);
	close(l->call_fd);
	close(l->news_fd);
	l->call_fd = l->news_fd = -1;
}

static void answer_send(struct keeper_link *l, const struct keeper_message *m, int fd)
{
	/* One that asks and does not listen gets no more, either. */
	if (l->call_fd >= 0 && keeper_send(l->call_fd, m, sizeof(*m), fd))
		link_end(l);
}

/* A request that waits for a file; others of this link wait for it. */
struct waiting {
	struct keeper_link *l;
	struct keeper_message m;
};

/* The next request may be about the same file, whose lock goes with the last descriptor. */
static void file_closed(void *opaque)
{
	struct waiting *w = opaque;

	w->l->waits = false;
	if (w->l->call_fd >= 0)
		loop_mod_fd(w->l->call_fd, EPOLLIN);
	free(w);
}

static void file_done(struct keeper_file *f, void *opaque)
{
	struct waiting *w = opaque;
	int out = -1;

	requests[w->m.op].end(&w->m, f, &out);
	answer_send(w->l, &w->m, out);
	if (!f)
		file_closed(w);
}

static void wait_for(struct keeper_link *l, struct keeper_message *m, struct keeper_file *f)
{
	struct waiting *w = xzalloc(sizeof(*w));
	int rc;

	*w = (struct waiting){ l, *m };
	l->waits = true;
	loop_mod_fd(l->call_fd, 0);
	rc = keeper_file_start(f, file_done, file_closed, w);
	if (!rc)
		return;
	free(w);
	l->waits = false;
	loop_mod_fd(l->call_fd, EPOLLIN);
	m->result = rc;
	answer_send(l, m, -1);
}

static void link_readable(void *opaque, uint32_t events)
{
	struct keeper_link *l = opaque;
	static struct keeper_message m;
	struct answer a;
	int in, rc;

	/* The end of the other side is told even so; it is for later. */
	if (l->waits) {
		loop_del_fd(l->call_fd);
		return;
	}
	rc = keeper_receive(l->call_fd, &m, sizeof(m), &in);
	if (rc == -EAGAIN)
		return;
	if (rc) {
		link_end(l);
		return;
	}
	a = request(l, &m, in);
	if (a.file)
		wait_for(l, &m, a.file);
	else
		answer_send(l, &m, a.fd);
	if (a.fd >= 0)
		close(a.fd);
}

/* Nothing is expected there but its end. */
static void news_readable(void *opaque, uint32_t events)
{
	link_end(opaque);
}

static void store_changed(void *opaque)
{
	const uint8_t kind = KEEPER_NEWS_STORE;
	unsigned int i;

	/* A link that is full has the same news in it already. */
	for (i = 0; i < service.nr_links; i++)
		if (service.links[i].news_fd >= 0 && keeper_is_back_ends(&service.links[i]))
			keeper_send(service.links[i].news_fd, &kind, sizeof(kind), -1);
}

void keeper_serve_init(const struct options *o)
{
	service.options = o;
	service.domid = (unsigned int)o->domid;
	service.window_fd = memfd_create("window", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	/* Memory that went away under a copy would be this process's end. */
	if (service.window_fd < 0 ||
	    ftruncate(service.window_fd, KEEPER_PIECES * KEEPER_PIECE_SIZE) ||
	    fcntl(service.window_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		log_fatal("privileged part: shared window: %s", strerror(errno));
	service.window = mmap(NULL, KEEPER_PIECES * KEEPER_PIECE_SIZE, PROT_READ | PROT_WRITE,
			      MAP_SHARED, service.window_fd, 0);
	if (service.window == MAP_FAILED)
		log_fatal("privileged part: shared window: %s", strerror(errno));
}

void keeper_serve(const struct options *o, struct keeper_link *l, unsigned int n)
{
	unsigned int i;

	service.links = l;
	service.nr_links = n;
	loop_init();
	keeper_log_begin();
	confine_keeper_power(); /* before there is a second thread */
	keeper_processes_begin(o);
	keeper_serve_init(o);
	keeper_images_begin(o);
	if (!o->qtest)
		keeper_xen_start(store_changed);
	for (i = 0; i < n; i++) {
		fcntl(l[i].call_fd, F_SETFL, O_NONBLOCK);
		fcntl(l[i].news_fd, F_SETFL, O_NONBLOCK);
		if (loop_add_fd(l[i].call_fd, EPOLLIN, link_readable, &l[i]) ||
		    loop_add_fd(l[i].news_fd, EPOLLIN, news_readable, &l[i]))
			log_fatal("privileged part: %s", strerror(errno));
	}
	confine_keeper();
	loop_run();
	keeper_log_end();
	keeper_images_end();
	_exit(keeper_processes_status());
}
