/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The confined processes' log. They write into a pipe, and the privileged part into the file: so a process that
 * was taken over erases nothing that was logged, does not speak with the privileged part's name or to the
 * terminal of who reads it, and does not fill the disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/keeper_priv.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/timer.h"
#include "core/util.h"

#define PIECE_BYTES  4096u
#define ALLOWED	     (512u << 10) /* bytes at once */
#define ALLOWED_RATE 4u		  /* and in each second, which is 120 MiB in a year */
#define LINE_BYTES   1024u	  /* for less than that no line is begun */
#define OWN_NAME     "plinth-dm-keep"

static struct {
	int fd;
	uint64_t left_bytes, counted_s;
	uint64_t lost_bytes;
	bool inside;	  /* a line has begun */
	bool losing;	  /* and its rest is not written */
	unsigned int own; /* as much of it is our own name */
} text = { .fd = -1, .left_bytes = ALLOWED };

static void refill(uint64_t now_ns)
{
	uint64_t now_s = now_ns / NS_PER_SEC;

	if (!text.counted_s)
		text.counted_s = now_s;
	text.left_bytes = MIN(ALLOWED, text.left_bytes + (now_s - text.counted_s) * ALLOWED_RATE);
	text.counted_s = now_s;
}

/* Whether this byte is written; what starts a line decides for the whole of it. */
static bool allowed(char c)
{
	if (!text.inside)
		text.losing = !log_trace_mask && text.left_bytes < LINE_BYTES;
	text.inside = c != '\n';
	text.losing = text.losing || (!text.left_bytes && !log_trace_mask);
	text.left_bytes -= !text.losing && text.left_bytes;
	text.lost_bytes += text.losing;
	return !text.losing;
}

static char harmless(char c)
{
	if (text.own <= strlen(OWN_NAME))
		text.own =
			text.own < strlen(OWN_NAME) && c == OWN_NAME[text.own] ? text.own + 1 : ~0u;
	if (c == '\n')
		text.own = 0;
	if (text.own == strlen(OWN_NAME))
		return '?';
	return (c >= ' ' && c <= '~') || c == '\n' || c == '\t' ? c : '?';
}

size_t keeper_log_filter(const char *in, size_t n, char *out, uint64_t now_ns)
{
	size_t len = 0, i;

	refill(now_ns);
	for (i = 0; i < n; i++) {
		char c = harmless(in[i]);

		if (!text.inside && text.lost_bytes && text.left_bytes >= LINE_BYTES) {
			len += (size_t)snprintf(out + len, KEEPER_LOG_NOTE,
						OWN_NAME ": %llu bytes are left out here\n",
						(unsigned long long)text.lost_bytes);
			text.lost_bytes = 0;
		}
		if (allowed(c))
			out[len++] = c;
	}
	return len;
}

/* False: there is no more for now. */
static bool piece_pass(void)
{
	char in[PIECE_BYTES], out[PIECE_BYTES + KEEPER_LOG_NOTE];
	ssize_t n = read(text.fd, in, sizeof(in)), done = 0, now = 1;
	size_t len;

	if (n <= 0)
		return n < 0 && errno == EINTR;
	len = keeper_log_filter(in, (size_t)n, out, clock_host_ns());
	for (; (size_t)done < len && now > 0; done += now)
		now = write(STDERR_FILENO, out + done, len - (size_t)done);
	return true;
}

static void readable(void *opaque, uint32_t events)
{
	if (!piece_pass() && (events & EPOLLHUP))
		loop_del_fd(text.fd); /* nobody is left to write */
}

void keeper_log_serve(int fd)
{
	text.fd = fd;
}

void keeper_log_begin(void)
{
	if (text.fd < 0)
		return;
	fcntl(text.fd, F_SETFL, O_NONBLOCK);
	if (loop_add_fd(text.fd, EPOLLIN, readable, NULL))
		log_fatal("the log: %s", strerror(errno));
}

void keeper_log_end(void)
{
	while (text.fd >= 0 && piece_pass())
		;
}
