/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of Xen's libraries that the back ends use. See fake_xen.h. */
#include "device-model/pv/fake_xen.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <xenevtchn.h>
#include <xenforeignmemory.h>
#include <xengnttab.h>
#include <xenstore.h>

#include "core/loop.h"
#include "core/util.h"

#define MAX_KEYS    256
#define MAX_WATCHES 600
#define MAX_PORTS   256u
#define LOCAL	    1000u /* our number of a port: the guest's and this */

struct key {
	char *path, *value;
};

static struct key keys[MAX_KEYS];
static size_t nr_keys;
static char *watches[MAX_WATCHES];
static unsigned int pending_watches, mapped, release_ms;
static bool released;
static pid_t init_pid;
static int store_fd, event_fd, memory_fd;
static uint8_t *memory;
static bool bound[MAX_PORTS], ringing[MAX_PORTS];
static unsigned int notified[MAX_PORTS];

static void ring_fd(int fd)
{
	uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) != sizeof(one))
		abort();
}

static void quiet_fd(int fd)
{
	uint64_t n;

	if (read(fd, &n, sizeof(n)) < 0 && errno != EAGAIN)
		abort();
}

void fake_init(void)
{
	init_pid = getpid();
	store_fd = eventfd(0, EFD_NONBLOCK);
	event_fd = eventfd(0, EFD_NONBLOCK);
	memory_fd = memfd_create("guest", 0);
	if (ftruncate(memory_fd, FAKE_PAGES * FAKE_PAGE))
		abort();
	memory = mmap(NULL, FAKE_PAGES * FAKE_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, memory_fd,
		      0);
	if (memory == MAP_FAILED)
		abort();
}

uint8_t *fake_page(size_t gfn)
{
	return memory + gfn * FAKE_PAGE;
}

void fake_settle(void)
{
	unsigned int i;

	for (i = 0; i < 8; i++)
		loop_turn(false);
}

/* ---- the store: relative paths are dom0's ---- */

static const char *absolute(const char *path, char *buf, size_t size)
{
	if (*path == '/')
		return path;
	snprintf(buf, size, "/local/domain/0/%s", path);
	return buf;
}

static bool below(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return !strncmp(path, folder, n) && (!path[n] || path[n] == '/');
}

static struct key *find(const char *path)
{
	size_t i;

	for (i = 0; i < nr_keys; i++)
		if (!strcmp(keys[i].path, path))
			return &keys[i];
	return NULL;
}

static void touched(const char *path)
{
	char buf[256];
	size_t i;

	for (i = 0; i < MAX_WATCHES; i++) {
		if (!watches[i] || !below(path, absolute(watches[i], buf, sizeof(buf))))
			continue;
		pending_watches++;
		ring_fd(store_fd);
	}
}

static void store(const char *path, const char *value)
{
	char buf[256];
	struct key *k;

	path = absolute(path, buf, sizeof(buf));
	k = find(path);
	if (!k && nr_keys < MAX_KEYS) {
		k = &keys[nr_keys++];
		*k = (struct key){ .path = xstrdup(path) };
	}
	if (!k)
		abort();
	free(k->value);
	k->value = xstrdup(value);
	touched(path);
}

void fake_write(const char *path, const char *fmt, ...)
{
	char value[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	store(path, value);
}

void fake_remove(const char *path)
{
	char buf[256];
	size_t i = 0;

	path = absolute(path, buf, sizeof(buf));
	while (i < nr_keys) {
		if (!below(keys[i].path, path)) {
			i++;
			continue;
		}
		free(keys[i].path);
		free(keys[i].value);
		keys[i] = keys[--nr_keys];
	}
	touched(path);
}

const char *fake_read(const char *path)
{
	char buf[256];
	const struct key *k = find(absolute(path, buf, sizeof(buf)));

	return k ? k->value : NULL;
}

int fake_number(const char *path)
{
	const char *value = fake_read(path);

	return value ? atoi(value) : -1;
}

void fake_release_after_ms(unsigned int ms)
{
	release_ms = ms;
}

static int release_timer(void)
{
	struct itimerspec when = { .it_value = { release_ms / 1000, release_ms % 1000 * 1000000 } };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);

	return timerfd_settime(fd, 0, &when, NULL) ? -1 : fd;
}

/* A connection; one that watches domains does nothing else. */
struct xs_handle {
	int fd;
	bool domains;
};

struct xs_handle *xs_open(unsigned long flags)
{
	static struct xs_handle handles[4];
	static unsigned int n;
	struct xs_handle *h = &handles[n++ % ARRAY_SIZE(handles)];

	/* A process that was forked has closed what it did not know. */
	if (getpid() != init_pid)
		store_fd = eventfd(0, EFD_NONBLOCK);
	*h = (struct xs_handle){ .fd = store_fd };
	return h;
}

void xs_close(struct xs_handle *h)
{
}

int xs_fileno(struct xs_handle *h)
{
	return h->fd;
}

bool xs_watch(struct xs_handle *h, const char *path, const char *token)
{
	size_t i;

	if (*path == '@' && !h->domains)
		*h = (struct xs_handle){ release_timer(), true };
	if (*path == '@')
		return true;
	for (i = 0; i < MAX_WATCHES && watches[i]; i++)
		;
	if (i == MAX_WATCHES)
		abort();
	watches[i] = xstrdup(path);
	pending_watches++; /* a new watch reports once */
	ring_fd(store_fd);
	return true;
}

bool xs_unwatch(struct xs_handle *h, const char *path, const char *token)
{
	size_t i;

	for (i = 0; i < MAX_WATCHES; i++) {
		if (!watches[i] || strcmp(watches[i], path))
			continue;
		free(watches[i]);
		watches[i] = NULL;
		return true;
	}
	return false;
}

bool xs_is_domain_introduced(struct xs_handle *h, unsigned int domid)
{
	return domid == FAKE_DOMID && !released;
}

char **xs_check_watch(struct xs_handle *h)
{
	if (h->domains) {
		released = true;
		quiet_fd(h->fd);
		return NULL;
	}
	if (!pending_watches) {
		quiet_fd(store_fd);
		return NULL;
	}
	pending_watches--;
	return xzalloc(2 * sizeof(char *));
}

void *xs_read(struct xs_handle *h, xs_transaction_t t, const char *path, unsigned int *len)
{
	const char *value = fake_read(path);

	return value ? xstrdup(value) : NULL;
}

bool xs_write(struct xs_handle *h, xs_transaction_t t, const char *path, const void *data,
	      unsigned int len)
{
	char value[256] = { 0 };

	if (len == strlen(FAKE_HANG) && !memcmp(data, FAKE_HANG, len))
		poll(NULL, 0, -1);
	memcpy(value, data, MIN(len, sizeof(value) - 1));
	store(path, value);
	return true;
}

/* The names below a folder, each once, in one allocation. */
char **xs_directory(struct xs_handle *h, xs_transaction_t t, const char *path, unsigned int *num)
{
	char buf[256];
	char **list = xzalloc(MAX_KEYS * sizeof(char *) + 16384), *at = (char *)(list + MAX_KEYS);
	size_t i, j, len;

	path = absolute(path, buf, sizeof(buf));
	len = strlen(path);
	*num = 0;
	for (i = 0; i < nr_keys; i++) {
		const char *name = keys[i].path + len + 1;
		size_t n;

		if (!below(keys[i].path, path) || !keys[i].path[len])
			continue;
		n = strcspn(name, "/");
		for (j = 0; j < *num; j++)
			if (strlen(list[j]) == n && !strncmp(list[j], name, n))
				break;
		if (j < *num)
			continue;
		list[(*num)++] = at;
		memcpy(at, name, n);
		at += n + 1;
	}
	return list;
}

/* ---- memory ---- */

static void *map(const uint64_t *gfns, size_t n, int prot)
{
	uint8_t *p = mmap(NULL, n * FAKE_PAGE, PROT_NONE, MAP_PRIVATE, memory_fd, 0);
	size_t i;
	void *page;

	if (p == MAP_FAILED)
		abort();
	for (i = 0; i < n; i++) {
		if (gfns[i] >= FAKE_PAGES) {
			munmap(p, n * FAKE_PAGE);
			errno = EFAULT;
			return NULL;
		}
		page = mmap(p + i * FAKE_PAGE, FAKE_PAGE, prot, MAP_SHARED | MAP_FIXED, memory_fd,
			    (off_t)(gfns[i] * FAKE_PAGE));
		if (page == MAP_FAILED)
			abort();
	}
	mapped += (unsigned int)n;
	return p;
}

static int unmap(void *p, size_t n)
{
	mapped -= (unsigned int)n;
	return munmap(p, n * FAKE_PAGE);
}

unsigned int fake_mapped(void)
{
	return mapped;
}

xenforeignmemory_handle *xenforeignmemory_open(struct xentoollog_logger *logger, unsigned int flags)
{
	return (xenforeignmemory_handle *)keys;
}

void *xenforeignmemory_map(xenforeignmemory_handle *h, uint32_t dom, int prot, size_t pages,
			   const xen_pfn_t arr[], int err[])
{
	return map(arr, pages, prot);
}

int xenforeignmemory_unmap(xenforeignmemory_handle *h, void *p, size_t n)
{
	return unmap(p, n);
}

xengnttab_handle *xengnttab_open(struct xentoollog_logger *logger, unsigned int flags)
{
	return (xengnttab_handle *)keys;
}

void *xengnttab_map_domain_grant_refs(xengnttab_handle *h, uint32_t count, uint32_t dom,
				      uint32_t *refs, int prot)
{
	uint64_t gfns[64];
	uint32_t i;

	for (i = 0; i < count; i++)
		gfns[i] = (uint64_t)refs[i] - FAKE_REF;
	return map(gfns, count, prot);
}

int xengnttab_unmap(xengnttab_handle *h, void *p, uint32_t n)
{
	return unmap(p, n);
}

int xengnttab_grant_copy(xengnttab_handle *h, uint32_t count, xengnttab_grant_copy_segment_t *segs)
{
	for (; count; count--, segs++) {
		bool from = segs->flags & GNTCOPY_source_gref;
		union xengnttab_copy_ptr *guest = from ? &segs->source : &segs->dest;
		union xengnttab_copy_ptr *own = from ? &segs->dest : &segs->source;
		uint64_t gfn = (uint64_t)guest->foreign.ref - FAKE_REF;
		uint8_t *p;

		segs->status = gfn < FAKE_PAGES ? GNTST_okay : GNTST_bad_gntref;
		if (gfn >= FAKE_PAGES)
			continue;
		if (guest->foreign.offset + segs->len > FAKE_PAGE)
			abort();
		p = fake_page(gfn) + guest->foreign.offset;
		memcpy(from ? own->virt : p, from ? p : own->virt, segs->len);
	}
	return 0;
}

/* ---- event channels ---- */

xenevtchn_handle *xenevtchn_open(struct xentoollog_logger *logger, unsigned int flags)
{
	return (xenevtchn_handle *)keys;
}

int xenevtchn_fd(xenevtchn_handle *h)
{
	return event_fd;
}

xenevtchn_port_or_error_t xenevtchn_bind_interdomain(xenevtchn_handle *h, uint32_t dom,
						     evtchn_port_t port)
{
	if (port >= MAX_PORTS || bound[port]) {
		errno = EINVAL;
		return -1;
	}
	bound[port] = true;
	notified[port] = 0;
	return (xenevtchn_port_or_error_t)(port + LOCAL);
}

int xenevtchn_unbind(xenevtchn_handle *h, evtchn_port_t port)
{
	bound[port - LOCAL] = ringing[port - LOCAL] = false;
	return 0;
}

int xenevtchn_notify(xenevtchn_handle *h, evtchn_port_t port)
{
	if (!bound[port - LOCAL])
		abort();
	notified[port - LOCAL]++;
	return 0;
}

xenevtchn_port_or_error_t xenevtchn_pending(xenevtchn_handle *h)
{
	unsigned int i;

	for (i = 0; i < MAX_PORTS; i++) {
		if (!ringing[i])
			continue;
		ringing[i] = false;
		return (xenevtchn_port_or_error_t)(i + LOCAL);
	}
	quiet_fd(event_fd);
	return -1;
}

int xenevtchn_unmask(xenevtchn_handle *h, evtchn_port_t port)
{
	return 0;
}

void fake_event(uint32_t port)
{
	ringing[port] = bound[port];
	ring_fd(event_fd);
}

unsigned int fake_notified(uint32_t port)
{
	return notified[port];
}

unsigned int fake_bound(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < MAX_PORTS; i++)
		n += bound[i];
	return n;
}
