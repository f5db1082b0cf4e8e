// SPDX-License-Identifier: GPL-2.0-or-later
/* Calls of device models from user mode: who may, for whom, and what comes of it (public/plinth_dm_op.h). */
#include "cases.h"
#include "hvm_io.h"
#include "hvm_ops.h"
#include <xen/hvm/dm_op.h>
#include <xen/memory.h>
#include "public/plinth_dm_op.h"
#include "vmm/abi/command.h"
#include "vmm/hvm/ioreq_private.h"

#define A	 DOMID_A
#define B	 DOMID_B
#define TABLES	 40U /* of dom0: four frames of page tables, which lead to those that follow */
#define SLOTS	 HOLE_FIRST
#define RING	 (HOLE_FIRST + 1)
#define NO_MODEL 7U /* a server that is not there */
#define USER	 7ULL
#define LA(gfn)	 ((uint64_t)(gfn) << PAGE_SHIFT)
#define ENDS(s)	 PLINTH_USER_ARG(B, s, 0, 0)

static long dm_op(void *op, size_t size)
{
	struct xen_dm_op_buf buf = { .size = size };

	guest_handle_set(buf.h, LIST);
	memcpy(guest_page(0, ARG_GFN), &buf, sizeof(buf));
	memcpy(guest_page(0, SCRATCH_GFN), op, size);
	return call_as(0, 0, __HYPERVISOR_dm_op, B, 1, ARG, 0);
}

static long allow(ioservid_t id)
{
	struct plinth_dm_op_user_calls op = { .op = PLINTH_DMOP_user_calls, .server = id };

	return dm_op(&op, sizeof(op));
}

static void enable(ioservid_t id, bool on)
{
	struct xen_dm_op op = { .op = XEN_DMOP_set_ioreq_server_state };

	op.u.set_ioreq_server_state.id = id;
	op.u.set_ioreq_server_state.enabled = on;
	EXPECT(dm_op(&op, sizeof(op)), == 0);
}

/* A server of B whose pages dom0 has at RING and SLOTS. */
static ioservid_t serve(void)
{
	struct xen_dm_op op = { .op = XEN_DMOP_create_ioreq_server };
	struct xen_mem_acquire_resource r = { .domid = B,
					      .type = XENMEM_resource_ioreq_server,
					      .nr_frames = 1 };
	uint64_t *list = guest_page(0, SCRATCH_GFN);

	op.u.create_ioreq_server.handle_bufioreq = HVM_IOREQSRV_BUFIOREQ_ATOMIC;
	EXPECT(dm_op(&op, sizeof(op)), == 0);
	memcpy(&op, list, sizeof(op));
	r.id = op.u.create_ioreq_server.id;
	guest_handle_set(r.frame_list, LIST);
	for (r.frame = 0; r.frame < 2; r.frame++) {
		list[0] = r.frame ? SLOTS : RING;
		EXPECT(call_op(0, __HYPERVISOR_memory_op, XENMEM_acquire_resource, &r, sizeof(r)),
		       == 0);
	}
	return op.u.create_ioreq_server.id;
}

/* dom0's vCPU in user mode of an address space whose tables are at gfn TABLES + 4 * space. */
static struct vcpu *process(unsigned int space)
{
	struct vcpu *v = dom(0)->vcpu[0];
	uint64_t at = TABLES + 4 * space;

	BUG_ON(!machine_become(v, true));
	v->cr0 |= X86_CR0_PG;
	v->cr4 |= X86_CR4_PAE;
	v->cr3 = at << PAGE_SHIFT | 5; /* with a number of the address space, as kernels have it */
	for (unsigned int i = 0; i < 3; i++)
		*(uint64_t *)guest_page(0, at + i) = (at + i + 1) << PAGE_SHIFT | USER;
	return v;
}

static void map(unsigned int space, unsigned int page, uint64_t gfn, uint64_t bits)
{
	uint64_t *e = guest_page(0, TABLES + 4 * space + 3);

	e[page] = gfn << PAGE_SHIFT | bits;
}

static long user_call(struct vcpu *v, uint64_t nr, uint64_t arg, uint64_t la)
{
	v->regs.gpr[X86_RAX] = nr;
	v->regs.gpr[X86_RDI] = arg;
	v->regs.gpr[X86_RSI] = la;
	EXPECT(abi_user_call(v), == 1);
	machine_pass(NS_PER_US);
	check_machine();
	return (long)v->regs.gpr[X86_RAX];
}

static long attach(unsigned int space, uint64_t arg, uint64_t la)
{
	return user_call(process(space), PLINTH_USER_ATTACH, arg, la);
}

static long donate(unsigned int space, uint64_t arg)
{
	return user_call(process(space), PLINTH_USER_DONATE, arg, 0);
}

CASE(attaching_needs_the_page_of_slots)
{
	ioservid_t id = serve();

	map(0, 1, SLOTS, USER);
	map(0, 2, RING, USER);
	map(0, 3, 20, USER); /* of dom0's own */
	map(0, 4, SLOTS, USER & ~2ULL);
	map(0, 5, SLOTS, USER & ~4ULL);
	map(0, 6, HOLE_FIRST + 9, USER);
	EXPECT(attach(0, ENDS(id), LA(1)), == -EPERM); /* not before it is allowed */
	EXPECT(allow(NO_MODEL), == -ENOENT);
	EXPECT(allow(id), == 0);
	EXPECT(attach(0, ENDS(id), LA(2)), == -EPERM);
	EXPECT(attach(0, ENDS(id), LA(3)), == -EPERM);
	EXPECT(attach(0, ENDS(id), LA(4)), == -EFAULT); /* only to be read */
	EXPECT(attach(0, ENDS(id), LA(5)), == -EFAULT); /* the kernel's */
	EXPECT(attach(0, ENDS(id), LA(6)), == -EFAULT); /* nothing is there */
	EXPECT(attach(0, ENDS(id), LA(7)), == -EFAULT);
	EXPECT(attach(0, ENDS(id), LA(1) + 8), == -EFAULT);
	EXPECT(attach(0, ENDS(id), 1ULL << 63), == -EFAULT);
	EXPECT(attach(0, ENDS(NO_MODEL), LA(1)), == -EPERM);
	EXPECT(attach(0, ENDS(0xffff), LA(1)), == -EPERM);
	EXPECT(attach(0, PLINTH_USER_ARG(A, id, 0, 0), LA(1)),
	       == -EPERM); /* without device model */
	EXPECT(attach(0, PLINTH_USER_ARG(0, id, 0, 0), LA(1)), == -EPERM);
	EXPECT(attach(0, PLINTH_USER_ARG(999, id, 0, 0), LA(1)), == -ESRCH);
	EXPECT(dom(B)->hvm.ioreq->server[id].user_space, == 0);
	EXPECT(attach(0, ENDS(id), LA(1)), == 0);
}

CASE(nobody_else_makes_user_calls)
{
	static const struct {
		domid_t id;
		uint64_t nr;
	} calls[] = { { A, PLINTH_USER_DONATE },
		      { B, PLINTH_USER_ATTACH },
		      { 0, __HYPERVISOR_xen_version },
		      { 0, PLINTH_USER_DONATE | 1ULL << 32 },
		      { 0, ~0ULL } };

	for (unsigned int i = 0; i < ARRAY_SIZE(calls); i++) {
		struct vcpu *v = dom(calls[i].id)->vcpu[0];

		BUG_ON(!machine_become(v, true));
		v->regs.gpr[X86_RAX] = calls[i].nr;
		EXPECT(abi_user_call(v), == 0);
		EXPECT(v->regs.gpr[X86_RAX], == (long)calls[i].nr);
		machine_pass(NS_PER_US);
	}
}

CASE(donating_is_the_attached_process_s)
{
	struct xen_dm_op end = { .op = XEN_DMOP_destroy_ioreq_server };
	ioservid_t id = serve();

	map(0, 1, SLOTS, USER);
	map(1, 1, SLOTS, USER);
	enable(id, true);
	EXPECT(donate(0, ENDS(id)), == -ENOENT);
	EXPECT(allow(id), == 0);
	EXPECT(donate(0, ENDS(id)), == -ENOENT);
	EXPECT(attach(0, ENDS(id), LA(1)), == 0);
	EXPECT(donate(1, ENDS(id)), == -ENOENT);
	EXPECT(donate(0, ENDS(id)), != -ENOENT);
	EXPECT(donate(0, ENDS(NO_MODEL)), == -ENOENT);
	EXPECT(donate(0, ENDS(0xffff)), == -ENOENT);
	EXPECT(donate(0, PLINTH_USER_ARG(B, id, 77, 0)), == -ENOENT);
	EXPECT(donate(0, PLINTH_USER_ARG(B, id, 0, 77)), != -ENOENT); /* no answer */
	EXPECT(donate(0, PLINTH_USER_ARG(A, id, 0, 0)), == -ENOENT);
	EXPECT(donate(0, PLINTH_USER_ARG(999, id, 0, 0)), == -ESRCH);
	EXPECT(attach(1, ENDS(id), LA(1)), == 0); /* it serves now, and the other one does not */
	EXPECT(donate(0, ENDS(id)), == -ENOENT);
	enable(id, false);
	EXPECT(donate(1, ENDS(id)), == -ENOENT);
	enable(id, true);
	EXPECT(donate(1, ENDS(id)), != -ENOENT);
	end.u.destroy_ioreq_server.id = id;
	EXPECT(dm_op(&end, sizeof(end)), == 0);
	EXPECT(donate(1, ENDS(id)), == -ENOENT);
}

CASE(a_donation_brings_the_answer)
{
	struct vcpu *guest = dom(B)->vcpu[0], *v;
	ioservid_t id = serve();

	map(0, 1, SLOTS, USER);
	enable(id, true);
	EXPECT(allow(id), == 0);
	EXPECT(attach(0, ENDS(id), LA(1)), == 0);
	/* It waits for an answer, which comes with the call, whoever's turn it is. */
	guest->pause_flags = VPF_IO;
	v = process(0);
	v->regs.gpr[X86_RAX] = PLINTH_USER_DONATE;
	v->regs.gpr[X86_RDI] = ENDS(id);
	EXPECT(abi_user_call(v), == 1);
	EXPECT(guest->pause_flags, == 0);
	EXPECT(guest->attention & VCPU_ATT_IO, != 0);
	guest->attention = 0;
	machine_pass(NS_PER_US);
	/* One that sleeps does not run by it. */
	guest->pause_flags = VPF_BLOCKED;
	sched_vcpu_update(guest);
	EXPECT(donate(0, PLINTH_USER_ARG(B, id, 0, PLINTH_NO_ANSWER)), == -EBUSY);
}

CASE(other_calls_of_user_mode_fault)
{
	struct x86_segment ss = { .attr = 0xcf3, .limit = ~0U };
	struct vcpu *v = process(0);

	hvm_set_seg(v, X86_SEG_SS, &ss);
	v->regs.rip = 0x1000;
	v->regs.gpr[X86_RAX] = __HYPERVISOR_xen_version;
	hvm_exit_hypercall(v, 3);
	EXPECT(v->regs.rip, == 0x1000);
	EXPECT(v->hvm.event.vector, == X86_EXC_GP);
	v->hvm.event.type = HVM_EVENT_NONE;
	v->regs.gpr[X86_RAX] = PLINTH_USER_DONATE;
	v->regs.gpr[X86_RDI] = ENDS(0);
	hvm_exit_hypercall(v, 3);
	EXPECT(v->regs.rip, == 0x1003);
	EXPECT((long)v->regs.gpr[X86_RAX], == -ENOENT);
	EXPECT(v->hvm.event.type, == HVM_EVENT_NONE);
	machine_pass(NS_PER_US);
}
