/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Back ends whose descriptor carries one frame per read or write: Linux's tap devices (kernel
 * Documentation/networking/tuntap.rst) and datagram sockets. Bridges and addresses of a tap are the
 * business of the toolstack's scripts. While the card has no room, the frames wait in the kernel.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/log.h"
#include "core/loop.h"
#include "core/options.h"
#include "core/options_priv.h"
#include "core/util.h"
#include "net/net.h"

#define TAP_READ_MAX 32 /* frames in one turn of the loop */

struct tap {
	struct net_backend backend;
	const char *id;
	int fd;
	bool watching;
	struct loop_call look;
	uint8_t frame[NET_MAX_FRAME + 1];
};

static void tap_send(struct net_backend *b, const uint8_t *frame, size_t len)
{
	struct tap *t = container_of(b, struct tap, backend);

	if (write(t->fd, frame, len) < 0)
		log_trace(TRACE_NET, "net %s: frame of %zu bytes lost: %s", t->id, len,
			  strerror(errno));
	/*
	 * This host's kernel answers within the write(), and then nothing happens any more that would take
	 * the CPU back from a guest that got it by donation: look before.
	 */
	if (t->watching)
		loop_defer(&t->look);
}

static void watch(struct tap *t, bool on)
{
	if (on == t->watching || t->fd < 0)
		return;
	t->watching = on;
	loop_mod_fd(t->fd, on ? EPOLLIN : 0);
}

static void tap_resume(struct net_backend *b)
{
	watch(container_of(b, struct tap, backend), true);
}

/* Linux takes a tap device away that nobody has open. */
static void tap_close(struct net_backend *b)
{
	struct tap *t = container_of(b, struct tap, backend);

	loop_cancel(&t->look);
	if (t->fd >= 0) {
		loop_del_fd(t->fd);
		close(t->fd);
	}
	free(t);
}

/* The device is gone (the toolstack took it away): no more frames, but the guest goes on. */
static void tap_lost(struct tap *t, const char *why)
{
	log_warn("network %s: %s; the cable counts as unplugged", t->id, why);
	loop_del_fd(t->fd);
	close(t->fd);
	t->fd = -1;
	net_set_link(t->backend.net, false);
}

static void tap_readable(void *opaque, uint32_t events)
{
	struct tap *t = opaque;
	unsigned int i;

	for (i = 0; i < TAP_READ_MAX; i++) {
		ssize_t n;

		if (!net_can_deliver(t->backend.net)) {
			watch(t, false);
			return;
		}
		n = read(t->fd, t->frame, sizeof(t->frame));
		if (n > 0) {
			net_deliver(t->backend.net, t->frame, (size_t)n);
			continue;
		}
		/* A datagram peer that does not exist yet or any more is no error of ours. */
		if (n < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNREFUSED)
			tap_lost(t, strerror(errno));
		return;
	}
}

static void tap_look(void *opaque)
{
	struct tap *t = opaque;

	if (t->watching && t->fd >= 0)
		tap_readable(t, EPOLLIN);
}

static struct net_backend *tap_create(const struct opt_netdev *o, int fd)
{
	struct tap *t = xzalloc(sizeof(*t));
	int rc;

	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	t->backend.send = tap_send;
	t->backend.resume = tap_resume;
	t->backend.close = tap_close;
	t->id = o->id;
	t->fd = fd;
	t->watching = true;
	loop_call_init(&t->look, tap_look, t);
	rc = loop_add_fd(fd, EPOLLIN, tap_readable, t);
	if (!rc)
		return &t->backend;
	log_error("network %s: descriptor %d: %s", o->id, fd, strerror(-rc));
	free(t);
	return NULL;
}

static int tap_open_name(const struct opt_netdev *o, const char *ifname)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int fd;

	if (strlen(ifname) >= sizeof(ifr.ifr_name)) {
		log_error("network %s: ifname=%s is too long", o->id, ifname);
		return -1;
	}
	strcpy(ifr.ifr_name, ifname);
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd >= 0 && !ioctl(fd, TUNSETIFF, &ifr))
		return fd;
	log_error("network %s: tap device %s: %s (modprobe tun; the rights of root are needed)",
		  o->id, ifname, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

struct net_backend *net_tap_open(struct net *n, const struct opt_netdev *o)
{
	static const char *const known[] = { "type",   "id",	     "ifname",	 "br",
					     "script", "downscript", "vnet_hdr", "vhost",
					     "fd",     "sndbuf",     NULL };
	const char *fd = opt_list_get(&o->args, "fd"), *ifname = opt_list_get(&o->args, "ifname");
	const char *script = opt_list_get(&o->args, "script");
	int tap;

	opt_list_only(&o->args, "netdev", known);
	if (script && *script && strcmp(script, "no")) {
		log_error("network %s: script=%s is not run; use script=no and the toolstack's "
			  "hotplug scripts",
			  o->id, script);
		return NULL;
	}
	if (!fd && !ifname) {
		log_error("network %s: -netdev tap needs ifname= or fd=", o->id);
		return NULL;
	}
	tap = fd ? (int)opt_number("netdev", fd, 1 << 20) : tap_open_name(o, ifname);
	return tap < 0 ? NULL : tap_create(o, tap);
}

static int dgram_address(const struct opt_netdev *o, const char *path, struct sockaddr_un *sa)
{
	*sa = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (!path || strlen(path) >= sizeof(sa->sun_path)) {
		log_error("network %s: -netdev dgram needs local.type=unix with local.path= and "
			  "remote.path=, or local.type=fd with local.str=",
			  o->id);
		return -EINVAL;
	}
	strcpy(sa->sun_path, path);
	return 0;
}

static int dgram_open_unix(const struct opt_netdev *o)
{
	struct sockaddr_un local, remote;
	int fd;

	if (dgram_address(o, opt_list_get(&o->args, "local.path"), &local) ||
	    dgram_address(o, opt_list_get(&o->args, "remote.path"), &remote))
		return -1;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	unlink(local.sun_path);
	if (fd >= 0 && !bind(fd, (struct sockaddr *)&local, sizeof(local)) &&
	    !connect(fd, (struct sockaddr *)&remote, sizeof(remote)))
		return fd;
	log_error("network %s: sockets %s and %s: %s", o->id, local.sun_path, remote.sun_path,
		  strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

struct net_backend *net_dgram_open(struct net *n, const struct opt_netdev *o)
{
	static const char *const known[] = { "type",	    "id",	 "local.type",
					     "local.path",  "local.str", "remote.type",
					     "remote.path", NULL };
	const char *type = opt_list_get(&o->args, "local.type");
	const char *str = opt_list_get(&o->args, "local.str");
	int fd;

	opt_list_only(&o->args, "netdev", known);
	if (type && !strcmp(type, "fd") && str)
		fd = (int)opt_number("netdev", str, 1 << 20);
	else
		fd = dgram_open_unix(o);
	return fd < 0 ? NULL : tap_create(o, fd);
}
