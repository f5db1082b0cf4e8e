// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Soft reset (SHUTDOWN_soft_reset in xen/sched.h): what a kernel asks for before it jumps into the next one. The tools
 * take the guest's connections away and make new ones; memory and vCPUs stay, and the vCPU goes on behind the
 * hypercall. Only with the option reset=1, and in a guest whose configuration lets the tools do it.
 */
#include "payload.h"
#include <xen/xen.h>
#include <xen/sched.h>
#include <xen/memory.h>
#include <xen/vcpu.h>
#include <xen/event_channel.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>

#define PATTERN	 0x5a
#define V_UPCALL 0xa1

/* What the guest had before, and what became of it. */
static struct {
	bool done;
	long rc;		/* of the shutdown */
	u32 ipi, virq, unbound; /* ports */
	volatile u8 *shared;	/* where shared info was */
	u8 *memory;		/* a page with PATTERN */
	struct vcpu_info *info; /* registered */
	struct vcpu_runstate_info *runstate;
} old;

static long evtchn(int op, void *arg)
{
	return hypercall(__HYPERVISOR_event_channel_op, op, (ulong)arg, 0, 0, 0);
}

static long vcpu_op(int op, void *arg)
{
	return hypercall(__HYPERVISOR_vcpu_op, op, 0, (ulong)arg, 0, 0);
}

static long map_shared_info(void *where)
{
	struct xen_add_to_physmap a = { .domid = DOMID_SELF,
					.space = XENMAPSPACE_shared_info,
					.gpfn = (ulong)where >> 12 };

	return hypercall(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, (ulong)&a, 0, 0, 0);
}

static long register_info(struct vcpu_info *info)
{
	struct vcpu_register_vcpu_info r = { .mfn = (ulong)info >> 12 };

	return vcpu_op(VCPUOP_register_vcpu_info, &r);
}

static bool filled(const volatile void *p, size_t n)
{
	const volatile u8 *b = p;

	while (n--)
		if (*b++ != PATTERN)
			return false;
	return true;
}

static const char *make_ports(void)
{
	struct evtchn_bind_ipi ipi = { .vcpu = 0 };
	struct evtchn_bind_virq virq = { .virq = VIRQ_TIMER, .vcpu = 0 };
	struct evtchn_alloc_unbound unbound = { .dom = DOMID_SELF, .remote_dom = 0 };

	CHECK(!evtchn(EVTCHNOP_bind_ipi, &ipi), "no IPI port");
	CHECK(!evtchn(EVTCHNOP_bind_virq, &virq), "no port for VIRQ_TIMER");
	CHECK(!evtchn(EVTCHNOP_alloc_unbound, &unbound), "no unbound port");
	old.ipi = ipi.port;
	old.virq = virq.port;
	old.unbound = unbound.port;
	return NULL;
}

static const char *make_areas(void)
{
	struct vcpu_register_runstate_memory_area area = { 0 };
	u8 *page = page_alloc(4);
	long r;

	old.shared = page;
	old.memory = page + 4096;
	old.info = (struct vcpu_info *)(page + 2 * 4096);
	old.runstate = (struct vcpu_runstate_info *)(page + 3 * 4096);
	r = map_shared_info(page);
	CHECK(!r, "map shared info: %ld", r);
	r = register_info(old.info);
	CHECK(!r, "register vcpu_info: %ld", r);
	CHECK(register_info(old.info) < 0, "vcpu_info can be registered twice");
	area.addr.p = (ulong)old.runstate;
	r = vcpu_op(VCPUOP_register_runstate_memory_area, &area);
	CHECK(!r, "register runstate: %ld", r);
	memset(old.memory, PATTERN, 4096);
	return NULL;
}

TEST(reset_shutdown, "reset: the guest goes on behind the hypercall, with its memory")
{
	const char *why;

	NEED(cmdline_number("reset", 0), "not asked for (reset=1)");
	NEED(plat.is_xen, "no Xen");
	why = make_areas();
	if (!why)
		why = make_ports();
	page_keep();
	if (why)
		return why;
	print("# soft reset\n");
	old.rc = xen_shutdown(SHUTDOWN_soft_reset);
	old.done = true;
	xen_console_init();
	CHECK(!old.rc, "the hypercall answers %ld", old.rc);
	CHECK(filled(old.memory, 4096), "memory has changed");
	return NULL;
}

static const char *closed(u32 port, u32 was)
{
	struct evtchn_status st = { .dom = DOMID_SELF, .port = port };

	CHECK(!evtchn(EVTCHNOP_status, &st), "no status of port %u", port);
	CHECK(st.status != was, "port %u still has status %u", port, was);
	return NULL;
}

/* The numbers may already serve anew, for the tools' own channels, but not as what they were. */
TEST(reset_ports, "reset: event channels are closed")
{
	struct evtchn_bind_virq virq = { .virq = VIRQ_TIMER, .vcpu = 0 };
	struct evtchn_close c;
	const char *why;
	long r;

	NEED(old.done, "no reset");
	why = closed(old.ipi, EVTCHNSTAT_ipi);
	if (!why)
		why = closed(old.virq, EVTCHNSTAT_virq);
	if (why)
		return why;
	r = evtchn(EVTCHNOP_bind_virq, &virq);
	CHECK(!r, "VIRQ_TIMER cannot be bound: %ld", r);
	c.port = virq.port;
	CHECK(!evtchn(EVTCHNOP_close, &c), "close");
	return NULL;
}

static const char *connected(u32 param)
{
	struct evtchn_status st = { .dom = DOMID_SELF, .port = xen_hvm_param(param) };

	CHECK(st.port, "parameter %u holds no port", param);
	CHECK(!evtchn(EVTCHNOP_status, &st), "port %u of parameter %u", st.port, param);
	CHECK(st.status == EVTCHNSTAT_interdomain || st.status == EVTCHNSTAT_unbound,
	      "port %u of parameter %u has status %u", st.port, param, st.status);
	return NULL;
}

TEST(reset_channels, "reset: xenstore and the console have channels again")
{
	const char *why;

	NEED(old.done, "no reset");
	why = connected(HVM_PARAM_STORE_EVTCHN);
	return why ? why : connected(HVM_PARAM_CONSOLE_EVTCHN);
}

/* A page that nobody else writes to: the clock in vCPU 0's record would move. */
TEST(reset_shared, "reset: memory is where shared info was, and shared info can be mapped again")
{
	volatile struct shared_info *s = page_alloc(1);
	unsigned int i;
	long r;

	NEED(old.done, "no reset");
	for (i = 0; i < 4096; i++)
		old.shared[i] = PATTERN;
	delay_us(20000);
	hypercall(__HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0, 0, 0);
	CHECK(filled(old.shared, 4096), "the page does not hold what is written to it");
	r = map_shared_info((void *)s);
	page_keep();
	CHECK(!r, "map shared info: %ld", r);
	CHECK(s->vcpu_info[0].time.tsc_to_system_mul && s->wc_sec > 1000000000u,
	      "no clock in it: scale %u, %u s", s->vcpu_info[0].time.tsc_to_system_mul, s->wc_sec);
	CHECK(filled(old.shared, 4096), "the old place has followed");
	return NULL;
}

TEST(reset_areas, "reset: vcpu_info and the runstate area are left alone")
{
	NEED(old.done, "no reset");
	memset(old.info, PATTERN, sizeof(*old.info));
	memset(old.runstate, PATTERN, sizeof(*old.runstate));
	delay_us(20000);
	hypercall(__HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0, 0, 0);
	CHECK(filled(old.runstate, sizeof(*old.runstate)), "the runstate area is written to");
	CHECK(filled(old.info, sizeof(*old.info)), "the old vcpu_info is written to");
	return NULL;
}

static volatile struct vcpu_info *info;
static volatile unsigned int upcalls;
static volatile ulong words_seen;

/* The vector comes again for as long as the flag is set. */
static void on_upcall(struct regs *r)
{
	(void)r;
	upcalls++;
	info->evtchn_upcall_pending = 0;
	words_seen |= __atomic_exchange_n(&info->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
}

TEST(reset_event, "reset: vcpu_info can be registered again, events arrive by the upcall vector")
{
	struct xen_hvm_param p = { .domid = DOMID_SELF,
				   .index = HVM_PARAM_CALLBACK_IRQ,
				   .value = 2ull << 56 | V_UPCALL };
	struct evtchn_bind_ipi b = { .vcpu = 0 };
	struct evtchn_send s;
	struct evtchn_unmask u;
	long r;

	NEED(old.done, "no reset");
	info = page_alloc(1);
	page_keep();
	r = register_info((void *)info);
	CHECK(!r, "register vcpu_info: %ld", r);
	CHECK(info->time.tsc_to_system_mul, "no clock in it");
	irq_set(V_UPCALL, on_upcall);
	info->evtchn_pending_sel = 0;
	info->evtchn_upcall_pending = 0;
	info->evtchn_upcall_mask = 0;
	CHECK(!hypercall(__HYPERVISOR_hvm_op, HVMOP_set_param, (ulong)&p, 0, 0, 0), "no vector");
	r = evtchn(EVTCHNOP_bind_ipi, &b);
	CHECK(!r, "no IPI port: %ld", r);
	u.port = s.port = b.port;
	evtchn(EVTCHNOP_unmask, &u);
	irq_on();
	r = evtchn(EVTCHNOP_send, &s);
	WAIT_FOR(words_seen & 1, 1000000);
	irq_off();
	CHECK(!r && upcalls && words_seen & 1, "send: %ld, %u upcalls, words %lx", r, upcalls,
	      words_seen);
	return NULL;
}
