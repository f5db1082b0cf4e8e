/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A domain that comes or goes under the eyes of others: guests who guess its number, tools that list, and what the
 * hypervisor itself does for all domains.
 */
#include "threads.h"
#include "abi.h"
#include <xen/domctl.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/platform.h>
#include <xen/sysctl.h>

#define A      DOMID_A
#define B      DOMID_B
#define NEW    4U /* domid of the one that comes and goes */
#define CYCLES 16U

/* --- dom0: creates NEW, gives it vCPUs, destroys it, in turn ------------------------------------- */

static bool create_and_destroy(struct vcpu *v, unsigned int n)
{
	struct xen_domctl op = { 0 };

	switch (n % 3) {
	case 0:
		op.u.createdomain = machine_config(2, n & 1 ? XEN_X86_EMU_LAPIC : MACHINE_PC);
		domctl(v, XEN_DOMCTL_createdomain, NEW, &op);
		return true;
	case 1:
		op.u.max_vcpus.max = 2;
		domctl(v, XEN_DOMCTL_max_vcpus, NEW, &op);
		return true;
	default:
		domctl(v, XEN_DOMCTL_destroydomain, NEW, &op);
		return n < 3 * CYCLES;
	}
}

/* --- guests that call for the next domid --------------------------------------------------------- */

static bool maps_grants(struct vcpu *v, unsigned int n)
{
	struct gnttab_map_grant_ref op = {
		.host_addr = (uint64_t)(FIRST_HOLE + 1) << PAGE_SHIFT,
		.flags = GNTMAP_host_map | (n & 1 ? GNTMAP_readonly : 0),
		.ref = n % 16,
		.dom = NEW,
	};

	call_op(v, __HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, &op, sizeof(op));
	return true;
}

static bool copies(struct vcpu *v, unsigned int n)
{
	struct gnttab_copy op = { .len = 16, .flags = GNTCOPY_source_gref };

	op.source.domid = NEW;
	op.source.u.ref = n % 16;
	op.dest.domid = DOMID_SELF;
	op.dest.u.gmfn = 20;
	call_op(v, __HYPERVISOR_grant_table_op, GNTTABOP_copy, &op, sizeof(op));
	return true;
}

static bool binds(struct vcpu *v, unsigned int n)
{
	struct evtchn_bind_interdomain op = { .remote_dom = NEW, .remote_port = 1 + n % 4 };

	call_op(v, __HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain, &op, sizeof(op));
	return true;
}

RACE(create_map, 12)
{
	RACE_ACTS({ 0, 0, 0, create_and_destroy, false }, { A, 0, 1, maps_grants, true },
		  { B, 0, 2, maps_grants, true });
}

RACE(create_copy, 12)
{
	RACE_ACTS({ 0, 0, 0, create_and_destroy, false }, { A, 0, 1, copies, true },
		  { B, 0, 2, copies, true });
}

RACE(create_bind, 12)
{
	RACE_ACTS({ 0, 0, 0, create_and_destroy, false }, { A, 0, 1, binds, true },
		  { B, 0, 2, binds, true });
}

/* --- tools on dom0's other CPU ------------------------------------------------------------------- */

static bool lists(struct vcpu *v, unsigned int n)
{
	struct xen_sysctl op = { .cmd = XEN_SYSCTL_getdomaininfolist,
				 .interface_version = XEN_SYSCTL_INTERFACE_VERSION };

	(void)n;
	op.u.getdomaininfolist.max_domains = 8;
	guest_handle_set(op.u.getdomaininfolist.buffer, list_la(v));
	call_ptr(v, __HYPERVISOR_sysctl, &op, sizeof(op));
	return true;
}

static bool sets_the_clock(struct vcpu *v, unsigned int n)
{
	struct xen_platform_op op = { .cmd = XENPF_settime64,
				      .interface_version = XENPF_INTERFACE_VERSION };

	op.u.settime64.secs = 1700000000 + n;
	op.u.settime64.system_time = NS_PER_SEC;
	call_ptr(v, __HYPERVISOR_platform_op, &op, sizeof(op));
	return true;
}

/* What is asked about a domain that may be there, not yet, or no more. */
static bool asks(struct vcpu *v, unsigned int n)
{
	static const uint32_t cmds[] = { XEN_DOMCTL_getdomaininfo, XEN_DOMCTL_getvcpuinfo,
					 XEN_DOMCTL_pausedomain,   XEN_DOMCTL_unpausedomain,
					 XEN_DOMCTL_gettscinfo,	   XEN_DOMCTL_getvcpuaffinity };
	struct xen_domctl op = { 0 };

	domctl(v, cmds[n % ARRAY_SIZE(cmds)], NEW, &op);
	return true;
}

/* The keys of `xl debug-keys`, which walk through everything. */
static bool debug_keys(struct vcpu *v, unsigned int n)
{
	struct xen_sysctl op = { .cmd = XEN_SYSCTL_debug_keys,
				 .interface_version = XEN_SYSCTL_INTERFACE_VERSION };

	*(char *)list_page(v) = "qgera"[n % 5];
	op.u.debug_keys.nr_keys = 1;
	guest_handle_set(op.u.debug_keys.keys, list_la(v));
	call_ptr(v, __HYPERVISOR_sysctl, &op, sizeof(op));
	return true;
}

RACE(create_list, 12)
{
	RACE_ACTS({ 0, 0, 0, create_and_destroy, false }, { 0, 1, 1, lists, true });
}

RACE(create_settime, 12)
{
	RACE_ACTS({ 0, 0, 0, create_and_destroy, false }, { 0, 1, 1, sets_the_clock, true });
}

RACE(create_ask, 12)
{
	RACE_ACTS({ 0, 0, 0, create_and_destroy, false }, { 0, 1, 1, asks, true },
		  { A, 0, 2, binds, true });
}

RACE(create_debug_keys, 4)
{
	RACE_ACTS({ 0, 0, 0, create_and_destroy, false }, { 0, 1, 1, debug_keys, true });
}
