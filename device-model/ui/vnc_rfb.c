// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The thread that runs libvncserver. It owns the screen, its clients and its frame buffer; the main
 * loop leaves work for it under rfb.lock and wakes it through an event file. Protocol: RFC 6143;
 * the
 * library does handshake, pixel formats, encodings and desktop size, this file adds the pointer
 * mode and extended key pseudo-encodings.
 *
 * Locking: `lock` guards the fields marked (l). It is held for copying pixels and queue operations,
 * never across anything that sends, receives or encodes. Everything else in struct rfb belongs to
 * the library thread.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <rfb/rfb.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/log.h"
#include "core/util.h"
#include "ui/vnc_priv.h"

#define MAX_RECTS	 32
#define IDLE_TIMEOUT_MS	 1000
#define WRITE_TIMEOUT_MS 5000 /* the main loop drains links at once: only its death takes longer */

struct rect {
	int x1, y1, x2, y2; /* right and bottom exclusive */
};

struct staging {
	uint32_t *pixels;
	int width, height;
	struct rect rects[MAX_RECTS];
	unsigned int nr_rects;
};

static struct rfb {
	pthread_mutex_t lock;
	struct staging stage;	     /* (l) */
	bool resized;		     /* (l) */
	bool absolute, mode_changed; /* (l) */
	struct vnc_link *new_links;  /* (l) */
	int wake_fd;		     /* constant */
	void (*on_normal)(void);     /* constant */
	rfbScreenInfoPtr screen;
	bool absolute_now;	   /* the library thread's copy */
	struct vnc_link *starting; /* argument of new_client, which the library calls inside */
} rfb = { .lock = PTHREAD_MUTEX_INITIALIZER, .wake_fd = -1, .absolute_now = false };

void vnc_link_unref(struct vnc_link *l)
{
	if (atomic_fetch_sub(&l->refs, 1) != 1)
		return;
	if (l->fd >= 0)
		close(l->fd);
	free(l);
}

static void wake(void)
{
	uint64_t one = 1;

	if (write(rfb.wake_fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		log_error("vnc: event file: %s", strerror(errno));
}

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

/* ---- called by the main loop ---- */

void vnc_rfb_add(struct vnc_link *l)
{
	atomic_fetch_add(&l->refs, 1);
	pthread_mutex_lock(&rfb.lock);
	l->next = rfb.new_links;
	rfb.new_links = l;
	pthread_mutex_unlock(&rfb.lock);
	wake();
}

static void add_rect(struct staging *s, struct rect r)
{
	struct rect *last;

	if (s->nr_rects < MAX_RECTS) {
		s->rects[s->nr_rects++] = r;
		return;
	}
	last = &s->rects[MAX_RECTS - 1];
	last->x1 = MIN(last->x1, r.x1);
	last->y1 = MIN(last->y1, r.y1);
	last->x2 = MAX(last->x2, r.x2);
	last->y2 = MAX(last->y2, r.y2);
}

void vnc_rfb_resize(int width, int height)
{
	struct staging *s = &rfb.stage;

	pthread_mutex_lock(&rfb.lock);
	free(s->pixels);
	s->pixels = xzalloc((size_t)width * (size_t)height * sizeof(*s->pixels));
	s->width = width;
	s->height = height;
	s->nr_rects = 0;
	add_rect(s, (struct rect){ 0, 0, width, height });
	rfb.resized = true;
	pthread_mutex_unlock(&rfb.lock);
	if (rfb.wake_fd >= 0)
		wake();
}

void vnc_rfb_damage(pixman_image_t *surface, int x, int y, int width, int height)
{
	const uint32_t *src = pixman_image_get_data(surface);
	size_t stride = (size_t)pixman_image_get_stride(surface) / sizeof(*src);
	struct staging *s = &rfb.stage;
	int line;

	pthread_mutex_lock(&rfb.lock);
	width = MIN(width, s->width - x);
	height = MIN(height, s->height - y);
	for (line = y; line < y + height; line++)
		memcpy(s->pixels + (size_t)line * (size_t)s->width + x,
		       src + (size_t)line * stride + x, (size_t)width * sizeof(*src));
	if (width > 0 && height > 0)
		add_rect(s, (struct rect){ x, y, x + width, y + height });
	pthread_mutex_unlock(&rfb.lock);
}

void vnc_rfb_flush(void)
{
	bool any;

	pthread_mutex_lock(&rfb.lock);
	any = rfb.stage.nr_rects;
	pthread_mutex_unlock(&rfb.lock);
	if (any)
		wake();
}

void vnc_rfb_pointer_mode(bool absolute)
{
	pthread_mutex_lock(&rfb.lock);
	rfb.absolute = absolute;
	rfb.mode_changed = true;
	pthread_mutex_unlock(&rfb.lock);
	if (rfb.wake_fd >= 0)
		wake();
}

/* ---- library thread ---- */

/* An update of one rectangle without pixels, which acknowledges or announces something. */
static void send_pseudo_rect(rfbClientPtr cl, int x, int32_t encoding)
{
	uint8_t msg[16] = { 0 }; /* type FramebufferUpdate */

	put_be16(msg + 2, 1);
	put_be16(msg + 4, (uint16_t)x);
	put_be16(msg + 8, (uint16_t)cl->screen->width);
	put_be16(msg + 10, (uint16_t)cl->screen->height);
	put_be32(msg + 12, (uint32_t)encoding);
	if (rfbWriteExact(cl, (const char *)msg, sizeof(msg)) < 0)
		rfbCloseClient(cl);
}

static rfbBool extension_new_client(rfbClientPtr cl, void **data)
{
	*data = NULL;
	return TRUE;
}

/* ClientInit was processed: from now on the client's input counts. */
static rfbBool extension_init(rfbClientPtr cl, void *data)
{
	struct vnc_link *l = cl->clientData;

	l->width = cl->screen->width;
	l->height = cl->screen->height;
	atomic_store(&l->normal, true);
	rfb.on_normal();
	return TRUE;
}

static rfbBool extension_encoding(rfbClientPtr cl, void **data, int encoding)
{
	struct vnc_link *l = cl->clientData;

	if (encoding == VNC_ENC_POINTER_MODE) {
		l->wants_pointer_mode = true;
		send_pseudo_rect(cl, rfb.absolute_now, VNC_ENC_POINTER_MODE);
		return TRUE;
	}
	if (encoding == VNC_ENC_EXTENDED_KEYS) {
		send_pseudo_rect(cl, 0, VNC_ENC_EXTENDED_KEYS);
		return TRUE;
	}
	return FALSE;
}

static int extension_encodings[] = { VNC_ENC_POINTER_MODE, VNC_ENC_EXTENDED_KEYS, 0 };
static rfbProtocolExtension extension = {
	.newClient = extension_new_client,
	.init = extension_init,
	.pseudoEncodings = extension_encodings,
	.enablePseudoEncoding = extension_encoding,
};

static void client_gone(rfbClientPtr cl)
{
	rfbExtensionData *e;

	if (cl->clientData)
		vnc_link_unref(cl->clientData);
	cl->clientData = NULL;
	/* The library (0.9.14) forgets these. */
	while ((e = cl->extensions)) {
		cl->extensions = e->next;
		free(e);
	}
}

static enum rfbNewClientAction new_client(rfbClientPtr cl)
{
	cl->clientData = rfb.starting;
	cl->clientGoneHook = client_gone;
	rfb.starting = NULL;
	return RFB_CLIENT_ACCEPT;
}

/* VNC authentication (RFC 6143, 7.2.2) against the password as it was when the client came. */
static rfbBool check_password(rfbClientPtr cl, const char *response, int len)
{
	const struct vnc_link *l = cl->clientData;
	unsigned char expected[CHALLENGESIZE];
	char password[VNC_PASSWORD_MAX + 1];
	unsigned char differ = 0;
	int i;

	if (!l->password[0] || len != CHALLENGESIZE)
		return FALSE;
	memcpy(expected, cl->authChallenge, sizeof(expected));
	memcpy(password, l->password, sizeof(password));
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

static void take_new_links(void)
{
	struct vnc_link *l, *next;

	pthread_mutex_lock(&rfb.lock);
	l = rfb.new_links;
	rfb.new_links = NULL;
	pthread_mutex_unlock(&rfb.lock);
	for (; l; l = next) {
		int fd = l->fd;

		next = l->next;
		l->fd = -1;
		rfb.starting = l;
		rfbNewClient(rfb.screen, fd);
		if (rfb.starting) { /* the library gave up before it asked us */
			vnc_link_unref(rfb.starting);
			rfb.starting = NULL;
		}
	}
}

static void copy_rects(const struct staging *s, uint32_t *dst)
{
	unsigned int i;
	int y;

	for (i = 0; i < s->nr_rects; i++) {
		const struct rect *r = &s->rects[i];

		for (y = r->y1; y < r->y2; y++) {
			size_t at = (size_t)y * (size_t)s->width + (size_t)r->x1;

			memcpy(dst + at, s->pixels + at, (size_t)(r->x2 - r->x1) * sizeof(*dst));
		}
	}
}

/* Take over what the main loop drew. */
static void take_picture(void)
{
	struct rect rects[MAX_RECTS];
	uint32_t *fresh = NULL;
	char *old = rfb.screen->frameBuffer;
	unsigned int i, nr;
	int width, height;

	pthread_mutex_lock(&rfb.lock);
	width = rfb.stage.width;
	height = rfb.stage.height;
	if (rfb.resized)
		fresh = xzalloc((size_t)width * (size_t)height * sizeof(*fresh));
	rfb.resized = false;
	copy_rects(&rfb.stage, fresh ? fresh : (uint32_t *)(void *)old);
	nr = rfb.stage.nr_rects;
	memcpy(rects, rfb.stage.rects, nr * sizeof(rects[0]));
	rfb.stage.nr_rects = 0;
	pthread_mutex_unlock(&rfb.lock);

	if (fresh) {
		rfbNewFramebuffer(rfb.screen, (char *)fresh, width, height, 8, 3, 4);
		set_format(rfb.screen);
		free(old);
	}
	for (i = 0; i < nr; i++)
		rfbMarkRectAsModified(rfb.screen, rects[i].x1, rects[i].y1, rects[i].x2,
				      rects[i].y2);
}

/*
 * The library tells clients about a new size only when they understood that at the time of the
 * change; one that had not sent its encodings yet would never learn it.
 */
static void announce_size(void)
{
	rfbClientIteratorPtr it = rfbGetClientIterator(rfb.screen);
	rfbClientPtr cl;

	while ((cl = rfbClientIteratorNext(it))) {
		struct vnc_link *l = cl->clientData;

		if (!l || !cl->useNewFBSize ||
		    (l->width == cl->screen->width && l->height == cl->screen->height))
			continue;
		l->width = cl->screen->width;
		l->height = cl->screen->height;
		cl->newFBSizePending = TRUE;
	}
	rfbReleaseClientIterator(it);
}

static void announce_pointer_mode(void)
{
	rfbClientIteratorPtr it;
	rfbClientPtr cl;
	bool changed;

	pthread_mutex_lock(&rfb.lock);
	changed = rfb.mode_changed;
	rfb.mode_changed = false;
	rfb.absolute_now = rfb.absolute;
	pthread_mutex_unlock(&rfb.lock);
	if (!changed)
		return;
	it = rfbGetClientIterator(rfb.screen);
	while ((cl = rfbClientIteratorNext(it))) {
		const struct vnc_link *l = cl->clientData;

		if (l && l->wants_pointer_mode && cl->sock != RFB_INVALID_SOCKET)
			send_pseudo_rect(cl, rfb.absolute_now, VNC_ENC_POINTER_MODE);
	}
	rfbReleaseClientIterator(it);
}

static void wait_for_work(void)
{
	struct pollfd fds[VNC_MAX_CLIENTS * 2 + 1] = { { .fd = rfb.wake_fd, .events = POLLIN } };
	rfbClientIteratorPtr it = rfbGetClientIterator(rfb.screen);
	nfds_t nr = 1;
	rfbClientPtr cl;
	uint64_t n;

	while ((cl = rfbClientIteratorNext(it)))
		if (cl->sock != RFB_INVALID_SOCKET && nr < ARRAY_SIZE(fds))
			fds[nr++] = (struct pollfd){ .fd = cl->sock, .events = POLLIN };
	rfbReleaseClientIterator(it);
	if (poll(fds, nr, IDLE_TIMEOUT_MS) > 0 && (fds[0].revents & POLLIN) &&
	    read(rfb.wake_fd, &n, sizeof(n)) < 0 && errno != EAGAIN)
		library_log("event file: %s", strerror(errno));
}

static void *library_thread(void *unused)
{
	for (;;) {
		wait_for_work();
		announce_pointer_mode();
		take_picture();
		take_new_links();
		announce_size();
		/* Sends what is pending and takes one message of each client; never waits. */
		rfbProcessEvents(rfb.screen, 0);
	}
	return NULL;
}

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

static int screen_create(const char *desktop_name, bool auth)
{
	rfbScreenInfoPtr s;

	rfbLog = rfbErr = library_log;
	s = rfbGetScreen(NULL, NULL, rfb.stage.width, rfb.stage.height, 8, 3, 4);
	if (!s)
		return -ENOMEM;
	s->frameBuffer = xzalloc((size_t)s->width * (size_t)s->height * 4);
	set_format(s);
	s->setTranslateFunction = set_translate;
	s->desktopName = xstrdup(desktop_name);
	s->port = s->ipv6port = s->httpPort = s->http6Port = 0; /* we bring the connections */
	s->cursor = NULL;
	s->alwaysShared = TRUE;
	s->deferUpdateTime = 0;
	s->maxClientWait = WRITE_TIMEOUT_MS;
	s->permitFileTransfer = FALSE;
	s->newClientHook = new_client;
	s->setDesktopSizeHook = refuse_resize;
	if (auth) {
		warm_up_encryption();
		s->authPasswdData = &rfb; /* only its presence matters */
		s->passwordCheck = check_password;
	}
	rfbRegisterProtocolExtension(&extension);
	rfbInitServer(s);
	rfb.screen = s;
	return 0;
}

int vnc_rfb_start(const char *desktop_name, bool auth, void (*on_normal)(void))
{
	sigset_t all, old;
	pthread_t thread;
	int rc;

	rfb.on_normal = on_normal;
	rfb.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (rfb.wake_fd < 0)
		return -errno;
	rc = screen_create(desktop_name, auth);
	if (rc)
		return rc;
	/* Signals are the main loop's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&thread, NULL, library_thread, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc)
		return -rc;
	pthread_setname_np(thread, "vnc");
	pthread_detach(thread);
	return 0;
}
