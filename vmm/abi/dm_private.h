/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dm_op's operations on guest memory (dm_memory.c). `extra` is the second buffer, NULL when absent. */
#ifndef PLINTH_DM_PRIVATE_H
#define PLINTH_DM_PRIVATE_H

#include <xen/hvm/dm_op.h>
#include "abi.h"

int dm_track_dirty_vram(struct domain *d, const struct xen_dm_op_track_dirty_vram *t,
			const struct xen_dm_op_buf *extra);
/* These process a bounded part, move their argument on, and return -ERESTART. */
int dm_modified_memory(struct domain *d, struct xen_dm_op_modified_memory *m,
		       const struct xen_dm_op_buf *extra);
int dm_set_mem_type(struct domain *d, struct xen_dm_op_set_mem_type *t);
int dm_relocate_memory(struct domain *d, struct xen_dm_op_relocate_memory *r);
int dm_pin_cacheattr(const struct xen_dm_op_pin_memory_cacheattr *p);

#endif
