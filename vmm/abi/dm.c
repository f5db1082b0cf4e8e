// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * HYPERVISOR_dm_op: what a device model may ask about its guest. Argument 0 is the domain, 1 the number of
 * buffers, 2 their descriptors; buffer 0 holds struct xen_dm_op. Operations on guest memory process
 * a bounded part, move their argument on, and go on later. xen/hvm/dm_op.h.
 */
#include "command.h"
#include "public/plinth_dm_op.h"
#include "hvm_ops.h"
#include "vmm/hvm/hvm.h"
#include <xen/hvm/dm_op.h>
#include <xen/hvm/hvm_op.h>

/*
 * --- guest memory: which frames of video memory were written, what the device model wrote by DMA, frame types,
 * moving video memory ---
 */

/* What is done between two looks for other work. */
#define TYPE_BATCH	64U
#define VRAM_MAX_FRAMES 16384U /* 64 MiB */

static long op_track_dirty_vram(struct call *c)
{
	const struct xen_dm_op_track_dirty_vram *t = c->arg;
	const struct xen_dm_op_buf *extra = c->extra;
	struct frames range;
	uint8_t *map;
	size_t bytes;
	int rc;

	if (t->pad || t->nr > VRAM_MAX_FRAMES)
		return -EINVAL;
	if (!t->nr) {
		vram_track_stop(c->d);
		return 0;
	}
	bytes = DIV_ROUND_UP(t->nr, 8U);
	if (!extra || extra->size < bytes ||
	    !frames_make(t->first_pfn, t->nr, p2m_gfn_limit(), &range))
		return -EINVAL;
	map = xzalloc_bytes(bytes);
	if (!map)
		return -ENOMEM;
	do
		rc = vram_track(c->d, &range, map);
	while (rc == -ERESTART && !hypercall_preempt());
	if (!rc && copy_to_guest_la(guest_handle_la(extra->h), map, bytes))
		rc = -EFAULT;
	xfree(map);
	return rc;
}

/* Some of an extent, from frame *done on. *done = 0: that was all of it. */
static int modified_piece(struct domain *d, uint64_t la, uint32_t *done)
{
	struct xen_dm_op_modified_memory_extent e;
	struct frames all, f;

	if (copy_from_guest_la(&e, la, sizeof(e)))
		return -EFAULT;
	if (e.pad || e.nr > VRAM_MAX_FRAMES || *done > e.nr ||
	    !frames_make(e.first_pfn, e.nr, p2m_gfn_limit(), &all))
		return -EINVAL;
	f = frames_part(&all, *done, e.nr);
	f.nr = paging_give_up_some(d, &f);
	logdirty_wrote_range(d, &f);
	*done = frames_end(&f) == frames_end(&all) ? 0 : *done + (uint32_t)f.nr;
	return 0;
}

/* From the last extent to the first, of which `opaque` says what is done. */
static long op_modified_memory(struct call *c)
{
	struct xen_dm_op_modified_memory *m = c->arg;
	const struct xen_dm_op_buf *extra = c->extra;
	const size_t size = sizeof(struct xen_dm_op_modified_memory_extent);
	int rc = 0;

	if (!extra || (uint64_t)m->nr_extents * size > extra->size)
		return -EINVAL;
	while (m->nr_extents && !rc) {
		rc = modified_piece(c->d, guest_handle_la(extra->h) + (m->nr_extents - 1) * size,
				    &m->opaque);
		m->nr_extents -= !rc && !m->opaque;
		if (!rc && m->nr_extents && hypercall_preempt())
			rc = -ERESTART;
	}
	return rc;
}

static int type_of(uint16_t mem_type, enum p2m_type *t)
{
	switch (mem_type) {
	case HVMMEM_ram_rw:
		*t = P2M_RAM_RW;
		return 0;
	case HVMMEM_ram_ro:
		*t = P2M_RAM_RO;
		return 0;
	case HVMMEM_mmio_dm:
		*t = P2M_MMIO_DM;
		return 0;
	default:
		return -EINVAL;
	}
}

/*
 * Frames of RAM change between writable and read-only; holes may be named device-model ranges. *f begins with the
 * frames that have been looked at: those of one type.
 */
static int set_types(struct domain *d, struct frames *f, enum p2m_type to)
{
	enum p2m_type now = p2m_get(d, _gfn(f->first)).type;
	uint64_t n = 1;

	while (n < f->nr && p2m_get(d, _gfn(f->first + n)).type == now)
		n++;
	*f = frames_part(f, 0, n);
	if (to == P2M_MMIO_DM)
		return p2m_has_page(now) ? -EINVAL : 0;
	if (!p2m_is_ram(now))
		return now == P2M_INVALID || now == P2M_MMIO_DM ? 0 : -EINVAL;
	/* What is logged may be written. */
	if (now == to || (now == P2M_RAM_LOGDIRTY && to == P2M_RAM_RW))
		return 0;
	return p2m_change_range(d, f, now, to, NULL);
}

static long op_set_mem_type(struct call *c)
{
	struct xen_dm_op_set_mem_type *t = c->arg;
	enum p2m_type to;
	struct frames all;
	int rc = type_of(t->mem_type, &to);

	if (rc || t->pad || !frames_make(t->first_pfn, t->nr, p2m_gfn_limit(), &all))
		return -EINVAL;
	for (uint64_t done = 0; done < all.nr && !rc;) {
		struct frames f = frames_part(&all, done, TYPE_BATCH);

		rc = set_types(c->d, &f, to);
		done += rc ? 0 : f.nr;
		t->first_pfn = all.first + done;
		t->nr = (uint32_t)(all.nr - done);
		if (!rc && t->nr && hypercall_preempt())
			rc = -ERESTART;
	}
	return rc;
}

/* d->lock held. */
static int move_locked(struct domain *d, gfn_t src, gfn_t dst)
{
	struct p2m_entry from = p2m_get(d, src), to = p2m_get(d, dst);

	if (!p2m_is_ram(from.type) || p2m_has_page(to.type) || to.type == P2M_POD)
		return -EINVAL;
	return grant_move_page(d, mfn_to_page(from.mfn), src, dst);
}

/*
 * Takes the frame away from src and puts it at dst, where nothing may be. Under the lock: the guest may give
 * the page back at the same time.
 */
static int move_frame(struct domain *d, gfn_t src, gfn_t dst)
{
	int rc;

	spin_lock(&d->lock);
	rc = move_locked(d, src, dst);
	spin_unlock(&d->lock);
	return rc;
}

static long op_relocate_memory(struct call *c)
{
	struct xen_dm_op_relocate_memory *r = c->arg;
	struct frames src, dst;
	int rc = 0;

	if (!frames_make(r->src_gfn, r->size, p2m_gfn_limit(), &src) ||
	    !frames_make(r->dst_gfn, r->size, p2m_gfn_limit(), &dst))
		return -EINVAL;
	for (uint64_t i = 0; i < src.nr && !rc; i++) {
		if (i && hypercall_preempt()) /* one move may look at thousands of grants */
			return -ERESTART;
		rc = move_frame(c->d, _gfn(src.first + i), _gfn(dst.first + i));
		if (rc)
			break;
		r->size--;
		r->src_gfn++;
		r->dst_gfn++;
	}
	return rc;
}

/*
 * All guest memory is write-back; the guest's PAT and MTRRs choose below it. So a wish is looked at, and no more is
 * done about it.
 */
static long op_pin_memory_cacheattr(struct call *c)
{
	static const uint32_t known =
		BIT(XEN_DMOP_MEM_CACHEATTR_UC) | BIT(XEN_DMOP_MEM_CACHEATTR_WC) |
		BIT(XEN_DMOP_MEM_CACHEATTR_WT) | BIT(XEN_DMOP_MEM_CACHEATTR_WP) |
		BIT(XEN_DMOP_MEM_CACHEATTR_WB) | BIT(XEN_DMOP_MEM_CACHEATTR_UCM);
	const struct xen_dm_op_pin_memory_cacheattr *p = c->arg;
	struct frames range;

	if (p->pad || !frames_make_to(p->start, p->end, p2m_gfn_limit(), &range))
		return -EINVAL;
	return p->type == XEN_DMOP_DELETE_MEM_CACHEATTR || (p->type < 32 && known >> p->type & 1)
		       ? 0
		       : -EINVAL;
}

#define MAX_BUFS 2U

static long op_get_ioreq_server_info(struct call *c)
{
	struct xen_dm_op_get_ioreq_server_info *info = c->arg;

	if (info->flags & ~XEN_DMOP_no_gfns)
		return -EINVAL;
	if (!(info->flags & XEN_DMOP_no_gfns))
		return -EOPNOTSUPP; /* the pages are mapped by acquire_resource */
	return ioreq_server_buf_port(c->d, info->id, &info->bufioreq_port);
}

static long op_inject_event(struct call *c)
{
	const struct xen_dm_op_inject_event *e = c->arg;
	struct vcpu *v = domain_vcpu(c->d, e->vcpuid);

	if (!v)
		return -EINVAL;
	if (e->type == XEN_DMOP_EVENT_nmi) {
		hvm_send_nmi(v);
		return 0;
	}
	if (e->type != XEN_DMOP_EVENT_hw_exc)
		return -EOPNOTSUPP;
	vcpu_pause(v);
	hvm_inject_exception(v, e->vector, e->error_code != ~0U, e->error_code);
	if (e->vector == X86_EXC_PF)
		v->hvm.event.cr2 = e->cr2;
	vcpu_unpause(v);
	return 0;
}

static long op_remote_shutdown(struct call *c)
{
	uint32_t reason = ((struct xen_dm_op_remote_shutdown *)c->arg)->reason;

	if (reason > SHUTDOWN_soft_reset)
		return -EINVAL;
	domain_shutdown(c->d, reason);
	return 0;
}

static long op_set_pci_intx_level(struct call *c)
{
	const struct xen_dm_op_set_pci_intx_level *i = c->arg;

	if (i->domain || i->bus || i->device > 31 || i->intx > 3)
		return -EINVAL;
	hvm_pci_intx_set(c->d, i->device, i->intx, i->level);
	return 0;
}

static long op_set_isa_irq_level(struct call *c)
{
	const struct xen_dm_op_set_isa_irq_level *i = c->arg;

	if (i->isa_irq > 15)
		return -EINVAL;
	hvm_isa_irq_set(c->d, i->isa_irq, i->level);
	return 0;
}

DOES(op_nr_vcpus, xen_dm_op_nr_vcpus, a->vcpus = c->d->max_vcpus)

/* Plinth's own are in place of struct xen_dm_op. */
#define OWN_OP(c, type) ((const struct type *)(void *)container_of((c)->arg, struct xen_dm_op, u))

static long op_user_calls(struct call *c)
{
	const struct plinth_dm_op_user_calls *o = OWN_OP(c, plinth_dm_op_user_calls);

	if (o->reserved[0] | o->reserved[1] | o->reserved[2])
		return -EINVAL;
	return ioreq_server_user_calls(c->d, o->server);
}

static long op_post_writes(struct call *c)
{
	const struct plinth_dm_op_post_writes *o = OWN_OP(c, plinth_dm_op_post_writes);

	return o->reserved ? -EINVAL : ioreq_server_post_writes(c->d, o->server, o->first, o->last);
}

ARM(op_create_ioreq_server, xen_dm_op_create_ioreq_server,
    ioreq_server_create(c->d, c->v->domain->domid, a->handle_bufioreq, &a->id))
ARM(op_map_io_range_to_ioreq_server, xen_dm_op_ioreq_server_range,
    ioreq_server_map_range(c->d, a->id, a->type, a->start, a->end))
ARM(op_unmap_io_range_from_ioreq_server, xen_dm_op_ioreq_server_range,
    ioreq_server_unmap_range(c->d, a->id, a->type, a->start, a->end))
ARM(op_set_ioreq_server_state, xen_dm_op_set_ioreq_server_state,
    ioreq_server_set_state(c->d, a->id, a->enabled))
ARM(op_destroy_ioreq_server, xen_dm_op_destroy_ioreq_server, ioreq_server_destroy(c->d, a->id))
ARM(op_set_pci_link_route, xen_dm_op_set_pci_link_route,
    hvm_pci_link_set(c->d, a->link, a->isa_irq))
ARM(op_inject_msi, xen_dm_op_inject_msi, hvm_inject_msi(c->d, a->addr, a->data))

/* --- the table --------------------------------------------------------------------------------- */

#define CMD(n, flags, takes) [XEN_DMOP_##n] = PLAIN(#n, op_##n, flags, takes)
#define NO(n, takes)	     [XEN_DMOP_##n] = ANSWER(#n, -ENOSYS, 0, takes)
/* Plinth's own numbers follow Xen's. */
#define OWN_FIRST (XEN_DMOP_nr_vcpus + 1)
#define OWN(nr)	  (OWN_FIRST + ((nr)&3) - 1)

static const struct abi_command commands[] = {
	CMD(create_ioreq_server, COPYBACK, "handle_bufioreq 0 (no ring), 1 or 2"),
	CMD(get_ioreq_server_info, COPYBACK,
	    "a server of the caller's, with XEN_DMOP_no_gfns: its pages come by XENMEM_acquire_resource"),
	CMD(map_io_range_to_ioreq_server, 0,
	    "a server of the caller's, type port (0), memory (1) or PCI (2), first <= last, no overlap"),
	CMD(unmap_io_range_from_ioreq_server, 0, "a range as it was mapped"),
	CMD(set_ioreq_server_state, 0, "a server of the caller's"),
	CMD(destroy_ioreq_server, 0, "a server of the caller's"),
	CMD(track_dirty_vram, 0, "up to 16384 frames, and a second buffer with a bit for each"),
	CMD(set_pci_intx_level, 0, "domain and bus 0, device 0-31, pin 0-3"),
	CMD(set_isa_irq_level, 0, "interrupt 0-15"),
	CMD(set_pci_link_route, 0, "link 0-3, interrupt 0-15"),
	CMD(modified_memory, COPYBACK,
	    "a second buffer with that many extents, each up to 16384 frames"),
	CMD(set_mem_type, COPYBACK,
	    "RAM, read-only RAM or memory of the device model, for frames that are RAM or nothing"),
	CMD(inject_event, 0, "an exception or NMI for a vCPU that is there"),
	CMD(inject_msi, 0, "an address at 0xfeexxxxx, delivery fixed, lowest priority or NMI"),
	NO(map_mem_type_to_ioreq_server, "write-protected memory of a device model is not there"),
	CMD(remote_shutdown, 0, "reason 0-5"),
	CMD(relocate_memory, COPYBACK, "frames of RAM, to where there is nothing"),
	CMD(pin_memory_cacheattr, 0, "anything"),
	NO(set_irq_level, "it is about ARM guests"),
	CMD(nr_vcpus, COPYBACK, "nothing"),
	[OWN(PLINTH_DMOP_user_calls)] =
		PLAIN("user_calls", op_user_calls, 0, "a server of the caller's"),
	[OWN(PLINTH_DMOP_post_writes)] =
		PLAIN("post_writes", op_post_writes, 0, "ports of a server that are there"),
};

const struct abi_family dm_family = {
	.name = "dm_op",
	.commands = commands,
	.nr = ARRAY_SIZE(commands),
	.other = ANSWER(NULL, -ENOSYS, 0, NO_SUCH_COMMAND),
};

/* Where it is in the table. */
static uint32_t number_of(uint32_t op)
{
	if (op == PLINTH_DMOP_user_calls || op == PLINTH_DMOP_post_writes)
		return OWN(op);
	return op >= OWN_FIRST ? UINT32_MAX : op;
}

/* --- the argument ------------------------------------------------------------------------------ */

/* The operation's size in buffer 0, or -errno. */
static int op_from_buffers(struct xen_dm_op *op, struct xen_dm_op_buf *buf, uint64_t la,
			   unsigned int nr)
{
	size_t size;

	if (!nr)
		return -EINVAL;
	if (nr > MAX_BUFS)
		return -E2BIG;
	if (copy_from_guest_la(buf, la, nr * sizeof(buf[0])))
		return -EFAULT;
	size = min((size_t)buf[0].size, sizeof(*op));
	if (size < offsetof(struct xen_dm_op, u) ||
	    copy_from_guest_la(op, guest_handle_la(buf[0].h), size))
		return -EFAULT;
	return op->pad ? -EINVAL : (int)size;
}

static long with_domain(struct call *c)
{
	if (c->d == c->v->domain || c->d->is_pvh)
		return refuse(-EINVAL, "%s has no device model",
			      c->d->is_pvh ? "a PVH domain" : "the caller");
	return call_do(c);
}

long abi_dm_op(struct call *c)
{
	struct xen_dm_op_buf buf[MAX_BUFS] = { 0 };
	struct xen_dm_op op = { 0 };
	unsigned int nr = (unsigned int)c->a[1];
	struct domain *d;
	int size;
	long rc;

	size = op_from_buffers(&op, buf, c->a[2], nr);
	if (size < 0)
		return size;
	d = domain_get_by_id((domid_t)c->a[0]);
	if (!d)
		return -ESRCH;
	call_begin(c, &dm_family, number_of(op.op));
	c->cmd = op.op;
	/* cppcheck-suppress autoVariables ; the command ends below */
	c->arg = &op.u;
	c->extra = nr > 1 ? &buf[1] : NULL;
	c->payer = d->is_dom0 ? NULL : d;
	rc = call_about(c, d, d->domid);
	if (!rc)
		rc = with_domain(c);
	if (call_goes_back(c, rc) && copy_to_guest_la(guest_handle_la(buf[0].h), &op, (size_t)size))
		rc = -EFAULT;
	c->extra = NULL;
	return call_end(c, rc, &op.u, sizeof(op.u));
}
