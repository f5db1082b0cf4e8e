/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the files of vmm/domain. Event channels: the port table and the two ways in which a pending port reaches the
 * guest. Grant tables: shared frames, active entries, and the table of a domain's own mappings.
 */
#ifndef PLINTH_DOMAIN_INTERNAL_H
#define PLINTH_DOMAIN_INTERNAL_H

#include "vmm/domain/domain.h"

/* --- event channels ----------------------------------------------------------------------------- */

enum evtchn_state { ECS_FREE, ECS_RESERVED, ECS_UNBOUND, ECS_INTERDOMAIN, ECS_VIRQ, ECS_IPI };

/* One port. All fields: the owner's event_lock. */
struct evtchn {
	uint8_t state;		     /* enum evtchn_state */
	uint8_t priority;	     /* FIFO */
	uint8_t last_priority;	     /* FIFO: queue it was last linked in */
	bool pending;		     /* FIFO: raised while its word was not there yet */
	uint16_t vcpu;		     /* the one that is notified */
	uint16_t last_vcpu;	     /* FIFO: queue it was last linked in */
	uint16_t remote_domid;	     /* UNBOUND: who may bind */
	uint16_t virq;		     /* VIRQ */
	uint32_t port;		     /* constant */
	uint32_t remote_port;	     /* INTERDOMAIN */
	struct domain *remote;	     /* INTERDOMAIN */
	evtchn_consumer_fn consumer; /* the VMM's own port */
};

struct evtchn_ops {
	void (*set_pending)(struct domain *d, struct evtchn *e);
	void (*clear_pending)(struct domain *d, struct evtchn *e);
	void (*unmask)(struct domain *d, struct evtchn *e);
	bool (*is_pending)(struct domain *d, const struct evtchn *e);
	bool (*is_masked)(struct domain *d, const struct evtchn *e);
	unsigned int (*max_port)(const struct domain *d); /* number of ports the form can carry */
};
/* All with d->event_lock, on ports that are in use. */
extern const struct evtchn_ops evtchn_ops_2l, evtchn_ops_fifo;

#define EVTCHN_BUCKET 128U

struct evtchn_table {
	const struct evtchn_ops *ops;
	struct evtchn **bucket; /* nr_buckets pointers, filled as ports are needed */
	uint16_t *used; /* of each bucket: ports that are not free; those of number 0 are not */
	unsigned int nr_buckets;
	unsigned int destroyed;	  /* ports closed so far by evtchn_destroy */
	unsigned int reset;	  /* atomic; where evtchn_reset goes on; 1 = at the beginning */
	struct evtchn_fifo *fifo; /* NULL until init_control */
};

/* The port, or NULL when it was never allocated. */
struct evtchn *evtchn_port(struct domain *d, unsigned int port);
unsigned int evtchn_nr_ports(const struct domain *d);
/* Make a port pending and wake who polls for it; d->event_lock held. */
void evtchn_raise(struct domain *d, struct evtchn *e);
/* Set the upcall flag of v and wake it. */
void evtchn_mark_vcpu(struct vcpu *v);

void evtchn_fifo_destroy(struct domain *d);

/* --- grant tables ------------------------------------------------------------------------------- */

#define GRANTS_PER_FRAME     (PAGE_SIZE / sizeof(grant_entry_v1_t))
#define GRANT_DEFAULT_FRAMES 64U
#define GRANT_FRAMES_LIMIT   4096U
#define MAPTRACK_BUCKET	     256U
#define MAPTRACK_DEFAULT     1024U /* buckets */
#define MAPTRACK_LIMIT	     8192U
#define GRANT_HANDLE_NONE    (~0U)

/* Use of one entry; table lock of its domain. */
struct grant_active {
	uint32_t readers, writers; /* pins; the entry is in use while their sum is not 0 */
	domid_t domid;		   /* who pins it */
	struct page *page;	   /* one reference while in use */
	gfn_t gfn;		   /* where it is */
};

/* One mapping that a domain made; its own table's lock. */
struct maptrack {
	struct domain *rd; /* reference; NULL = free, or being unmapped */
	grant_ref_t ref;
	uint32_t flags; /* GNTMAP_* it was made with */
	uint64_t gfn;	/* where; host_map only */
	uint32_t next_free;
};

struct grant_table {
	spinlock_t lock; /* LOCK_GRANT */
	unsigned int max_frames, nr_frames;
	unsigned int nr_pinned;	      /* entries in use */
	struct page **frame;	      /* lent pages of the domain */
	struct grant_active **active; /* per frame */
	uint64_t *frame_gfn;	      /* where the guest has them, ~0 = nowhere */
	unsigned int max_buckets, nr_buckets;
	struct maptrack **bucket;
	uint32_t free_head;    /* GRANT_HANDLE_NONE = none */
	uint32_t release_next; /* where grant_release_maps goes on */
};

/*
 * Pin entry ref of rd for ld: checks the shared entry, marks it in use, holds the page. GNTST_*; on
 * okay *page is valid until grant_release.
 */
int grant_acquire(struct domain *rd, grant_ref_t ref, domid_t ld, bool readonly,
		  struct page **page);
void grant_release(struct domain *rd, grant_ref_t ref, bool readonly);
/* Table frame idx lies at gfn of d now. */
void grant_frame_mapped(struct domain *d, unsigned int idx, uint64_t gfn);

#endif
