/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * werror=stop, rerror=stop: a guest whose disk fails stops, and its request is tried again when it
 * continues ("cont", xl unpause). Every failure is the monitor event BLOCK_IO_ERROR.
 */
#ifndef DM_BLOCK_FAILURE_H
#define DM_BLOCK_FAILURE_H

struct machine;

void block_failure_init(struct machine *m);

#endif
