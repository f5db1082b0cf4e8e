/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The CPUs' loops, the acts of vCPUs, and a machine for each seed. */
#include "threads.h"
#include "abi.h"
#include "hvm_ops.h"
#include "vmm/cpu/cpu.h"
#include "publish.h"
#include "sched.h"
#include "vmm/domain/internal.h"
#include <xen/domctl.h>

#define DOMAINS	    8U
#define VCPUS	    3U
#define PASS_NS	    (10 * NS_PER_US)
#define WAKE_PASSES 8U

struct running {
	const struct act *act;
	unsigned int n;
	bool entered, done;
	bool again; /* it executes its hypercall once more */
};

static struct race_case *cases;
static struct running running[DOMAINS][VCPUS];
static int unfinished;	 /* acts that end and have not */
static int away;	 /* acts whose vCPU is up and has not been entered yet */
static int quiet;	 /* CPUs that begin nothing new */
static bool rest_wanted; /* CPUs other than 0 are to stop between two passes */

void race_register(struct race_case *c)
{
	c->next = cases;
	cases = c;
}

static struct race_case *nth(unsigned int i)
{
	struct race_case *c = cases;

	while (i--)
		c = c->next;
	return c;
}

unsigned int race_count(void)
{
	unsigned int n = 0;

	for (struct race_case *c = cases; c; c = c->next)
		n++;
	return n;
}

const char *race_name(unsigned int i)
{
	return nth(i)->name;
}

/* --- the CPUs ---------------------------------------------------------------------------------- */

static struct running *of(const struct vcpu *v)
{
	return v->domain->domid < DOMAINS && v->id < VCPUS ? &running[v->domain->domid][v->id]
							   : NULL;
}

/* The first steps wait for each other, so that acts of few steps meet. */
static bool together(struct running *r)
{
	if (!r->entered) {
		r->entered = true;
		__atomic_fetch_sub(&away, 1, __ATOMIC_SEQ_CST);
	}
	return __atomic_load_n(&away, __ATOMIC_SEQ_CST) <= 0;
}

/* From an entry to the next exit. */
static void guest(struct vcpu *v)
{
	struct running *r = of(v);

	if (r && r->again) {
		r->again = hypercall_dispatch(v);
		return;
	}
	if (!r || !r->act || r->done) {
		vcpu_block(v, VPF_BLOCKED);
		return;
	}
	if (!together(r)) {
		sched_yield();
		return;
	}
	if (r->act->step(v, r->n++))
		return;
	r->done = true;
	if (!r->act->endless)
		__atomic_fetch_sub(&unfinished, 1, __ATOMIC_SEQ_CST);
}

/* Once around the run loop, as vmm/sched/run.c does it; timers are looked at each time. */
static void cpu_pass(void)
{
	struct cpu *c = this_cpu();
	uint32_t work = __atomic_exchange_n(&c->softirq, 0, __ATOMIC_SEQ_CST);

	__atomic_fetch_add(&fake_now_ns, PASS_NS, __ATOMIC_SEQ_CST);
	smp_poll_calls();
	timers_run();
	if (work & SOFTIRQ_SCHED)
		schedule();
	grace_pass();
	if (c->current == c->idle)
		cpu_relax();
	else
		vcpu_resume(c->current);
}

/* Nothing new is begun here, but what others have begun may need this CPU. */
static void quiet_pass(void)
{
	uint32_t work = __atomic_exchange_n(&this_cpu()->softirq, 0, __ATOMIC_SEQ_CST);

	smp_poll_calls();
	if (work & SOFTIRQ_SCHED)
		schedule();
	grace_pass();
	cpu_relax();
}

/* Until no CPU is in the midst of something. */
static void all_quiet(void)
{
	__atomic_fetch_add(&quiet, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&quiet, __ATOMIC_SEQ_CST) != (int)nr_cpus)
		quiet_pass();
}

void cpu_thread(unsigned int cpu)
{
	fake_this_cpu = &fake_cpus[cpu];
	for (;;) {
		if (__atomic_load_n(&rest_wanted, __ATOMIC_SEQ_CST)) {
			all_quiet();
			turns_rest();
		} else {
			cpu_pass();
		}
	}
}

static void all_rest(void)
{
	__atomic_store_n(&rest_wanted, true, __ATOMIC_SEQ_CST);
	all_quiet();
	while (turns_others())
		cpu_relax();
	quiet = 0;
}

static void all_start(void)
{
	unsigned int i;

	__atomic_store_n(&rest_wanted, false, __ATOMIC_SEQ_CST);
	for_each_cpu(i)
		__atomic_fetch_or(&cpus[i]->softirq, SOFTIRQ_SCHED, __ATOMIC_SEQ_CST);
	turns_start();
}

/* --- a race ------------------------------------------------------------------------------------ */

static void start_act(const struct act *a)
{
	struct vcpu *v = domain_vcpu(dom(a->domid), a->vcpu);

	BUG_ON(!v || !of(v));
	machine_mode(v, true);
	*of(v) = (struct running){ .act = a };
	unfinished += !a->endless;
	away += !(v->pause_flags & VPF_DOWN);
	if (!v->domain->is_dom0)
		sched_set_affinity(v, BIT(a->cpu), ~0ULL);
	vcpu_wake(v, 0);
}

static void begin(const struct act *acts, unsigned int n)
{
	memset(running, 0, sizeof(running));
	unfinished = away = 0;
	for (unsigned int i = 0; i < n; i++)
		start_act(&acts[i]);
	turns_calm(false);
	all_start();
}

static void end(void)
{
	turns_calm(true);
	all_rest();
	memset(running, 0, sizeof(running));
	check_machine();
}

void race(const struct act *acts, unsigned int n)
{
	begin(acts, n);
	while (__atomic_load_n(&unfinished, __ATOMIC_SEQ_CST))
		cpu_pass();
	end();
}

static int wake(struct domain *d, void *arg)
{
	struct vcpu *v;

	(void)arg;
	for_each_vcpu(d, v)
		vcpu_wake(v, 0);
	return 0;
}

void race_for(const struct act *acts, unsigned int n, unsigned int passes)
{
	begin(acts, n);
	for (unsigned int i = 0; i < passes; i++) {
		cpu_pass();
		if (i % WAKE_PASSES == 0)
			domain_for_each(wake, NULL);
	}
	end();
}

void race_alone(void (*fn)(void))
{
	all_start();
	fn();
	all_rest();
}

static int pause(struct domain *d, void *arg)
{
	(void)arg;
	domain_pause_nosync(d);
	return 0;
}

static bool something_runs(void)
{
	unsigned int i;

	for_each_cpu(i)
		if (READ_ONCE(cpus[i]->current) != cpus[i]->idle)
			return true;
	return false;
}

/* Everything stops, then the end of all domains as on one CPU, while the others serve calls. */
static void stop(void)
{
	domain_for_each(pause, NULL);
	while (something_runs())
		cpu_pass();
	machine_stop();
}

void race_one(unsigned int i, unsigned int times, uint64_t seed)
{
	const struct race_case *c = nth(i);

	nr_cpus = CPUS;
	fake_guest = guest;
	rest_wanted = true;
	turns_seed(seed);
	turns_calm(true);
	machine_start();
	turns_begin(CPUS);
	all_rest();
	for (unsigned int k = 0; k < times * c->machines; k++) {
		turns_seed(seed + k);
		host_note("%s --seed %lu", c->name, seed + k);
		if (k)
			machine_start();
		c->run();
		race_alone(stop);
	}
}

void unexpected(const char *file, int line, const char *what, long value)
{
	panic("%s:%d: not %s, but %ld", file, line, what, value);
}

/* --- what acts use ----------------------------------------------------------------------------- */

struct domain *dom(domid_t id)
{
	struct domain *d = domain_get_by_id(id);

	BUG_ON(!d);
	domain_put(d);
	return d;
}

static void *own_page(struct vcpu *v, uint64_t gfn)
{
	struct p2m_entry e = p2m_get(v->domain, _gfn(gfn));

	BUG_ON(!p2m_has_page(e.type));
	return mfn_to_virt(e.mfn);
}

void *arg_page(struct vcpu *v)
{
	return own_page(v, ARG_GFN + v->id);
}

uint64_t arg_la(const struct vcpu *v)
{
	return (uint64_t)(ARG_GFN + v->id) << PAGE_SHIFT;
}

#define LIST_GFN (ARG_GFN + 4U)

void *list_page(struct vcpu *v)
{
	return own_page(v, LIST_GFN + v->id);
}

uint64_t list_la(const struct vcpu *v)
{
	return (uint64_t)(LIST_GFN + v->id) << PAGE_SHIFT;
}

bool call_by_registers(struct vcpu *v)
{
	return of(v)->again = hypercall_dispatch(v);
}

long call(struct vcpu *v, unsigned int nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
	v->regs.gpr[X86_RAX] = nr;
	v->regs.gpr[X86_RDI] = a0;
	v->regs.gpr[X86_RSI] = a1;
	v->regs.gpr[X86_RDX] = a2;
	v->regs.gpr[X86_R10] = a3;
	return call_by_registers(v) ? -ERESTART : (long)v->regs.gpr[X86_RAX];
}

long call_op(struct vcpu *v, unsigned int nr, uint64_t cmd, void *arg, size_t size)
{
	long rc;

	memcpy(arg_page(v), arg, size);
	rc = call(v, nr, cmd, arg_la(v), 1, 0);
	memcpy(arg, arg_page(v), size);
	return rc;
}

long call_ptr(struct vcpu *v, unsigned int nr, void *arg, size_t size)
{
	long rc;

	memcpy(arg_page(v), arg, size);
	rc = call(v, nr, arg_la(v), 0, 0, 0);
	memcpy(arg, arg_page(v), size);
	return rc;
}

long domctl(struct vcpu *v, uint32_t cmd, domid_t id, struct xen_domctl *op)
{
	op->cmd = cmd;
	op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	op->domain = id;
	return call_ptr(v, __HYPERVISOR_domctl, op, sizeof(*op));
}

void grant(struct domain *d, unsigned int ref, domid_t to, uint32_t gfn, bool readonly)
{
	grant_entry_v1_t *e = page_to_virt(d->grant->frame[0]);

	e[ref].domid = to;
	e[ref].frame = gfn;
	e[ref].flags = (uint16_t)(GTF_permit_access | (readonly ? GTF_readonly : 0));
}

unsigned int any(unsigned int n)
{
	return turns_random() % n;
}
