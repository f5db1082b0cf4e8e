/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * User-mode network by libslirp: a guest without any set-up of the host gets DHCP, DNS, TFTP and
 * outgoing connections. libslirp wants to be asked for its descriptors before each wait; they live in
 * an epoll set of their own, which the main loop watches. IPv4 only.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <slirp/libslirp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "core/confine.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/options.h"
#include "core/options_priv.h"
#include "core/timer.h"
#include "core/util.h"
#include "net/net.h"

#define SLIRP_MAX_FDS  1024
#define SLIRP_IDLE_MS  60000

#define ETHERTYPE_IPV4 0x0800u
#define IPV4_DEST \
	30u /* of the address in the frame, without VLAN tags, which libslirp does not know */

struct user_net {
	struct net_backend backend;
	const char *id;
	Slirp *slirp;
	int epoll_fd;
	struct pollfd fds[SLIRP_MAX_FDS]; /* what libslirp asked for last */
	unsigned int nr_fds;
	struct pollfd in_set[SLIRP_MAX_FDS]; /* what the epoll set has */
	unsigned int nr_in_set;
	bool reaches_host; /* its loopback: the option hostloopback=on */
	bool fds_changed;  /* descriptors came or went: equal numbers prove nothing */
	struct dm_timer timer;
	struct loop_call refresh;
};

struct user_timer {
	struct dm_timer timer;
	SlirpTimerCb cb;
	void *cb_opaque;
};

static ssize_t send_packet(const void *buf, size_t len, void *opaque)
{
	struct user_net *u = opaque;

	net_deliver_later(u->backend.net, buf, len);
	return (ssize_t)len;
}

static void guest_error(const char *msg, void *opaque)
{
	struct user_net *u = opaque;

	log_guest("network %s: %s", u->id, msg);
}

static int64_t get_ns(void *opaque)
{
	return (int64_t)clock_host_ns();
}

static void timer_expired(void *opaque)
{
	struct user_timer *t = opaque;

	t->cb(t->cb_opaque);
}

static void *timer_create_cb(SlirpTimerCb cb, void *cb_opaque, void *opaque)
{
	struct user_timer *t = xzalloc(sizeof(*t));

	t->cb = cb;
	t->cb_opaque = cb_opaque;
	dm_timer_init(&t->timer, DM_CLOCK_HOST, timer_expired, t);
	return t;
}

static void timer_free_cb(void *timer, void *opaque)
{
	struct user_timer *t = timer;

	dm_timer_cancel(&t->timer);
	free(t);
}

static void timer_mod_cb(void *timer, int64_t expire_ms, void *opaque)
{
	struct user_timer *t = timer;

	dm_timer_set_ns(&t->timer, (uint64_t)expire_ms * NS_PER_MS);
}

static void poll_fd_changed(int fd, void *opaque)
{
	struct user_net *u = opaque;

	u->fds_changed = true;
}

static void notify(void *opaque)
{
	struct user_net *u = opaque;

	loop_defer(&u->refresh);
}

static const SlirpCb callbacks = {
	.send_packet = send_packet,
	.guest_error = guest_error,
	.clock_get_ns = get_ns,
	.timer_new = timer_create_cb,
	.timer_free = timer_free_cb,
	.timer_mod = timer_mod_cb,
	.register_poll_fd = poll_fd_changed,
	.unregister_poll_fd = poll_fd_changed,
	.notify = notify,
};

static int add_poll(int fd, int events, void *opaque)
{
	struct user_net *u = opaque;
	short want = 0;

	if (u->nr_fds == SLIRP_MAX_FDS)
		return -1;
	want |= events & SLIRP_POLL_IN ? POLLIN : 0;
	want |= events & SLIRP_POLL_OUT ? POLLOUT : 0;
	want |= events & SLIRP_POLL_PRI ? POLLPRI : 0;
	u->fds[u->nr_fds] = (struct pollfd){ .fd = fd, .events = want };
	return (int)u->nr_fds++;
}

static int get_revents(int idx, void *opaque)
{
	struct user_net *u = opaque;
	short got = idx < 0 ? 0 : u->fds[idx].revents;
	int events = 0;

	events |= got & POLLIN ? SLIRP_POLL_IN : 0;
	events |= got & POLLOUT ? SLIRP_POLL_OUT : 0;
	events |= got & POLLPRI ? SLIRP_POLL_PRI : 0;
	events |= got & POLLERR ? SLIRP_POLL_ERR : 0;
	events |= got & POLLHUP ? SLIRP_POLL_HUP : 0;
	return events;
}

static bool set_is_current(const struct user_net *u)
{
	unsigned int i;

	if (u->fds_changed || u->nr_fds != u->nr_in_set)
		return false;
	for (i = 0; i < u->nr_fds; i++)
		if (u->fds[i].fd != u->in_set[i].fd || u->fds[i].events != u->in_set[i].events)
			return false;
	return true;
}

/* Ask libslirp what it waits for, and wait for that. */
static void refill(struct user_net *u)
{
	uint32_t timeout_ms = SLIRP_IDLE_MS;
	unsigned int i;

	u->nr_fds = 0;
	slirp_pollfds_fill(u->slirp, &timeout_ms, add_poll, u);
	dm_timer_set_ns(&u->timer, clock_host_ns() + timeout_ms * NS_PER_MS);
	if (set_is_current(u))
		return;
	/* A descriptor that was closed has left the set by itself. */
	for (i = 0; i < u->nr_in_set; i++)
		epoll_ctl(u->epoll_fd, EPOLL_CTL_DEL, u->in_set[i].fd, NULL);
	for (i = 0; i < u->nr_fds; i++) {
		/* The bits of poll(2) and epoll(7) are the same. */
		struct epoll_event ev = { .events = (uint32_t)u->fds[i].events,
					  .data.fd = u->fds[i].fd };

		epoll_ctl(u->epoll_fd, EPOLL_CTL_ADD, u->fds[i].fd, &ev);
	}
	memcpy(u->in_set, u->fds, u->nr_fds * sizeof(u->fds[0]));
	u->nr_in_set = u->nr_fds;
	u->fds_changed = false;
}

static void serve(struct user_net *u)
{
	int rc = u->nr_fds ? poll(u->fds, u->nr_fds, 0) : 0;

	slirp_pollfds_poll(u->slirp, rc < 0, get_revents, u);
	refill(u);
}

static void readable(void *opaque, uint32_t events)
{
	serve(opaque);
}

static void serve_later(void *opaque)
{
	serve(opaque);
}

/*
 * An address that means this host itself wherever it is sent from: 127.0.0.0/8, 0.0.0.0/8 (Linux connects
 * it to the loopback) as a destination. libslirp would pass it on; its own disable_host_loopback is about
 * the gateway's address only. IPv6 is not enabled. DHCP's broadcasts have other destinations.
 */
static bool is_for_host_itself(const uint8_t *frame, size_t len)
{
	if (len < IPV4_DEST + 4 || get_be16(frame + 12) != ETHERTYPE_IPV4)
		return false;
	return frame[IPV4_DEST] == 127 || !frame[IPV4_DEST];
}

/* Called from a register access: libslirp may open sockets and answer, both is seen to later. */
static void user_send(struct net_backend *b, const uint8_t *frame, size_t len)
{
	struct user_net *u = container_of(b, struct user_net, backend);

	if (!u->reaches_host && is_for_host_itself(frame, len)) {
		log_trace(TRACE_NET, "net %s: frame for the host's loopback is dropped", u->id);
		return;
	}
	slirp_input(u->slirp, frame, (int)len);
	loop_defer(&u->refresh);
}

static bool is_off(const char *s)
{
	return s && (!strcmp(s, "off") || !strcmp(s, "no") || !strcmp(s, "n"));
}

static bool address(const struct opt_netdev *o, const char *key, struct in_addr *a)
{
	const char *s = opt_list_get(&o->args, key);

	if (!s || inet_aton(s, a))
		return true;
	log_error("network %s: %s=%s is not an IPv4 address", o->id, key, s);
	return false;
}

/* net=ADDRESS[/BITS]: the defaults of host, DNS and DHCP follow from it. */
static bool subnet(const struct opt_netdev *o, SlirpConfig *c)
{
	const char *s = opt_list_get(&o->args, "net");
	unsigned int bits = 24;
	char text[20] = "10.0.2.0";
	uint32_t mask, net;

	if (s && sscanf(s, "%19[0-9.]/%u", text, &bits) < 1)
		text[0] = 0;
	if (bits < 8 || bits > 29 || !inet_aton(text, &c->vnetwork)) {
		log_error("network %s: net=%s is not an IPv4 network like 10.0.2.0/24", o->id, s);
		return false;
	}
	mask = ~0u << (32 - bits);
	net = ntohl(c->vnetwork.s_addr) & mask;
	c->vnetmask.s_addr = htonl(mask);
	c->vnetwork.s_addr = htonl(net);
	c->vhost.s_addr = htonl(net | 2);
	c->vnameserver.s_addr = htonl(net | 3);
	c->vdhcp_start.s_addr = htonl(bits > 27 ? net | 4 : net | 15);
	return address(o, "host", &c->vhost) && address(o, "dns", &c->vnameserver) &&
	       address(o, "dhcpstart", &c->vdhcp_start);
}

/* "[address]:port"; the port of a guest may be left out by no one. */
static bool host_port(const char *s, size_t len, struct in_addr *a, int *port)
{
	const char *colon = memchr(s, ':', len);
	char host[20] = "", number[8] = "", *end;

	if (!colon || (size_t)(colon - s) >= sizeof(host) ||
	    len - (size_t)(colon - s) - 1 >= sizeof(number))
		return false;
	memcpy(host, s, (size_t)(colon - s));
	memcpy(number, colon + 1, len - (size_t)(colon - s) - 1);
	*port = (int)strtoul(number, &end, 10);
	return (!*host || inet_aton(host, a)) && *number && !*end && *port <= 65535;
}

/* "tcp:[hostaddr]:hostport-[guestaddr]:guestport" */
static bool host_forward(struct user_net *u, const char *rule)
{
	struct in_addr host = { .s_addr = INADDR_ANY }, guest = { .s_addr = 0 };
	bool udp = !strncmp(rule, "udp:", 4);
	const char *from = udp || !strncmp(rule, "tcp:", 4) ? rule + 4 : rule;
	const char *dash = strchr(from, '-');
	int host_number, guest_number;

	from += *from == ':' && from == rule;
	if (!dash || !host_port(from, (size_t)(dash - from), &host, &host_number) ||
	    !host_port(dash + 1, strlen(dash + 1), &guest, &guest_number) || !guest_number) {
		log_error("network %s: hostfwd=%s is not "
			  "tcp|udp:[hostaddr]:hostport-[guestaddr]:guestport",
			  u->id, rule);
		return false;
	}
	if (!slirp_add_hostfwd(u->slirp, udp, host, host_number, guest, guest_number))
		return true;
	log_error("network %s: hostfwd=%s: %s", u->id, rule, strerror(errno));
	return false;
}

static bool host_forwards(struct user_net *u, const struct opt_list *l)
{
	unsigned int i;

	for (i = 0; i < l->nr; i++)
		if (!strcmp(l->pairs[i].key, "hostfwd") && !host_forward(u, l->pairs[i].value))
			return false;
	return true;
}

static bool user_start(struct user_net *u, const struct opt_netdev *o, const struct options *all)
{
	const char *restricted = opt_list_get(&o->args, "restrict");
	const char *host = opt_list_get(&o->args, "hostloopback");
	SlirpConfig c = {
		.version = SLIRP_CONFIG_VERSION_MAX,
		.in_enabled = true,
		.restricted = restricted && !is_off(restricted),
		.vhostname = opt_list_get(&o->args, "hostname"),
		.tftp_server_name = opt_list_get(&o->args, "tftp-server-name"),
		.tftp_path = opt_list_get(&o->args, "tftp"),
		.bootfile = opt_list_get(&o->args, "bootfile"),
		.vdomainname = opt_list_get(&o->args, "domainname"),
	};

	if (!subnet(o, &c))
		return false;
	if (c.tftp_path && access(c.tftp_path, R_OK | X_OK)) {
		log_error("network %s: tftp=%s: %s", o->id, c.tftp_path, strerror(errno));
		return false;
	}
	c.tftp_path = confine_tftp(all, c.tftp_path);
	u->reaches_host = host && !is_off(host);
	/* Name servers at 127.0.0.x stay reachable, by the guest's server address only. */
	c.disable_host_loopback = !u->reaches_host;
	u->slirp = slirp_new(&c, &callbacks, u);
	u->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (u->slirp && u->epoll_fd >= 0 && !loop_add_fd(u->epoll_fd, EPOLLIN, readable, u))
		return host_forwards(u, &o->args);
	log_error("network %s: user-mode network does not start: %s", o->id, strerror(errno));
	return false;
}

struct net_backend *net_user_open(struct net *n, const struct opt_netdev *o)
{
	static const char *const known[] = { "type",
					     "id",
					     "net",
					     "host",
					     "restrict",
					     "hostname",
					     "dhcpstart",
					     "dns",
					     "tftp",
					     "bootfile",
					     "domainname",
					     "hostfwd",
					     "hostloopback",
					     "tftp-server-name",
					     NULL };
	struct user_net *u = xzalloc(sizeof(*u));

	opt_list_only(&o->args, "netdev", known);
	u->id = o->id;
	u->backend.send = user_send;
	dm_timer_init(&u->timer, DM_CLOCK_HOST, serve_later, u);
	loop_call_init(&u->refresh, serve_later, u);
	if (!user_start(u, o, net_options(n)))
		return NULL; /* the process ends with this error */
	refill(u);
	return &u->backend;
}
