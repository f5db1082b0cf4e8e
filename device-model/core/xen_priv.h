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
};

static inline struct xen_vmm *xen_vmm(struct machine *m)
{
	return m->vmm_priv;
}

/* The request pages: create the server; start listening. */
int xen_ioreq_init(struct machine *m);
int xen_ioreq_start(struct machine *m);

#endif
