/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stream sockets with a name in the file system. */
#ifndef DM_CORE_UNIX_SOCKET_H
#define DM_CORE_UNIX_SOCKET_H

#include <stdbool.h>

/* Bound to path (what was there goes) if it serves, else connected to it; close-on-exec. The descriptor or -errno. */
int unix_socket(const char *path, bool serves);

#endif
