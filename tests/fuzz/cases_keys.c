// SPDX-License-Identifier: GPL-2.0-or-later
/* Debug keys of a host with much to tell: all of it is printed, no piece of it is too long (work.c). */
#include "cases.h"
#include "vmm/console/internal.h"
#include "hvm_ops.h"
#include "work.h"
#include "vmm/domain/internal.h"
#include <xen/domctl.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/sysctl.h>

#define MANY   128U
#define PORTS  200U
#define GRANTS 100U
#define A      DOMID_A

static unsigned int lines_of(char key)
{
	struct key_walk w = { 0 };
	bool more;

	host_log_clear();
	do {
		work_begin();
		more = debug_key_run(key, &w);
		work_end();
	} while (more);
	return host_log_lines();
}

static domid_t create_many(void)
{
	struct xen_domctl op = { .u.createdomain = machine_config(MANY, XEN_X86_EMU_LAPIC) };

	EXPECT(domctl(XEN_DOMCTL_createdomain, 50, &op), == 0);
	op.u.max_vcpus.max = MANY;
	EXPECT(domctl(XEN_DOMCTL_max_vcpus, 50, &op), == 0);
	return 50;
}

CASE(key_of_many_vcpus)
{
	domid_t id = create_many();

	EXPECT(lines_of('q'), > MANY);
	EXPECT(host_log_has(" page tables, and 0 of large pages that were small"), == true);
	EXPECT(host_log_has("  v127: CPU"), == true);
	EXPECT(lines_of('v'), > 6 * MANY);
	EXPECT(lines_of('e'), > MANY);
	EXPECT(host_log_has("  v127: upcall idle"), == true);
	for (unsigned int i = 0; i < MANY; i++)
		EXPECT(dom(id)->vcpu[i]->pause_count, == 0);
}

CASE(key_of_many_ports)
{
	struct evtchn_alloc_unbound a = { .dom = DOMID_SELF, .remote_dom = 0 };

	for (unsigned int i = 0; i < PORTS; i++)
		EXPECT(call_op(A, __HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, &a,
			       sizeof(a)),
		       == 0);
	EXPECT(lines_of('e'), > PORTS);
	EXPECT(host_log_has("  200 unbound     v0 prio 7 for d0"), == true);
}

CASE(key_of_many_grants)
{
	grant_entry_v1_t *e = page_to_virt(dom(A)->grant->frame[0]);
	struct gnttab_map_grant_ref m = { .flags = GNTMAP_host_map, .dom = A };

	for (unsigned int i = 0; i < GRANTS; i++) {
		e[2 * i] = (grant_entry_v1_t){ .flags = GTF_permit_access, .frame = 20 };
		m.ref = 2 * i;
		m.host_addr = (uint64_t)(HOLE_FIRST + i) << PAGE_SHIFT;
		EXPECT(call_op(0, __HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, &m,
			       sizeof(m)),
		       == 0);
		EXPECT(m.status, == GNTST_okay);
	}
	EXPECT(lines_of('g'), > GRANTS);
	EXPECT(host_log_has("  d1 ref 198: d0 reads 0 writes 1"), == true);
}

CASE(keys_one_after_the_other)
{
	for (int key = ' '; key <= '~'; key++)
		if (key != 'R' && key != 'C')
			EXPECT(lines_of((char)key), > 0);
}
