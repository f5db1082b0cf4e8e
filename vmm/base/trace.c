/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Trace rings, one per CPU, written without locks by their own CPU; and the counters' key. */
#include "boot.h"
#include "debug.h"
#include "timer.h"

#define RING_RECORDS 1024U

struct trace_record {
	uint64_t tsc;
	uint64_t event;
	uint64_t a, b;
};

bool trace_on;

static struct trace_record *ring[MAX_CPUS];
static uint32_t next[MAX_CPUS];
static bool wanted;

static int parse_trace(const char *value)
{
	return parse_bool(value, &wanted);
}
BOOT_OPTION(trace, "trace", parse_trace, "record events in a ring per CPU (key T)");

static const char *const event_name[TRACE_COUNT] = {
	"none", "exit", "entry", "hypercall", "irq", "sched", "ioreq", "evtchn", "mark",
};

void trace_init(unsigned int cpus, void *(*zalloc)(size_t size))
{
	if (!wanted)
		return;
	for (unsigned int cpu = 0; cpu < cpus; cpu++) {
		ring[cpu] = zalloc(RING_RECORDS * sizeof(struct trace_record));
		if (!ring[cpu]) {
			printk(LOG_WARN "trace: no memory for the rings\n");
			return;
		}
	}
	trace_on = true;
}

void trace_record(enum trace_event e, uint64_t a, uint64_t b)
{
	unsigned int cpu = cpu_id();

	ring[cpu][next[cpu]++ % RING_RECORDS] = (struct trace_record){ rdtsc(), e, a, b };
}

static void dump_cpu(unsigned int cpu, uint32_t from, unsigned int n)
{
	for (; n; n--) {
		const struct trace_record *r = &ring[cpu][from++ % RING_RECORDS];

		printk("  %lu %s %lx %lx\n", r->tsc,
		       r->event < TRACE_COUNT ? event_name[r->event] : "?", r->a, r->b);
	}
}

void trace_dump(unsigned int last_per_cpu)
{
	unsigned int cpu, n;

	for (cpu = 0; cpu < MAX_CPUS; cpu++) {
		if (!ring[cpu])
			continue;
		n = min(min(next[cpu], RING_RECORDS), last_per_cpu);
		printk("CPU %u: last %u events\n", cpu, n);
		dump_cpu(cpu, next[cpu] - n, n);
	}
}

/* The last ones of each CPU, as they are when their turn comes. */
static bool key_trace(struct key_walk *w)
{
	unsigned int cpu = w->id++;

	if (!trace_on) {
		printk("Tracing is off (option trace)\n");
		return false;
	}
	if (ring[cpu]) {
		printk("CPU %u:\n", cpu);
		dump_cpu(cpu, next[cpu] - min(next[cpu], 2 * KEY_LINES),
			 min(next[cpu], 2 * KEY_LINES));
	}
	return w->id < MAX_CPUS;
}
DEBUG_KEY_PIECES('T', key_trace, "last events of the trace rings");

extern const struct counter _counters_start[], _counters_end[];

static bool key_counters(struct key_walk *w)
{
	const struct counter *c = _counters_start + w->at, *end = c + KEY_LINES;
	uint64_t sum;

	for (; c < end && c < _counters_end; c++) {
		sum = 0;
		for (unsigned int cpu = 0; cpu < MAX_CPUS; cpu++)
			sum += c->value[cpu];
		printk("  %-24s %lu\n", c->name, sum);
	}
	w->at += KEY_LINES;
	return c < _counters_end;
}
DEBUG_KEY_PIECES('c', key_counters, "counters");
