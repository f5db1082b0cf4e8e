/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The confined side of the privileged part: its start, and requests to it. See keeper.h. */
#include "core/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "block/file.h"
#include "core/keeper_priv.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/options.h"
#include "core/util.h"

static struct keeper_link link_of[KEEPER_NR_ROLES] = { { .call_fd = -1, .news_fd = -1 },
						       { .call_fd = -1, .news_fd = -1 } };
/* This process's side of them. */
static struct {
	struct keeper_link *own;
	struct keeper_link
		theirs[KEEPER_NR_ROLES]; /* the other ends, until the processes are made */
	unsigned int nr_links;
	int log_pipe[2];
	pid_t pid; /* the keeper's */
	uint8_t *window;
} side = { .own = &link_of[KEEPER_DEVICE_MODEL], .log_pipe = { -1, -1 } };
static struct {
	bool watches;
	void (*client)(void *opaque, int fd);
	void (*changed)(void *opaque);
	void (*ended)(void *opaque);
	void *client_opaque, *changed_opaque, *ended_opaque;
} listener;

int keeper_send(int sock, const void *message, size_t size, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	struct iovec iov = { (void *)message, size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (fd >= 0) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = sizeof(control.bytes);
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.align), &fd, sizeof(fd));
	}
	do
		n = sendmsg(sock, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : (size_t)n == size ? 0 : -EPIPE;
}

/* At most one is kept, whatever came. */
static int descriptor_of(struct msghdr *msg)
{
	struct cmsghdr *h;
	int kept = -1;

	for (h = CMSG_FIRSTHDR(msg); h; h = CMSG_NXTHDR(msg, h)) {
		size_t n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int), i;

		for (i = 0; h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS && i < n;
		     i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(h) + i * sizeof(int), sizeof(fd));
			if (kept >= 0)
				close(fd);
			else
				kept = fd;
		}
	}
	return kept;
}

int keeper_receive(int sock, void *message, size_t size, int *fd)
{
	union {
		char bytes[CMSG_SPACE(4 * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { message, size };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.bytes,
			      .msg_controllen = sizeof(control.bytes) };
	ssize_t n;

	do
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	*fd = n > 0 ? descriptor_of(&msg) : -1;
	if (n == (ssize_t)size && !(msg.msg_flags & MSG_TRUNC))
		return 0;
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	return n < 0 ? -errno : n ? -EMSGSIZE : -ENODATA;
}

static void link_close(struct keeper_link *l)
{
	if (l->call_fd >= 0)
		close(l->call_fd);
	if (l->news_fd >= 0)
		close(l->news_fd);
	l->call_fd = l->news_fd = -1;
}

static void link_make(struct keeper_link *ours, struct keeper_link *theirs)
{
	int call[2], news[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, call) ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, news))
		log_fatal("privileged part: %s", strerror(errno));
	ours->call_fd = call[0];
	theirs->call_fd = call[1];
	ours->news_fd = news[0];
	theirs->news_fd = news[1];
}

/* Nothing of the other processes' but the links and the log: no monitor, no state to load, no terminal. */
static void keeper_process(const struct options *o, pid_t device_model, pid_t back_ends)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), fd = STDERR_FILENO + 1;
	int *kept[2 * KEEPER_NR_ROLES + 1], n = 0, i;
	unsigned int k;

	for (k = 0; k < side.nr_links; k++) {
		kept[n++] = &side.theirs[k].call_fd;
		kept[n++] = &side.theirs[k].news_fd;
	}
	kept[n++] = &side.log_pipe[0];
	/* First out of the way, then to where they stay. */
	for (i = 0; i < n; i++)
		*kept[i] = fcntl(*kept[i], F_DUPFD_CLOEXEC, 64);
	for (i = 0; i < n; i++) {
		*kept[i] = dup3(*kept[i], fd++, O_CLOEXEC);
		if (*kept[i] < 0)
			_exit(1);
	}
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
	    close_range((unsigned int)fd, ~0u, 0))
		_exit(1);
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_NAME, "plinth-dm-keep");
	log_set_name("plinth-dm-keep");
	keeper_log_serve(side.log_pipe[0]);
	keeper_processes_watch(device_model, back_ends);
	keeper_serve(o, side.theirs, side.nr_links);
}

void keeper_prepare(const struct options *o)
{
	unsigned int i;

	side.nr_links = o->qtest || o->xen_attach ? 1 : 2;
	side.pid = getpid();
	for (i = 0; i < side.nr_links; i++) {
		link_make(&link_of[i], &side.theirs[i]);
		side.theirs[i].roles = 1u << i;
	}
	if (o->xen_attach)
		side.theirs[0].roles |= 1u << KEEPER_BACK_ENDS;
	if (pipe2(side.log_pipe, O_CLOEXEC))
		log_fatal("privileged part: %s", strerror(errno));
}

/* A confined process's output is the privileged part's to write into the log: it holds no file that it could erase. */
static void log_by_pipe(void)
{
	struct stat out, err;

	if (side.log_pipe[1] < 0)
		return;
	if (!fstat(STDOUT_FILENO, &out) && !fstat(STDERR_FILENO, &err) && S_ISREG(out.st_mode) &&
	    out.st_dev == err.st_dev && out.st_ino == err.st_ino)
		dup2(side.log_pipe[1], STDOUT_FILENO);
	/* Who writes too much for its reader loses lines; whoever asked for a trace wants all of them. */
	if (!log_trace_mask)
		fcntl(side.log_pipe[1], F_SETFL, O_NONBLOCK);
	if (dup2(side.log_pipe[1], STDERR_FILENO) < 0)
		_exit(1);
	close(side.log_pipe[0]);
	close(side.log_pipe[1]);
	side.log_pipe[0] = side.log_pipe[1] = -1;
}

void keeper_start(const struct options *o, pid_t back_ends)
{
	pid_t pid;
	unsigned int i;

	pid = fork();
	if (pid < 0)
		log_fatal("privileged part: %s", strerror(errno));
	if (pid)
		keeper_process(o, pid, back_ends);
	for (i = 0; i < side.nr_links; i++)
		link_close(&side.theirs[i]);
	log_by_pipe();
	prctl(PR_SET_NAME, "plinth-dm");
	keeper_die_with_it();
}

void keeper_die_with_it(void)
{
	if (!side.pid)
		return;
	/* Its threads and all: the kernel does it, whatever this process has come to be. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) || getppid() != side.pid)
		_exit(1);
}

bool keeper_active(void)
{
	return side.own->call_fd >= 0;
}

bool keeper_sealed(void)
{
	return side.own->sealed;
}

int keeper_become_back_ends(int first)
{
	side.own = &link_of[KEEPER_BACK_ENDS];
	if (side.own->call_fd < 0)
		return first;
	log_by_pipe();
	keeper_die_with_it();
	side.own->call_fd = fcntl(side.own->call_fd, F_DUPFD_CLOEXEC, 64);
	side.own->news_fd = fcntl(side.own->news_fd, F_DUPFD_CLOEXEC, 64);
	side.own->call_fd = dup3(side.own->call_fd, first, O_CLOEXEC);
	side.own->news_fd = dup3(side.own->news_fd, first + 1, O_CLOEXEC);
	if (side.own->call_fd < 0 || side.own->news_fd < 0)
		_exit(1);
	link_of[KEEPER_DEVICE_MODEL] = (struct keeper_link){ .call_fd = -1, .news_fd = -1 };
	return first + 2;
}

void keeper_drop_back_ends(void)
{
	link_close(&link_of[KEEPER_BACK_ENDS]);
}

/* Said once: the guest goes on with what is open. */
static void gone(void)
{
	if (side.own->call_fd < 0)
		return;
	log_error("the privileged part does not answer any more: no monitor, no other media, no "
		  "paravirtual disks until the guest is started anew");
	loop_del_fd(side.own->news_fd);
	link_close(side.own);
	if (listener.ended)
		listener.ended(listener.ended_opaque);
}

/* The answer takes the request's place; *fd as of keeper_receive(). */
static int call_with(struct keeper_message *m, int send_fd, int *fd)
{
	uint32_t op = m->op;
	int rc;

	*fd = -1;
	if (side.own->call_fd < 0)
		return -EPIPE;
	rc = keeper_send(side.own->call_fd, m, sizeof(*m), send_fd);
	if (!rc)
		rc = keeper_receive(side.own->call_fd, m, sizeof(*m), fd);
	if (!rc && m->op == op)
		return m->result;
	gone();
	return -EPIPE;
}

static int call(struct keeper_message *m)
{
	int fd, rc = call_with(m, -1, &fd);

	if (fd >= 0)
		close(fd);
	return rc;
}

static int call_for_fd(struct keeper_message *m)
{
	int fd, rc = call_with(m, -1, &fd);

	if (!rc)
		return fd >= 0 ? fd : -EIO;
	if (fd >= 0)
		close(fd);
	return rc;
}

/* A message about a name. False: it is too long. */
static bool name(struct keeper_message *m, enum keeper_op op, const char *path)
{
	*m = (struct keeper_message){ .op = op };
	if (strlen(path) >= sizeof(m->path))
		return false;
	strcpy(m->path, path);
	return true;
}

static void news(void *opaque, uint32_t events)
{
	uint8_t kind;
	int fd, rc = keeper_receive(side.own->news_fd, &kind, sizeof(kind), &fd);

	if (rc) {
		gone();
		return;
	}
	if (kind == KEEPER_NEWS_MONITOR && fd >= 0 && listener.client)
		listener.client(listener.client_opaque, fd);
	else if (fd >= 0)
		close(fd);
	if (kind == KEEPER_NEWS_STORE && listener.changed)
		listener.changed(listener.changed_opaque);
}

static int watch(void)
{
	int rc;

	if (side.own->news_fd < 0)
		return -EPIPE;
	rc = listener.watches ? 0 : loop_add_fd(side.own->news_fd, EPOLLIN, news, NULL);
	listener.watches |= !rc;
	return rc;
}

int keeper_on_monitor(void (*client)(void *opaque, int fd), void *opaque)
{
	listener.client = client;
	listener.client_opaque = opaque;
	return watch();
}

int keeper_on_store(void (*changed)(void *opaque), void *opaque)
{
	listener.changed = changed;
	listener.changed_opaque = opaque;
	return watch();
}

int keeper_on_end(void (*ended)(void *opaque), void *opaque)
{
	listener.ended = ended;
	listener.ended_opaque = opaque;
	return watch();
}

int keeper_seal(void)
{
	struct keeper_message m = { .op = KEEPER_OP_SEAL };
	int rc = call(&m);

	side.own->sealed = !rc;
	return rc;
}

int keeper_say_running(void)
{
	struct keeper_message m = { .op = KEEPER_OP_RUNNING };

	return call(&m);
}

int keeper_open(const char *path, enum keeper_mode mode)
{
	struct keeper_message m;

	if (!name(&m, KEEPER_OP_OPEN, path))
		return -ENAMETOOLONG;
	m.arg = mode;
	return call_for_fd(&m);
}

int keeper_open_image(const char *path, int flags)
{
	int fd = keeper_open(path,
			     (flags & O_ACCMODE) == O_RDONLY ? KEEPER_READ : KEEPER_READ_WRITE);

	if (fd >= 0)
		return fd;
	errno = -fd;
	return -1;
}

/* A request about an open file. */
static int call_about(int fd, enum keeper_op op, uint32_t arg)
{
	struct keeper_message m = { .op = op, .arg = arg };
	int none, rc = call_with(&m, fd, &none);

	if (none >= 0)
		close(none);
	return rc;
}

int keeper_add_monitor(int fd)
{
	int rc = call_about(fd, KEEPER_OP_MONITOR, 0);

	close(fd);
	return rc;
}

int keeper_lock_image(int fd, bool grows)
{
	return call_about(fd, KEEPER_OP_LOCK, grows);
}

int keeper_unlock_image(int fd)
{
	int rc = call_about(fd, KEEPER_OP_UNLOCK, 0);

	if (rc)
		log_warn("an image stays locked: %s", strerror(-rc));
	return rc;
}

void keeper_images_taken(void)
{
	struct keeper_message m = { .op = KEEPER_OP_TAKEN };

	call(&m);
}

const struct block_file_keeper keeper_of_images = { keeper_open_image, keeper_lock_image,
						    keeper_unlock_image, keeper_images_taken };

char *keeper_store_read(const char *path)
{
	struct keeper_message m;

	if (!name(&m, KEEPER_OP_STORE_READ, path) || call(&m))
		return NULL;
	m.data[sizeof(m.data) - 1] = 0;
	return xstrdup(m.data);
}

char **keeper_store_list(const char *path, unsigned int *n)
{
	struct keeper_message m;
	char **list, *at;
	int bytes, i;

	*n = 0;
	bytes = name(&m, KEEPER_OP_STORE_LIST, path) ? call(&m) : -1;
	if (bytes < 0 || bytes > (int)sizeof(m.data))
		return NULL;
	for (i = 0; i < bytes; i++)
		*n += !m.data[i];
	list = xzalloc((*n + 1) * sizeof(*list) + (size_t)bytes);
	at = memcpy(list + *n + 1, m.data, (size_t)bytes);
	for (i = 0; i < (int)*n; i++, at += strlen(at) + 1)
		list[i] = at;
	return list;
}

int keeper_store_write(const char *path, const char *value)
{
	struct keeper_message m;

	if (!name(&m, KEEPER_OP_STORE_WRITE, path) || strlen(value) >= sizeof(m.data))
		return -ENAMETOOLONG;
	strcpy(m.data, value);
	return call(&m);
}

int keeper_store_watch(const char *path, bool on)
{
	struct keeper_message m;

	if (!name(&m, on ? KEEPER_OP_STORE_WATCH : KEEPER_OP_STORE_UNWATCH, path))
		return -ENAMETOOLONG;
	return call(&m);
}

void *keeper_map_grants(const uint32_t *refs, unsigned int n)
{
	struct keeper_message m = { .op = KEEPER_OP_MAP, .arg = n };
	void *p = MAP_FAILED;
	int fd;

	if (n > KEEPER_MAX_REFS) {
		errno = EINVAL;
		return NULL;
	}
	memcpy(m.refs, refs, n * sizeof(*refs));
	fd = call_for_fd(&m);
	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	p = mmap(NULL, (size_t)n * KEEPER_PIECE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		 (off_t)m.offset);
	close(fd); /* the mapping keeps what it needs */
	/* cppcheck-suppress memleak */
	return p == MAP_FAILED ? NULL : p;
}

uint8_t *keeper_window(void)
{
	struct keeper_message m = { .op = KEEPER_OP_WINDOW };
	void *p;
	int fd;

	if (side.window)
		return side.window;
	fd = call_for_fd(&m);
	if (fd < 0)
		return NULL;
	p = mmap(NULL, KEEPER_PIECES * KEEPER_PIECE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		 0);
	close(fd);
	side.window = p == MAP_FAILED ? NULL : p;
	/* cppcheck-suppress memleak */
	return side.window;
}

int keeper_copy(const struct keeper_piece *pieces, unsigned int n, bool to_guest)
{
	struct keeper_message m = { .op = KEEPER_OP_COPY, .arg = n, .to_guest = to_guest };

	if (n > KEEPER_PIECES)
		return -EINVAL;
	memcpy(m.pieces, pieces, n * sizeof(*pieces));
	return call(&m);
}
