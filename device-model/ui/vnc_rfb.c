// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libvncserver, which does handshake, pixel formats, encodings and desktop size (RFC 6143); this file adds
 * the pointer mode and extended key pseudo-encodings. The library waits for the rest of a message and for
 * room to write, and the main loop may not. So each client is the other end of a socket pair to it, over
 * which it gets whole messages and says little; its updates go to a file in memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <rfb/rfb.h>
#include <rfb/rfbregion.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/input.h"
#include "core/log.h"
#include "core/util.h"
#include "ui/vnc_priv.h"

#define VERSION_LEN	   12
#define MSG_UPDATE_REQUEST 3
#define COUNT_UNKNOWN	   0xffffu /* rectangles of an update that ends with a LastRect */
#define MAX_WAIT_MS \
	1000 /* it never has to wait; were it wrong about a message, then not for long */
#define UPDATE_PIXELS (64 * 1024) /* encoded at a time, so that the guest never waits for long */

/* The community's rfbproto. */
#define ENC_POINTER_MODE  (-257)
#define ENC_EXTENDED_KEYS (-258)

static void library_log(const char *format, ...)
{
	char line[256];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	line[strcspn(line, "\n")] = 0;
	log_trace(TRACE_VNC, "vnc: %s", line);
}

/* ---- the library's hooks ---- */

/* An update of one rectangle without pixels, which acknowledges or announces something. */
static void send_pseudo_rect(struct vnc_conn *c, int x, int32_t encoding)
{
	uint8_t msg[16] = { 0 }; /* type FramebufferUpdate */

	put_be16(msg + 2, 1);
	put_be16(msg + 4, (uint16_t)x);
	put_be16(msg + 8, (uint16_t)c->server->screen->width);
	put_be16(msg + 10, (uint16_t)c->server->screen->height);
	put_be32(msg + 12, (uint32_t)encoding);
	vnc_conn_send(c, msg, sizeof(msg));
}

static rfbBool extension_new_client(rfbClientPtr cl, void **data)
{
	*data = NULL;
	return TRUE;
}

/* ClientInit was processed: from now on the client's input counts. */
static rfbBool extension_init(rfbClientPtr cl, void *data)
{
	struct vnc_conn *c = cl->clientData;

	c->width = cl->screen->width;
	c->height = cl->screen->height;
	c->phase = PHASE_NORMAL;
	return TRUE;
}

static rfbBool extension_encoding(rfbClientPtr cl, void **data, int encoding)
{
	struct vnc_conn *c = cl->clientData;

	switch (encoding) {
	case ENC_POINTER_MODE:
		c->input.relative = true;
		vnc_rfb_pointer_mode(c);
		return TRUE;
	case ENC_EXTENDED_KEYS:
		send_pseudo_rect(c, 0, ENC_EXTENDED_KEYS);
		return TRUE;
	default:
		return FALSE;
	}
}

static int extension_encodings[] = { ENC_POINTER_MODE, ENC_EXTENDED_KEYS, 0 };

static void client_gone(rfbClientPtr cl)
{
	rfbExtensionData *e;

	/* The library (0.9.14) forgets these. */
	while ((e = cl->extensions)) {
		cl->extensions = e->next;
		free(e);
	}
}

/* VNC authentication (RFC 6143, 7.2.2) against the password as it was when the client came. */
static rfbBool check_password(rfbClientPtr cl, const char *response, int len)
{
	const struct vnc_conn *c = cl->clientData;
	unsigned char expected[CHALLENGESIZE];
	char password[VNC_PASSWORD_MAX + 1];
	unsigned char differ = 0;
	int i;

	if (!c->password[0] || len != CHALLENGESIZE)
		return FALSE;
	memcpy(expected, cl->authChallenge, sizeof(expected));
	memcpy(password, c->password, sizeof(password));
	rfbEncryptBytes(expected, password);
	for (i = 0; i < CHALLENGESIZE; i++)
		differ |= expected[i] ^ (unsigned char)response[i];
	return !differ;
}

/* x8r8g8b8. The library falls back to its own order with each new frame buffer. */
static void set_format(rfbScreenInfoPtr s)
{
	s->serverFormat.redShift = 16;
	s->serverFormat.greenShift = 8;
	s->serverFormat.blueShift = 0;
}

static rfbBool set_translate(rfbClientPtr cl)
{
	set_format(cl->screen);
	return rfbSetTranslateFunction(cl);
}

static int refuse_resize(int width, int height, int screens, rfbExtDesktopScreen *list,
			 rfbClientPtr cl)
{
	return rfbExtDesktopSize_ResizeProhibited;
}

/* ---- messages ---- */

/* Let the library read what is there, and give the client what it says to that, unless mute. */
static void process(struct vnc_conn *c, bool mute)
{
	uint8_t answer[4096];
	ssize_t n;

	rfbProcessClientMessage(c->rfb);
	while ((n = recv(c->rfb_fd, answer, sizeof(answer), MSG_DONTWAIT)) > 0)
		if (!mute)
			vnc_conn_send(c, answer, (size_t)n);
}

bool vnc_rfb_open(struct vnc_conn *c, int minor, bool mute)
{
	char version[VERSION_LEN + 1];
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds))
		return false;
	c->rfb_fd = fds[0];
	snprintf(version, sizeof(version), "RFB 003.%03d\n", minor);
	/* It looks at once whether a browser is behind the socket, and greets. */
	if (send(c->rfb_fd, version, VERSION_LEN, MSG_NOSIGNAL) == VERSION_LEN)
		c->rfb = rfbNewClient(c->server->screen, fds[1]);
	else
		close(fds[1]);
	if (!c->rfb || recv(c->rfb_fd, version, VERSION_LEN, MSG_DONTWAIT) != VERSION_LEN)
		return false;
	c->rfb->clientData = c;
	c->rfb->clientGoneHook = client_gone;
	process(c, mute);
	return !vnc_rfb_closed(c);
}

bool vnc_rfb_closed(const struct vnc_conn *c)
{
	return c->rfb && c->rfb->sock == RFB_INVALID_SOCKET;
}

void vnc_rfb_free(struct vnc_conn *c)
{
	if (c->rfb)
		rfbClientConnectionGone(c->rfb);
	if (c->rfb_fd >= 0)
		close(c->rfb_fd);
}

/* ---- updates ---- */

/* Let the library write to the memory file, which takes all of it at once, and append that to out. */
static void encode(struct vnc_conn *c, struct vnc_outbuf *out)
{
	rfbClientPtr cl = c->rfb;
	int file = c->server->update_fd, own = cl->sock;
	off_t len;

	cl->sock = fcntl(file, F_DUPFD_CLOEXEC, 0);
	if (cl->sock < 0) {
		cl->sock = own;
		return;
	}
	rfbUpdateClient(cl);
	if (cl->sock < 0) {
		close(own);
	} else {
		close(cl->sock);
		cl->sock = own;
	}
	len = lseek(file, 0, SEEK_CUR);
	if (len > 0 && pread(file, vnc_reserve(out, (size_t)len), (size_t)len, 0) == len)
		out->len += (size_t)len;
	if (lseek(file, 0, SEEK_SET) || ftruncate(file, 0))
		log_error("vnc: %s", strerror(errno));
}

/*
 * An update is encoded in bands but sent as one message: many programs take the first for the whole picture.
 * What was gathered goes out; the rest, if there is one, becomes another message.
 */
static void update_finish(struct vnc_conn *c)
{
	static const uint8_t last_rect[12] = { [8] = 0xff, 0xff, 0xff, 0x20 };
	uint8_t head[4] = { 0 }; /* type FramebufferUpdate */

	if (!vnc_pending(&c->update))
		return;
	put_be16(head + 2, c->update_rects);
	vnc_conn_send(c, head, sizeof(head));
	vnc_conn_send(c, c->update.data, c->update.len);
	if (c->update_rects == COUNT_UNKNOWN)
		vnc_conn_send(c, last_rect, sizeof(last_rect));
	free(c->update.data);
	c->update = (struct vnc_outbuf){ 0 };
	c->update_rects = 0;
}

bool vnc_rfb_feed(struct vnc_conn *c, const void *message, size_t len)
{
	/* Formats and encodings change behind what was encoded already. */
	if (c->phase == PHASE_NORMAL && *(const uint8_t *)message != MSG_UPDATE_REQUEST)
		update_finish(c);
	if (vnc_rfb_closed(c) || send(c->rfb_fd, message, len, MSG_NOSIGNAL) != (ssize_t)len)
		return false;
	process(c, false);
	return !vnc_rfb_closed(c);
}

/*
 * The library tells clients about a new size only when they understood that at the time of the
 * change; one that had not sent its encodings yet would never learn it.
 */
static void announce_size(struct vnc_conn *c)
{
	rfbClientPtr cl = c->rfb;

	if (!cl->useNewFBSize || (c->width == cl->screen->width && c->height == cl->screen->height))
		return;
	c->width = cl->screen->width;
	c->height = cl->screen->height;
	cl->newFBSizePending = TRUE;
}

static sraRegionPtr without(const sraRegion *r, const sraRegion *part)
{
	sraRegionPtr rest = sraRgnCreateRgn(r);

	sraRgnSubtract(rest, part);
	return rest;
}

/* Add what is due, and the band allows, to the update that is being gathered. */
static void update_gather(struct vnc_conn *c)
{
	struct vnc_outbuf *u = &c->update;
	size_t before = u->len;
	unsigned int rects;

	encode(c, u);
	if (u->len < before + 4)
		return;
	rects = get_be16(u->data + before + 2);
	u->len -= 4;
	memmove(u->data + before, u->data + before + 4, u->len - before);
	if (rects == COUNT_UNKNOWN) /* it ends with a LastRect */
		u->len -= 12;
	c->update_rects = (uint16_t)MIN(c->update_rects + rects, COUNT_UNKNOWN);
}

/* Encode from line top on. True: there is more. */
static bool update_band(struct vnc_conn *c, int top)
{
	rfbClientPtr cl = c->rfb;
	int width = cl->screen->width;
	sraRegionPtr band = sraRgnCreateRect(0, top, width, top + MAX(UPDATE_PIXELS / width, 1));
	sraRegionPtr changed = without(cl->modifiedRegion, band);
	sraRegionPtr wanted = without(cl->requestedRegion, band), due = sraRgnCreateRgn(changed);
	bool more = sraRgnAnd(due, wanted);

	sraRgnAnd(cl->modifiedRegion, band);
	update_gather(c);
	sraRgnOr(cl->modifiedRegion, changed);
	if (more)
		sraRgnOr(cl->requestedRegion, wanted);
	sraRgnDestroy(band);
	sraRgnDestroy(changed);
	sraRgnDestroy(wanted);
	sraRgnDestroy(due);
	return more;
}

void vnc_rfb_update(struct vnc_conn *c)
{
	rfbClientPtr cl = c->rfb;
	sraRegionPtr due;
	bool more = false;
	sraRect first;

	if (sraRgnEmpty(cl->requestedRegion))
		return;
	announce_size(c);
	due = sraRgnCreateRgn(cl->modifiedRegion);
	sraRgnAnd(due, cl->requestedRegion);
	if (cl->newFBSizePending || !sraRgnPopRect(due, &first, 0))
		update_gather(c);
	else
		more = update_band(c, first.y1);
	sraRgnDestroy(due);
	if (more)
		dm_timer_set_ns(&c->more, clock_host_ns());
	else
		update_finish(c);
}

void vnc_rfb_resize(struct vnc_server *s, pixman_image_t *surface, int width, int height)
{
	unsigned int i;

	for (i = 0; i < s->nr_conns; i++)
		update_finish(s->conns[i]);
	rfbNewFramebuffer(s->screen, (char *)pixman_image_get_data(surface), width, height, 8, 3,
			  4);
	set_format(s->screen);
}

void vnc_rfb_damage(struct vnc_server *s, int x, int y, int width, int height)
{
	rfbMarkRectAsModified(s->screen, x, y, x + width, y + height);
}

void vnc_rfb_pointer_mode(struct vnc_conn *c)
{
	if (c->input.relative)
		send_pseudo_rect(c, input_is_absolute(&c->server->m->input), ENC_POINTER_MODE);
}

/* ---- start ---- */

/*
 * libgcrypt, which the library never initializes, does that at its first use and complains to
 * syslog: have it over before the filter of system calls is on.
 */
static void warm_up_encryption(void)
{
	unsigned char challenge[CHALLENGESIZE] = { 0 };
	char password[VNC_PASSWORD_MAX + 1] = "";

	rfbEncryptBytes(challenge, password);
}

/* The library's list of extensions is the process's. */
static void extension_register(void)
{
	static rfbProtocolExtension extension = {
		.newClient = extension_new_client,
		.init = extension_init,
		.pseudoEncodings = extension_encodings,
		.enablePseudoEncoding = extension_encoding,
	};

	rfbUnregisterProtocolExtension(&extension);
	rfbRegisterProtocolExtension(&extension);
}

int vnc_rfb_start(struct vnc_server *s, const char *desktop_name)
{
	rfbScreenInfoPtr screen;

	rfbLog = rfbErr = library_log;
	s->update_fd = memfd_create("vnc", MFD_CLOEXEC);
	if (s->update_fd < 0)
		return -errno;
	screen = rfbGetScreen(NULL, NULL, s->m->display.width, s->m->display.height, 8, 3, 4);
	if (!screen)
		return -ENOMEM;
	screen->setTranslateFunction = set_translate;
	screen->desktopName = xstrdup(desktop_name);
	screen->port = screen->ipv6port = screen->httpPort = screen->http6Port = 0;
	screen->cursor = NULL;
	screen->alwaysShared = !s->exclusive;
	screen->deferUpdateTime = 0;
	screen->maxClientWait = MAX_WAIT_MS;
	screen->permitFileTransfer = FALSE;
	screen->setDesktopSizeHook = refuse_resize;
	if (s->auth) {
		warm_up_encryption();
		screen->authPasswdData = s; /* only its presence matters */
		screen->passwordCheck = check_password;
	}
	extension_register();
	rfbInitServer(screen);
	s->screen = screen;
	return 0;
}
