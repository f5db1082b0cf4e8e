/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See xen_store.h. */
#include "core/xen_store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xenstore.h>

#include "core/loop.h"

static struct xs_handle *xs;
static void (*changed_cb)(void *opaque);

static void readable(void *opaque, uint32_t events)
{
	bool any = false;
	char **watch;

	while ((watch = xs_check_watch(xs))) {
		free(watch);
		any = true;
	}
	if (any)
		changed_cb(opaque);
}

int xen_store_open(void (*changed)(void *opaque), void *opaque)
{
	changed_cb = changed;
	xs = xs_open(0);
	if (!xs)
		return -errno;
	return loop_add_fd(xs_fileno(xs), EPOLLIN, readable, opaque);
}

void xen_store_close(void)
{
	if (!xs)
		return;
	loop_del_fd(xs_fileno(xs));
	xs_close(xs);
	xs = NULL;
}

bool xen_store_watch(const char *path, bool on)
{
	return xs && (on ? xs_watch(xs, path, path) : xs_unwatch(xs, path, path));
}

char *xen_store_read(const char *path)
{
	return xs ? xs_read(xs, XBT_NULL, path, NULL) : NULL;
}

char **xen_store_list(const char *path, unsigned int *n)
{
	return xs ? xs_directory(xs, XBT_NULL, path, n) : NULL;
}

bool xen_store_write(const char *path, const char *value)
{
	return xs && xs_write(xs, XBT_NULL, path, value, (unsigned int)strlen(value));
}
