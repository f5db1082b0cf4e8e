/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside the VNC server. Two threads:
 *
 *   main loop (vnc.c, vnc_conn.c, vnc_input.c)      library thread (vnc_rfb.c)
 *   sockets of the clients, never blocking          libvncserver, one screen
 *   parses and judges what clients send             encodes and sends
 *   keys and pointer go to the guest from here      sees only complete, checked messages
 *          |                                               |
 *          +---- one socket pair per client ("link") ------+
 *
 * A browser's connection has WebSocket frames around all this (vnc_ws.c), taken off and put on in
 * the main loop; so is TLS (vnc_tls.c), outside of everything.
 *
 * The main loop always drains a link into the client's own output buffer, so the library never
 * waits for a client, and hands it a complete message, so it never waits for the rest of one. The picture
 * goes through a staging copy under one mutex (vnc_rfb.c), held for copying only.
 */
#ifndef DM_UI_VNC_PRIV_H
#define DM_UI_VNC_PRIV_H

#include <pixman.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/timer.h"
#include "ui/keymap.h"

struct machine;
struct vnc_conn;
struct vnc_tls_creds;

#define VNC_MAX_CLIENTS	 32
#define VNC_PASSWORD_MAX 8 /* RFB 7.2.2 */

/* RFB message and encoding numbers (RFC 6143; the community's rfbproto for the negative ones). */
enum vnc_client_msg {
	VNC_SET_PIXEL_FORMAT = 0,
	VNC_SET_ENCODINGS = 2,
	VNC_UPDATE_REQUEST = 3,
	VNC_KEY_EVENT = 4,
	VNC_POINTER_EVENT = 5,
	VNC_CUT_TEXT = 6,
	VNC_SET_DESKTOP_SIZE = 251,
	VNC_QEMU = 255,
};
#define VNC_ENC_POINTER_MODE  (-257)
#define VNC_ENC_EXTENDED_KEYS (-258)

/* Shared by the main loop and the library thread; the last reference frees it. */
struct vnc_link {
	atomic_uint refs;
	atomic_bool normal;		     /* library: the handshake is over, the client is in */
	int fd;				     /* the library's end until it took it */
	bool auth;			     /* constant from here on: demand the password */
	char password[VNC_PASSWORD_MAX + 1]; /* empty: refuse */
	bool wants_pointer_mode;	     /* library thread only */
	int width, height;		     /* the size this client knows; library thread only */
	struct vnc_link *next;		     /* in the queue of new links, under its mutex */
};
void vnc_link_unref(struct vnc_link *l);

/* vnc_rfb.c. Main thread calls. on_normal runs in the library thread when a link becomes normal. */
int vnc_rfb_start(const char *desktop_name, bool auth, void (*on_normal)(void));
void vnc_rfb_add(struct vnc_link *l);
void vnc_rfb_resize(int width, int height);
/* Copy a rectangle of the surface to the staging copy; vnc_rfb_flush passes them on. */
void vnc_rfb_damage(pixman_image_t *surface, int x, int y, int width, int height);
void vnc_rfb_flush(void);
void vnc_rfb_pointer_mode(bool absolute);

/* vnc_input.c: what one client holds down. */
struct vnc_input {
	uint8_t down[0x101]; /* by input code */
	unsigned int buttons;
	int last_x, last_y; /* -1: none yet */
	bool relative;	    /* it understands the pointer mode rectangle */
};
void vnc_input_init(struct vnc_input *in);
void vnc_input_key(struct vnc_input *in, const struct keymap *map, uint32_t keysym, bool down);
void vnc_input_code(struct vnc_input *in, unsigned int code, bool down);
void vnc_input_pointer(struct vnc_input *in, unsigned int buttons, int x, int y, int width,
		       int height);
/* The client is gone: let go of everything. */
void vnc_input_release(struct vnc_input *in);

/* vnc.c: the server as connections see it. */
struct vnc_server {
	struct machine *m;
	int listen_fd, spare_fd;
	int ws_fd;		   /* listens for browsers, -1: no */
	struct vnc_tls_creds *tls; /* NULL: no TLS */
	bool auth;
	char password[VNC_PASSWORD_MAX + 1];
	struct keymap keymap;
	int width, height;
	struct vnc_conn *conns[VNC_MAX_CLIENTS];
	unsigned int nr_conns, nr_normal;
};
void vnc_server_client_normal(struct vnc_server *s);
void vnc_server_client_gone(struct vnc_server *s, struct vnc_conn *c, bool was_normal);
/* A client does something: refresh at full rate again. */
void vnc_server_activity(struct vnc_server *s);

/* vnc_conn.c. Takes fd; NULL when resources are short (fd is closed then). */
struct vnc_conn *vnc_conn_new(struct vnc_server *s, int fd, bool websocket);
/* Look whether the link became normal. */
void vnc_conn_poll(struct vnc_conn *c);
int vnc_conn_fd(const struct vnc_conn *c);
bool vnc_conn_is_normal(const struct vnc_conn *c);
bool vnc_conn_is_websocket(const struct vnc_conn *c);

#endif
