/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What other rooms use of vmm/domain beside what is everybody's (domain.h, event.h, grant.h, physmap.h of vmm/include). */
#ifndef PLINTH_DOMAIN_DOMAIN_H
#define PLINTH_DOMAIN_DOMAIN_H

#include "xen_abi.h"
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include "vmm/include/domain.h"
#include "event.h"
#include "grant.h"

/* Every struct domain but the idle domain is the first member of one of these. */
struct domain_priv {
	struct domain d;
	struct list_head
		relinquished;	   /* page_lock: pages that only others' references keep alive */
	uint64_t shared_info_gfn;  /* d->lock; ~0 = not mapped */
	uint32_t suspend_port;	   /* atomic; XEN_DOMCTL_subscribe, 0 = none */
	struct domain *reap_next;  /* reap_lock */
	grace_t grace;		   /* domctl lock, then the reap timer: kill.c, soft reset */
	bool unlisted;		   /* reap timer: off the list, waits for `grace` */
	uint32_t target_domid;	   /* d->lock; XEN_DOMCTL_set_target */
	uint32_t enosys_logged[2]; /* atomic bitmap: hypercalls already reported as missing */
	uint64_t pod_target;	   /* a word; remembered for XENMEM_get_pod_target */
	bool msr_relaxed;	   /* constant: XEN_X86_MSR_RELAXED */
	bool soft_reset_begun;	   /* d->lock; a soft reset goes on with the next call */
};

static inline struct domain_priv *domain_priv(struct domain *d)
{
	return container_of(d, struct domain_priv, d);
}

/*
 * A VMM page that a domain may map and others may map as foreign (shared info, grant frames): owned
 * by d but not part of its memory. Freed with domain_lent_page_free() once no one else refers to it.
 */
struct page *domain_lent_page_alloc(struct domain *d);
void domain_lent_page_free(struct page *p);
/* Give it up while the domain lives: it goes with the last foreign mapping, counted as d's till then. */
void domain_lent_page_put(struct page *p);

/* Fills in what the tools want to know; d is referenced. */
struct xen_domctl_getdomaininfo;
void domain_describe(struct domain *d, struct xen_domctl_getdomaininfo *info);

/* A free id (0xffff: any) is the caller's until domid_release(); nobody finds anything under it yet. */
int domid_reserve(domid_t id, domid_t *out);
void domid_release(domid_t id);
/* d is complete: from here on others find it, until it is removed. */
void domlist_insert(struct domain *d);
void domlist_remove(struct domain *d);

/* Tell dom0 that some domain changed its life state; from any context. */
void domain_notify_exc(void);
/* Let a domain that shut down run again (XEN_DOMCTL_resumedomain). */
void domain_resume(struct domain *d);

/* --- events ------------------------------------------------------------------------------------- */

/* event.c: what a guest's EVTCHNOP_send does; 0 or -errno. */
int evtchn_send(struct domain *d, unsigned int port);
void evtchn_vcpu_init(struct vcpu *v);

/* The operations of the hypercall (abi/event.c copies their arguments). d is the caller. */
int evtchn_alloc_unbound(struct evtchn_alloc_unbound *op);
int evtchn_bind_interdomain(struct domain *d, struct evtchn_bind_interdomain *op);
int evtchn_bind_virq(struct domain *d, struct evtchn_bind_virq *op);
int evtchn_bind_ipi(struct domain *d, struct evtchn_bind_ipi *op);
int evtchn_close_guest(struct domain *d, unsigned int port);
int evtchn_status(struct evtchn_status *op);
int evtchn_bind_vcpu(struct domain *d, unsigned int port, unsigned int vcpu);
int evtchn_unmask(struct domain *d, unsigned int port);
/* Bounded, -ERESTART = again. Ports that are opened meanwhile may stay. */
int evtchn_reset(struct domain *d);
/* The next evtchn_reset begins with the first port. */
void evtchn_reset_anew(struct domain *d);
/* Is the port pending? For SCHEDOP_poll; -EINVAL when there is no such port. */
int evtchn_poll_pending(struct domain *d, unsigned int port);
int evtchn_fifo_init_control(struct domain *d, struct evtchn_init_control *op);
int evtchn_fifo_expand_array(struct domain *d, const struct evtchn_expand_array *op);
int evtchn_fifo_set_priority(struct domain *d, const struct evtchn_set_priority *op);

/* --- grant tables ------------------------------------------------------------------------------- */

/* Where table frame idx lies in d's own map, ~0 = nowhere. */
uint64_t grant_frame_gfn(struct domain *d, unsigned int idx);
/* How many table frames there may be, and are. */
unsigned int grant_max_frames(const struct domain *d);
unsigned int grant_nr_frames(const struct domain *d);
/* There are nr table frames at least. 0, -ENOMEM, -EINVAL; -ERESTART: by some of them, call again. */
int grant_grow(struct domain *d, unsigned int nr);

/* An entry of the hypercall's list, for the current domain. GNTST_*, also in op->status. */
int grant_map_one(struct gnttab_map_grant_ref *op);
int grant_unmap_one(struct gnttab_unmap_grant_ref *op);
int grant_copy_one(struct gnttab_copy *op);

/* --- time --------------------------------------------------------------------------------------- */

/* Clocks and timers: with the domain or vCPU they begin, and stop before it goes, nobody running it. */
void time_domain_init(struct domain *d);
void time_vcpu_init(struct vcpu *v);
void time_vcpu_fini(struct vcpu *v);
void time_domain_fini(struct domain *d);
/* Write the wall clock into d's shared info. d->lock held, or nobody finds d yet. */
void time_update_wallclock(struct domain *d);
/* Wall clock of the host: seconds and nanoseconds at system time 0. */
void time_set_wallclock(uint64_t secs, uint32_t nsecs, uint64_t system_time_ns);
int time_watchdog(struct domain *d, uint32_t id, uint32_t timeout_s);
void time_set_periodic(struct vcpu *v, uint64_t period_ns);
int time_register_vcpu_time(struct vcpu *v, uint64_t la);

#endif
