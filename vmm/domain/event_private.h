/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Event channels: the port table and the two ways in which a pending port reaches the guest. */
#ifndef PLINTH_EVENT_PRIVATE_H
#define PLINTH_EVENT_PRIVATE_H

#include "private.h"
#include <xen/event_channel.h>

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

int evtchn_fifo_init_control(struct domain *d, struct evtchn_init_control *op);
int evtchn_fifo_expand_array(struct domain *d, const struct evtchn_expand_array *op);
int evtchn_fifo_set_priority(struct domain *d, const struct evtchn_set_priority *op);
void evtchn_fifo_destroy(struct domain *d);

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
/* Is the port pending? For SCHEDOP_poll; -EINVAL when there is no such port. */
int evtchn_poll_pending(struct domain *d, unsigned int port);

#endif
