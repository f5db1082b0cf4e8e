/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process of back ends beside an HVM guest's device model, and the link between the two: a socket with
 * whole messages. This way goes input, for a guest whose driver of the paravirtual keyboard is there; back
 * comes whether it is. Each side's end is the other's signal: the process ends with the device model, and
 * a device model that ends waits until the images are closed.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "block/block.h"
#include "block/file.h"
#include "core/confine.h"
#include "core/input.h"
#include "core/keeper.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/options.h"
#include "core/util.h"
#include "pv/pv.h"

#define LINK_FD	      3 /* in the other process */
#define START_WAIT_MS 20000
#define STOP_WAIT_MS  5000

enum message_kind { MSG_READY, MSG_INPUT, MSG_KEY, MSG_RELATIVE, MSG_ABSOLUTE, MSG_RELEASE };

struct message {
	uint32_t kind;
	int32_t a, b, c;
};

static int link_fd = -1;
static bool lost; /* messages: the other side did not read for a while */

static bool send_one(const struct message *m)
{
	return send(link_fd, m, sizeof(*m), MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof(*m);
}

static void send_input(enum message_kind kind, int a, int b, int c)
{
	const struct message release = { .kind = MSG_RELEASE };
	const struct message m = { kind, a, b, c };

	if (link_fd < 0)
		return;
	/* A key whose release went nowhere must not stay down. */
	if (lost && send_one(&release))
		lost = false;
	if (lost || !send_one(&m))
		lost = true;
}

/* ---- in the device model ---- */

static void on_key(void *opaque, unsigned int code, bool down)
{
	send_input(MSG_KEY, (int)code, down, 0);
}

static void on_relative(void *opaque, int dx, int dy, unsigned int buttons)
{
	send_input(MSG_RELATIVE, dx, dy, (int)buttons);
}

static void on_absolute(void *opaque, int x, int y, unsigned int buttons)
{
	send_input(MSG_ABSOLUTE, x, y, (int)buttons);
}

static struct input_device remote = { .name = "xenkbd" };
static bool registered;
static struct input *input; /* of the machine, or of the process of back ends, which passes it on */

static void remote_set(bool connected, bool absolute)
{
	if (registered)
		input_unregister(input, &remote);
	registered = connected;
	if (!connected)
		return;
	remote.key = on_key;
	remote.pointer_rel = absolute ? NULL : on_relative;
	remote.pointer_abs = absolute ? on_absolute : NULL;
	input_register(input, &remote);
}

static void back_ends_gone(void)
{
	log_error(
		"the process of paravirtual back ends has ended: the guest's paravirtual disks are gone");
	remote_set(false, false);
	loop_del_fd(link_fd);
	close(link_fd);
	link_fd = -1;
}

static void device_model_readable(void *opaque, uint32_t events)
{
	struct message m;
	ssize_t n = recv(link_fd, &m, sizeof(m), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n != sizeof(m))
		back_ends_gone();
	else if (m.kind == MSG_INPUT)
		remote_set(m.a, m.b);
}

int pv_process_ready(struct input *in)
{
	struct pollfd p = { .fd = link_fd, .events = POLLIN };
	struct message m = { .kind = MSG_INPUT };

	input = in;
	if (link_fd < 0)
		return -ECHILD;
	if (poll(&p, 1, START_WAIT_MS) != 1 || recv(link_fd, &m, sizeof(m), 0) != sizeof(m) ||
	    m.kind != MSG_READY) {
		log_error("the process of paravirtual back ends did not start: the guest keeps its "
			  "emulated disks");
		close(link_fd);
		link_fd = -1;
		return -ECHILD;
	}
	return loop_add_fd(link_fd, EPOLLIN, device_model_readable, NULL);
}

void pv_process_stop(void)
{
	struct pollfd p = { .fd = link_fd, .events = 0 };

	if (link_fd < 0)
		return;
	shutdown(link_fd, SHUT_WR);
	if (poll(&p, 1, STOP_WAIT_MS) != 1)
		log_warn("the process of paravirtual back ends takes long to end");
	close(link_fd);
	link_fd = -1;
}

/* ---- in the other process ---- */

void pv_link_announce(bool connected, bool absolute)
{
	const struct message m = { MSG_INPUT, connected, absolute, 0 };

	if (link_fd >= 0 && !send_one(&m))
		log_warn("back ends: cannot tell the device model where input goes: %s",
			 strerror(errno));
}

static void back_ends_readable(void *opaque, uint32_t events)
{
	struct message m;
	ssize_t n = recv(link_fd, &m, sizeof(m), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n != sizeof(m)) {
		loop_quit(0);
		return;
	}
	if (m.kind == MSG_KEY)
		input_key(input, (unsigned int)m.a, m.b);
	else if (m.kind == MSG_RELATIVE)
		input_pointer_rel(input, m.a, m.b, (unsigned int)m.c);
	else if (m.kind == MSG_ABSOLUTE)
		input_pointer_abs(input, m.a, m.b, (unsigned int)m.c);
	else if (m.kind == MSG_RELEASE)
		input_release_all(input);
}

/* Nothing of the device model's: monitors, saved state, its ends of the links. */
static void descriptors_close(int own)
{
	int first;

	own = fcntl(own, F_DUPFD_CLOEXEC, 64); /* not where the others go */
	first = keeper_become_back_ends(LINK_FD + 1);
	if (own < 0 || dup2(own, LINK_FD) < 0)
		_exit(1);
	if (close_range((unsigned int)first, ~0u, 0))
		_exit(1);
	fcntl(LINK_FD, F_SETFD, FD_CLOEXEC);
	link_fd = LINK_FD;
}

/* Nothing can be copied any more. */
static void keeper_gone(void)
{
	loop_quit(1);
}

static void run(const struct options *o)
{
	const struct message ready = { .kind = MSG_READY };

	/* A terminal's or a session's signals are the device model's to act on. */
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	prctl(PR_SET_NAME, "plinth-dm-pv");
	if (confine_wanted(o)) {
		confine_begin(o);
		confine_network(o);
	}
	loop_init();
	if (keeper_active()) {
		keeper_watch(NULL, NULL, keeper_gone);
		block_file_set_keeper(&keeper_of_images);
	}
	input = xzalloc(sizeof(*input));
	if (pv_start((unsigned int)o->domid, NULL, input) ||
	    loop_add_fd(link_fd, EPOLLIN, back_ends_readable, NULL))
		exit(1);
	if (keeper_active() && keeper_seal())
		exit(1);
	/* Without a privileged part it needs its user, its files and its handles. */
	if (confine_wanted(o)) {
		confine(o);
		confine_finish(o);
	}
	if (!send_one(&ready))
		exit(1);
	loop_run();
	pv_stop();
	block_close_all();
	exit(0);
}

pid_t pv_process_start(const struct options *o)
{
	int fds[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return -errno;
	pid = fork();
	if (pid < 0) {
		int rc = -errno;

		close(fds[0]);
		close(fds[1]);
		return rc;
	}
	if (!pid) {
		descriptors_close(fds[1]);
		run(o);
	}
	/* Its end is seen by the link; the privileged part collects its status, if there is one. */
	if (!confine_wanted(o))
		signal(SIGCHLD, SIG_IGN);
	close(fds[1]);
	link_fd = fds[0];
	return pid;
}
