// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One VNC connection in the main loop: its socket, plain or with TLS, and its end of the link to the
 * library thread. Nothing waits: output queues up here, and a client that lets it grow without bounds
 * is dropped. What a client says is in vnc_handshake.c and vnc_messages.c.
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

static ssize_t send_plain(int fd, const void *data, size_t len)
{
	ssize_t n;

	do
		n = send(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* Send what the socket takes. False when the other side is gone. */
static bool flush(struct vnc_outbuf *b, int fd, struct vnc_tls *tls)
{
	while (vnc_pending(b)) {
		const uint8_t *data = b->data + b->start;
		ssize_t n = tls ? vnc_tls_send(tls, data, vnc_pending(b))
				: send_plain(fd, data, vnc_pending(b));

		if (n < 0)
			return n == -EAGAIN;
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
	if (c->tls && !c->tls_up)
		return true;
	if (!c->ws)
		return flush(&c->to_client, c->fd, c->tls);
	do {
		ws_pack(c);
		if (!flush(&c->ws_out, c->fd, c->tls))
			return false;
	} while (!vnc_pending(&c->ws_out) && client_pending(c));
	return true;
}

bool vnc_conn_flush_library(struct vnc_conn *c)
{
	return flush(&c->to_library, c->link_fd, NULL);
}

static void conn_free(void *opaque)
{
	struct vnc_conn *c = opaque;

	vnc_tls_free(c->tls);
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

	if (c->tls && !c->tls_up ? vnc_tls_wants_write(c->tls) : client_pending(c) > 0)
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
static ssize_t step(struct vnc_conn *c)
{
	return c->phase == PHASE_NORMAL ? vnc_message(c) : vnc_handshake(c);
}

static void take_input(struct vnc_conn *c, size_t len)
{
	memmove(c->in, c->in + len, c->in_len - len);
	c->in_len -= len;
}

static void read_client(struct vnc_conn *c)
{
	uint8_t *at = c->ws ? c->ws->raw : c->in;
	size_t *len = c->ws ? &c->ws->raw_len : &c->in_len;
	size_t size = c->ws ? sizeof(c->ws->raw) : VNC_IN_BYTES;
	ssize_t n;

	if (*len == size)
		return;
	n = c->tls ? vnc_tls_recv(c->tls, at + *len, size - *len)
		   : recv(c->fd, at + *len, size - *len, MSG_DONTWAIT);
	if (n > 0)
		*len += (size_t)n;
	else if (c->tls ? n != -EAGAIN : !n || (errno != EAGAIN && errno != EINTR))
		conn_close(c, "gone");
}

/* Is there anything in c->in? */
static bool fill_input(struct vnc_conn *c)
{
	/* The socket does not show what TLS has decrypted already. */
	if (c->tls_up && vnc_tls_pending(c->tls))
		read_client(c);
	if (c->dead)
		return false;
	if (c->ws && c->in_len < VNC_IN_BYTES) {
		c->in_len += vnc_ws_input(c->ws, c->in + c->in_len, VNC_IN_BYTES - c->in_len);
		c->draining |= c->ws->state == VNC_WS_CLOSED;
		if (c->ws->reply_len)
			ws_pack(c);
	}
	return c->in_len;
}

/* 1: it is there; 0: later; -1: the connection is closed. */
static int tls_begin(struct vnc_conn *c)
{
	int rc = vnc_tls_handshake(c->tls);

	if (rc < 0) {
		conn_close(c, "no TLS");
	} else if (!rc) {
		update_events(c);
	} else {
		c->tls_up = true;
		vnc_handshake_tls_done(c);
	}
	return rc;
}

bool vnc_conn_start_tls(struct vnc_conn *c, const uint8_t *early, size_t early_len)
{
	/* Plain bytes first; so few fit into a socket that has been read. */
	if (!flush(&c->to_client, c->fd, NULL) || vnc_pending(&c->to_client))
		return false;
	c->tls = vnc_tls_new(c->server->tls, c->fd, early, early_len);
	return c->tls;
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
		if (c->tls && !c->tls_up && tls_begin(c) <= 0)
			return;
		if (c->link_fd >= 0 && !vnc_conn_flush_library(c))
			conn_close(c, "library hung up");
	}
	if (!c->dead)
		update_events(c);
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
	if (c->tls && !c->tls_up && tls_begin(c) <= 0)
		return;
	if ((events & EPOLLIN) && c->in_len < VNC_IN_BYTES)
		read_client(c);
	if (!c->dead && !flush_client(c))
		conn_close(c, "gone");
	if (!c->dead && c->draining && !client_pending(c))
		conn_close(c, "closed by the library");
	if (c->dead)
		return;
	vnc_release_update(c);
	if (c->link_fd >= 0 && !vnc_conn_flush_library(c)) {
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

void vnc_conn_link_ready(void *opaque, uint32_t events)
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
	if (c->link_fd >= 0 && !vnc_conn_flush_library(c)) {
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
	vnc_append(&c->to_client, VNC_GREETING, sizeof(VNC_GREETING) - 1);
	c->client_events = websocket ? EPOLLIN : EPOLLIN | EPOLLOUT;
	/* A browser's TLS is around everything (wss); others ask for it in the handshake. */
	if (websocket && s->tls)
		c->tls = vnc_tls_new(s->tls, fd, NULL, 0);
	if ((websocket && s->tls && !c->tls) ||
	    loop_add_fd(fd, c->client_events, client_ready, c)) {
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
