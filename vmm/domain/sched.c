/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scheduler's core: run queues, states, switching, placement. Whose turn it is the policy says
 * (sched.h).
 *
 * A vCPU is in one of three places, told by fields under the lock of the queue of v->cpu:
 *   queued   - runnable, waiting in that queue;
 *   running  - its state is loaded on v->cpu, or is about to be, or is still being saved;
 *   neither  - not runnable (or about to be queued by sched_vcpu_update).
 * schedule() clears `running` only after the state is saved and then looks once more whether the vCPU
 * has become runnable meanwhile, so that a wake-up which saw it running is not lost.
 */
#include "private.h"
#include "hvm_ops.h"
#include "sched.h"

static struct sched_cpu *scpus[MAX_CPUS];
static const struct sched_policy *policy = &sched_bvt;

/* Locks the queue that v belongs to at this moment. */
static struct sched_cpu *lock_vcpu(const struct vcpu *v)
{
	for (;;) {
		struct sched_cpu *c = scpus[READ_ONCE(v->cpu)];

		spin_lock(&c->lock);
		if (c->cpu == v->cpu)
			return c;
		spin_unlock(&c->lock);
	}
}

static void runstate_set(struct vcpu *v, int state, uint64_t now)
{
	struct vcpu_runstate_info *r = &v->runstate;

	if (now > r->state_entry_time)
		r->time[r->state] += now - r->state_entry_time;
	r->state_entry_time = now;
	r->state = state;
}

/* The state of a vCPU that does not run. */
static int runstate_of(const struct vcpu *v)
{
	if (vcpu_runnable(v))
		return RUNSTATE_runnable;
	if (v->pause_flags & (VPF_BLOCKED | VPF_DONATES))
		return RUNSTATE_blocked;
	return RUNSTATE_offline;
}

void vcpu_runstate_get(struct vcpu *v, struct vcpu_runstate_info *out)
{
	struct sched_cpu *c = lock_vcpu(v);
	uint64_t now = now_ns();

	*out = v->runstate;
	if (now > out->state_entry_time)
		out->time[out->state] += now - out->state_entry_time;
	spin_unlock(&c->lock);
}

/* For how long the running vCPU may go on when the first other one is queued behind it. */
#define SLICE_SHARED_NS (5 * NS_PER_MS)

/* Charge the running vCPU up to now; without others to wait for it, it may run for long in one piece. */
static void account_current(struct sched_cpu *c, uint64_t now)
{
	if (c->curr == c->idle || now <= c->curr->sched.started_ns)
		return;
	policy->account(c, c->curr, now - c->curr->sched.started_ns, now);
	c->curr->sched.started_ns = now;
}

static void enqueue(struct sched_cpu *c, struct vcpu *v, bool woken, uint64_t now)
{
	v->sched.queued = true;
	c->nr_queued++;
	policy->insert(c, v, woken, now);
}

static void dequeue(struct sched_cpu *c, struct vcpu *v)
{
	policy->remove(c, v);
	v->sched.queued = false;
	c->nr_queued--;
}

static bool is_idle(unsigned int cpu)
{
	const struct sched_cpu *c = scpus[cpu];

	return READ_ONCE(c->curr) == c->idle && !READ_ONCE(c->nr_queued);
}

/* Where v is best queued: where it ran if that is idle, else any idle CPU, else the shortest queue. */
static unsigned int choose_cpu(const struct vcpu *v)
{
	uint64_t hard = v->affinity_hard, soft = hard & v->affinity_soft;
	unsigned int i, best = MAX_CPUS, load, best_load = ~0U;

	if ((hard & BIT(v->cpu)) && is_idle(v->cpu) && (!soft || (soft & BIT(v->cpu))))
		return v->cpu;
	for_each_cpu(i) {
		if (!(hard & BIT(i)))
			continue;
		load = is_idle(i) ? 0 : 4 * (READ_ONCE(scpus[i]->nr_queued) + 1);
		load += (soft && !(soft & BIT(i))) * 2 + (i != v->cpu);
		if (load < best_load) {
			best_load = load;
			best = i;
		}
	}
	return best < MAX_CPUS ? best : v->cpu;
}

/* v is queued on c: make c look, if that can change anything. Returns with c->lock held. */
static void poke(struct sched_cpu *c, struct vcpu *v, uint64_t now)
{
	uint64_t ran = now - c->curr->sched.started_ns;

	if (c->curr == c->idle || policy->preempts(c, v, ran, now))
		cpu_raise(c->cpu, SOFTIRQ_SCHED);
	else if (!timer_armed(&c->slice))
		timer_set(&c->slice, now + SLICE_SHARED_NS); /* it ran alone until now */
}

/* v is runnable, neither queued nor running; c is its queue, locked. Unlocks. */
static void place(struct sched_cpu *c, struct vcpu *v, bool woken)
{
	unsigned int cpu = choose_cpu(v);
	struct sched_cpu *to = scpus[cpu];
	uint64_t now = now_ns();

	if (to != c) {
		policy->migrate(c, to, v);
		WRITE_ONCE(v->cpu, cpu);
		spin_unlock(&c->lock);
		spin_lock(&to->lock);
		/* Between the two locks another CPU may have placed or stopped it. */
		if (v->cpu != cpu || v->sched.queued || v->running || !vcpu_runnable(v)) {
			spin_unlock(&to->lock);
			return;
		}
	}
	account_current(to, now); /* before v is placed by the queue's clock */
	runstate_set(v, RUNSTATE_runnable, now);
	enqueue(to, v, woken, now);
	poke(to, v, now);
	spin_unlock(&to->lock);
}

void sched_vcpu_update(struct vcpu *v)
{
	struct sched_cpu *c = lock_vcpu(v);
	bool runnable = vcpu_runnable(v);

	if (v->sched.queued) {
		if (!runnable) {
			dequeue(c, v);
			if (!v->running)
				runstate_set(v, runstate_of(v), now_ns());
		}
	} else if (v->running) {
		/* If it is just being saved, switch_vcpus() looks at it again. */
		if (!runnable)
			cpu_raise(c->cpu, SOFTIRQ_SCHED);
	} else if (runnable) {
		place(c, v, true);
		return;
	} else {
		runstate_set(v, runstate_of(v), now_ns());
	}
	spin_unlock(&c->lock);
}

/* Take a vCPU that waits elsewhere and may run here. Called without locks. */
static bool steal(struct sched_cpu *c)
{
	struct vcpu *v, *found = NULL;
	struct sched_cpu *from = NULL;
	unsigned int i;

	for_each_cpu(i) {
		from = scpus[i];
		if (from == c || !READ_ONCE(from->nr_queued) || !spin_trylock(&from->lock))
			continue;
		list_for_each(v, &from->queue, sched.queue)
			if ((v->affinity_hard & BIT(c->cpu)) && !v->running) {
				found = v;
				break;
			}
		if (found) {
			dequeue(from, found);
			policy->migrate(from, c, found);
			WRITE_ONCE(found->cpu, c->cpu);
		}
		spin_unlock(&from->lock);
		if (found)
			break;
	}
	if (!found)
		return false;
	sched_vcpu_update(found);
	return true;
}

/*
 * The one that ran goes back into the queue if it can go on here. If it must move to another CPU it is
 * in no queue: switch_vcpus() places it once its state is saved.
 */
static void put_back(struct sched_cpu *c, struct vcpu *prev, uint64_t now)
{
	if (prev == c->idle)
		return;
	account_current(c, now);
	if (vcpu_runnable(prev) && (prev->affinity_hard & BIT(c->cpu)))
		enqueue(c, prev, false, now);
}

/* The vCPU that a donation named, unless it went away or its donor was woken meanwhile. */
static struct vcpu *take_handoff(struct sched_cpu *c)
{
	struct vcpu *v = c->handoff;

	c->handoff = NULL;
	if (!v || !v->sched.queued || v->cpu != c->cpu)
		return NULL;
	return c->donor && !(c->donor->pause_flags & VPF_DONATES) ? NULL : v;
}

static struct vcpu *choose(struct sched_cpu *c, struct vcpu *prev, uint64_t now)
{
	struct vcpu *next;
	uint64_t slice;

	put_back(c, prev, now);
	next = take_handoff(c);
	if (next)
		slice = c->nr_queued > 1 ? SLICE_SHARED_NS : ~0ULL;
	else
		next = policy->pick(c, now, &slice);
	if (next)
		dequeue(c, next);
	else
		next = c->idle;
	if (prev != c->idle && prev != next)
		runstate_set(prev, runstate_of(prev), now);
	if (next != c->idle && prev != next)
		runstate_set(next, RUNSTATE_running, now);
	next->sched.started_ns = now;
	next->running = true;
	c->curr = next;
	if (slice == ~0ULL)
		timer_stop(&c->slice);
	else
		timer_set(&c->slice, now + slice);
	/* The policy returns a vCPU, nothing made from &slice. */
	/* cppcheck-suppress returnDanglingLifetime */
	return next;
}

/* Others wait here while some CPU idles that they may use: let it come and take one. */
static void offer(struct sched_cpu *c)
{
	unsigned int i;

	if (!c->nr_queued)
		return;
	for_each_cpu(i)
		if (i != c->cpu && is_idle(i)) {
			cpu_raise(i, SOFTIRQ_SCHED);
			return;
		}
}

static void switch_vcpus(struct vcpu *prev, struct vcpu *next)
{
	if (!prev->domain->is_idle)
		vcpu_switch_from(prev);
	this_cpu()->current = next;
	__atomic_store_n(&prev->running, false, __ATOMIC_SEQ_CST);
	if (!next->domain->is_idle)
		vcpu_switch_to(next);
	if (!prev->domain->is_idle && vcpu_runnable(prev))
		sched_vcpu_update(prev);
}

/*
 * After the choice: a donation ends when the vCPU that it was made to leaves the CPU or did not get it, or when
 * the donor was woken. Returns a donor that is to be placed once prev's state is saved, or NULL.
 */
static struct vcpu *donation_over(struct sched_cpu *c, const struct vcpu *prev,
				  const struct vcpu *next)
{
	struct vcpu *donor = c->donor;

	if (!donor || ((donor->pause_flags & VPF_DONATES) && next == c->donee &&
		       (prev == donor || prev == next)))
		return NULL;
	c->donor = NULL;
	return __atomic_fetch_and(&donor->pause_flags, ~(uint32_t)VPF_DONATES, __ATOMIC_SEQ_CST) &
			       VPF_DONATES
		       ? donor
		       : NULL;
}

void schedule(void)
{
	struct cpu *cpu = this_cpu();
	struct sched_cpu *c = cpu->sched;
	struct vcpu *prev = cpu->current, *next, *donor;
	uint64_t now;

	spin_lock(&c->lock);
	now = now_ns();
	next = choose(c, prev, now);
	donor = donation_over(c, prev, next);
	offer(c);
	spin_unlock(&c->lock);

	if (next != prev)
		switch_vcpus(prev, next);
	if (donor)
		sched_vcpu_update(donor);
	if (next == c->idle && steal(c))
		this_cpu_raise(SOFTIRQ_SCHED);
}

/* Queue `to` on this CPU's queue c, wherever it was. True: done, and c is locked. */
static bool fetch_here(struct sched_cpu *c, struct vcpu *to, uint64_t now)
{
	struct sched_cpu *from = lock_vcpu(to);
	bool ok = vcpu_runnable(to) && !to->running && (to->affinity_hard & BIT(c->cpu));

	if (ok && from != c) {
		if (to->sched.queued)
			dequeue(from, to);
		policy->migrate(from, c, to);
		WRITE_ONCE(to->cpu, c->cpu);
		spin_unlock(&from->lock);
		spin_lock(&c->lock);
		from = c;
		ok = to->cpu == c->cpu && vcpu_runnable(to) && !to->running;
	}
	if (!ok) {
		spin_unlock(&from->lock);
		return false;
	}
	if (!to->sched.queued) {
		runstate_set(to, RUNSTATE_runnable, now);
		enqueue(c, to, true, now);
	}
	return true;
}

bool sched_donate(struct vcpu *to, const void *key)
{
	struct sched_cpu *c = this_cpu()->sched;
	struct vcpu *v = current_vcpu();

	if (!fetch_here(c, to, now_ns()))
		return false;
	c->donor = v;
	c->donor_key = key;
	c->donee = c->handoff = to;
	__atomic_fetch_or(&v->pause_flags, VPF_DONATES, __ATOMIC_SEQ_CST);
	spin_unlock(&c->lock);
	/* What came before the flag was set could not clear it. */
	if (hvm_intr_pending(v))
		__atomic_fetch_and(&v->pause_flags, ~(uint32_t)VPF_DONATES, __ATOMIC_SEQ_CST);
	this_cpu_raise(SOFTIRQ_SCHED);
	return true;
}

bool sched_has_donor(const void *key)
{
	const struct sched_cpu *c = this_cpu()->sched;

	return c->donor && c->donor_key == key && c->curr == c->donee;
}

bool sched_resume_donor(const void *key)
{
	struct sched_cpu *c = this_cpu()->sched;
	struct vcpu *donor = NULL;
	uint64_t now;

	spin_lock(&c->lock);
	if (sched_has_donor(key) &&
	    (__atomic_fetch_and(&c->donor->pause_flags, ~(uint32_t)VPF_DONATES, __ATOMIC_SEQ_CST) &
	     VPF_DONATES)) {
		donor = c->donor;
		c->donor = NULL;
	}
	if (donor && vcpu_runnable(donor)) {
		now = now_ns();
		runstate_set(donor, RUNSTATE_runnable, now);
		enqueue(c, donor, true, now);
		c->handoff = donor;
	}
	spin_unlock(&c->lock);
	if (!donor)
		return false;
	this_cpu_raise(SOFTIRQ_SCHED);
	return true;
}

static void slice_over(void *data)
{
	struct sched_cpu *c = data;

	cpu_raise(c->cpu, SOFTIRQ_SCHED);
}

void sched_yield(void)
{
	this_cpu_raise(SOFTIRQ_SCHED);
}

uint64_t sched_idle_ns(unsigned int cpu)
{
	return READ_ONCE(cpus[cpu]->idle_ns);
}

static struct vcpu *idle_create(unsigned int cpu)
{
	struct vcpu *v = xzalloc(struct vcpu);

	if (!v)
		panic("no memory for the idle vCPU of CPU %u", cpu);
	v->id = cpu;
	v->cpu = cpu;
	v->domain = &idle_domain;
	v->running = true;
	v->sched.weight = 256;
	list_init(&v->sched.queue);
	return v;
}

/* Sets up every CPU that is known; a second call adds those that came up since. */
void sched_init(void)
{
	unsigned int i;

	for (i = 0; i < MAX_CPUS; i++) {
		struct sched_cpu *c;

		if (!cpus[i] || scpus[i])
			continue;
		c = xzalloc(struct sched_cpu);
		if (!c)
			panic("no memory for the run queue of CPU %u", i);
		spin_lock_init(&c->lock, LOCK_SCHED, "run queue");
		list_init(&c->queue);
		c->cpu = i;
		c->idle = c->curr = idle_create(i);
		timer_init(&c->slice, slice_over, c, i);
		cpus[i]->idle = c->idle;
		cpus[i]->current = c->idle;
		cpus[i]->sched = c;
		scpus[i] = c;
	}
	domain_shutdown_init();
}

int sched_vcpu_init(struct vcpu *v)
{
	uint64_t all = nr_cpus >= 64 ? ~0ULL : BIT(nr_cpus) - 1;

	list_init(&v->sched.queue);
	v->sched.policy = xzalloc_bytes(SCHED_POLICY_BYTES);
	if (!v->sched.policy)
		return -ENOMEM;
	v->affinity_soft = ~0ULL;
	if (v->domain->is_dom0) {
		v->cpu = v->id % nr_cpus; /* pinned, see docs/interrupts.md */
		v->affinity_hard = BIT(v->cpu);
	} else {
		v->cpu = (v->domain->domid + v->id) % nr_cpus;
		v->affinity_hard = all;
	}
	v->runstate.state = RUNSTATE_offline;
	v->runstate.state_entry_time = now_ns();
	policy->init(v);
	return 0;
}

/* v is not runnable any more and was seen not running. */
void sched_vcpu_fini(struct vcpu *v)
{
	xfree(v->sched.policy);
	v->sched.policy = NULL;
}

void sched_set_affinity(struct vcpu *v, uint64_t hard, uint64_t soft)
{
	struct sched_cpu *c = lock_vcpu(v);

	v->affinity_hard = hard;
	v->affinity_soft = soft;
	if (hard & BIT(v->cpu)) {
		spin_unlock(&c->lock);
	} else if (v->running) {
		if (v->sched.queued)
			dequeue(c, v); /* being saved: switch_vcpus() places it */
		cpu_raise(c->cpu, SOFTIRQ_SCHED);
		spin_unlock(&c->lock);
	} else if (v->sched.queued) {
		dequeue(c, v);
		place(c, v, false);
	} else {
		spin_unlock(&c->lock);
	}
}

int sched_set_params(struct domain *d, const struct sched_params *p)
{
	struct vcpu *v;

	if (!p->weight || p->weight > 65535)
		return -EINVAL;
	for_each_vcpu(d, v) {
		struct sched_cpu *c = lock_vcpu(v);

		v->sched.weight = p->weight;
		v->sched.cap = p->cap;
		spin_unlock(&c->lock);
	}
	return 0;
}

void sched_get_params(struct domain *d, struct sched_params *p)
{
	struct vcpu *v = domain_vcpu(d, 0);

	p->weight = v ? v->sched.weight : 256;
	p->cap = v ? v->sched.cap : 0;
}

static void dump_cpu(struct sched_cpu *c)
{
	struct vcpu *v;

	spin_lock(&c->lock);
	printk("CPU%u: runs d%uv%u, vtime %lu, %u waiting:", c->cpu, c->curr->domain->domid,
	       c->curr->id, c->vtime, c->nr_queued);
	list_for_each(v, &c->queue, sched.queue)
		printk(" d%uv%u(vtime %lu%s)", v->domain->domid, v->id, v->sched.vtime,
		       v->sched.warped ? ", warped" : "");
	printk("\n");
	spin_unlock(&c->lock);
}

void sched_dump(void)
{
	unsigned int i;

	printk("scheduler %s\n", policy->name);
	for_each_cpu(i)
		dump_cpu(scpus[i]);
}
