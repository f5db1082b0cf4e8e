/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event channels (domain/event*.c): 2-level and FIFO. Public ABI: xen/event_channel.h.
 */
#ifndef PLINTH_EVENT_H
#define PLINTH_EVENT_H

#include "domain.h"

/* d's port table, with port 0 reserved and ports up to max_port. 0 or -ENOMEM. */
int evtchn_init(struct domain *d, unsigned int max_port);
/* Close all ports of a dying domain; bounded, -ERESTART = again. */
int evtchn_destroy(struct domain *d);
void evtchn_fini(struct domain *d);

/*
 * Raise a per-vCPU or (on the vCPU it is bound to) global VIRQ. Any context without event locks. The first one says whether the guest
 * had taken the one before, and listens.
 */
bool evtchn_send_virq(struct vcpu *v, unsigned int virq);
/* Raise VIRQs of dom0, e.g. VIRQ_DOM_EXC, VIRQ_CON_RING; harmless before dom0 exists. */
void evtchn_send_dom0_virq(unsigned int virq);

/* Ports used by ioreq servers and the VMM itself: `consumer` is told instead of a vCPU upcall. */
typedef void (*evtchn_consumer_fn)(struct vcpu *v, unsigned int port);
/*
 * A port of d, unbound for remote; when the remote end notifies, fn runs for vCPU v (interrupts off,
 * no locks). Returns the port or -errno.
 */
int evtchn_alloc_vmm(struct domain *d, struct vcpu *v, domid_t remote, evtchn_consumer_fn fn);
void evtchn_free_vmm(struct domain *d, unsigned int port);
/* Notify the other end of a VMM-owned port. */
void evtchn_notify_vmm(struct domain *d, unsigned int port);

/* Is an unmasked event pending for v (upcall_pending and not masked)? */
bool evtchn_upcall_pending(struct vcpu *v);

/* Map v's vcpu_info at a guest frame (VCPUOP_register_vcpu_info); offset within the page. */
int vcpu_info_register(struct vcpu *v, gfn_t gfn, unsigned int offset);
/*
 * v's vcpu_info is its slot in shared info again, or one that nobody sees. Others may be looking at the registered one
 * still: the page that holds it is given back by vcpu_info_release(), a grace period later.
 */
void vcpu_info_unregister(struct vcpu *v);
void vcpu_info_release(struct vcpu *v);

#endif
