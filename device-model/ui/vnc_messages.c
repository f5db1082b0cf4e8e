// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The judge of what a VNC client says after its handshake (RFC 6143, 7.5). Only SetPixelFormat,
 * SetEncodings, SetDesktopSize and update requests go on to the library, whole and checked; input
 * goes to the guest from here; cut text is dropped and everything else ends the connection.
 *
 * Update requests wait while the client has not read what it got, merged into one, so a client that
 * does not read costs at most one picture of memory.
 */
#include "core/util.h"
#include "ui/vnc_conn.h"

#define BACKLOG_HIGH  (512 * 1024) /* update requests wait above this */
#define MAX_ENCODINGS 512
#define MAX_CUT_TEXT  (16u << 20)

/* Each handler gets a whole message and returns false to end the connection. */

static bool pixel_format_valid(const uint8_t *p)
{
	unsigned int bpp = p[0], depth = p[1], i;

	if ((bpp != 8 && bpp != 16 && bpp != 32) || !depth || depth > 32)
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

static bool msg_pixel_format(struct vnc_conn *c, const uint8_t *msg, size_t len)
{
	if (!pixel_format_valid(msg + 4))
		return false;
	vnc_append(&c->to_library, msg, len);
	return true;
}

static bool msg_encodings(struct vnc_conn *c, const uint8_t *msg, size_t len)
{
	size_t i;

	for (i = 4; i < len; i += 4)
		if ((int32_t)get_be32(msg + i) == VNC_ENC_POINTER_MODE)
			c->input.relative = true;
	vnc_append(&c->to_library, msg, len);
	return true;
}

static void hold_update(struct update_request *u, const uint8_t *msg)
{
	uint32_t x = get_be16(msg + 2), y = get_be16(msg + 4);
	struct update_request n = { true, msg[1] != 0,		 x,
				    y,	  x + get_be16(msg + 6), y + get_be16(msg + 8) };

	if (u->held) {
		n.incremental = n.incremental && u->incremental;
		n.x1 = MIN(n.x1, u->x1);
		n.y1 = MIN(n.y1, u->y1);
		n.x2 = MAX(n.x2, u->x2);
		n.y2 = MAX(n.y2, u->y2);
	}
	*u = n;
}

void vnc_release_update(struct vnc_conn *c)
{
	struct update_request *u = &c->held;
	uint8_t msg[10] = { VNC_UPDATE_REQUEST, u->incremental };

	if (!u->held || vnc_pending(&c->to_client) > BACKLOG_HIGH || c->link_fd < 0)
		return;
	put_be16(msg + 2, (uint16_t)u->x1);
	put_be16(msg + 4, (uint16_t)u->y1);
	put_be16(msg + 6, (uint16_t)MIN(u->x2 - u->x1, 0xffffu));
	put_be16(msg + 8, (uint16_t)MIN(u->y2 - u->y1, 0xffffu));
	u->held = false;
	vnc_append(&c->to_library, msg, sizeof(msg));
}

static bool msg_update(struct vnc_conn *c, const uint8_t *msg, size_t len)
{
	hold_update(&c->held, msg);
	vnc_release_update(c);
	return true;
}

static bool msg_key(struct vnc_conn *c, const uint8_t *msg, size_t len)
{
	vnc_input_key(&c->input, &c->server->keymap, get_be32(msg + 4), msg[1]);
	vnc_server_activity(c->server);
	return true;
}

static bool msg_pointer(struct vnc_conn *c, const uint8_t *msg, size_t len)
{
	vnc_input_pointer(&c->input, msg[1], get_be16(msg + 2), get_be16(msg + 4), c->server->width,
			  c->server->height);
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

static bool msg_desktop_size(struct vnc_conn *c, const uint8_t *msg, size_t len)
{
	vnc_append(&c->to_library, msg, len); /* which answers: prohibited */
	return true;
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
	bool (*handle)(struct vnc_conn *c, const uint8_t *msg, size_t len);
};

static const struct message messages[] = {
	{ VNC_SET_PIXEL_FORMAT, 20, 0, 0, 0, 0, msg_pixel_format },
	{ VNC_SET_ENCODINGS, 4, 2, 2, 4, MAX_ENCODINGS, msg_encodings },
	{ VNC_UPDATE_REQUEST, 10, 0, 0, 0, 0, msg_update },
	{ VNC_KEY_EVENT, 8, 0, 0, 0, 0, msg_key },
	{ VNC_POINTER_EVENT, 6, 0, 0, 0, 0, msg_pointer },
	{ VNC_CUT_TEXT, 8, 0, 0, 0, 0, msg_cut_text },
	{ VNC_SET_DESKTOP_SIZE, 8, 6, 1, 16, 255, msg_desktop_size },
	{ VNC_QEMU, 12, 0, 0, 0, 0, msg_qemu },
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
	const struct message *m = message_find(c->in[0]);
	size_t len;

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
	return m->handle(c, c->in, len) ? (ssize_t)len : -1;
}
