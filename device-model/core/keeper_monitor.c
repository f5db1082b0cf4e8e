/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Monitors on their way to the confined side. A client is accepted here, and what it says is passed on
 * command by command, with the descriptors that came along, after the names in it were noted. Answers
 * and events go back as they come. Nothing waits: each direction has a buffer, and is not read while that is
 * full.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/json.h"
#include "core/keeper_priv.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/options.h"
#include "core/util.h"

#define MAX_RELAYS  8
#define RELAY_BYTES 65536u

struct relay {
	int client, inner; /* -1: free, and the client's and the confined side's socket */
	int passed;	   /* a descriptor that came along, -1: none */
	bool client_ended;
	char *in;	      /* from the client */
	size_t in_len, whole; /* whole: of that, noted and on its way */
	char *out;	      /* to it */
	size_t out_len;
};

static struct {
	struct relay relays[MAX_RELAYS];
	bool initialised;
	const struct options *options;
	struct keeper_link *dest;
	int listeners[OPT_MAX_CHARDEVS];
	unsigned int nr_listeners;
} monitor;

static void relay_close(struct relay *r)
{
	loop_del_fd(r->client);
	loop_del_fd(r->inner);
	close(r->client);
	close(r->inner);
	if (r->passed >= 0)
		close(r->passed);
	free(r->in);
	free(r->out);
	*r = (struct relay){ .client = -1, .inner = -1, .passed = -1 };
}

static void watch(struct relay *r)
{
	bool reads = !r->client_ended && r->in_len < RELAY_BYTES;

	loop_mod_fd(r->client, (reads ? EPOLLIN : 0) | (r->out_len ? EPOLLOUT : 0));
	loop_mod_fd(r->inner, (r->out_len < RELAY_BYTES ? EPOLLIN : 0) | (r->whole ? EPOLLOUT : 0));
}

/* One command, or bytes that are none, for the confined side to complain about. 0: not complete. */
static size_t command_take(struct relay *r)
{
	long len = json_object_length(r->in, r->in_len);

	if (len > 0) {
		keeper_note_command(monitor.options, r->in, (size_t)len);
		return (size_t)len;
	}
	return len < 0 || r->in_len == RELAY_BYTES || r->client_ended ? r->in_len : 0;
}

static ssize_t pass_on(struct relay *r)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	struct iovec iov = { r->in, r->whole };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (r->passed >= 0) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = sizeof(control.bytes);
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.align), &r->passed, sizeof(int));
	}
	return sendmsg(r->inner, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* False: the confined side is gone. */
static bool commands_pass(struct relay *r)
{
	while (r->in_len) {
		ssize_t n;

		if (!r->whole)
			r->whole = command_take(r);
		if (!r->whole)
			break;
		n = pass_on(r);
		if (n < 0 && errno != EINTR)
			return errno == EAGAIN;
		if (n < 0)
			continue;
		if (r->passed >= 0)
			close(r->passed);
		r->passed = -1;
		r->whole -= (size_t)n;
		r->in_len -= (size_t)n;
		memmove(r->in, r->in + n, r->in_len);
	}
	if (r->client_ended)
		shutdown(r->inner, SHUT_WR);
	return true;
}

/* The last descriptor that comes with a piece of text counts, as in the monitor itself. */
static void keep_last(struct relay *r, struct msghdr *msg)
{
	struct cmsghdr *h;

	for (h = CMSG_FIRSTHDR(msg); h; h = CMSG_NXTHDR(msg, h)) {
		size_t n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int), i;

		for (i = 0; h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS && i < n;
		     i++) {
			if (r->passed >= 0)
				close(r->passed);
			memcpy(&r->passed, CMSG_DATA(h) + i * sizeof(int), sizeof(int));
		}
	}
}

static ssize_t client_receive(struct relay *r)
{
	union {
		char bytes[CMSG_SPACE(4 * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { r->in + r->in_len, RELAY_BYTES - r->in_len };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.bytes,
			      .msg_controllen = sizeof(control.bytes) };
	ssize_t n = recvmsg(r->client, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n > 0)
		keep_last(r, &msg);
	return n;
}

/* False: the client is gone. */
static bool answers_pass(struct relay *r)
{
	while (r->out_len) {
		ssize_t n = send(r->client, r->out, r->out_len, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		r->out_len -= (size_t)n;
		memmove(r->out, r->out + n, r->out_len);
	}
	return true;
}

static void client_ready(void *opaque, uint32_t events)
{
	struct relay *r = opaque;
	bool lost = (events & EPOLLOUT) && !answers_pass(r);
	ssize_t n;

	if (!lost && !r->client_ended && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) &&
	    r->in_len < RELAY_BYTES) {
		n = client_receive(r);
		if (n > 0)
			r->in_len += (size_t)n;
		else if (!n)
			r->client_ended = true;
		else
			lost = errno != EAGAIN && errno != EINTR;
		lost = lost || !commands_pass(r);
	} else if (events & (EPOLLHUP | EPOLLERR)) {
		lost = true; /* both directions */
	}
	if (lost)
		relay_close(r);
	else
		watch(r);
}

static void inner_ready(void *opaque, uint32_t events)
{
	struct relay *r = opaque;
	bool lost = (events & EPOLLOUT) && !commands_pass(r);
	ssize_t n = 1;

	if (!lost && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && r->out_len < RELAY_BYTES) {
		n = recv(r->inner, r->out + r->out_len, RELAY_BYTES - r->out_len, MSG_DONTWAIT);
		if (n > 0)
			r->out_len += (size_t)n;
		lost = !n || (n < 0 && errno != EAGAIN && errno != EINTR);
		/* What was said before the end still goes out. */
		lost = !answers_pass(r) || lost;
	}
	if (lost)
		relay_close(r);
	else
		watch(r);
}

static struct relay *relay_free(void)
{
	unsigned int i;

	for (i = 0; i < MAX_RELAYS && monitor.relays[i].client >= 0; i++)
		;
	return i < MAX_RELAYS ? &monitor.relays[i] : NULL;
}

static void relay_start(struct relay *r, int client)
{
	const uint8_t kind = KEEPER_NEWS_MONITOR;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair)) {
		close(client);
		return;
	}
	*r = (struct relay){ .client = client, .inner = pair[0], .passed = -1 };
	r->in = xzalloc(RELAY_BYTES);
	r->out = xzalloc(RELAY_BYTES);
	if (keeper_send(monitor.dest->news_fd, &kind, sizeof(kind), pair[1]) ||
	    loop_add_fd(client, EPOLLIN, client_ready, r) ||
	    loop_add_fd(r->inner, EPOLLIN, inner_ready, r))
		relay_close(r);
	close(pair[1]);
}

static void monitor_accept(void *opaque, uint32_t events)
{
	int listener = (int)(intptr_t)opaque;
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct relay *r = relay_free();

	if (fd < 0)
		return;
	if (r) {
		relay_start(r, fd);
		return;
	}
	log_warn("too many monitor clients; the newest is refused");
	close(fd);
}

static void initialise(void)
{
	unsigned int i;

	for (i = 0; i < MAX_RELAYS && !monitor.initialised; i++)
		monitor.relays[i] = (struct relay){ .client = -1, .inner = -1, .passed = -1 };
	monitor.initialised = true;
}

int keeper_monitor_add(const struct options *o, struct keeper_link *l, int listener)
{
	int rc =
		monitor.nr_listeners < ARRAY_SIZE(monitor.listeners)
			? loop_add_fd(listener, EPOLLIN, monitor_accept, (void *)(intptr_t)listener)
			: -ENOSPC;

	initialise();
	monitor.options = o;
	monitor.dest = l;
	if (rc)
		close(listener);
	else
		monitor.listeners[monitor.nr_listeners++] = listener;
	return rc;
}

void keeper_monitor_end(struct keeper_link *l)
{
	unsigned int i;

	if (l != monitor.dest)
		return;
	for (i = 0; i < MAX_RELAYS; i++)
		if (monitor.relays[i].client >= 0)
			relay_close(&monitor.relays[i]);
	while (monitor.nr_listeners) {
		loop_del_fd(monitor.listeners[--monitor.nr_listeners]);
		close(monitor.listeners[monitor.nr_listeners]);
	}
	monitor.dest = NULL;
}
