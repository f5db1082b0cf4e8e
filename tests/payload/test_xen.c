// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Xen's guest ABI where CPUID shows it: hypercalls by the page and by both instructions, bad
 * arguments, shared info and pvclock, event channels by the upcall vector, grant table, runstate
 * and the single-shot timer.
 */
#include "payload.h"
#include <xen/xen.h>
#include <xen/version.h>
#include <xen/sched.h>
#include <xen/memory.h>
#include <xen/vcpu.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/features.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>

#define V_UPCALL   0xa1
#define XEN_EFAULT (-14)
#define XEN_EINVAL (-22)
#define XEN_ENOSYS (-38)

static struct shared_info *shared;
static volatile unsigned int upcalls;
static volatile ulong pending_seen;

static long version(void)
{
	return hypercall(__HYPERVISOR_xen_version, XENVER_version, 0, 0, 0, 0);
}

TEST(xen_version, "xen: version by the hypercall page and by the native instruction")
{
	static volatile long r1, r2;
	int v1, v2;

	NEED(plat.is_xen, "no Xen");
	CHECK(version() == (long)plat.xen_version, "page: %lx, CPUID: %x", version(),
	      plat.xen_version);
	v1 = TRAP(r1 = hypercall_vmcall(__HYPERVISOR_xen_version, XENVER_version, 0));
	v2 = TRAP(r2 = hypercall_vmmcall(__HYPERVISOR_xen_version, XENVER_version, 0));
	CHECK((v1 == -1 && r1 == version()) || v1 == X86_EXC_UD, "VMCALL: vector %d, %lx", v1, r1);
	CHECK((v2 == -1 && r2 == version()) || v2 == X86_EXC_UD, "VMMCALL: vector %d, %lx", v2, r2);
	CHECK((plat.is_amd ? v2 : v1) == -1, "the native instruction raises %d",
	      plat.is_amd ? v2 : v1);
	return NULL;
}

TEST(xen_both, "xen: VMCALL and VMMCALL both work")
{
	int v1, v2;

	NEED(plat.is_xen, "no Xen");
	v1 = TRAP(hypercall_vmcall(__HYPERVISOR_xen_version, XENVER_version, 0));
	v2 = TRAP(hypercall_vmmcall(__HYPERVISOR_xen_version, XENVER_version, 0));
	NEED(v1 == -1 && v2 == -1, "only the native one does (vectors %d, %d)", v1, v2);
	return NULL;
}

TEST(xen_info, "xen: version strings and features")
{
	static char text[1024];
	struct xen_feature_info f = { .submap_idx = 0 };

	NEED(plat.is_xen, "no Xen");
	CHECK(!hypercall(__HYPERVISOR_xen_version, XENVER_extraversion, (ulong)text, 0, 0, 0),
	      "extraversion");
	CHECK(!hypercall(__HYPERVISOR_xen_version, XENVER_capabilities, (ulong)text, 0, 0, 0),
	      "capabilities");
	CHECK(strlen(text), "no capabilities");
	CHECK(!hypercall(__HYPERVISOR_xen_version, XENVER_get_features, (ulong)&f, 0, 0, 0),
	      "features");
	CHECK(f.submap >> XENFEAT_auto_translated_physmap & 1, "not translated: %x", f.submap);
	CHECK(f.submap >> XENFEAT_hvm_callback_vector & 1, "no callback vector: %x", f.submap);
	CHECK(hypercall(__HYPERVISOR_xen_version, XENVER_pagesize, 0, 0, 0, 0) == 4096,
	      "page size");
	return NULL;
}

TEST(xen_bad, "xen: unknown numbers and bad pointers are refused")
{
	long r;

	NEED(plat.is_xen, "no Xen");
	r = plat.is_amd ? hypercall_vmmcall(0x3ff, 0, 0) : hypercall_vmcall(0x3ff, 0, 0);
	CHECK(r == XEN_ENOSYS, "number 0x3ff: %ld", r);
	r = hypercall(__HYPERVISOR_xen_version, 9999, 0, 0, 0, 0);
	CHECK(r == XEN_ENOSYS, "xen_version 9999: %ld", r);
	r = hypercall(__HYPERVISOR_xen_version, XENVER_get_features, 0xfd800000, 0, 0, 0);
	CHECK(r == XEN_EFAULT, "pointer to nothing: %ld", r);
	r = hypercall(__HYPERVISOR_sched_op, 9999, 0, 0, 0, 0);
	CHECK(r == XEN_ENOSYS || r == XEN_EINVAL, "sched_op 9999: %ld", r);
	r = hypercall(__HYPERVISOR_domctl, 0, 0, 0, 0, 0);
	CHECK(r < 0, "domctl: %ld", r);
	r = hypercall(__HYPERVISOR_sysctl, 0, 0, 0, 0, 0);
	CHECK(r < 0, "sysctl: %ld", r);
	return NULL;
}

#ifdef __x86_64__
TEST(xen_user, "xen: a hypercall from level 3 is refused")
{
	static const u8 code[] = { 0x0f, 0x01, 0xd9, 0x0f, 0x0b, 0x0f, 0x01, 0xc1, 0x0f, 0x0b };
	static u8 user_stack[512] __attribute__((aligned(16)));
	int v;

	NEED(plat.is_xen, "no Xen");
	v = TRAP(asm volatile("pushq %0; pushq %1; pushq $2; pushq %2; pushq %3; iretq"
			      :
			      : "r"((ulong)SEL_UDATA | 3), "r"((ulong)user_stack + 512),
				"r"((ulong)SEL_UCODE | 3), "r"(code + (plat.is_amd ? 0 : 5)),
				"a"(__HYPERVISOR_sched_op), "D"(2), "S"(0)
			      : "memory"));
	CHECK(v == X86_EXC_UD || v == X86_EXC_GP, "vector %d", v);
	return NULL;
}
#endif

static bool map_shared(void)
{
	struct xen_add_to_physmap a = { .domid = DOMID_SELF, .space = XENMAPSPACE_shared_info };

	if (shared)
		return true;
	shared = page_alloc(1);
	page_keep();
	a.gpfn = (ulong)shared >> 12;
	if (!hypercall(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, (ulong)&a, 0, 0, 0))
		return true;
	shared = NULL;
	return false;
}

/* System time in ns of vCPU 0 (xen.h: struct vcpu_time_info). */
static u64 pvclock(void)
{
	volatile struct vcpu_time_info *t = &shared->vcpu_info[0].time;
	u64 delta, ns;
	u32 version;

	do {
		version = t->version;
		barrier();
		delta = rdtsc() - t->tsc_timestamp;
		delta = t->tsc_shift < 0 ? delta >> -t->tsc_shift : delta << t->tsc_shift;
		ns = t->system_time + (delta >> 32) * t->tsc_to_system_mul +
		     ((delta & 0xffffffff) * t->tsc_to_system_mul >> 32);
		barrier();
	} while ((version & 1) || version != t->version);
	return ns;
}

TEST(xen_shared, "xen: shared info, wall clock and pvclock")
{
	u64 a, b, expect, start;
	unsigned int tries;

	NEED(plat.is_xen, "no Xen");
	CHECK(map_shared(), "cannot be mapped");
	CHECK(shared->vcpu_info[0].time.tsc_to_system_mul, "no TSC scale");
	CHECK(shared->wc_sec > 1000000000u, "wall clock %u", shared->wc_sec);
	for (tries = 0; tries < 8; tries++) { /* others may have the CPU between two readings */
		start = rdtsc();
		a = pvclock();
		delay_us(20000);
		b = pvclock();
		expect =
			div_u64((rdtsc() - start) * 1000, (u32)div_u64(plat.tsc_hz, 1000)); /* us */
		b = div_u64(b - a, 1000);
		if (b <= expect + expect / 20 + 50 && b + b / 20 + 50 >= expect)
			break;
	}
	CHECK(tries < 8, "%llu us in %llu us", b, expect);
	return NULL;
}

/* What is masked stays pending: other ports of the same word (the console's) may have sent. */
static ulong take_unmasked(unsigned int word)
{
	ulong mask = __atomic_load_n(&shared->evtchn_mask[word], __ATOMIC_SEQ_CST);

	return __atomic_fetch_and(&shared->evtchn_pending[word], mask, __ATOMIC_SEQ_CST) & ~mask;
}

static void on_upcall(struct regs *r)
{
	struct vcpu_info *v = &shared->vcpu_info[0];
	ulong sel;
	unsigned int i;

	(void)r;
	upcalls++;
	v->evtchn_upcall_pending = 0;
	sel = __atomic_exchange_n(&v->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
	for (i = 0; i < sizeof(ulong) * 8; i++)
		if (sel >> i & 1)
			pending_seen |= take_unmasked(i);
}

/* The callback vector of the domain (no EOI needed), by HVM_PARAM_CALLBACK_IRQ type 2. */
static bool upcall_on(void)
{
	struct xen_hvm_param p = { .domid = DOMID_SELF,
				   .index = HVM_PARAM_CALLBACK_IRQ,
				   .value = 2ull << 56 | V_UPCALL };

	if (!map_shared())
		return false;
	irq_set(V_UPCALL, on_upcall);
	/* an old event whose selector bit stays set would swallow the next upcall */
	memset(shared->evtchn_pending, 0, sizeof(shared->evtchn_pending));
	shared->vcpu_info[0].evtchn_pending_sel = 0;
	shared->vcpu_info[0].evtchn_upcall_pending = 0;
	shared->vcpu_info[0].evtchn_upcall_mask = 0;
	upcalls = 0;
	pending_seen = 0;
	return !hypercall(__HYPERVISOR_hvm_op, HVMOP_set_param, (ulong)&p, 0, 0, 0);
}

static long evtchn(int op, void *arg)
{
	return hypercall(__HYPERVISOR_event_channel_op, op, (ulong)arg, 0, 0, 0);
}

static long port_close(u32 port)
{
	struct evtchn_close c = { .port = port };

	return evtchn(EVTCHNOP_close, &c);
}

static void unmask(u32 port)
{
	struct evtchn_unmask u = { .port = port };

	evtchn(EVTCHNOP_unmask, &u);
}

TEST(xen_event, "xen: event channel to oneself by the upcall vector")
{
	struct evtchn_bind_ipi b = { .vcpu = 0 };
	struct evtchn_send s;
	struct evtchn_status st = { .dom = DOMID_SELF };
	long r;

	NEED(plat.is_xen, "no Xen");
	CHECK(upcall_on(), "no upcall vector");
	r = evtchn(EVTCHNOP_bind_ipi, &b);
	CHECK(!r && b.port, "bind: %ld", r);
	st.port = b.port;
	CHECK(!evtchn(EVTCHNOP_status, &st) && st.status == EVTCHNSTAT_ipi, "status %u", st.status);
	unmask(b.port);
	s.port = b.port;
	irq_on();
	r = evtchn(EVTCHNOP_send, &s);
	CHECK(!r, "send: %ld", r);
	WAIT_FOR(pending_seen >> b.port & 1, 1000000);
	irq_off();
	CHECK(pending_seen >> (b.port % (sizeof(ulong) * 8)) & 1, "port %u not seen, %u upcalls",
	      b.port, upcalls);
	CHECK(!port_close(b.port), "close");
	CHECK(port_close(b.port) < 0, "closing twice succeeds");
	CHECK(port_close(0x7fffffff) < 0, "closing nonsense succeeds");
	return NULL;
}

TEST(xen_masked, "xen: a masked event waits, unmasking delivers it")
{
	struct evtchn_bind_ipi b = { .vcpu = 0 };
	struct evtchn_send s;
	unsigned int before;

	NEED(plat.is_xen, "no Xen");
	CHECK(upcall_on() && !evtchn(EVTCHNOP_bind_ipi, &b), "no event channel");
	shared->evtchn_mask[0] |= 1ul << b.port;
	s.port = b.port;
	irq_on();
	evtchn(EVTCHNOP_send, &s);
	delay_us(200);
	before = pending_seen >> b.port & 1;
	unmask(b.port);
	WAIT_FOR(pending_seen >> b.port & 1, 500000);
	irq_off();
	port_close(b.port);
	CHECK(!before, "delivered while masked");
	CHECK(pending_seen >> b.port & 1, "lost");
	return NULL;
}

TEST(xen_timer, "xen: single-shot timer by VIRQ_TIMER, blocking meanwhile")
{
	struct evtchn_bind_virq b = { .virq = VIRQ_TIMER, .vcpu = 0 };
	struct vcpu_set_singleshot_timer t = { 0 };
	long r;
	u64 due, now;

	NEED(plat.is_xen, "no Xen");
	CHECK(upcall_on(), "no upcall vector");
	r = evtchn(EVTCHNOP_bind_virq, &b);
	CHECK(!r, "bind: %ld", r);
	unmask(b.port);
	hypercall(__HYPERVISOR_vcpu_op, VCPUOP_stop_periodic_timer, 0, 0, 0, 0);
	due = pvclock() + 5000000;
	t.timeout_abs_ns = due;
	r = hypercall(__HYPERVISOR_vcpu_op, VCPUOP_set_singleshot_timer, 0, (ulong)&t, 0, 0);
	CHECK(!r, "set: %ld", r);
	while (!(pending_seen >> b.port & 1) && pvclock() < due + 2000000000)
		sti_hlt();
	now = pvclock();
	port_close(b.port);
	CHECK(pending_seen >> b.port & 1, "no event");
	CHECK(now >= due, "%llu ns too early", due - now);
	return NULL;
}

TEST(xen_runstate, "xen: runstate and vcpu_op arguments")
{
	struct vcpu_runstate_info info = { 0 };
	long r;

	NEED(plat.is_xen, "no Xen");
	r = hypercall(__HYPERVISOR_vcpu_op, VCPUOP_is_up, 0, 0, 0, 0);
	CHECK(r == 1, "vCPU 0 up: %ld", r);
	r = hypercall(__HYPERVISOR_vcpu_op, VCPUOP_is_up, 4711, 0, 0, 0);
	CHECK(r < 0, "vCPU 4711 up: %ld", r);
	r = hypercall(__HYPERVISOR_vcpu_op, VCPUOP_get_runstate_info, 0, (ulong)&info, 0, 0);
	CHECK(!r && info.state == RUNSTATE_running, "get: %ld, state %d", r, info.state);
	return NULL;
}

static u64 times_sum(const volatile struct vcpu_runstate_info *r)
{
	return r->time[0] + r->time[1] + r->time[2] + r->time[3];
}

static long get_runstate(struct vcpu_runstate_info *r)
{
	return hypercall(__HYPERVISOR_vcpu_op, VCPUOP_get_runstate_info, 0, (ulong)r, 0, 0);
}

#define POLL_NS	   20000000
#define BLOCKED_NS 15000000
#define POLL_TRIES 10

/* A poll of no ports for 20 ms, and the blocked time that it brings. NULL, or what is wrong. */
static const char *poll_once(volatile struct vcpu_runstate_info *area, u64 *blocked)
{
	struct vcpu_runstate_info before, after;
	struct sched_poll poll = { 0 };
	u64 start = pvclock(), passed;
	long r;

	get_runstate(&before);
	poll.timeout = start + POLL_NS;
	do /* any event ends a poll of no ports, such as the console's */
		r = hypercall(__HYPERVISOR_sched_op, SCHEDOP_poll, (ulong)&poll, 0, 0, 0);
	while (!r && pvclock() < poll.timeout);
	CHECK(!r, "poll: %ld", r);
	get_runstate(&after);
	passed = pvclock() - start;
	*blocked = after.time[RUNSTATE_blocked] - before.time[RUNSTATE_blocked];
	CHECK(passed >= POLL_NS, "the poll ended after %llu ns", passed);
	CHECK(area->state == RUNSTATE_running, "state of the area: %d", area->state);
	CHECK(area->time[RUNSTATE_blocked] >= after.time[RUNSTATE_blocked],
	      "the area was not updated");
	CHECK(times_sum(&after) - times_sum(&before) <= passed, "%llu ns in %llu ns",
	      times_sum(&after) - times_sum(&before), passed);
	return NULL;
}

/* Events wake it early, and it waits for its CPU where others have work: one poll in ten has most of its time. */
TEST(xen_runstate_area, "xen: runstate area, and blocked time that is counted")
{
	static struct vcpu_runstate_info area __attribute__((aligned(64)));
	struct vcpu_register_runstate_memory_area reg = { 0 };
	const char *why;
	u64 blocked = 0, most = 0;
	long r;

	NEED(plat.is_xen, "no Xen");
	CHECK(map_shared(), "no shared info");
	reg.addr.p = (ulong)&area;
	r = hypercall(__HYPERVISOR_vcpu_op, VCPUOP_register_runstate_memory_area, 0, (ulong)&reg, 0,
		      0);
	CHECK(!r && area.state == RUNSTATE_running, "register: %ld, state %d", r, area.state);
	for (unsigned int i = 0; i < POLL_TRIES && most < BLOCKED_NS; i++) {
		why = poll_once(&area, &blocked);
		if (why)
			return why;
		most = blocked > most ? blocked : most;
	}
	CHECK(most >= BLOCKED_NS, "blocked for %llu ns of 20 ms, at most", most);
	reg.addr.p = 0;
	hypercall(__HYPERVISOR_vcpu_op, VCPUOP_register_runstate_memory_area, 0, (ulong)&reg, 0, 0);
	return NULL;
}

TEST(xen_watchdog, "xen: watchdogs are started, fed and stopped")
{
	struct sched_watchdog w = { .id = 0, .timeout = 30 };
	long id;

	NEED(plat.is_xen, "no Xen");
	NEED(!plat.is_dom0, "not dom0's");
	id = hypercall(__HYPERVISOR_sched_op, SCHEDOP_watchdog, (ulong)&w, 0, 0, 0);
	CHECK(id > 0, "start: %ld", id);
	w.id = id;
	CHECK(!hypercall(__HYPERVISOR_sched_op, SCHEDOP_watchdog, (ulong)&w, 0, 0, 0), "feed");
	w.timeout = 0;
	CHECK(!hypercall(__HYPERVISOR_sched_op, SCHEDOP_watchdog, (ulong)&w, 0, 0, 0), "stop");
	w.id = 4711;
	CHECK(hypercall(__HYPERVISOR_sched_op, SCHEDOP_watchdog, (ulong)&w, 0, 0, 0) < 0,
	      "id 4711");
	return NULL;
}

TEST(xen_grant, "xen: grant table set-up")
{
	struct gnttab_query_size q = { .dom = DOMID_SELF };
	struct xen_add_to_physmap a = { .domid = DOMID_SELF, .space = XENMAPSPACE_grant_table };
	volatile grant_entry_v1_t *table;
	long r;

	NEED(plat.is_xen, "no Xen");
	NEED(!plat.is_dom0, "no one grants dom0 its rings");
	r = hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_query_size, (ulong)&q, 1, 0, 0);
	CHECK(!r && !q.status && q.max_nr_frames, "query: %ld status %d, %u frames", r, q.status,
	      q.max_nr_frames);
	table = page_alloc(1);
	page_keep(); /* the page now belongs to the grant table */
	a.gpfn = (ulong)table >> 12;
	r = hypercall(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, (ulong)&a, 0, 0, 0);
	CHECK(!r, "map: %ld", r);
	CHECK(table[GNTTAB_RESERVED_XENSTORE].flags & GTF_permit_access, "xenstore entry %x",
	      table[GNTTAB_RESERVED_XENSTORE].flags);
	CHECK(table[GNTTAB_RESERVED_XENSTORE].frame == xen_hvm_param(HVM_PARAM_STORE_PFN),
	      "xenstore frame %x", table[GNTTAB_RESERVED_XENSTORE].frame);
	table[100].frame = 0x1234;
	CHECK(table[100].frame == 0x1234, "does not hold an entry");
	table[100].frame = 0;
	return NULL;
}

TEST(xen_memory, "xen: memory map and balloon")
{
	xen_pfn_t pfn = (ulong)page_alloc(1) >> 12;
	struct xen_memory_reservation m = { .nr_extents = 1, .domid = DOMID_SELF };
	volatile u32 *p = (volatile u32 *)(ulong)(pfn << 12);
	long r;

	NEED(plat.is_xen, "no Xen");
	page_keep();
	set_xen_guest_handle(m.extent_start, &pfn);
	*p = 0x1234;
	r = hypercall(__HYPERVISOR_memory_op, XENMEM_decrease_reservation, (ulong)&m, 0, 0, 0);
	CHECK(r == 1, "decrease: %ld", r);
	r = hypercall(__HYPERVISOR_memory_op, XENMEM_populate_physmap, (ulong)&m, 0, 0, 0);
	CHECK(r == 1, "populate: %ld", r);
	*p = 0x4321;
	CHECK(*p == 0x4321, "the new page reads %x", *p);
	return NULL;
}
