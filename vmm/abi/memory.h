/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of memory_op share. */
#ifndef PLINTH_ABI_MEMORY_H
#define PLINTH_ABI_MEMORY_H

#include "command.h"
#include "physmap.h"
#include <xen/memory.h>

#define MEMOP_EXTENT_SHIFT 6
#define MEMOP_CMD_MASK	   ((1U << MEMOP_EXTENT_SHIFT) - 1)

/* The call is to go on at extent `done`. */
long memory_op_continue(struct call *c, uint64_t done);

#define ADD_TO_PHYSMAP "hhill" /* struct xen_add_to_physmap */

/* memory_physmap.c */
long op_add_to_physmap(struct call *c);
long op_add_to_physmap_batch(struct call *c);
long op_remove_from_physmap(struct call *c);
long op_acquire_resource(struct call *c);

#endif
