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
#include "boot.h"
#include "domain.h"
#include "hvm_ops.h"
#include "publish.h"
#include "sched.h"

const struct guest_ops *guest_ops;
struct domain idle_domain = { .domid = DOMID_IDLE, .is_idle = true, .refs = 1 };

static struct sched_cpu *scpus[MAX_CPUS];
static const struct sched_policy *const policies[] = { &sched_bvt, &sched_rrobin, &sched_atropos };
static const struct sched_policy *policy = &sched_bvt;

static int parse_sched(const char *name)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(policies); i++)
		if (!strcmp(policies[i]->name, name)) {
			policy = policies[i];
			return 0;
		}
	return -EINVAL;
}
BOOT_OPTION(sched, "sched", parse_sched, "scheduler's policy: bvt (default), rrobin or atropos");

/*
 * Locks the queue that v belongs to at this moment. Who moves v holds the lock of the queue that it leaves, so v->cpu
 * is published: whoever finds v here finds what was done to it there.
 */
static struct sched_cpu *lock_vcpu(const struct vcpu *v)
{
	for (;;) {
		struct sched_cpu *c = scpus[published(v->cpu)];

		spin_lock(&c->lock);
		if (c->cpu == published(v->cpu))
			return c;
		spin_unlock(&c->lock);
	}
}

static void runstate_set(struct vcpu *v, int state, uint64_t now)
{
	struct vcpu_runstate_info *r = &v->runstate;

	if (now > r->state_entry_time) {
		r->time[r->state] += now - r->state_entry_time;
		r->state_entry_time = now;
	}
	r->state = state;
}

/* The state of a vCPU that does not run. */
static int runstate_of(const struct vcpu *v)
{
	if (vcpu_runnable(v))
		return RUNSTATE_runnable;
	if (v->pause_flags & (VPF_BLOCKED | VPF_DEAF | VPF_DONATES))
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

/* How often a CPU on which vCPUs wait looks for one with a shorter queue. */
#define BALANCE_NS   (20 * NS_PER_MS)
#define CLOCK_LAG_NS (20 * NS_PER_US)

/* Charge the running vCPU up to now. */
static void account_current(struct sched_cpu *c, uint64_t now)
{
	if (c->curr == c->idle || now <= c->curr->sched.started_ns)
		return;
	policy->account(c, c->curr, now - c->curr->sched.started_ns, now);
	c->curr->sched.started_ns = now;
}

/*
 * Before somebody is placed by the queue's clock. Where the CPU goes from hand to hand that is charged at the switch,
 * which is near: what the clock may be behind until then is nothing beside what one may run past another.
 */
static void account_long(struct sched_cpu *c, uint64_t now)
{
	if (now - c->curr->sched.started_ns > CLOCK_LAG_NS)
		account_current(c, now);
}

static void enqueue(struct sched_cpu *c, struct vcpu *v, uint64_t now)
{
	v->sched.queued = true;
	WRITE_ONCE(c->nr_queued, c->nr_queued + 1);
	policy->insert(c, v, v->sched.slept, now);
	v->sched.slept = false;
}

static void dequeue(struct sched_cpu *c, struct vcpu *v)
{
	policy->remove(c, v);
	v->sched.queued = false;
	WRITE_ONCE(c->nr_queued, c->nr_queued - 1);
}

/* How many run or could run on a CPU; without its lock only a hint. */
static unsigned int busy(unsigned int cpu)
{
	const struct sched_cpu *c = scpus[cpu];

	return READ_ONCE(c->nr_queued) - READ_ONCE(c->nr_parked) + (READ_ONCE(c->curr) != c->idle);
}

/* Soft affinity, where it leaves a choice, is a wish: true when v would rather not run on cpu. */
static bool unwelcome(const struct vcpu *v, unsigned int cpu)
{
	uint64_t soft = v->affinity_hard & v->affinity_soft;

	return soft && !(soft & BIT(cpu));
}

/* Where v is best queued: where it ran if that is idle, else any idle CPU, else the shortest queue. */
static unsigned int choose_cpu(const struct vcpu *v)
{
	unsigned int i, best = MAX_CPUS, load, best_load = ~0U;

	if ((v->affinity_hard & BIT(v->cpu)) && !busy(v->cpu) && !unwelcome(v, v->cpu))
		return v->cpu;
	for_each_cpu(i) {
		if (!(v->affinity_hard & BIT(i)))
			continue;
		load = 4 * busy(i) + unwelcome(v, i) * 2 + (i != v->cpu);
		if (load < best_load) {
			best_load = load;
			best = i;
		}
	}
	return best < MAX_CPUS ? best : v->cpu;
}

/* c chooses again at `at`, or before. */
static void look_at(struct sched_cpu *c, uint64_t at)
{
	if (!timer_armed(&c->slice) || c->slice.expires_ns > at)
		timer_set(&c->slice, at);
}

/* v was queued on c, whose running vCPU is charged up to now: see to it that c looks in time. */
static void poke(struct sched_cpu *c, const struct vcpu *v, uint64_t now)
{
	uint64_t ns = policy->until(c, v, now);

	if (!ns)
		cpu_raise(c->cpu, SOFTIRQ_SCHED);
	else if (ns != ~0ULL)
		look_at(c, now + ns);
}

/*
 * v waits on c, locked, while perhaps some CPU idles that it may use: let that one come and take it. The CPU that
 * goes idle says so first and then looks at the queues (steal), so one of the two sees the other.
 */
static bool offer(const struct sched_cpu *c, const struct vcpu *v, uint64_t now)
{
	unsigned int i;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for_each_cpu(i)
		if (i != c->cpu && (v->affinity_hard & BIT(i)) && !busy(i) &&
		    policy->may_run(v, now)) {
			cpu_raise(i, SOFTIRQ_SCHED);
			return true;
		}
	return false;
}

static void offer_one(const struct sched_cpu *c, uint64_t now)
{
	const struct vcpu *v;

	list_for_each(v, &c->queue, sched.queue)
		if (offer(c, v, now))
			return;
}

/* v, not queued, is one of `to`'s from now on; `from` is locked. */
static void change_cpu(const struct sched_cpu *from, const struct sched_cpu *to, struct vcpu *v)
{
	if (policy->migrate)
		policy->migrate(from, to, v);
	publish(v->cpu, to->cpu);
}

/* v is runnable, neither queued nor running; c is its queue, locked. It goes to CPU `cpu`. Unlocks. */
static void place_on(struct sched_cpu *c, struct vcpu *v, unsigned int cpu)
{
	struct sched_cpu *to = scpus[cpu];
	uint64_t now;

	if (to != c) {
		change_cpu(c, to, v);
		spin_unlock(&c->lock);
		spin_lock(&to->lock);
		/* Between the two locks another CPU may have placed or stopped it. */
		if (v->cpu != cpu || v->sched.queued || v->running || !vcpu_runnable(v)) {
			spin_unlock(&to->lock);
			return;
		}
	}
	now = now_ns();
	account_current(to, now); /* before v is placed by the queue's clock */
	runstate_set(v, RUNSTATE_runnable, now);
	enqueue(to, v, now);
	poke(to, v, now);
	if (to->curr != to->idle)
		offer(to, v, now);
	spin_unlock(&to->lock);
}

static void place(struct sched_cpu *c, struct vcpu *v)
{
	place_on(c, v, choose_cpu(v));
}

void sched_vcpu_update(struct vcpu *v)
{
	struct sched_cpu *c = lock_vcpu(v);
	bool runnable = vcpu_runnable(v);

	if (v->sched.queued) {
		if (!runnable) {
			dequeue(c, v);
			runstate_set(v, runstate_of(v), now_ns());
		}
	} else if (v->running) {
		/* If it is just being saved, switch_vcpus() looks at it again. */
		if (!runnable)
			cpu_raise(c->cpu, SOFTIRQ_SCHED);
	} else if (runnable) {
		place(c, v);
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
		if (from == c || !READ_ONCE(from->nr_queued))
			continue;
		/* Wait for the lock: its holder may just have queued one, and have seen this CPU busy. */
		spin_lock(&from->lock);
		list_for_each(v, &from->queue, sched.queue)
			if ((v->affinity_hard & BIT(c->cpu)) && !v->running &&
			    policy->may_run(v, now_ns())) {
				found = v;
				break;
			}
		if (found) {
			dequeue(from, found);
			change_cpu(from, c, found);
		}
		spin_unlock(&from->lock);
		if (found)
			break;
	}
	if (!found)
		return false;
	/* Here, whatever CPU it would rather have: else the two could hand it to each other. */
	spin_lock(&c->lock);
	if (found->cpu == c->cpu && !found->sched.queued && !found->running && vcpu_runnable(found))
		place_on(c, found, c->cpu);
	else
		spin_unlock(&c->lock);
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
	if (!vcpu_runnable(prev))
		prev->sched.slept = prev->pause_flags != 0;
	else if (prev->affinity_hard & BIT(c->cpu))
		enqueue(c, prev, now);
}

/*
 * The vCPU that a donation named, unless it went away, its donor was woken meanwhile, or it has had its share:
 * donors are not to take the CPU from those that wait.
 */
static struct vcpu *take_handoff(struct sched_cpu *c, uint64_t now)
{
	struct vcpu *v = c->handoff;

	c->handoff = NULL;
	if (!v || !v->sched.queued || v->cpu != c->cpu || !policy->may_pass(c, v, now))
		return NULL;
	return c->donor && !(c->donor->pause_flags & VPF_DONATES) ? NULL : v;
}

static struct vcpu *choose(struct sched_cpu *c, struct vcpu *prev, uint64_t now)
{
	struct vcpu *next;
	uint64_t slice;

	account_current(c, now);
	if (!prev->sched.yields)
		put_back(c, prev, now);
	next = take_handoff(c, now);
	if (!next)
		next = policy->pick(c, now);
	if (prev->sched.yields) { /* the others had their chance */
		put_back(c, prev, now);
		prev->sched.yields = false;
		if (!next)
			next = policy->pick(c, now);
	}
	if (next)
		dequeue(c, next);
	slice = policy->slice(c, next, now);
	if (!next)
		next = c->idle;
	if (prev != c->idle && prev != next)
		runstate_set(prev, runstate_of(prev), now);
	if (next != c->idle && prev != next)
		runstate_set(next, RUNSTATE_running, now);
	next->sched.started_ns = now;
	next->running = true;
	WRITE_ONCE(c->curr, next);
	if (slice != ~0ULL)
		timer_set(&c->slice, now + slice);
	else if (timer_armed(&c->slice))
		timer_stop(&c->slice);
	return next;
}

/* Sum of the weights of those that run or could run on c, locked. */
static unsigned int load(const struct sched_cpu *c, uint64_t now)
{
	unsigned int sum = c->curr == c->idle ? 0 : policy->weight(c->curr);
	const struct vcpu *v;

	list_for_each(v, &c->queue, sched.queue)
		if (!c->nr_parked || policy->may_run(v, now))
			sum += policy->weight(v);
	return sum;
}

/* A CPU where v, which waits on c, would have no more beside it than the load here; c's own if there is none. */
static unsigned int lighter_cpu(const struct sched_cpu *c, const struct vcpu *v, unsigned int here,
				uint64_t now)
{
	for (unsigned int n = 1; n < nr_cpus; n++) {
		unsigned int i = (c->cpu + n) % nr_cpus;
		struct sched_cpu *to = scpus[i];
		bool ok;

		if (!(v->affinity_hard & BIT(i)) || unwelcome(v, i) || !spin_trylock(&to->lock))
			continue;
		ok = load(to, now) + policy->weight(v) <= here;
		spin_unlock(&to->lock);
		if (ok)
			return i;
	}
	return c->cpu;
}

static bool movable(const struct sched_cpu *c, const struct vcpu *v)
{
	return v != c->idle && (v->affinity_hard & ~BIT(c->cpu));
}

/* Of those that may leave c the one that has not moved for the longest time. */
static struct vcpu *next_to_move(struct sched_cpu *c)
{
	struct vcpu *v, *found = movable(c, c->curr) ? c->curr : NULL;

	list_for_each(v, &c->queue, sched.queue)
		if (movable(c, v) && (!found || v->sched.moved_ns <= found->sched.moved_ns))
			found = v;
	return found;
}

/*
 * Every BALANCE_NS one that waits here goes to a CPU where it is not worse off, if there is one. So three busy vCPUs on two
 * CPUs take turns at having one alone. If it runs just now, it goes when it waits again. Called without locks.
 */
static void balance(struct sched_cpu *c, uint64_t now)
{
	unsigned int cpu = c->cpu;
	struct vcpu *v;

	spin_lock(&c->lock);
	v = next_to_move(c);
	if (v && v != c->curr) {
		c->balanced_ns = now;
		cpu = lighter_cpu(c, v, load(c, now), now);
	}
	if (cpu == c->cpu) {
		spin_unlock(&c->lock);
		return;
	}
	dequeue(c, v);
	v->sched.moved_ns = now;
	place_on(c, v, cpu);
}

static void switch_vcpus(struct vcpu *prev, struct vcpu *next)
{
	if (!prev->domain->is_idle)
		guest_ops->switch_from(prev);
	this_cpu()->current = next;
	__atomic_store_n(&prev->running, false, __ATOMIC_SEQ_CST);
	if (!next->domain->is_idle)
		guest_ops->switch_to(next);
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
	bool crowded;

	spin_lock(&c->lock);
	now = now_ns();
	next = choose(c, prev, now);
	donor = donation_over(c, prev, next);
	offer_one(c, now);
	crowded = c->nr_queued > c->nr_parked && now - c->balanced_ns >= BALANCE_NS;
	spin_unlock(&c->lock);

	if (next != prev)
		switch_vcpus(prev, next);
	if (donor)
		sched_vcpu_update(donor);
	if (crowded && nr_cpus > 1)
		balance(c, now);
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
		change_cpu(from, c, to);
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
		account_long(c, now);
		runstate_set(to, RUNSTATE_runnable, now);
		enqueue(c, to, now);
	}
	if (!policy->may_pass(c, to, now)) {
		poke(c, to, now); /* it waits for its turn */
		spin_unlock(&c->lock);
		return false;
	}
	return true;
}

/* v sleeps from now on until it is woken, unless something waits for it already. */
static bool begin_donation(struct vcpu *v)
{
	__atomic_fetch_or(&v->pause_flags, VPF_DONATES, __ATOMIC_SEQ_CST);
	/* What came before the flag was set could not clear it. */
	return !guest_ops->intr_pending(v);
}

bool sched_donate(struct vcpu *to, const void *key)
{
	struct sched_cpu *c = this_cpu()->sched;
	struct vcpu *v = current_vcpu();

	if (!begin_donation(v) || !fetch_here(c, to, now_ns())) {
		__atomic_fetch_and(&v->pause_flags, ~(uint32_t)VPF_DONATES, __ATOMIC_SEQ_CST);
		return false;
	}
	c->donor = v;
	c->donor_key = key;
	c->donee = c->handoff = to;
	spin_unlock(&c->lock);
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
		account_long(c, now);
		donor->sched.slept = true;
		enqueue(c, donor, now);
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
	current_vcpu()->sched.yields = true;
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
	list_init(&v->sched.queue);
	return v;
}

/* Sets up every CPU that is known; a second call adds those that came up since. */
void sched_init(void)
{
	unsigned int i;

	if (!scpus[0])
		printk(LOG_INFO "scheduler: %s\n", policy->name);
	for (i = 0; i < MAX_CPUS; i++) {
		struct sched_cpu *c;

		if (!cpus[i] || scpus[i])
			continue;
		c = xzalloc(struct sched_cpu);
		if (c)
			c->policy = xzalloc_bytes(SCHED_POLICY_BYTES);
		if (!c || !c->policy)
			panic("no memory for the run queue of CPU %u", i);
		spin_lock_init(&c->lock, LOCK_SCHED, "run queue");
		list_init(&c->queue);
		c->cpu = i;
		c->idle = c->curr = idle_create(i);
		timer_init(&c->slice, slice_over, c, i);
		cpus[i]->idle = c->idle;
		cpus[i]->sched = c;
		scpus[i] = c;
		publish(cpus[i]->current, c->idle); /* it is in its run loop */
	}
}

int sched_vcpu_init(struct vcpu *v)
{
	uint64_t all = nr_cpus >= 64 ? ~0ULL : BIT(nr_cpus) - 1;

	list_init(&v->sched.queue);
	v->sched.slept = true;
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
	if (policy->join)
		policy->join(v);
	return 0;
}

/* v is not runnable any more and was seen not running. */
void sched_vcpu_fini(struct vcpu *v)
{
	if (v->sched.policy && policy->leave)
		policy->leave(v);
	xfree(v->sched.policy);
	v->sched.policy = NULL;
}

void sched_set_affinity(struct vcpu *v, uint64_t hard, uint64_t soft)
{
	struct sched_cpu *c = lock_vcpu(v);

	v->affinity_hard = hard;
	v->affinity_soft = soft;
	if (hard & BIT(v->cpu)) {
		if (v->sched.queued)
			offer(c, v, now_ns());
		spin_unlock(&c->lock);
	} else if (v->running) {
		if (v->sched.queued)
			dequeue(c, v); /* being saved: switch_vcpus() places it */
		cpu_raise(c->cpu, SOFTIRQ_SCHED);
		spin_unlock(&c->lock);
	} else if (v->sched.queued) {
		dequeue(c, v);
		place(c, v);
	} else {
		spin_unlock(&c->lock);
	}
}

/* What v ran so far counts by the old parameters. */
static void params_change(struct vcpu *v)
{
	struct sched_cpu *c = lock_vcpu(v);

	account_current(c, now_ns());
	spin_unlock(&c->lock);
}

/* The new ones count from now on: what waits is sorted anew, what runs gets another slice. */
static void params_changed(struct vcpu *v)
{
	struct sched_cpu *c = lock_vcpu(v);
	uint64_t now = now_ns();

	account_current(c, now);
	if (v->sched.queued) {
		dequeue(c, v);
		enqueue(c, v, now);
	}
	if (v->sched.queued || c->curr == v)
		cpu_raise(c->cpu, SOFTIRQ_SCHED);
	spin_unlock(&c->lock);
}

int sched_set_params(struct domain *d, const union sched_params *p)
{
	struct vcpu *v;
	int rc;

	for_each_vcpu(d, v)
		params_change(v);
	rc = policy->set(d, p);
	if (rc)
		return rc;
	for_each_vcpu(d, v)
		params_changed(v);
	return 0;
}

void sched_get_params(struct domain *d, union sched_params *p)
{
	policy->get(d, p);
}

unsigned int sched_tool_id(void)
{
	return policy->tool_id;
}

uint64_t sched_turn_ns(void)
{
	return policy->turn_ns ? READ_ONCE(*policy->turn_ns) : 0;
}

int sched_set_turn_ns(uint64_t ns)
{
	if (!policy->turn_ns)
		return -EOPNOTSUPP;
	if (ns < NS_PER_MS || ns > NS_PER_SEC)
		return -EINVAL;
	WRITE_ONCE(*policy->turn_ns, ns);
	return 0;
}

#define DUMP_QUEUED 16U /* vCPUs of a queue that are shown */

static void dump_cpu(struct sched_cpu *c)
{
	unsigned int n = 0;
	struct vcpu *v;

	spin_lock(&c->lock);
	printk("CPU%u: runs d%uv%u", c->cpu, c->curr->domain->domid, c->curr->id);
	policy->dump_cpu(c);
	printk(", %u waiting, %u of them parked:", c->nr_queued, c->nr_parked);
	list_for_each(v, &c->queue, sched.queue) {
		if (n++ == DUMP_QUEUED)
			break;
		printk(" d%uv%u", v->domain->domid, v->id);
		policy->dump_vcpu(v);
	}
	printk("%s\n", n > DUMP_QUEUED ? " ..." : "");
	spin_unlock(&c->lock);
}

void sched_dump(unsigned int cpu)
{
	if (!cpu)
		printk("scheduler %s\n", policy->name);
	dump_cpu(scpus[cpu]);
}
