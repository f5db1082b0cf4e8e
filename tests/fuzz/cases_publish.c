/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Publication (docs/locking.md): what others find while a domain or a vCPU is made, what stays while it goes, and who
 * wins when two ask at once. Other CPUs are played by hooks: each allocation and each of the vendor's operations that
 * a step calls is a moment at which another CPU may look.
 */
#include "cases.h"
#include "abi.h"
#include "hvm_io.h"
#include "hvm_ops.h"
#include "vmm/hvm/internal.h"
#include "mm.h"
#include "vmm/cpu/cpu.h"
#include "save.h"
#include "vmm/domain/internal.h"
#include "vmm/hvm/ioreq_private.h"
#include <xen/domctl.h>
#include <xen/hvm/hvm_vcpu.h>
#include <xen/vcpu.h>

enum { A = DOMID_A, B = DOMID_B };

#define NEW_ID	  100U
#define IMAGE_GFN 64ULL /* of dom0 */

static struct hvm_ops hooked;
static unsigned int looks, half_made;

static struct domain *make(domid_t id, unsigned int vcpus, int *err)
{
	struct xen_domctl_createdomain cfg = machine_config(vcpus, MACHINE_PC);

	return domain_create(id, &cfg, false, err);
}

/* --- making ------------------------------------------------------------------------------------ */

static bool domain_complete(const struct domain *d)
{
	return d->vcpu && d->shared_info && d->evtchn && d->evtchn->bucket && d->grant &&
	       d->cpu_policy && d->p2m.root && d->hvm.io &&
	       (d->is_pvh || (d->hvm.ioreq && d->hvm.irq && d->hvm.pmtimer));
}

static bool vcpu_complete(const struct vcpu *v)
{
	return v->sched.policy && v->info && v->fpu.area && v->vendor && v->hvm.vlapic &&
	       v->hvm.mtrr && v->hvm.io && v->cpu < nr_cpus && v->singleshot.fn;
}

static int look_at(struct domain *d, void *arg)
{
	struct vcpu *v;

	(void)arg;
	if (!domain_complete(d)) {
		half_made++;
		return 0;
	}
	for_each_vcpu(d, v)
		half_made += !vcpu_complete(v);
	return 0;
}

/* Another CPU lists the domains, and tries the id that is just being made. */
static void look_around(void)
{
	struct domain *d = domain_get_by_id(NEW_ID);

	looks++;
	domain_for_each(look_at, NULL);
	if (d)
		domain_put(d);
}

CASE(domains_and_vcpus_are_found_when_they_are_complete)
{
	struct domain *d;
	int err;

	looks = half_made = 0;
	host_on_alloc(look_around);
	d = make(NEW_ID, 3, &err);
	for (unsigned int i = 0; i < 3; i++)
		EXPECT(vcpu_create(d, i), == 0);
	host_on_alloc(NULL);
	EXPECT(looks, > 20);
	EXPECT(half_made, == 0);
	EXPECT(dom(NEW_ID) == d, == true);
}

static unsigned int second_id;

static int make_another(struct domain *d)
{
	struct domain *o;
	int err;

	(void)d;
	hooked.domain_init = fake_hvm_ops.domain_init;
	EXPECT(make(NEW_ID, 1, &err) == NULL, == true);
	EXPECT(err, == -EEXIST);
	o = make(DOMID_INVALID, 1, &err);
	second_id = o->domid;
	return 0;
}

CASE(two_domains_that_are_made_at_once_get_two_ids)
{
	struct domain *d;
	int err;

	hooked = fake_hvm_ops;
	hooked.domain_init = make_another;
	hvm_ops = &hooked;
	d = make(NEW_ID, 1, &err);
	EXPECT(d->domid, == NEW_ID);
	EXPECT(second_id != NEW_ID && second_id != 0 && second_id <= DOMID_MAX, == true);

	hooked.domain_init = make_another;
	d = make(DOMID_INVALID, 1, &err);
	hvm_ops = &fake_hvm_ops;
	EXPECT(d->domid != second_id, == true);
}

CASE(a_domain_that_cannot_be_made_gives_its_id_back)
{
	struct domain *d = NULL;
	unsigned int nth;
	int err;

	for (nth = 1; !d && nth < 100; nth++) {
		host_fail_alloc(nth);
		d = make(NEW_ID, 1, &err);
		host_fail_alloc(0);
		EXPECT(d || err == -ENOMEM, == true);
	}
	EXPECT(nth, > 10);
	EXPECT(d->domid, == NEW_ID);
}

static unsigned int clock_sets;

static int set_clock(struct domain *d)
{
	(void)d;
	time_set_wallclock(1234567, 0, 0);
	clock_sets++;
	return 0;
}

CASE(the_clock_that_is_set_meanwhile_is_the_new_domains_too)
{
	struct domain *d;
	int err;

	hooked = fake_hvm_ops;
	hooked.domain_init = set_clock;
	hvm_ops = &hooked;
	d = make(NEW_ID, 1, &err);
	hvm_ops = &fake_hvm_ops;
	EXPECT(clock_sets, == 1);
	EXPECT(d->shared_info->wc_sec, == 1234567);
}

CASE(a_server_waits_for_all_vcpus)
{
	struct domain *d;
	ioservid_t id;
	int err;

	d = make(NEW_ID, 2, &err);
	EXPECT(vcpu_create(d, 0), == 0);
	EXPECT(ioreq_server_create(d, 0, false, &id), == -EINVAL);
	EXPECT(vcpu_create(d, 1), == 0);
	EXPECT(ioreq_server_create(d, 0, false, &id), == 0);
	EXPECT(d->hvm.ioreq->server[id].port[1], != 0);
}

/* --- going ------------------------------------------------------------------------------------- */

CASE(tables_stay_while_someone_may_walk_them)
{
	struct domain *d = dom(A);
	const uint64_t *root = page_to_virt(d->p2m.root);
	uint64_t tables = d->p2m.nr_tables, first = root[0];

	for (unsigned int i = 0; i < 100; i++)
		EXPECT(domain_kill(d), == -ERESTART);
	EXPECT(root[0] == first, == true);
	EXPECT(d->p2m.nr_tables == tables, == true);
	EXPECT(p2m_get(d, _gfn(0)).type, == P2M_INVALID);
	EXPECT(vcpu_create(d, 0), == -EINVAL);
	machine_kill(d);
	EXPECT(d->p2m.nr_tables, == 0);
}

CASE(registered_areas_stay_while_someone_may_look)
{
	struct domain *d = dom(A);
	struct vcpu *v = domain_vcpu(d, 0);
	struct page *p = mfn_to_page(p2m_get(d, _gfn(SCRATCH_GFN)).mfn);
	struct vcpu_info *old;

	EXPECT(vcpu_info_register(v, _gfn(SCRATCH_GFN), 0), == 0);
	old = vcpu_info(v);
	for (unsigned int i = 0; i < 100; i++)
		EXPECT(domain_kill(d), == -ERESTART);
	EXPECT(vcpu_info(v) != old, == true);
	EXPECT(p->refs, == 2);
	machine_kill(d);
}

/* What stops timers comes before the grace period: nothing may set them again. */
CASE(a_dying_domain_takes_no_state)
{
	struct xen_domctl op = { .cmd = XEN_DOMCTL_sethvmcontext,
				 .interface_version = XEN_DOMCTL_INTERFACE_VERSION,
				 .domain = B };
	static uint8_t image[64 * PAGE_SIZE];
	size_t len = sizeof(image);
	struct domain *d = dom(B);

	EXPECT(hvm_save(d, image, &len), == 0);
	memcpy(guest_page(0, IMAGE_GFN), image, len); /* dom0's frames are in a row */
	op.u.hvmcontext.size = (uint32_t)len;
	guest_handle_set(op.u.hvmcontext.buffer, IMAGE_GFN << PAGE_SHIFT);
	memcpy(guest_page(0, ARG_GFN), &op, sizeof(op));
	EXPECT(call_as(0, 0, __HYPERVISOR_domctl, ARG, 0, 0, 0), == 0);
	EXPECT(domain_kill(d), == -ERESTART);
	memcpy(guest_page(0, ARG_GFN), &op, sizeof(op));
	EXPECT(call_as(0, 0, __HYPERVISOR_domctl, ARG, 0, 0, 0), == -EINVAL);
	machine_kill(d);
}

/* With its references its place in the list goes, but not its memory, and so not its id. */
CASE(a_domain_without_references_stays_for_who_looks_at_it)
{
	struct domain *d = dom(A);
	struct vcpu *v = domain_vcpu(d, 0);
	int err;

	machine_kill(d);
	fake_now_ns += NS_PER_SEC;
	timers_run();
	EXPECT(domain_get_by_id(A) == NULL, == true);
	fake_now_ns += NS_PER_SEC;
	timers_run();
	EXPECT(d->domid, == A);
	EXPECT(v && domain_vcpu(d, 0) == v && v->domain == d, == true);
	EXPECT(make(A, 1, &err) == NULL, == true);
	EXPECT(err, == -EEXIST);
	machine_pass(NS_PER_SEC);
	machine_pass(NS_PER_SEC);
	EXPECT(make(A, 1, &err) != NULL, == true);
}

/* What a CPU remembers of a domain, its branches for one, is not taken for the next one's with the same id. */
CASE(an_id_comes_again_but_not_a_serial_number)
{
	uint64_t old = dom(A)->serial;
	struct domain *d;
	int err;

	machine_kill(dom(A));
	for (unsigned int i = 0; i < 3; i++)
		machine_pass(NS_PER_SEC);
	d = make(A, 1, &err);
	EXPECT(d->domid, == A);
	EXPECT(d->serial != old && d->serial != dom0->serial, == true);
}

/* --- two at once ------------------------------------------------------------------------------- */

CASE(vcpus_without_a_slot_have_records_of_their_own)
{
	struct domain *d[2];
	int err;

	for (unsigned int k = 0; k < 2; k++) {
		d[k] = make((domid_t)(NEW_ID + k), 34, &err);
		for (unsigned int i = 0; i < 34; i++)
			EXPECT(vcpu_create(d[k], i), == 0);
	}
	evtchn_mark_vcpu(domain_vcpu(d[0], 32));
	EXPECT(evtchn_upcall_pending(domain_vcpu(d[0], 32)), == true);
	EXPECT(evtchn_upcall_pending(domain_vcpu(d[0], 33)), == false);
	EXPECT(evtchn_upcall_pending(domain_vcpu(d[1], 32)), == false);
}

static void crash_again(struct vcpu *v)
{
	hooked.dump = fake_hvm_ops.dump;
	domain_crash(v->domain, "second");
	domain_shutdown(v->domain, SHUTDOWN_poweroff);
}

CASE(the_first_crash_is_the_reason)
{
	struct domain *d = dom(A);

	hooked = fake_hvm_ops;
	hooked.dump = crash_again;
	hvm_ops = &hooked;
	EXPECT(machine_become(domain_vcpu(d, 0), true), == true);
	EXPECT(*domain_crash_reason(d), == 0);
	domain_crash(d, "first");
	hvm_ops = &fake_hvm_ops;
	machine_pass(NS_PER_MS);
	EXPECT(strcmp(domain_crash_reason(d), "first"), == 0);
	EXPECT(d->shutdown_code, == SHUTDOWN_crash);
	EXPECT(d->pause_count, == 1);
}

CASE(a_domain_without_running_vcpus_powers_off)
{
	struct domain *d = dom(A);

	EXPECT(call_as(A, 0, __HYPERVISOR_vcpu_op, VCPUOP_down, 1, 0, 0), == 0);
	EXPECT(d->shutting_down, == false);
	EXPECT(call_as(A, 0, __HYPERVISOR_vcpu_op, VCPUOP_down, 0, 0, 0), == 0);
	EXPECT(d->shutting_down, == true);
	EXPECT(d->shutdown_code, == SHUTDOWN_poweroff);
}

static struct vcpu *target;
static unsigned int ran_half_made, started;

/* A third vCPU sends INIT and a start-up IPI, and calls VCPUOP_up, while the state is being written. */
static void start_meanwhile(struct vcpu *v, uint32_t mask)
{
	fake_hvm_ops.set_state(v, mask);
	if (v != target || started++)
		return;
	EXPECT(v->initialised, == false);
	hvm_vcpu_reset_init(v);
	hvm_vcpu_startup_ipi(v, 0x10);
	ran_half_made += vcpu_runnable(v);
}

static void initialise_and_start(bool valid, void (*hook)(struct vcpu *v, uint32_t mask))
{
	struct vcpu_hvm_context ctx = { .mode = valid ? VCPU_HVM_MODE_32B : 7 };

	target = domain_vcpu(dom(A), 1);
	started = ran_half_made = 0;
	target->pause_flags = VPF_DOWN;
	target->initialised = false;
	target->hvm.init_sipi = 0;
	sched_vcpu_update(target);
	ctx.cpu_regs.x86_32.cr0 = 0x11;
	memcpy(guest_page(A, ARG_GFN), &ctx, sizeof(ctx));
	hooked = fake_hvm_ops;
	hooked.set_state = hook;
	EXPECT(call_as(A, 0, __HYPERVISOR_vcpu_op, VCPUOP_initialise, 1, ARG, 0),
	       == (valid ? 0 : -EINVAL));
}

/* A third vCPU tries VCPUOP_up, which takes whoever has a state. */
static void up_meanwhile(struct vcpu *v, uint32_t mask)
{
	fake_hvm_ops.set_state(v, mask);
	if (v != target)
		return;
	started++;
	ran_half_made += READ_ONCE(v->initialised);
}

CASE(a_vcpu_has_a_state_when_all_of_it_is_written)
{
	for (unsigned int valid = 0; valid < 2; valid++) {
		hvm_ops = &hooked;
		initialise_and_start(valid, up_meanwhile);
		hvm_ops = &fake_hvm_ops;
		EXPECT(started, > 5);
		EXPECT(ran_half_made, == 0);
		EXPECT(target->initialised, == valid);
	}
}

CASE(nobody_starts_a_vcpu_while_its_state_is_written)
{
	for (unsigned int valid = 0; valid < 2; valid++) {
		hvm_ops = &hooked;
		initialise_and_start(valid, start_meanwhile);
		hvm_ops = &fake_hvm_ops;
		EXPECT(started, > 0);
		EXPECT(ran_half_made, == 0);
		EXPECT(target->pause_count, == 0);
		EXPECT(vcpu_runnable(target), == true);
		EXPECT(target->hvm.init_sipi & (HVM_INIT_ONE - 1),
		       == (HVM_INIT_PENDING | HVM_SIPI_PENDING | 0x10));
	}
}

/* After INIT a vCPU has no state: it waits for a start-up IPI, or gets one by VCPUOP_initialise. */
CASE(vcpu_that_waits_for_a_start_up_ipi)
{
	struct vcpu_hvm_context ctx = { .mode = VCPU_HVM_MODE_32B };
	struct vcpu *v = domain_vcpu(dom(A), 1);

	ctx.cpu_regs.x86_32.cr0 = 0x11;
	for (unsigned int i = 0; i < 2; i++) {
		EXPECT(machine_become(v, true), == true);
		hvm_vcpu_reset_init(v);
		EXPECT(hvm_vcpu_serve_init(v), == false);
		machine_pass(NS_PER_US);
		EXPECT(v->pause_flags & VPF_DOWN, == VPF_DOWN);
		EXPECT(call_as(A, 0, __HYPERVISOR_vcpu_op, VCPUOP_up, 1, 0, 0), == -EINVAL);
		if (i) {
			hvm_vcpu_startup_ipi(v, 0x10);
		} else {
			memcpy(guest_page(A, ARG_GFN), &ctx, sizeof(ctx));
			EXPECT(call_as(A, 0, __HYPERVISOR_vcpu_op, VCPUOP_initialise, 1, ARG, 0),
			       == 0);
			EXPECT(call_as(A, 0, __HYPERVISOR_vcpu_op, VCPUOP_up, 1, 0, 0), == 0);
		}
		EXPECT(v->pause_flags & VPF_DOWN, == 0);
	}
	EXPECT(call_as(A, 0, __HYPERVISOR_vcpu_op, VCPUOP_down, 1, 0, 0), == 0);
	EXPECT(call_as(A, 0, __HYPERVISOR_vcpu_op, VCPUOP_up, 1, 0, 0), == 0);
}

/* --- tables of handlers ------------------------------------------------------------------------ */

static uint64_t in(uint16_t port)
{
	uint64_t val = 0;

	io_access_one(domain_vcpu(dom(B), 0), IOREQ_TYPE_PIO, port, 4, false, &val);
	return val;
}

CASE(the_acpi_ports_move_without_a_change_of_tables)
{
	struct xen_hvm_param p = { .domid = DOMID_SELF, .index = HVM_PARAM_ACPI_IOPORTS_LOCATION };
	static uint8_t before[65536];

	memcpy(before, dom(B)->hvm.io, sizeof(before));
	for (unsigned int i = 0; i < 50; i++) {
		p.value = i & 1;
		EXPECT(call_op(B, __HYPERVISOR_hvm_op, HVMOP_set_param, &p, sizeof(p)), == 0);
		EXPECT(memcmp(before, dom(B)->hvm.io, sizeof(before)), == 0);
		EXPECT(in(p.value ? 0xb008 : 0x1f48) != 0xffffffff, == true);
		EXPECT(in(p.value ? 0x1f48 : 0xb008), == 0xffffffff);
		EXPECT(in(p.value ? 0x1f40 : 0xb000), == 0xffffffff);
	}
}

CASE(sleep_states_are_paused_once)
{
	struct xen_hvm_param p = { .domid = B, .index = HVM_PARAM_ACPI_S_STATE };
	static const uint64_t states[] = { 3, 3, 0, 0, 3, 0 };

	for (unsigned int i = 0; i < ARRAY_SIZE(states); i++) {
		p.value = states[i];
		EXPECT(call_op(0, __HYPERVISOR_hvm_op, HVMOP_set_param, &p, sizeof(p)), == 0);
		EXPECT(dom(B)->pause_count, == (states[i] == 3));
	}
}
