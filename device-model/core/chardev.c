/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Character back ends on file descriptors. Each kind only differs in how it gets its descriptors:
 * opened once (file, stdio, pty) or by accepting and connecting (sockets). See chardev.h.
 */
#include "core/chardev.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "core/log.h"
#include "core/loop.h"
#include "core/options_priv.h"
#include "core/timer.h"
#include "core/machine.h"
#include "core/telnet.h"
#include "core/unix_socket.h"
#include "core/util.h"

#define CHARDEV_READ_MAX 4096
#define PTY_POLL_NS	 (500 * NS_PER_MS)

struct chardev {
	char *label, *filename;
	int in_fd, out_fd; /* -1: none */
	int listen_fd;
	bool open;     /* a peer is there */
	bool watching; /* in_fd is in the loop with EPOLLIN */
	bool is_pty, is_socket, is_telnet;
	bool iac_owed; /* the second half of a byte that telnet doubles */
	enum telnet_state telnet;
	struct chardev_frontend fe;
	struct dm_timer pty_timer;
	struct chardev *next;
};

static void chardev_read(void *opaque, uint32_t events);

static void set_nonblocking(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static void event(struct chardev *c, enum chardev_event ev)
{
	c->open = ev == CHARDEV_OPENED;
	if (c->fe.event)
		c->fe.event(c->fe.opaque, ev);
}

static size_t room(struct chardev *c)
{
	if (!c->fe.receive)
		return 0;
	return c->fe.can_receive ? c->fe.can_receive(c->fe.opaque) : CHARDEV_READ_MAX;
}

/* Watch for input only while the front end takes some: a level-triggered fd would spin. */
static void watch_update(struct chardev *c)
{
	bool want = c->in_fd >= 0 && c->open && room(c) > 0;

	if (want == c->watching)
		return;
	/* Regular files cannot be polled; they have no input worth waiting for either. */
	if (want)
		c->watching = !loop_add_fd(c->in_fd, EPOLLIN, chardev_read, c);
	else
		loop_del_fd(c->in_fd);
	if (!want)
		c->watching = false;
}

static void unwatch(struct chardev *c)
{
	if (c->watching)
		loop_del_fd(c->in_fd);
	c->watching = false;
}

static void peer_gone(struct chardev *c)
{
	unwatch(c);
	if (c->is_socket && c->in_fd >= 0) {
		close(c->in_fd);
		c->in_fd = c->out_fd = -1;
	}
	if (c->is_pty)
		dm_timer_set_ns(&c->pty_timer, clock_host_ns() + PTY_POLL_NS);
	event(c, CHARDEV_CLOSED);
}

static void chardev_read(void *opaque, uint32_t events)
{
	struct chardev *c = opaque;
	uint8_t buf[CHARDEV_READ_MAX];
	size_t max = MIN(room(c), sizeof(buf));
	ssize_t n;

	if (!max) {
		watch_update(c);
		return;
	}
	n = read(c->in_fd, buf, max);
	if (n > 0) {
		size_t got = c->is_telnet ? telnet_input(&c->telnet, buf, (size_t)n) : (size_t)n;

		if (got)
			c->fe.receive(c->fe.opaque, buf, got);
		watch_update(c);
	} else if (!n || (errno != EAGAIN && errno != EINTR)) {
		peer_gone(c);
	}
}

/* A pty master whose slave nobody has open hangs up. */
static bool pty_has_peer(const struct chardev *c)
{
	struct pollfd p = { .fd = c->in_fd };

	return poll(&p, 1, 0) >= 0 && !(p.revents & POLLHUP);
}

static void pty_poll(void *opaque)
{
	struct chardev *c = opaque;

	if (!pty_has_peer(c)) {
		dm_timer_set_ns(&c->pty_timer, clock_host_ns() + PTY_POLL_NS);
		return;
	}
	dm_timer_cancel(&c->pty_timer);
	event(c, CHARDEV_OPENED);
	watch_update(c);
}

static int open_pty(struct chardev *c)
{
	struct termios t;
	char name[128];
	int master, slave;

	if (openpty(&master, &slave, name, NULL, NULL))
		return -errno;
	tcgetattr(slave, &t);
	cfmakeraw(&t);
	tcsetattr(slave, TCSAFLUSH, &t);
	close(slave);
	set_nonblocking(master);
	fcntl(master, F_SETFD, FD_CLOEXEC);
	c->in_fd = c->out_fd = master;
	c->is_pty = true;
	free(c->filename);
	c->filename = xasprintf("pty:%s", name);
	dm_timer_init(&c->pty_timer, DM_CLOCK_HOST, pty_poll, c);
	dm_timer_set_ns(&c->pty_timer, clock_host_ns() + PTY_POLL_NS);
	return 0;
}

static int open_file(struct chardev *c, const char *path)
{
	c->out_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	c->open = c->out_fd >= 0;
	return c->open ? 0 : -errno;
}

static int open_stdio(struct chardev *c)
{
	c->in_fd = STDIN_FILENO;
	c->out_fd = STDOUT_FILENO;
	c->open = true;
	return 0;
}

static void socket_connected(struct chardev *c, int fd)
{
	set_nonblocking(fd);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	c->in_fd = c->out_fd = fd;
	c->telnet = TELNET_DATA;
	c->iac_owed = false;
	/* A new connection has room for it. */
	if (c->is_telnet && write(fd, telnet_greeting, sizeof(telnet_greeting)) < 0)
		log_error("%s: %s", c->label, strerror(errno));
	event(c, CHARDEV_OPENED);
	watch_update(c);
}

static void socket_accept(void *opaque, uint32_t events)
{
	struct chardev *c = opaque;
	int fd = accept(c->listen_fd, NULL, NULL);

	if (fd < 0)
		return;
	if (c->in_fd >= 0)
		close(fd); /* one peer at a time */
	else
		socket_connected(c, fd);
}

/* No host is this machine alone: who wants to be reached from others says 0.0.0.0. */
static int tcp_socket(const char *host, const char *port, bool server)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *ai;
	int fd = -1, one = 1, rc = -1;

	if (getaddrinfo(*host ? host : "127.0.0.1", port, &hints, &ai))
		return -EADDRNOTAVAIL;
	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		rc = server ? bind(fd, ai->ai_addr, ai->ai_addrlen)
			    : connect(fd, ai->ai_addr, ai->ai_addrlen);
	}
	freeaddrinfo(ai);
	if (!rc)
		return fd;
	rc = -errno;
	if (fd >= 0)
		close(fd);
	return rc;
}

static bool opt_on(const struct opt_list *l, const char *key)
{
	const char *v = opt_list_get(l, key);

	return v && (!*v || !strcmp(v, "on"));
}

/* "unix:PATH[,server][,wait=off]", "tcp:HOST:PORT[,server]..." or "telnet:HOST:PORT,server..."; nobody is waited for. */
static int open_socket(struct chardev *c, const char *spec)
{
	static const char *const known[] = { "server", "wait", "nowait", "nodelay", NULL };
	struct opt_list l;
	char *colon, *where;
	bool server;
	int fd;

	opt_list_parse(&l, spec);
	opt_list_only(&l, "serial", known);
	server = opt_on(&l, "server");
	where = xstrdup(strchr(l.head, ':') + 1);
	colon = strrchr(where, ':');
	if (l.head[0] == 'u') {
		fd = unix_socket(where, server);
	} else if (colon) {
		*colon = 0;
		fd = tcp_socket(where, colon + 1, server);
	} else {
		fd = -EINVAL;
	}
	free(where);
	opt_list_free(&l);
	if (fd < 0)
		return fd;
	c->is_socket = true;
	c->is_telnet = server && !strncmp(spec, "telnet:", 7);
	if (!server) {
		socket_connected(c, fd);
		return 0;
	}
	c->listen_fd = fd;
	return listen(fd, 1) ? -errno : loop_add_fd(fd, EPOLLIN, socket_accept, c);
}

static int open_spec(struct chardev *c, const char *spec)
{
	if (!strcmp(spec, "null") || !strncmp(spec, "vc", 2))
		return 0;
	if (!strcmp(spec, "pty"))
		return open_pty(c);
	if (!strcmp(spec, "stdio") || !strcmp(spec, "mon:stdio"))
		return open_stdio(c);
	if (!strncmp(spec, "file:", 5))
		return open_file(c, spec + 5);
	if (spec[0] == '/')
		return open_file(c, spec);
	if (!strncmp(spec, "unix:", 5) || !strncmp(spec, "tcp:", 4) || !strncmp(spec, "telnet:", 7))
		return open_socket(c, spec);
	return -EINVAL;
}

struct chardev *chardev_open(struct machine *m, const char *label, const char *spec)
{
	struct chardev *c = xzalloc(sizeof(*c)), **p = &m->chardevs;
	int rc;

	c->in_fd = c->out_fd = c->listen_fd = -1;
	c->label = xstrdup(label);
	c->filename = xstrdup(spec);
	rc = open_spec(c, spec);
	if (rc) {
		log_error("cannot open %s for %s: %s (known: pty, file:PATH, unix:PATH, "
			  "tcp:HOST:PORT, telnet:HOST:PORT, stdio, null)",
			  spec, label, strerror(-rc));
		free(c->label);
		free(c->filename);
		free(c);
		return NULL;
	}
	while (*p)
		p = &(*p)->next;
	*p = c;
	return c;
}

void chardev_set_frontend(struct chardev *c, const struct chardev_frontend *fe)
{
	unwatch(c);
	c->fe = *fe;
	watch_update(c);
}

/* As write(), with telnet's own byte doubled. */
static ssize_t telnet_write(struct chardev *c, const uint8_t *buf, size_t len)
{
	static const uint8_t iac[2] = { TELNET_IAC, TELNET_IAC };
	const uint8_t *special = memchr(buf, TELNET_IAC, len);
	ssize_t n;

	if (c->iac_owed) {
		if (write(c->out_fd, iac, 1) < 0)
			return -1;
		c->iac_owed = false;
	}
	if (special != buf)
		return write(c->out_fd, buf, special ? (size_t)(special - buf) : len);
	n = write(c->out_fd, iac, sizeof(iac));
	c->iac_owed = n == 1;
	return MIN(n, 1);
}

size_t chardev_write(struct chardev *c, const void *buf, size_t len)
{
	ssize_t n;

	if (c->is_pty && !c->open)
		pty_poll(c);
	if (c->out_fd < 0 || !c->open)
		return len;
	n = c->is_telnet ? telnet_write(c, buf, len) : write(c->out_fd, buf, len);
	if (n >= 0)
		return (size_t)n;
	if (errno == EAGAIN || errno == EINTR)
		return 0;
	peer_gone(c);
	return len;
}

void chardev_accept_input(struct chardev *c)
{
	watch_update(c);
}

void chardev_send_break(struct chardev *c)
{
	if (c->is_pty)
		tcsendbreak(c->out_fd, 0);
}

struct chardev *chardev_next(struct machine *m, struct chardev *prev)
{
	return prev ? prev->next : m->chardevs;
}

const char *chardev_label(const struct chardev *c)
{
	return c->label;
}

const char *chardev_filename(const struct chardev *c)
{
	return c->filename;
}

bool chardev_is_open(const struct chardev *c)
{
	return c->open;
}
