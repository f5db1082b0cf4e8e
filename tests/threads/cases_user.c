/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device model of two threads on two CPUs that call from user mode: both donate to whichever vCPU they like, while
 * the guest makes requests, loses its server, or dies. The right to donate for a guest's requests stays with them.
 */
#include "threads.h"
#include "hvm_io.h"
#include "hvm_ops.h"
#include <xen/domctl.h>
#include <xen/hvm/dm_op.h>
#include <xen/memory.h>
#include "public/plinth_dm_op.h"
#include "vmm/abi/command.h"
#include "vmm/hvm/ioreq_private.h"

#define B     DOMID_B
#define PORT  0x300U
#define SLOTS HOLE_FIRST /* where dom0 has them */
#define SPACE 0x5000U
#define VALUE 0x5aU
#define LATER 6U /* steps before the domain is destroyed */

static ioservid_t server;

static long dm_op(struct vcpu *v, void *op, size_t size)
{
	struct xen_dm_op_buf buf = { .size = size };
	long rc;

	guest_handle_set(buf.h, list_la(v));
	memcpy(arg_page(v), &buf, sizeof(buf));
	memcpy(list_page(v), op, size);
	rc = call(v, __HYPERVISOR_dm_op, B, 1, arg_la(v), 0);
	memcpy(op, list_page(v), size);
	return rc;
}

static long user_call(struct vcpu *v, uint64_t nr, unsigned int vcpu, unsigned int answered)
{
	v->cr3 = SPACE;
	v->regs.gpr[X86_RAX] = nr;
	v->regs.gpr[X86_RDI] = PLINTH_USER_ARG(B, server, vcpu, answered);
	v->regs.gpr[X86_RSI] = (uint64_t)SLOTS << PAGE_SHIFT;
	EXPECT(abi_user_call(v), == 1);
	return (long)v->regs.gpr[X86_RAX];
}

/* Its server from the creation to the first donation. */
static void begin(struct vcpu *v)
{
	struct xen_dm_op create = { .op = XEN_DMOP_create_ioreq_server };
	struct xen_dm_op range = { .op = XEN_DMOP_map_io_range_to_ioreq_server };
	struct xen_dm_op enable = { .op = XEN_DMOP_set_ioreq_server_state };
	struct plinth_dm_op_user_calls allow = { .op = PLINTH_DMOP_user_calls };
	struct xen_mem_acquire_resource r = {
		.domid = B, .type = XENMEM_resource_ioreq_server, .frame = 1, .nr_frames = 1
	};

	create.u.create_ioreq_server.handle_bufioreq = HVM_IOREQSRV_BUFIOREQ_ATOMIC;
	if (dm_op(v, &create, sizeof(create)))
		return; /* the domain goes */
	server = create.u.create_ioreq_server.id;
	r.id = allow.server = range.u.map_io_range_to_ioreq_server.id =
		enable.u.set_ioreq_server_state.id = server;
	range.u.map_io_range_to_ioreq_server.start = PORT;
	range.u.map_io_range_to_ioreq_server.end = PORT + 15;
	enable.u.set_ioreq_server_state.enabled = 1;
	*(uint64_t *)list_page(v) = SLOTS;
	guest_handle_set(r.frame_list, list_la(v));
	call_op(v, __HYPERVISOR_memory_op, XENMEM_acquire_resource, &r, sizeof(r));
	dm_op(v, &allow, sizeof(allow));
	user_call(v, PLINTH_USER_ATTACH, 0, 0);
	dm_op(v, &range, sizeof(range));
	dm_op(v, &enable, sizeof(enable));
}

static void end(struct vcpu *v)
{
	struct xen_dm_op op = { .op = XEN_DMOP_destroy_ioreq_server };

	op.u.destroy_ioreq_server.id = server;
	dm_op(v, &op, sizeof(op));
}

/* The vCPU whose request this thread has answered, or PLINTH_NO_ANSWER. One of the two looks at a time. */
static unsigned int answer_one(const struct vcpu *v)
{
	static int looking;
	struct p2m_entry e = p2m_get(v->domain, _gfn(SLOTS));
	ioreq_t *slot = p2m_has_page(e.type) ? mfn_to_virt(e.mfn) : NULL;
	unsigned int found = PLINTH_NO_ANSWER;

	if (__atomic_exchange_n(&looking, 1, __ATOMIC_ACQUIRE))
		return found;
	for (unsigned int i = 0; slot && i < 2; i++)
		if (((volatile ioreq_t *)slot)[i].state == STATE_IOREQ_READY) {
			slot[i].data = VALUE;
			__atomic_thread_fence(__ATOMIC_RELEASE);
			((volatile ioreq_t *)slot)[i].state = STATE_IORESP_READY;
			found = i;
			break;
		}
	__atomic_store_n(&looking, 0, __ATOMIC_RELEASE);
	return found;
}

static bool serves(struct vcpu *v, unsigned int n)
{
	if (!n && !v->id)
		begin(v);
	user_call(v, PLINTH_USER_DONATE, any(2), answer_one(v));
	return true;
}

static bool is_served(struct vcpu *v, unsigned int n)
{
	struct io_access a = { .port = (uint16_t)(PORT + any(16)), .size = 1, .insn_len = 1 };

	a.in = n & 1;
	if (n && (n & 1) == 0)
		EXPECT((uint8_t)v->regs.gpr[X86_RAX] == VALUE ||
			       (uint8_t)v->regs.gpr[X86_RAX] == 0xff,
		       == 1);
	hvm_exit_io(v, &a);
	return n < 100;
}

/* Nobody but the two answers, so every request is answered by one whose call brings it. */
RACE(user_donate_donate, 24)
{
	RACE_ACTS({ 0, 0, 0, serves, true }, { 0, 1, 1, serves, true },
		  { B, 0, 2, is_served, false }, { B, 1, 1, is_served, false });
	EXPECT(dom(B)->shutting_down, == 0);
}

static bool serves_now_and_then(struct vcpu *v, unsigned int n)
{
	if (!v->id && n % 8 == 0)
		begin(v);
	else if (!v->id && n % 8 == 7)
		end(v);
	else
		user_call(v, any(8) ? PLINTH_USER_DONATE : PLINTH_USER_ATTACH, any(3),
			  answer_one(v));
	return n < 120;
}

RACE(user_donate_server, 24)
{
	RACE_ACTS({ 0, 0, 0, serves_now_and_then, false }, { 0, 1, 1, serves, true },
		  { B, 0, 2, is_served, true }, { B, 1, 1, is_served, true });
}

static bool destroys(struct vcpu *v, unsigned int n)
{
	struct xen_domctl op = { 0 };

	if (!n)
		begin(v);
	else if (n == LATER)
		domctl(v, XEN_DOMCTL_destroydomain, B, &op);
	else
		user_call(v, PLINTH_USER_DONATE, any(3), answer_one(v));
	return n < LATER + 12;
}

RACE(user_donate_destroy, 24)
{
	RACE_ACTS({ 0, 0, 0, destroys, false }, { 0, 1, 1, serves, true },
		  { B, 0, 2, is_served, true }, { B, 1, 1, is_served, true });
}
