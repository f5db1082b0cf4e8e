/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end of a guest's confined processes. They are asked first, since images are closed best by who writes to
 * them, and are killed if that takes long: a process that was taken over does not do what it is asked. It begins with
 * the toolstack's signal, with the end of the domain, or with the device model's own. All of it is a thread's that does
 * nothing else: such a process may find a descriptor to send whose closing waits.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xenstore.h>

#include "core/keeper_priv.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/options.h"
#include "core/timer.h"
#include "core/util.h"

#define PATIENCE_NS (10 * NS_PER_SEC)

static struct process {
	const char *name;
	int fd; /* a pidfd; -1: there is none, or it has ended */
} processes[KEEPER_NR_ROLES] = { { "the device model", -1 }, { "the process of back ends", -1 } };
static struct {
	int signals, status;
	uint64_t end_ns; /* when patience ends; 0: nothing has begun */
	bool killed;
	struct xs_handle *xs;
	unsigned int domid;
	bool seen; /* the domain */
	struct loop_call quit;
} watched = { .signals = -1 };

static void send_to(const struct process *p, int sig)
{
	if (p->fd >= 0)
		syscall(SYS_pidfd_send_signal, p->fd, sig, NULL, 0);
}

static void kill_all(void)
{
	size_t i;

	watched.killed = true;
	for (i = 0; i < ARRAY_SIZE(processes); i++) {
		if (processes[i].fd >= 0)
			log_error("%s does not end: it is killed", processes[i].name);
		send_to(&processes[i], SIGKILL);
	}
}

static void end(void)
{
	if (watched.end_ns)
		return;
	watched.end_ns = clock_host_ns() + PATIENCE_NS;
	/* The other one ends when it sees the device model's end. */
	send_to(&processes[KEEPER_DEVICE_MODEL], SIGTERM);
}

/* As a shell says it: the signal's number and 128. */
static int status_of(const struct process *p, const siginfo_t *info)
{
	if (info->si_code == CLD_EXITED)
		return info->si_status;
	log_error("%s was ended by signal %d (%s)", p->name, info->si_status,
		  sigdescr_np(info->si_status));
	return 128 + info->si_status;
}

static void ended(struct process *p)
{
	siginfo_t info = { 0 };
	int how;

	if (waitid(P_PIDFD, (id_t)p->fd, &info, WEXITED | WNOHANG) || !info.si_pid)
		return;
	how = status_of(p, &info);
	close(p->fd);
	p->fd = -1;
	if (p != &processes[KEEPER_DEVICE_MODEL])
		return;
	watched.status = how;
	end();
}

static void signalled(void)
{
	struct signalfd_siginfo info;

	if (read(watched.signals, &info, sizeof(info)) != sizeof(info))
		return;
	log_info("ends: signal %u from process %u", info.ssi_signo, info.ssi_pid);
	end();
}

/* Some domain came or went. Ours was there before: else it is being made. */
static void domain_look(void)
{
	bool there = xs_is_domain_introduced(watched.xs, watched.domid);

	if (watched.seen && !there && !watched.end_ns)
		log_info("ends: domain %u is gone", watched.domid);
	if (watched.seen && !there)
		end();
	watched.seen = there;
}

static void domains_changed(void)
{
	char **watch;

	while ((watch = xs_check_watch(watched.xs)))
		free(watch);
	domain_look();
}

static int patience_ms(void)
{
	uint64_t now = clock_host_ns();

	return !watched.end_ns || watched.killed ? -1
	       : now >= watched.end_ns		 ? 0
						 : (int)((watched.end_ns - now) / NS_PER_MS + 1);
}

static bool turn(void)
{
	struct pollfd fds[] = { { .fd = processes[0].fd, .events = POLLIN },
				{ .fd = processes[1].fd, .events = POLLIN },
				{ .fd = watched.signals, .events = POLLIN },
				{ .fd = watched.xs ? xs_fileno(watched.xs) : -1,
				  .events = POLLIN } };
	int i;

	if (poll(fds, ARRAY_SIZE(fds), patience_ms()) < 0)
		return true;
	for (i = 0; i < KEEPER_NR_ROLES; i++)
		if (fds[i].revents)
			ended(&processes[i]);
	if (fds[2].revents)
		signalled();
	if (fds[3].revents)
		domains_changed();
	if (!patience_ms())
		kill_all();
	return processes[0].fd >= 0 || processes[1].fd >= 0;
}

/* The rest of this process has as long as the others had. */
static void *thread(void *opaque)
{
	while (turn())
		;
	loop_defer_from_thread(&watched.quit);
	poll(NULL, 0, (int)(PATIENCE_NS / NS_PER_MS));
	_exit(watched.status);
}

static void quit_now(void *opaque)
{
	loop_quit(0);
}

void keeper_processes_watch(pid_t device_model, pid_t back_ends)
{
	const pid_t pids[] = { device_model, back_ends };
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	watched.signals = signalfd(-1, &set, SFD_CLOEXEC);
	for (i = 0; i < ARRAY_SIZE(pids); i++) {
		processes[i].fd = pids[i] > 0 ? (int)syscall(SYS_pidfd_open, pids[i], 0) : -1;
		if (pids[i] > 0 && processes[i].fd < 0)
			log_fatal("process %d: %s", (int)pids[i], strerror(errno));
	}
}

static void domain_watch(const struct options *o)
{
	watched.domid = (unsigned int)o->domid;
	watched.xs = xs_open(0);
	if (!watched.xs) /* the loop's connection says so, and the guest does not start without that */
		return;
	if (!xs_watch(watched.xs, "@introduceDomain", "came") ||
	    !xs_watch(watched.xs, "@releaseDomain", "went"))
		log_fatal("xenstore: cannot watch for the end of domains: %s", strerror(errno));
	domain_look();
}

void keeper_processes_begin(const struct options *o)
{
	pthread_t t;
	int rc;

	loop_call_init(&watched.quit, quit_now, NULL);
	if (!o->qtest)
		domain_watch(o);
	rc = pthread_create(&t, NULL, thread, NULL);
	if (rc)
		log_fatal("the guest's processes: %s", strerror(rc));
	pthread_detach(t);
}

int keeper_processes_status(void)
{
	return watched.status;
}
