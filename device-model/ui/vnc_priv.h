/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside the VNC server. All of it runs in the main loop, and no part ever waits for a client:
 *
 *   vnc.c           options, listening sockets, the display
 *   vnc_conn.c      a client's socket, plain, with TLS (vnc_tls.c), in WebSocket frames (vnc_ws.c), or both
 *   vnc_messages.c  where a message ends and whether it is fit for the library; keys and pointer (vnc_input.c)
 *   vnc_rfb.c       libvncserver: handshake, pixel formats, encodings, straight from the display's surface
 */
#ifndef DM_UI_VNC_PRIV_H
#define DM_UI_VNC_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/display.h"
#include "core/loop.h"
#include "core/machine.h"
#include "core/timer.h"
#include "ui/keymap.h"

struct _rfbClientRec;
struct _rfbScreenInfo;
struct vnc_tls;
struct vnc_tls_creds;
struct vnc_ws;

#define VNC_MAX_CLIENTS	 32
#define VNC_PASSWORD_MAX 8    /* RFB 7.2.2 */
#define VNC_IN_BYTES	 8192 /* more than the longest message */
#define VNC_GREETING	 "RFB 003.008\n"

enum vnc_phase {
	PHASE_VERSION,
	PHASE_SECURITY,
	PHASE_VENCRYPT_VERSION,
	PHASE_VENCRYPT_TYPE,
	PHASE_TLS,
	PHASE_AUTH,
	PHASE_INIT,
	PHASE_NORMAL,
};

/* What one client holds down. */
struct vnc_input {
	struct input *to;
	uint8_t down[0x101]; /* by input code */
	unsigned int buttons;
	int last_x, last_y; /* -1: none yet */
	bool relative;	    /* it understands the pointer mode rectangle */
};

/* Bytes on their way out: data[start .. len). */
struct vnc_outbuf {
	uint8_t *data;
	size_t start, len, capacity;
};

struct vnc_conn {
	struct vnc_server *server;
	int fd;
	struct _rfbClientRec *rfb; /* the library's side, from the client's version on */
	int rfb_fd;		   /* our end of its socket, -1: none yet */
	enum vnc_phase phase;
	bool dead;     /* freed by the deferred call */
	bool draining; /* send the rest, then close */
	bool greeted;
	char password[VNC_PASSWORD_MAX + 1]; /* as it was when the client came; empty: refuse */
	uint8_t in[VNC_IN_BYTES];
	size_t in_len;
	bool held;     /* a key at the start of `in` waits for the guest, and all behind it */
	uint32_t skip; /* bytes of a message that nobody wants */
	struct vnc_outbuf out;
	struct vnc_outbuf update; /* rectangles of the update that is being made */
	uint16_t update_rects;
	struct vnc_tls *tls; /* NULL: plain, or not yet */
	bool tls_up;	     /* its handshake is over */
	struct vnc_ws *ws;   /* NULL: plain RFB */
	uint32_t events;     /* as now watched */
	int width, height;   /* the size this client knows */
	struct vnc_input input;
	struct dm_timer timeout; /* of the handshake */
	struct dm_timer more;	 /* the rest of an update */
	struct dm_timer again;	 /* a look at what is held */
	struct loop_call free_call;
};

struct vnc_server {
	struct machine *m;
	int listen_fd, spare_fd;
	int ws_fd;		   /* listens for browsers, -1: no */
	struct vnc_tls_creds *tls; /* NULL: no TLS */
	bool auth;
	bool exclusive; /* a client that does not want to share displaces the others (RFC 6143, 7.3.1) */
	char password[VNC_PASSWORD_MAX + 1];
	struct keymap keymap;
	struct _rfbScreenInfo *screen;
	int update_fd; /* what the library writes updates to */
	struct vnc_conn *conns[VNC_MAX_CLIENTS];
	unsigned int nr_conns;
	struct display_listener listener;
	unsigned int idle_refreshes;
	bool damaged;
};

/* vnc.c. Clients come, go, and do something: the display is refreshed as fast as that needs. */
void vnc_server_client_normal(struct vnc_server *s);
void vnc_server_client_gone(struct vnc_server *s, struct vnc_conn *c);
void vnc_server_activity(struct vnc_server *s);

/* vnc_conn.c. Takes fd; NULL when resources are short (fd is closed then). */
struct vnc_conn *vnc_conn_new(struct vnc_server *s, int fd, bool websocket);
/* Room for len bytes at the end of a buffer; the caller raises b->len. */
uint8_t *vnc_reserve(struct vnc_outbuf *b, size_t len);
/* Queue bytes for the client. */
void vnc_conn_send(struct vnc_conn *c, const void *data, size_t len);
/* Send what is due, and end the connection if the library did so. */
void vnc_conn_settle(struct vnc_conn *c);
/* All further bytes go through TLS; `early` came from the client already. False: it cannot be. */
bool vnc_conn_start_tls(struct vnc_conn *c, const uint8_t *early, size_t early_len);

/*
 * vnc_messages.c: look at the message at the start of c->in. The bytes used, 0 when it is not
 * complete or is held, or -1 to end the connection.
 */
ssize_t vnc_message(struct vnc_conn *c);
void vnc_message_tls_done(struct vnc_conn *c);

/* vnc_rfb.c. 0 or -errno. */
int vnc_rfb_start(struct vnc_server *s, const char *desktop_name);
/* The client's version is 3.minor; what the library answers is sent unless mute. False: it cannot be. */
bool vnc_rfb_open(struct vnc_conn *c, int minor, bool mute);
/* A whole step of the handshake or a whole message. False: the library ends the connection. */
bool vnc_rfb_feed(struct vnc_conn *c, const void *message, size_t len);
/* Send what the client asked for and has not got; c->more is armed when that is not all. */
void vnc_rfb_update(struct vnc_conn *c);
bool vnc_rfb_closed(const struct vnc_conn *c);
void vnc_rfb_free(struct vnc_conn *c);
/* The surface is another one, or changed in a rectangle. */
void vnc_rfb_resize(struct vnc_server *s, pixman_image_t *surface, int width, int height);
void vnc_rfb_damage(struct vnc_server *s, int x, int y, int width, int height);
void vnc_rfb_pointer_mode(struct vnc_conn *c);

/* vnc_input.c */
void vnc_input_init(struct vnc_input *in, struct input *to);
void vnc_input_key(struct vnc_input *in, const struct keymap *map, uint32_t keysym, bool down);
void vnc_input_code(struct vnc_input *in, unsigned int code, bool down);
void vnc_input_pointer(struct vnc_input *in, unsigned int buttons, int x, int y, int width,
		       int height);
/* The client is gone: let go of everything. */
void vnc_input_release(struct vnc_input *in);

static inline size_t vnc_pending(const struct vnc_outbuf *b)
{
	return b->len - b->start;
}

#endif
