// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hostile=guess seconds=N: every CPU calls for the domain that comes next, whose number it guesses, again and again:
 * maps and copies grants, binds ports. Whatever it meets half-made or half gone, the host lives on.
 */
#include "payload.h"
#include <xen/xen.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>

#define CPUID_XEN_DOMID 0x40000004u
#define HOLE		0x40000000u /* no memory there */
#define REPORT_S	2u
#define DOMIDS		4096u

static u64 until;
static u32 own, found[8], calls[8];

/* GNTST_* */
static int map(u32 domid, u32 ref)
{
	struct gnttab_map_grant_ref op;
	struct gnttab_unmap_grant_ref un;

	memset(&op, 0, sizeof(op));
	op.host_addr = HOLE + (smp_this_cpu() << 12);
	op.flags = GNTMAP_host_map | GNTMAP_readonly;
	op.ref = ref;
	op.dom = (domid_t)domid;
	hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, (ulong)&op, 1, 0, 0);
	if (op.status)
		return op.status;
	memset(&un, 0, sizeof(un));
	un.host_addr = op.host_addr;
	un.handle = op.handle;
	hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref, (ulong)&un, 1, 0, 0);
	return 0;
}

static int copy(u32 domid, u32 ref)
{
	static u8 to[4096] __attribute__((aligned(4096)));
	struct gnttab_copy op;

	memset(&op, 0, sizeof(op));
	op.source.u.ref = ref;
	op.source.domid = (domid_t)domid;
	op.dest.u.gmfn = (ulong)to >> 12;
	op.dest.domid = DOMID_SELF;
	op.len = 64;
	op.flags = GNTCOPY_source_gref;
	hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_copy, (ulong)&op, 1, 0, 0);
	return op.status;
}

static void bind(u32 domid, u32 port)
{
	struct evtchn_bind_interdomain op;
	struct evtchn_close c;

	memset(&op, 0, sizeof(op));
	op.remote_dom = (domid_t)domid;
	op.remote_port = port;
	if (hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain, (ulong)&op, 0, 0,
		      0))
		return;
	c.port = op.local_port;
	hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_close, (ulong)&c, 0, 0, 0);
}

static void report(void)
{
	u32 i, sum = 0, met = 0, cpus = 0;

	for (i = 0; i < ARRAY_SIZE(found); i++) {
		cpus += calls[i] != 0;
		sum += calls[i];
		met += found[i];
	}
	print("guess: %u CPUs, %u calls, %u domains met\n", cpus, sum, met);
}

/* One domain after the other: it is there when the answer is another one than "no such domain". */
static void guess(void *unused)
{
	u32 cpu = smp_this_cpu() % ARRAY_SIZE(found), next = own + 1, stay = 0, n = 0;
	u64 say = 0;

	(void)unused;
	while (rdtsc() < until) {
		int status = cpu & 1 ? copy(next, n & 15) : map(next, n & 15);

		bind(next, 1 + (n++ & 7));
		calls[cpu] += 2;
		if (!cpu && rdtsc() > say) {
			report();
			say = rdtsc() + plat.tsc_hz * REPORT_S;
		}
		if (status == GNTST_bad_domain && !stay)
			continue;
		if (!stay)
			found[cpu]++;
		stay++;
		/* As long as it is there: also its end is of interest. */
		if (status != GNTST_bad_domain)
			continue;
		stay = 0;
		next = next % DOMIDS + 1;
	}
}

void hostile_guess(void)
{
	u32 cpus = smp_start(), i;

	own = cpuid(CPUID_XEN_DOMID).c;
	until = rdtsc() + plat.tsc_hz * cmdline_number("seconds", 5);
	for (i = 1; i < cpus; i++)
		smp_call_start(i, guess, NULL);
	guess(NULL);
	for (i = 1; i < cpus; i++)
		smp_call_wait(i, 5000000);
	report();
}
