/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One VNC connection, shared by vnc_conn.c (sockets), vnc_handshake.c and vnc_messages.c (what
 * follows).
 */
#ifndef DM_UI_VNC_CONN_H
#define DM_UI_VNC_CONN_H

#include <sys/types.h>

#include "core/loop.h"
#include "ui/vnc_priv.h"
#include "ui/vnc_tls.h"
#include "ui/vnc_ws.h"

#define VNC_IN_BYTES 8192 /* more than the longest message */

#define VNC_GREETING "RFB 003.008\n"

enum vnc_phase {
	PHASE_VERSION,
	PHASE_SECURITY,
	PHASE_VENCRYPT_VERSION,
	PHASE_VENCRYPT_TYPE,
	PHASE_TLS,
	PHASE_AUTH,
	PHASE_INIT,
	PHASE_WAIT,
	PHASE_NORMAL,
};

/* Bytes on their way out: data[start .. len). */
struct vnc_outbuf {
	uint8_t *data;
	size_t start, len, capacity;
};

struct update_request {
	bool held, incremental;
	uint32_t x1, y1, x2, y2;
};

struct vnc_conn {
	struct vnc_server *server;
	int fd;	     /* the client */
	int link_fd; /* our end of the link, -1 before the version is known or when it ended */
	struct vnc_link *link;
	enum vnc_phase phase;
	bool dead;     /* freed by the deferred call */
	bool draining; /* the library hung up: send the rest, then close */
	uint8_t in[VNC_IN_BYTES];
	size_t in_len;
	uint32_t skip;	/* bytes of a message that nobody wants */
	size_t swallow; /* bytes of the library's own greeting still to drop */
	struct vnc_outbuf to_client, to_library;
	struct vnc_tls *tls;		     /* NULL: plain, or not yet */
	bool tls_up;			     /* its handshake is over */
	struct vnc_ws *ws;		     /* NULL: plain RFB */
	struct vnc_outbuf ws_out;	     /* WebSocket's own bytes, and to_client in frames */
	uint32_t client_events, link_events; /* as now watched */
	struct update_request held;
	struct vnc_input input;
	struct dm_timer timeout;
	struct loop_call free_call;
};

static inline size_t vnc_pending(const struct vnc_outbuf *b)
{
	return b->len - b->start;
}

/* vnc_conn.c: queue bytes. */
void vnc_append(struct vnc_outbuf *b, const void *data, size_t len);
/* Send what the library's end takes. False when it is gone. */
bool vnc_conn_flush_library(struct vnc_conn *c);
void vnc_conn_link_ready(void *opaque, uint32_t events);
/* All further bytes go through TLS; `early` came from the client already. False: it cannot be. */
bool vnc_conn_start_tls(struct vnc_conn *c, const uint8_t *early, size_t early_len);

/* vnc_handshake.c: the same as vnc_message() before the connection is normal. */
ssize_t vnc_handshake(struct vnc_conn *c);
void vnc_handshake_tls_done(struct vnc_conn *c);

/*
 * vnc_messages.c: look at the message at the start of c->in. The bytes used, 0 when it is not
 * complete, or -1 to end the connection.
 */
ssize_t vnc_message(struct vnc_conn *c);
/* Pass an update request on if one waits and the client has read enough. */
void vnc_release_update(struct vnc_conn *c);

#endif
