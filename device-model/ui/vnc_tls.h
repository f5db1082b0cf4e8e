/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TLS of VNC connections, by GnuTLS: certificates (x509) or none at all (anonymous: no eavesdropper can
 * listen, but anybody can be in the middle). It reads and writes a connection's socket without ever
 * blocking. Main loop's thread only.
 */
#ifndef DM_UI_VNC_TLS_H
#define DM_UI_VNC_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct opt_tls;
struct vnc_tls_creds;
struct vnc_tls;

/* Read certificates and keys; they are not looked at again. NULL after saying why. */
struct vnc_tls_creds *vnc_tls_load(const struct opt_tls *o);
bool vnc_tls_is_x509(const struct vnc_tls_creds *creds);

/* The server's side on socket fd; `early` are bytes of the client that were read already (copied). */
struct vnc_tls *vnc_tls_new(const struct vnc_tls_creds *creds, int fd, const uint8_t *early,
			    size_t early_len);
/* NULL is allowed. The socket stays open. */
void vnc_tls_free(struct vnc_tls *t);
/* 1: done; 0: again when the socket is ready; -1: it failed. */
int vnc_tls_handshake(struct vnc_tls *t);
bool vnc_tls_wants_write(const struct vnc_tls *t);
/* Bytes; 0 at the end; -EAGAIN; -EIO when the connection is broken. After the handshake only. */
ssize_t vnc_tls_recv(struct vnc_tls *t, void *buf, size_t size);
/* Bytes taken; after -EAGAIN the next call has to begin with the same bytes. -EIO as above. */
ssize_t vnc_tls_send(struct vnc_tls *t, const void *buf, size_t len);
/* Decrypted bytes wait that the socket does not show. */
bool vnc_tls_pending(const struct vnc_tls *t);

#endif
