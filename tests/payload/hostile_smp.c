// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hostile=smp, for a guest of two vCPUs or more: what must meet itself on several CPUs. All but the last vCPU call for
 * domains that may be coming or going (grants, copies, event channels of domid+1 ...), move the power management
 * timer's ports and use them; the last one is started and stopped by INIT, start-up IPI and VCPUOP_initialise from
 * the others at once. For seconds=N; the number of calls goes to the hypervisor's log.
 */
#include "payload.h"
#include <xen/xen.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/hvm_vcpu.h>
#include <xen/hvm/params.h>
#include <xen/vcpu.h>

#define SPIN_PAGE 0xa000u /* where the last vCPU spins, in real mode */
#define MAP_GFN	  0x40000u
#define AHEAD	  8u /* domids from the last one seen on */
#define PM_OLD	  0x1f40u
#define PM_NEW	  0xb000u
#define MANY	  64u /* calls between two looks at the clock */

static struct worker {
	u32 state, calls, found;
	u8 args[512] __attribute__((aligned(64)));
} workers[MAX_CPUS];
static volatile bool over;
static volatile u32 next_domid;
static u32 last_cpu; /* the one that is started and stopped */

static u32 any(struct worker *w, u32 n)
{
	return prng(&w->state) % n;
}

static u16 somebody(struct worker *w)
{
	return (u16)(next_domid + any(w, AHEAD));
}

/* What was there once will not be again: the next ones are higher. */
static void seen(struct worker *w, u16 domid)
{
	w->found++;
	if (domid > next_domid)
		next_domid = domid;
}

static void map_grant(struct worker *w)
{
	struct gnttab_map_grant_ref *m = (void *)w->args;
	struct gnttab_unmap_grant_ref u;

	memset(m, 0, sizeof(*m));
	m->host_addr = (u64)(MAP_GFN + (u32)(w - workers)) << 12;
	m->flags = GNTMAP_host_map | GNTMAP_readonly;
	m->ref = any(w, 16);
	m->dom = somebody(w);
	hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, (ulong)m, 1, 0, 0);
	if (m->status != GNTST_bad_domain)
		seen(w, m->dom);
	if (m->status)
		return;
	memset(&u, 0, sizeof(u));
	u.host_addr = m->host_addr;
	u.handle = m->handle;
	hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref, (ulong)&u, 1, 0, 0);
}

static void copy_grant(struct worker *w)
{
	struct gnttab_copy *c = (void *)w->args;

	memset(c, 0, sizeof(*c));
	c->source.domid = somebody(w);
	c->source.u.ref = any(w, 16);
	c->dest.domid = DOMID_SELF;
	c->dest.u.gmfn = (u32)(ulong)w->args >> 12;
	c->dest.offset = ((u32)(ulong)w->args & 0xfff) + 256;
	c->len = 16;
	c->flags = GNTCOPY_source_gref;
	hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_copy, (ulong)c, 1, 0, 0);
}

static void bind(struct worker *w)
{
	struct evtchn_bind_interdomain *b = (void *)w->args;

	memset(b, 0, sizeof(*b));
	b->remote_dom = somebody(w);
	b->remote_port = any(w, 8);
	hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain, (ulong)b, 0, 0, 0);
}

static void move_ports(struct worker *w)
{
	struct xen_hvm_param *p = (void *)w->args;

	memset(p, 0, sizeof(*p));
	p->domid = DOMID_SELF;
	p->index = HVM_PARAM_ACPI_IOPORTS_LOCATION;
	p->value = any(w, 2);
	hypercall(__HYPERVISOR_hvm_op, HVMOP_set_param, (ulong)p, 0, 0, 0);
}

static void use_ports(struct worker *w)
{
	inl((u16)((any(w, 2) ? PM_OLD : PM_NEW) + any(w, 3) * 4));
}

/* INIT and start-up IPIs to one that others initialise. */
static void start_and_stop(struct worker *w)
{
	static struct vcpu_hvm_context c = {
		.mode = VCPU_HVM_MODE_32B,
		.cpu_regs.x86_32 = { .eip = SPIN_PAGE,
				     .eflags = 2,
				     .cr0 = X86_CR0_PE,
				     .cs_limit = ~0u,
				     .ds_limit = ~0u,
				     .ss_limit = ~0u,
				     .es_limit = ~0u,
				     .tr_limit = 0x67,
				     .cs_ar = 0xc9b,
				     .ds_ar = 0xc93,
				     .ss_ar = 0xc93,
				     .es_ar = 0xc93,
				     .tr_ar = 0x8b },
	};

	switch (any(w, 5)) {
	case 0:
		lapic_ipi(smp_apic_id(last_cpu), 0x4500);
		break;
	case 1:
		lapic_ipi(smp_apic_id(last_cpu), 0x4600 | SPIN_PAGE >> 12);
		break;
	case 2:
		hypercall(__HYPERVISOR_vcpu_op, VCPUOP_initialise, last_cpu, (ulong)&c, 0, 0);
		break;
	case 3:
		hypercall(__HYPERVISOR_vcpu_op, VCPUOP_up, last_cpu, 0, 0, 0);
		break;
	default:
		hypercall(__HYPERVISOR_vcpu_op, VCPUOP_down, last_cpu, 0, 0, 0);
		break;
	}
}

static void work(void *arg)
{
	static void (*const what[])(struct worker * w) = { map_grant, map_grant,     copy_grant,
							   bind,      move_ports,    use_ports,
							   use_ports, start_and_stop };
	struct worker *w = arg;

	while (!over) {
		for (u32 i = 0; i < MANY; i++)
			what[any(w, ARRAY_SIZE(what))](w);
		w->calls += MANY;
	}
}

static void report(u32 cpus)
{
	u32 calls = 0, found = 0, n;
	char text[160];

	for (u32 i = 0; i < cpus; i++) {
		calls += workers[i].calls;
		found += workers[i].found;
	}
	n = snprint(text, sizeof(text), "smp: %u calls, %u met a domain, the last one %u\n", calls,
		    found, next_domid);
	hypercall(__HYPERVISOR_console_io, CONSOLEIO_write, n, (ulong)text, 0, 0);
}

void hostile_smp(void)
{
	static const u8 spin[] = { 0xfa, 0xf3, 0x90, 0xeb, 0xfc }; /* cli; 1: pause; jmp 1b */
	u64 end = rdtsc() + plat.tsc_hz * cmdline_number("seconds", 5), next = 0;
	u32 cpus = smp_start(), i, seed = cmdline_number("seed", 1);

	memcpy((void *)SPIN_PAGE, spin, sizeof(spin));
	last_cpu = cpus - 1;
	next_domid = cmdline_number("first", 1);
	for (i = 0; i < cpus; i++)
		workers[i].state = seed + i * 7919;
	for (i = 1; i + 1 < cpus; i++)
		smp_call_start(i, work, &workers[i]);
	while (rdtsc() < end) {
		for (i = 0; i < MANY; i++) {
			map_grant(&workers[0]);
			start_and_stop(&workers[0]);
		}
		workers[0].calls += 2 * MANY;
		if (rdtsc() < next)
			continue;
		report(cpus);
		next = rdtsc() + plat.tsc_hz * 2;
	}
	over = true;
	report(cpus);
}
