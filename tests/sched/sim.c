/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The simulated machine: time goes from one event to the next, each CPU then does what its run loop would. */
#include "sim.h"
#include "hvm_ops.h"
#include "debug.h"
#include "vmm/cpu/cpu.h"

#define SWITCH_NS 2000U /* what a change of vCPUs takes */

struct task tasks[SIM_TASKS];
unsigned int nr_tasks;
uint64_t sim_now = NS_PER_SEC;

struct cpu *sim_cpu; /* this_cpu() */
struct cpu *cpus[MAX_CPUS];
unsigned int nr_cpus;
struct domain *dom0;

static struct cpu cpu[SIM_CPUS];
static uint64_t deadline[SIM_CPUS];
static struct domain *domains[SIM_TASKS];
static unsigned int nr_domains;
static uint64_t marked_ns, seed;

/* --- what stands around the scheduler --- */

uint64_t now_ns(void)
{
	return sim_now;
}

void *xzalloc_bytes(size_t n)
{
	return unit_alloc(n);
}

void xfree(void *p)
{
	unit_free(p);
}

void lapic_timer_set(uint64_t expires_ns)
{
	deadline[cpu_id()] = expires_ns;
}

void lapic_timer_fired(void)
{
}

void smp_poll_calls(void)
{
}

void cpu_kick(unsigned int id)
{
	(void)id; /* the task looks at its interrupts whenever it is current */
}

void cpu_raise(unsigned int id, uint32_t softirq)
{
	cpus[id]->softirq |= softirq;
}

const char *symbol_format(char *buf, size_t size, uint64_t addr)
{
	(void)size;
	(void)addr;
	buf[0] = 0;
	return buf;
}

static void post_notify(unsigned int id)
{
	(void)id;
}

static const struct hvm_ops ops = { .post_notify = post_notify };
const struct hvm_ops *hvm_ops = &ops;

static struct task *task_of(const struct vcpu *v)
{
	for (unsigned int i = 0; i < nr_tasks; i++)
		if (tasks[i].v == v)
			return &tasks[i];
	panic("an unknown vCPU");
}

static bool intr_pending(struct vcpu *v)
{
	return task_of(v)->pending;
}

/* --- tasks --- */

static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static uint64_t vary(const struct task *t, uint64_t ns)
{
	return t->kind == TASK_RANDOM ? ns / 2 + rnd() % ns : ns;
}

static void sample(struct task *t, uint64_t late)
{
	if (t->nr_late < SAMPLES)
		t->late_ns[t->nr_late++] = late;
}

static void charge(struct task *t)
{
	uint64_t ran = sim_now > t->run_ns ? sim_now - t->run_ns : 0;

	t->ran_ns += ran;
	if (t->left_ns != FOREVER)
		t->left_ns -= min(t->left_ns, ran);
	t->run_ns = max(t->run_ns, sim_now);
}

/* It executes: takes its interrupt, which begins a piece of work when the last one was done. */
static void serve(struct task *t)
{
	if (t->due_ns)
		sample(t, t->run_ns - t->due_ns);
	t->due_ns = 0;
	if (t->pending && !t->left_ns)
		t->left_ns = vary(t, t->work_ns);
	t->pending = false;
}

static void switch_to(struct vcpu *v)
{
	struct task *t = task_of(v);

	t->switches++;
	t->run_ns = sim_now + SWITCH_NS;
	t->gap_max_ns = max(t->gap_max_ns, t->run_ns - max(t->off_ns, marked_ns));
	serve(t);
}

static void switch_from(struct vcpu *v)
{
	struct task *t = task_of(v);

	charge(t);
	t->off_ns = sim_now;
}

static const struct guest_ops guest = {
	.must_wake = intr_pending,
	.intr_pending = intr_pending,
	.switch_from = switch_from,
	.switch_to = switch_to,
};

static void wake(struct task *t)
{
	t->pending = true;
	vcpu_wake(t->v, VCPU_ATT_IRQ);
}

static void timer_again(struct task *t, uint64_t at)
{
	timer_migrate(&t->timer, t->v->cpu);
	timer_set(&t->timer, at);
}

static void task_timer(void *data)
{
	struct task *t = data;

	if (t->kind != TASK_SLEEP) {
		if (!t->due_ns)
			t->due_ns = t->timer.expires_ns;
		timer_again(t, t->timer.expires_ns + vary(t, t->period_ns));
	}
	wake(t);
}

/* The vCPU that is current has done its piece of work. */
static void piece_done(struct task *t)
{
	t->pieces++;
	if (t->kind == TASK_ASKS || t->kind == TASK_SERVES)
		wake(t->peer);
	else if (t->kind == TASK_SLEEP)
		timer_again(t, sim_now + t->period_ns);
	vcpu_block(t->v, VPF_BLOCKED);
}

/* --- the machine --- */

static void run_loop_pass(unsigned int id)
{
	struct vcpu *v;

	sim_cpu = cpus[id];
	if (deadline[id] <= sim_now) {
		deadline[id] = FOREVER;
		sim_cpu->softirq |= SOFTIRQ_TIMER;
	}
	for (;;) {
		uint32_t work = sim_cpu->softirq;

		sim_cpu->softirq = 0;
		if (work & SOFTIRQ_TIMER)
			timers_run();
		if (work & SOFTIRQ_SCHED)
			schedule();
		if (sim_cpu->softirq)
			continue;
		v = sim_cpu->current;
		if (v == sim_cpu->idle)
			return;
		if (sim_now >= task_of(v)->run_ns) {
			charge(task_of(v));
			serve(task_of(v));
		}
		if (task_of(v)->left_ns)
			return;
		piece_done(task_of(v));
		if (!sim_cpu->softirq) /* an interrupt came: on with it */
			serve(task_of(v));
	}
}

static uint64_t next_event(void)
{
	uint64_t at = FOREVER;

	for (unsigned int i = 0; i < nr_cpus; i++) {
		const struct task *t;

		if (cpu[i].softirq)
			return sim_now;
		at = min(at, deadline[i]);
		if (cpu[i].current == cpu[i].idle)
			continue;
		t = task_of(cpu[i].current);
		if (t->left_ns != FOREVER)
			at = min(at, t->run_ns + t->left_ns);
	}
	return at;
}

/* Nobody sleeps while an interrupt waits for it. */
static void check_sleepers(void)
{
	for (unsigned int i = 0; i < nr_tasks; i++)
		BUG_ON(tasks[i].pending && tasks[i].v->pause_flags == VPF_BLOCKED &&
		       !tasks[i].v->running);
}

void sim_as(const struct task *t)
{
	sim_cpu = cpus[t->v->cpu];
}

void sim_cpu_as(unsigned int id)
{
	sim_cpu = cpus[id];
}

static void first_start(struct task *t)
{
	sim_as(t);
	t->v->pause_flags = 0;
	if (t->kind == TASK_SPIN)
		t->left_ns = FOREVER;
	if (t->kind == TASK_PERIODIC || t->kind == TASK_RANDOM)
		timer_again(t, sim_now + t->period_ns + rnd() % MS);
	if (t->kind == TASK_ASKS || t->kind == TASK_SLEEP)
		t->left_ns = t->work_ns;
	sched_vcpu_update(t->v);
}

void sim_run(uint64_t ns)
{
	uint64_t end = sim_now + ns;

	for (unsigned int i = 0; i < nr_tasks; i++)
		if (tasks[i].v->pause_flags & VPF_DOWN)
			first_start(&tasks[i]);
	for (;;) {
		uint64_t at = next_event();

		sim_now = max(sim_now, min(at, end));
		if (at > end)
			break;
		for (unsigned int i = 0; i < nr_cpus; i++)
			run_loop_pass(i);
		check_sleepers();
	}
	for (unsigned int i = 0; i < nr_cpus; i++)
		if (cpu[i].current != cpu[i].idle)
			charge(task_of(cpu[i].current));
}

void sim_mark(void)
{
	marked_ns = sim_now;
	for (unsigned int i = 0; i < nr_tasks; i++) {
		tasks[i].ran_ns = tasks[i].gap_max_ns = 0;
		tasks[i].switches = tasks[i].pieces = tasks[i].nr_late = 0;
	}
}

static void cpus_init(void)
{
	nr_cpus = SIM_CPUS;
	for (unsigned int i = 0; i < SIM_CPUS; i++) {
		cpu[i].id = i;
		cpu[i].online = true;
		deadline[i] = FOREVER;
		cpus[i] = &cpu[i];
		timers_init_cpu(&cpu[i]);
	}
	sim_cpu = &cpu[0];
	guest_ops = &guest;
	sched_init();
}

int sim_policy(const char *name)
{
	extern const struct boot_option _options_start[], _options_end[];
	int rc = -ENOENT;

	for (const struct boot_option *o = _options_start; o < _options_end; o++)
		if (!strcmp(o->name, "sched"))
			rc = o->parse(name);
	for (unsigned int i = 0; i < SIM_CPUS && cpus[i]; i++)
		memset(cpus[i]->sched->policy, 0, SCHED_POLICY_BYTES);
	return rc;
}

void sim_start(unsigned int nr)
{
	if (!cpus[0])
		cpus_init();
	nr_cpus = nr;
	nr_tasks = nr_domains = 0;
	seed = 88172645463325252ULL;
	memset(tasks, 0, sizeof(tasks));
}

struct domain *sim_domain(bool is_dom0, unsigned int vcpus, unsigned int weight, unsigned int cap)
{
	struct domain *d = xzalloc(struct domain);

	d->is_dom0 = is_dom0;
	d->domid = is_dom0 ? 0 : (domid_t)(nr_domains + 1);
	d->max_vcpus = vcpus;
	d->vcpu = xzalloc_array(struct vcpu *, vcpus);
	if (weight || cap) {
		union sched_params p = { .share = { weight ? weight : 256, cap } };

		BUG_ON(sched_set_params(d, &p));
	}
	domains[nr_domains++] = d;
	return d;
}

struct task *sim_task(struct domain *d, enum task_kind kind, uint64_t period_ns, uint64_t work_ns)
{
	struct task *t = &tasks[nr_tasks++];
	struct vcpu *v = xzalloc(struct vcpu);

	while (d->vcpu[v->id])
		v->id++;
	v->domain = d;
	v->pause_flags = VPF_DOWN;
	d->vcpu[v->id] = v;
	t->v = v;
	BUG_ON(sched_vcpu_init(v));
	t->kind = kind;
	t->period_ns = period_ns;
	t->work_ns = work_ns;
	timer_init(&t->timer, task_timer, t, v->cpu);
	return t;
}

void sim_settle(void)
{
	sim_run(500 * NS_PER_MS);
	sim_mark();
}

void sim_stop(void)
{
	for (unsigned int i = 0; i < nr_tasks; i++) {
		sim_as(&tasks[i]);
		timer_stop(&tasks[i].timer);
		vcpu_pause_nosync(tasks[i].v);
	}
	sim_run(NS_PER_SEC);
	for (unsigned int i = 0; i < nr_cpus; i++)
		BUG_ON(cpu[i].sched->curr != cpu[i].idle || cpu[i].sched->nr_queued ||
		       cpu[i].sched->nr_parked || deadline[i] != FOREVER);
	for (unsigned int i = 0; i < nr_tasks; i++) {
		sched_vcpu_fini(tasks[i].v);
		xfree(tasks[i].v);
	}
	for (unsigned int i = 0; i < nr_domains; i++) {
		xfree(domains[i]->vcpu);
		xfree(domains[i]);
	}
	nr_tasks = 0;
}

void sim_end(void)
{
	sim_stop();
	EXPECT(!sim_policy("bvt"));
}

unsigned int sim_share(const struct task *t)
{
	return (unsigned int)(t->ran_ns * 10000 / (sim_now - marked_ns));
}

uint64_t sim_late(struct task *t, unsigned int p)
{
	if (!t->nr_late)
		return FOREVER;
	unit_sort(t->late_ns, t->nr_late);
	return t->late_ns[min((uint64_t)t->nr_late * p / 1000, (uint64_t)t->nr_late - 1)];
}
