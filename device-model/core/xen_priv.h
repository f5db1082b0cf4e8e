/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The connection to Xen's interfaces, shared by xen.c (operations) and xen_ioreq.c (requests). */
#ifndef DM_CORE_XEN_PRIV_H
#define DM_CORE_XEN_PRIV_H

#include <stdbool.h>
#include <stdint.h>
#include <xencall.h>
#include <xendevicemodel.h>
#include <xenevtchn.h>
#include <xenforeignmemory.h>
#include <xen/hvm/dm_op.h>
#include <xen/hvm/ioreq.h>

#include "core/machine.h"

#define XEN_MAX_VCPUS 128 /* one page of struct ioreq */

struct xen_vmm {
	domid_t domid;
	xendevicemodel_handle *dmod;
	xenforeignmemory_handle *fmem;
	xenevtchn_handle *evtchn;
	xencall_handle *xcall; /* NULL once memory may no longer be populated */

	ioservid_t server;
	bool have_server;
	bool serving;
	xenforeignmemory_resource_handle *pages;
	buffered_iopage_t *buffered;
	shared_iopage_t *shared;
	unsigned int nr_vcpus;
	evtchn_port_t vcpu_port[XEN_MAX_VCPUS];
	evtchn_port_t buffered_port;
	int privcmd_fd;		/* until service starts; -1: none */
	bool has_vmmcall;	/* the CPU's instruction for calls; else VMCALL */
	unsigned int last_vcpu; /* that sent a request */
};

static inline struct xen_vmm *xen_vmm(struct machine *m)
{
	return m->vmm_priv;
}

/* The request pages: create the server; start listening. */
int xen_ioreq_init(struct machine *m);
int xen_ioreq_start(struct machine *m);
void xen_ioreq_set_serving(struct machine *m, bool on);
void xen_ioreq_stop(struct machine *m);
/* Serve the request in a vCPU's slot, if there is one, without telling the VMM; buffered ones first. */
bool xen_ioreq_serve_slot(struct machine *m, unsigned int vcpu);
void xen_ioreq_serve_buffered(struct machine *m);
/* Tell it that the answer is there. */
void xen_ioreq_notify(struct machine *m, unsigned int vcpu);
/* What Plinth alone has goes through a privcmd of its own (xen_donate.c). */
void xen_plinth_open(struct machine *m);
void xen_post_writes(struct machine *m, uint32_t first, uint32_t last);
/* Serve by donation from now on where the VMM can (xen_donate.c). */
void xen_donate_start(struct machine *m);

#endif
