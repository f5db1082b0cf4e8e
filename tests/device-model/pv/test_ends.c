// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A process that was taken over, and does nothing that it is asked, ends with its domain, with its privileged part,
 * and with the device model. Each case has a pipe that such processes hold: its end is theirs.
 */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/util.h"
#include "device-model/pv/fake_xen.h"
#include "device-model/pv/taken_over.h"

#define WAIT_MS	  60000
#define DOMAIN_MS 2000

static int held[2];

/* Says that it is there. */
static bool deaf(void)
{
	int sig;

	for (sig = 1; sig < SIGSYS; sig++)
		signal(sig, SIG_IGN);
	return write(held[1], "x", 1) == 1;
}

static bool stay(void)
{
	bool said = deaf();

	while (said)
		said = poll(NULL, 0, -1) <= 0;
	return said;
}

/* The privileged part's loop is made to wait. */
static bool hold_up(void)
{
	return deaf() && keeper_store_write(DISK "/state", FAKE_HANG);
}

static bool begins(void)
{
	struct pollfd p = { .fd = held[0], .events = POLLIN };
	char c;

	return poll(&p, 1, WAIT_MS) == 1 && read(held[0], &c, 1) == 1;
}

static bool ends(void)
{
	struct pollfd p = { .fd = held[0], .events = POLLIN };
	char c;
	bool ended = poll(&p, 1, WAIT_MS) == 1 && !read(held[0], &c, 1);

	close(held[0]);
	return ended;
}

/* The privileged part's process, whose child it is that stays. */
static pid_t start(enum keeper_role role, bool (*run)(void))
{
	pid_t pid;

	if (pipe(held))
		die("pipe");
	pid = fork();
	if (!pid) {
		close(held[0]);
		run_as(role, run);
	}
	close(held[1]);
	return pid;
}

static int status_of(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

bool ends_with_domain(enum keeper_role role)
{
	bool ended;
	pid_t pid;

	fake_release_after_ms(DOMAIN_MS);
	pid = start(role, role == KEEPER_DEVICE_MODEL ? stay : hold_up);
	fake_release_after_ms(0);
	ended = begins() && ends();
	return status_of(pid) == 128 + SIGKILL && ended;
}

bool ends_with_keeper(enum keeper_role role)
{
	pid_t pid = start(role, stay);
	bool ended = begins() && !kill(pid, SIGKILL) && ends();

	return status_of(pid) == 128 + SIGKILL && ended;
}

/* The process of back ends, when the device model ends. */
bool ends_with_device_model(void)
{
	pid_t pid, back_ends;
	bool ended;

	if (pipe(held))
		die("pipe");
	pid = fork();
	if (!pid) {
		keeper_prepare(&options);
		back_ends = fork();
		if (!back_ends) {
			keeper_become_back_ends(200);
			stay();
		}
		keeper_start(&options, back_ends);
		_exit(5);
	}
	close(held[1]);
	ended = begins() && ends();
	return status_of(pid) == 5 && ended;
}
