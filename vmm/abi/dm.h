/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dm_op's commands on guest memory (dm_memory.c). They process a bounded part, move their argument on, and go on later. */
#ifndef PLINTH_ABI_DM_H
#define PLINTH_ABI_DM_H

#include "command.h"
#include <xen/hvm/dm_op.h>

long op_track_dirty_vram(struct call *c);
long op_modified_memory(struct call *c);
long op_set_mem_type(struct call *c);
long op_relocate_memory(struct call *c);
long op_pin_memory_cacheattr(struct call *c);

#endif
