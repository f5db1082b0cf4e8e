/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xenstore for the back ends, by way of the privileged part (core/keeper.h) where there is one. See xenbus.h. */
#include "pv/xenbus.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/keeper.h"
#include "core/log.h"
#include "core/util.h"
#include "core/xen_store.h"

int xenbus_open(void (*changed)(void *opaque), void *opaque)
{
	return keeper_active() ? keeper_on_store(changed, opaque) : xen_store_open(changed, opaque);
}

void xenbus_close(void)
{
	xen_store_close();
}

bool xenbus_watch(const char *path)
{
	if (keeper_active())
		return !keeper_store_watch(path, true);
	return xen_store_watch(path, true);
}

void xenbus_unwatch(const char *path)
{
	if (keeper_active())
		keeper_store_watch(path, false);
	else
		xen_store_watch(path, false);
}

static char *store_read(const char *path)
{
	if (keeper_active())
		return keeper_store_read(path);
	return xen_store_read(path);
}

static bool store_write(const char *path, const char *value)
{
	if (keeper_active())
		return !keeper_store_write(path, value);
	return xen_store_write(path, value);
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
	return xen_store_list(path, n);
}
