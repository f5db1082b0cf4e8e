/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A domain that is destroyed while others look at it, have its pages, or are its device model. */
#include "threads.h"
#include "abi.h"
#include "guest_access.h"
#include <xen/domctl.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/hvm/dm_op.h>
#include <xen/hvm/hvm_op.h>
#include <xen/memory.h>

#define A     DOMID_A
#define B     DOMID_B
#define PAGES 16U
#define LATER 6U /* steps of dom0 before it begins */

static bool destroys(struct vcpu *v, domid_t id, unsigned int n)
{
	struct xen_domctl op = { 0 };

	if (n == LATER)
		domctl(v, XEN_DOMCTL_destroydomain, id, &op);
	return n < LATER + 12;
}

static bool destroys_a(struct vcpu *v, unsigned int n)
{
	return destroys(v, A, n);
}

static bool destroys_b(struct vcpu *v, unsigned int n)
{
	return destroys(v, B, n);
}

/* --- its map -------------------------------------------------------------------------------------- */

/* Tools look at frames, and map them. */
static bool looks_at_frames(struct vcpu *v, unsigned int n)
{
	struct xen_hvm_get_mem_type op = { .domid = A, .pfn = n % GUEST_RAM };

	call_op(v, __HYPERVISOR_hvm_op, HVMOP_get_mem_type, &op, sizeof(op));
	return true;
}

static bool maps_frames(struct vcpu *v, unsigned int n)
{
	struct xen_add_to_physmap_batch b = { .domid = DOMID_SELF,
					      .space = XENMAPSPACE_gmfn_foreign,
					      .size = PAGES,
					      .u.foreign_domid = A };
	uint64_t *list = list_page(v);

	for (unsigned int i = 0; i < PAGES; i++) {
		list[i] = (i + n) % GUEST_RAM;
		list[PAGES + i] = HOLE_FIRST + i;
	}
	guest_handle_set(b.idxs, list_la(v));
	guest_handle_set(b.gpfns, list_la(v) + 8 * PAGES);
	guest_handle_set(b.errs, list_la(v) + 16 * PAGES);
	call_op(v, __HYPERVISOR_memory_op, XENMEM_add_to_physmap_batch, &b, sizeof(b));
	return true;
}

static bool copies_from_a(struct vcpu *v, unsigned int n)
{
	struct gnttab_copy op = { .len = 64, .flags = GNTCOPY_source_gref };

	op.source.domid = A;
	op.source.u.ref = n % PAGES;
	op.dest.domid = DOMID_SELF;
	op.dest.u.gmfn = 20 + n % 8;
	call_op(v, __HYPERVISOR_grant_table_op, GNTTABOP_copy, &op, sizeof(op));
	return true;
}

static void grant_a_to_b(void)
{
	for (unsigned int i = 0; i < PAGES; i++)
		grant(dom(A), i, B, 20 + i, false);
}

RACE(destroy_frames, 24)
{
	RACE_ACTS({ 0, 0, 0, destroys_a, false }, { 0, 1, 1, looks_at_frames, true });
}

RACE(destroy_foreign, 24)
{
	RACE_ACTS({ 0, 0, 0, destroys_a, false }, { 0, 1, 1, maps_frames, true });
}

RACE(destroy_copy, 24)
{
	grant_a_to_b();
	RACE_ACTS({ 0, 0, 0, destroys_a, false }, { B, 0, 1, copies_from_a, true },
		  { B, 1, 2, copies_from_a, true });
}

/* --- its grants ----------------------------------------------------------------------------------- */

/* A handle that is guessed may be the other vCPU's: that is what is wanted. */
static bool maps_and_unmaps(struct vcpu *v, unsigned int n)
{
	uint64_t at = (uint64_t)(FIRST_HOLE + any(8)) << PAGE_SHIFT;
	struct gnttab_map_grant_ref m = {
		.host_addr = at, .flags = GNTMAP_host_map, .ref = any(PAGES), .dom = A
	};
	struct gnttab_unmap_grant_ref u = { .host_addr = at, .handle = any(8) };

	if (n & 1)
		call_op(v, __HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, &m, sizeof(m));
	else
		call_op(v, __HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref, &u, sizeof(u));
	return true;
}

RACE(destroy_grants, 24)
{
	grant_a_to_b();
	RACE_ACTS({ 0, 0, 0, destroys_a, false }, { B, 0, 1, maps_and_unmaps, true },
		  { B, 1, 2, maps_and_unmaps, true });
}

/* The mapper dies, with the mappings it has. */
RACE(destroy_mapper, 24)
{
	grant_a_to_b();
	RACE_ACTS({ 0, 0, 0, destroys_b, false }, { B, 0, 1, maps_and_unmaps, true },
		  { B, 1, 2, maps_and_unmaps, true });
}

/* --- its event channels --------------------------------------------------------------------------- */

static bool allocates(struct vcpu *v, unsigned int n)
{
	struct evtchn_alloc_unbound u = { .dom = DOMID_SELF, .remote_dom = B };

	if (n > 30)
		return true;
	call_op(v, __HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, &u, sizeof(u));
	return true;
}

static bool binds_and_sends(struct vcpu *v, unsigned int n)
{
	struct evtchn_bind_interdomain b = { .remote_dom = A, .remote_port = 1 + any(20) };
	struct evtchn_send s = { .port = 1 + any(20) };

	if (n & 1)
		call_op(v, __HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain, &b, sizeof(b));
	else
		call_op(v, __HYPERVISOR_event_channel_op, EVTCHNOP_send, &s, sizeof(s));
	return true;
}

RACE(destroy_events, 24)
{
	RACE_ACTS({ 0, 0, 0, destroys_a, false }, { A, 0, 1, allocates, true },
		  { B, 0, 2, binds_and_sends, true }, { B, 1, 1, binds_and_sends, true });
}

/* --- its device model ----------------------------------------------------------------------------- */

static bool is_device_model(struct vcpu *v, unsigned int n)
{
	static const uint32_t ops[] = {
		XEN_DMOP_create_ioreq_server,  XEN_DMOP_set_pci_intx_level,
		XEN_DMOP_set_isa_irq_level,    XEN_DMOP_inject_msi,
		XEN_DMOP_modified_memory,      XEN_DMOP_nr_vcpus,
		XEN_DMOP_destroy_ioreq_server, XEN_DMOP_set_pci_link_route
	};
	struct xen_dm_op op = { .op = ops[any(ARRAY_SIZE(ops))] };
	struct xen_dm_op_buf buf = { .size = sizeof(op) };

	(void)n;
	op.u.inject_msi.addr = 0xfee00000;
	op.u.inject_msi.data = 0x40;
	guest_handle_set(buf.h, list_la(v));
	memcpy(arg_page(v), &buf, sizeof(buf));
	memcpy(list_page(v), &op, sizeof(op));
	call(v, __HYPERVISOR_dm_op, B, 1, arg_la(v), 0);
	return true;
}

/* What the tools ask about a guest, and change, by any of their calls. */
static bool is_a_tool(struct vcpu *v, unsigned int n)
{
	static const uint32_t cmds[] = { XEN_DOMCTL_getdomaininfo, XEN_DOMCTL_getvcpuinfo,
					 XEN_DOMCTL_pausedomain,   XEN_DOMCTL_unpausedomain,
					 XEN_DOMCTL_max_mem,	   XEN_DOMCTL_getvcpuaffinity,
					 XEN_DOMCTL_gettscinfo,	   XEN_DOMCTL_getvcpucontext };
	struct xen_domctl op = { 0 };

	(void)n;
	op.u.max_mem.max_memkb = 1024;
	domctl(v, cmds[any(ARRAY_SIZE(cmds))], B, &op);
	return true;
}

RACE(destroy_dm_op, 24)
{
	RACE_ACTS({ 0, 0, 0, destroys_b, false }, { 0, 1, 1, is_device_model, true });
}

RACE(destroy_tool, 24)
{
	RACE_ACTS({ 0, 0, 0, destroys_b, false }, { 0, 1, 1, is_a_tool, true });
}
