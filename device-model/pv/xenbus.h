/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xenstore keys as back ends use them (xen/io/xenbus.h). What a guest wrote is checked by the caller. */
#ifndef DM_PV_XENBUS_H
#define DM_PV_XENBUS_H

#include <stdbool.h>
#include <stdint.h>

enum xenbus_state {
	XENBUS_UNKNOWN,
	XENBUS_INITIALISING,
	XENBUS_INIT_WAIT,
	XENBUS_INITIALISED,
	XENBUS_CONNECTED,
	XENBUS_CLOSING,
	XENBUS_CLOSED,
};

/* changed runs in the main loop whenever a watched key did. 0 or -errno. */
int xenbus_open(void (*changed)(void *opaque), void *opaque);
void xenbus_close(void);
bool xenbus_watch(const char *path);
void xenbus_unwatch(const char *path);
/* The value, to be freed, or NULL. */
char *xenbus_read(const char *base, const char *key);
/* The number, or missing when there is none or it is larger than max. */
uint32_t xenbus_read_number(const char *base, const char *key, uint32_t max, uint32_t missing);
void xenbus_write(const char *base, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Names in a folder, to be freed as one; NULL when there is none. */
char **xenbus_list(const char *path, unsigned int *n);

#endif
