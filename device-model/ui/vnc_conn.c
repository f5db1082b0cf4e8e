// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One VNC connection in the main loop: its socket, its end of the link to the library thread, and
 * the handshake (RFC 6143, 7.1-7.3), of which the library only sees whole, checked steps. Nothing
 * waits: output queues up here, and a client that lets it grow without bounds is dropped. What a
 * client says after the handshake is in vnc_messages.c.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/input.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/util.h"
#include "ui/vnc_conn.h"

#define HANDSHAKE_TIMEOUT_NS (10 * NS_PER_SEC)
#define GREETING	     "RFB 003.008\n"
#define VERSION_LEN	     12
#define OUT_BYTES	     (256 * 1024)

static uint8_t *reserve(struct vnc_outbuf *b, size_t len)
{
	if (b->start == b->len)
		b->start = b->len = 0;
	if (b->capacity - b->len < len) {
		if (b->start) {
			memmove(b->data, b->data + b->start, vnc_pending(b));
			b->len -= b->start;
			b->start = 0;
		}
		if (b->capacity - b->len < len) {
			b->capacity = MAX(b->capacity * 2, b->len + len);
			b->data = xrealloc(b->data, b->capacity);
		}
	}
	return b->data + b->len;
}

void vnc_append(struct vnc_outbuf *b, const void *data, size_t len)
{
	memcpy(reserve(b, len), data, len);
	b->len += len;
}

/* Send what the socket takes. False when the other side is gone. */
static bool flush(struct vnc_outbuf *b, int fd)
{
	while (vnc_pending(b)) {
		ssize_t n =
			send(fd, b->data + b->start, vnc_pending(b), MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		b->start += (size_t)n;
	}
	if (b->capacity > OUT_BYTES * 2) { /* an unusual backlog is over */
		free(b->data);
		memset(b, 0, sizeof(*b));
	}
	return true;
}

/* ---- to the client ---- */

#define WS_OUT_BYTES (128 * 1024) /* framed bytes wait up to here, the rest unframed */

static size_t client_pending(const struct vnc_conn *c)
{
	size_t rfb = c->ws && c->ws->state != VNC_WS_OPEN ? 0 : vnc_pending(&c->to_client);

	return rfb + vnc_pending(&c->ws_out) + (c->ws ? c->ws->reply_len : 0);
}

/* Put WebSocket's own bytes and frames in front of what the client is to get. */
static void ws_pack(struct vnc_conn *c)
{
	struct vnc_ws *ws = c->ws;

	/* A client that pings and never reads has to stop somewhere. */
	if (ws->reply_len && vnc_pending(&c->ws_out) < WS_OUT_BYTES) {
		vnc_append(&c->ws_out, ws->reply, ws->reply_len);
		ws->reply_len = 0;
	}
	while (ws->state == VNC_WS_OPEN && vnc_pending(&c->to_client) &&
	       vnc_pending(&c->ws_out) < WS_OUT_BYTES) {
		size_t n = MIN(vnc_pending(&c->to_client), (size_t)VNC_WS_PAYLOAD), head_len;
		uint8_t head[VNC_WS_HEADER];

		vnc_ws_header(head, n, &head_len);
		vnc_append(&c->ws_out, head, head_len);
		vnc_append(&c->ws_out, c->to_client.data + c->to_client.start, n);
		c->to_client.start += n;
	}
}

static bool flush_client(struct vnc_conn *c)
{
	if (!c->ws)
		return flush(&c->to_client, c->fd);
	do {
		ws_pack(c);
		if (!flush(&c->ws_out, c->fd))
			return false;
	} while (!vnc_pending(&c->ws_out) && client_pending(c));
	return true;
}

static void conn_free(void *opaque)
{
	struct vnc_conn *c = opaque;

	free(c->ws);
	free(c->ws_out.data);
	free(c->to_client.data);
	free(c->to_library.data);
	free(c);
}

static void conn_close(struct vnc_conn *c, const char *why)
{
	bool was_normal = c->phase == PHASE_NORMAL;

	if (c->dead)
		return;
	c->dead = true;
	log_trace(TRACE_VNC, "vnc: client on fd %d: %s", c->fd, why);
	vnc_input_release(&c->input);
	dm_timer_cancel(&c->timeout);
	loop_del_fd(c->fd);
	close(c->fd);
	if (c->link_fd >= 0) {
		loop_del_fd(c->link_fd);
		close(c->link_fd);
	}
	if (c->link)
		vnc_link_unref(c->link);
	vnc_server_client_gone(c->server, c, was_normal);
	loop_defer(&c->free_call);
}

/* The most that may wait for a client: a few whole pictures in the worst encoding. */
static size_t backlog_limit(const struct vnc_conn *c)
{
	return 4 * (size_t)c->server->width * (size_t)c->server->height * 4 + (16u << 20);
}

static void update_events(struct vnc_conn *c)
{
	bool full = c->in_len == VNC_IN_BYTES || (c->ws && c->ws->raw_len == VNC_WS_RAW_BYTES);
	uint32_t client = c->draining || full || vnc_pending(&c->to_library) ? 0 : EPOLLIN;
	uint32_t link = EPOLLIN;

	if (client_pending(c))
		client |= EPOLLOUT;
	if (vnc_pending(&c->to_library))
		link |= EPOLLOUT;
	if (client != c->client_events)
		loop_mod_fd(c->fd, client);
	if (c->link_fd >= 0 && link != c->link_events)
		loop_mod_fd(c->link_fd, link);
	c->client_events = client;
	c->link_events = link;
}

/*
 * Each step looks at c->in and returns the bytes it used, 0 when it needs more, or -1 to end the
 * connection.
 */
static void link_ready(void *opaque, uint32_t events);

static bool link_create(struct vnc_conn *c)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds))
		return false;
	c->link_fd = fds[0];
	c->link = xzalloc(sizeof(*c->link));
	atomic_init(&c->link->refs, 1);
	atomic_init(&c->link->normal, false);
	c->link->fd = fds[1];
	c->link->auth = c->server->auth;
	memcpy(c->link->password, c->server->password, sizeof(c->link->password));
	c->swallow = VERSION_LEN;
	c->link_events = EPOLLIN;
	return !loop_add_fd(c->link_fd, EPOLLIN, link_ready, c);
}

static ssize_t step_version(struct vnc_conn *c)
{
	char version[VERSION_LEN + 1];
	unsigned int i, minor;

	if (c->in_len < VERSION_LEN)
		return 0;
	memcpy(version, c->in, VERSION_LEN);
	version[VERSION_LEN] = 0;
	if (memcmp(version, GREETING, 8) || version[11] != '\n')
		return -1;
	for (i = 8; i < 11; i++)
		if (version[i] < '0' || version[i] > '9')
			return -1;
	minor = (unsigned int)atoi(version + 8);
	/* Other numbers have been seen in the wild; they mean the nearest of these (RFC 6143, A). */
	minor = minor < 7 ? 3 : minor == 7 ? 7 : 8;
	snprintf(version, sizeof(version), "RFB 003.%03u\n", minor);
	if (!link_create(c))
		return -1;
	/* The version is there before the library looks, so it never waits for it. */
	vnc_append(&c->to_library, version, VERSION_LEN);
	if (!flush(&c->to_library, c->link_fd))
		return -1;
	vnc_rfb_add(c->link);
	c->phase = minor >= 7 ? PHASE_SECURITY : c->server->auth ? PHASE_AUTH : PHASE_INIT;
	return VERSION_LEN;
}

static ssize_t step_security(struct vnc_conn *c)
{
	if (c->in[0] != (c->link->auth ? 2 : 1))
		return -1;
	vnc_append(&c->to_library, c->in, 1);
	c->phase = c->link->auth ? PHASE_AUTH : PHASE_INIT;
	return 1;
}

static ssize_t step_auth(struct vnc_conn *c)
{
	if (c->in_len < 16)
		return 0;
	vnc_append(&c->to_library, c->in, 16);
	c->phase = PHASE_INIT;
	return 16;
}

static ssize_t step_init(struct vnc_conn *c)
{
	uint8_t shared = 1;

	vnc_append(&c->to_library, &shared, 1);
	c->phase = PHASE_WAIT;
	return 1;
}

static ssize_t step(struct vnc_conn *c)
{
	switch (c->phase) {
	case PHASE_VERSION:
		return step_version(c);
	case PHASE_SECURITY:
		return step_security(c);
	case PHASE_AUTH:
		return step_auth(c);
	case PHASE_INIT:
		return step_init(c);
	case PHASE_WAIT: /* nothing counts before the library let the client in */
		return 0;
	case PHASE_NORMAL:
		break;
	}
	return vnc_message(c);
}

static void take_input(struct vnc_conn *c, size_t len)
{
	memmove(c->in, c->in + len, c->in_len - len);
	c->in_len -= len;
}

/* Is there anything in c->in? */
static bool fill_input(struct vnc_conn *c)
{
	if (c->ws && c->in_len < VNC_IN_BYTES) {
		c->in_len += vnc_ws_input(c->ws, c->in + c->in_len, VNC_IN_BYTES - c->in_len);
		c->draining |= c->ws->state == VNC_WS_CLOSED;
		if (c->ws->reply_len)
			ws_pack(c);
	}
	return c->in_len;
}

/* Work through what has arrived, as long as the library's queue is short. */
static void process_input(struct vnc_conn *c)
{
	while (!c->dead && !c->draining && !vnc_pending(&c->to_library) && fill_input(c)) {
		ssize_t used;

		if (c->skip) {
			size_t n = MIN(c->skip, c->in_len);

			c->skip -= (uint32_t)n;
			take_input(c, n);
			continue;
		}
		used = step(c);
		if (used < 0) {
			conn_close(c, "does not speak RFB as it should");
			return;
		}
		if (!used)
			break;
		take_input(c, (size_t)used);
		if (c->link_fd >= 0 && !flush(&c->to_library, c->link_fd))
			conn_close(c, "library hung up");
	}
	if (!c->dead)
		update_events(c);
}

static void read_client(struct vnc_conn *c)
{
	uint8_t *at = c->ws ? c->ws->raw : c->in;
	size_t *len = c->ws ? &c->ws->raw_len : &c->in_len;
	size_t size = c->ws ? sizeof(c->ws->raw) : VNC_IN_BYTES;
	ssize_t n;

	if (*len == size)
		return;
	n = recv(c->fd, at + *len, size - *len, MSG_DONTWAIT);
	if (n > 0)
		*len += (size_t)n;
	else if (!n || (errno != EAGAIN && errno != EINTR))
		conn_close(c, "gone");
}

static void client_ready(void *opaque, uint32_t events)
{
	struct vnc_conn *c = opaque;

	if (c->dead)
		return;
	if (events & (EPOLLERR | EPOLLHUP)) {
		conn_close(c, "gone");
		return;
	}
	if ((events & EPOLLIN) && c->in_len < VNC_IN_BYTES)
		read_client(c);
	if (!c->dead && !flush_client(c))
		conn_close(c, "gone");
	if (!c->dead && c->draining && !client_pending(c))
		conn_close(c, "closed by the library");
	if (c->dead)
		return;
	vnc_release_update(c);
	if (c->link_fd >= 0 && !flush(&c->to_library, c->link_fd)) {
		conn_close(c, "library hung up");
		return;
	}
	process_input(c);
}

/* The library's bytes, minus its greeting: the client got ours. */
static void read_library(struct vnc_conn *c)
{
	uint8_t *at = reserve(&c->to_client, OUT_BYTES);
	ssize_t n = recv(c->link_fd, at, OUT_BYTES, MSG_DONTWAIT);
	size_t drop;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		loop_del_fd(c->link_fd);
		close(c->link_fd);
		c->link_fd = -1;
		c->draining = true;
		return;
	}
	drop = MIN(c->swallow, (size_t)n);
	c->swallow -= drop;
	memmove(at, at + drop, (size_t)n - drop);
	c->to_client.len += (size_t)n - drop;
}

static void link_ready(void *opaque, uint32_t events)
{
	struct vnc_conn *c = opaque;

	if (c->dead)
		return;
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		read_library(c);
	if (!flush_client(c)) {
		conn_close(c, "gone");
		return;
	}
	if (client_pending(c) > backlog_limit(c)) {
		conn_close(c, "does not read");
		return;
	}
	if (c->draining && !client_pending(c)) {
		conn_close(c, "closed by the library");
		return;
	}
	vnc_release_update(c);
	if (c->link_fd >= 0 && !flush(&c->to_library, c->link_fd)) {
		conn_close(c, "library hung up");
		return;
	}
	process_input(c);
}

void vnc_conn_poll(struct vnc_conn *c)
{
	if (c->dead || c->phase != PHASE_WAIT || !atomic_load(&c->link->normal))
		return;
	c->phase = PHASE_NORMAL;
	dm_timer_cancel(&c->timeout);
	vnc_server_client_normal(c->server);
	process_input(c);
}

static void timed_out(void *opaque)
{
	conn_close(opaque, "handshake takes too long");
}

struct vnc_conn *vnc_conn_new(struct vnc_server *s, int fd, bool websocket)
{
	struct vnc_conn *c = xzalloc(sizeof(*c));
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	c->server = s;
	c->fd = fd;
	c->link_fd = -1;
	c->ws = websocket ? xzalloc(sizeof(*c->ws)) : NULL;
	vnc_input_init(&c->input);
	loop_call_init(&c->free_call, conn_free, c);
	dm_timer_init(&c->timeout, DM_CLOCK_HOST, timed_out, c);
	vnc_append(&c->to_client, GREETING, VERSION_LEN);
	c->client_events = websocket ? EPOLLIN : EPOLLIN | EPOLLOUT;
	if (loop_add_fd(fd, c->client_events, client_ready, c)) {
		close(fd);
		conn_free(c);
		return NULL;
	}
	dm_timer_set_ns(&c->timeout, clock_host_ns() + HANDSHAKE_TIMEOUT_NS);
	return c;
}

int vnc_conn_fd(const struct vnc_conn *c)
{
	return c->fd;
}

bool vnc_conn_is_normal(const struct vnc_conn *c)
{
	return c->phase == PHASE_NORMAL;
}

bool vnc_conn_is_websocket(const struct vnc_conn *c)
{
	return c->ws;
}
