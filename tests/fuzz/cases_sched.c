// SPDX-License-Identifier: GPL-2.0-or-later
/* The scheduler's policy as the tools see it: sched_id, parameters of all and of one domain. */
#include "cases.h"
#include "boot.h"
#include "hvm_ops.h"
#include <xen/domctl.h>
#include <xen/sysctl.h>

extern const struct boot_option _options_start[], _options_end[];

static struct xen_sysctl sys;
static struct xen_domctl_scheduler_op *of_domain;
static struct xen_domctl op;

static void choose(const char *name)
{
	machine_stop();
	for (const struct boot_option *o = _options_start; o < _options_end; o++)
		if (!strcmp(o->name, "sched"))
			EXPECT(o->parse(name), == 0);
	machine_start();
	memset(&sys, 0, sizeof(sys));
	memset(&op, 0, sizeof(op));
	of_domain = &op.u.scheduler_op;
}

static long system_call(uint32_t cmd)
{
	sys.cmd = cmd;
	sys.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	memcpy(guest_page(0, ARG_GFN), &sys, sizeof(sys));
	return call_as(0, 0, __HYPERVISOR_sysctl, ARG, 0, 0, 0);
}

static long system_parameters(uint32_t id, uint32_t cmd)
{
	long rc;

	sys.u.scheduler_op.cpupool_id = 0;
	sys.u.scheduler_op.sched_id = id;
	sys.u.scheduler_op.cmd = cmd;
	rc = system_call(XEN_SYSCTL_scheduler_op);
	memcpy(&sys, guest_page(0, ARG_GFN), sizeof(sys));
	return rc;
}

static long domain_parameters(uint32_t id, uint32_t cmd)
{
	of_domain->sched_id = id;
	of_domain->cmd = cmd;
	return domctl(XEN_DOMCTL_scheduler_op, DOMID_B, &op);
}

static uint32_t shown(void)
{
	EXPECT(system_call(XEN_SYSCTL_sched_id), == 0);
	memcpy(&sys, guest_page(0, ARG_GFN), sizeof(sys));
	return sys.u.sched_id.sched_id;
}

/* bvt: credit2 with weight and cap, which last; 0 and 0xffff leave them as they are. */
CASE(sched_bvt_is_credit2)
{
	choose("bvt");
	EXPECT(shown(), == XEN_SCHEDULER_CREDIT2);
	EXPECT(domain_parameters(XEN_SCHEDULER_CREDIT2, XEN_DOMCTL_SCHEDOP_getinfo), == 0);
	EXPECT(of_domain->u.credit2.weight, == 256);
	EXPECT(of_domain->u.credit2.cap, == 0);
	of_domain->u.credit2.weight = 512;
	of_domain->u.credit2.cap = 30;
	EXPECT(domain_parameters(XEN_SCHEDULER_CREDIT2, XEN_DOMCTL_SCHEDOP_putinfo), == 0);
	of_domain->u.credit2.weight = 0;
	of_domain->u.credit2.cap = 0xffff;
	EXPECT(domain_parameters(XEN_SCHEDULER_CREDIT2, XEN_DOMCTL_SCHEDOP_putinfo), == 0);
	EXPECT(domain_parameters(XEN_SCHEDULER_CREDIT2, XEN_DOMCTL_SCHEDOP_getinfo), == 0);
	EXPECT(of_domain->u.credit2.weight, == 512);
	EXPECT(of_domain->u.credit2.cap, == 30);
	EXPECT(domain_parameters(XEN_SCHEDULER_CREDIT, XEN_DOMCTL_SCHEDOP_getinfo), == -EINVAL);
	EXPECT(system_parameters(XEN_SCHEDULER_CREDIT2, XEN_SYSCTL_SCHEDOP_getinfo), == 0);
	EXPECT(sys.u.scheduler_op.u.sched_credit2.ratelimit_us, == 500);
	EXPECT(system_parameters(XEN_SCHEDULER_CREDIT2, XEN_SYSCTL_SCHEDOP_putinfo),
	       == -EOPNOTSUPP);
}

/* rrobin: credit, whose time slice is the turn; a domain has nothing to set. */
CASE(sched_rrobin_is_credit)
{
	struct xen_sysctl_credit_schedule *credit = &sys.u.scheduler_op.u.sched_credit;

	choose("rrobin");
	EXPECT(shown(), == XEN_SCHEDULER_CREDIT);
	EXPECT(system_parameters(XEN_SCHEDULER_CREDIT2, XEN_SYSCTL_SCHEDOP_getinfo), == -EINVAL);
	EXPECT(system_parameters(XEN_SCHEDULER_CREDIT, XEN_SYSCTL_SCHEDOP_getinfo), == 0);
	EXPECT(credit->tslice_ms, == 10);
	EXPECT(credit->ratelimit_us, == 0);
	credit->tslice_ms = 25;
	EXPECT(system_parameters(XEN_SCHEDULER_CREDIT, XEN_SYSCTL_SCHEDOP_putinfo), == 0);
	credit->ratelimit_us = 1000;
	EXPECT(system_parameters(XEN_SCHEDULER_CREDIT, XEN_SYSCTL_SCHEDOP_putinfo), == -EOPNOTSUPP);
	credit->ratelimit_us = 0;
	credit->tslice_ms = 1001;
	EXPECT(system_parameters(XEN_SCHEDULER_CREDIT, XEN_SYSCTL_SCHEDOP_putinfo), == -EINVAL);
	EXPECT(system_parameters(XEN_SCHEDULER_CREDIT, XEN_SYSCTL_SCHEDOP_getinfo), == 0);
	EXPECT(credit->tslice_ms, == 25);
	credit->tslice_ms = 10;
	EXPECT(system_parameters(XEN_SCHEDULER_CREDIT, XEN_SYSCTL_SCHEDOP_putinfo), == 0);

	EXPECT(domain_parameters(XEN_SCHEDULER_CREDIT, XEN_DOMCTL_SCHEDOP_getinfo), == 0);
	EXPECT(of_domain->u.credit.weight, == 256);
	EXPECT(of_domain->u.credit.cap, == 0);
	/* What libxl writes back when it builds a domain. */
	EXPECT(domain_parameters(XEN_SCHEDULER_CREDIT, XEN_DOMCTL_SCHEDOP_putinfo), == 0);
	of_domain->u.credit.weight = 300;
	EXPECT(domain_parameters(XEN_SCHEDULER_CREDIT, XEN_DOMCTL_SCHEDOP_putinfo), == -EINVAL);
	choose("bvt");
}

/* atropos: rtds with period, budget and extra time, in microseconds, for all vCPUs of a domain. */
CASE(sched_atropos_is_rtds)
{
	struct xen_domctl_schedparam_vcpu *list;
	struct xen_domctl_sched_rtds *rtds;

	choose("atropos");
	rtds = &of_domain->u.rtds;
	EXPECT(shown(), == XEN_SCHEDULER_RTDS);
	EXPECT(system_parameters(XEN_SCHEDULER_RTDS, XEN_SYSCTL_SCHEDOP_getinfo), == -EOPNOTSUPP);
	EXPECT(domain_parameters(XEN_SCHEDULER_RTDS, XEN_DOMCTL_SCHEDOP_getinfo), == 0);
	EXPECT(rtds->period, == 100000);
	EXPECT(rtds->budget, == 1000);
	EXPECT(rtds->flags, == XEN_DOMCTL_SCHEDRT_extra);
	/* What libxl writes back when it builds a domain. */
	EXPECT(domain_parameters(XEN_SCHEDULER_RTDS, XEN_DOMCTL_SCHEDOP_putinfo), == 0);
	*rtds = (struct xen_domctl_sched_rtds){ .period = 20000, .budget = 100 };
	EXPECT(domain_parameters(XEN_SCHEDULER_RTDS, XEN_DOMCTL_SCHEDOP_putinfo), == 0);
	memset(rtds, 0xff, sizeof(*rtds));
	EXPECT(domain_parameters(XEN_SCHEDULER_RTDS, XEN_DOMCTL_SCHEDOP_getinfo), == 0);
	EXPECT(rtds->period, == 20000);
	EXPECT(rtds->budget, == 100);
	EXPECT(rtds->flags, == 0);
	rtds->budget = 20001;
	EXPECT(domain_parameters(XEN_SCHEDULER_RTDS, XEN_DOMCTL_SCHEDOP_putinfo), == -EINVAL);
	rtds->period = rtds->budget = 0xffffffff;
	EXPECT(domain_parameters(XEN_SCHEDULER_RTDS, XEN_DOMCTL_SCHEDOP_putinfo), == -EINVAL);
	rtds->period = rtds->budget = 100000;
	EXPECT(domain_parameters(XEN_SCHEDULER_RTDS, XEN_DOMCTL_SCHEDOP_putinfo), == -ENOSPC);

	/* By vCPUs: what is put for one counts for all. */
	list = guest_page(0, SCRATCH_GFN);
	*list = (struct xen_domctl_schedparam_vcpu){ .u.rtds = { 30000, 90, 0 } };
	memset(of_domain, 0, sizeof(*of_domain));
	set_xen_guest_handle_raw(of_domain->u.v.vcpus, (void *)LIST);
	of_domain->u.v.nr_vcpus = 1;
	EXPECT(domain_parameters(XEN_SCHEDULER_RTDS, XEN_DOMCTL_SCHEDOP_putvcpuinfo), == 0);
	memset(&list->u, 0, sizeof(list->u));
	EXPECT(domain_parameters(XEN_SCHEDULER_RTDS, XEN_DOMCTL_SCHEDOP_getvcpuinfo), == 0);
	EXPECT(list->u.rtds.period, == 30000);
	EXPECT(list->u.rtds.budget, == 90);
	list->vcpuid = 77;
	EXPECT(domain_parameters(XEN_SCHEDULER_RTDS, XEN_DOMCTL_SCHEDOP_putvcpuinfo), == -EINVAL);
	of_domain->u.v.nr_vcpus = 1000;
	EXPECT(domain_parameters(XEN_SCHEDULER_RTDS, XEN_DOMCTL_SCHEDOP_getvcpuinfo), == -EINVAL);
	choose("bvt");
}
