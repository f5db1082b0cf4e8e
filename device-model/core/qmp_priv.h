/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the monitor's connections (qmp.c) and its descriptor sets (qmp_fdset.c). */
#ifndef DM_CORE_QMP_PRIV_H
#define DM_CORE_QMP_PRIV_H

struct machine;

/* The descriptor that came with the present command, taken over by the caller; -1: none. */
int qmp_take_fd(struct machine *m);

#endif
