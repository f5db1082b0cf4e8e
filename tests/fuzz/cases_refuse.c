/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why a call was refused is in the log: each reason of createdomain and of HVM parameters by its text, and of all other
 * commands that there is one, whatever the arguments. Guests and device models cannot fill the log with it.
 */
#include "cases.h"
#include "hvm_ops.h"
#include "policy.h"
#include "vmm/abi/command.h"
#include <xen/domctl.h>
#include <xen/hvm/dm_op.h>
#include <xen/hvm/hvm_op.h>
#include <xen/memory.h>
#include <xen/sysctl.h>

/* --- createdomain ------------------------------------------------------------------------------ */

static const struct xen_domctl_createdomain good = {
	.flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap,
	.max_vcpus = 1,
	.max_evtchn_port = 255,
	.max_grant_frames = 4,
	.max_maptrack_frames = 4,
	.grant_opts = XEN_DOMCTL_GRANT_version(1),
	.arch.emulation_flags = XEN_X86_EMU_LAPIC,
};

/* What it says of `c`, and that the log has all of these texts, or nothing for NULL. */
static void create(const struct xen_domctl_createdomain *c, long says, const char *text,
		   const char *too)
{
	struct xen_domctl op = { .cmd = XEN_DOMCTL_createdomain,
				 .interface_version = XEN_DOMCTL_INTERFACE_VERSION,
				 .domain = 77,
				 .u.createdomain = *c };

	memcpy(guest_page(0, ARG_GFN), &op, sizeof(op));
	host_log_clear();
	EXPECT(call_as(0, 0, __HYPERVISOR_domctl, ARG, 0, 0, 0), == says);
	EXPECT(host_log_lines(), == (text ? 1 : 0));
	if (!text)
		return;
	EXPECT(host_log_has("d0: domctl createdomain is refused (-22): "), == true);
	if (!host_log_has(text) || !host_log_has(too))
		unexpected(__FILE__, __LINE__, text, 0);
}

CASE(refuse_createdomain)
{
	struct xen_domctl_createdomain c;

#define WRONG(text, too, ...)                   \
	do {                                    \
		c = good;                       \
		__VA_ARGS__;                    \
		create(&c, -EINVAL, text, too); \
	} while (0)
	create(&good, 0, NULL, NULL);
	/* type="pv" */
	WRONG("type=\"pvh\"", "pvshim=1", c.flags = 0);
	WRONG("nestedhvm=1", "take", c.flags |= XEN_DOMCTL_CDF_nested_virt);
	WRONG("pass-through", "pci=", c.flags |= XEN_DOMCTL_CDF_iommu);
	WRONG("vpmu", "take", c.flags |= XEN_DOMCTL_CDF_vpmu);
	WRONG("0x80000000", "not known", c.flags |= 1U << 31);
	WRONG("IOMMU options 0x1", "pass-through", c.iommu_opts = 1);
	WRONG("emulation flags 0x3", "PVH domains have 0x1", c.arch.emulation_flags = 3);
	WRONG("architecture flags 0x4", "msr_relaxed", c.arch.misc_flags = 4);
	WRONG("vmtrace_buf_kb=", "take", c.vmtrace_size = 4096);
	WRONG("pool 1", "pool=", c.cpupool_id = 1);
	WRONG("grant options 0x3", "1 or 2", c.grant_opts = 3);
	WRONG("grant options 0x11", "max_grant_version", c.grant_opts = 0x11);
	WRONG("0 vCPUs", "1 to 128", c.max_vcpus = 0);
	WRONG("129 vCPUs", "1 to 128", c.max_vcpus = 129);
	WRONG("event channels up to 0", "max_event_channels=", c.max_evtchn_port = 0);
#undef WRONG
}

/* --- CPU policies ------------------------------------------------------------------------------ */

static void set_policy(uint32_t leaf, uint32_t value, uint32_t msr, const char *text)
{
	struct xen_domctl op = { .cmd = XEN_DOMCTL_set_cpu_policy,
				 .interface_version = XEN_DOMCTL_INTERFACE_VERSION,
				 .domain = DOMID_B };
	xen_cpuid_leaf_t l = { .leaf = leaf, .subleaf = XEN_CPUID_NO_SUBLEAF, .a = value };
	xen_msr_entry_t m = { .idx = msr, .val = ~0ULL };

	dom(DOMID_B)->creation_finished = false;
	op.u.cpu_policy.leaves.p = (void *)LIST;
	op.u.cpu_policy.msrs.p = (void *)(LIST + PAGE_SIZE);
	op.u.cpu_policy.nr_leaves = 1;
	op.u.cpu_policy.nr_msrs = msr != 0;
	memcpy(guest_page(0, SCRATCH_GFN), &l, sizeof(l));
	memcpy(guest_page(0, SCRATCH_GFN + 1), &m, sizeof(m));
	memcpy(guest_page(0, ARG_GFN), &op, sizeof(op));
	host_log_clear();
	EXPECT(call_as(0, 0, __HYPERVISOR_domctl, ARG, 0, 0, 0), != 0);
	if (!host_log_has("domctl set_cpu_policy of d2 is refused") || !host_log_has(text))
		unexpected(__FILE__, __LINE__, text, 0);
	dom(DOMID_B)->creation_finished = true;
}

CASE(refuse_cpu_policy)
{
	set_policy(0x33, 0, 0, "CPUID leaf 0x33, 0xffffffff");
	set_policy(0, 0xff, 0, "CPUID leaf 0, 0xffffffff");
	set_policy(2, 0, 0xce, "MSR 0xce");
	set_policy(2, 0, 0x48, "MSR 0x48");
}

/* --- parameters -------------------------------------------------------------------------------- */

static void set_param(domid_t caller, uint32_t index, uint64_t value, long says, const char *text)
{
	struct xen_hvm_param p = { .domid = DOMID_B, .index = index, .value = value };

	host_log_clear();
	EXPECT(call_op(caller, __HYPERVISOR_hvm_op, HVMOP_set_param, &p, sizeof(p)), == says);
	EXPECT(host_log_lines(), == (text ? 1 : 0));
	if (text && (!host_log_has("hvm_op set_param of d2 is refused") || !host_log_has(text)))
		unexpected(__FILE__, __LINE__, text, 0);
}

CASE(refuse_hvm_params)
{
	set_param(0, HVM_PARAM_VIRIDIAN, 0, 0, NULL);
	set_param(0, HVM_PARAM_VIRIDIAN, 0x2000, -EINVAL, "stand for nothing");
	set_param(0, HVM_PARAM_VIRIDIAN, 4, -EINVAL, "base");
	set_param(0, HVM_PARAM_VIRIDIAN, 0x85, -EOPNOTSUPP, "synic");
	set_param(0, HVM_PARAM_VIRIDIAN, 0x401, -EOPNOTSUPP, "ex_processor_masks");
	set_param(0, HVM_PARAM_VIRIDIAN, 0x1865, 0, NULL);
	set_param(0, HVM_PARAM_VIRIDIAN, 1, -EEXIST, NULL);
	set_param(0, HVM_PARAM_NESTEDHVM, 1, -EOPNOTSUPP, "nestedhvm=1");
	set_param(0, HVM_PARAM_ALTP2M, 1, -EOPNOTSUPP, "altp2m=");
	set_param(0, HVM_PARAM_TIMER_MODE, 9, -EINVAL, "timer_mode is 0 to 3");
	set_param(0, HVM_PARAM_TRIPLE_FAULT_REASON, 99, -EINVAL, "reason");
	set_param(0, HVM_PARAM_X87_FIP_WIDTH, 5, -EINVAL, "0, 4 or 8");
	set_param(0, HVM_PARAM_ACPI_S_STATE, 1, -EINVAL, "0 or 3");
	set_param(0, 7, 1, -EINVAL, "parameter 7");
	set_param(0, 999, 1, -EINVAL, "parameter 999");
	set_param(DOMID_B, HVM_PARAM_STORE_PFN, 1, -EPERM, "for the tools to set");
	/* That a guest may not touch another one is no news to it. */
	set_param(DOMID_A, HVM_PARAM_STORE_PFN, 1, -EPERM, NULL);
}

/* --- domain 0 ---------------------------------------------------------------------------------- */

static void dom0_memory(uint64_t pages, long says)
{
	struct xen_domctl op = { .u.max_mem.max_memkb = pages << (PAGE_SHIFT - 10) };
	xen_pod_target_t t = { .target_pages = pages, .domid = 0 };

	host_log_clear();
	EXPECT(domctl(XEN_DOMCTL_max_mem, 0, &op), == says);
	EXPECT(host_log_lines(), == (says ? 1 : 0));
	EXPECT(host_log_has("domctl max_mem of d0 is refused"), == !!says);
	host_log_clear();
	EXPECT(call_op(0, __HYPERVISOR_memory_op, XENMEM_set_pod_target, &t, sizeof(t)), == says);
	EXPECT(host_log_has("dom0_mem="), == !!says);
}

/* xl mem-set 0, autoballoon="on", xl vcpu-pin Domain-0. */
CASE(refuse_dom0)
{
	long has = (long)dom(0)->tot_pages, most = (long)dom(0)->max_pages;
	struct xen_domctl op = { .u.vcpuaffinity = { .flags = XEN_VCPUAFFINITY_HARD } };

	dom0_memory((uint64_t)has - 1, -EOPNOTSUPP);
	EXPECT(dom(0)->max_pages, == most);
	dom0_memory((uint64_t)has, 0);
	dom(0)->max_pages = (uint64_t)most;
	host_log_clear();
	EXPECT(domctl(XEN_DOMCTL_setvcpuaffinity, 0, &op), == -EPERM);
	EXPECT(host_log_has("dom0's vCPU n stays on CPU n"), == true);
}

/* --- whatever is asked ------------------------------------------------------------------------- */

static bool unclear(long rc)
{
	return rc == -EINVAL || rc == -EOPNOTSUPP || rc == -EPERM || rc == -E2BIG ||
	       rc == -ERANGE || rc == -EACCES || rc == -ENOSYS;
}

/* The log names family and command and has a reason; or, for what the tools ask by routine, no line at all. */
static void judge(const char *family, const struct abi_command *c, long rc, bool routine)
{
	if (!unclear(rc) || (routine && !host_log_lines()))
		return;
	if (!host_log_lines() || !host_log_has(family) || (c && !host_log_has(c->name)) ||
	    host_log_has("(null)"))
		unexpected(__FILE__, __LINE__, c ? c->name : family, rc);
}

static const uint8_t fills[] = { 0x00, 0x01, 0x7f, 0xff };

static const struct abi_command *named(const struct abi_family *f, unsigned int cmd)
{
	return cmd < f->nr && f->commands[cmd].name ? &f->commands[cmd] : NULL;
}

CASE(refuse_tables_are_complete)
{
	static const struct abi_family *const families[] = { &domctl_family, &sysctl_family,
							     &memory_family, &hvm_family,
							     &dm_family };

	for (unsigned int f = 0; f < ARRAY_SIZE(families); f++)
		for (unsigned int i = 0; i < families[f]->nr; i++)
			if (families[f]->commands[i].name && !families[f]->commands[i].takes)
				unexpected(__FILE__, __LINE__, families[f]->commands[i].name, i);
}

CASE(refuse_every_domctl)
{
	struct xen_domctl op;
	long rc;

	for (unsigned int cmd = 0; cmd < 110; cmd++) {
		if (cmd == XEN_DOMCTL_destroydomain || cmd == XEN_DOMCTL_createdomain)
			continue;
		for (unsigned int i = 0; i < ARRAY_SIZE(fills); i++) {
			memset(&op, fills[i], sizeof(op));
			op.cmd = cmd;
			op.interface_version = XEN_DOMCTL_INTERFACE_VERSION;
			op.domain = i & 1 ? DOMID_B : DOMID_A;
			memcpy(guest_page(0, ARG_GFN), &op, sizeof(op));
			host_log_clear();
			rc = call_as(0, 0, __HYPERVISOR_domctl, ARG, 0, 0, 0);
			judge("domctl", named(&domctl_family, cmd), rc, false);
		}
	}
	op.interface_version = 1;
	memcpy(guest_page(0, ARG_GFN), &op, sizeof(op));
	host_log_clear();
	EXPECT(call_as(0, 0, __HYPERVISOR_domctl, ARG, 0, 0, 0), == -EACCES);
	EXPECT(host_log_has("interface version 0x1: 0x15"), == true);
}

CASE(refuse_every_sysctl)
{
	struct xen_sysctl op;

	for (unsigned int cmd = 0; cmd < 40; cmd++) {
		if (cmd == XEN_SYSCTL_debug_keys)
			continue;
		for (unsigned int i = 0; i < ARRAY_SIZE(fills); i++) {
			memset(&op, fills[i], sizeof(op));
			op.cmd = cmd;
			op.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
			memcpy(guest_page(0, ARG_GFN), &op, sizeof(op));
			host_log_clear();
			judge("sysctl", named(&sysctl_family, cmd),
			      call_as(0, 0, __HYPERVISOR_sysctl, ARG, 0, 0, 0),
			      cmd == XEN_SYSCTL_get_cpu_featureset ||
				      cmd == XEN_SYSCTL_get_cpu_policy);
		}
	}
}

static bool memory_routine(unsigned int cmd)
{
	return cmd == XENMEM_get_vnumainfo || cmd == XENMEM_memory_map;
}

CASE(refuse_every_memory_and_hvm_op)
{
	for (unsigned int cmd = 0; cmd < 40; cmd++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(fills); i++) {
			memset(guest_page(0, ARG_GFN), fills[i], 256);
			*(domid_t *)guest_page(0, ARG_GFN) = DOMID_A;
			host_log_clear();
			judge("memory_op", named(&memory_family, cmd),
			      call_as(0, 0, __HYPERVISOR_memory_op, cmd, ARG, 0, 0),
			      memory_routine(cmd));
			host_log_clear();
			judge("hvm_op", named(&hvm_family, cmd),
			      call_as(0, 0, __HYPERVISOR_hvm_op, cmd, ARG, 0, 0), false);
		}
	}
}

static long dm_op(unsigned int cmd, uint8_t fill)
{
	struct xen_dm_op op;
	struct xen_dm_op_buf buf[2] = { { .h.p = (void *)LIST, .size = sizeof(op) },
					{ .h.p = (void *)(LIST + PAGE_SIZE), .size = PAGE_SIZE } };

	memset(&op, fill, sizeof(op));
	op.op = cmd;
	op.pad = 0;
	memcpy(guest_page(0, SCRATCH_GFN), &op, sizeof(op));
	memcpy(guest_page(0, ARG_GFN), buf, sizeof(buf));
	return call_as(0, 0, __HYPERVISOR_dm_op, DOMID_B, 2, ARG, 0);
}

CASE(refuse_every_dm_op)
{
	for (unsigned int cmd = 0; cmd < 24; cmd++) {
		if (cmd == XEN_DMOP_remote_shutdown)
			continue;
		for (unsigned int i = 0; i < ARRAY_SIZE(fills); i++) {
			host_log_clear();
			judge("dm_op", cmd <= XEN_DMOP_nr_vcpus ? named(&dm_family, cmd) : NULL,
			      dm_op(cmd, fills[i]), false);
		}
	}
	host_log_clear();
	EXPECT(dm_op(XEN_DMOP_set_isa_irq_level, 0x7f), == -EINVAL);
	EXPECT(host_log_has("d0: dm_op set_isa_irq_level of d2 is refused (-22): interrupt 0-15; "
			    "asked: 7f7f7f7f"),
	       == true);
}

/* --- who pays ---------------------------------------------------------------------------------- */

CASE(refuse_within_budget)
{
	struct xen_hvm_param p = { .domid = DOMID_SELF, .index = HVM_PARAM_STORE_PFN };
	unsigned int lines, more;

	/* A guest, and a device model of another one, have the budget of the guest. */
	host_log_clear();
	for (unsigned int i = 0; i < 2000; i++)
		call_op(DOMID_A, __HYPERVISOR_hvm_op, HVMOP_set_param, &p, sizeof(p));
	lines = host_log_lines();
	EXPECT(lines, > 10);
	host_log_clear();
	for (unsigned int i = 0; i < 100; i++)
		call_op(DOMID_A, __HYPERVISOR_hvm_op, HVMOP_set_param, &p, sizeof(p));
	EXPECT(host_log_lines(), < 5);
	host_log_clear();
	for (unsigned int i = 0; i < 2000; i++)
		dm_op(XEN_DMOP_set_isa_irq_level, 0x7f);
	host_log_clear();
	for (unsigned int i = 0; i < 100; i++)
		dm_op(XEN_DMOP_set_isa_irq_level, 0x7f);
	EXPECT(host_log_lines(), < 5);
	/* The tools' lines are all there. */
	host_log_clear();
	for (unsigned int i = 0; i < 100; i++) {
		struct xen_domctl op = { .cmd = XEN_DOMCTL_settscinfo,
					 .interface_version = XEN_DOMCTL_INTERFACE_VERSION,
					 .domain = DOMID_A,
					 .u.tsc_info.tsc_mode = 7 };

		memcpy(guest_page(0, ARG_GFN), &op, sizeof(op));
		EXPECT(call_as(0, 0, __HYPERVISOR_domctl, ARG, 0, 0, 0), == -EINVAL);
	}
	more = host_log_lines();
	EXPECT(more, == 100);
	EXPECT(host_log_has("tsc_mode 7: \"default\", \"always_emulate\" and \"native\""), == true);
}
