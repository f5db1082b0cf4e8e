/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xenstore as domain 0 has it, in the main loop: one connection in a process. */
#ifndef DM_CORE_XEN_STORE_H
#define DM_CORE_XEN_STORE_H

#include <stdbool.h>

/*
 * 0 or -errno. changed() runs in the main loop when something that is watched did. Without a connection the rest finds
 * nothing and fails.
 */
int xen_store_open(void (*changed)(void *opaque), void *opaque);
void xen_store_close(void);
bool xen_store_watch(const char *path, bool on);
/* malloc()ed, or NULL with errno. A list is one allocation. */
char *xen_store_read(const char *path);
char **xen_store_list(const char *path, unsigned int *n);
bool xen_store_write(const char *path, const char *value);

#endif
