/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end of a guest's confined processes. They are asked first, since images are closed best by who writes to
 * them, and are killed if that takes long: a process that was taken over does not do what it is asked. It begins with
 * the toolstack's signal, with the end of the domain, or with the device model's own.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/keeper_priv.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/timer.h"
#include "core/util.h"

#define PATIENCE_NS (10 * NS_PER_SEC)

static struct process {
	const char *name;
	int fd; /* a pidfd; -1: there is none, or it has ended */
} processes[KEEPER_NR_ROLES] = { { "the device model", -1 }, { "the process of back ends", -1 } };
static int signals = -1, status;
static bool ending;
static struct dm_timer patience;

static void send_to(const struct process *p, int sig)
{
	if (p->fd >= 0)
		syscall(SYS_pidfd_send_signal, p->fd, sig, NULL, 0);
}

static void kill_all(void *opaque)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(processes); i++) {
		if (processes[i].fd >= 0)
			log_error("%s does not end: it is killed", processes[i].name);
		send_to(&processes[i], SIGKILL);
	}
}

void keeper_processes_end(void)
{
	if (ending)
		return;
	ending = true;
	/* The other one ends when it sees the device model's end. */
	send_to(&processes[KEEPER_DEVICE_MODEL], SIGTERM);
	dm_timer_set_ns(&patience, clock_host_ns() + PATIENCE_NS);
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

static void ended(void *opaque, uint32_t events)
{
	struct process *p = opaque;
	siginfo_t info = { 0 };
	size_t i;
	int how;

	if (waitid(P_PIDFD, (id_t)p->fd, &info, WEXITED | WNOHANG) || !info.si_pid)
		return;
	how = status_of(p, &info);
	loop_del_fd(p->fd);
	close(p->fd);
	p->fd = -1;
	if (p == &processes[KEEPER_DEVICE_MODEL]) {
		status = how;
		keeper_processes_end();
	}
	for (i = 0; i < ARRAY_SIZE(processes) && processes[i].fd < 0; i++)
		;
	if (i == ARRAY_SIZE(processes))
		loop_quit(0);
}

static void signalled(void *opaque, uint32_t events)
{
	struct signalfd_siginfo info;

	if (read(signals, &info, sizeof(info)) != sizeof(info))
		return;
	log_info("ends: signal %u from process %u", info.ssi_signo, info.ssi_pid);
	keeper_processes_end();
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
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	for (i = 0; i < ARRAY_SIZE(pids); i++) {
		processes[i].fd = pids[i] > 0 ? (int)syscall(SYS_pidfd_open, pids[i], 0) : -1;
		if (pids[i] > 0 && processes[i].fd < 0)
			log_fatal("process %d: %s", (int)pids[i], strerror(errno));
	}
}

void keeper_processes_begin(void)
{
	size_t i;
	int rc = 0;

	dm_timer_init(&patience, DM_CLOCK_HOST, kill_all, NULL);
	if (signals >= 0)
		rc = loop_add_fd(signals, EPOLLIN, signalled, NULL);
	for (i = 0; i < ARRAY_SIZE(processes) && !rc; i++)
		if (processes[i].fd >= 0)
			rc = loop_add_fd(processes[i].fd, EPOLLIN, ended, &processes[i]);
	if (rc)
		log_fatal("the guest's processes: %s", strerror(-rc));
}

int keeper_processes_status(void)
{
	return status;
}
