/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The main loop: epoll, timers, deferred calls. All devices run in its thread. Other threads (block
 * workers, the VNC library) hand work over with loop_defer_from_thread().
 */
#ifndef DM_CORE_LOOP_H
#define DM_CORE_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

typedef void (*loop_fd_cb)(void *opaque, uint32_t events);

/* Watch fd for EPOLLIN/EPOLLOUT. 0 or -errno. One watcher per fd. */
int loop_add_fd(int fd, uint32_t events, loop_fd_cb cb, void *opaque);
int loop_mod_fd(int fd, uint32_t events);
/* Stop watching; safe inside any callback. The caller closes fd afterwards. */
void loop_del_fd(int fd);

/* A call that happens once, soon, from the loop and not from the caller's stack. */
struct loop_call {
	void (*cb)(void *opaque);
	void *opaque;
	bool queued;
	struct loop_call *next;
};

void loop_call_init(struct loop_call *c, void (*cb)(void *opaque), void *opaque);
void loop_defer(struct loop_call *c);
void loop_cancel(struct loop_call *c);
/* The same from another thread. c must not be queued by both kinds at a time. */
void loop_defer_from_thread(struct loop_call *c);

void loop_init(void);
/* Is a deferred call waiting? */
bool loop_has_calls(void);
/* Run those that wait; what they queue waits for the next turn. Not from within one. */
void loop_run_calls(void);
/*
 * Called when the loop would sleep; true: do not, look at descriptors and timers once. NULL: nobody. It may be
 * changed from within the call.
 */
void loop_set_idle(bool (*idle)(void *opaque), void *opaque);
/* One turn: waits at most until the next timer, or does not wait. */
void loop_turn(bool wait);
/* Wait for deferred calls (of threads too) and run them; no descriptors, no timers. For draining. */
void loop_wait_calls(void);
void loop_run(void);
/* Leave loop_run() after this turn with this exit status. */
void loop_quit(int status);
bool loop_quitting(void);
int loop_exit_status(void);

#endif
