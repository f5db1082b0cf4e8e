/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VNC server as the monitor sees it. Main loop's thread only. There is at most one server; all
 * functions also work (and say "disabled") when the options asked for none.
 */
#ifndef DM_UI_VNC_H
#define DM_UI_VNC_H

#include <stdbool.h>
#include <stddef.h>

struct machine;

struct vnc_info {
	bool enabled;
	char host[64];	    /* numeric address it listens on */
	char service[8];    /* TCP port in decimal */
	const char *family; /* "ipv4" or "ipv6" */
	const char *auth;   /* "none", "vnc" or "vencrypt" (TLS) */
	size_t nr_clients;
};

struct vnc_client_info {
	char host[64], service[8];
	const char *family;
	bool shown; /* past the handshake */
	bool websocket;
};

/* query-vnc. */
void vnc_query(struct machine *m, struct vnc_info *info);
/* Client i of vnc_info.nr_clients; false when there is no such client. */
bool vnc_query_client(struct machine *m, size_t i, struct vnc_client_info *info);

/*
 * change-vnc-password. Only the first 8 bytes count (RFB 7.2.2). An empty password refuses
 * everyone. 0; -ENODEV without a server; -EINVAL when the server was started without password=on.
 */
int vnc_set_password(struct machine *m, const char *password);

#endif
