/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VMM interface over Xen's stable libraries: device-model operations, foreign mappings, and the
 * raw hypercalls (populate_physmap, getdomaininfo) that must happen before the process restricts itself.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <xenstore.h>
#include <xen/domctl.h>
#include <xen/hvm/hvm_op.h>
#include <xen/memory.h>

#include "core/dma.h"
#include "core/log.h"
#include "core/options.h"
#include "core/util.h"
#include "core/vmm.h"
#include "core/xen_priv.h"

#define BITS_PER_LONG  (8 * sizeof(unsigned long))
#define POPULATE_BATCH 1024
#define LARGE_ORDER    9
#define LARGE_PAGES    (1u << LARGE_ORDER)

static int ret(int rc)
{
	return rc ? -errno : 0;
}

static int xen_claim_io(struct machine *m, bool is_mmio, uint64_t first, uint64_t last)
{
	struct xen_vmm *x = xen_vmm(m);

	return ret(xendevicemodel_map_io_range_to_ioreq_server(x->dmod, x->domid, x->server,
							       is_mmio, first, last));
}

static void xen_release_io(struct machine *m, bool is_mmio, uint64_t first, uint64_t last)
{
	struct xen_vmm *x = xen_vmm(m);

	xendevicemodel_unmap_io_range_from_ioreq_server(x->dmod, x->domid, x->server, is_mmio,
							first, last);
}

static int xen_claim_pci(struct machine *m, uint8_t devfn)
{
	struct xen_vmm *x = xen_vmm(m);

	return ret(xendevicemodel_map_pcidev_to_ioreq_server(x->dmod, x->domid, x->server, 0, 0,
							     devfn >> 3, devfn & 7));
}

static void xen_release_pci(struct machine *m, uint8_t devfn)
{
	struct xen_vmm *x = xen_vmm(m);

	xendevicemodel_unmap_pcidev_from_ioreq_server(x->dmod, x->domid, x->server, 0, 0,
						      devfn >> 3, devfn & 7);
}

static int xen_set_isa_irq(struct machine *m, unsigned int irq, bool level)
{
	struct xen_vmm *x = xen_vmm(m);

	return ret(xendevicemodel_set_isa_irq_level(x->dmod, x->domid, (uint8_t)irq, level));
}

static int xen_set_pci_intx(struct machine *m, unsigned int device, unsigned int pin, bool level)
{
	struct xen_vmm *x = xen_vmm(m);

	return ret(xendevicemodel_set_pci_intx_level(x->dmod, x->domid, 0, 0, (uint8_t)device,
						     (uint8_t)pin, level));
}

static int xen_set_pci_link(struct machine *m, unsigned int link, unsigned int irq)
{
	struct xen_vmm *x = xen_vmm(m);

	return ret(
		xendevicemodel_set_pci_link_route(x->dmod, x->domid, (uint8_t)link, (uint8_t)irq));
}

static int xen_inject_msi(struct machine *m, uint64_t addr, uint32_t data)
{
	struct xen_vmm *x = xen_vmm(m);

	return ret(xendevicemodel_inject_msi(x->dmod, x->domid, addr, data));
}

static void *xen_map(struct machine *m, uint64_t gfn, size_t nr_pages, unsigned long *bad)
{
	struct xen_vmm *x = xen_vmm(m);
	xen_pfn_t *gfns = xzalloc(nr_pages * sizeof(*gfns));
	int *err = xzalloc(nr_pages * sizeof(*err));
	size_t i, good = 0;
	void *p;

	for (i = 0; i < nr_pages; i++)
		gfns[i] = gfn + i;
	p = xenforeignmemory_map(x->fmem, x->domid, PROT_READ | PROT_WRITE, nr_pages, gfns, err);
	for (i = 0; p && i < nr_pages; i++) {
		if (err[i])
			bad[i / BITS_PER_LONG] |= 1ul << i % BITS_PER_LONG;
		else
			good++;
	}
	if (p && !good) {
		xenforeignmemory_unmap(x->fmem, p, nr_pages);
		p = NULL;
	}
	free(gfns);
	free(err);
	return p;
}

static void xen_unmap(struct machine *m, void *p, size_t nr_pages)
{
	xenforeignmemory_unmap(xen_vmm(m)->fmem, p, nr_pages);
}

/* XENMEM_populate_physmap for up to POPULATE_BATCH extents of 2^order pages: how many there are now, or -errno. */
static int populate_batch(struct xen_vmm *x, uint64_t gfn, size_t nr, unsigned int order)
{
	struct {
		xen_memory_reservation_t res;
		xen_pfn_t gfns[POPULATE_BATCH];
	} *buf = xencall_alloc_buffer(x->xcall, sizeof(*buf));
	size_t i;
	int rc;

	if (!buf)
		return -ENOMEM;
	memset(&buf->res, 0, sizeof(buf->res));
	for (i = 0; i < nr; i++)
		buf->gfns[i] = gfn + (i << order);
	set_xen_guest_handle(buf->res.extent_start, buf->gfns);
	buf->res.nr_extents = nr;
	buf->res.extent_order = order;
	buf->res.domid = x->domid;
	rc = xencall2(x->xcall, __HYPERVISOR_memory_op, XENMEM_populate_physmap,
		      (uintptr_t)&buf->res);
	if (rc < 0)
		rc = -errno;
	xencall_free_buffer(x->xcall, buf);
	return rc;
}

/* In large pages as far as there are some: fewer entries for the VMM to make and for the CPU to look up. */
static int populate(struct xen_vmm *x, uint64_t gfn, size_t nr_pages)
{
	size_t done = 0, n;
	int made;

	if (!((gfn | nr_pages) & (LARGE_PAGES - 1))) {
		made = populate_batch(x, gfn, MIN(nr_pages / LARGE_PAGES, POPULATE_BATCH),
				      LARGE_ORDER);
		done = made > 0 ? (size_t)made * LARGE_PAGES : 0;
	}
	for (; done < nr_pages; done += n) {
		n = MIN(nr_pages - done, POPULATE_BATCH);
		made = populate_batch(x, gfn + done, n, 0);
		if (made < 0 || (size_t)made < n)
			return made < 0 ? made : -ENOMEM;
	}
	return 0;
}

static void *xen_populate(struct machine *m, uint64_t gfn, size_t nr_pages)
{
	struct xen_vmm *x = xen_vmm(m);
	unsigned long *bad;
	size_t i;
	void *p;
	/* A restored guest brings these pages along. */
	bool exist = m->opt->incoming_fd >= 0;
	int rc = exist || x->xcall ? 0 : -EPERM;

	if (!exist && !rc)
		rc = populate(x, gfn, nr_pages);
	if (rc) {
		errno = -rc;
		return NULL;
	}
	bad = xzalloc((nr_pages / BITS_PER_LONG + 1) * sizeof(*bad));
	p = xen_map(m, gfn, nr_pages, bad);
	for (i = 0; p && i <= nr_pages / BITS_PER_LONG; i++) {
		if (!bad[i])
			continue;
		xen_unmap(m, p, nr_pages);
		p = NULL;
		errno = EFAULT;
	}
	free(bad);
	return p;
}

static int xen_relocate(struct machine *m, uint64_t from_gfn, uint64_t to_gfn, size_t nr_pages)
{
	struct xen_vmm *x = xen_vmm(m);

	return ret(xendevicemodel_relocate_memory(x->dmod, x->domid, (uint32_t)nr_pages, from_gfn,
						  to_gfn));
}

static int xen_pin_wc(struct machine *m, uint64_t gfn, size_t nr_pages, bool on)
{
	struct xen_vmm *x = xen_vmm(m);

	return ret(xendevicemodel_pin_memory_cacheattr(x->dmod, x->domid, gfn, gfn + nr_pages - 1,
						       on ? XEN_DMOP_MEM_CACHEATTR_WC
							  : XEN_DMOP_DELETE_MEM_CACHEATTR));
}

static int xen_track_dirty(struct machine *m, uint64_t gfn, size_t nr_pages, unsigned long *bitmap)
{
	struct xen_vmm *x = xen_vmm(m);

	return ret(xendevicemodel_track_dirty_vram(x->dmod, x->domid, gfn, (uint32_t)nr_pages,
						   bitmap));
}

static int xen_modified(struct machine *m, uint64_t gfn, size_t nr_pages)
{
	struct xen_vmm *x = xen_vmm(m);

	return ret(xendevicemodel_modified_memory(x->dmod, x->domid, gfn, (uint32_t)nr_pages));
}

/*
 * RAM is RAM from the start here (hvmloader relies on it), so PAM can only make it read-only: what is not
 * readable stays as it was.
 */
static int xen_set_ram_access(struct machine *m, uint64_t gfn, size_t nr_pages, bool readable,
			      bool writable)
{
	struct xen_vmm *x = xen_vmm(m);
	bool read_only = readable && !writable;

	return ret(xendevicemodel_set_mem_type(x->dmod, x->domid,
					       read_only ? HVMMEM_ram_ro : HVMMEM_ram_rw, gfn,
					       (uint32_t)nr_pages));
}

static int xen_shutdown(struct machine *m, enum vmm_shutdown reason)
{
	struct xen_vmm *x = xen_vmm(m);
	int rc = ret(xendevicemodel_shutdown(x->dmod, x->domid, reason));

	if (rc)
		log_error("cannot shut down domain %u: %s", x->domid, strerror(-rc));
	return rc;
}

static const struct vmm_ops xen_ops = {
	.claim_io = xen_claim_io,
	.release_io = xen_release_io,
	.post_writes = xen_post_writes,
	.claim_pci = xen_claim_pci,
	.release_pci = xen_release_pci,
	.set_isa_irq = xen_set_isa_irq,
	.set_pci_intx = xen_set_pci_intx,
	.set_pci_link = xen_set_pci_link,
	.inject_msi = xen_inject_msi,
	.map = xen_map,
	.unmap = xen_unmap,
	.populate = xen_populate,
	.relocate = xen_relocate,
	.pin_write_combining = xen_pin_wc,
	.track_dirty = xen_track_dirty,
	.modified = xen_modified,
	.set_ram_access = xen_set_ram_access,
	.shutdown = xen_shutdown,
};

/*
 * Is the guest on shadow page tables? xl tells the device model nothing of hap=0, so the VMM is asked as the tools do it,
 * once, while this process may. One that has another version of that interface has no such guests, as Debian's Xen.
 */
static bool on_shadow_tables(struct xen_vmm *x)
{
	struct xen_domctl *op = xencall_alloc_buffer(x->xcall, sizeof(*op));
	bool shadow;

	if (!op)
		return false;
	*op = (struct xen_domctl){ .cmd = XEN_DOMCTL_getdomaininfo,
				   .interface_version = XEN_DOMCTL_INTERFACE_VERSION,
				   .domain = x->domid };
	shadow = !xencall1(x->xcall, __HYPERVISOR_domctl, (uintptr_t)op) &&
		 !(op->u.getdomaininfo.flags & XEN_DOMINF_hap);
	xencall_free_buffer(x->xcall, op);
	return shadow;
}

static int xen_init(struct machine *m)
{
	struct xen_vmm *x = xzalloc(sizeof(*x));

	x->domid = (domid_t)m->opt->domid;
	x->dmod = xendevicemodel_open(NULL, 0);
	x->fmem = xenforeignmemory_open(NULL, 0);
	x->evtchn = xenevtchn_open(NULL, 0);
	x->xcall = xencall_open(NULL, 0);
	if (!x->dmod || !x->fmem || !x->evtchn || !x->xcall) {
		log_error("cannot open /dev/xen (privcmd, evtchn): %s; is this domain 0, are the "
			  "xen-privcmd and xen-evtchn modules loaded?",
			  strerror(errno));
		return -ENODEV;
	}
	m->vmm = &xen_ops;
	m->vmm_priv = x;
	if (on_shadow_tables(x))
		dma_tell_writes(m);
	xen_plinth_open(m);
	return xen_ioreq_init(m);
}

static int xen_start(struct machine *m)
{
	struct xen_vmm *x = xen_vmm(m);

	xencall_close(x->xcall);
	x->xcall = NULL;
	return xen_ioreq_start(m);
}

static int xen_write_state(struct machine *m, const char *state)
{
	struct xs_handle *xs = xs_open(0);
	char path[64];
	bool ok;

	if (!xs) {
		log_error("cannot reach xenstore: %s; is xenstored running?", strerror(errno));
		return -errno;
	}
	snprintf(path, sizeof(path), "device-model/%d/state", m->opt->domid);
	ok = xs_write(xs, XBT_NULL, path, state, (unsigned int)strlen(state));
	if (!ok)
		log_error("cannot write %s to xenstore: %s", path, strerror(errno));
	xs_close(xs);
	return ok ? 0 : -EIO;
}

const struct vmm_backend vmm_xen = {
	.init = xen_init,
	.start = xen_start,
	.stop = xen_ioreq_stop,
	.set_serving = xen_ioreq_set_serving,
	.write_state = xen_write_state,
};
