// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * HYPERVISOR_dm_op: what a device model may ask about its guest. Argument 0 is the domain, 1 the number of
 * buffers, 2 their descriptors; buffer 0 holds struct xen_dm_op. Operations on guest memory are in
 * dm_memory.c. xen/hvm/dm_op.h.
 */
#include "xen_abi.h"
#include <xen/hvm/dm_op.h>
#include "public/plinth_dm_op.h"
#include "dm_private.h"
#include "refuse.h"
#include "hvm_devices.h"
#include "hvm_ops.h"
#include "stretch.h"
#include "hvm_pc.h"
#include "vmm/hvm/ioreq_private.h"

#define MAX_BUFS 2U

static int op_server_info(struct domain *d, struct xen_dm_op_get_ioreq_server_info *info)
{
	if (info->flags & ~XEN_DMOP_no_gfns)
		return -EINVAL;
	if (!(info->flags & XEN_DMOP_no_gfns))
		return -EOPNOTSUPP; /* the pages are mapped by acquire_resource */
	return ioreq_server_buf_port(d, info->id, &info->bufioreq_port);
}

static int op_inject_event(struct domain *d, const struct xen_dm_op_inject_event *e)
{
	struct vcpu *v = domain_vcpu(d, e->vcpuid);

	if (!v)
		return -EINVAL;
	if (e->type == XEN_DMOP_EVENT_nmi) {
		v->hvm.nmi_pending = true;
		vcpu_wake(v, VCPU_ATT_NMI);
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

static int op_shutdown(struct domain *d, uint32_t reason)
{
	if (reason > SHUTDOWN_soft_reset)
		return -EINVAL;
	domain_shutdown(d, reason);
	return 0;
}

static int op_intx(struct domain *d, const struct xen_dm_op_set_pci_intx_level *i)
{
	if (i->domain || i->bus || i->device > 31 || i->intx > 3)
		return -EINVAL;
	hvm_pci_intx_set(d, i->device, i->intx, i->level);
	return 0;
}

static int op_isa(struct domain *d, const struct xen_dm_op_set_isa_irq_level *i)
{
	if (i->isa_irq > 15)
		return -EINVAL;
	hvm_isa_irq_set(d, i->isa_irq, i->level);
	return 0;
}

static int op_donate(struct domain *d, const struct plinth_dm_op_donate *o)
{
	if (o->reserved)
		return -EINVAL;
	return ioreq_donate(d, o->server, o->vcpu, o->answered);
}

static int op_post_writes(struct domain *d, const struct plinth_dm_op_post_writes *o)
{
	if (o->reserved)
		return -EINVAL;
	return ioreq_server_post_writes(d, o->server, o->first, o->last);
}

/* The form without buffers (public/plinth_dm_op.h). */
static int op_from_argument(struct xen_dm_op *op, uint64_t arg)
{
	struct plinth_dm_op_donate donate = {
		.op = PLINTH_DMOP_donate,
		.server = (uint16_t)(arg >> 32),
		.vcpu = (uint16_t)(arg >> 16),
		.answered = (uint16_t)arg,
	};

	if (arg >> 48 != PLINTH_DMOP_donate >> 16)
		return -EINVAL;
	memcpy(op, &donate, sizeof(donate));
	return 0;
}

/* The operation's size in buffer 0, or -errno. */
static int op_from_buffers(struct xen_dm_op *op, struct xen_dm_op_buf *buf, uint64_t la,
			   unsigned int nr)
{
	size_t size;

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

/* Operations whose argument comes back changed. */
static bool writes_back(uint32_t op)
{
	return op == XEN_DMOP_create_ioreq_server || op == XEN_DMOP_get_ioreq_server_info ||
	       op == XEN_DMOP_nr_vcpus || op == XEN_DMOP_modified_memory ||
	       op == XEN_DMOP_set_mem_type || op == XEN_DMOP_relocate_memory;
}

static int dispatch_server(struct domain *d, struct xen_dm_op *op)
{
	switch (op->op) {
	case XEN_DMOP_create_ioreq_server:
		return ioreq_server_create(d, current_domain()->domid,
					   op->u.create_ioreq_server.handle_bufioreq,
					   &op->u.create_ioreq_server.id);
	case XEN_DMOP_get_ioreq_server_info:
		return op_server_info(d, &op->u.get_ioreq_server_info);
	case XEN_DMOP_map_io_range_to_ioreq_server:
		return ioreq_server_map_range(d, op->u.map_io_range_to_ioreq_server.id,
					      op->u.map_io_range_to_ioreq_server.type,
					      op->u.map_io_range_to_ioreq_server.start,
					      op->u.map_io_range_to_ioreq_server.end);
	case XEN_DMOP_unmap_io_range_from_ioreq_server:
		return ioreq_server_unmap_range(d, op->u.unmap_io_range_from_ioreq_server.id,
						op->u.unmap_io_range_from_ioreq_server.type,
						op->u.unmap_io_range_from_ioreq_server.start,
						op->u.unmap_io_range_from_ioreq_server.end);
	case XEN_DMOP_set_ioreq_server_state:
		return ioreq_server_set_state(d, op->u.set_ioreq_server_state.id,
					      op->u.set_ioreq_server_state.enabled);
	case XEN_DMOP_destroy_ioreq_server:
		return ioreq_server_destroy(d, op->u.destroy_ioreq_server.id);
	default:
		return -ENOSYS;
	}
}

static int dispatch(struct domain *d, struct xen_dm_op *op, const struct xen_dm_op_buf *extra)
{
	switch (op->op) {
	case XEN_DMOP_set_pci_intx_level:
		return op_intx(d, &op->u.set_pci_intx_level);
	case XEN_DMOP_set_isa_irq_level:
		return op_isa(d, &op->u.set_isa_irq_level);
	case XEN_DMOP_set_pci_link_route:
		return hvm_pci_link_set(d, op->u.set_pci_link_route.link,
					op->u.set_pci_link_route.isa_irq);
	case XEN_DMOP_inject_msi:
		return hvm_inject_msi(d, op->u.inject_msi.addr, op->u.inject_msi.data);
	case XEN_DMOP_inject_event:
		return op_inject_event(d, &op->u.inject_event);
	case XEN_DMOP_remote_shutdown:
		return op_shutdown(d, op->u.remote_shutdown.reason);
	case XEN_DMOP_nr_vcpus:
		op->u.nr_vcpus.vcpus = d->max_vcpus;
		return 0;
	case XEN_DMOP_pin_memory_cacheattr:
		return dm_pin_cacheattr(&op->u.pin_memory_cacheattr);
	case XEN_DMOP_track_dirty_vram:
		return dm_track_dirty_vram(d, &op->u.track_dirty_vram, extra);
	case XEN_DMOP_modified_memory:
		return dm_modified_memory(d, &op->u.modified_memory, extra);
	case XEN_DMOP_set_mem_type:
		return dm_set_mem_type(d, &op->u.set_mem_type);
	case XEN_DMOP_relocate_memory:
		return dm_relocate_memory(d, &op->u.relocate_memory);
	case PLINTH_DMOP_donate:
		return op_donate(d, (const void *)op);
	case PLINTH_DMOP_post_writes:
		return op_post_writes(d, (const void *)op);
	default:
		return dispatch_server(d, op);
	}
}

long abi_dm_op(struct vcpu *v, const struct hypercall_args *args)
{
	struct xen_dm_op_buf buf[MAX_BUFS] = { 0 };
	struct xen_dm_op op = { 0 };
	unsigned int nr = (unsigned int)args->a[1];
	struct domain *d;
	int size;
	long rc;

	(void)v;
	if (!abi_privileged())
		return -EPERM;
	size = nr ? op_from_buffers(&op, buf, args->a[2], nr) : op_from_argument(&op, args->a[2]);
	if (size < 0)
		return size;
	stretch_doing("dm_op", op.op);
	d = domain_get_by_id((domid_t)args->a[0]);
	if (!d)
		return -ESRCH;
	refusal_begin(&dm_family, op.op, d->domid);
	refusal_charge(d);
	if (d == current_domain() || d->is_pvh)
		rc = refuse(-EINVAL, "%s has no device model",
			    d->is_pvh ? "a PVH domain" : "the caller");
	else
		rc = dispatch(d, &op, nr > 1 ? &buf[1] : NULL);
	refusal_end(rc, &op.u, sizeof(op.u));
	domain_put(d);
	if (writes_back(op.op) && (rc == 0 || rc == -ERESTART) &&
	    copy_to_guest_la(guest_handle_la(buf[0].h), &op, (size_t)size))
		rc = -EFAULT;
	return rc;
}
