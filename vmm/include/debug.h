/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Seeing inside: symbols, backtraces, debug keys, counters, the trace ring. */
#ifndef PLINTH_DEBUG_H
#define PLINTH_DEBUG_H

#include "cpu.h"
#include "trap.h"

/* Name of the function that holds addr and addr's offset in it; NULL outside the image's text. */
const char *symbol_lookup(uint64_t addr, uint64_t *offset);
/* "name+0x12" or the bare address into buf (for printing). Returns buf. */
const char *symbol_format(char *buf, size_t size, uint64_t addr);

/* Return addresses from frame pointer rbp, within rsp's stack; returns how many. */
unsigned int backtrace_collect(uint64_t rbp, uint64_t rsp, uint64_t *out, unsigned int max);
void backtrace_print(const uint64_t *addr, unsigned int n);
void backtrace_here(void);
void trap_frame_registers(const struct trap_frame *f);
void trap_frame_dump(const struct trap_frame *f); /* with the backtrace */

/*
 * Debug keys: typed on the serial line (Ctrl-A three times switches input to the VMM) or sent by
 * `xl debug-keys`. Handlers run on the BSP from the run loop, no locks held. What they print is work with interrupts off like
 * any other: a line is 5,000 instructions, so whoever may have more than KEY_LINES of them prints a piece at a time.
 */
#define KEY_LINES 16U
/* Where the printing stands: two numbers of the handler's own, zeroes at first. */
struct key_walk {
	bool begun;
	uint32_t id, at;
};
struct debug_key {
	char key;
	void (*fn)(char key);		   /* all at once; or */
	bool (*piece)(struct key_walk *w); /* one piece; true: there is more */
	const char *help;
};
#define DEBUG_KEY_ENTRY(ch, handler, all, part, text)                              \
	static const struct debug_key __used __aligned(8) __section(".debug_keys") \
		debug_key_##handler = { ch, all, part, text }
#define DEBUG_KEY(ch, handler, text)	    DEBUG_KEY_ENTRY(ch, handler, handler, NULL, text)
#define DEBUG_KEY_PIECES(ch, handler, text) DEBUG_KEY_ENTRY(ch, handler, NULL, handler, text)

/* Counters: one word per CPU, summed when shown (key 'c'). */
struct counter {
	const char *name;
	uint64_t *value; /* MAX_CPUS of them */
};
#define COUNTER(ident)                                                         \
	static uint64_t counter_value_##ident[MAX_CPUS];                       \
	static const struct counter __used __aligned(8) __section(".counters") \
		counter_##ident = { #ident, counter_value_##ident }
#define counter_inc(ident)    (counter_value_##ident[cpu_id()]++)
#define counter_add(ident, n) (counter_value_##ident[cpu_id()] += (n))

/*
 * Trace ring: a fixed number of records per CPU, the oldest overwritten. On with the option
 * `trace`; otherwise trace() is one test. Shown by key 'T' and by panic.
 */
enum trace_event {
	TRACE_NONE,
	TRACE_EXIT,	 /* exit code, rip */
	TRACE_ENTRY,	 /* rip, injected event */
	TRACE_HYPERCALL, /* number, first argument */
	TRACE_IRQ,	 /* vector */
	TRACE_SCHED,	 /* domid << 16 | vcpu of next */
	TRACE_IOREQ,	 /* address, type */
	TRACE_EVTCHN,	 /* domid, port */
	TRACE_MARK,	 /* free use while debugging */
	TRACE_COUNT
};
/* Whether anything is recorded (option trace, debug key T). */
extern bool trace_on;
/* trace() without the question. This CPU's ring; any context. */
void trace_record(enum trace_event e, uint64_t a, uint64_t b);
static inline void trace(enum trace_event e, uint64_t a, uint64_t b)
{
	if (unlikely(trace_on))
		trace_record(e, a, b);
}
/* Rings for so many CPUs, of zeroed memory, if the command line wants them. */
void trace_init(unsigned int cpus, void *(*zalloc)(size_t size));
void trace_dump(unsigned int last_per_cpu);

/* Panic's other entry: a trap that nothing explains. */
void panic_trap(const struct trap_frame *f, const char *what) __noreturn;
/* What a panic does before it tells why, which is to stop the other CPUs, and after that: set by panic_init(). */
extern void (*panic_begin_hook)(void), (*panic_end_hook)(void);
/* Who may have wanted an NMI (true: it did): set by panic_init(). */
extern bool (*nmi_hook)(const struct trap_frame *f);
/* From now on a panic tells of the other CPUs and resets the machine (console/panic.c). BSP, first of all. */
void panic_init(void);

#endif
