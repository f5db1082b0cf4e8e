// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A VNC client's socket, plain or with TLS, with or without WebSocket frames. Nothing waits: output
 * queues up here, updates are held back meanwhile, and a client that lets the rest grow without bounds
 * is dropped. What a client says is in vnc_messages.c.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/log.h"
#include "core/util.h"
#include "ui/vnc_priv.h"
#include "ui/vnc_tls.h"
#include "ui/vnc_ws.h"

#define HANDSHAKE_TIMEOUT_NS (10 * NS_PER_SEC)
#define HELD_NS		     (20 * NS_PER_MS)
#define UNUSUAL_BYTES	     (512 * 1024) /* a buffer this long is given back when it is empty */
#define BACKLOG_HIGH	     (512 * 1024) /* updates wait above this */
#define WS_BACKLOG_HIGH	     (128 * 1024) /* answers to pings wait above this */

/* ---- to the client ---- */

uint8_t *vnc_reserve(struct vnc_outbuf *b, size_t len)
{
	if (b->start == b->len)
		b->start = b->len = 0;
	if (b->capacity - b->len < len && b->start) {
		memmove(b->data, b->data + b->start, vnc_pending(b));
		b->len -= b->start;
		b->start = 0;
	}
	if (b->capacity - b->len < len) {
		b->capacity = MAX(b->capacity * 2, b->len + len);
		b->data = xrealloc(b->data, b->capacity);
	}
	return b->data + b->len;
}

static void append(struct vnc_outbuf *b, const void *data, size_t len)
{
	memcpy(vnc_reserve(b, len), data, len);
	b->len += len;
}

void vnc_conn_send(struct vnc_conn *c, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (c->ws && len) {
		uint8_t head[VNC_WS_HEADER];
		size_t n = MIN(len, (size_t)VNC_WS_PAYLOAD), head_len;

		vnc_ws_header(head, n, &head_len);
		append(&c->out, head, head_len);
		append(&c->out, p, n);
		p += n;
		len -= n;
	}
	if (len)
		append(&c->out, p, len);
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
static bool flush(struct vnc_conn *c)
{
	struct vnc_outbuf *b = &c->out;

	while (vnc_pending(b) && (!c->tls || c->tls_up)) {
		const uint8_t *data = b->data + b->start;
		ssize_t n = c->tls ? vnc_tls_send(c->tls, data, vnc_pending(b))
				   : send_plain(c->fd, data, vnc_pending(b));

		if (n < 0)
			return n == -EAGAIN;
		b->start += (size_t)n;
	}
	if (!vnc_pending(b) && b->capacity > UNUSUAL_BYTES) {
		free(b->data);
		memset(b, 0, sizeof(*b));
	}
	return true;
}

static void conn_free(void *opaque)
{
	struct vnc_conn *c = opaque;

	vnc_rfb_free(c);
	vnc_tls_free(c->tls);
	free(c->ws);
	free(c->out.data);
	free(c->update.data);
	free(c);
}

static void conn_close(struct vnc_conn *c, const char *why)
{
	if (c->dead)
		return;
	c->dead = true;
	log_trace(TRACE_VNC, "vnc: client on fd %d: %s", c->fd, why);
	vnc_input_release(&c->input);
	dm_timer_cancel(&c->timeout);
	dm_timer_cancel(&c->more);
	dm_timer_cancel(&c->again);
	loop_del_fd(c->fd);
	close(c->fd);
	vnc_server_client_gone(c->server, c);
	loop_defer(&c->free_call);
}

/* The most that may wait for a client: a few whole pictures in the worst encoding. */
static size_t backlog_limit(const struct vnc_conn *c)
{
	const struct display *d = &c->server->m->display;

	return 4 * (size_t)d->width * (size_t)d->height * 4 + (16u << 20);
}

static void update_events(struct vnc_conn *c)
{
	bool full = c->held || c->in_len == VNC_IN_BYTES ||
		    (c->ws && c->ws->raw_len == VNC_WS_RAW_BYTES);
	bool write = c->tls && !c->tls_up ? vnc_tls_wants_write(c->tls) : vnc_pending(&c->out) > 0;
	uint32_t events = (c->draining || full ? 0 : EPOLLIN) | (write ? EPOLLOUT : 0);

	if (events != c->events)
		loop_mod_fd(c->fd, events);
	c->events = events;
}

void vnc_conn_settle(struct vnc_conn *c)
{
	bool up;

	if (c->dead)
		return;
	c->draining |= vnc_rfb_closed(c);
	up = flush(c);
	if (up && c->phase == PHASE_NORMAL && !c->draining && vnc_pending(&c->out) < BACKLOG_HIGH) {
		vnc_rfb_update(c);
		up = flush(c);
	}
	if (!up)
		conn_close(c, "gone");
	else if (vnc_pending(&c->out) > backlog_limit(c))
		conn_close(c, "does not read");
	else if (c->draining && !vnc_pending(&c->out))
		conn_close(c, "closed by the server");
	else
		update_events(c);
}

/* ---- from the client ---- */

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

static void greet(struct vnc_conn *c)
{
	if (!c->greeted)
		vnc_conn_send(c, VNC_GREETING, sizeof(VNC_GREETING) - 1);
	c->greeted = true;
}

/* Take the frames off. A client that pings and never reads has to stop somewhere. */
static void unpack_ws(struct vnc_conn *c)
{
	struct vnc_ws *ws = c->ws;

	c->in_len += vnc_ws_input(ws, c->in + c->in_len, VNC_IN_BYTES - c->in_len);
	c->draining |= ws->state == VNC_WS_CLOSED;
	if (!ws->reply_len || vnc_pending(&c->out) > WS_BACKLOG_HIGH)
		return;
	append(&c->out, ws->reply, ws->reply_len);
	ws->reply_len = 0;
	if (ws->state == VNC_WS_OPEN)
		greet(c);
}

/* Is there anything in c->in? */
static bool fill_input(struct vnc_conn *c)
{
	/* The socket does not show what TLS has decrypted already. */
	if (c->tls_up && vnc_tls_pending(c->tls))
		read_client(c);
	if (c->dead)
		return false;
	if (c->ws && c->in_len < VNC_IN_BYTES)
		unpack_ws(c);
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
		vnc_message_tls_done(c);
	}
	return rc;
}

bool vnc_conn_start_tls(struct vnc_conn *c, const uint8_t *early, size_t early_len)
{
	/* Plain bytes first; so few fit into a socket that has been read. */
	if (!flush(c) || vnc_pending(&c->out))
		return false;
	c->tls = vnc_tls_new(c->server->tls, c->fd, early, early_len);
	return c->tls;
}

/* One message, or what is left of one that nobody wants. False: there is no more to do now. */
static bool step(struct vnc_conn *c)
{
	uint32_t skipped = (uint32_t)MIN(c->skip, c->in_len);
	ssize_t used;

	c->skip -= skipped;
	used = skipped ? (ssize_t)skipped : vnc_message(c);
	if (used < 0)
		conn_close(c, "does not speak RFB as it should");
	if (used <= 0)
		return false;
	take_input(c, (size_t)used);
	return !c->tls || c->tls_up || tls_begin(c) > 0;
}

static void process_input(struct vnc_conn *c)
{
	bool was_normal = c->phase == PHASE_NORMAL;

	c->held = false;
	while (!c->dead && !c->draining && fill_input(c) && step(c))
		;
	if (!c->dead && c->held)
		dm_timer_set_ns(&c->again, clock_host_ns() + HELD_NS);
	if (!c->dead && !was_normal && c->phase == PHASE_NORMAL) {
		dm_timer_cancel(&c->timeout);
		vnc_server_client_normal(c->server);
	}
	vnc_conn_settle(c);
}

static void client_ready(void *opaque, uint32_t events)
{
	struct vnc_conn *c = opaque;

	if (c->dead)
		return;
	/* What a client said before it went still counts. */
	if (events & (EPOLLERR | EPOLLHUP)) {
		if (!(c->events & EPOLLIN)) {
			conn_close(c, "gone");
			return;
		}
		events |= EPOLLIN;
	}
	if (c->tls && !c->tls_up && tls_begin(c) <= 0)
		return;
	if ((events & EPOLLIN) && c->in_len < VNC_IN_BYTES)
		read_client(c);
	if (!c->dead)
		process_input(c);
}

static void more_due(void *opaque)
{
	vnc_conn_settle(opaque);
}

static void look_again(void *opaque)
{
	process_input(opaque);
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
	c->rfb_fd = -1;
	c->ws = websocket ? xzalloc(sizeof(*c->ws)) : NULL;
	vnc_input_init(&c->input, &s->m->input);
	loop_call_init(&c->free_call, conn_free, c);
	dm_timer_init(&c->timeout, DM_CLOCK_HOST, timed_out, c);
	dm_timer_init(&c->more, DM_CLOCK_HOST, more_due, c);
	dm_timer_init(&c->again, DM_CLOCK_HOST, look_again, c);
	if (!websocket)
		greet(c);
	c->events = websocket ? EPOLLIN : EPOLLIN | EPOLLOUT;
	/* A browser's TLS is around everything (wss); others ask for it in the handshake. */
	if (websocket && s->tls)
		c->tls = vnc_tls_new(s->tls, fd, NULL, 0);
	if ((websocket && s->tls && !c->tls) || loop_add_fd(fd, c->events, client_ready, c)) {
		close(fd);
		conn_free(c);
		return NULL;
	}
	dm_timer_set_ns(&c->timeout, clock_host_ns() + HANDSHAKE_TIMEOUT_NS);
	return c;
}
