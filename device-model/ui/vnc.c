// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The VNC server: options, the listening sockets, the display, and what the monitor asks for. How the
 * parts fit together is in vnc_priv.h.
 */
#include "ui/vnc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/device.h"
#include "core/confine.h"
#include "core/display.h"
#include "core/input.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/machine.h"
#include "core/options.h"
#include "core/util.h"
#include "ui/vnc_priv.h"
#include "ui/vnc_tls.h"

#define PORT_BASE      5900
#define WS_PORT_BASE   5700
#define BACKLOG	       16
#define ACTIVE_NS      (33 * NS_PER_MS)
#define IDLE_NS	       (125 * NS_PER_MS)
#define IDLE_REFRESHES 60 /* unchanged ones in a row before the rate goes down */

/* ---- display ---- */

static bool anyone_looks(const struct vnc_server *s)
{
	unsigned int i;

	for (i = 0; i < s->nr_conns; i++)
		if (s->conns[i]->phase == PHASE_NORMAL)
			return true;
	return false;
}

static void set_rate(struct vnc_server *s)
{
	uint64_t want = !anyone_looks(s)		     ? 0
			: s->idle_refreshes < IDLE_REFRESHES ? ACTIVE_NS
							     : IDLE_NS;

	if (want != s->listener.interval_ns)
		display_set_interval(&s->m->display, &s->listener, want);
}

void vnc_server_activity(struct vnc_server *s)
{
	s->idle_refreshes = 0;
	set_rate(s);
}

static void on_resize(void *opaque, pixman_image_t *surface, int width, int height)
{
	struct vnc_server *s = opaque;

	vnc_rfb_resize(s, surface, width, height);
	s->damaged = true;
}

static void on_update(void *opaque, int x, int y, int width, int height)
{
	struct vnc_server *s = opaque;

	vnc_rfb_damage(s, x, y, width, height);
	s->damaged = true;
}

static void on_refresh_done(void *opaque)
{
	struct vnc_server *s = opaque;
	unsigned int i;

	if (s->damaged)
		s->idle_refreshes = 0;
	else if (s->idle_refreshes < IDLE_REFRESHES)
		s->idle_refreshes++;
	for (i = s->nr_conns;
	     s->damaged && i-- > 0;) /* backwards: one may close and remove itself */
		vnc_conn_settle(s->conns[i]);
	s->damaged = false;
	set_rate(s);
}

static void on_pointer_mode(void *opaque, bool absolute)
{
	struct vnc_server *s = opaque;
	unsigned int i;

	for (i = s->nr_conns; i-- > 0;) {
		vnc_rfb_pointer_mode(s->conns[i]);
		vnc_conn_settle(s->conns[i]);
	}
}

/* ---- clients ---- */

void vnc_server_client_normal(struct vnc_server *s)
{
	/* Nothing was drawn while nobody looked. */
	vnc_server_activity(s);
	display_invalidate(&s->m->display);
}

void vnc_server_client_gone(struct vnc_server *s, struct vnc_conn *c)
{
	unsigned int i;

	for (i = 0; i < s->nr_conns; i++)
		if (s->conns[i] == c)
			s->conns[i] = s->conns[--s->nr_conns];
	set_rate(s);
}

/* Out of files: use the spare one to turn the caller away, or the loop would spin on it. */
static void refuse_one(struct vnc_server *s, int listen_fd)
{
	close(s->spare_fd);
	s->spare_fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (s->spare_fd >= 0)
		close(s->spare_fd);
	s->spare_fd = fcntl(s->update_fd, F_DUPFD_CLOEXEC, 0);
}

static void accept_one(struct vnc_server *s, int listen_fd)
{
	struct vnc_conn *c;
	int fd;

	fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE)
			refuse_one(s, listen_fd);
		return;
	}
	if (s->nr_conns == VNC_MAX_CLIENTS) {
		log_trace(TRACE_VNC, "vnc: refused a client: %d are connected", VNC_MAX_CLIENTS);
		close(fd);
		return;
	}
	c = vnc_conn_new(s, fd, listen_fd == s->ws_fd);
	if (c)
		s->conns[s->nr_conns++] = c;
}

static void listen_ready(void *opaque, uint32_t events)
{
	struct vnc_server *s = opaque;

	accept_one(s, s->listen_fd);
}

static void ws_listen_ready(void *opaque, uint32_t events)
{
	struct vnc_server *s = opaque;

	accept_one(s, s->ws_fd);
}

/* ---- monitor ---- */

static const char *family_name(int family)
{
	return family == AF_INET6 ? "ipv6" : family == AF_INET ? "ipv4" : "unknown";
}

static void describe(const struct sockaddr_storage *a, socklen_t len, char *host, size_t host_len,
		     char *service, size_t service_len)
{
	if (getnameinfo((const struct sockaddr *)a, len, host, (socklen_t)host_len, service,
			(socklen_t)service_len, NI_NUMERICHOST | NI_NUMERICSERV)) {
		snprintf(host, host_len, "unknown");
		snprintf(service, service_len, "0");
	}
}

void vnc_query(struct machine *m, struct vnc_info *info)
{
	const struct vnc_server *server = m->vnc;
	struct sockaddr_storage a = { 0 };
	socklen_t len = sizeof(a);

	memset(info, 0, sizeof(*info));
	if (!server || getsockname(server->listen_fd, (struct sockaddr *)&a, &len))
		return;
	info->enabled = true;
	info->family = family_name(a.ss_family);
	info->auth = server->tls ? "vencrypt" : server->auth ? "vnc" : "none";
	info->nr_clients = server->nr_conns;
	describe(&a, len, info->host, sizeof(info->host), info->service, sizeof(info->service));
}

bool vnc_query_client(struct machine *m, size_t i, struct vnc_client_info *info)
{
	const struct vnc_server *server = m->vnc;
	struct sockaddr_storage a = { 0 };
	socklen_t len = sizeof(a);

	memset(info, 0, sizeof(*info));
	if (!server || i >= server->nr_conns ||
	    getpeername(server->conns[i]->fd, (struct sockaddr *)&a, &len))
		return false;
	info->family = family_name(a.ss_family);
	info->shown = server->conns[i]->phase == PHASE_NORMAL;
	info->websocket = server->conns[i]->ws;
	describe(&a, len, info->host, sizeof(info->host), info->service, sizeof(info->service));
	return true;
}

int vnc_set_password(struct machine *m, const char *password)
{
	struct vnc_server *server = m->vnc;

	if (!server)
		return -ENODEV;
	if (!server->auth)
		return -EINVAL;
	memset(server->password, 0, sizeof(server->password));
	memcpy(server->password, password, strnlen(password, VNC_PASSWORD_MAX));
	return 0;
}

/* ---- start ---- */

static int parse_number(const char *text, unsigned long max, unsigned int *value)
{
	char *end;
	unsigned long v;

	if (!text || *text < '0' || *text > '9')
		return -EINVAL;
	v = strtoul(text, &end, 10);
	if (*end || v > max)
		return -EINVAL;
	*value = (unsigned int)v;
	return 0;
}

/* "HOST:DISPLAY", "[IPV6]:DISPLAY" or ":DISPLAY"; host is cut out in place. */
static int parse_address(char *text, const char **host, unsigned int *display)
{
	char *colon = strrchr(text, ':');
	size_t len;

	if (!colon || parse_number(colon + 1, 65535 - PORT_BASE, display))
		return -EINVAL;
	*colon = 0;
	len = strlen(text);
	if (text[0] == '[' && text[len - 1] == ']') {
		text[len - 1] = 0;
		text++;
	}
	*host = *text ? text : "127.0.0.1";
	if (!*text)
		log_info(
			"vnc: no address is given, so only this machine can connect; 0.0.0.0 lets all in");
	return 0;
}

static int listen_on(const char *host, unsigned int port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE }, *list;
	char service[8];
	int fd, one = 1, rc = 0;

	snprintf(service, sizeof(service), "%u", port);
	rc = getaddrinfo(host, service, &hints, &list);
	if (rc) {
		log_error("vnc: cannot resolve %s: %s", host, gai_strerror(rc));
		return -EINVAL;
	}
	fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		rc = -errno;
	} else {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		if (bind(fd, list->ai_addr, list->ai_addrlen) || listen(fd, BACKLOG)) {
			rc = -errno;
			close(fd);
		}
	}
	freeaddrinfo(list);
	return rc ? rc : fd;
}

/* What follows the address in -vnc. */
struct settings {
	unsigned int to;
	const char *tls_creds; /* the id of an -object */
	bool websocket;
	unsigned int ws_port; /* 0: WS_PORT_BASE and the display's number */
};

static int listen_websocket(struct vnc_server *s, const char *host, unsigned int port)
{
	s->ws_fd = listen_on(host, port);
	if (s->ws_fd < 0) {
		log_error("vnc: cannot listen on %s, port %u, for WebSocket: %s", host, port,
			  strerror(-s->ws_fd));
		return s->ws_fd;
	}
	log_info("vnc: WebSocket on %s:%u", host, port);
	return 0;
}

/* The first free display from `display` to the last allowed one. */
static int listen_range(struct vnc_server *s, const char *host, unsigned int display,
			const struct settings *set)
{
	unsigned int last = MAX(display, set->to);
	unsigned int d;
	int fd = -EADDRINUSE;

	for (d = display; d <= last; d++) {
		fd = listen_on(host, PORT_BASE + d);
		if (fd != -EADDRINUSE)
			break;
	}
	if (fd < 0) {
		log_error("vnc: cannot listen on %s, display %u to %u: %s", host, display, last,
			  strerror(-fd));
		return fd;
	}
	s->listen_fd = fd;
	log_info("vnc: listening on %s:%u", host, PORT_BASE + d);
	if (!set->websocket)
		return 0;
	return listen_websocket(s, host, set->ws_port ? set->ws_port : WS_PORT_BASE + d);
}

static int parse_websocket(const char *value, struct settings *set)
{
	set->websocket = !value || strcmp(value, "off");
	if (!value || !strcmp(value, "on") || !strcmp(value, "off"))
		return 0;
	return parse_number(value, 65535, &set->ws_port);
}

static int parse_pair(const struct opt_pair *p, struct vnc_server *s, struct settings *set)
{
	if (!strcmp(p->key, "password")) {
		s->auth = !p->value || !strcmp(p->value, "on");
		return s->auth || !strcmp(p->value, "off") ? 0 : -EINVAL;
	}
	if (!strcmp(p->key, "to"))
		return parse_number(p->value, 65535 - PORT_BASE, &set->to);
	if (!strcmp(p->key, "tls-creds")) {
		set->tls_creds = p->value;
		return 0;
	}
	if (!strcmp(p->key, "websocket"))
		return parse_websocket(p->value, set);
	if (strcmp(p->key, "share") || !p->value)
		return -EINVAL;
	s->exclusive = !strcmp(p->value, "allow-exclusive");
	return s->exclusive || !strcmp(p->value, "force-shared") || !strcmp(p->value, "ignore")
		       ? 0
		       : -EINVAL;
}

static int load_tls(struct vnc_server *s, const char *id)
{
	const struct options *o = s->m->opt;
	unsigned int i;

	for (i = 0; i < o->nr_tls; i++) {
		if (strcmp(o->tls[i].id, id))
			continue;
		s->tls = vnc_tls_load(&o->tls[i]);
		return s->tls ? 0 : -EINVAL;
	}
	log_error(
		"vnc: tls-creds=%s: there is no -object tls-creds-x509 or tls-creds-anon with that id",
		id);
	return -EINVAL;
}

static int options_apply(struct vnc_server *s, const char *text)
{
	struct opt_list list;
	const char *host = NULL;
	struct settings set = { 0 };
	unsigned int display = 0, i;
	int rc;

	opt_list_parse(&list, text);
	rc = list.head ? parse_address(list.head, &host, &display) : -EINVAL;
	for (i = 0; !rc && i < list.nr; i++)
		rc = parse_pair(&list.pairs[i], s, &set);
	if (!rc && set.tls_creds)
		rc = load_tls(s, set.tls_creds);
	else if (rc)
		log_error("vnc: cannot use \"-vnc %s\": expected "
			  "ADDRESS:DISPLAY[,password=on|off][,to=LAST][,websocket=on|PORT]"
			  "[,share=allow-exclusive|force-shared|ignore][,tls-creds=ID]",
			  text);
	if (!rc)
		rc = listen_range(s, host, display, &set);
	opt_list_free(&list);
	return rc;
}

static int server_start(struct machine *m, struct vnc_server *s)
{
	char *name = xasprintf("Plinth (%s)", m->opt->name ? m->opt->name : "guest");
	int rc;

	confine_network(m->opt); /* the sockets are open */
	rc = vnc_rfb_start(s, name);

	free(name);
	if (rc)
		return rc;
	s->spare_fd = fcntl(s->update_fd, F_DUPFD_CLOEXEC, 0);
	s->listener = (struct display_listener){ .opaque = s,
						 .resize = on_resize,
						 .update = on_update,
						 .refresh_done = on_refresh_done };
	display_add_listener(&m->display, &s->listener);
	input_on_mode(&m->input, on_pointer_mode, s);
	rc = loop_add_fd(s->listen_fd, EPOLLIN, listen_ready, s);
	if (!rc && s->ws_fd >= 0)
		rc = loop_add_fd(s->ws_fd, EPOLLIN, ws_listen_ready, s);
	return rc;
}

static int vnc_init(struct machine *m)
{
	struct vnc_server *s;
	int rc;

	if (!m->opt->vnc || !strcmp(m->opt->vnc, "none"))
		return 0;
	s = xzalloc(sizeof(*s));
	s->m = m;
	s->ws_fd = -1;
	s->exclusive = true;
	rc = keymap_load(&s->keymap, m->opt->keymap, NULL);
	if (!rc)
		rc = options_apply(s, m->opt->vnc);
	if (!rc)
		rc = server_start(m, s);
	if (rc) {
		keymap_free(&s->keymap);
		free(s);
		return rc;
	}
	m->vnc = s;
	return 0;
}

DEVICE(DEVICE_UI, vnc, vnc_init);
