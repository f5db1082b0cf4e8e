// SPDX-License-Identifier: GPL-2.0-or-later
/* Domains on shadow page tables, as the tools see them: created, their memory for tables, their CPUID, their end. */
#include "cases.h"
#include "hvm_ops.h"
#include "save.h"
#include "vmm/hvm/policy_private.h"
#include "vmm/paging/shadow/shadow.h"
#include <xen/arch-x86/cpufeatureset.h>
#include <xen/domctl.h>
#include <xen/hvm/dm_op.h>
#include <xen/sysctl.h>

#define ID 77

/* What was created goes with the machine, which misses nothing then. */
static void fresh(void)
{
	change_machine(&fake_hvm_ops);
}

static long create(uint32_t flags)
{
	struct xen_domctl op = { .u.createdomain = machine_config(2, XEN_X86_EMU_LAPIC) };
	long rc;

	op.u.createdomain.flags = XEN_DOMCTL_CDF_hvm | flags;
	rc = domctl(XEN_DOMCTL_createdomain, ID, &op);
	for (unsigned int i = 0; !rc && i < 2; i++)
		EXPECT(vcpu_create(dom(ID), i), == 0);
	return rc;
}

static long simple(uint32_t cmd)
{
	struct xen_domctl op = { 0 };

	return domctl(cmd, ID, &op);
}

static long set_pool(uint64_t bytes)
{
	struct xen_domctl op = { .u.paging_mempool.size = bytes };

	return domctl(XEN_DOMCTL_set_paging_mempool_size, ID, &op);
}

static uint64_t pool(void)
{
	struct xen_domctl op = { 0 };

	EXPECT(domctl(XEN_DOMCTL_get_paging_mempool_size, ID, &op), == 0);
	return op.u.paging_mempool.size;
}

static long allocation(uint32_t subop, uint32_t *mib)
{
	struct xen_domctl op = { .u.shadow_op = { .op = subop, .mb = *mib } };
	long rc = domctl(XEN_DOMCTL_shadow_op, ID, &op);

	*mib = op.u.shadow_op.mb;
	return rc;
}

static bool is_hap(void)
{
	struct xen_domctl op = { 0 };

	EXPECT(domctl(XEN_DOMCTL_getdomaininfo, ID, &op), == 0);
	return op.u.getdomaininfo.flags & XEN_DOMINF_hap;
}

static uint32_t capabilities(void)
{
	struct xen_sysctl op = { .cmd = XEN_SYSCTL_physinfo,
				 .interface_version = XEN_SYSCTL_INTERFACE_VERSION };

	EXPECT(call_op(0, __HYPERVISOR_sysctl, 0, &op, sizeof(op)), <= 0);
	memcpy(guest_page(0, ARG_GFN), &op, sizeof(op));
	EXPECT(call_as(0, 0, __HYPERVISOR_sysctl, ARG, 0, 0, 0), == 0);
	memcpy(&op, guest_page(0, ARG_GFN), sizeof(op));
	return op.u.physinfo.capabilities;
}

/* The tools are told what is there. */
CASE(shadow_is_reported)
{
	fresh();
	EXPECT(capabilities() & XEN_SYSCTL_PHYSCAP_shadow, != 0);
	EXPECT(capabilities() & XEN_SYSCTL_PHYSCAP_hap, != 0);
	EXPECT(create(XEN_DOMCTL_CDF_oos_off), == 0);
	EXPECT(is_hap(), == false);
	EXPECT(dom(ID)->sh != NULL, == true);
	fresh();
	EXPECT(create(XEN_DOMCTL_CDF_hap), == 0);
	EXPECT(is_hap(), == true);
	EXPECT(dom(ID)->sh == NULL, == true);
	fresh();
}

/* Shadow tables need NX. */
CASE(no_nx)
{
	fresh();
	host_cpu.nx = false;
	EXPECT(capabilities() & XEN_SYSCTL_PHYSCAP_shadow, == 0);
	host_log_clear();
	EXPECT(create(0), == -EINVAL);
	EXPECT(host_log_has("take hap=0 out of the configuration"), == true);
	EXPECT(create(XEN_DOMCTL_CDF_hap), == 0);
	EXPECT(paging_possible("it"), == true);
	paging_has_nested = false;
	EXPECT(paging_possible("it"), == false);
	host_cpu.nx = true;
	EXPECT(paging_possible("it"), == true);
	paging_has_nested = true;
	fresh();
}

/* Where the processor has no nested paging, or hap=off, guests are on shadow tables or refused. */
CASE(no_nested_paging)
{
	fresh();
	paging_has_nested = false;
	EXPECT(capabilities() & XEN_SYSCTL_PHYSCAP_shadow, != 0);
	EXPECT(capabilities() & XEN_SYSCTL_PHYSCAP_hap, == 0);
	host_log_clear();
	EXPECT(create(XEN_DOMCTL_CDF_hap), == -EINVAL);
	EXPECT(host_log_has("take hap=1 out of the configuration"), == true);
	EXPECT(create(0), == 0);
	EXPECT(is_hap(), == false);
	paging_has_nested = true;
	fresh();
}

/* It is there before the domain runs, and goes with it: machine_stop() counts pages. */
CASE(shadow_pool)
{
	uint64_t free;
	uint32_t mib = 0;

	fresh();
	EXPECT(create(0), == 0);
	free = free_page_count();
	host_log_clear();
	EXPECT(simple(XEN_DOMCTL_unpausedomain), == -ENOMEM);
	EXPECT(host_log_has("shadow_memory="), == true);
	EXPECT(set_pool(MIB(1) + 1), == -EINVAL);
	EXPECT(set_pool(MIB(1)), == 0);
	EXPECT(pool(), == MIB(1));
	EXPECT(free - free_page_count(), >= (long)(MIB(1) >> PAGE_SHIFT));
	EXPECT(allocation(XEN_DOMCTL_SHADOW_OP_GET_ALLOCATION, &mib), == 0);
	EXPECT(mib, == 1);
	mib = 2;
	EXPECT(allocation(XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION, &mib), == 0);
	EXPECT(pool(), == MIB(2));
	EXPECT(set_pool(MIB(1)), == -EBUSY);
	EXPECT(set_pool(1ULL << 40), == -ENOMEM);
	EXPECT(pool() > MIB(2), == true); /* what was got is kept */
	EXPECT(set_pool(pool()), == 0);
	machine_kill(dom(ID));
	EXPECT(free_page_count(), >= (long)free);
	fresh();
}

/* Records of references do not use up what tables are made of. */
CASE(shadow_records_leave_pages)
{
	struct sh_domain *s;

	fresh();
	EXPECT(create(0), == 0);
	EXPECT(set_pool(MIB(1)), == 0);
	s = dom(ID)->sh;
	spin_lock(&s->lock);
	while (sh_refs_refill(s))
		;
	EXPECT(s->nr_free, == 64);
	spin_unlock(&s->lock);
	machine_kill(dom(ID));
	fresh();
}

static struct hvm_hw_cpu saved_cpu(void)
{
	struct hvm_hw_cpu c;
	size_t len = sizeof(c);

	EXPECT(hvm_save_one(dom(ID), HVM_SAVE_CODE(CPU), 0, &c, &len), == 0);
	return c;
}

/* A guest's own state is in its image, not what the processor was told instead; and is told anew where it goes on. */
CASE(shadow_state_is_saved_as_the_guests)
{
	struct hvm_hw_cpu was, now;
	static uint8_t image[1 << 16];
	size_t len = sizeof(image);
	struct vcpu *v;

	fresh();
	EXPECT(create(0), == 0);
	EXPECT(hvm_save_size(dom(ID)), <= (long)sizeof(image));
	v = dom(ID)->vcpu[0];
	v->pause_flags &= ~(uint32_t)VPF_DOWN;
	v->cr0 = X86_CR0_PE | X86_CR0_ET | X86_CR0_PG;
	v->cr3 = 5 << PAGE_SHIFT;
	v->cr4 = X86_CR4_PAE;
	hvm_set_state(v, HVM_CRS);
	EXPECT(v->hw->cr0 & X86_CR0_WP, != 0);
	was = saved_cpu();
	EXPECT(was.cr0 == v->cr0 && was.cr3 == v->cr3 && was.cr4 == v->cr4, == true);
	EXPECT(was.msr_efer, == 0);
	EXPECT(hvm_save(dom(ID), image, &len), == 0);
	machine_kill(dom(ID));
	fresh();
	EXPECT(create(0), == 0);
	EXPECT(hvm_load(dom(ID), image, len), == 0);
	v = dom(ID)->vcpu[0];
	now = saved_cpu();
	EXPECT(now.cr0 == was.cr0 && now.cr3 == was.cr3 && now.cr4 == was.cr4, == true);
	EXPECT(v->hw != &v->guest_crs && v->hw->cr3 != v->cr3, == true);
	EXPECT(v->hw->cr0 & X86_CR0_WP, != 0);
	fresh();
}

/* With nested paging the number is only remembered. */
CASE(nested_pool)
{
	fresh();
	EXPECT(create(XEN_DOMCTL_CDF_hap), == 0);
	EXPECT(set_pool(MIB(3)), == 0);
	EXPECT(pool(), == MIB(3));
	EXPECT(set_pool(MIB(1)), == 0);
	EXPECT(pool(), == MIB(1));
	EXPECT(simple(XEN_DOMCTL_unpausedomain), == 0);
	fresh();
}

/* What a device model wrote may be page tables: of a whole extent that is looked at in pieces. */
CASE(modified_frames_go_in_pieces_on_shadow_tables)
{
	struct xen_dm_op_modified_memory_extent *e;
	struct xen_dm_op_buf *buf;
	struct xen_dm_op *op;

	fresh();
	op = guest_page(0, SCRATCH_GFN);
	e = guest_page(0, SCRATCH_GFN + 1);
	buf = guest_page(0, ARG_GFN);
	EXPECT(create(0), == 0);
	dom(ID)->is_pvh = false; /* it has a device model */
	for (unsigned int i = 0; i < 16385; i++)
		EXPECT(sh_frame(dom(ID)->sh, _gfn(i), true) == NULL, == false);
	memset(op, 0, sizeof(*op));
	op->op = XEN_DMOP_modified_memory;
	op->u.modified_memory.nr_extents = 2;
	for (unsigned int i = 0; i < 2; i++)
		e[i] = (struct xen_dm_op_modified_memory_extent){ .first_pfn = i, .nr = 16384 };
	buf[0].size = sizeof(*op);
	buf[1].size = 2 * sizeof(*e);
	guest_handle_set(buf[0].h, LIST);
	guest_handle_set(buf[1].h, LIST + PAGE_SIZE);
	EXPECT(call_as(0, 0, __HYPERVISOR_dm_op, ID, 2, ARG, 0), == 0);
	EXPECT(op->u.modified_memory.nr_extents, == 0);
	fresh();
}

/* What only nested paging gives is not in its CPUID. */
CASE(shadow_policy)
{
	struct cpu_policy nested = { .basic[1].c = BIT(17) | BIT(0),
				     .extd[1].d = BIT(26) | BIT(29) },
			  p;

	nested.basic[0].a = 0xd;
	nested.extd[0].a = 0x80000008;
	nested.feat[0].b = BIT(10) | BIT(7);
	nested.feat[0].c = BIT(3);
	policy_derive_shadow(&nested, &p);
	EXPECT(p.basic[1].c & (BIT(17) | BIT(0)), == BIT(0));
	EXPECT(p.feat[0].b, == BIT(7));
	EXPECT(p.feat[0].c, == 0);
	EXPECT(p.extd[1].d & (BIT(26) | BIT(29)), == (BIT(26) | BIT(29)));
}
