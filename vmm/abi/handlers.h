/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The handlers of the hypercall table and what the files of abi/ share. */
#ifndef PLINTH_ABI_HANDLERS_H
#define PLINTH_ABI_HANDLERS_H

#include "xen_abi.h"
#include "abi.h"
#include "hvm_devices.h"
#include "../domain/private.h"

long abi_platform_op(struct vcpu *v, const struct hypercall_args *args);
long abi_memory_op(struct vcpu *v, const struct hypercall_args *args);
long abi_multicall(struct vcpu *v, const struct hypercall_args *args);
long abi_set_timer_op(struct vcpu *v, const struct hypercall_args *args);
long abi_xen_version(struct vcpu *v, const struct hypercall_args *args);
long abi_console_io(struct vcpu *v, const struct hypercall_args *args);
long abi_grant_table_op(struct vcpu *v, const struct hypercall_args *args);
long abi_vm_assist(struct vcpu *v, const struct hypercall_args *args);
long abi_vcpu_op(struct vcpu *v, const struct hypercall_args *args);
long abi_sched_op(struct vcpu *v, const struct hypercall_args *args);
long abi_event_channel_op(struct vcpu *v, const struct hypercall_args *args);
long abi_physdev_op(struct vcpu *v, const struct hypercall_args *args);
long abi_hvm_op(struct vcpu *v, const struct hypercall_args *args);
long abi_sysctl(struct vcpu *v, const struct hypercall_args *args);
long abi_domctl(struct vcpu *v, const struct hypercall_args *args);

/* From now on hypercall_set_arg() goes to these arguments (a multicall's entry), NULL = registers. */
void hypercall_enter_sub(struct hypercall_args *args);

/* memory_physmap.c. All take d->lock for each page, so that no page is in two places. */
/*
 * Takes away what is at some frames and, but for dom0, gives the pages back; at most P2M_PIECE, with one flush. 0; or,
 * for the first frame where it cannot be, -EINVAL, -EPERM or -ENOMEM; those before are gone.
 */
int physmap_remove(struct domain *d, const struct frames *f);
/* Does a p2m entry of d stand for memory that counts as d's, and no lent page (shared info, grant frames)? */
bool physmap_is_own_ram(const struct domain *d, const struct p2m_entry *e);
/* Enter a page that the domain owns but does not count (shared info, grant frame). */
int physmap_add_lent(struct domain *d, gfn_t gfn, mfn_t mfn);
/* Enter a page of fd at gfn of d, holding references. */
int physmap_add_foreign(struct domain *d, gfn_t gfn, struct domain *fd, mfn_t mfn);
/* A page of d's own instead of shared info where d has that mapped. 0, -ENOMEM. */
int physmap_replace_shared_info(struct domain *d);
long abi_add_to_physmap(uint64_t la);
long abi_add_to_physmap_batch(struct vcpu *v, uint64_t la, uint64_t start);
long abi_remove_from_physmap(uint64_t la);
long abi_acquire_resource(struct vcpu *v, uint64_t la, uint64_t start);
#define MEMOP_EXTENT_SHIFT 6
#define MEMOP_CMD_MASK	   ((1U << MEMOP_EXTENT_SHIFT) - 1)
/* The memory_op is to go on at extent `done`. */
long memory_op_continue(struct vcpu *v, unsigned int cmd, uint64_t done);

/* domctl*.c and sysctl*.c: parts of the two big switches. -ENOSYS = not one of these. */
struct xen_domctl;
struct xen_sysctl;
struct xen_domctl_getdomaininfo;
void domctl_fill_info(struct domain *d, struct xen_domctl_getdomaininfo *info);
/* The flag says that the structure is to be copied back. d holds a reference. */
long domctl_vcpu(struct domain *d, struct xen_domctl *op, bool *copyback);
struct xen_domctl_vcpucontext;
long domctl_getvcpucontext(struct domain *d, const struct xen_domctl_vcpucontext *op);
long domctl_setvcpucontext(struct domain *d, const struct xen_domctl_vcpucontext *op);
long domctl_mem(struct vcpu *v, struct domain *d, struct xen_domctl *op, bool *copyback);
long domctl_soft_reset(struct domain *d);
long domctl_hvmctx(struct domain *d, struct xen_domctl *op, bool *copyback);
long sysctl_cpu(struct xen_sysctl *op, bool *copyback);
struct xenctl_bitmap;
/* A CPU mask between the tools' bitmap and ours. */
int copy_cpumask_from_guest(uint64_t *mask, const struct xenctl_bitmap *b);
int copy_cpumask_to_guest(const struct xenctl_bitmap *b, uint64_t mask, unsigned int bits);

#endif
