/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GnuTLS for VNC connections. See vnc_tls.h. */
#include "ui/vnc_tls.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/log.h"
#include "core/options.h"
#include "core/util.h"

#define MAX_RECORD 16384u
#define PRIORITY   "NORMAL:-VERS-TLS1.0:-VERS-TLS1.1"
/* Without certificates there is no TLS 1.3 (RFC 8446). */
#define PRIORITY_ANON PRIORITY ":-VERS-TLS1.3:-KX-ALL:+ANON-ECDH:+ANON-DH"

struct vnc_tls_creds {
	bool x509, verify_peer;
	const char *priority; /* the options', or NULL */
	gnutls_certificate_credentials_t cert;
	gnutls_anon_server_credentials_t anon;
};

struct vnc_tls {
	gnutls_session_t session;
	int fd;
	uint8_t *early;
	size_t early_at, early_len;
	bool sending; /* GnuTLS has bytes of an unfinished vnc_tls_send() */
};

static int check_files(const struct opt_tls *o, char **ca, char **cert, char **key, char **crl)
{
	*ca = xasprintf("%s/ca-cert.pem", o->dir);
	*cert = xasprintf("%s/server-cert.pem", o->dir);
	*key = xasprintf("%s/server-key.pem", o->dir);
	*crl = xasprintf("%s/ca-crl.pem", o->dir);
	if (access(*cert, R_OK) || access(*key, R_OK)) {
		log_error("vnc: TLS needs server-cert.pem and server-key.pem in %s: %s", o->dir,
			  strerror(errno));
		return -1;
	}
	if (o->verify_peer && access(*ca, R_OK)) {
		log_error(
			"vnc: TLS needs ca-cert.pem in %s to verify clients (verify-peer=off does "
			"without)",
			o->dir);
		return -1;
	}
	return 0;
}

static int load_x509(struct vnc_tls_creds *c, const struct opt_tls *o)
{
	char *ca, *cert, *key, *crl;
	int rc = check_files(o, &ca, &cert, &key, &crl);

	if (!rc)
		rc = gnutls_certificate_allocate_credentials(&c->cert);
	if (!rc)
		rc = gnutls_certificate_set_x509_key_file2(c->cert, cert, key, GNUTLS_X509_FMT_PEM,
							   NULL, 0);
	if (!rc && o->verify_peer)
		rc = gnutls_certificate_set_x509_trust_file(c->cert, ca, GNUTLS_X509_FMT_PEM) > 0
			     ? 0
			     : -1;
	if (!rc && o->verify_peer && !access(crl, R_OK))
		rc = gnutls_certificate_set_x509_crl_file(c->cert, crl, GNUTLS_X509_FMT_PEM) >= 0
			     ? 0
			     : -1;
	if (!rc)
		rc = gnutls_certificate_set_known_dh_params(c->cert, GNUTLS_SEC_PARAM_MEDIUM);
	if (rc)
		log_error("vnc: TLS credentials in %s cannot be used: %s", o->dir,
			  gnutls_strerror(rc));
	free(ca);
	free(cert);
	free(key);
	free(crl);
	return rc;
}

static int load_anon(struct vnc_tls_creds *c)
{
	int rc = gnutls_anon_allocate_server_credentials(&c->anon);

	if (!rc)
		rc = gnutls_anon_set_server_known_dh_params(c->anon, GNUTLS_SEC_PARAM_MEDIUM);
	if (rc)
		log_error("vnc: anonymous TLS: %s", gnutls_strerror(rc));
	return rc;
}

struct vnc_tls_creds *vnc_tls_load(const struct opt_tls *o)
{
	struct vnc_tls_creds *c = xzalloc(sizeof(*c));

	c->x509 = o->x509;
	c->verify_peer = o->verify_peer;
	c->priority = o->priority;
	if (o->x509 ? load_x509(c, o) : load_anon(c)) {
		if (c->cert)
			gnutls_certificate_free_credentials(c->cert);
		free(c);
		return NULL;
	}
	return c;
}

bool vnc_tls_is_x509(const struct vnc_tls_creds *creds)
{
	return creds->x509;
}

static ssize_t pull(gnutls_transport_ptr_t opaque, void *buf, size_t size)
{
	struct vnc_tls *t = opaque;
	size_t n = MIN(size, t->early_len - t->early_at);
	ssize_t got;

	if (n) {
		memcpy(buf, t->early + t->early_at, n);
		t->early_at += n;
		return (ssize_t)n;
	}
	got = recv(t->fd, buf, size, MSG_DONTWAIT);
	if (got < 0)
		gnutls_transport_set_errno(t->session, errno);
	return got;
}

static ssize_t push(gnutls_transport_ptr_t opaque, const void *buf, size_t len)
{
	struct vnc_tls *t = opaque;
	ssize_t n = send(t->fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0)
		gnutls_transport_set_errno(t->session, errno);
	return n;
}

static int set_up(struct vnc_tls *t, const struct vnc_tls_creds *c)
{
	const char *priority = c->priority ? c->priority : c->x509 ? PRIORITY : PRIORITY_ANON;
	int rc = gnutls_priority_set_direct(t->session, priority, NULL);

	if (!rc)
		rc = c->x509 ? gnutls_credentials_set(t->session, GNUTLS_CRD_CERTIFICATE, c->cert)
			     : gnutls_credentials_set(t->session, GNUTLS_CRD_ANON, c->anon);
	if (rc)
		return rc;
	if (c->x509 && c->verify_peer) {
		gnutls_certificate_server_set_request(t->session, GNUTLS_CERT_REQUIRE);
		/* Part of the handshake: a client without a good certificate never gets past it. */
		gnutls_session_set_verify_cert(t->session, NULL, 0);
	}
	gnutls_transport_set_ptr(t->session, t);
	gnutls_transport_set_pull_function(t->session, pull);
	gnutls_transport_set_push_function(t->session, push);
	return 0;
}

struct vnc_tls *vnc_tls_new(const struct vnc_tls_creds *creds, int fd, const uint8_t *early,
			    size_t early_len)
{
	struct vnc_tls *t = xzalloc(sizeof(*t));
	int rc = gnutls_init(&t->session, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);

	t->fd = fd;
	if (!rc)
		rc = set_up(t, creds);
	if (rc) {
		log_guest("vnc: TLS: %s", gnutls_strerror(rc));
		vnc_tls_free(t);
		return NULL;
	}
	t->early = xzalloc(early_len + 1);
	if (early_len)
		memcpy(t->early, early, early_len);
	t->early_len = early_len;
	return t;
}

void vnc_tls_free(struct vnc_tls *t)
{
	if (!t)
		return;
	if (t->session)
		gnutls_deinit(t->session);
	free(t->early);
	free(t);
}

int vnc_tls_handshake(struct vnc_tls *t)
{
	int rc;

	do
		rc = gnutls_handshake(t->session);
	while (rc == GNUTLS_E_INTERRUPTED || rc == GNUTLS_E_WARNING_ALERT_RECEIVED);
	if (rc == GNUTLS_E_AGAIN)
		return 0;
	if (!rc)
		return 1;
	log_trace(TRACE_VNC, "vnc: TLS: %s", gnutls_strerror(rc));
	gnutls_alert_send_appropriate(t->session, rc);
	return -1;
}

bool vnc_tls_wants_write(const struct vnc_tls *t)
{
	return gnutls_record_get_direction(t->session);
}

ssize_t vnc_tls_recv(struct vnc_tls *t, void *buf, size_t size)
{
	ssize_t n;

	do
		n = gnutls_record_recv(t->session, buf, size);
	while (n == GNUTLS_E_INTERRUPTED || n == GNUTLS_E_WARNING_ALERT_RECEIVED);
	if (n >= 0)
		return n;
	return n == GNUTLS_E_AGAIN ? -EAGAIN : n == GNUTLS_E_PREMATURE_TERMINATION ? 0 : -EIO;
}

ssize_t vnc_tls_send(struct vnc_tls *t, const void *buf, size_t len)
{
	ssize_t n;

	do
		n = t->sending ? gnutls_record_send(t->session, NULL, 0)
			       : gnutls_record_send(t->session, buf, MIN(len, MAX_RECORD));
	while (n == GNUTLS_E_INTERRUPTED);
	t->sending = n == GNUTLS_E_AGAIN;
	return n >= 0 ? n : t->sending ? -EAGAIN : -EIO;
}

bool vnc_tls_pending(const struct vnc_tls *t)
{
	return gnutls_record_check_pending(t->session) || t->early_at < t->early_len;
}
