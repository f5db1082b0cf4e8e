// SPDX-License-Identifier: GPL-2.0-or-later
/* The soft reset (XEN_DOMCTL_soft_reset): what it takes from a guest, what it leaves, and who may have it. */
#include "cases.h"
#include "vmm/domain/internal.h"
#include "../../vmm/hvm/ioreq_private.h"
#include <xen/domctl.h>
#include <xen/event_channel.h>
#include <xen/hvm/dm_op.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

#define A	   DOMID_A
#define B	   DOMID_B
#define INFO_GFN   20U /* of vcpu_info */
#define AREA_GFN   21U /* the runstate area, and half a page on the time area */
#define SHARED_GFN 22U
#define GRANT_GFN  23U

static long domctl_as(domid_t caller, domid_t about, unsigned int cmd)
{
	struct xen_domctl op = { .cmd = cmd,
				 .interface_version = XEN_DOMCTL_INTERFACE_VERSION,
				 .domain = about };

	memcpy(guest_page(caller, ARG_GFN), &op, sizeof(op));
	return call_as(caller, 0, __HYPERVISOR_domctl, ARG, 0, 0, 0);
}

static long domctl_of(domid_t about, unsigned int cmd)
{
	return domctl_as(0, about, cmd);
}

static long evtchn(domid_t id, unsigned int cmd, void *arg, size_t size)
{
	return call_op(id, __HYPERVISOR_event_channel_op, cmd, arg, size);
}

static long vcpu_op(domid_t id, unsigned int cmd, void *arg, size_t size)
{
	memcpy(guest_page(id, ARG_GFN), arg, size);
	return call_as(id, 0, __HYPERVISOR_vcpu_op, cmd, 0, ARG, 0);
}

/* Asks for it, as a kernel does; the domain has shut down when this returns. */
static void ask(domid_t id)
{
	struct sched_shutdown s = { .reason = SHUTDOWN_soft_reset };

	EXPECT(call_op(id, __HYPERVISOR_sched_op, SCHEDOP_shutdown, &s, sizeof(s)), == 0);
	machine_pass(NS_PER_MS);
	EXPECT(dom(id)->shut_down, == 1);
	EXPECT(dom(id)->shutdown_code, == SHUTDOWN_soft_reset);
}

static long map_shared(domid_t id, uint64_t gfn)
{
	struct xen_add_to_physmap a = { .domid = DOMID_SELF,
					.space = XENMAPSPACE_shared_info,
					.gpfn = gfn };

	return call_op(id, __HYPERVISOR_memory_op, XENMEM_add_to_physmap, &a, sizeof(a));
}

static long register_info(domid_t id)
{
	struct vcpu_register_vcpu_info r = { .mfn = INFO_GFN, .offset = 64 };

	return vcpu_op(id, VCPUOP_register_vcpu_info, &r, sizeof(r));
}

static unsigned int bind_virq_timer(domid_t id)
{
	struct evtchn_bind_virq b = { .virq = VIRQ_TIMER, .vcpu = 0 };

	EXPECT(evtchn(id, EVTCHNOP_bind_virq, &b, sizeof(b)), == 0);
	return b.port;
}

static unsigned int status_of(domid_t id, unsigned int port)
{
	struct evtchn_status s = { .dom = DOMID_SELF, .port = port };

	EXPECT(evtchn(id, EVTCHNOP_status, &s, sizeof(s)), == 0);
	return s.status;
}

/* A port of A and one of B, bound to each other. */
static void connect(unsigned int *a_port, unsigned int *b_port)
{
	struct evtchn_alloc_unbound a = { .dom = DOMID_SELF, .remote_dom = B };
	struct evtchn_bind_interdomain b = { .remote_dom = A };

	EXPECT(evtchn(A, EVTCHNOP_alloc_unbound, &a, sizeof(a)), == 0);
	b.remote_port = a.port;
	EXPECT(evtchn(B, EVTCHNOP_bind_interdomain, &b, sizeof(b)), == 0);
	*a_port = a.port;
	*b_port = b.local_port;
}

CASE(soft_reset_is_for_a_domain_that_shut_down)
{
	struct domain *d = dom(A);

	EXPECT(domctl_of(A, XEN_DOMCTL_soft_reset), == -EINVAL);
	EXPECT(domctl_of(0, XEN_DOMCTL_soft_reset), == -EINVAL);
	EXPECT(domctl_as(B, A, XEN_DOMCTL_soft_reset), == -EPERM);
	ask(A);
	EXPECT(domctl_as(B, A, XEN_DOMCTL_soft_reset), == -EPERM);
	d->dying = DOMDYING_DYING;
	EXPECT(domctl_of(A, XEN_DOMCTL_soft_reset), == -EINVAL);
	d->dying = DOMDYING_ALIVE;
	EXPECT(d->shut_down, == 1);
	EXPECT(vcpu_runnable(d->vcpu[0]), == 0);
	EXPECT(domctl_of(A, XEN_DOMCTL_soft_reset), == 0);
	EXPECT(d->shut_down, == 0);
	EXPECT(vcpu_runnable(d->vcpu[0]), == 1);
	EXPECT(domctl_of(A, XEN_DOMCTL_soft_reset), == -EINVAL);
	/* And once more, as often as one likes. */
	ask(A);
	EXPECT(domctl_of(A, XEN_DOMCTL_soft_reset), == 0);
}

CASE(soft_reset_closes_ports)
{
	struct evtchn_init_control c = { .control_gfn = SCRATCH_GFN + 2, .vcpu = 0 };
	struct evtchn_expand_array x = { .array_gfn = SCRATCH_GFN + 3 };
	unsigned int virq = bind_virq_timer(A), a_port, b_port;
	struct domain *d = dom(A);

	connect(&a_port, &b_port);
	EXPECT(evtchn(A, EVTCHNOP_init_control, &c, sizeof(c)), == 0);
	EXPECT(evtchn(A, EVTCHNOP_expand_array, &x, sizeof(x)), == 0);
	EXPECT(d->evtchn->ops == &evtchn_ops_fifo, == 1);
	ask(A);
	EXPECT(domctl_of(A, XEN_DOMCTL_soft_reset), == 0);
	EXPECT(status_of(A, virq), == EVTCHNSTAT_closed);
	EXPECT(status_of(A, a_port), == EVTCHNSTAT_closed);
	EXPECT(status_of(B, b_port), == EVTCHNSTAT_unbound);
	EXPECT(d->evtchn->ops == &evtchn_ops_2l, == 1);
	/* The lowest ones serve first again, by which the tools find the console's and the store's. */
	EXPECT(bind_virq_timer(A), == 1);
}

/* A guest that stopped within its own EVTCHNOP_reset: ports that it has opened behind that are closed, too. */
CASE(soft_reset_begins_at_the_first_port)
{
	unsigned int virq = bind_virq_timer(A);

	dom(A)->evtchn->reset = 200;
	ask(A);
	EXPECT(domctl_of(A, XEN_DOMCTL_soft_reset), == 0);
	EXPECT(status_of(A, virq), == EVTCHNSTAT_closed);
	EXPECT(dom(A)->evtchn->reset, == 1);
}

static void register_areas(domid_t id)
{
	uint64_t area = (uint64_t)AREA_GFN << PAGE_SHIFT, time = area + PAGE_SIZE / 2;

	EXPECT(register_info(id), == 0);
	EXPECT(register_info(id), == -EINVAL);
	EXPECT(vcpu_op(id, VCPUOP_register_runstate_memory_area, &area, sizeof(area)), == 0);
	EXPECT(vcpu_op(id, VCPUOP_register_vcpu_time_memory_area, &time, sizeof(time)), == 0);
}

static bool filled(const void *page, uint8_t with)
{
	const uint8_t *p = page;

	for (unsigned int i = 0; i < PAGE_SIZE; i++)
		if (p[i] != with)
			return false;
	return true;
}

CASE(soft_reset_lets_areas_and_timers_go)
{
	struct vcpu_set_periodic_timer t = { .period_ns = 10 * NS_PER_MS };
	void *info = guest_page(A, INFO_GFN), *area = guest_page(A, AREA_GFN);
	struct page *info_page = mfn_to_page(p2m_get(dom(A), _gfn(INFO_GFN)).mfn);
	unsigned int port;

	register_areas(A);
	EXPECT(info_page->refs, == 2);
	EXPECT(vcpu_op(A, VCPUOP_set_periodic_timer, &t, sizeof(t)), == 0);
	ask(A);
	EXPECT(domctl_of(A, XEN_DOMCTL_soft_reset), == 0);
	EXPECT(info_page->refs, == 1);
	memset(info, 0x5a, PAGE_SIZE);
	memset(area, 0x5a, PAGE_SIZE);
	port = bind_virq_timer(A);
	machine_pass(2 * NS_PER_SEC);
	EXPECT(call_as(A, 0, __HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0, 0), == 0);
	EXPECT(filled(info, 0x5a), == 1);
	EXPECT(filled(area, 0x5a), == 1);
	EXPECT(test_bit(port, dom(A)->shared_info->evtchn_pending), == 0);
	EXPECT(register_info(A), == 0);
}

CASE(soft_reset_makes_the_place_of_shared_info_memory)
{
	struct domain *d = dom(A);
	uint32_t before = d->tot_pages;
	void *page;

	memset(guest_page(A, GRANT_GFN), 0x33, PAGE_SIZE);
	EXPECT(map_shared(A, SHARED_GFN), == 0);
	EXPECT(d->tot_pages, == before - 1); /* what was there has gone */
	memset(d->shared_info->evtchn_mask, 0xff, sizeof(d->shared_info->evtchn_mask));
	memset(d->shared_info->evtchn_pending, 0xff, sizeof(d->shared_info->evtchn_pending));
	d->shared_info->vcpu_info[0].evtchn_upcall_pending = 1;
	ask(A);
	EXPECT(domctl_of(A, XEN_DOMCTL_soft_reset), == 0);
	EXPECT(d->tot_pages, == before);
	page = guest_page(A, SHARED_GFN);
	EXPECT(page == d->shared_info, == 0);
	EXPECT(filled(page, 0), == 1);
	EXPECT(filled(guest_page(A, GRANT_GFN), 0x33), == 1);
	EXPECT(d->shared_info->evtchn_mask[0], == 0);
	EXPECT(d->shared_info->evtchn_pending[0], == 0);
	EXPECT(d->shared_info->vcpu_info[0].evtchn_upcall_pending, == 0);
	EXPECT(d->shared_info->wc_version & 1, == 0);
	EXPECT(map_shared(A, SHARED_GFN + 5), == 0);
	EXPECT(guest_page(A, SHARED_GFN + 5) == d->shared_info, == 1);
	EXPECT(d->shared_info->vcpu_info[0].time.tsc_to_system_mul, != 0);
}

/* The guest has put a page of its own there, or nothing, before: then that stays. */
CASE(soft_reset_leaves_what_else_is_in_that_place)
{
	struct domain *d = dom(A);

	EXPECT(map_shared(A, SHARED_GFN), == 0);
	EXPECT(reserve(A, DOMID_SELF, XENMEM_decrease_reservation, SHARED_GFN, 1), == 1);
	ask(A);
	EXPECT(domctl_of(A, XEN_DOMCTL_soft_reset), == 0);
	EXPECT(p2m_get(d, _gfn(SHARED_GFN)).type, == P2M_INVALID);
	EXPECT(map_shared(A, FIRST_HOLE + 3), == 0);
	EXPECT(reserve(A, DOMID_SELF, XENMEM_populate_physmap, SHARED_GFN, 1), == 1);
	ask(A);
	EXPECT(domctl_of(A, XEN_DOMCTL_soft_reset), == 0);
	EXPECT(p2m_get(d, _gfn(FIRST_HOLE + 3)).type, == P2M_RAM_RW);
	EXPECT(d->tot_pages, == GUEST_RAM + 1);
}

CASE(soft_reset_without_memory_leaves_it_shut_down)
{
	struct domain *d = dom(A);

	EXPECT(map_shared(A, FIRST_HOLE + 1), == 0);
	d->max_pages = d->tot_pages;
	ask(A);
	EXPECT(domctl_of(A, XEN_DOMCTL_soft_reset), == -ENOMEM);
	EXPECT(d->shut_down, == 1);
	d->max_pages++;
	EXPECT(domctl_of(A, XEN_DOMCTL_soft_reset), == 0);
	EXPECT(d->shut_down, == 0);
	EXPECT(d->tot_pages, == (long)d->max_pages);
}

static grant_entry_v1_t *entry(domid_t id, grant_ref_t ref)
{
	return (grant_entry_v1_t *)page_to_virt(dom(id)->grant->frame[0]) + ref;
}

static long map_grant(domid_t by, domid_t of, uint64_t gfn, grant_handle_t *handle)
{
	struct gnttab_map_grant_ref m = {
		.host_addr = gfn << PAGE_SHIFT, .flags = GNTMAP_host_map, .ref = 8, .dom = of
	};

	*entry(of, 8) =
		(grant_entry_v1_t){ .flags = GTF_permit_access, .domid = by, .frame = GRANT_GFN };
	EXPECT(call_op(by, __HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, &m, sizeof(m)),
	       == 0);
	*handle = m.handle;
	return m.status;
}

CASE(soft_reset_and_grants)
{
	struct gnttab_unmap_grant_ref u = { .host_addr = (uint64_t)HOLE_FIRST << PAGE_SHIFT };
	struct gnttab_setup_table s = { .dom = DOMID_SELF, .nr_frames = 1 };
	grant_handle_t of_b, of_a;

	guest_handle_set(s.frame_list, LIST);
	EXPECT(call_op(A, __HYPERVISOR_grant_table_op, GNTTABOP_setup_table, &s, sizeof(s)), == 0);
	EXPECT(call_op(B, __HYPERVISOR_grant_table_op, GNTTABOP_setup_table, &s, sizeof(s)), == 0);
	EXPECT(map_grant(A, B, FIRST_HOLE + 2, &of_b), == GNTST_okay);
	EXPECT(map_grant(0, A, HOLE_FIRST, &of_a), == GNTST_okay);
	ask(A);
	EXPECT(domctl_of(A, XEN_DOMCTL_soft_reset), == 0);
	/* What it had mapped of B is B's alone again. */
	EXPECT(entry(B, 8)->flags, == GTF_permit_access);
	EXPECT(p2m_get(dom(A), _gfn(FIRST_HOLE + 2)).type, == P2M_INVALID);
	/* What dom0 has mapped of it stays until dom0 lets it go, and so does the entry. */
	EXPECT(entry(A, 8)->flags & GTF_writing, == GTF_writing);
	EXPECT(p2m_get(dom0, _gfn(HOLE_FIRST)).type, == P2M_GRANT_RW);
	u.handle = of_a;
	EXPECT(call_op(0, __HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref, &u, sizeof(u)),
	       == 0);
	EXPECT(u.status, == GNTST_okay);
	EXPECT(entry(A, 8)->flags, == GTF_permit_access);
	/* The next kernel maps and grants as the first one did; and the end finds all of it. */
	EXPECT(map_grant(A, B, FIRST_HOLE + 2, &of_b), == GNTST_okay);
}

CASE(soft_reset_takes_the_device_models_servers)
{
	struct xen_dm_op op = { .op = XEN_DMOP_create_ioreq_server };
	struct xen_dm_op_buf buf = { .size = sizeof(op) };
	struct domain *d = dom(B);

	guest_handle_set(buf.h, LIST);
	memcpy(guest_page(0, ARG_GFN), &buf, sizeof(buf));
	memcpy(guest_page(0, SCRATCH_GFN), &op, sizeof(op));
	EXPECT(call_as(0, 0, __HYPERVISOR_dm_op, B, 1, ARG, 0), == 0);
	EXPECT(d->hvm.ioreq->server[0].used, == 1);
	ask(B);
	EXPECT(domctl_of(B, XEN_DOMCTL_soft_reset), == 0);
	EXPECT(d->hvm.ioreq->server[0].used, == 0);
	/* Its ports went with it. */
	EXPECT(bind_virq_timer(B), == 1);
}

CASE(pauses_are_counted)
{
	struct vcpu *v = domain_vcpu(dom(A), 0);

	EXPECT(domctl_of(A, XEN_DOMCTL_unpausedomain), == -EINVAL);
	EXPECT(domctl_of(A, XEN_DOMCTL_pausedomain), == 0);
	EXPECT(domctl_of(A, XEN_DOMCTL_pausedomain), == 0);
	EXPECT(domctl_of(A, XEN_DOMCTL_unpausedomain), == 0);
	EXPECT(vcpu_runnable(v), == 0);
	EXPECT(domctl_of(A, XEN_DOMCTL_unpausedomain), == 0);
	EXPECT(vcpu_runnable(v), == 1);
	for (unsigned int i = 0; i < 255; i++)
		EXPECT(domctl_of(A, XEN_DOMCTL_pausedomain), == 0);
	EXPECT(domctl_of(A, XEN_DOMCTL_pausedomain), == -EOVERFLOW);
	for (unsigned int i = 0; i < 255; i++)
		EXPECT(domctl_of(A, XEN_DOMCTL_unpausedomain), == 0);
	EXPECT(vcpu_runnable(v), == 1);
}

/* What libxl does: the domain stays paused until the tools have connected it anew. */
CASE(soft_reset_of_a_paused_domain)
{
	struct vcpu *v = domain_vcpu(dom(A), 0);

	ask(A);
	EXPECT(domctl_of(A, XEN_DOMCTL_pausedomain), == 0);
	EXPECT(domctl_of(A, XEN_DOMCTL_pausedomain), == 0);
	EXPECT(domctl_of(A, XEN_DOMCTL_soft_reset), == 0);
	EXPECT(domctl_of(A, XEN_DOMCTL_unpausedomain), == 0);
	EXPECT(vcpu_runnable(v), == 0);
	EXPECT(domctl_of(A, XEN_DOMCTL_unpausedomain), == 0);
	EXPECT(vcpu_runnable(v), == 1);
}
