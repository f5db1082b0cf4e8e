/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine's life: allocator, dom0 and three guests; a call; the end, when all must have come back. */
#include "machine.h"
#include "abi.h"
#include "hvm_ops.h"
#include "vmm/cpu/cpu.h"
#include "vmm/dom0/internal.h"
#include "vmm/domain/internal.h"
#include "vmm/mm/internal.h"
#include "work.h"
#include <xen/domctl.h>

#define CALL_ROUNDS   2000U
#define REAP_STEPS    20U
#define SETTLE_ROUNDS 1000000U /* at most: others may be held up by the host */
#define SETTLE_FIRST  2000U    /* the first time, when it is not known what is to be left */

static struct page pages[RAM_PAGES];
static uint64_t heap_at_start;
static uint64_t free_at_start;

struct page *__real_buddy_alloc(struct buddy *b, unsigned int order);
void __real_buddy_free(struct buddy *b, struct page *p, unsigned int order);
struct page *__wrap_buddy_alloc(struct buddy *b, unsigned int order);
void __wrap_buddy_free(struct buddy *b, struct page *p, unsigned int order);

/* Free pages are out of bounds for everybody. */
struct page *__wrap_buddy_alloc(struct buddy *b, unsigned int order)
{
	struct page *p = __real_buddy_alloc(b, order);

	if (p)
		host_poison(page_to_virt(p), PAGE_SIZE << order, false);
	return p;
}

void __wrap_buddy_free(struct buddy *b, struct page *p, unsigned int order)
{
	host_poison(page_to_virt(p), PAGE_SIZE << order, true);
	__real_buddy_free(b, p, order);
}

bool __real_hypercall_preempt(void);
void __real_p2m_flush(struct domain *d);
bool __wrap_hypercall_preempt(void);
void __wrap_p2m_flush(struct domain *d);

void (*machine_on_flush)(struct domain *d);

/* The clock stands still in a call: the work tells how late it is. */
bool __wrap_hypercall_preempt(void)
{
	return __real_hypercall_preempt() || work_done() > WORK_PIECE;
}

void __wrap_p2m_flush(struct domain *d)
{
	void (*seen)(struct domain * d) = machine_on_flush;

	work_add(WORK_FLUSH);
	if (seen)
		seen(d);
	__real_p2m_flush(d);
}

static void start_once(void)
{
	if (page_table)
		return;
	host_map_ram();
	host_poison(mfn_to_virt(_mfn(DOM0_PAGES)), (uint64_t)(RAM_PAGES - DOM0_PAGES) << PAGE_SHIFT,
		    true);
	page_table = pages;
	max_mfn = RAM_PAGES;
	nr_cpus = max(nr_cpus, 1U);
	for (unsigned int i = 0; i < nr_cpus; i++) {
		fake_cpus[i].id = i;
		fake_cpus[i].online = true;
		cpus[i] = &fake_cpus[i];
		timers_init_cpu(&fake_cpus[i]);
	}
	guest_ops = &hvm_guest_ops;
	hypercall_entry = hypercall_dispatch;
	sched_init();
	dom0_layout.hole_start = (uint64_t)HOLE_FIRST << PAGE_SHIFT;
	dom0_layout.hole_end = dom0_layout.fence_end = (uint64_t)RAM_PAGES << PAGE_SHIFT;
	dom0_layout.e820.nr = 1;
	dom0_layout.e820.e[0] =
		(struct e820_entry){ 0, (uint64_t)DOM0_PAGES << PAGE_SHIFT, E820_RAM, 0 };
}

struct xen_domctl_createdomain machine_config(unsigned int vcpus, uint32_t emulation)
{
	return (struct xen_domctl_createdomain){
		.flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap,
		.max_vcpus = vcpus,
		.max_evtchn_port = 255,
		.max_grant_frames = 4,
		.max_maptrack_frames = 4,
		.grant_opts = XEN_DOMCTL_GRANT_version(1),
		.arch.emulation_flags = emulation,
	};
}

static struct domain *create(domid_t id, uint32_t emulation, unsigned int vcpus, bool is_dom0)
{
	struct xen_domctl_createdomain cfg = machine_config(vcpus, emulation);
	int err;
	struct domain *d = domain_create(id, &cfg, is_dom0, &err);

	BUG_ON(!d);
	for (unsigned int i = 0; i < vcpus; i++) {
		BUG_ON(vcpu_create(d, i));
		hvm_vcpu_set_flat32(d->vcpu[i], 0, 0);
		d->vcpu[i]->pause_flags = 0;
	}
	return d;
}

static void unpause(struct domain *d)
{
	d->tool_pauses = 0;
	d->creation_finished = true;
	domain_unpause(d);
}

static void start_dom0(void)
{
	struct domain *d = create(0, XEN_X86_EMU_LAPIC, 2, true);

	d->p2m.hooks = &dom0_p2m_hooks;
	for (unsigned int i = 0; i < DOM0_PAGES; i++) {
		pages[i].owner = d;
		pages[i].state = PAGE_DOMAIN;
		pages[i].refs = 1;
		pages[i].allocated = 1;
	}
	for (unsigned int i = 0; i < DOM0_PAGES; i += 512)
		BUG_ON(p2m_set(d, _gfn(i), _mfn(i), ORDER_2M, P2M_RAM_RW, P2M_ACCESS_RWX));
	d->tot_pages = d->max_pages = DOM0_PAGES;
	memset(maddr_to_virt(_maddr(0)), 0, (uint64_t)(GUEST_RAM) << PAGE_SHIFT);
	unpause(d);
}

static void start_guest(domid_t id, uint32_t emulation, unsigned int vcpus)
{
	struct domain *d = create(id, emulation, vcpus, false);

	d->max_pages = GUEST_MAX;
	for (unsigned int i = 0; i < GUEST_RAM; i++) {
		struct page *p = alloc_domain_pages(d, 0);

		BUG_ON(!p || p2m_set(d, _gfn(i), page_to_mfn(p), 0, P2M_RAM_RW, P2M_ACCESS_RWX));
	}
	unpause(d);
}

void machine_start(void)
{
	unsigned int more = nr_cpus > 1;

	start_once();
	memset(pages, 0, sizeof(pages));
	buddy_init(&host_buddy);
	buddy_add_range(&host_buddy, DOM0_PAGES, RAM_PAGES - DOM0_PAGES);
	free_at_start = free_page_count();
	host_fail_alloc(0);
	fake_now_ns = NS_PER_SEC;
	this_cpu()->current = this_cpu()->idle;
	this_cpu()->softirq = 0;
	start_dom0();
	start_guest(DOMID_A, XEN_X86_EMU_LAPIC, 2 + more);
	start_guest(DOMID_B, MACHINE_PC, 1 + more);
	start_guest(DOMID_VICTIM, XEN_X86_EMU_LAPIC, 1);
	this_cpu()->softirq = 0;
}

void machine_mode(struct vcpu *v, bool wide)
{
	struct x86_segment cs = { .attr = wide ? 0xa9b : 0xc9b, .limit = ~0U };

	v->cr0 = X86_CR0_PE | X86_CR0_ET;
	v->cr3 = v->cr4 = 0;
	v->efer = wide ? X86_EFER_LME | X86_EFER_LMA : 0;
	hvm_set_seg(v, X86_SEG_CS, &cs);
}

bool machine_become(struct vcpu *v, bool wide)
{
	this_cpu()->current = this_cpu()->idle;
	if (v->domain->dying || v->domain->shutting_down || v->domain->pause_count ||
	    v->pause_count || (v->pause_flags & (VPF_DOWN | VPF_IO)))
		return false;
	vcpu_wake(v, 0);
	machine_mode(v, wide);
	v->running = true;
	this_cpu()->current = v;
	return true;
}

void machine_hypercall(struct vcpu *v, uint32_t preempt)
{
	for (unsigned int i = 0; i < CALL_ROUNDS; i++) {
		this_cpu()->softirq = i < 32 && (preempt >> i & 1) ? SOFTIRQ_CALL : 0;
		bool again;

		work_begin();
		again = hypercall_dispatch(v);
		work_end();
		grace_pass();
		if (!again)
			break;
	}
	this_cpu()->softirq = 0;
}

static void run_timers(void)
{
	work_begin();
	timers_run();
	work_end();
}

void machine_pass(uint64_t ns)
{
	struct vcpu *v = this_cpu()->current;

	if (v != this_cpu()->idle) {
		if (!v->domain->is_dom0 && vcpu_runnable(v))
			vcpu_resume(v);
		vcpu_update_time(v);
		v->running = false;
		this_cpu()->current = this_cpu()->idle;
		sched_vcpu_update(v);
	}
	fake_now_ns += ns;
	this_cpu()->softirq = 0;
	run_timers();
	grace_pass();
	this_cpu()->softirq = 0;
}

/* This CPU passes its run loop, and others get a chance to. */
static void machine_others(void)
{
	grace_pass();
	smp_poll_calls();
	if (nr_cpus > 1)
		cpu_relax();
}

static int kill_piece(struct domain *d)
{
	int rc;

	work_begin();
	rc = domain_kill(d);
	work_end();
	return rc;
}

void machine_kill(struct domain *d)
{
	while (kill_piece(d) == -ERESTART)
		machine_others();
}

static void kill_guests(void)
{
	uint32_t id = 1;
	struct domain *d;

	while ((d = domain_get_next(id)) != NULL) {
		id = d->domid + 1U;
		machine_kill(d);
		domain_put(d);
	}
}

/* dom0 gives up what it has of others and goes, which no real dom0 does. */
static void kill_dom0(void)
{
	struct domain *d = dom0;

	for (unsigned int i = 0; i < 4; i++)
		timers_run();
	dom0 = NULL;
	d->is_dom0 = false;
	d->tot_pages = 0;
	machine_kill(d);
}

/* Timers free what nobody can be looking at any more; other CPUs take their time to say so. */
static void settle(void)
{
	bool heap_is_back;

	for (unsigned int i = 0; i < (nr_cpus > 1 ? SETTLE_ROUNDS : REAP_STEPS); i++) {
		heap_is_back =
			heap_at_start ? heap_at_start == host_heap_blocks() : i > SETTLE_FIRST;
		if (nr_cpus > 1 && heap_is_back && free_page_count() == free_at_start)
			return;
		__atomic_fetch_add(&fake_now_ns, NS_PER_SEC, __ATOMIC_RELAXED);
		run_timers();
		machine_others();
	}
}

void machine_stop(void)
{
	this_cpu()->current = this_cpu()->idle;
	this_cpu()->softirq = 0;
	host_fail_alloc(0);
	kill_guests();
	kill_dom0();
	settle();
	this_cpu()->softirq = 0;
	if (domain_get_next(0))
		panic("domain %u is still there", domain_get_next(0)->domid);
	for (unsigned int i = 0; i < DOM0_PAGES; i++)
		if (pages[i].refs != 1)
			panic("page %x of dom0 has %u references at the end", i, pages[i].refs);
	if (free_page_count() != free_at_start)
		panic("%lu pages are lost", free_at_start - free_page_count());
	if (outstanding_claims())
		panic("%lu pages stay claimed", outstanding_claims());
	if (heap_at_start && host_heap_blocks() != heap_at_start)
		panic("%ld blocks of the heap are lost",
		      (long)(host_heap_blocks() - heap_at_start));
	heap_at_start = host_heap_blocks();
}
