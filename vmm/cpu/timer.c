/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Timers: a heap per CPU under its own lock, the local APIC's timer armed for the first.
 * Functions run from the run loop of the timer's CPU without locks.
 */
#include "debug.h"
#include "publish.h"
#include "vmm/cpu/cpu.h"
#include "stretch.h"
#include "timer_heap.h"

#define HEAP_FIRST 1024U
#define RUN_MAX	   64U /* of one pass: calls and keys get their turn */

struct timer_heap {
	spinlock_t lock;
	struct theap heap;
	struct timer *volatile running; /* its function runs now */
};

COUNTER(timer_fired);

void timers_init_cpu(struct cpu *c)
{
	struct timer_heap *h = xzalloc(struct timer_heap);

	if (h)
		h->heap.t = xzalloc_array(struct timer *, HEAP_FIRST);
	if (!h || !h->heap.t)
		panic("No memory for the timers of CPU %u", c->id);
	h->heap.size = HEAP_FIRST;
	spin_lock_init(&h->lock, LOCK_TIMER, "timers");
	c->timers = h;
}

void timer_init(struct timer *t, void (*fn)(void *data), void *data, unsigned int cpu)
{
	*t = (struct timer){ .fn = fn, .data = data, .cpu = cpu, .heap_index = -1 };
}

bool timer_armed(const struct timer *t)
{
	return READ_ONCE(t->heap_index) >= 0;
}

/*
 * The heap that t is in, locked; t->cpu may change until its lock is held. Who moves t holds the lock of the heap that it
 * leaves, so t->cpu is published.
 */
static struct timer_heap *lock_heap_of(const struct timer *t)
{
	struct timer_heap *h;
	unsigned int cpu;

	for (;;) {
		cpu = published(t->cpu);
		h = cpus[cpu]->timers;
		spin_lock(&h->lock);
		if (published(t->cpu) == cpu)
			return h;
		spin_unlock(&h->lock);
	}
}

/* Before it is full, so that a failure may be tried again with the next timer. */
static void grow(struct timer_heap *h)
{
	unsigned int size = h->heap.size * 2;
	struct timer **t;

	if (h->heap.n < h->heap.size - h->heap.size / 4)
		return;
	t = xzalloc_array(struct timer *, size);
	if (!t)
		return;
	memcpy(t, h->heap.t, h->heap.n * sizeof(struct timer *));
	xfree(h->heap.t);
	h->heap.t = t;
	h->heap.size = size;
}

static void arm_hardware(struct timer_heap *h)
{
	struct timer *first = theap_first(&h->heap);

	lapic_timer_set(first ? first->expires_ns : ~0ULL);
}

/* Insert under h->lock; h belongs to cpu. Returns true when another CPU has to look. */
static bool insert(struct timer_heap *h, struct timer *t, unsigned int cpu)
{
	grow(h);
	if (!theap_insert(&h->heap, t))
		panic("No memory for another timer");
	if (t->heap_index != 0)
		return false;
	if (cpu != cpu_id())
		return true;
	if (!h->running)
		arm_hardware(h);
	return false;
}

void timer_set(struct timer *t, uint64_t expires_ns)
{
	struct timer_heap *h = lock_heap_of(t);
	unsigned int cpu = t->cpu;
	bool kick;

	if (t->heap_index >= 0)
		theap_remove(&h->heap, t);
	t->expires_ns = expires_ns;
	kick = insert(h, t, cpu);
	spin_unlock(&h->lock);
	if (kick)
		cpu_raise(cpu, SOFTIRQ_TIMER);
}

/* By the timer's own count: it may be in another CPU's heap by now. */
static bool runs_elsewhere(const struct timer *t)
{
	int here = this_cpu()->timers->running == t;

	return __atomic_load_n(&t->running, __ATOMIC_ACQUIRE) > here;
}

void timer_stop(struct timer *t)
{
	struct timer_heap *h;
	bool foreign;

	do {
		h = lock_heap_of(t);
		if (t->heap_index >= 0)
			theap_remove(&h->heap, t);
		foreign = runs_elsewhere(t);
		spin_unlock(&h->lock);
		if (foreign) {
			smp_poll_calls();
			cpu_relax();
		}
	} while (foreign);
}

void timer_migrate(struct timer *t, unsigned int cpu)
{
	struct timer_heap *h = lock_heap_of(t);
	bool armed = t->heap_index >= 0;
	bool kick = false;

	if (t->cpu == cpu) {
		spin_unlock(&h->lock);
		return;
	}
	if (armed)
		theap_remove(&h->heap, t);
	publish(t->cpu, cpu);
	spin_unlock(&h->lock);
	if (!armed)
		return;
	h = lock_heap_of(t);
	if (t->heap_index < 0)
		kick = insert(h, t, t->cpu);
	cpu = t->cpu;
	spin_unlock(&h->lock);
	if (kick)
		cpu_raise(cpu, SOFTIRQ_TIMER);
}

void timers_run(void)
{
	struct timer_heap *h = this_cpu()->timers;
	unsigned int budget = RUN_MAX;
	struct timer *t;

	lapic_timer_fired();
	spin_lock(&h->lock);
	while (budget-- && (t = theap_first(&h->heap)) && t->expires_ns <= now_ns()) {
		void (*fn)(void *) = t->fn;
		void *data = t->data;

		theap_remove(&h->heap, t);
		h->running = t;
		__atomic_fetch_add(&t->running, 1, __ATOMIC_RELAXED);
		spin_unlock(&h->lock);
		counter_inc(timer_fired);
		stretch_doing("timer", (uint64_t)fn);
		fn(data);
		__atomic_fetch_sub(&t->running, 1, __ATOMIC_RELEASE);
		spin_lock(&h->lock);
		h->running = NULL;
	}
	arm_hardware(h);
	spin_unlock(&h->lock);
}

bool timers_dump_cpu(unsigned int cpu, unsigned int first, unsigned int max)
{
	struct timer_heap *h = cpus[cpu]->timers;
	char name[64];
	uint64_t now;
	bool more;

	spin_lock(&h->lock);
	now = now_ns();
	if (!first)
		printk("CPU %u: %u timers\n", cpu, h->heap.n);
	more = h->heap.n > first + max;
	for (unsigned int i = first; i < h->heap.n && i < first + max; i++) {
		struct timer *t = h->heap.t[i];

		printk("  %s(%p) in %ld us\n", symbol_format(name, sizeof(name), (uint64_t)t->fn),
		       t->data, (int64_t)(t->expires_ns - now) / 1000);
	}
	spin_unlock(&h->lock);
	return more;
}
