/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Giving up power before the guest's first instruction: what a process that serves a guest may still do if
 * the guest takes it over. Its order, in each such process: confine_begin() while it has one thread,
 * confine_network() before the first other thread but when its sockets are open, confine() when all is
 * open, confine_finish() when all is said. Any failure is fatal: a half-confined process is worse than none.
 */
#ifndef DM_CORE_CONFINE_H
#define DM_CORE_CONFINE_H

#include <stdbool.h>

struct options;

/* False with -sandbox off: then only what -chroot, -runas and -xen-domid-restrict ask for is done. */
bool confine_wanted(const struct options *o);
/* Where the user-mode network's TFTP folder will be then; NULL stays NULL. */
const char *confine_tftp(const struct options *o, const char *folder);
/* Namespaces of its own for mounts, System V objects and the host's name. */
void confine_begin(const struct options *o);
/* After that: a network of its own, without any device, for the calling thread and those it starts. Once. */
void confine_network(const struct options *o);
/* Restrict the Xen handles, an empty root directory, another user, no capabilities, limits. */
void confine(const struct options *o);
/* The last step: only the system calls of a running device model are left. */
void confine_finish(const struct options *o);
/* For the privileged part (keeper.h): the power that it does not need, of this thread and those it starts; the filter. */
void confine_keeper_power(void);
void confine_keeper(void);

/* What a filter allows beside the calls that every process of ours makes. */
#define CONFINE_SOCKETS 1u /* new internet sockets, files opened to read */
#define CONFINE_KEEPER	2u /* files opened in any way, mapping and copying by grants */
#define CONFINE_LOG \
	4u /* a forbidden call is logged and fails with EPERM, in the place of the process's end */
#define CONFINE_QUIET 8u /* it fails with EPERM */
/* The filter itself, for all threads. */
void confine_calls(unsigned int flags);

#endif
