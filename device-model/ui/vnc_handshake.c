// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The handshake of a VNC connection (RFC 6143, 7.1-7.3), of which the library only sees whole, checked
 * steps. With TLS the library sees a plain connection: its list of security types is not passed on, the
 * client gets VeNCrypt (type 19, version 0.2 of the community's rfbproto), and the rest goes through TLS.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "core/log.h"
#include "core/loop.h"
#include "core/util.h"
#include "ui/vnc_conn.h"

#define VERSION_LEN   12
#define TYPE_NONE     1
#define TYPE_VNC      2
#define TYPE_VENCRYPT 19

/* VeNCrypt's sub-types with TLS. */
enum { SUB_TLS_NONE = 257, SUB_TLS_VNC = 258, SUB_X509_NONE = 260, SUB_X509_VNC = 261 };

static bool link_create(struct vnc_conn *c)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds))
		return false;
	c->link_fd = fds[0];
	c->link = xzalloc(sizeof(*c->link));
	atomic_init(&c->link->refs, 1);
	atomic_init(&c->link->normal, false);
	c->link->fd = fds[1];
	c->link->auth = c->server->auth;
	memcpy(c->link->password, c->server->password, sizeof(c->link->password));
	c->swallow = VERSION_LEN;
	c->link_events = EPOLLIN;
	return !loop_add_fd(c->link_fd, EPOLLIN, vnc_conn_link_ready, c);
}

/* Other numbers have been seen in the wild; they mean the nearest of these (RFC 6143, A). */
static int parse_version(const uint8_t *in)
{
	char version[VERSION_LEN + 1];
	unsigned int i;
	int minor;

	memcpy(version, in, VERSION_LEN);
	version[VERSION_LEN] = 0;
	if (memcmp(version, VNC_GREETING, 8) || version[11] != '\n')
		return -1;
	for (i = 8; i < 11; i++)
		if (version[i] < '0' || version[i] > '9')
			return -1;
	minor = atoi(version + 8);
	return minor < 7 ? 3 : minor == 7 ? 7 : 8;
}

static ssize_t step_version(struct vnc_conn *c)
{
	static const uint8_t types[] = { 1, TYPE_VENCRYPT };
	bool vencrypt = c->server->tls && !c->tls;
	char version[VERSION_LEN + 1];
	int minor;

	if (c->in_len < VERSION_LEN)
		return 0;
	minor = parse_version(c->in);
	/* Before 3.7 the server chose, and a client that old knows no TLS. */
	if (minor < 0 || (vencrypt && minor < 7) || !link_create(c))
		return -1;
	/* The version is there before the library looks, so it never waits for it. */
	snprintf(version, sizeof(version), "RFB 003.%03d\n", minor);
	vnc_append(&c->to_library, version, VERSION_LEN);
	if (!vnc_conn_flush_library(c))
		return -1;
	vnc_rfb_add(c->link);
	if (vencrypt) {
		c->swallow += sizeof(types); /* the library's list is as long */
		vnc_append(&c->to_client, types, sizeof(types));
	}
	c->phase = minor >= 7 ? PHASE_SECURITY : c->server->auth ? PHASE_AUTH : PHASE_INIT;
	return VERSION_LEN;
}

/* The client has chosen, or TLS is there: tell the library the type that it offered. */
static void type_chosen(struct vnc_conn *c)
{
	uint8_t type = c->link->auth ? TYPE_VNC : TYPE_NONE;

	vnc_append(&c->to_library, &type, 1);
	c->phase = c->link->auth ? PHASE_AUTH : PHASE_INIT;
}

static ssize_t step_security(struct vnc_conn *c)
{
	static const uint8_t version[] = { 0, 2 };

	if (c->server->tls && !c->tls) {
		if (c->in[0] != TYPE_VENCRYPT)
			return -1;
		vnc_append(&c->to_client, version, sizeof(version));
		c->phase = PHASE_VENCRYPT_VERSION;
		return 1;
	}
	if (c->in[0] != (c->link->auth ? TYPE_VNC : TYPE_NONE))
		return -1;
	type_chosen(c);
	return 1;
}

static uint32_t sub_type(const struct vnc_conn *c)
{
	if (vnc_tls_is_x509(c->server->tls))
		return c->link->auth ? SUB_X509_VNC : SUB_X509_NONE;
	return c->link->auth ? SUB_TLS_VNC : SUB_TLS_NONE;
}

static ssize_t step_vencrypt_version(struct vnc_conn *c)
{
	uint8_t answer[6] = { 0, 1 }; /* agreed; one sub-type */

	if (c->in_len < 2)
		return 0;
	if (c->in[0] != 0 || c->in[1] != 2)
		return -1;
	put_be32(answer + 2, sub_type(c));
	vnc_append(&c->to_client, answer, sizeof(answer));
	c->phase = PHASE_VENCRYPT_TYPE;
	return 2;
}

static ssize_t step_vencrypt_type(struct vnc_conn *c)
{
	static const uint8_t go = 1;

	if (c->in_len < 4)
		return 0;
	if (get_be32(c->in) != sub_type(c))
		return -1;
	vnc_append(&c->to_client, &go, 1);
	/* What follows is TLS, in both directions. */
	if (!vnc_conn_start_tls(c, c->in + 4, c->in_len - 4))
		return -1;
	c->phase = PHASE_TLS;
	return (ssize_t)c->in_len;
}

void vnc_handshake_tls_done(struct vnc_conn *c)
{
	if (c->phase == PHASE_TLS)
		type_chosen(c);
}

static ssize_t step_auth(struct vnc_conn *c)
{
	if (c->in_len < 16)
		return 0;
	vnc_append(&c->to_library, c->in, 16);
	c->phase = PHASE_INIT;
	return 16;
}

static ssize_t step_init(struct vnc_conn *c)
{
	uint8_t shared = 1;

	vnc_append(&c->to_library, &shared, 1);
	c->phase = PHASE_WAIT;
	return 1;
}

ssize_t vnc_handshake(struct vnc_conn *c)
{
	switch (c->phase) {
	case PHASE_VERSION:
		return step_version(c);
	case PHASE_SECURITY:
		return step_security(c);
	case PHASE_VENCRYPT_VERSION:
		return step_vencrypt_version(c);
	case PHASE_VENCRYPT_TYPE:
		return step_vencrypt_type(c);
	case PHASE_AUTH:
		return step_auth(c);
	case PHASE_INIT:
		return step_init(c);
	default: /* nothing counts before TLS is there, and the library let the client in */
		return 0;
	}
}
