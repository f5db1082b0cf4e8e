/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ioreq client: one server with a page of synchronous requests (one slot and event channel per
 * vCPU) and a ring of buffered ones. Layout and states: public/hvm/ioreq.h. String instructions come
 * as one request with a count; they go to the device in blocks.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <xen/hvm/hvm_op.h>
#include <xen/memory.h>

#include "core/ahead.h"
#include "core/bus.h"
#include "core/dma.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/options.h"
#include "core/pci.h"
#include "core/util.h"
#include "core/vmm.h"
#include "core/xen_priv.h"
#include "plinth_dm_op.h"

#define IOREQ_BLOCK_BYTES    4096
#define IOREQ_BUFFERED_FRAME 0
#define IOREQ_NR_FRAMES	     2

static bool size_valid(const struct ioreq *req, unsigned int max)
{
	return req->size && req->size <= max && !(req->size & (req->size - 1));
}

static int64_t step_of(const struct ioreq *req)
{
	return req->df ? -(int64_t)req->size : (int64_t)req->size;
}

/* One access of a run whose items lie apart or backwards. */
static void access_one(struct machine *m, const struct ioreq *req, uint64_t addr, uint64_t *data)
{
	bool mmio = req->type == IOREQ_TYPE_COPY;

	if (req->dir == IOREQ_READ)
		*data = mmio ? mmio_read(m, addr, req->size)
			     : pio_read(m, (uint32_t)addr, req->size);
	else if (mmio)
		mmio_write(m, addr, *data, req->size);
	else
		pio_write(m, (uint32_t)addr, *data, req->size);
}

/* Data in a register: the same value for each item (REP STOS), the last one read. */
static void run_register(struct machine *m, struct ioreq *req)
{
	int64_t step = req->type == IOREQ_TYPE_COPY ? step_of(req) : 0;
	uint32_t i;

	for (i = 0; i < req->count; i++)
		access_one(m, req, req->addr + (uint64_t)(step * i), &req->data);
}

/* Data in guest memory, descending addresses: item by item. */
static void run_backwards(struct machine *m, const struct ioreq *req)
{
	int64_t io_step = req->type == IOREQ_TYPE_COPY ? step_of(req) : 0;
	uint32_t i;

	for (i = 0; i < req->count; i++) {
		uint64_t addr = req->addr + (uint64_t)(io_step * i);
		uint64_t mem = req->data + (uint64_t)(step_of(req) * i);
		uint64_t value = 0;

		if (req->dir == IOREQ_WRITE)
			dma_read(m, mem, &value, req->size);
		access_one(m, req, addr, &value);
		if (req->dir == IOREQ_READ)
			dma_write(m, mem, &value, req->size);
	}
}

static void block_read(struct machine *m, const struct ioreq *req, uint64_t addr, void *buf,
		       size_t n)
{
	if (req->type == IOREQ_TYPE_COPY)
		mmio_read_block(m, addr, buf, req->size, n);
	else
		pio_read_block(m, (uint32_t)addr, buf, req->size, n);
}

static void block_write(struct machine *m, const struct ioreq *req, uint64_t addr, const void *buf,
			size_t n)
{
	if (req->type == IOREQ_TYPE_COPY)
		mmio_write_block(m, addr, buf, req->size, n);
	else
		pio_write_block(m, (uint32_t)addr, buf, req->size, n);
}

/* Data in guest memory, ascending: blocks through a bounce buffer. */
static void run_forwards(struct machine *m, const struct ioreq *req)
{
	uint8_t buf[IOREQ_BLOCK_BYTES];
	uint64_t addr = req->addr, mem = req->data;
	uint32_t left = req->count;

	while (left) {
		uint32_t n = MIN(left, IOREQ_BLOCK_BYTES / req->size);
		size_t bytes = (size_t)n * req->size;

		if (req->dir == IOREQ_READ) {
			block_read(m, req, addr, buf, n);
			dma_write(m, mem, buf, bytes);
		} else {
			dma_read(m, mem, buf, bytes);
			block_write(m, req, addr, buf, n);
		}
		mem += bytes;
		addr += req->type == IOREQ_TYPE_COPY ? bytes : 0;
		left -= n;
	}
}

static void handle_access(struct machine *m, struct ioreq *req)
{
	if (!size_valid(req, req->type == IOREQ_TYPE_COPY ? 8 : 4)) {
		log_guest("request with an access size of %u bytes", req->size);
		return;
	}
	if (!req->data_is_ptr)
		run_register(m, req);
	else if (req->df)
		run_backwards(m, req);
	else
		run_forwards(m, req);
}

static void handle_pci_config(struct machine *m, struct ioreq *req)
{
	uint32_t sbdf = (uint32_t)(req->addr >> 32);
	uint32_t reg = (uint32_t)req->addr;

	if (!size_valid(req, 4) || req->count != 1 || req->data_is_ptr || sbdf > 0xff) {
		req->data = ~0ull;
		return;
	}
	if (req->dir == IOREQ_READ)
		req->data = pci_config_read(m, (uint8_t)sbdf, reg, req->size);
	else
		pci_config_write(m, (uint8_t)sbdf, reg, (uint32_t)req->data, req->size);
}

static void handle_ioreq(struct machine *m, struct ioreq *req)
{
	log_trace(TRACE_IOREQ, "ioreq type %u %s addr 0x%" PRIx64 " data 0x%" PRIx64 " %ux%u%s",
		  req->type, req->dir ? "read" : "write", req->addr, req->data, req->count,
		  req->size, req->data_is_ptr ? " ptr" : "");
	ahead_settle(m);
	switch (req->type) {
	case IOREQ_TYPE_PIO:
	case IOREQ_TYPE_COPY:
		handle_access(m, req);
		break;
	case IOREQ_TYPE_PCI_CONFIG:
		handle_pci_config(m, req);
		break;
	case IOREQ_TYPE_TIMEOFFSET:
		log_trace(TRACE_IOREQ, "the guest moved its clock by %" PRId64 " s",
			  (int64_t)req->data);
		break;
	case IOREQ_TYPE_INVALIDATE:
		log_trace(TRACE_BLOCK, "the guest's memory map changed");
		dma_invalidate(m);
		break;
	default:
		log_guest("request of unknown type %u", req->type);
		req->data = ~0ull;
	}
}

/* The ring: 8-byte data takes two slots, the second of which only carries the upper half. */
void xen_ioreq_serve_buffered(struct machine *m)
{
	struct xen_vmm *x = xen_vmm(m);
	buffered_iopage_t *ring = x->buffered;
	uint32_t read = ring->read_pointer;

	while (read != __atomic_load_n(&ring->write_pointer, __ATOMIC_ACQUIRE)) {
		buf_ioreq_t slot = ring->buf_ioreq[read % IOREQ_BUFFER_SLOT_NUM];
		struct ioreq req = {
			.type = slot.type,
			.dir = slot.dir,
			.size = 1u << slot.size,
			.addr = slot.addr,
			.data = slot.data,
			.count = 1,
			.state = STATE_IOREQ_READY,
		};
		uint32_t used = 1;

		if (req.size == 8) {
			slot = ring->buf_ioreq[(read + 1) % IOREQ_BUFFER_SLOT_NUM];
			req.data |= (uint64_t)slot.data << 32;
			used = 2;
		}
		handle_ioreq(m, &req);
		read += used;
		/* The VMM may rewind both pointers at the same time: add, never store. */
		__atomic_fetch_add(&ring->read_pointer, used, __ATOMIC_SEQ_CST);
	}
}

static struct ioreq *vcpu_slot(struct xen_vmm *x, unsigned int vcpu)
{
	return &x->shared->vcpu_ioreq[vcpu];
}

bool xen_ioreq_serve_slot(struct machine *m, unsigned int vcpu)
{
	struct xen_vmm *x = xen_vmm(m);
	struct ioreq *slot = vcpu_slot(x, vcpu), req;

	if (slot->state != STATE_IOREQ_READY)
		return false;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	req = *slot;
	slot->state = STATE_IOREQ_INPROCESS;
	xen_ioreq_serve_buffered(m);
	handle_ioreq(m, &req);
	if (req.dir == IOREQ_READ && !req.data_is_ptr)
		slot->data = req.data;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	slot->state = STATE_IORESP_READY;
	return true;
}

void xen_ioreq_notify(struct machine *m, unsigned int vcpu)
{
	struct xen_vmm *x = xen_vmm(m);

	xenevtchn_notify(x->evtchn, x->vcpu_port[vcpu]);
}

static void handle_vcpu(struct machine *m, unsigned int vcpu)
{
	if (!xen_ioreq_serve_slot(m, vcpu))
		return;
	xen_vmm(m)->last_vcpu = vcpu;
	xen_ioreq_notify(m, vcpu);
}

static void evtchn_readable(void *opaque, uint32_t events)
{
	struct machine *m = opaque;
	struct xen_vmm *x = xen_vmm(m);
	xenevtchn_port_or_error_t port = xenevtchn_pending(x->evtchn);
	unsigned int i;

	if (port < 0)
		return;
	xenevtchn_unmask(x->evtchn, (evtchn_port_t)port);
	if (!x->serving)
		return;
	if ((evtchn_port_t)port == x->buffered_port) {
		xen_ioreq_serve_buffered(m);
		return;
	}
	for (i = 0; i < x->nr_vcpus; i++)
		if (x->vcpu_port[i] == (evtchn_port_t)port)
			handle_vcpu(m, i);
}

int xen_ioreq_init(struct machine *m)
{
	struct xen_vmm *x = xen_vmm(m);
	evtchn_port_t port = 0;
	void *pages = NULL;

	if (xendevicemodel_create_ioreq_server(x->dmod, x->domid, HVM_IOREQSRV_BUFIOREQ_ATOMIC,
					       &x->server)) {
		log_error("cannot create an ioreq server for domain %u: %s; does this HVM domain "
			  "exist?",
			  x->domid, strerror(errno));
		return -ENODEV;
	}
	x->have_server = true;
	x->pages = xenforeignmemory_map_resource(x->fmem, x->domid, XENMEM_resource_ioreq_server,
						 x->server, IOREQ_BUFFERED_FRAME, IOREQ_NR_FRAMES,
						 &pages, PROT_READ | PROT_WRITE, 0);
	if (!x->pages) {
		log_error("cannot map the request pages of domain %u: %s", x->domid,
			  strerror(errno));
		return -errno;
	}
	x->buffered = pages;
	x->shared = (void *)((uint8_t *)pages + DM_PAGE_SIZE);
	if (xendevicemodel_get_ioreq_server_info(x->dmod, x->domid, x->server, NULL, NULL, &port))
		return -errno;
	x->buffered_port = port;
	return 0;
}

static int bind_port(struct xen_vmm *x, evtchn_port_t remote, evtchn_port_t *local)
{
	xenevtchn_port_or_error_t port = xenevtchn_bind_interdomain(x->evtchn, x->domid, remote);

	if (port < 0) {
		log_error("cannot bind event channel %u of domain %u: %s", remote, x->domid,
			  strerror(errno));
		return -errno;
	}
	*local = (evtchn_port_t)port;
	return 0;
}

int xen_ioreq_start(struct machine *m)
{
	struct xen_vmm *x = xen_vmm(m);
	unsigned int i;
	int rc;

	if (xendevicemodel_set_ioreq_server_state(x->dmod, x->domid, x->server, 1)) {
		log_error("cannot enable the ioreq server: %s", strerror(errno));
		return -errno;
	}
	if (xendevicemodel_nr_vcpus(x->dmod, x->domid, &x->nr_vcpus))
		x->nr_vcpus = m->opt->max_vcpus;
	x->nr_vcpus = MIN(x->nr_vcpus, XEN_MAX_VCPUS);
	for (i = 0; i < x->nr_vcpus; i++) {
		rc = bind_port(x, vcpu_slot(x, i)->vp_eport, &x->vcpu_port[i]);
		if (rc)
			return rc;
	}
	rc = bind_port(x, x->buffered_port, &x->buffered_port);
	if (rc)
		return rc;
	if (x->nr_vcpus <= PLINTH_AHEAD_MAX_VCPUS)
		ahead_init(m, (void *)((uint8_t *)x->shared + PLINTH_AHEAD_OFFSET));
	rc = loop_add_fd(xenevtchn_fd(x->evtchn), EPOLLIN, evtchn_readable, m);
	if (!rc)
		xen_donate_start(m);
	return rc;
}

void xen_ioreq_set_serving(struct machine *m, bool on)
{
	struct xen_vmm *x = xen_vmm(m);
	unsigned int i;

	x->serving = on;
	if (!on)
		return;
	/* Requests that came while nobody looked. */
	xen_ioreq_serve_buffered(m);
	for (i = 0; i < x->nr_vcpus; i++)
		handle_vcpu(m, i);
}

void xen_ioreq_stop(struct machine *m)
{
	struct xen_vmm *x = xen_vmm(m);

	if (!x->have_server)
		return;
	x->have_server = false;
	xendevicemodel_set_ioreq_server_state(x->dmod, x->domid, x->server, 0);
	xendevicemodel_destroy_ioreq_server(x->dmod, x->domid, x->server);
}
