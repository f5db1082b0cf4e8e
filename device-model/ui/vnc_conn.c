// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One VNC connection in the main loop: its socket, its end of the link to the library thread, and
 * the judge of what the client says (RFC 6143, 7.1-7.5). Only the handshake, SetPixelFormat,
 * SetEncodings, SetDesktopSize and update requests go on to the library, whole and checked; input
 * goes to the guest from here; everything else ends the connection.
 *
 * Update requests wait while the client has not read what it got, merged into one, so a client that
 * does not read costs at most one picture of memory; it is dropped beyond that.
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
#include "ui/vnc_priv.h"

#define HANDSHAKE_TIMEOUT_NS (10 * NS_PER_SEC)
#define GREETING	     "RFB 003.008\n"
#define VERSION_LEN	     12
#define IN_BYTES	     8192 /* more than the longest message */
#define OUT_BYTES	     (256 * 1024)
#define BACKLOG_HIGH	     (512 * 1024) /* update requests wait above this */
#define MAX_ENCODINGS	     512
#define MAX_CUT_TEXT	     (16u << 20)

enum phase { PHASE_VERSION, PHASE_SECURITY, PHASE_AUTH, PHASE_INIT, PHASE_WAIT, PHASE_NORMAL };

/* Bytes on their way out: data[start .. len). */
struct outbuf {
	uint8_t *data;
	size_t start, len, capacity;
};

struct update_request {
	bool held, incremental;
	uint32_t x1, y1, x2, y2;
};

struct vnc_conn {
	struct vnc_server *server;
	int fd;	     /* the client */
	int link_fd; /* our end of the link, -1 before the version is known or when it ended */
	struct vnc_link *link;
	enum phase phase;
	bool dead;     /* freed by the deferred call */
	bool draining; /* the library hung up: send the rest, then close */
	uint8_t in[IN_BYTES];
	size_t in_len;
	uint32_t skip;	/* bytes of a message that nobody wants */
	size_t swallow; /* bytes of the library's own greeting still to drop */
	struct outbuf to_client, to_library;
	uint32_t client_events, link_events; /* as now watched */
	struct update_request held;
	struct vnc_input input;
	struct dm_timer timeout;
	struct loop_call free_call;
};

static size_t pending(const struct outbuf *b)
{
	return b->len - b->start;
}

static uint8_t *reserve(struct outbuf *b, size_t len)
{
	if (b->start == b->len)
		b->start = b->len = 0;
	if (b->capacity - b->len < len) {
		if (b->start) {
			memmove(b->data, b->data + b->start, pending(b));
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

static void append(struct outbuf *b, const void *data, size_t len)
{
	memcpy(reserve(b, len), data, len);
	b->len += len;
}

/* Send what the socket takes. False when the other side is gone. */
static bool flush(struct outbuf *b, int fd)
{
	while (pending(b)) {
		ssize_t n = send(fd, b->data + b->start, pending(b), MSG_NOSIGNAL | MSG_DONTWAIT);

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

static void conn_free(void *opaque)
{
	struct vnc_conn *c = opaque;

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
	uint32_t client =
		c->draining || c->in_len == IN_BYTES || pending(&c->to_library) ? 0 : EPOLLIN;
	uint32_t link = EPOLLIN;

	if (pending(&c->to_client))
		client |= EPOLLOUT;
	if (pending(&c->to_library))
		link |= EPOLLOUT;
	if (client != c->client_events)
		loop_mod_fd(c->fd, client);
	if (c->link_fd >= 0 && link != c->link_events)
		loop_mod_fd(c->link_fd, link);
	c->client_events = client;
	c->link_events = link;
}

/* ---- messages; each handler gets a whole message and returns false to end the connection ---- */

static bool pixel_format_valid(const uint8_t *p)
{
	unsigned int bpp = p[0], depth = p[1], i;

	if ((bpp != 8 && bpp != 16 && bpp != 32) || !depth || depth > 32)
		return false;
	if (!p[3]) /* colour map: only the 8-bit one is known */
		return bpp == 8;
	for (i = 0; i < 3; i++) {
		unsigned int max = get_be16(p + 4 + 2 * i), shift = p[10 + i];

		if ((max & (max + 1)) || shift >= bpp || (uint64_t)max << shift >> bpp)
			return false;
	}
	return true;
}

static bool msg_pixel_format(struct vnc_conn *c, const uint8_t *msg, size_t len)
{
	if (!pixel_format_valid(msg + 4))
		return false;
	append(&c->to_library, msg, len);
	return true;
}

static bool msg_encodings(struct vnc_conn *c, const uint8_t *msg, size_t len)
{
	size_t i;

	for (i = 4; i < len; i += 4)
		if ((int32_t)get_be32(msg + i) == VNC_ENC_POINTER_MODE)
			c->input.relative = true;
	append(&c->to_library, msg, len);
	return true;
}

static void hold_update(struct update_request *u, const uint8_t *msg)
{
	uint32_t x = get_be16(msg + 2), y = get_be16(msg + 4);
	struct update_request n = { true, msg[1] != 0,		 x,
				    y,	  x + get_be16(msg + 6), y + get_be16(msg + 8) };

	if (u->held) {
		n.incremental = n.incremental && u->incremental;
		n.x1 = MIN(n.x1, u->x1);
		n.y1 = MIN(n.y1, u->y1);
		n.x2 = MAX(n.x2, u->x2);
		n.y2 = MAX(n.y2, u->y2);
	}
	*u = n;
}

static void release_update(struct vnc_conn *c)
{
	struct update_request *u = &c->held;
	uint8_t msg[10] = { VNC_UPDATE_REQUEST, u->incremental };

	if (!u->held || pending(&c->to_client) > BACKLOG_HIGH || c->link_fd < 0)
		return;
	put_be16(msg + 2, (uint16_t)u->x1);
	put_be16(msg + 4, (uint16_t)u->y1);
	put_be16(msg + 6, (uint16_t)MIN(u->x2 - u->x1, 0xffffu));
	put_be16(msg + 8, (uint16_t)MIN(u->y2 - u->y1, 0xffffu));
	u->held = false;
	append(&c->to_library, msg, sizeof(msg));
}

static bool msg_update(struct vnc_conn *c, const uint8_t *msg, size_t len)
{
	hold_update(&c->held, msg);
	release_update(c);
	return true;
}

static bool msg_key(struct vnc_conn *c, const uint8_t *msg, size_t len)
{
	vnc_input_key(&c->input, &c->server->keymap, get_be32(msg + 4), msg[1]);
	vnc_server_activity(c->server);
	return true;
}

static bool msg_pointer(struct vnc_conn *c, const uint8_t *msg, size_t len)
{
	vnc_input_pointer(&c->input, msg[1], get_be16(msg + 2), get_be16(msg + 4), c->server->width,
			  c->server->height);
	vnc_server_activity(c->server);
	return true;
}

static bool msg_cut_text(struct vnc_conn *c, const uint8_t *msg, size_t len)
{
	int64_t text = (int32_t)get_be32(msg + 4);

	/* A negative length marks the extended clipboard's form; the guest has no clipboard. */
	if (text < 0)
		text = -text;
	c->skip = (uint32_t)text;
	return text <= MAX_CUT_TEXT;
}

static bool msg_desktop_size(struct vnc_conn *c, const uint8_t *msg, size_t len)
{
	append(&c->to_library, msg, len); /* which answers: prohibited */
	return true;
}

/* QEMU's extended key event: the key's number beside its keysym. */
static bool msg_qemu(struct vnc_conn *c, const uint8_t *msg, size_t len)
{
	unsigned int code = keymap_code(get_be32(msg + 8));
	bool down = get_be16(msg + 2);

	if (msg[1] != 0)
		return false;
	if (code)
		vnc_input_code(&c->input, code, down);
	else
		vnc_input_key(&c->input, &c->server->keymap, get_be32(msg + 4), down);
	vnc_server_activity(c->server);
	return true;
}

struct message {
	uint8_t type;
	uint8_t fixed;	    /* bytes that are always there */
	uint8_t count_at;   /* where the number of further items is (0: none) ... */
	uint8_t count_size; /* ... in how many bytes ... */
	uint8_t item;	    /* ... and the bytes of an item */
	uint16_t max_items;
	bool (*handle)(struct vnc_conn *c, const uint8_t *msg, size_t len);
};

static const struct message messages[] = {
	{ VNC_SET_PIXEL_FORMAT, 20, 0, 0, 0, 0, msg_pixel_format },
	{ VNC_SET_ENCODINGS, 4, 2, 2, 4, MAX_ENCODINGS, msg_encodings },
	{ VNC_UPDATE_REQUEST, 10, 0, 0, 0, 0, msg_update },
	{ VNC_KEY_EVENT, 8, 0, 0, 0, 0, msg_key },
	{ VNC_POINTER_EVENT, 6, 0, 0, 0, 0, msg_pointer },
	{ VNC_CUT_TEXT, 8, 0, 0, 0, 0, msg_cut_text },
	{ VNC_SET_DESKTOP_SIZE, 8, 6, 1, 16, 255, msg_desktop_size },
	{ VNC_QEMU, 12, 0, 0, 0, 0, msg_qemu },
};

static const struct message *message_find(uint8_t type)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(messages); i++)
		if (messages[i].type == type)
			return &messages[i];
	return NULL;
}

/*
 * Each step looks at c->in and returns the bytes it used, 0 when it needs more, or -1 to end the
 * connection.
 */
static ssize_t step_normal(struct vnc_conn *c)
{
	const struct message *m = message_find(c->in[0]);
	size_t len;

	if (!m)
		return -1;
	len = m->fixed;
	if (c->in_len < len)
		return 0;
	if (m->count_at) {
		const uint8_t *at = c->in + m->count_at;
		unsigned int count = m->count_size == 1 ? at[0] : get_be16(at);

		if (count > m->max_items)
			return -1;
		len += (size_t)count * m->item;
		if (c->in_len < len)
			return 0;
	}
	return m->handle(c, c->in, len) ? (ssize_t)len : -1;
}

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
	append(&c->to_library, version, VERSION_LEN);
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
	append(&c->to_library, c->in, 1);
	c->phase = c->link->auth ? PHASE_AUTH : PHASE_INIT;
	return 1;
}

static ssize_t step_auth(struct vnc_conn *c)
{
	if (c->in_len < 16)
		return 0;
	append(&c->to_library, c->in, 16);
	c->phase = PHASE_INIT;
	return 16;
}

static ssize_t step_init(struct vnc_conn *c)
{
	uint8_t shared = 1;

	append(&c->to_library, &shared, 1);
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
	return step_normal(c);
}

static void take_input(struct vnc_conn *c, size_t len)
{
	memmove(c->in, c->in + len, c->in_len - len);
	c->in_len -= len;
}

/* Work through what has arrived, as long as the library's queue is short. */
static void process_input(struct vnc_conn *c)
{
	while (!c->dead && !c->draining && c->in_len && !pending(&c->to_library)) {
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
	ssize_t n = recv(c->fd, c->in + c->in_len, IN_BYTES - c->in_len, MSG_DONTWAIT);

	if (n > 0)
		c->in_len += (size_t)n;
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
	if ((events & EPOLLIN) && c->in_len < IN_BYTES)
		read_client(c);
	if (!c->dead && !flush(&c->to_client, c->fd))
		conn_close(c, "gone");
	if (!c->dead && c->draining && !pending(&c->to_client))
		conn_close(c, "closed by the library");
	if (c->dead)
		return;
	release_update(c);
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
	if (!flush(&c->to_client, c->fd)) {
		conn_close(c, "gone");
		return;
	}
	if (pending(&c->to_client) > backlog_limit(c)) {
		conn_close(c, "does not read");
		return;
	}
	if (c->draining && !pending(&c->to_client)) {
		conn_close(c, "closed by the library");
		return;
	}
	release_update(c);
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

struct vnc_conn *vnc_conn_new(struct vnc_server *s, int fd)
{
	struct vnc_conn *c = xzalloc(sizeof(*c));
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	c->server = s;
	c->fd = fd;
	c->link_fd = -1;
	vnc_input_init(&c->input);
	loop_call_init(&c->free_call, conn_free, c);
	dm_timer_init(&c->timeout, DM_CLOCK_HOST, timed_out, c);
	append(&c->to_client, GREETING, VERSION_LEN);
	c->client_events = EPOLLIN | EPOLLOUT;
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
