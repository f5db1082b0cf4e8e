/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Giving up power before the guest's first instruction. */
#ifndef DM_CORE_CONFINE_H
#define DM_CORE_CONFINE_H

#include <stdbool.h>

struct options;

/*
 * As the options say: change root, user and group, restrict the Xen handles to this domain, limit
 * resources. Any failure is fatal: a half-confined process is worse than none.
 */
void confine(const struct options *o);
/* The last step, when all is open and said: only the system calls of a running device model are left. */
void confine_finish(const struct options *o);
/*
 * The filter itself. log_only: a forbidden call is logged and fails with EPERM, in the place of the
 * process's end. sockets: new internet sockets are allowed.
 */
void confine_calls(bool log_only, bool sockets);

#endif
