/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xenstore for the back ends, by way of the privileged part (core/keeper.h) where there is one. See xenbus.h. */
#include "pv/xenbus.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xenstore.h>

#include "core/keeper.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/util.h"

static struct xs_handle *xs;
static void (*changed_cb)(void);

static void xs_readable(void *opaque, uint32_t events)
{
	char **watch;
	bool any = false;

	while ((watch = xs_check_watch(xs))) {
		free(watch);
		any = true;
	}
	if (any)
		changed_cb();
}

int xenbus_open(void (*changed)(void))
{
	changed_cb = changed;
	if (keeper_active())
		return keeper_watch(NULL, changed, NULL);
	xs = xs_open(0);
	if (!xs)
		return -errno;
	return loop_add_fd(xs_fileno(xs), EPOLLIN, xs_readable, NULL);
}

void xenbus_close(void)
{
	if (!xs)
		return;
	loop_del_fd(xs_fileno(xs));
	xs_close(xs);
}

bool xenbus_watch(const char *path)
{
	if (keeper_active())
		return !keeper_store_watch(path, true);
	return xs && xs_watch(xs, path, path);
}

void xenbus_unwatch(const char *path)
{
	if (keeper_active())
		keeper_store_watch(path, false);
	else if (xs)
		xs_unwatch(xs, path, path);
}

static char *store_read(const char *path)
{
	if (keeper_active())
		return keeper_store_read(path);
	return xs ? xs_read(xs, XBT_NULL, path, NULL) : NULL;
}

static bool store_write(const char *path, const char *value)
{
	if (keeper_active())
		return !keeper_store_write(path, value);
	return xs && xs_write(xs, XBT_NULL, path, value, (unsigned int)strlen(value));
}

char *xenbus_read(const char *base, const char *key)
{
	char *path = xasprintf("%s/%s", base, key);
	char *value = store_read(path);

	free(path);
	return value;
}

uint32_t xenbus_read_number(const char *base, const char *key, uint32_t max, uint32_t missing)
{
	char *text = xenbus_read(base, key), *end;
	unsigned long long v;

	if (!text)
		return missing;
	errno = 0;
	v = strtoull(text, &end, 10);
	if (errno || end == text || *end || v > max)
		v = missing;
	free(text);
	return (uint32_t)v;
}

void xenbus_write(const char *base, const char *key, const char *fmt, ...)
{
	char *path = xasprintf("%s/%s", base, key), value[64];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	if (!store_write(path, value))
		log_error("xenstore: cannot write %s: %s", path, strerror(errno));
	free(path);
}

char **xenbus_list(const char *path, unsigned int *n)
{
	if (keeper_active())
		return keeper_store_list(path, n);
	return xs ? xs_directory(xs, XBT_NULL, path, n) : NULL;
}
