/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ioreq servers: shared by ioreq.c (their life) and ioreq_send.c (requests). What other rooms use is in hvm.h. */
#ifndef PLINTH_IOREQ_PRIVATE_H
#define PLINTH_IOREQ_PRIVATE_H

#include "xen_abi.h"
#include <xen/hvm/dm_op.h>
#include "hvm_io.h"
#include "vmm/hvm/hvm.h"

#define IOREQ_MAX_SERVERS 8U
#define IOREQ_MAX_RANGES  256U
#define IOREQ_MAX_POSTED  16U
#define IOREQ_TYPES	  3U /* XEN_DMOP_IO_RANGE_PORT, MEMORY, PCI */

struct ioreq_range {
	uint64_t start, end; /* inclusive */
};

struct ioreq_server {
	bool used, buffered;
	bool user_calls;     /* may be made for it (abi/user.c) */
	domid_t emulator;    /* domain whose process serves it */
	uint64_t user_space; /* the address space that may donate: CR3's address; 0 = none */
	struct page *page, *buf_page; /* synchronous (a slot per vCPU) and buffered ring */
	unsigned int *port;	      /* per vCPU */
	unsigned int buf_port;
	struct ioreq_range *range[IOREQ_TYPES];
	unsigned int nr_ranges[IOREQ_TYPES];
	struct ioreq_range posted[IOREQ_MAX_POSTED]; /* ports: writes need not wait */
	unsigned int nr_posted;
};

struct ioreq_span {
	uint64_t start, end; /* inclusive */
	uint8_t servers;     /* which claim it */
};
struct ioreq_row {
	struct ioreq_span *span;
	unsigned int nr;
};
/* Which servers claim what, of one kind of range (ioreq_map.c). */
struct ioreq_map {
	struct ioreq_row row[2]; /* one is used, the other the next change's */
	unsigned int now, room;	 /* which one; spans that each has room for */
	unsigned int last;	 /* where the last look-up found something */
};

/* d->hvm.ioreq */
struct ioreq_state {
	spinlock_t lock; /* LOCK_IOREQ: everything here */
	struct ioreq_server server[IOREQ_MAX_SERVERS];
	struct ioreq_map map[IOREQ_TYPES];
	uint8_t enabled; /* servers */
	uint32_t cf8;	 /* last value written to the PCI configuration address port */
};

/* Claim *r for a server, which has nothing there, where the servers have `nr` ranges already. 0 or -ENOMEM. */
int ioreq_map_claim(struct ioreq_map *m, unsigned int nr, const struct ioreq_range *r,
		    unsigned int server);
/* The server claims nothing in *r any more. */
void ioreq_map_release(struct ioreq_map *m, const struct ioreq_range *r, unsigned int server);
void ioreq_map_free(struct ioreq_map *m);
/* The servers that claim all of [start, end], a bit for each. */
uint8_t ioreq_map_servers(struct ioreq_map *m, uint64_t start, uint64_t end);
/*
 * With the lock: the answer to p, where srv's device model has left it in advance (ioreq_ahead.c). False: it is to
 * be asked.
 */
bool ioreq_take_ahead(const struct vcpu *v, const struct ioreq_server *srv, const ioreq_t *p,
		      uint64_t *val);
/* The emulator answered (event channel consumer). */
void ioreq_notified(struct vcpu *v, unsigned int port);

#endif
