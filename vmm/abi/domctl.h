/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of domctl and sysctl share. */
#ifndef PLINTH_ABI_DOMCTL_H
#define PLINTH_ABI_DOMCTL_H

#include "command.h"
#include <xen/domctl.h>
#include <xen/sysctl.h>

#define NO_PSR "the processor's cache and bandwidth control is not there"
#define NO_SUCH_TOOL_OP \
	"no such command: the tools are of another version than 4.17, or ask for what Xen has and Plinth has not"

/* A CPU mask between the tools' bitmap and ours. Bits past `bits` that the caller has room for are cleared. -EFAULT. */
int copy_cpumask_to_guest(const struct xenctl_bitmap *b, uint64_t mask, unsigned int bits);

/* domctl_mem.c */
long op_max_mem(struct call *c);
long op_getpageframeinfo3(struct call *c);
long op_shadow_op(struct call *c);
long op_get_paging_mempool_size(struct call *c);
long op_set_paging_mempool_size(struct call *c);
long op_hypercall_init(struct call *c);
long op_cacheflush(struct call *c);
long op_gethvmcontext(struct call *c);
long op_sethvmcontext(struct call *c);
long op_gethvmcontext_partial(struct call *c);

#endif
