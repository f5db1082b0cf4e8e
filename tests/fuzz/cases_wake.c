/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupts and events that come just before a vCPU sleeps, or get a way to it only while it sleeps: it does not
 * sleep over them. tests/model has the orders of single steps; these are the ways that have to take part.
 */
#include "cases.h"
#include "event.h"
#include "hvm_ops.h"
#include "vmm/hvm/internal.h"
#include "vmm/hvm/hvm.h"
#include "save.h"
#include "vmm/domain/internal.h"
#include "vlapic.h"
#include <xen/domctl.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/vcpu.h>

enum { A = DOMID_A, B = DOMID_B };

#define LINE	    5U
#define LVT0_EXTINT 0x700U
#define VECTOR_TYPE ((uint64_t)HVM_PARAM_CALLBACK_TYPE_VECTOR << 56)

static bool sleeps(const struct vcpu *v)
{
	return v->pause_flags & VPF_BLOCKED;
}

/* v, not current, sleeps by HLT. */
static void put_to_sleep(struct vcpu *v)
{
	BUG_ON(!machine_become(v, true));
	vcpu_block(v, VPF_BLOCKED);
	machine_pass(NS_PER_US);
	BUG_ON(!sleeps(v));
}

static long set_callback(domid_t id, uint64_t via)
{
	struct xen_hvm_param p = { .domid = DOMID_SELF,
				   .index = HVM_PARAM_CALLBACK_IRQ,
				   .value = via };

	return call_op(id, __HYPERVISOR_hvm_op, HVMOP_set_param, &p, sizeof(p));
}

/* The upcall goes by a line that only the vCPU itself raises; it comes between its last entry and HLT. */
CASE(upcall_by_wire_just_before_sleep)
{
	struct vcpu *v = domain_vcpu(dom(B), 0);

	EXPECT(set_callback(B, LINE), == 0);
	vlapic_set(v->hvm.vlapic, APIC_LVT0, LVT0_EXTINT);
	BUG_ON(!machine_become(v, true));
	vcpu_block(v, VPF_BLOCKED);
	EXPECT(sleeps(v), == 1);
	vcpu_wake(v, 0);
	evtchn_mark_vcpu(v);
	vcpu_block(v, VPF_BLOCKED);
	EXPECT(sleeps(v), == 0);
	machine_pass(NS_PER_US);
}

/* An upcall is pending without a way to the vCPU, which sleeps; another one opens the way. */
CASE(callback_is_set_while_a_vcpu_sleeps)
{
	struct vcpu *v = domain_vcpu(dom(A), 1);

	EXPECT(set_callback(A, 0), == 0);
	BUG_ON(!machine_become(v, true));
	evtchn_mark_vcpu(v);
	machine_pass(NS_PER_US);
	put_to_sleep(v);
	EXPECT(set_callback(A, VECTOR_TYPE | 0x40), == 0);
	EXPECT(sleeps(v), == 0);
}

/* A PC with two vCPUs, up; LINT0 of the second takes the PIC's interrupts. */
static struct domain *new_pc(void)
{
	struct xen_domctl_createdomain cfg = machine_config(2, MACHINE_PC);
	struct domain *d;
	int err;

	d = domain_create(DOMID_INVALID, &cfg, false, &err);
	BUG_ON(!d);
	for (unsigned int i = 0; i < 2; i++) {
		BUG_ON(vcpu_create(d, i));
		domain_vcpu(d, i)->pause_flags = 0;
		vlapic_set(domain_vcpu(d, i)->hvm.vlapic, APIC_LVT0, i ? LVT0_EXTINT : 0x10000);
	}
	d->tool_pauses = 0;
	domain_unpause(d);
	return d;
}

/* The PIC's interrupt wakes the vCPU whose LINT0 takes it, whichever that is, and no other one. */
CASE(pic_wakes_the_vcpu_that_takes_it)
{
	struct domain *d = new_pc();

	for (unsigned int i = 0; i < 2; i++)
		put_to_sleep(domain_vcpu(d, i));
	hvm_isa_irq_set(d, LINE, true);
	EXPECT(sleeps(domain_vcpu(d, 1)), == 0);
	EXPECT(sleeps(domain_vcpu(d, 0)), == 1);
}

static void halt(struct vcpu *v)
{
	BUG_ON(!machine_become(v, true));
	v->regs.rflags &= ~(uint64_t)X86_EFLAGS_IF;
	hvm_exit_hlt(v, 1);
	machine_pass(NS_PER_US);
}

/* An INIT that came just before HLT with interrupts off, while nothing could be woken. */
CASE(init_comes_before_a_pc_halts_for_good)
{
	struct vcpu *v = domain_vcpu(new_pc(), 1);

	BUG_ON(!machine_become(v, true));
	hvm_vcpu_reset_init(v);
	v->regs.rflags &= ~(uint64_t)X86_EFLAGS_IF;
	hvm_exit_hlt(v, 1);
	EXPECT(v->pause_flags, == 0);
	machine_pass(NS_PER_US);
}

/* The next INIT and start-up IPI come while an INIT is being served: the vCPU runs, and is seen to. */
CASE(start_up_ipi_within_an_init)
{
	struct vcpu *v = domain_vcpu(new_pc(), 1);

	BUG_ON(!machine_become(v, true));
	hvm_vcpu_reset_init(v);
	hvm_vcpu_startup_ipi(v, 0x10);
	publish(v->initialised, false); /* the first one's, late */
	EXPECT(hvm_vcpu_serve_init(v), == true);
	EXPECT(v->initialised, == true);
	machine_pass(NS_PER_US);
}

/* HLT with interrupts off in a PC: halted until an NMI or INIT, all of them too. */
CASE(pc_halted_for_good_is_not_off)
{
	struct domain *d = new_pc();
	struct vcpu *v = domain_vcpu(d, 0), *other = domain_vcpu(d, 1);

	halt(v);
	halt(other);
	EXPECT(v->pause_flags, == VPF_DEAF);
	EXPECT(other->pause_flags, == VPF_DEAF);
	EXPECT(published(d->shutting_down), == 0);
	hvm_isa_irq_set(d, LINE, true);
	vcpu_wake(other, VCPU_ATT_IRQ);
	EXPECT(other->pause_flags, == VPF_DEAF);
	hvm_send_nmi(v);
	EXPECT(v->pause_flags, == 0);
	hvm_vcpu_reset_init(other);
	EXPECT(other->pause_flags, == 0);
	/* An NMI that came just before. */
	v->hvm.nmi_pending = false;
	halt(v);
	EXPECT(v->pause_flags, == VPF_DEAF);
	hvm_send_nmi(v);
	halt(v);
	EXPECT(v->pause_flags, == 0);
}

/* Xen's ABI has another meaning for it. */
CASE(pvh_halted_for_good_is_off)
{
	struct vcpu *v;

	for_each_vcpu(dom(A), v)
		halt(v);
	for_each_vcpu(dom(A), v)
		EXPECT(v->pause_flags & VPF_DOWN, == VPF_DOWN);
	EXPECT(published(dom(A)->shutting_down), == 1);
}

/* State with an interrupt in it is loaded into a vCPU that slept. */
CASE(state_is_loaded_into_a_vcpu_that_sleeps)
{
	struct domain *d = dom(B);
	struct vcpu *v = domain_vcpu(d, 0);
	size_t len = (size_t)hvm_save_size(d);
	uint8_t *record = xzalloc_bytes(len);

	put_to_sleep(v);
	domain_pause(d);
	EXPECT(hvm_save(d, record, &len), == 0);
	EXPECT(hvm_load(d, record, len), == 0);
	EXPECT(sleeps(v), == 0);
	domain_unpause(d);
	xfree(record);
}

/* Two vCPUs that each wait for the other to be off its CPU would both stay on theirs for ever. */
CASE(nobody_waits_for_a_vcpu_that_goes_down)
{
	struct vcpu_register_vcpu_info r = { .mfn = 20 };
	struct vcpu *other = domain_vcpu(dom(A), 1);
	const struct vcpu_info *before = vcpu_info(other);

	memcpy(guest_page(A, ARG_GFN), &r, sizeof(r));
	other->pause_flags = VPF_DOWN;
	other->running = true; /* in a hypercall of its own */
	call_as(A, 0, __HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 1, ARG, 0);
	EXPECT(vcpu_info(other) == before, == true);
	other->running = false;
	EXPECT(call_as(A, 0, __HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 1, ARG, 0), == 0);
	EXPECT(vcpu_info(other) == before, == false);
}

/* --- physical interrupts: what keeps them out for as long as it goes on --- */

#define MANY_PASSES 1000U

static unsigned int passes;

/* A guest each of whose entries exits before a physical interrupt could make it exit. */
static void exits_at_once(struct vcpu *v)
{
	(void)v;
	if (++passes == MANY_PASSES)
		this_cpu_raise(SOFTIRQ_CALL);
}

CASE(no_guest_keeps_the_interrupt_window_shut)
{
	struct hvm_ops ops = fake_hvm_ops;
	struct vcpu *v = domain_vcpu(dom(B), 0);

	ops.run = exits_at_once;
	BUG_ON(!machine_become(v, true));
	this_cpu()->softirq = 0;
	passes = 0;
	hvm_ops = &ops;
	vcpu_resume(v);
	hvm_ops = &fake_hvm_ops;
	EXPECT(passes, < 100);
	EXPECT(this_cpu()->softirq & SOFTIRQ_IRQ_WINDOW, != 0);
	machine_pass(NS_PER_US);
}

/* Others send it INIT so fast that it never comes to an entry. */
CASE(no_init_keeps_the_interrupt_window_shut)
{
	struct vcpu *v = domain_vcpu(dom(A), 1);

	BUG_ON(!machine_become(v, true));
	hvm_vcpu_reset_init(v);
	this_cpu()->softirq = 0;
	vcpu_resume(v);
	EXPECT(v->pause_flags & VPF_DOWN, != 0);
	EXPECT(this_cpu()->softirq & SOFTIRQ_IRQ_WINDOW, != 0);
	hvm_vcpu_startup_ipi(v, 0x10);
	machine_pass(NS_PER_US);
}
