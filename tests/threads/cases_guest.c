/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the vCPUs of one guest do to each other, and its device model to them. */
#include "threads.h"
#include "abi.h"
#include "hvm_io.h"
#include "hvm_ops.h"
#include "vmm/hvm/internal.h"
#include <xen/domctl.h>
#include <xen/event_channel.h>
#include <xen/hvm/dm_op.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/hvm_vcpu.h>
#include <xen/hvm/params.h>
#include <xen/memory.h>
#include <xen/vcpu.h>

#define A DOMID_A
#define B DOMID_B

/* --- the power management timer's ports move while they are used ---------------------------------- */

#define PM_OLD	0x1f40U
#define PM_NEW	0xb000U
#define TOGGLES 60U

/* It never fails: each move gives back what the last one took. */
static bool moves_ports(struct vcpu *v, unsigned int n)
{
	struct xen_hvm_param op = { .domid = v->domain->is_dom0 ? B : DOMID_SELF,
				    .index = HVM_PARAM_ACPI_IOPORTS_LOCATION,
				    .value = any(2) };

	EXPECT(call_op(v, __HYPERVISOR_hvm_op, HVMOP_set_param, &op, sizeof(op)), == 0);
	return n < TOGGLES;
}

/* Whoever has a port answers, or nobody does: but it is one of them. */
static bool reads_ports(struct vcpu *v, unsigned int n)
{
	uint64_t val = n;
	uint16_t port = (uint16_t)((any(2) ? PM_OLD : PM_NEW) + (any(2) ? 8 : 0));

	io_access_one(v, IOREQ_TYPE_PIO, port, 4, false, &val);
	return true;
}

/* Nobody's port reads as all-ones; the enable register never does. */
static bool answers(struct vcpu *v, uint16_t port)
{
	uint64_t val = 0;

	io_access_one(v, IOREQ_TYPE_PIO, port, 2, false, &val);
	return val != 0xffff;
}

/* Afterwards exactly one of the two places answers: the one that the parameter names. */
static bool reads_the_place(struct vcpu *v, unsigned int n)
{
	uint64_t last = v->domain->hvm.params[HVM_PARAM_ACPI_IOPORTS_LOCATION];

	(void)n;
	EXPECT(answers(v, PM_OLD + 2) + answers(v, PM_NEW + 2), == 1);
	EXPECT(answers(v, PM_NEW + 2), == (last == 1));
	return false;
}

static void ports_are_in_one_place(void)
{
	RACE_ACTS({ B, 0, 1, reads_the_place, false });
}

RACE(port_move_use, 20)
{
	RACE_ACTS({ B, 0, 1, moves_ports, false }, { B, 1, 2, reads_ports, true });
	ports_are_in_one_place();
}

RACE(port_move_move, 20)
{
	RACE_ACTS({ B, 0, 1, moves_ports, false }, { B, 1, 2, moves_ports, false },
		  { 0, 0, 0, moves_ports, false });
	ports_are_in_one_place();
}

/* --- INIT and start-up IPIs beside VCPUOP_initialise ---------------------------------------------- */

#define MARK  0x1234567812345678ULL
#define START 0x42 /* start-up IPI's vector */

static bool initialises(struct vcpu *v, unsigned int n)
{
	struct vcpu_hvm_context c = { .mode = VCPU_HVM_MODE_64B };
	struct vcpu_hvm_x86_64 *r = &c.cpu_regs.x86_64;

	(void)n;
	r->rax = r->rbx = r->rcx = r->rdx = r->rsi = r->rdi = r->rbp = r->rip = MARK;
	r->rflags = 2;
	r->cr0 = X86_CR0_PE | X86_CR0_PG;
	r->cr3 = 0x5000;
	r->cr4 = X86_CR4_PAE;
	r->efer = X86_EFER_LME | X86_EFER_LMA;
	memcpy(arg_page(v), &c, sizeof(c));
	call(v, __HYPERVISOR_vcpu_op, VCPUOP_initialise, 2, arg_la(v), 0);
	return false;
}

static bool sends_init(struct vcpu *v, unsigned int n)
{
	struct vcpu *to = domain_vcpu(v->domain, 2);

	(void)n;
	hvm_vcpu_reset_init(to);
	hvm_vcpu_startup_ipi(to, START);
	return false;
}

/* What the third vCPU is at its entries: all of one beginning, or all of the other. */
static bool starts_whole(struct vcpu *v, unsigned int n)
{
	bool wide = v->efer, down = v->pause_flags & VPF_DOWN;
	struct x86_segment cs = *hvm_seg(v, X86_SEG_CS);

	EXPECT(down, == 0);
	if (wide) {
		EXPECT(v->cr0 & (X86_CR0_PE | X86_CR0_PG), == (X86_CR0_PE | X86_CR0_PG));
		EXPECT(v->cr3, == 0x5000);
		EXPECT(v->cr4, == X86_CR4_PAE);
		EXPECT(v->regs.rip, == (long)MARK);
		EXPECT(v->regs.gpr[X86_RSI], == (long)MARK);
		EXPECT(cs.attr, == 0xa9b);
	} else {
		EXPECT(v->cr0 & X86_CR0_PE, == 0);
		EXPECT(v->cr3, == 0);
		EXPECT(v->cr4, == 0);
		EXPECT(v->regs.rip, == 0);
		EXPECT(v->regs.gpr[X86_RSI], == 0);
		EXPECT(cs.sel, == START << 8);
		EXPECT(cs.attr, == 0x9b);
	}
	return n < 8;
}

/* A vCPU that has not been up yet. */
static void take_down(struct vcpu *v)
{
	v->pause_flags = VPF_DOWN;
	v->initialised = false;
	sched_vcpu_update(v);
}

RACE(init_initialise, 100)
{
	static const struct act acts[] = { { A, 0, 1, initialises, false },
					   { A, 1, 2, sends_init, false },
					   { A, 2, 0, starts_whole, false } };

	take_down(domain_vcpu(dom(A), 2));
	race(acts, ARRAY_SIZE(acts));
}

/* --- a start-up IPI while INIT is served: the last word counts ------------------------------------ */

static bool starts_again(struct vcpu *v, unsigned int n)
{
	const struct vcpu *to = domain_vcpu(v->domain, 2);

	if (n % 4 == 0)
		sends_init(v, 0);
	/* Served, or still to be served. */
	else if (!__atomic_load_n(&to->hvm.init_sipi, __ATOMIC_SEQ_CST))
		EXPECT(__atomic_load_n(&to->pause_flags, __ATOMIC_SEQ_CST) & VPF_DOWN, == 0);
	return n < 60;
}

static bool runs(struct vcpu *v, unsigned int n)
{
	(void)v;
	(void)n;
	return true;
}

RACE(init_start, 20)
{
	const struct vcpu *to = domain_vcpu(dom(A), 2);

	RACE_ACTS({ A, 1, 2, starts_again, false }, { A, 2, 0, runs, true });
	EXPECT(to->pause_flags & VPF_DOWN, == 0);
}

/* --- a record that moves while its vCPU comes up ---------------------------------------------------- */

static bool registers_info(struct vcpu *v, unsigned int n)
{
	struct vcpu_register_vcpu_info r = { .mfn = 30 };

	(void)n;
	memcpy(arg_page(v), &r, sizeof(r));
	call(v, __HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 2, arg_la(v), 0);
	return false;
}

static bool brings_up(struct vcpu *v, unsigned int n)
{
	(void)n;
	EXPECT(call(v, __HYPERVISOR_vcpu_op, VCPUOP_up, 2, 0, 0), == 0);
	return false;
}

/* From its first entry on only it itself would move its record. */
static bool keeps_its_record(struct vcpu *v, unsigned int n)
{
	static struct vcpu_info *first;

	if (!n)
		first = vcpu_info(v);
	EXPECT(vcpu_info(v) == first, == true);
	return n < 20;
}

RACE(info_up, 200)
{
	static const struct act acts[] = { { A, 0, 1, registers_info, false },
					   { A, 1, 2, brings_up, false },
					   { A, 2, 0, keeps_its_record, false } };
	struct vcpu *v = domain_vcpu(dom(A), 2);

	v->pause_flags = VPF_DOWN;
	v->initialised = true;
	sched_vcpu_update(v);
	race(acts, ARRAY_SIZE(acts));
}

/* --- going down, crashing: once, and whole -------------------------------------------------------- */

static bool goes_down(struct vcpu *v, unsigned int n)
{
	if (n)
		return false;
	call(v, __HYPERVISOR_vcpu_op, VCPUOP_down, v->id, 0, 0);
	return true;
}

/* The act may never be entered again: a vCPU that is down or a domain that is off runs no more. */
static bool waits_for_the_end(struct vcpu *v, unsigned int n)
{
	const struct domain *d = dom(A);

	(void)v;
	EXPECT(n,
	       < 2000000); /* by turns, it is thousands; threads at once may be held up by the host */
	return !READ_ONCE(d->shut_down);
}

RACE(down_down, 100)
{
	take_down(domain_vcpu(dom(A), 2));
	RACE_ACTS({ A, 0, 1, goes_down, true }, { A, 1, 2, goes_down, true },
		  { 0, 0, 0, waits_for_the_end, false });
	EXPECT(dom(A)->shutdown_code, == SHUTDOWN_poweroff);
}

static bool crashes(struct vcpu *v, unsigned int n)
{
	char why[64];

	(void)n;
	memset(why, v->id ? 'b' : 'a', sizeof(why));
	why[sizeof(why) - 1] = 0;
	domain_crash(v->domain, "%s %u", why, v->id);
	return true;
}

RACE(crash_crash, 60)
{
	const char *why;

	RACE_ACTS({ A, 0, 1, crashes, true }, { A, 1, 2, crashes, true },
		  { 0, 0, 0, waits_for_the_end, false });
	why = dom(A)->crash_reason;
	EXPECT(dom(A)->shutdown_code, == SHUTDOWN_crash);
	EXPECT(strlen(why), == 65);
	EXPECT(why[62], == why[0]);
	EXPECT(why[64], == '0' + (why[0] == 'b'));
}

/* --- memory that comes and goes under copies ------------------------------------------------------ */

#define BALLOON_GFN 40U /* 8 frames */
#define BALLOON_NR  8U

static bool balloons(struct vcpu *v, unsigned int n)
{
	struct xen_memory_reservation r = { .nr_extents = BALLOON_NR, .domid = DOMID_SELF };
	uint64_t *list = list_page(v);

	for (unsigned int i = 0; i < BALLOON_NR; i++)
		list[i] = BALLOON_GFN + i;
	guest_handle_set(r.extent_start, list_la(v));
	call_op(v, __HYPERVISOR_memory_op,
		n & 1 ? XENMEM_populate_physmap : XENMEM_decrease_reservation, &r, sizeof(r));
	return n < 30;
}

/* Arguments, results and page tables in the very frames. */
static bool calls_from_there(struct vcpu *v, unsigned int n)
{
	uint64_t la = (uint64_t)(BALLOON_GFN + any(BALLOON_NR)) << PAGE_SHIFT;

	(void)n;
	call(v, __HYPERVISOR_memory_op, XENMEM_current_reservation, la, 0, 0);
	call(v, __HYPERVISOR_xen_version, 1, la, 0, 0);
	return true;
}

static bool maps_from_there(struct vcpu *v, unsigned int n)
{
	struct xen_add_to_physmap_batch b = { .domid = DOMID_SELF,
					      .space = XENMAPSPACE_gmfn_foreign,
					      .size = 1,
					      .u.foreign_domid = A };
	uint64_t *list = list_page(v);

	list[0] = BALLOON_GFN + any(BALLOON_NR);
	list[1] = HOLE_FIRST + n % 8;
	guest_handle_set(b.idxs, list_la(v));
	guest_handle_set(b.gpfns, list_la(v) + 8);
	guest_handle_set(b.errs, list_la(v) + 16);
	call_op(v, __HYPERVISOR_memory_op, XENMEM_add_to_physmap_batch, &b, sizeof(b));
	return true;
}

RACE(balloon_use, 12)
{
	RACE_ACTS({ A, 0, 1, balloons, false }, { A, 1, 2, calls_from_there, true },
		  { 0, 0, 0, maps_from_there, true });
}

/* --- claims on memory that change while they are changed ------------------------------------------ */

static bool claims(struct vcpu *v, unsigned int n)
{
	struct xen_memory_reservation r = { .nr_extents = n & 1 ? 0 : GUEST_RAM + 1 + any(64),
					    .domid = B };

	call_op(v, __HYPERVISOR_memory_op, XENMEM_claim_pages, &r, sizeof(r));
	return n < 40;
}

/* Afterwards, what all domains have claimed is what the allocator keeps for them (check_machine). */
RACE(claim_claim, 20)
{
	RACE_ACTS({ 0, 0, 0, claims, false }, { 0, 1, 1, claims, false });
}

/* --- events --------------------------------------------------------------------------------------- */

#define PORTS 6U

static bool opens(struct vcpu *v, unsigned int n)
{
	struct evtchn_alloc_unbound u = { .dom = DOMID_SELF, .remote_dom = B };

	call_op(v, __HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, &u, sizeof(u));
	return n < 150;
}

static bool connects(struct vcpu *v, unsigned int n)
{
	struct evtchn_bind_interdomain op = { .remote_dom = A, .remote_port = 1 + any(PORTS) };

	(void)n;
	call_op(v, __HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain, &op, sizeof(op));
	return true;
}

/* send and close: both structures hold a port only. */
static bool sends_and_closes(struct vcpu *v, unsigned int n)
{
	struct evtchn_send op = { .port = 1 + any(PORTS) };

	(void)n;
	call_op(v, __HYPERVISOR_event_channel_op, any(3) ? EVTCHNOP_send : EVTCHNOP_close, &op,
		sizeof(op));
	return true;
}

RACE(event_close_send, 12)
{
	RACE_ACTS({ A, 0, 1, opens, false }, { A, 1, 2, sends_and_closes, true },
		  { B, 0, 2, connects, true }, { B, 1, 0, sends_and_closes, true });
}

/* --- device models that come and go under a guest's I/O ------------------------------------------- */

#define PORT 0x300U

static long dm_op(struct vcpu *v, domid_t about, struct xen_dm_op *op)
{
	struct xen_dm_op_buf buf = { .size = sizeof(*op) };
	long rc;

	guest_handle_set(buf.h, list_la(v));
	memcpy(arg_page(v), &buf, sizeof(buf));
	memcpy(list_page(v), op, sizeof(*op));
	rc = call(v, __HYPERVISOR_dm_op, about, 1, arg_la(v), 0);
	memcpy(op, list_page(v), sizeof(*op));
	return rc;
}

static bool comes_and_goes(struct vcpu *v, unsigned int n)
{
	static ioservid_t id;
	struct xen_dm_op op = { 0 };

	switch (n % 4) {
	case 0:
		op.op = XEN_DMOP_create_ioreq_server;
		op.u.create_ioreq_server.handle_bufioreq = HVM_IOREQSRV_BUFIOREQ_ATOMIC;
		EXPECT(dm_op(v, B, &op), == 0);
		id = op.u.create_ioreq_server.id;
		return true;
	case 1:
		op.op = XEN_DMOP_map_io_range_to_ioreq_server;
		op.u.map_io_range_to_ioreq_server.id = id;
		op.u.map_io_range_to_ioreq_server.type = XEN_DMOP_IO_RANGE_PORT;
		op.u.map_io_range_to_ioreq_server.start = PORT;
		op.u.map_io_range_to_ioreq_server.end = PORT + 15;
		EXPECT(dm_op(v, B, &op), == 0);
		return true;
	case 2:
		op.op = XEN_DMOP_set_ioreq_server_state;
		op.u.set_ioreq_server_state.id = id;
		op.u.set_ioreq_server_state.enabled = 1;
		EXPECT(dm_op(v, B, &op), == 0);
		return true;
	default:
		op.op = XEN_DMOP_destroy_ioreq_server;
		op.u.destroy_ioreq_server.id = id;
		EXPECT(dm_op(v, B, &op), == 0);
		return n < 80;
	}
}

/* Whatever becomes of the device model, the guest goes on. */
static bool does_io(struct vcpu *v, unsigned int n)
{
	struct io_access a = { .port = (uint16_t)(PORT + any(16)), .size = 1, .insn_len = 1 };

	a.in = n & 1;
	hvm_exit_io(v, &a);
	return n < 150;
}

RACE(ioreq_server_io, 20)
{
	RACE_ACTS({ 0, 0, 0, comes_and_goes, false }, { B, 0, 1, does_io, false },
		  { B, 1, 2, does_io, false });
	EXPECT(dom(B)->shutting_down, == 0);
}

/* --- state of a guest that runs ------------------------------------------------------------------- */

#define BUF_LA 0x40000UL /* of dom0 */

static bool saves_and_loads(struct vcpu *v, unsigned int n)
{
	static uint32_t size;
	struct xen_domctl op = { 0 };

	guest_handle_set(op.u.hvmcontext.buffer, BUF_LA);
	op.u.hvmcontext.size = n & 1 ? size : 0x40000;
	if (!domctl(v, n & 1 ? XEN_DOMCTL_sethvmcontext : XEN_DOMCTL_gethvmcontext, B, &op))
		size = op.u.hvmcontext.size;
	return n < 30;
}

static bool reads_one(struct vcpu *v, unsigned int n)
{
	struct xen_domctl op = { 0 };

	op.u.hvmcontext_partial.type = 1 + n % 18;
	op.u.hvmcontext_partial.bufsz = 0x8000;
	guest_handle_set(op.u.hvmcontext_partial.buffer, BUF_LA + 0x80000);
	domctl(v, XEN_DOMCTL_gethvmcontext_partial, B, &op);
	return true;
}

/* Timers, ports, interrupts. */
static bool lives(struct vcpu *v, unsigned int n)
{
	static const uint16_t ports[] = { 0x20, 0x21, 0x40, 0x43, 0x61,
					  0x70, 0x71, 0xa0, 0xa1, 0x4d0 };
	uint64_t val = any(256);

	io_access_one(v, IOREQ_TYPE_PIO, ports[any(ARRAY_SIZE(ports))], 1, n & 1, &val);
	return true;
}

RACE(context_run, 10)
{
	RACE_ACTS({ 0, 0, 0, saves_and_loads, false }, { 0, 1, 1, reads_one, true },
		  { B, 0, 2, lives, true }, { B, 1, 1, lives, true });
}
