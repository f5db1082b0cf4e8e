/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Monitor connections: greeting, one JSON object per command, descriptors by SCM_RIGHTS, events. The
 * version reported is qemu-xen's 7.2, because libxl chooses its commands by it. See qmp.h.
 */
#include "core/qmp.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/keeper.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/machine.h"
#include "core/options.h"
#include "core/qmp_priv.h"
#include "core/unix_socket.h"
#include "core/util.h"

#define QMP_MAX_CLIENTS 8
#define QMP_MAX_COMMAND 65536
#define QMP_MAX_PENDING 65536

#define QMP_VERSION_TEXT \
	"{\"qemu\": {\"micro\": 0, \"minor\": 2, \"major\": 7}, \"package\": \"plinth-dm\"}"

struct qmp_client {
	struct qmp *qmp;
	int fd; /* -1: free */
	bool negotiated;
	int passed_fd;
	char *in;
	size_t in_len;
	char *out; /* what the socket did not take yet */
	size_t out_len;
};

extern const struct qmp_command __start_dm_qmp[], __stop_dm_qmp[];

struct qmp {
	struct machine *m;
	struct qmp_client clients[QMP_MAX_CLIENTS];
	struct qmp_client *current; /* whose command runs */
};

static void client_close(struct qmp_client *c)
{
	loop_del_fd(c->fd);
	close(c->fd);
	if (c->passed_fd >= 0)
		close(c->passed_fd);
	free(c->in);
	free(c->out);
	*c = (struct qmp_client){ .qmp = c->qmp, .fd = -1, .passed_fd = -1 };
}

static void client_flush(struct qmp_client *c)
{
	while (c->out_len) {
		ssize_t n = send(c->fd, c->out, c->out_len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			c->out_len = 0; /* the read side sees the end */
		if (n < 0)
			break;
		c->out_len -= (size_t)n;
		memmove(c->out, c->out + n, c->out_len);
	}
	loop_mod_fd(c->fd, EPOLLIN | (c->out_len ? EPOLLOUT : 0));
}

static void client_send(struct qmp_client *c, const char *text)
{
	size_t len = strlen(text);

	if (c->out_len + len + 2 > QMP_MAX_PENDING) {
		log_warn("a monitor client does not read; it is dropped");
		shutdown(c->fd, SHUT_RDWR);
		c->out_len = 0;
		return;
	}
	c->out = xrealloc(c->out, c->out_len + len + 2);
	memcpy(c->out + c->out_len, text, len);
	memcpy(c->out + c->out_len + len, "\r\n", 2);
	c->out_len += len + 2;
	log_trace(TRACE_QMP, "qmp > %s", text);
	client_flush(c);
}

void qmp_event(struct machine *m, const char *name, const char *data)
{
	struct timespec ts;
	unsigned int i;
	char *text;

	clock_gettime(CLOCK_REALTIME, &ts);
	text = xasprintf("{\"timestamp\": {\"seconds\": %lld, \"microseconds\": %ld}, "
			 "\"event\": \"%s\"%s%s}",
			 (long long)ts.tv_sec, ts.tv_nsec / 1000, name, data ? ", \"data\": " : "",
			 data ? data : "");
	for (i = 0; m->qmp && i < QMP_MAX_CLIENTS; i++)
		if (m->qmp->clients[i].fd >= 0 && m->qmp->clients[i].negotiated)
			client_send(&m->qmp->clients[i], text);
	free(text);
}

void qmp_error(struct qmp_reply *r, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	free(r->error);
	r->error = xstrdup(text);
	if (!r->error_class)
		r->error_class = "GenericError";
}

void qmp_return_open(struct qmp_reply *r, char bracket)
{
	r->wrote = true;
	jout_open(r->out, "return", bracket);
}

void qmp_return_close(struct qmp_reply *r, char bracket)
{
	jout_close(r->out, bracket);
}

int qmp_take_fd(struct machine *m)
{
	struct qmp_client *c = m->qmp->current;
	int fd = c->passed_fd;

	c->passed_fd = -1;
	return fd;
}

static const struct qmp_command *command_find(const char *name)
{
	const struct qmp_command *c;

	for (c = __start_dm_qmp; c < __stop_dm_qmp; c++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

static void command_run(struct qmp_client *c, const struct json *req, struct qmp_reply *r)
{
	const char *name = json_str(req, "execute", NULL);
	const struct qmp_command *cmd = name ? command_find(name) : NULL;

	if (!name) {
		qmp_error(r, "QMP input lacks member 'execute'");
	} else if (!c->negotiated && strcmp(name, "qmp_capabilities")) {
		r->error_class = "CommandNotFound";
		qmp_error(r, "Expecting capabilities negotiation with 'qmp_capabilities'");
	} else if (!cmd) {
		r->error_class = "CommandNotFound";
		qmp_error(r, "The command %s has not been found", name);
	} else {
		c->negotiated = true;
		cmd->handler(c->qmp->m, json_get(req, "arguments"), r);
	}
}

static void client_command(struct qmp_client *c, const char *text, size_t len)
{
	size_t used;
	struct json *req = json_parse(text, len, &used);
	struct json_out out = { 0 };
	struct qmp_reply r = { .out = &out };

	log_trace(TRACE_QMP, "qmp < %.*s", (int)len, text);
	jout_open(&out, NULL, '{');
	if (!req)
		qmp_error(&r, "JSON parse error");
	else
		command_run(c, req, &r);
	if (r.error) {
		jout_free(&out);
		jout_open(&out, NULL, '{');
		jout_open(&out, "error", '{');
		jout_str(&out, "class", r.error_class);
		jout_str(&out, "desc", r.error);
		jout_close(&out, '}');
	} else if (!r.wrote) {
		qmp_return_open(&r, '{');
		qmp_return_close(&r, '}');
	}
	if (json_get(req, "id"))
		jout_value(&out, "id", json_get(req, "id"));
	jout_close(&out, '}');
	client_send(c, out.text);
	free(r.error);
	jout_free(&out);
	json_free(req);
}

/* Keep the last descriptor that came along; a command takes it or the next replaces it. */
static void client_control(struct qmp_client *c, struct msghdr *msg)
{
	struct cmsghdr *h;

	for (h = CMSG_FIRSTHDR(msg); h; h = CMSG_NXTHDR(msg, h)) {
		size_t n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int), i;

		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		for (i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(h) + i * sizeof(int), sizeof(fd));
			if (c->passed_fd >= 0)
				close(c->passed_fd);
			c->passed_fd = fd;
		}
	}
}

static ssize_t client_receive(struct qmp_client *c)
{
	char control[CMSG_SPACE(4 * sizeof(int))];
	struct iovec iov = { c->in + c->in_len, QMP_MAX_COMMAND - c->in_len };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(c->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n > 0)
		client_control(c, &msg);
	return n;
}

static void client_readable(void *opaque, uint32_t events)
{
	struct qmp_client *c = opaque;
	ssize_t n;
	long len;

	if (events & EPOLLOUT)
		client_flush(c);
	if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		return;
	n = client_receive(c);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		client_close(c);
		return;
	}
	c->in_len += (size_t)n;
	while ((len = json_object_length(c->in, c->in_len)) > 0) {
		c->qmp->current = c;
		client_command(c, c->in, (size_t)len);
		c->qmp->current = NULL;
		c->in_len -= (size_t)len;
		memmove(c->in, c->in + len, c->in_len);
	}
	if (len < 0 || c->in_len == QMP_MAX_COMMAND) {
		client_send(c, "{\"error\": {\"class\": \"GenericError\", "
			       "\"desc\": \"Invalid JSON syntax\"}}");
		c->in_len = 0;
	}
}

static void client_new(void *opaque, int fd)
{
	struct qmp *q = opaque;
	struct qmp_client *c = q->clients;

	while (c < q->clients + QMP_MAX_CLIENTS && c->fd >= 0)
		c++;
	if (c == q->clients + QMP_MAX_CLIENTS || loop_add_fd(fd, EPOLLIN, client_readable, c)) {
		log_warn("too many monitor clients; the newest is refused");
		close(fd);
		return;
	}
	*c = (struct qmp_client){ .qmp = q, .fd = fd, .passed_fd = -1 };
	c->in = xzalloc(QMP_MAX_COMMAND);
	client_send(c, "{\"QMP\": {\"version\": " QMP_VERSION_TEXT ", \"capabilities\": []}}");
}

struct monitor {
	struct qmp *qmp;
	int listener;
};

static void monitor_accept(void *opaque, uint32_t events)
{
	const struct monitor *t = opaque;
	int fd = accept4(t->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0)
		client_new(t->qmp, fd);
}

/* Clients come by way of the privileged part, if there is one. */
static int monitor_add(struct qmp *q, int fd)
{
	struct monitor *t;

	if (keeper_active())
		return keeper_add_monitor(fd);
	t = xzalloc(sizeof(*t));
	*t = (struct monitor){ q, fd };
	return loop_add_fd(fd, EPOLLIN, monitor_accept, t);
}

static int monitor_listen(const char *path)
{
	int fd = unix_socket(path, true), rc;

	if (fd < 0 || !listen(fd, 4))
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

int qmp_init(struct machine *m)
{
	struct qmp *q = xzalloc(sizeof(*q));
	unsigned int i;

	m->qmp = q;
	q->m = m;
	for (i = 0; i < QMP_MAX_CLIENTS; i++)
		q->clients[i] = (struct qmp_client){ .qmp = q, .fd = -1, .passed_fd = -1 };
	if (keeper_active() && keeper_on_monitor(client_new, q))
		return -EPIPE;
	for (i = 0; i < m->opt->nr_chardevs; i++) {
		const struct opt_chardev *c = &m->opt->chardevs[i];
		int fd = c->fd >= 0 ? c->fd : monitor_listen(c->path), rc = fd;

		if (!c->monitor)
			continue;
		if (fd >= 0)
			rc = monitor_add(q, fd);
		if (rc < 0) {
			log_error("cannot open the monitor %s: %s", c->path ? c->path : c->id,
				  strerror(-rc));
			return rc;
		}
	}
	return 0;
}

static void cmd_capabilities(struct machine *m, const struct json *args, struct qmp_reply *r)
{
}
QMP_COMMAND(capabilities, "qmp_capabilities", cmd_capabilities);

static void cmd_query_version(struct machine *m, const struct json *args, struct qmp_reply *r)
{
	size_t used;
	struct json *v = json_parse(QMP_VERSION_TEXT, strlen(QMP_VERSION_TEXT), &used);

	r->wrote = true;
	jout_value(r->out, "return", v);
	json_free(v);
}
QMP_COMMAND(query_version, "query-version", cmd_query_version);

static void cmd_query_commands(struct machine *m, const struct json *args, struct qmp_reply *r)
{
	const struct qmp_command *c;

	qmp_return_open(r, '[');
	for (c = __start_dm_qmp; c < __stop_dm_qmp; c++) {
		jout_open(r->out, NULL, '{');
		jout_str(r->out, "name", c->name);
		jout_close(r->out, '}');
	}
	qmp_return_close(r, ']');
}
QMP_COMMAND(query_commands, "query-commands", cmd_query_commands);
