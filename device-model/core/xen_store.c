/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See xen_store.h. */
#include "core/xen_store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xenstore.h>

#include "core/loop.h"

#define RELEASED "@releaseDomain" /* the store's name for the end of any domain */

static struct xs_handle *xs;
static void (*changed_cb)(void);
static void (*released_cb)(void);

static void readable(void *opaque, uint32_t events)
{
	bool changed = false, released = false;
	char **watch;

	while ((watch = xs_check_watch(xs))) {
		bool end = !strcmp(watch[XS_WATCH_PATH], RELEASED);

		released = released || end;
		changed = changed || !end;
		free(watch);
	}
	if (changed)
		changed_cb();
	if (released && released_cb)
		released_cb();
}

int xen_store_open(void (*changed)(void), void (*released)(void))
{
	changed_cb = changed;
	released_cb = released;
	xs = xs_open(0);
	if (!xs || (released && !xs_watch(xs, RELEASED, RELEASED)))
		return -errno;
	return loop_add_fd(xs_fileno(xs), EPOLLIN, readable, NULL);
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

bool xen_store_domain_exists(unsigned int domid)
{
	return xs && xs_is_domain_introduced(xs, domid);
}
