/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Registers of vCPUs as structures of the public headers: vmm/hvm/context.c. */
#ifndef PLINTH_HVM_CONTEXT_H
#define PLINTH_HVM_CONTEXT_H

#include "xen_abi.h"
#include "domain.h"
#include <xen/hvm/hvm_vcpu.h>

/* All that there is room for. v is paused and has been started. */
void hvm_context_get(struct vcpu *v, struct vcpu_guest_context *c);
/* General registers, RIP and RFLAGS are taken, as from HVM guests' contexts by Xen; all else stays. v is paused. */
void hvm_context_set(struct vcpu *v, const struct vcpu_guest_context *c);
/*
 * What a new vCPU begins with; it has a state, for VCPUOP_up, when all of it is there. v cannot run; d->lock. 0, or
 * -EINVAL: the processor would not enter with it.
 */
int hvm_context_start(struct vcpu *v, const struct vcpu_hvm_context *ctx);

/* Writes the hypercall page's contents at `page` (4 KiB). */
void hypercall_page_fill(struct domain *d, void *page);
/* Has `fill` write d's page at gfn. 0, -EINVAL: there is none that may be written. */
int hypercall_page_place(struct domain *d, gfn_t gfn, void (*fill)(struct domain *d, void *page));
/* Latch whether d's shared info has the 64-bit layout from the mode of the calling vCPU, if that is d's. */
void hvm_latch_shinfo_size(struct domain *d);

#endif
