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
 * Both steps for a process of paravirtual back ends, which needs its user, its files, xenstore and grants:
 * limits, and the filter of system calls.
 */
void confine_back_ends(const struct options *o);

/* What a filter allows beside the calls that every process of ours makes. */
#define CONFINE_SOCKETS 1u /* new internet sockets */
#define CONFINE_GRANTS	2u /* mapping and copying by grants, event channels of any kind */
/*
 * The filter itself. log_only: a forbidden call is logged and fails with EPERM, in the place of the
 * process's end.
 */
void confine_calls(bool log_only, unsigned int also);

#endif
