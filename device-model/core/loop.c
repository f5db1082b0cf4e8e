/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The main loop. See loop.h. */
#include "core/loop.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/log.h"
#include "core/timer.h"
#include "core/util.h"

#define LOOP_MAX_EVENTS 16

struct loop_watch {
	int fd; /* -1: deleted, waits to be freed */
	loop_fd_cb cb;
	void *opaque;
	struct loop_watch *next;
};

struct call_list {
	struct loop_call *head, **tail;
};

static struct {
	int epoll_fd, wake_fd;
	struct loop_watch *watches;
	struct call_list calls, running_calls;
	struct call_list thread_calls;
	pthread_mutex_t thread_lock; /* guards thread_calls */
	bool (*idle_cb)(void *opaque);
	void *idle_opaque;
	bool quitting;
	int exit_status;
} loop = {
	.epoll_fd = -1,
	.wake_fd = -1,
	.calls = { NULL, &loop.calls.head },
	.running_calls = { NULL, &loop.running_calls.head },
	.thread_calls = { NULL, &loop.thread_calls.head },
	.thread_lock = PTHREAD_MUTEX_INITIALIZER,
};

static void call_append(struct call_list *l, struct loop_call *c)
{
	c->queued = true;
	c->next = NULL;
	*l->tail = c;
	l->tail = &c->next;
}

static struct loop_call *call_take_all(struct call_list *l)
{
	struct loop_call *head = l->head;

	l->head = NULL;
	l->tail = &l->head;
	return head;
}

/* Move what other threads queued to the loop's own list. */
static void thread_calls_collect(void)
{
	struct loop_call *c, *next;

	pthread_mutex_lock(&loop.thread_lock);
	c = call_take_all(&loop.thread_calls);
	pthread_mutex_unlock(&loop.thread_lock);
	for (; c; c = next) {
		next = c->next;
		call_append(&loop.calls, c);
	}
}

static void wake_readable(void *opaque, uint32_t events)
{
	uint64_t n;

	if (read(loop.wake_fd, &n, sizeof(n)) < 0 && errno != EAGAIN)
		log_error("event file: %s", strerror(errno));
	thread_calls_collect();
}

void loop_init(void)
{
	loop.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	loop.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (loop.epoll_fd < 0 || loop.wake_fd < 0 ||
	    loop_add_fd(loop.wake_fd, EPOLLIN, wake_readable, NULL))
		log_fatal("cannot create the event loop: %s", strerror(errno));
}

static struct loop_watch *watch_find(int fd)
{
	struct loop_watch *w = loop.watches;

	while (w && w->fd != fd)
		w = w->next;
	return w;
}

int loop_add_fd(int fd, uint32_t events, loop_fd_cb cb, void *opaque)
{
	struct loop_watch *w = xzalloc(sizeof(*w));
	struct epoll_event ev = { .events = events, .data.ptr = w };

	*w = (struct loop_watch){ fd, cb, opaque, loop.watches };
	if (epoll_ctl(loop.epoll_fd, EPOLL_CTL_ADD, fd, &ev)) {
		free(w);
		return -errno;
	}
	loop.watches = w;
	return 0;
}

int loop_mod_fd(int fd, uint32_t events)
{
	struct loop_watch *w = watch_find(fd);
	struct epoll_event ev = { .events = events, .data.ptr = w };

	if (!w)
		return -ENOENT;
	return epoll_ctl(loop.epoll_fd, EPOLL_CTL_MOD, fd, &ev) ? -errno : 0;
}

void loop_del_fd(int fd)
{
	struct loop_watch *w = watch_find(fd);

	if (!w)
		return;
	epoll_ctl(loop.epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	w->fd = -1;
}

/* Deleted watches may still be named by events of this turn: free them after it. */
static void watches_reap(void)
{
	struct loop_watch **p = &loop.watches, *w;

	while ((w = *p)) {
		if (w->fd >= 0) {
			p = &w->next;
			continue;
		}
		*p = w->next;
		free(w);
	}
}

void loop_call_init(struct loop_call *c, void (*cb)(void *opaque), void *opaque)
{
	*c = (struct loop_call){ .cb = cb, .opaque = opaque };
}

void loop_defer(struct loop_call *c)
{
	if (!c->queued)
		call_append(&loop.calls, c);
}

static bool call_remove(struct call_list *l, struct loop_call *c)
{
	struct loop_call **p = &l->head;

	while (*p && *p != c)
		p = &(*p)->next;
	if (!*p)
		return false;
	*p = c->next;
	if (l->tail == &c->next)
		l->tail = p;
	c->queued = false;
	return true;
}

void loop_cancel(struct loop_call *c)
{
	if (call_remove(&loop.calls, c) || call_remove(&loop.running_calls, c))
		return;
	pthread_mutex_lock(&loop.thread_lock);
	call_remove(&loop.thread_calls, c);
	pthread_mutex_unlock(&loop.thread_lock);
}

void loop_defer_from_thread(struct loop_call *c)
{
	uint64_t one = 1;
	bool first;

	pthread_mutex_lock(&loop.thread_lock);
	first = !loop.thread_calls.head;
	if (!c->queued)
		call_append(&loop.thread_calls, c);
	pthread_mutex_unlock(&loop.thread_lock);
	if (first && write(loop.wake_fd, &one, sizeof(one)) < 0)
		log_error("event file: %s", strerror(errno));
}

/* Calls that are queued while these run wait for the next turn. */
void loop_run_calls(void)
{
	struct loop_call *c;

	while ((c = loop.calls.head)) {
		call_remove(&loop.calls, c);
		call_append(&loop.running_calls, c);
	}
	while ((c = loop.running_calls.head)) {
		call_remove(&loop.running_calls, c);
		c->cb(c->opaque);
	}
}

bool loop_has_calls(void)
{
	return loop.calls.head != NULL;
}

bool loop_ready(void)
{
	struct epoll_event ev;

	return !timer_next_timeout_ms() || epoll_wait(loop.epoll_fd, &ev, 1, 0) > 0;
}

void loop_set_idle(bool (*idle)(void *opaque), void *opaque)
{
	loop.idle_cb = idle;
	loop.idle_opaque = opaque;
}

/* For how long to sleep in this turn, milliseconds, -1 = until something happens. */
static int turn_timeout_ms(bool wait)
{
	if (!wait || loop.calls.head || loop.quitting || !timer_next_timeout_ms())
		return 0;
	if (loop.idle_cb && loop.idle_cb(loop.idle_opaque))
		return 0;
	return loop.calls.head || loop.quitting ? 0 : timer_next_timeout_ms();
}

void loop_turn(bool wait)
{
	struct epoll_event ev[LOOP_MAX_EVENTS];
	int i, n = epoll_wait(loop.epoll_fd, ev, LOOP_MAX_EVENTS, turn_timeout_ms(wait));

	for (i = 0; i < n; i++) {
		struct loop_watch *w = ev[i].data.ptr;

		if (w->fd >= 0)
			w->cb(w->opaque, ev[i].events);
	}
	timer_run_expired();
	loop_run_calls();
	watches_reap();
}

void loop_wait_calls(void)
{
	struct pollfd p = { .fd = loop.wake_fd, .events = POLLIN };

	if (!loop.calls.head && poll(&p, 1, -1) > 0)
		wake_readable(NULL, 0);
	loop_run_calls();
}

void loop_run(void)
{
	while (!loop.quitting)
		loop_turn(true);
}

void loop_quit(int status)
{
	loop.quitting = true;
	loop.exit_status = status;
}

bool loop_quitting(void)
{
	return loop.quitting;
}

int loop_exit_status(void)
{
	return loop.exit_status;
}
