// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two tools at once: each call stops after its first piece, and another process of dom0, whose addresses are the same,
 * asks for the same of the same domain, or for what undoes it.
 */
#include "cases.h"
#include "abi.h"
#include <xen/domctl.h>
#include <xen/sysctl.h>

#define A	   DOMID_A
#define B	   DOMID_B
#define GONE	   (2 * NS_PER_SEC)
#define MAP_FRAMES 2048U
#define FAR_GFN	   (1ULL << 16)

/* Tools by their address space. */
enum { TOOL_1 = 0x1000, TOOL_2 = 0x2000 };

static struct xen_domctl context_op(uint32_t cmd)
{
	struct xen_domctl op = { .cmd = cmd,
				 .interface_version = XEN_DOMCTL_INTERFACE_VERSION,
				 .domain = B };

	op.u.hvmcontext.size = SCRATCH_NR * PAGE_SIZE;
	op.u.hvmcontext.buffer.p = (void *)LIST;
	return op;
}

static struct xen_domctl log_op(uint32_t what)
{
	struct xen_domctl op = { .cmd = XEN_DOMCTL_shadow_op,
				 .interface_version = XEN_DOMCTL_INTERFACE_VERSION,
				 .domain = A };

	op.u.shadow_op.op = what;
	op.u.shadow_op.pages = MAP_FRAMES;
	op.u.shadow_op.dirty_bitmap.p = (void *)LIST;
	return op;
}

/* One piece of a tool's call: the shortest there is, as work waits. 1: it is to be called again; else the result. */
static long piece_of_call(uint64_t tool, unsigned int nr, void *op, size_t size)
{
	struct vcpu *v = domain_vcpu(dom(0), 0);
	bool again;

	BUG_ON(!machine_become(v, true));
	v->cr3 = tool;
	memcpy(guest_page(0, ARG_GFN), op, size);
	v->regs.gpr[X86_RAX] = nr;
	v->regs.gpr[X86_RDI] = ARG;
	this_cpu()->softirq = SOFTIRQ_CALL;
	again = hypercall_dispatch(v);
	machine_pass(NS_PER_US);
	memcpy(op, guest_page(0, ARG_GFN), size);
	return again ? 1 : (long)v->regs.gpr[X86_RAX];
}

static long piece(uint64_t tool, struct xen_domctl op)
{
	return piece_of_call(tool, __HYPERVISOR_domctl, &op, sizeof(op));
}

static long all_pieces(uint64_t tool, struct xen_domctl op)
{
	long rc;

	do
		rc = piece(tool, op);
	while (rc == 1);
	return rc;
}

CASE(two_tools_save_one_domain)
{
	struct xen_domctl get = context_op(XEN_DOMCTL_gethvmcontext);
	struct xen_domctl set = context_op(XEN_DOMCTL_sethvmcontext);
	struct domain *d = dom(B);
	uint64_t at;

	EXPECT(piece(TOOL_1, get), == 1);
	EXPECT(piece(TOOL_1, get), == 1);
	at = d->hvm.stream.at;
	EXPECT(piece(TOOL_2, get), == 1);
	EXPECT(piece(TOOL_2, set), == 1);
	EXPECT(d->hvm.stream.at, == (long)at); /* nor begun anew, nor gone on with */
	EXPECT(d->pause_count, == 1);
	EXPECT(all_pieces(TOOL_1, get), == 0);
	EXPECT(d->pause_count, == 0);
	EXPECT(all_pieces(TOOL_2, get), == 0);
	EXPECT(all_pieces(TOOL_2, set), == 0);
	EXPECT(d->pause_count, == 0);
}

CASE(stream_that_nobody_comes_back_for)
{
	struct xen_domctl get = context_op(XEN_DOMCTL_gethvmcontext);
	struct domain *d = dom(B);

	EXPECT(piece(TOOL_1, get), == 1);
	machine_pass(GONE / 4);
	EXPECT(d->pause_count, == 1);
	machine_pass(GONE);
	EXPECT(d->pause_count, == 0); /* the guest goes on by itself */
	EXPECT(all_pieces(TOOL_2, get), == 0);
	EXPECT(piece(TOOL_1, get), == 1);
	/* What is left of it at the domain's end, the machine's end would find. */
}

CASE(two_tools_read_one_log)
{
	struct xen_domctl clean = log_op(XEN_DOMCTL_SHADOW_OP_CLEAN);
	struct xen_domctl peek = log_op(XEN_DOMCTL_SHADOW_OP_PEEK);
	uint8_t *map = guest_page(0, SCRATCH_GFN);
	struct domain *d = dom(A);
	uint64_t next;

	EXPECT(log_begin(A), == 0);
	logdirty_wrote(d, _gfn(3));
	EXPECT(p2m_set(d, _gfn(MAP_FRAMES - 2), INVALID_MFN, 0, P2M_MMIO_DM, P2M_ACCESS_RWX), == 0);
	EXPECT(piece(TOOL_1, clean), == 1);
	EXPECT(map[0], == 1 << 3);
	map[0] = 0x55; /* told once; a second look from the start would not find it */
	next = d->p2m.look.next;
	EXPECT(piece(TOOL_2, peek), == 1);
	EXPECT(piece(TOOL_2, clean), == 1);
	EXPECT(d->p2m.look.next, == (long)next);
	EXPECT(piece(TOOL_1, clean), == 1);
	EXPECT(map[0], == 0x55);
	/* Nor does the guest, whose address space grows meanwhile, make it begin anew. */
	EXPECT(p2m_set(d, _gfn(MAP_FRAMES - 1), INVALID_MFN, 0, P2M_MMIO_DM, P2M_ACCESS_RWX), == 0);
	EXPECT(all_pieces(TOOL_1, clean), == 0);
	EXPECT(map[0], == 0x55);
	EXPECT(all_pieces(TOOL_2, peek), == 0);
	EXPECT(map[0], == 0);
	EXPECT(piece(TOOL_1, clean), == 1);
	machine_pass(GONE);
	EXPECT(all_pieces(TOOL_2, clean), == 0);
	logdirty_disable(d);
}

/* One tool's log ends in pieces: another's must not begin and be ended with it. */
CASE(two_tools_begin_and_end_a_log)
{
	struct xen_domctl on = log_op(XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY);
	struct xen_domctl off = log_op(XEN_DOMCTL_SHADOW_OP_OFF);
	struct domain *d = dom(A);

	EXPECT(p2m_set(d, _gfn(FAR_GFN), INVALID_MFN, 0, P2M_MMIO_DM, P2M_ACCESS_RWX), == 0);
	EXPECT(all_pieces(TOOL_1, on), == 0);
	EXPECT(piece(TOOL_1, off), == 1);
	EXPECT(piece(TOOL_2, on), == -EBUSY);
	EXPECT(all_pieces(TOOL_1, off), == 0);
	EXPECT(all_pieces(TOOL_2, on), == 0);
	EXPECT(logdirty_is_on(d), == true);
	EXPECT(all_pieces(TOOL_2, off), == 0);
}

/* The list of domains is as long for the second one, on the same CPU, as for the first. */
CASE(two_tools_list_the_domains)
{
	struct xen_sysctl op = { .cmd = XEN_SYSCTL_getdomaininfolist,
				 .interface_version = XEN_SYSCTL_INTERFACE_VERSION };
	long rc;

	op.u.getdomaininfolist.max_domains = 10;
	op.u.getdomaininfolist.buffer.p = (void *)LIST;
	EXPECT(piece_of_call(TOOL_1, __HYPERVISOR_sysctl, &op, sizeof(op)), == 1);
	memset(guest_page(0, SCRATCH_GFN), 0xff, PAGE_SIZE);
	do
		rc = piece_of_call(TOOL_2, __HYPERVISOR_sysctl, &op, sizeof(op));
	while (rc == 1);
	EXPECT(rc, == 0);
	EXPECT(op.u.getdomaininfolist.num_domains, == 4);
	EXPECT(((struct xen_domctl_getdomaininfo *)guest_page(0, SCRATCH_GFN))->domain, == 0);
}

/* A list that its asker left is begun anew by the next one with the same addresses. */
CASE(list_that_nobody_comes_back_for)
{
	struct xen_sysctl op = { .cmd = XEN_SYSCTL_getdomaininfolist,
				 .interface_version = XEN_SYSCTL_INTERFACE_VERSION };
	struct xen_domctl_getdomaininfo *first = guest_page(0, SCRATCH_GFN);
	long rc;

	op.u.getdomaininfolist.max_domains = 10;
	op.u.getdomaininfolist.buffer.p = (void *)LIST;
	EXPECT(piece_of_call(TOOL_1, __HYPERVISOR_sysctl, &op, sizeof(op)), == 1);
	machine_pass(GONE);
	memset(first, 0xff, PAGE_SIZE);
	do
		rc = piece_of_call(TOOL_1, __HYPERVISOR_sysctl, &op, sizeof(op));
	while (rc == 1);
	EXPECT(rc, == 0);
	EXPECT(op.u.getdomaininfolist.num_domains, == 4);
	EXPECT(first->domain, == 0);
}

/* What a look took that nobody came back for, and one that failed: the next one finds it. */
CASE(log_that_nobody_comes_back_for)
{
	struct xen_domctl clean = log_op(XEN_DOMCTL_SHADOW_OP_CLEAN), other = clean, bad = clean;
	uint8_t *map = guest_page(0, SCRATCH_GFN);
	struct domain *d = dom(A);

	EXPECT(log_begin(A), == 0);
	EXPECT(p2m_set(d, _gfn(MAP_FRAMES - 2), INVALID_MFN, 0, P2M_MMIO_DM, P2M_ACCESS_RWX), == 0);
	logdirty_wrote(d, _gfn(3));
	EXPECT(piece(TOOL_1, clean), == 1);
	map[0] = 0;
	machine_pass(GONE);
	EXPECT(piece(TOOL_2, clean), == 1);
	EXPECT(map[0] & 1 << 3, == 1 << 3);
	/* The same tool asks for other frames. */
	other.u.shadow_op.pages = MAP_FRAMES / 2;
	map[0] = 0;
	EXPECT(all_pieces(TOOL_2, other), == 0);
	EXPECT(map[0] & 1 << 3, == 1 << 3);
	EXPECT(all_pieces(TOOL_2, clean), == 0);
	EXPECT(map[0], == 0);
	logdirty_wrote(d, _gfn(3));
	bad.u.shadow_op.dirty_bitmap.p = (void *)((uint64_t)HOLE_FIRST << PAGE_SHIFT);
	EXPECT(all_pieces(TOOL_1, bad), == -EFAULT);
	EXPECT(all_pieces(TOOL_2, clean), == 0);
	EXPECT(map[0] & 1 << 3, == 1 << 3);
	EXPECT(all_pieces(TOOL_2, clean), == 0);
	EXPECT(map[0], == 0);
	logdirty_disable(d);
}

/* A call that is refused keeps nobody away. */
CASE(refused_look_at_the_log)
{
	struct xen_domctl clean = log_op(XEN_DOMCTL_SHADOW_OP_CLEAN);
	struct domain *d = dom(A);

	EXPECT(log_begin(A), == 0);
	d->p2m.max_gfn = p2m_gfn_limit();
	clean.u.shadow_op.pages = ~0ULL;
	EXPECT(piece(TOOL_1, clean), == -EINVAL);
	d->p2m.max_gfn = FIRST_HOLE - 1;
	EXPECT(piece(TOOL_2, clean), == 0);
	logdirty_disable(d);
}
