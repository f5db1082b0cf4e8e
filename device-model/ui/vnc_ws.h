/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The WebSocket protocol's server side (RFC 6455) for browsers that speak RFB inside it. Bytes in,
 * bytes out: it knows no sockets.
 */
#ifndef DM_UI_VNC_WS_H
#define DM_UI_VNC_WS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VNC_WS_RAW_BYTES 8192 /* also the longest HTTP request */
#define VNC_WS_REPLY	 512  /* bytes that vnc_ws_input() may have to say at once */
#define VNC_WS_HEADER	 4
#define VNC_WS_PAYLOAD	 65535 /* the most that one of our frames carries */

enum vnc_ws_state {
	VNC_WS_HTTP, /* waits for the request to upgrade */
	VNC_WS_OPEN,
	VNC_WS_CLOSED, /* send what is said, then close */
};

struct vnc_ws {
	enum vnc_ws_state state;
	uint8_t raw[VNC_WS_RAW_BYTES]; /* from the client, not yet looked at */
	size_t raw_len;
	uint64_t left; /* of the current frame's payload */
	uint8_t mask[4];
	unsigned int mask_at;
	bool fragmented;	     /* a message's last frame is still to come */
	uint8_t reply[VNC_WS_REPLY]; /* for the client, unframed: the caller takes it */
	size_t reply_len;
};

/*
 * Work through raw: payload goes to out. Returns its bytes. Stops when out or reply is full, or at
 * what is not complete yet; look at state and reply afterwards.
 */
size_t vnc_ws_input(struct vnc_ws *ws, uint8_t *out, size_t space);
/* The header of a binary frame of len bytes. */
void vnc_ws_header(uint8_t header[VNC_WS_HEADER], size_t len, size_t *header_len);

#endif
