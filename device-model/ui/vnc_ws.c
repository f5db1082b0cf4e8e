// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * WebSocket server side: opening handshake (RFC 6455, 4.2), frames (5), closing (7). RFB is a
 * stream, so frame and message boundaries mean nothing and are not kept. See vnc_ws.h.
 */
#include "ui/vnc_ws.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/util.h"

#define GUID		  "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define KEY_LEN		  24 /* 16 bytes in base64 */
#define SHA1_LEN	  20
#define CONTROL_MAX	  125
#define FIN		  0x80
#define MASKED		  0x80
#define LENGTH_16	  126
#define LENGTH_64	  127
#define CLOSE_PROTOCOL	  1002
#define CLOSE_UNSUPPORTED 1003

enum opcode {
	OP_CONTINUE = 0,
	OP_TEXT = 1,
	OP_BINARY = 2,
	OP_CLOSE = 8,
	OP_PING = 9,
	OP_PONG = 10,
};

static void raw_take(struct vnc_ws *ws, size_t len)
{
	memmove(ws->raw, ws->raw + len, ws->raw_len - len);
	ws->raw_len -= len;
}

/* False: no room; try again when the caller took what is there. */
static bool say(struct vnc_ws *ws, const void *data, size_t len)
{
	if (sizeof(ws->reply) - ws->reply_len < len)
		return false;
	memcpy(ws->reply + ws->reply_len, data, len);
	ws->reply_len += len;
	return true;
}

/* ---- opening handshake ---- */

/* The value of a header in text, which ends with an empty line; its length in *len. */
static const char *header_find(const char *text, const char *name, size_t *len)
{
	size_t name_len = strlen(name);
	const char *line = text, *end;

	while ((end = strstr(line, "\r\n")) && end != line) {
		if (!strncasecmp(line, name, name_len) && line[name_len] == ':') {
			line += name_len + 1;
			line += strspn(line, " \t");
			*len = (size_t)(end - line);
			while (*len && (line[*len - 1] == ' ' || line[*len - 1] == '\t'))
				(*len)--;
			return line;
		}
		line = end + 2;
	}
	return NULL;
}

/* Is word one of the comma-separated words of the header? */
static bool header_has(const char *text, const char *name, const char *word)
{
	size_t len = 0;
	const char *v = header_find(text, name, &len), *end = v ? v + len : NULL;

	while (v && v < end) {
		size_t n;

		v += strspn(v, " \t,");
		n = strcspn(v, " \t,\r");
		if (n == strlen(word) && !strncasecmp(v, word, n))
			return true;
		v += n;
		if (!n)
			break;
	}
	return false;
}

/* Sec-WebSocket-Accept of a key (4.2.2). */
static bool accept_value(const char *key, char *out, size_t size)
{
	char text[KEY_LEN + sizeof(GUID)];
	uint8_t hash[SHA1_LEN];
	gnutls_datum_t in = { hash, sizeof(hash) }, base64 = { NULL, 0 };
	bool fits;

	memcpy(text, key, KEY_LEN);
	memcpy(text + KEY_LEN, GUID, sizeof(GUID));
	if (gnutls_hash_fast(GNUTLS_DIG_SHA1, text, KEY_LEN + sizeof(GUID) - 1, hash) ||
	    gnutls_base64_encode2(&in, &base64))
		return false;
	fits = base64.size < size;
	if (fits) {
		memcpy(out, base64.data, base64.size);
		out[base64.size] = 0;
	}
	gnutls_free(base64.data);
	return fits;
}

static void refuse(struct vnc_ws *ws, const char *status)
{
	char text[160];
	int n = snprintf(text, sizeof(text),
			 "HTTP/1.1 %s\r\nSec-WebSocket-Version: 13\r\nContent-Length: 0\r\n"
			 "Connection: close\r\n\r\n",
			 status);

	say(ws, text, (size_t)n);
	ws->state = VNC_WS_CLOSED;
}

static void upgrade(struct vnc_ws *ws, const char *request)
{
	const char *headers = strstr(request, "\r\n") + 2, *key;
	char accept[64], text[256];
	size_t len = 0;
	int n;

	key = header_find(headers, "Sec-WebSocket-Key", &len);
	if (strncmp(request, "GET ", 4) || !key || len != KEY_LEN ||
	    !header_has(headers, "Upgrade", "websocket") ||
	    !header_has(headers, "Connection", "upgrade")) {
		refuse(ws, "400 Bad Request");
		return;
	}
	if (!header_has(headers, "Sec-WebSocket-Version", "13")) {
		refuse(ws, "426 Upgrade Required");
		return;
	}
	if (!accept_value(key, accept, sizeof(accept))) {
		refuse(ws, "500 Internal Server Error");
		return;
	}
	n = snprintf(text, sizeof(text),
		     "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		     "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n%s\r\n",
		     accept,
		     header_has(headers, "Sec-WebSocket-Protocol", "binary")
			     ? "Sec-WebSocket-Protocol: binary\r\n"
			     : "");
	say(ws, text, (size_t)n);
	ws->state = VNC_WS_OPEN;
}

/* False: the request is not complete. */
static bool handshake(struct vnc_ws *ws)
{
	char request[VNC_WS_RAW_BYTES + 1];
	char *end;

	memcpy(request, ws->raw, ws->raw_len);
	request[ws->raw_len] = 0;
	end = strstr(request, "\r\n\r\n");
	if (!end) {
		if (ws->raw_len == sizeof(ws->raw) || memchr(ws->raw, 0, ws->raw_len))
			refuse(ws, "400 Bad Request");
		return false;
	}
	end[4] = 0;
	upgrade(ws, request);
	raw_take(ws, (size_t)(end + 4 - request));
	return true;
}

/* ---- frames ---- */

static bool say_close(struct vnc_ws *ws, unsigned int code)
{
	uint8_t frame[4] = { FIN | OP_CLOSE, 2 };

	put_be16(frame + 2, (uint16_t)code);
	if (!say(ws, frame, sizeof(frame)))
		return false;
	ws->state = VNC_WS_CLOSED;
	return true;
}

/* A whole control frame is at the start of raw. False: no room for the answer. */
static bool control(struct vnc_ws *ws, unsigned int op, size_t head, size_t len)
{
	uint8_t answer[2 + CONTROL_MAX];
	size_t i;

	answer[0] = (uint8_t)(FIN | (op == OP_PING ? OP_PONG : OP_CLOSE));
	answer[1] = (uint8_t)len;
	for (i = 0; i < len; i++)
		answer[2 + i] = ws->raw[head + i] ^ ws->raw[head - 4 + i % 4];
	if (op != OP_PONG && !say(ws, answer, 2 + len))
		return false;
	if (op == OP_CLOSE)
		ws->state = VNC_WS_CLOSED;
	raw_take(ws, head + len);
	return true;
}

static bool op_valid(const struct vnc_ws *ws, unsigned int op)
{
	return op >= OP_CLOSE ? op <= OP_PONG : op == (ws->fragmented ? OP_CONTINUE : OP_BINARY);
}

/* Look at a frame's header. False: more bytes, or room for an answer, are needed. */
static bool frame_begin(struct vnc_ws *ws)
{
	const uint8_t *p = ws->raw;
	size_t head = 6;
	uint64_t len;
	unsigned int op;

	if (ws->raw_len < 2)
		return false;
	op = p[0] & 0x0f;
	len = p[1] & 0x7f;
	head += len == LENGTH_16 ? 2 : len == LENGTH_64 ? 8 : 0;
	/* Reserved bits, a missing mask, or a control frame that is long or in pieces (5.2, 5.5) */
	if ((p[0] & 0x70) || !(p[1] & MASKED) ||
	    (op >= OP_CLOSE && (len > CONTROL_MAX || !(p[0] & FIN))))
		return say_close(ws, CLOSE_PROTOCOL);
	if (!op_valid(ws, op))
		return say_close(ws, op == OP_TEXT ? CLOSE_UNSUPPORTED : CLOSE_PROTOCOL);
	if (ws->raw_len < head)
		return false;
	if (op >= OP_CLOSE)
		return ws->raw_len >= head + len && control(ws, op, head, (size_t)len);
	if (len == LENGTH_16)
		len = get_be16(p + 2);
	else if (len == LENGTH_64)
		len = get_be64(p + 2);
	if (len >> 63)
		return say_close(ws, CLOSE_PROTOCOL);
	ws->left = len;
	ws->fragmented = !(p[0] & FIN);
	memcpy(ws->mask, p + head - 4, sizeof(ws->mask));
	ws->mask_at = 0;
	raw_take(ws, head);
	return true;
}

static size_t payload(struct vnc_ws *ws, uint8_t *out, size_t space)
{
	size_t n = MIN(ws->raw_len, space), i;

	n = (size_t)MIN((uint64_t)n, ws->left);
	for (i = 0; i < n; i++)
		out[i] = ws->raw[i] ^ ws->mask[ws->mask_at++ % 4];
	ws->left -= n;
	raw_take(ws, n);
	return n;
}

size_t vnc_ws_input(struct vnc_ws *ws, uint8_t *out, size_t space)
{
	size_t done = 0;

	if (ws->state == VNC_WS_HTTP && !handshake(ws))
		return 0;
	while (ws->state == VNC_WS_OPEN && ws->raw_len) {
		size_t n;

		if (!ws->left) {
			if (!frame_begin(ws))
				break;
			continue;
		}
		n = payload(ws, out + done, space - done);
		if (!n)
			break;
		done += n;
	}
	return done;
}

void vnc_ws_header(uint8_t header[VNC_WS_HEADER], size_t len, size_t *header_len)
{
	header[0] = FIN | OP_BINARY;
	if (len <= CONTROL_MAX) {
		header[1] = (uint8_t)len;
		*header_len = 2;
		return;
	}
	header[1] = LENGTH_16;
	put_be16(header + 2, (uint16_t)len);
	*header_len = 4;
}
