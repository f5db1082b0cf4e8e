// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a VNC client says (RFC 6143, 7.1-7.5): where each message ends, and whether it is fit for the
 * library, which gets whole, checked ones only. Keys and pointer go to the guest from here, cut text is
 * dropped, and everything else ends the connection. With TLS the library sees a plain connection: its list
 * of security types is not passed on, the client gets VeNCrypt (type 19, version 0.2 of the community's
 * rfbproto), and the rest goes through TLS.
 */
#include <stdlib.h>
#include <string.h>

#include "core/input.h"
#include "core/util.h"
#include "ui/vnc_priv.h"
#include "ui/vnc_tls.h"

#define VERSION_LEN   12
#define RESPONSE_LEN  16
#define TYPE_NONE     1
#define TYPE_VNC      2
#define TYPE_VENCRYPT 19
#define MAX_ENCODINGS 512
#define MAX_CUT_TEXT  (16u << 20)

/* VeNCrypt's sub-types with TLS. */
enum { SUB_TLS_NONE = 257, SUB_TLS_VNC = 258, SUB_X509_NONE = 260, SUB_X509_VNC = 261 };

/* ---- handshake: each step gets all of its bytes; false ends the connection ---- */

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

static bool step_version(struct vnc_conn *c)
{
	static const uint8_t types[] = { 1, TYPE_VENCRYPT };
	bool vencrypt = c->server->tls && !c->tls;
	int minor = parse_version(c->in);

	memcpy(c->password, c->server->password, sizeof(c->password));
	/* Before 3.7 the server chose, and a client that old knows no TLS. */
	if (minor < 0 || (vencrypt && minor < 7) || !vnc_rfb_open(c, minor, vencrypt))
		return false;
	if (vencrypt)
		vnc_conn_send(c, types, sizeof(types));
	c->phase = minor >= 7 ? PHASE_SECURITY : c->server->auth ? PHASE_AUTH : PHASE_INIT;
	return true;
}

/* The client has chosen, or TLS is there: tell the library the type that it offered. */
static bool type_chosen(struct vnc_conn *c)
{
	uint8_t type = c->server->auth ? TYPE_VNC : TYPE_NONE;

	c->phase = c->server->auth ? PHASE_AUTH : PHASE_INIT;
	return vnc_rfb_feed(c, &type, 1);
}

static bool step_security(struct vnc_conn *c)
{
	static const uint8_t version[] = { 0, 2 };

	if (!c->server->tls || c->tls)
		return c->in[0] == (c->server->auth ? TYPE_VNC : TYPE_NONE) && type_chosen(c);
	vnc_conn_send(c, version, sizeof(version));
	c->phase = PHASE_VENCRYPT_VERSION;
	return c->in[0] == TYPE_VENCRYPT;
}

static uint32_t sub_type(const struct vnc_conn *c)
{
	if (vnc_tls_is_x509(c->server->tls))
		return c->server->auth ? SUB_X509_VNC : SUB_X509_NONE;
	return c->server->auth ? SUB_TLS_VNC : SUB_TLS_NONE;
}

static bool step_vencrypt_version(struct vnc_conn *c)
{
	uint8_t answer[6] = { 0, 1 }; /* agreed; one sub-type */

	put_be32(answer + 2, sub_type(c));
	vnc_conn_send(c, answer, sizeof(answer));
	c->phase = PHASE_VENCRYPT_TYPE;
	return c->in[0] == 0 && c->in[1] == 2;
}

/* What follows the answer is TLS, in both directions. */
static bool step_vencrypt_type(struct vnc_conn *c)
{
	static const uint8_t go = 1;

	if (get_be32(c->in) != sub_type(c))
		return false;
	vnc_conn_send(c, &go, 1);
	if (!vnc_conn_start_tls(c, c->in + 4, c->in_len - 4))
		return false;
	c->in_len = 4;
	c->phase = PHASE_TLS;
	return true;
}

void vnc_message_tls_done(struct vnc_conn *c)
{
	if (c->phase == PHASE_TLS)
		type_chosen(c);
}

static bool step_auth(struct vnc_conn *c)
{
	c->phase = PHASE_INIT;
	/* A wrong one gets an answer before the end. */
	c->draining = !vnc_rfb_feed(c, c->in, RESPONSE_LEN);
	return true;
}

static bool step_init(struct vnc_conn *c)
{
	uint8_t shared = c->in[0] || !c->server->exclusive;
	unsigned int i;

	if (!vnc_rfb_feed(c, &shared, 1))
		return false;
	for (i = c->server->nr_conns; i-- > 0;) /* backwards: those that the library displaced go */
		if (vnc_rfb_closed(c->server->conns[i]))
			vnc_conn_settle(c->server->conns[i]);
	return true;
}

static const struct step {
	size_t len; /* 0: nothing counts now */
	bool (*take)(struct vnc_conn *c);
} steps[PHASE_NORMAL] = {
	[PHASE_VERSION] = { VERSION_LEN, step_version },
	[PHASE_SECURITY] = { 1, step_security },
	[PHASE_VENCRYPT_VERSION] = { 2, step_vencrypt_version },
	[PHASE_VENCRYPT_TYPE] = { 4, step_vencrypt_type },
	[PHASE_AUTH] = { RESPONSE_LEN, step_auth },
	[PHASE_INIT] = { 1, step_init },
};

static ssize_t handshake(struct vnc_conn *c)
{
	const struct step *s = &steps[c->phase];

	if (c->in_len < s->len || !s->len)
		return 0;
	return s->take(c) ? (ssize_t)s->len : -1;
}

/* ---- messages: each handler gets a whole one; false ends the connection ---- */

static bool pixel_format_valid(const uint8_t *p)
{
	unsigned int bpp = p[0], depth = p[1], i;

	if ((bpp != 8 && bpp != 16 && bpp != 32) || depth > 32)
		return false;
	if (!p[3]) /* colour map: only the 8-bit one is known */
		return bpp == 8;
	for (i = 0; i < 3; i++) {
		unsigned int max = get_be16(p + 4 + 2 * i), shift = p[10 + i];

		if ((max & (max + 1)) || shift >= bpp || (uint64_t)max << shift >> bpp)
			return false;
	}
	return true;
}

static uint8_t used_bits(const uint8_t *p)
{
	unsigned int bits = 0, i;

	for (i = 0; p[3] && i < 3; i++)
		bits += (unsigned int)__builtin_popcount(get_be16(p + 4 + 2 * i));
	return (uint8_t)(bits ? bits : p[0]);
}

static bool msg_pass(struct vnc_conn *c, const uint8_t *msg, size_t len)
{
	return vnc_rfb_feed(c, msg, len);
}

static bool msg_pixel_format(struct vnc_conn *c, const uint8_t *msg, size_t len)
{
	uint8_t own[20];

	if (!pixel_format_valid(msg + 4))
		return false;
	memcpy(own, msg, sizeof(own));
	if (!own[5])
		own[5] = used_bits(own + 4); /* some clients leave the depth out */
	return vnc_rfb_feed(c, own, len);
}

static bool msg_key(struct vnc_conn *c, const uint8_t *msg, size_t len)
{
	vnc_input_key(&c->input, &c->server->keymap, get_be32(msg + 4), msg[1]);
	vnc_server_activity(c->server);
	return true;
}

static bool msg_pointer(struct vnc_conn *c, const uint8_t *msg, size_t len)
{
	vnc_input_pointer(&c->input, msg[1], get_be16(msg + 2), get_be16(msg + 4),
			  c->server->m->display.width, c->server->m->display.height);
	vnc_server_activity(c->server);
	return true;
}

static bool msg_cut_text(struct vnc_conn *c, const uint8_t *msg, size_t len)
{
	int64_t text = (int32_t)get_be32(msg + 4);

	/* A negative length marks the extended clipboard's form; the guest has no clipboard. */
	if (text < 0)
		text = -text;
	c->skip = (uint32_t)text;
	return text <= MAX_CUT_TEXT;
}

/* QEMU's extended key event: the key's number beside its keysym. */
static bool msg_qemu(struct vnc_conn *c, const uint8_t *msg, size_t len)
{
	unsigned int code = keymap_code(get_be32(msg + 8));
	bool down = get_be16(msg + 2);

	if (msg[1] != 0)
		return false;
	if (code)
		vnc_input_code(&c->input, code, down);
	else
		vnc_input_key(&c->input, &c->server->keymap, get_be32(msg + 4), down);
	vnc_server_activity(c->server);
	return true;
}

struct message {
	uint8_t type;
	uint8_t fixed;	    /* bytes that are always there */
	uint8_t count_at;   /* where the number of further items is (0: none) ... */
	uint8_t count_size; /* ... in how many bytes ... */
	uint8_t item;	    /* ... and the bytes of an item */
	uint16_t max_items;
	bool key; /* waits while the guest is busy with keys before it */
	bool (*handle)(struct vnc_conn *c, const uint8_t *msg, size_t len);
};

static const struct message messages[] = {
	{ 0, 20, 0, 0, 0, 0, false, msg_pixel_format },
	{ 2, 4, 2, 2, 4, MAX_ENCODINGS, false, msg_pass }, /* SetEncodings */
	{ 3, 10, 0, 0, 0, 0, false, msg_pass },		   /* FramebufferUpdateRequest */
	{ 4, 8, 0, 0, 0, 0, true, msg_key },
	{ 5, 6, 0, 0, 0, 0, false, msg_pointer },
	{ 6, 8, 0, 0, 0, 0, false, msg_cut_text },
	{ 251, 8, 6, 1, 16, 255, false, msg_pass }, /* SetDesktopSize, which the library refuses */
	{ 255, 12, 0, 0, 0, 0, true, msg_qemu },
};

static const struct message *message_find(uint8_t type)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(messages); i++)
		if (messages[i].type == type)
			return &messages[i];
	return NULL;
}

ssize_t vnc_message(struct vnc_conn *c)
{
	const struct message *m;
	size_t len;

	if (c->phase != PHASE_NORMAL)
		return handshake(c);
	m = message_find(c->in[0]);
	if (!m)
		return -1;
	len = m->fixed;
	if (c->in_len < len)
		return 0;
	if (m->count_at) {
		const uint8_t *at = c->in + m->count_at;
		unsigned int count = m->count_size == 1 ? at[0] : get_be16(at);

		if (count > m->max_items)
			return -1;
		len += (size_t)count * m->item;
		if (c->in_len < len)
			return 0;
	}
	c->held = m->key && input_keys_wait(c->input.to);
	if (c->held)
		return 0;
	return m->handle(c, c->in, len) ? (ssize_t)len : -1;
}
