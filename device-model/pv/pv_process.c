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

struct pv_link {
	int fd;	   /* -1: the other side is gone */
	bool lost; /* messages: the other side did not read for a while */
	bool registered;
	struct input_device remote;
	struct input
		*input; /* of the machine, or of the process of back ends, which passes it on */
};

static bool send_one(const struct pv_link *l, const struct message *m)
{
	return send(l->fd, m, sizeof(*m), MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof(*m);
}

static void send_input(struct pv_link *l, enum message_kind kind, int a, int b, int c)
{
	const struct message release = { .kind = MSG_RELEASE };
	const struct message m = { kind, a, b, c };

	if (l->fd < 0)
		return;
	/* A key whose release went nowhere must not stay down. */
	if (l->lost && send_one(l, &release))
		l->lost = false;
	if (l->lost || !send_one(l, &m))
		l->lost = true;
}

/* ---- in the device model ---- */

static void on_key(void *opaque, unsigned int code, bool down)
{
	send_input(opaque, MSG_KEY, (int)code, down, 0);
}

static void on_relative(void *opaque, int dx, int dy, unsigned int buttons)
{
	send_input(opaque, MSG_RELATIVE, dx, dy, (int)buttons);
}

static void on_absolute(void *opaque, int x, int y, unsigned int buttons)
{
	send_input(opaque, MSG_ABSOLUTE, x, y, (int)buttons);
}

static void remote_set(struct pv_link *l, bool connected, bool absolute)
{
	if (l->registered)
		input_unregister(l->input, &l->remote);
	l->registered = connected;
	if (!connected)
		return;
	l->remote.name = "xenkbd";
	l->remote.opaque = l;
	l->remote.key = on_key;
	l->remote.pointer_rel = absolute ? NULL : on_relative;
	l->remote.pointer_abs = absolute ? on_absolute : NULL;
	input_register(l->input, &l->remote);
}

static void back_ends_gone(struct pv_link *l)
{
	log_error(
		"the process of paravirtual back ends has ended: the guest's paravirtual disks are gone");
	remote_set(l, false, false);
	loop_del_fd(l->fd);
	close(l->fd);
	l->fd = -1;
}

static void device_model_readable(void *opaque, uint32_t events)
{
	struct pv_link *l = opaque;
	struct message m;
	ssize_t n = recv(l->fd, &m, sizeof(m), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n != sizeof(m))
		back_ends_gone(l);
	else if (m.kind == MSG_INPUT)
		remote_set(l, m.a, m.b);
}

int pv_process_ready(struct pv_link *l, struct input *in)
{
	struct message m = { .kind = MSG_INPUT };
	struct pollfd p = { .events = POLLIN };

	if (!l)
		return -ECHILD;
	l->input = in;
	p.fd = l->fd;
	if (poll(&p, 1, START_WAIT_MS) != 1 || recv(l->fd, &m, sizeof(m), 0) != sizeof(m) ||
	    m.kind != MSG_READY) {
		log_error("the process of paravirtual back ends did not start: the guest keeps its "
			  "emulated disks");
		close(l->fd);
		l->fd = -1;
		return -ECHILD;
	}
	return loop_add_fd(l->fd, EPOLLIN, device_model_readable, l);
}

void pv_process_stop(struct pv_link *l)
{
	struct pollfd p = { .events = 0 };

	if (!l || l->fd < 0)
		return;
	p.fd = l->fd;
	shutdown(l->fd, SHUT_WR);
	if (poll(&p, 1, STOP_WAIT_MS) != 1)
		log_warn("the process of paravirtual back ends takes long to end");
	close(l->fd);
	l->fd = -1;
}

/* ---- in the other process ---- */

void pv_link_announce(struct pv_link *l, bool connected, bool absolute)
{
	const struct message m = { MSG_INPUT, connected, absolute, 0 };

	if (l && !send_one(l, &m))
		log_warn("back ends: cannot tell the device model where input goes: %s",
			 strerror(errno));
}

static void back_ends_readable(void *opaque, uint32_t events)
{
	const struct pv_link *l = opaque;
	struct message m;
	ssize_t n = recv(l->fd, &m, sizeof(m), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n != sizeof(m)) {
		loop_quit(0);
		return;
	}
	if (m.kind == MSG_KEY)
		input_key(l->input, (unsigned int)m.a, m.b);
	else if (m.kind == MSG_RELATIVE)
		input_pointer_rel(l->input, m.a, m.b, (unsigned int)m.c);
	else if (m.kind == MSG_ABSOLUTE)
		input_pointer_abs(l->input, m.a, m.b, (unsigned int)m.c);
	else if (m.kind == MSG_RELEASE)
		input_release_all(l->input);
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
}

/* Nothing can be copied any more. */
static void keeper_gone(void *opaque)
{
	loop_quit(1);
}

static void run(const struct options *o)
{
	struct pv_link link = { .fd = LINK_FD };
	struct pv pv = { .domid = (unsigned int)o->domid, .link = &link };
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
	pv.disks = block_host_new();
	pv.input = link.input = xzalloc(sizeof(*pv.input));
	if (keeper_active()) {
		keeper_on_end(keeper_gone, NULL);
		block_set_keeper(pv.disks, &keeper_of_images);
	}
	if (pv_start(&pv) || loop_add_fd(link.fd, EPOLLIN, back_ends_readable, &link))
		exit(1);
	if (keeper_active() && keeper_seal())
		exit(1);
	/* Without a privileged part it needs its user, its files and its handles. */
	if (confine_wanted(o)) {
		confine(o);
		confine_finish(o);
	}
	if (!send_one(&link, &ready))
		exit(1);
	loop_run();
	pv_stop(&pv);
	block_close_all(pv.disks);
	exit(0);
}

pid_t pv_process_start(const struct options *o, struct pv_link **link)
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
	*link = xzalloc(sizeof(**link));
	(*link)->fd = fds[0];
	return pid;
}
