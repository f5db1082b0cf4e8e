/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Giving up power before the guest's first instruction. */
#ifndef DM_CORE_CONFINE_H
#define DM_CORE_CONFINE_H

struct options;

/*
 * As the options say: change root, user and group, restrict the Xen handles to this domain, limit
 * what the process can do. Any failure is fatal: a half-confined process is worse than none.
 */
void confine(const struct options *o);

#endif
